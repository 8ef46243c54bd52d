#include "range.h"

#include "clock.h"
#include "tag.h"
#include "text.h"

#include <strings.h>

/* A time of the form that every sender has to use (IMF-fixdate, section 5.6.7), in milliseconds; -1 for anything else. */
static int64_t
http_time(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char date[11], again[30];
	int64_t day, year, part[3];

	if (strlen(s) != 29 || !text_to_int((char[]){ s[5], s[6], '\0' }, 1, 31, &day) ||
	    !text_to_int((char[]){ s[12], s[13], s[14], s[15], '\0' }, 1970, 9999, &year))
		return -1;
	const char *month = strstr(months, (char[]){ s[8], s[9], s[10], '\0' });
	for (int i = 0; i < 3; i++)
		if (!text_to_int((char[]){ s[17 + 3 * i], s[18 + 3 * i], '\0' }, 0, 59, &part[i]))
			return -1;
	if (!month)
		return -1;
	snprintf(date, sizeof(date), "%04d-%02d-%02d", (int)year, (int)((month - months) / 3 + 1), (int)day);
	if (!clock_is_date(date))
		return -1;
	int64_t time = clock_date(date) + part[0] * HOUR + part[1] * MINUTE + part[2] * SECOND;
	/* Weekday, blanks and all the rest. */
	clock_http_text(time, again);
	return strcmp(s, again) == 0 ? time : -1;
}

/* 200 when the conditions let the request pass, else 304 or 412, in the order of section 13.2.2. */
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

/* False where a part of another state of the file was asked to be filled up (section 13.1.5). */
static bool
still_same(const char *if_range, const char *etag, int64_t changed)
{
	return !if_range || strcmp(if_range, etag) == 0 || http_time(if_range) == changed;
}

/* A run of digits as a number; false when there is none, or one that no file is as large as. */
static bool
number(const char **s, int64_t *out)
{
	const char *start = *s;

	for (*out = 0; **s >= '0' && **s <= '9'; (*s)++) {
		if (*out > INT64_MAX / 10 - 1)
			return false;
		*out = *out * 10 + (**s - '0');
	}
	return *s > start;
}

/* "first-last", "first-" or "-count", with blanks around, up to a comma or the end. False when it is none of them. */
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
 * What a Range header asks for (section 14.2), as nginx answers with `max_ranges 1`: it looks behind us, and must not find
 * anything else. A list counts where one of its ranges is within the file, and is not answered in parts otherwise.
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
