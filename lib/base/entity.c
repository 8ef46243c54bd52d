#include "entity.h"

#include "text.h"

#include <utf8proc.h>

#define NAME_MAX_BYTES 32 /* CounterClockwiseContourIntegral; */

/* One string: an array of pointers would be relocated, and not shared, by each process. */
static const char table[] =
#include "entity.def"
	;

static void
put_point(struct buf *out, unsigned long point)
{
	char utf8[4];

	if (point < 0x20 || point == 0xa0 || (point >= 0x7f && point < 0xa0))
		buf_putc(out, ' ');
	else
		buf_put(out, utf8, (size_t)utf8proc_encode_char((utf8proc_int32_t)point, (utf8proc_uint8_t *)utf8));
}

/* 0x80 to 0x9F are of Windows-1252 (HTML, "numeric character reference end state"); 0 in the table: unassigned. */
static unsigned long
windows_1252(unsigned long point)
{
	/* clang-format off */
	static const uint16_t points[0x20] = {
		0x20ac, 0, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0, 0x17d, 0,
		0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0, 0x17e, 0x178,
	};
	/* clang-format on */

	return point >= 0x80 && point < 0xa0 && points[point - 0x80] ? points[point - 0x80] : point;
}

static size_t
put_number(struct buf *out, const char *s, size_t left)
{
	char digits[10] = "";
	bool hex = left > 2 && (s[2] == 'x' || s[2] == 'X');
	size_t from = hex ? 3 : 2;

	if (left <= from)
		return 0;
	memcpy(digits, s + from, left - from < sizeof(digits) - 1 ? left - from : sizeof(digits) - 1);
	size_t length = strspn(digits, hex ? TEXT_DIGITS "abcdefABCDEF" : TEXT_DIGITS);
	if (length == 0 || length > 7)
		return 0;
	bool closed = digits[length] == ';';
	digits[length] = '\0';
	unsigned long point = strtoul(digits, NULL, hex ? 16 : 10);
	if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0;
	put_point(out, windows_1252(point));
	return from + length + closed;
}

/* Finds the line of a name by binary search; sets `*text` to what is between its tab and its LF. */
static bool
find(const char *name, size_t length, const char **text, size_t *text_length)
{
	const char *low = table, *high = table + sizeof(table) - 1;

	while (low < high) {
		const char *line = low + (high - low) / 2;
		while (line > low && line[-1] != '\n')
			line--;
		size_t name_length = strcspn(line, "\t");
		const char *tab = line + name_length, *end = tab + strcspn(tab, "\n");
		int order = memcmp(name, line, length < name_length ? length : name_length);
		if (order == 0 && length == name_length) {
			*text = tab + 1;
			*text_length = (size_t)(end - tab - 1);
			return true;
		}
		if (order < 0 || (order == 0 && length < name_length))
			high = line;
		else
			low = end + 1;
	}
	return false;
}

size_t
buf_entity(struct buf *out, const char *s, size_t left)
{
	size_t length = 0, text_length;
	const char *text;

	if (left < 3 || s[0] != '&')
		return 0;
	if (s[1] == '#')
		return put_number(out, s, left);
	while (length < left - 1 && length < NAME_MAX_BYTES && text_is_among(s[1 + length], TEXT_ALPHA TEXT_DIGITS))
		length++;
	if (length < left - 1 && s[1 + length] == ';')
		length++;
	/* The longest name wins: &notin; is one, &notit; is &not; and "it;". */
	for (; length >= 2; length--) {
		if (find(s + 1, length, &text, &text_length)) {
			buf_put(out, text, text_length);
			return 1 + length;
		}
	}
	return 0;
}
