#include "text.h"

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

/* ---- what a text is */

bool
text_is_digits(const char *s)
{
	const char *start = s;

	while (text_is_digit(*s))
		s++;
	return *s == '\0' && s > start;
}

bool
text_is_key(const char *s)
{
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (const char *c = s; *c; c++)
		if (!text_is_alpha(*c) && !text_is_digit(*c) && !strchr("._-", *c))
			return false;
	return *s;
}

bool
text_is_id(const char *s)
{
	size_t i = 0;

	while (text_is_digit(s[i]) || (s[i] >= 'a' && s[i] <= 'f'))
		i++;
	return i == 24 && s[i] == '\0';
}

/* ---- reading and telling */

bool
text_to_int(const char *s, int64_t min, int64_t max, int64_t *out)
{
	const bool negative = *s == '-';
	int64_t number = 0;

	s += negative;
	if (!text_is_digits(s))
		return false;
	for (; *s; s++)
		if (__builtin_mul_overflow(number, 10, &number) || __builtin_sub_overflow(number, *s - '0', &number))
			return false;
	/* It was counted downwards, since INT64_MIN has no positive twin. */
	if (!negative && __builtin_sub_overflow(0, number, &number))
		return false;
	if (number < min || number > max)
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
