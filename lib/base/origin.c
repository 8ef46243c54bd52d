#include "origin.h"

#include "text.h"

#include <ctype.h>
#include <strings.h>

#define SEPARATORS " \t,"
#define DIGITS "0123456789"

static void
put_lower(struct buf *out, const char *s, size_t length)
{
	for (size_t i = 0; i < length; i++)
		buf_putc(out, (char)tolower((unsigned char)s[i]));
}

/* The length of "scheme://" (RFC 3986 section 3.1), 0 when the text does not begin so. */
static size_t
scheme_length(const char *s, size_t length)
{
	size_t n = 0;

	while (n < length && (isalpha((unsigned char)s[n]) || (n > 0 && strchr(DIGITS "+-.", s[n]) && s[n])))
		n++;
	return n > 0 && n + 3 <= length && memcmp(s + n, "://", 3) == 0 ? n + 3 : 0;
}

/* The length of a host: a name or an IPv4 address, or an IPv6 address in brackets. */
static size_t
host_length(const char *s, size_t length)
{
	size_t n = 0;

	if (length > 0 && s[0] == '[') {
		for (n = 1; n < length && s[n] != ']'; n++)
			if (!isxdigit((unsigned char)s[n]) && s[n] != ':' && s[n] != '.')
				return 0;
		return n < length && n > 1 ? n + 1 : 0;
	}
	while (n < length && (isalnum((unsigned char)s[n]) || (s[n] && strchr("-._", s[n]))))
		n++;
	return n;
}

static bool
is_own_port(const char *scheme, int64_t port)
{
	return (strncasecmp(scheme, "https:", 6) == 0 && port == 443) || (strncasecmp(scheme, "http:", 5) == 0 && port == 80);
}

const char *
origin_put(struct buf *out, const char *s, size_t length)
{
	const char *end = s + length;
	const size_t scheme = scheme_length(s, length);
	int64_t port = 0;
	char digits[8];

	for (const char *at = s; at < end; at++) {
		if (*at == '*')
			return "has a * in it, which matches nothing; write each origin by itself";
		if ((unsigned char)*at >= 0x80)
			return "is not ASCII; write the name in its form xn--...";
	}
	if (!scheme)
		return "does not begin with https:// (or http://)";
	size_t host = host_length(s + scheme, length - scheme);
	if (!host)
		return "has no host name where one must be";
	const char *at = s + scheme + host;
	if (at < end && *at == ':') {
		size_t n = strspn(++at, DIGITS);
		if (n > (size_t)(end - at))
			n = (size_t)(end - at);
		if (n >= sizeof(digits))
			return "has a port that is no number from 1 to 65535";
		memcpy(digits, at, n);
		digits[n] = '\0';
		if (!text_to_int(digits, 1, 65535, &port))
			return "has a port that is no number from 1 to 65535";
		at += n;
	}
	if (at < end && *at == '/')
		at++;
	if (at < end)
		return "has more than scheme, host and port, which browsers do not send; leave the rest out";
	put_lower(out, s, scheme + host);
	if (port && !is_own_port(s, port)) {
		buf_putc(out, ':');
		buf_int(out, port);
	}
	return NULL;
}

const char *
origin_next(const char **s, size_t *length)
{
	const char *entry = *s + strspn(*s, SEPARATORS);

	*length = strcspn(entry, SEPARATORS);
	*s = entry + *length;
	return *length ? entry : NULL;
}

void
origin_list(struct buf *out, const char *list)
{
	struct buf one = { .arena = out->arena };
	const char *entry;
	size_t length;

	buf_puts(out, "");
	while ((entry = origin_next(&list, &length))) {
		buf_reset(&one, SIZE_MAX);
		if (origin_put(&one, entry, length) || one.failed || (out->s && origin_in(out->s, one.s)))
			continue;
		if (out->length)
			buf_putc(out, ' ');
		buf_puts(out, one.s);
	}
	out->failed |= one.failed;
	buf_clear(&one);
}

bool
origin_in(const char *list, const char *origin)
{
	const size_t wanted = strlen(origin);

	for (size_t length; *(list += strspn(list, " ")); list += length) {
		length = strcspn(list, " ");
		if (length == wanted && memcmp(list, origin, length) == 0)
			return true;
	}
	return false;
}
