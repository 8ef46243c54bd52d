#include "origin.h"

#include "text.h"

#define SEPARATORS " \t,"
#define LETTERS "abcdefghijklmnopqrstuvwxyz"

/* The length of a host: a name or an IPv4 address, or an IPv6 address in brackets. */
static size_t
host_length(const char *s)
{
	size_t n;

	if (*s != '[')
		return strspn(s, LETTERS TEXT_DIGITS "-._");
	n = strspn(s + 1, TEXT_DIGITS "abcdef:.");
	return n > 0 && s[n + 1] == ']' ? n + 2 : 0;
}

/* Normalizes an origin in lower case in place; the result is not longer. Returns what is wrong with it, or NULL. */
static const char *
normalize(char *s)
{
	unsigned long port = 0;
	char *at, *end;

	for (at = s; *at; at++) {
		if (*at == '*')
			return "has a * in it, which matches nothing; write each origin by itself";
		if (*at & 0x80)
			return "is not ASCII; write the name in its form xn--...";
	}
	/* RFC 3986 section 3.1 */
	at = s + (text_is_alpha(*s) ? strspn(s, LETTERS TEXT_DIGITS "+-.") : 0);
	if (at == s || strncmp(at, "://", 3) != 0)
		return "does not begin with https:// (or http://)";
	at += 3;
	if (!host_length(at))
		return "has no host name where one must be";
	end = at += host_length(at);
	if (*at == ':') {
		if (text_is_digit(at[1]))
			port = strtoul(at + 1, &end, 10);
		if (port < 1 || port > 65535)
			return "has a port that is not a number from 1 to 65535";
	}
	if (*end == '/')
		end++;
	if (*end)
		return "has more than scheme, host and port, which browsers do not send; leave the rest out";
	*at = '\0';
	if (port && port != (strncmp(s, "https:", 6) == 0 ? 443 : strncmp(s, "http:", 5) == 0 ? 80 : 0))
		snprintf(at, (size_t)(end - at) + 1, ":%lu", port);
	return NULL;
}

const char *
origin_put(struct buf *out, const char *s, size_t length)
{
	size_t before = out->length;

	buf_put(out, s, length);
	if (out->failed)
		return NULL;
	text_lower(out->s + before);
	const char *fault = normalize(out->s + before);
	if (fault)
		out->s[before] = '\0';
	out->length = before + strlen(out->s + before);
	return fault;
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
