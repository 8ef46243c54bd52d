#include "utf8.h"

#include <utf8proc.h>

int32_t
utf8_first(const char *s, size_t left, size_t *bytes)
{
	utf8proc_int32_t point = -1;
	utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)left, &point);

	*bytes = length > 0 ? (size_t)length : 1;
	return length > 0 ? point : -1;
}

size_t
utf8_encode(int32_t point, char out[static 4])
{
	return (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)out);
}

size_t
utf8_sequence(const char *s, size_t left)
{
	size_t bytes;

	return utf8_first(s, left, &bytes) < 0 ? 0 : bytes;
}

bool
utf8_is_valid(const char *bytes, size_t length)
{
	uint64_t eight;

	for (size_t i = 0, step; i < length; i += step) {
		/* Most text is ASCII: eight bytes at once. */
		step = sizeof(eight);
		if (length - i >= step) {
			memcpy(&eight, bytes + i, step);
			if (!(eight & UINT64_C(0x8080808080808080)))
				continue;
		}
		step = utf8_sequence(bytes + i, length - i);
		if (step == 0)
			return false;
	}
	return true;
}

bool
utf8_is_control(int32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x61c || point == 0x200e || point == 0x200f ||
		(point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

void
utf8_visible(struct buf *buf, const char *s, size_t length)
{
	for (size_t i = 0, n; i < length; i += n) {
		int32_t point = utf8_first(s + i, length - i, &n);

		if (!utf8_is_control(point))
			buf_put(buf, s + i, n);
		else if (n > 1)
			buf_printf(buf, "\\u%04x", (unsigned)point);
		else
			buf_printf(buf, "\\x%02x", (unsigned char)s[i]);
	}
}

size_t
utf8_points(const char *bytes, size_t length)
{
	size_t points = 0;

	for (size_t i = 0; i < length; i++)
		points += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return points;
}

const char *
utf8_clip(struct arena *arena, const char *s, size_t points)
{
	size_t length = 0;

	if (!s || utf8_points(s, strlen(s)) <= points)
		return s;
	while (points-- > 0)
		for (length++; ((unsigned char)s[length] & 0xC0) == 0x80; length++)
			;
	return arena_copy(arena, s, length);
}

bool
utf8_is_blank(int32_t point)
{
	if (point < 0x80)
		return point == ' ' || (point >= '\t' && point <= '\r');
	int category = utf8proc_get_property(point)->category;
	return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP ||
		point == 0x85 || point == 0x2800; /* next line, and the braille pattern without dots */
}

/*
 * True for byte order mark, zero width characters, direction marks, fillers. False for what changes the character
 * before it: the tags that end the flag of England, or the selector that makes a character an emoji.
 */
static bool
is_invisible(int32_t point)
{
	const utf8proc_property_t *property = utf8proc_get_property(point);

	return property->ignorable && property->category != UTF8PROC_CATEGORY_MN && (point < 0xE0000 || point > 0xE007F);
}

/* Where the last code point of [s, s + length) begins. */
static size_t
last_point(const char *s, size_t length)
{
	size_t at = length - 1;

	while (at > 0 && length - at < 4 && ((unsigned char)s[at] & 0xC0) == 0x80)
		at--;
	return at;
}

void
utf8_trim(const char **s, size_t *length)
{
	size_t bytes;

	while (*length > 0) {
		int32_t point = utf8_first(*s, *length, &bytes);
		/* At the start there is no character that an ignorable one could change. */
		if (!utf8_is_blank(point) && !utf8proc_get_property(point)->ignorable)
			break;
		*s += bytes;
		*length -= bytes;
	}
	while (*length > 0) {
		size_t at = last_point(*s, *length);
		int32_t point = utf8_first(*s + at, *length - at, &bytes);
		if (at + bytes != *length || (!utf8_is_blank(point) && !is_invisible(point)))
			break;
		*length = at;
	}
}

void
utf8_drop_directions(char *s)
{
	char *out = s;

	for (size_t bytes; *s; s += bytes) {
		int32_t point = utf8_first(s, strnlen(s, 4), &bytes);
		if ((point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069))
			continue;
		memmove(out, s, bytes);
		out += bytes;
	}
	*out = '\0';
}

bool
utf8_has_control(const char *s, const char *but)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)s[0], next = (unsigned char)s[1];
		/* C0, DEL, and C1, which UTF-8 spells C2 80 to C2 9F */
		if (((c < 0x20 || c == 0x7F) && !strchr(but, c)) || (c == 0xC2 && next >= 0x80 && next <= 0x9F))
			return true;
	}
	return false;
}
