#include "range.h"

#include "clock.h"
#include "tag.h"
#include "text.h"

#include <errno.h>
#include <strings.h>

/* A time in the format that every sender must use (RFC 9110 section 5.6.7), in milliseconds; -1 for anything else. */
static int64_t
http_time(const char *s)
{
	struct tm parts = { 0 };
	char again[30];

	if (!strptime(s, "%a, %d %b %Y %T GMT", &parts))
		return -1;
	int64_t time = timegm(&parts) * SECOND;
	clock_http_text(time, again); /* strptime() also takes other blanks, a wrong weekday, and text behind it */
	return strcmp(s, again) == 0 ? time : -1;
}

/* 200 when the conditions of the request hold, else 304 or 412, in the order of section 13.2.2. */
static int
conditions(const struct http_request *rq, const char *etag, int64_t changed)
{
	int64_t time;

	if (rq->if_match) {
		if (!tag_listed(rq->if_match, etag, TAG_STRONG, 0))
			return 412;
	} else if (rq->if_unmodified_since && (time = http_time(rq->if_unmodified_since)) >= 0 && changed > time) {
		return 412;
	}
	if (rq->if_none_match)
		return tag_listed(rq->if_none_match, etag, TAG_WEAK, 0) ? 304 : 200;
	if (rq->if_modified_since && (time = http_time(rq->if_modified_since)) >= 0 && changed <= time)
		return 304;
	return 200;
}

/* False when If-Range names another state of the file (section 13.1.5). */
static bool
still_same(const char *if_range, const char *etag, int64_t changed)
{
	return !if_range || strcmp(if_range, etag) == 0 || http_time(if_range) == changed;
}

/* Reads a number and moves *s behind it; false when there are no digits, or more than fit. */
static bool
number(const char **s, int64_t *out)
{
	char *end;

	if (!text_is_digit(**s))
		return false;
	errno = 0;
	*out = strtoll(*s, &end, 10);
	*s = end;
	return errno == 0;
}

/* Reads "first-last", "first-" or "-count", with blanks around, up to a comma or the end. False when malformed. */
static bool
span(const char **s, int64_t size, int64_t *first, int64_t *end)
{
	int64_t last;

	*s += strspn(*s, " ");
	bool suffix = **s == '-';
	if (!suffix && !number(s, first))
		return false;
	*s += strspn(*s, " ");
	if (*(*s)++ != '-')
		return false;
	*s += strspn(*s, " ");
	*end = size;
	if (suffix || (**s && **s != ',')) {
		if (!number(s, &last))
			return false;
		*s += strspn(*s, " ");
		if (suffix)
			*first = last < size ? size - last : 0;
		else if (last < size)
			*end = last + 1;
	}
	return !**s || **s == ',';
}

/*
 * The part that a Range header selects (section 14.2), as nginx with `max_ranges 1` evaluates it, which does so after us
 * and must come to the same result. Of a list, one range within the file is served; with more it is the whole file.
 */
static struct range
part_of(const char *s, int64_t size)
{
	struct range range = { .status = 416 };
	int64_t first = 0, end;

	if (strncasecmp(s, "bytes=", 6) != 0)
		return (struct range){ 200, 0, size };
	s += 6;
	for (bool more = true; more; more = *s++ == ',') {
		if (!span(&s, size, &first, &end))
			return (struct range){ .status = 416 };
		if (first < end && range.status == 206)
			return (struct range){ 200, 0, size };
		if (first < end)
			range = (struct range){ 206, first, end - first };
	}
	return range;
}

struct range
range_of(const struct http_request *rq, const char *etag, int64_t changed, int64_t size)
{
	changed -= changed % SECOND;
	int status = conditions(rq, etag, changed);

	if (status != 200)
		return (struct range){ .status = status };
	if (rq->method != GET || !rq->range || !still_same(rq->if_range, etag, changed))
		return (struct range){ 200, 0, size };
	return part_of(rq->range, size);
}
