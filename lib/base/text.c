#include "text.h"

#include <errno.h>
#include <stdarg.h>

void
text_unify_lines(char *s)
{
	char *out = s;

	for (; *s; s++)
		if (s[0] != '\r' || s[1] != '\n')
			*out++ = *s;
	*out = '\0';
}

void
text_lower(char *s)
{
	for (; *s; s++)
		if (*s >= 'A' && *s <= 'Z')
			*s = (char)(*s - 'A' + 'a');
}

void
text_upper(char *s)
{
	for (; *s; s++)
		if (*s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
}

bool
text_is_digits(const char *s)
{
	return *s && s[strspn(s, TEXT_DIGITS)] == '\0';
}

bool
text_is_key(const char *s)
{
	return *s && s[strspn(s, TEXT_ALPHA TEXT_DIGITS "._-")] == '\0' && strcmp(s, ".") != 0 && strcmp(s, "..") != 0;
}

bool
text_is_id(const char *s)
{
	return strspn(s, TEXT_DIGITS "abcdef") == 24 && s[24] == '\0';
}

bool
text_to_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	if (!text_is_digits(s + (*s == '-')))
		return false;
	errno = 0;
	long long number = strtoll(s, NULL, 10);
	if (errno != 0 || number < min || number > max)
		return false;
	*out = number;
	return true;
}

bool
text_complain(char *why, size_t room, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(why, room, format, list);
	va_end(list);
	return false;
}
