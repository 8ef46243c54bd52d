#include "buf.h"

#include <math.h>
#include <stdarg.h>

#define ROOM_LEAST 128

static bool
buf_resize(struct buf *buf, size_t room)
{
	char *s;

	if (!buf->arena) {
		s = realloc(buf->s, room);
	} else {
		s = arena_raw(buf->arena, room);
		if (buf->s)
			memcpy(s, buf->s, buf->length + 1);
	}
	if (!s)
		return false;
	buf->s = s;
	buf->room = room;
	return true;
}

char *
buf_grow(struct buf *buf, size_t length)
{
	size_t room = buf->room ? buf->room : ROOM_LEAST / 2;

	if (length >= PTRDIFF_MAX - buf->length) {
		buf->failed = true;
		return NULL;
	}
	do
		room *= 2;
	while (room - buf->length <= length);
	if (!buf_resize(buf, room)) {
		buf->failed = true;
		return NULL;
	}
	return buf->s + buf->length;
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	size_t room = buf->room - buf->length;
	va_list args;
	char *out;
	int length;

	va_start(args, format);
	length = vsnprintf(room ? buf->s + buf->length : NULL, room, format, args);
	va_end(args);
	if (length < 0) {
		buf->failed = true;
		length = 0;
	}
	if ((size_t)length < room) {
		buf->length += (size_t)length;
		return;
	}
	out = buf_room(buf, (size_t)length);
	if (!out) {
		/* removes what vsnprintf() wrote */
		if (room)
			buf->s[buf->length] = '\0';
		return;
	}
	va_start(args, format);
	vsnprintf(out, (size_t)length + 1, format, args);
	va_end(args);
	buf->length += (size_t)length;
}

void
buf_int(struct buf *buf, int64_t number)
{
	char digits[20], *s = digits + sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	do
		*--s = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--s = '-';
	buf_put(buf, s, (size_t)(digits + sizeof(digits) - s));
}

/*
 * The fast path for prices and scores. A quotient of two integers below 2^53 is rounded like its decimal text when
 * parsed (IEEE 754-2008 sections 4.3 and 5.12.2), so the text parses to the same double; no other text of at most 15
 * digits does, so none is shorter.
 */
static bool
put_hundredths(struct buf *buf, double number)
{
	double hundredths = round(number * 100);

	if (hundredths == 0 || fabs(hundredths) >= 1e15 || hundredths / 100 != number)
		return false;
	int64_t n = (int64_t)fabs(hundredths);
	if (number < 0)
		buf_putc(buf, '-');
	buf_int(buf, n / 100);
	buf_putc(buf, '.');
	buf_putc(buf, (char)('0' + n % 100 / 10));
	if (n % 10)
		buf_putc(buf, (char)('0' + n % 10));
	return true;
}

void
buf_number(struct buf *buf, double number)
{
	char text[32];

	if (!isfinite(number)) {
		buf_putc(buf, '0');
		return;
	}
	/* Up to 2^53, a double represents every integer. */
	if (fabs(number) <= 9007199254740992.0 && number == trunc(number) && !(number == 0 && signbit(number))) {
		buf_int(buf, (int64_t)number);
		return;
	}
	if (put_hundredths(buf, number))
		return;
	/* 17 digits always suffice (IEEE 754-2008 section 5.12.2) */
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	buf_puts(buf, text);
}

void
buf_reset(struct buf *buf, size_t keep)
{
	if (keep == 0)
		buf_clear(buf);
	if (buf->room > keep && !buf->arena) {
		char *cut = realloc(buf->s, keep);

		if (cut) {
			buf->s = cut;
			buf->room = keep;
		}
	}
	buf->length = 0;
	buf->failed = false;
	if (buf->s)
		buf->s[0] = '\0';
}

void
buf_clear(struct buf *buf)
{
	if (!buf->arena)
		free(buf->s);
	*buf = (struct buf){ .arena = buf->arena };
}
