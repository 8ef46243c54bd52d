#include "url.h"

#include "encode.h"
#include "text.h"
#include "utf8.h"

#define UNRESERVED TEXT_ALPHA TEXT_DIGITS "-._~"
#define SUB_DELIMS "!$&'()*+,;="

/* Bytes at `s` that are unreserved, sub-delims, percent-encoded or in `more` (RFC 3986 appendix A). */
static size_t
url_run(const char *s, const char *more)
{
	size_t i = 0;

	while (text_is_among(s[i], UNRESERVED SUB_DELIMS) || text_is_among(s[i], more) || decode_percent(s + i) >= 0)
		i += s[i] == '%' ? 3 : 1;
	return i;
}

/* Length of "host" or "host:port" at `s`, or 0. A user name only serves to deceive (RFC 3986 section 7.6). */
static size_t
url_host(const char *s)
{
	size_t i, digits;

	if (*s == '[') {
		i = 1 + strspn(s + 1, TEXT_DIGITS "abcdefABCDEF:.");
		if (i < 3 || s[i] != ']')
			return 0;
		i++;
	} else {
		i = url_run(s, "");
	}
	if (i == 0 || s[i] != ':')
		return i;
	digits = strspn(s + i + 1, TEXT_DIGITS);
	return digits > 5 ? 0 : i + 1 + digits;
}

bool
url_is_good(const char *s)
{
	if (*s == '/' && s[1] == '/')
		return false;
	if (*s != '/') {
		size_t scheme = strncasecmp(s, "http://", 7) == 0 ? 7 : strncasecmp(s, "https://", 8) == 0 ? 8 : 0;
		size_t host = scheme ? url_host(s + scheme) : 0;

		if (host == 0)
			return false;
		s += scheme + host;
		if (!text_is_among(*s, "/?#"))
			return *s == '\0';
	}
	s += url_run(s, ":@/");
	if (*s == '?')
		s += 1 + url_run(s + 1, ":@/?");
	if (*s == '#')
		s += 1 + url_run(s + 1, ":@/?");
	return *s == '\0';
}

char *
url_decode(struct arena *arena, const char *s, size_t length, bool plus)
{
	char *text = arena_alloc(arena, length + 1), *out = text;

	for (size_t i = 0; i < length; i++) {
		int c = (unsigned char)s[i];

		if (c == '%') {
			c = length - i < 3 ? -1 : decode_percent(s + i);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0' || c == -1)
			return NULL;
		*out++ = (char)c;
	}
	return utf8_is_valid(text, (size_t)(out - text)) ? text : NULL;
}

void
url_hide_password(char *out, size_t room, const char *url)
{
	struct buf text = { 0 };
	const char *host = strstr(url, "://"), *end = host ? host + 3 + strcspn(host + 3, "/?") : url, *at = end;

	while (host && at > host && *at != '@')
		at--;
	const char *colon = host && at > host ? memchr(host + 3, ':', (size_t)(at - host - 3)) : NULL;
	if (colon) {
		buf_put(&text, url, (size_t)(colon + 1 - url));
		buf_puts(&text, "***");
		url = at;
	}
	for (const char *secret; (secret = strstr(url, "password=")); url = secret + strcspn(secret, "&")) {
		secret += strlen("password=");
		buf_put(&text, url, (size_t)(secret - url));
		buf_puts(&text, "***");
	}
	buf_puts(&text, url);
	snprintf(out, room, "%s", text.failed ? "" : text.s);
	buf_clear(&text);
}
