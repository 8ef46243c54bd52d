#include "url.h"

#include "encode.h"
#include "text.h"
#include "utf8.h"

#include <strings.h>

/* Bytes at `s` that are unreserved, sub-delims, percent-encoded or of `more` (RFC 3986 appendix A). */
static size_t
url_run(const char *s, const char *more)
{
	size_t i = 0;

	for (;;) {
		if (s[i] == '%' && decode_hex_digit(s[i + 1]) >= 0 && decode_hex_digit(s[i + 2]) >= 0)
			i += 3;
		else if (text_is_alpha(s[i]) || text_is_digit(s[i]) || text_is_among(s[i], "-._~!$&'()*+,;=") || text_is_among(s[i], more))
			i++;
		else
			return i;
	}
}

/* Length of "host" or "host:port" at `s`; 0 when there is no host. A user name would only deceive (RFC 3986, 7.6). */
static size_t
url_host(const char *s)
{
	size_t i, digits = 0;

	if (*s == '[') {
		i = 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
		if (i < 3 || s[i] != ']')
			return 0;
		i++;
	} else {
		i = url_run(s, "");
	}
	if (i == 0 || s[i] != ':')
		return i;
	while (text_is_digit(s[i + 1 + digits]))
		digits++;
	return digits > 5 ? 0 : i + 1 + digits;
}

bool
url_is_good(const char *s)
{
	if (*s == '/') {
		if (s[1] == '/')
			return false;
	} else {
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
		char c = s[i];

		if (c == '%') {
			if (length - i < 3 || decode_hex_digit(s[i + 1]) < 0 || decode_hex_digit(s[i + 2]) < 0)
				return NULL;
			c = (char)(decode_hex_digit(s[i + 1]) * 16 + decode_hex_digit(s[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return NULL;
		*out++ = c;
	}
	return utf8_is_valid(text, (size_t)(out - text)) ? text : NULL;
}
