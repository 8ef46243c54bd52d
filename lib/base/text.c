#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <strings.h>
#include <utf8proc.h>

#define ROOM_LEAST 128

/* ---- classes of characters */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_among(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

/* The worth of a hex digit, -1 for any other character. */
static int
hex_worth(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* ---- growing buffers */

static bool
buf_resize(struct buf *buf, size_t room)
{
	char *s;

	if (!buf->arena) {
		s = realloc(buf->s, room);
	} else {
		s = arena_alloc(buf->arena, room);
		if (buf->s)
			memcpy(s, buf->s, buf->length + 1);
	}
	if (!s)
		return false;
	buf->s = s;
	buf->room = room;
	return true;
}

/* Where `length` bytes and a NUL may be written; NULL (and `failed` set) when memory is short. */
char *
buf_room(struct buf *buf, size_t length)
{
	size_t room = buf->room ? buf->room : ROOM_LEAST / 2;

	if (buf->room - buf->length > length)
		return buf->s + buf->length;
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

/* Makes what was written up to `end` part of the text. */
static void
buf_commit(struct buf *buf, char *end)
{
	*end = '\0';
	buf->length = (size_t)(end - buf->s);
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
		/* what vsnprintf() managed to write is not part of the text */
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
 * Prices and scores, without trying how many digits they need. A quotient of two integers below 2^53 is rounded as reading
 * its decimal text is (IEEE 754-2008 sections 4.3 and 5.12.2), so that text reads back as the same double; and of at most 15
 * digits no two texts do, so none is shorter.
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
	/* up to 2^53 every integer is a double of its own */
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

/*
 * Length of the run at `s` that a JSON string holds as it is: no '"', '\\' or control character. Looks at eight bytes
 * at a time; subtracting a one from each byte carries into its top bit where the byte was smaller (Bit Twiddling Hacks,
 * "Determine if a word has a byte less than n").
 */
static size_t
json_run(const char *s, size_t length)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	size_t i = 0;

	for (; length - i >= 8; i += 8) {
		uint64_t word, quote, slash;

		memcpy(&word, s + i, 8);
		quote = word ^ ones * '"';
		slash = word ^ ones * '\\';
		if ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops)
			break;
	}
	while (i < length && (unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

static char *
json_escape(char *out, char c)
{
	static const char letters[] = "btn?fr";	/* of the bytes 8 to 13; 11 has none */

	*out++ = '\\';
	if (c == '"' || c == '\\') {
		*out++ = c;
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		*out++ = letters[c - '\b'];
	} else {
		memcpy(out, "u00", 3);
		out[3] = (char)('0' + (c >> 4));
		out[4] = "0123456789abcdef"[c & 15];
		out += 5;
	}
	return out;
}

void
buf_json(struct buf *buf, const char *string, size_t length)
{
	char *out;
	size_t i = 0;

	buf_putc(buf, '"');
	while (i < length) {
		size_t run = json_run(string + i, length - i);

		buf_put(buf, string + i, run);
		i += run;
		if (i == length)
			break;
		out = buf_room(buf, sizeof("\\u0000"));
		if (!out)
			return;
		buf_commit(buf, json_escape(out, string[i++]));
	}
	buf_putc(buf, '"');
}

void
buf_hex(struct buf *buf, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	char *out = length > PTRDIFF_MAX / 2 ? NULL : buf_room(buf, length * 2);

	if (!out) {
		buf->failed = true;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		*out++ = "0123456789abcdef"[in[i] >> 4];
		*out++ = "0123456789abcdef"[in[i] & 15];
	}
	buf_commit(buf, out);
}

void
buf_html(struct buf *buf, const char *string)
{
	for (;;) {
		size_t run = strcspn(string, "&<>\"'");

		buf_put(buf, string, run);
		string += run;
		switch (*string++) {
		case '&':
			buf_puts(buf, "&amp;");
			break;
		case '<':
			buf_puts(buf, "&lt;");
			break;
		case '>':
			buf_puts(buf, "&gt;");
			break;
		case '"':
			buf_puts(buf, "&quot;");
			break;
		case '\'':
			buf_puts(buf, "&#39;");
			break;
		default:
			return;
		}
	}
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

/* ---- UTF-8 */

size_t
text_utf8_sequence(const char *bytes, size_t left)
{
	const unsigned char *s = (const unsigned char *)bytes;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (left == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (left < length)
		return 0;
	/* The second byte rules out overlong forms, surrogates and what lies above U+10FFFF (RFC 3629 section 4). */
	switch (s[0]) {
	case 0xe0:
		low = 0xa0;
		break;
	case 0xed:
		high = 0x9f;
		break;
	case 0xf0:
		low = 0x90;
		break;
	case 0xf4:
		high = 0x8f;
		break;
	}
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool
text_is_utf8(const char *bytes, size_t length)
{
	size_t i = 0;

	while (i < length) {
		uint64_t word;
		size_t step;

		if (length - i >= 8) {
			memcpy(&word, bytes + i, 8);
			if (!(word & UINT64_C(0x8080808080808080))) {
				i += 8;
				continue;
			}
		}
		step = text_utf8_sequence(bytes + i, length - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

uint32_t
text_code_point(const char *s, size_t length)
{
	const unsigned char *byte = (const unsigned char *)s;
	uint32_t point = length == 1 ? byte[0] : byte[0] & (0x7f >> length);

	for (size_t i = 1; i < length; i++)
		point = point << 6 | (byte[i] & 0x3f);
	return point;
}

bool
text_is_control(const char *s, size_t length)
{
	uint32_t point = text_code_point(s, length);

	return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x61c || point == 0x200e || point == 0x200f ||
		(point >= 0x2028 && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

void
buf_visible(struct buf *buf, const char *s, size_t length)
{
	for (size_t i = 0, n; i < length; i += n) {
		const unsigned char *at = (const unsigned char *)s + i;

		n = text_utf8_sequence(s + i, length - i);
		if (n > 0 && !text_is_control(s + i, n))
			buf_put(buf, at, n);
		else if (n > 1)
			buf_printf(buf, "\\u%04x", text_code_point(s + i, n));
		else
			buf_printf(buf, "\\x%02x", *at);
		n += n == 0;
	}
}

size_t
text_points(const char *bytes, size_t length)
{
	size_t points = 0;

	for (size_t i = 0; i < length; i++)
		points += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return points;
}

const char *
text_clip(struct arena *arena, const char *s, size_t points)
{
	size_t length = 0;

	if (!s || text_points(s, strlen(s)) <= points)
		return s;
	while (points-- > 0)
		for (length++; ((unsigned char)s[length] & 0xC0) == 0x80; length++)
			;
	return arena_copy(arena, s, length);
}

/* ---- what Unicode knows of characters */

/* The code point that [s, s + left) begins with, and its bytes; -1 and 1 where that is no well-formed UTF-8. */
static int32_t
first_point(const char *s, size_t left, size_t *bytes)
{
	utf8proc_int32_t point = -1;
	utf8proc_ssize_t length = utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)left, &point);

	*bytes = length > 0 ? (size_t)length : 1;
	return length > 0 ? point : -1;
}

static bool
is_blank(int32_t point)
{
	if (point < 0x80)
		return point >= 0 && is_space((char)point);
	switch (utf8proc_get_property(point)->category) {
	case UTF8PROC_CATEGORY_ZS:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return true;
	default:
		return point == 0x85 || point == 0x2800;	/* next line, and the braille pattern without dots */
	}
}

/*
 * Shows nothing by itself: byte order mark, zero width characters, direction marks, fillers. Not what changes the sign
 * before it: the tags that end the flag of England, or the selector that makes a sign an emoji.
 */
static bool
is_invisible(int32_t point)
{
	const utf8proc_property_t *property = utf8proc_get_property(point);

	return property->ignorable && (point < 0xE0000 || point > 0xE007F) && property->category != UTF8PROC_CATEGORY_MN;
}

/* ---- folding */

/* Letters that no decomposition takes apart, as people type them who lack the key; and signs that phones write. */
static const char *
plain_letter(int32_t point)
{
	switch (point) {
	case 0x131: return "i";		/* dotless i */
	case 0x237: return "j";
	case 0xE6: return "ae";
	case 0x153: return "oe";
	case 0xF8: return "o";
	case 0xFE: return "th";
	case 0xF0:
	case 0x111:
	case 0x257: return "d";
	case 0x127: return "h";
	case 0x142: return "l";
	case 0x14B: return "n";
	case 0x167: return "t";
	case 0x138: return "k";
	case 0x199: return "k";		/* with a hook: Hausa, as b, d and y */
	case 0x253: return "b";
	case 0x1B4: return "y";
	case 0x1B6: return "z";
	case 0x2BC:
	case 0x2018:
	case 0x2019: return "'";
	case 0x2010:
	case 0x2011:
	case 0x2013: return "-";
	default: return NULL;
	}
}

/*
 * A mark that may be left out when typing: accents, and the vowel points of Hebrew and Arabic. By its canonical
 * combining class: vowels and tones of Indic scripts and Thai, and what makes another syllable of a kana, have others.
 */
static bool
is_accent(int32_t point)
{
	unsigned class = (unsigned)utf8proc_get_property(point)->combining_class;

	return class >= 200 || class == 1 || (class >= 10 && class <= 36);
}

static void
fold_letter(struct buf *buf, int32_t letter)
{
	utf8proc_int32_t lower[4];
	int boundary = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char(letter, lower, COUNT(lower), UTF8PROC_CASEFOLD, &boundary);

	for (utf8proc_ssize_t i = 0; i < count && count <= (utf8proc_ssize_t)COUNT(lower); i++) {
		const char *plain = plain_letter(lower[i]);
		char utf8[4];

		if (plain)
			buf_puts(buf, plain);
		else
			buf_put(buf, utf8, (size_t)utf8proc_encode_char(lower[i], (utf8proc_uint8_t *)utf8));
	}
}

static void
fold_point(struct buf *buf, int32_t point)
{
	utf8proc_int32_t parts[18];	/* no compatibility decomposition is longer (U+FDFA) */
	int boundary = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char(point, parts, COUNT(parts),
		UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_IGNORE, &boundary);

	for (utf8proc_ssize_t i = 0; i < count && count <= (utf8proc_ssize_t)COUNT(parts); i++) {
		if (is_blank(parts[i]))
			buf_putc(buf, ' ');
		else if (!is_accent(parts[i]))
			fold_letter(buf, parts[i]);
	}
}

void
buf_fold(struct buf *buf, const char *s, size_t length)
{
	for (size_t i = 0, bytes = 1; i < length; i += bytes) {
		int32_t point = (unsigned char)s[i];

		bytes = 1;
		if (point >= 0x80)
			point = first_point(s + i, length - i, &bytes);
		if (point >= 0x80)
			fold_point(buf, point);
		else if (point >= 0)
			buf_putc(buf, is_space((char)point) ? ' ' : point >= 'A' && point <= 'Z' ? (char)(point | 0x20) : (char)point);
	}
}

/* ---- searching */

struct word {
	struct word *next;
	const char *s;		/* folded, not terminated */
	size_t length;
};

/* Drops from a list what `word` holds; false where one of the list holds `word`. */
static bool
adds_to(struct word **list, const struct word *word)
{
	for (struct word **link = list; *link;) {
		if (memmem((*link)->s, (*link)->length, word->s, word->length))
			return false;
		if (memmem(word->s, word->length, (*link)->s, (*link)->length))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	return true;
}

/* The words of a text, folded, in their order; not those that another holds, since it cannot be found without them. */
static struct word *
words_of(struct arena *arena, const char *s)
{
	struct word *list = NULL, **end;
	struct buf folded = { .arena = arena };

	if (s)
		buf_fold(&folded, s, strlen(s));
	for (s = folded.s; s && *(s += strspn(s, " "));) {
		struct word word = { NULL, s, strcspn(s, " ") };

		s += word.length;
		if (!adds_to(&list, &word))
			continue;
		for (end = &list; *end; end = &(*end)->next)
			;
		*end = arena_alloc(arena, sizeof(word));
		**end = word;
	}
	return list;
}

const char *
text_words(struct arena *arena, const char *s)
{
	struct buf words = { .arena = arena };

	for (const struct word *word = words_of(arena, s); word; word = word->next) {
		if (words.length)
			buf_putc(&words, ' ');
		buf_put(&words, word->s, word->length);
	}
	return words.s;
}

const char *
text_match(struct arena *arena, const char *s)
{
	struct buf match = { .arena = arena };

	for (const struct word *word = words_of(arena, s); word; word = word->next) {
		if (text_points(word->s, word->length) < 3)
			return NULL;
		buf_puts(&match, match.length ? " \"" : "\"");
		for (size_t i = 0; i < word->length; i++) {
			buf_putc(&match, word->s[i]);
			if (word->s[i] == '"')
				buf_putc(&match, '"');
		}
		buf_putc(&match, '"');
	}
	return match.s;
}

void
text_words_left(struct buf *left, const char *text, size_t length, const char *words, size_t words_length)
{
	const char *end = words + words_length;

	while (words < end) {
		const char *space = memchr(words, ' ', (size_t)(end - words));
		size_t word = (size_t)((space ? space : end) - words);

		if (!memmem(text, length, words, word)) {
			if (left->length > 0)
				buf_putc(left, ' ');
			buf_put(left, words, word);
		}
		words += word + 1;
	}
}

bool
text_has_words(const char *text, size_t length, const char *words, size_t words_length)
{
	const char *end = words + words_length;

	while (words < end) {
		const char *space = memchr(words, ' ', (size_t)(end - words));
		size_t word = (size_t)((space ? space : end) - words);

		if (!memmem(text, length, words, word))
			return false;
		words += word + 1;
	}
	return true;
}

/* ---- white space, case and control characters */

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
text_trim(const char **s, size_t *length)
{
	size_t bytes;

	while (*length > 0) {
		int32_t point = first_point(*s, *length, &bytes);
		/* before the first sign there is none to change */
		if (!is_blank(point) && !utf8proc_get_property(point)->ignorable)
			break;
		*s += bytes;
		*length -= bytes;
	}
	while (*length > 0) {
		size_t at = last_point(*s, *length);
		int32_t point = first_point(*s + at, *length - at, &bytes);
		if (at + bytes != *length || (!is_blank(point) && !is_invisible(point)))
			break;
		*length = at;
	}
}

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
text_drop_directions(char *s)
{
	char *out = s;

	for (size_t bytes; *s; s += bytes) {
		int32_t point = first_point(s, strnlen(s, 4), &bytes);
		if ((point >= 0x202A && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069))
			continue;
		memmove(out, s, bytes);
		out += bytes;
	}
	*out = '\0';
}

bool
text_has_control(const char *s, const char *but)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)s[0], next = (unsigned char)s[1];
		/* C0, DEL, and C1, which UTF-8 spells C2 80 to C2 9F */
		if (((c < 0x20 || c == 0x7F) && !strchr(but, c)) || (c == 0xC2 && next >= 0x80 && next <= 0x9F))
			return true;
	}
	return false;
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

	while (is_digit(*s))
		s++;
	return *s == '\0' && s > start;
}

bool
text_is_key(const char *s)
{
	if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		return false;
	for (const char *c = s; *c; c++)
		if (!is_alpha(*c) && !is_digit(*c) && !is_among(*c, "._-"))
			return false;
	return *s;
}

bool
text_is_id(const char *s)
{
	size_t i = 0;

	while (is_digit(s[i]) || (s[i] >= 'a' && s[i] <= 'f'))
		i++;
	return i == 24 && s[i] == '\0';
}

/* Dot-string = atext *("." atext), at most 64 bytes (RFC 5321 sections 4.1.2 and 4.5.3.1.1). Gives its length or 0. */
static size_t
local_part(const char *s)
{
	size_t i = 0, atom = 0;

	for (;; i++) {
		if (is_alpha(s[i]) || is_digit(s[i]) || is_among(s[i], "!#$%&'*+-/=?^_`{|}~"))
			atom++;
		else if (atom > 0 && s[i] == '.')
			atom = 0;
		else
			break;
	}
	return atom > 0 && i <= 64 ? i : 0;
}

/* Labels of letters, digits and inner hyphens, at most 63 bytes each (RFC 1035 section 2.3.4). */
static bool
is_domain(const char *s)
{
	for (int labels = 1;; labels++) {
		bool number = true;
		size_t i = 0;

		for (; is_alpha(s[i]) || is_digit(s[i]) || s[i] == '-'; i++)
			number = number && is_digit(s[i]);
		if (i == 0 || i > 63 || s[0] == '-' || s[i - 1] == '-')
			return false;
		if (s[i] == '\0')
			return labels >= 2 && !number;
		if (s[i] != '.')
			return false;
		s += i + 1;
	}
}

bool
text_is_email(const char *s)
{
	size_t local = local_part(s);

	return local > 0 && s[local] == '@' && is_domain(s + local + 1) && strlen(s) <= 254;
}

void
text_mailbox(char out[static EMAIL_TEXT], const char *email)
{
	size_t local = strcspn(email, "@"), tag = strcspn(email, "+"), n = 0;
	const char *domain = email + local;
	bool gmail = strcmp(domain, "@gmail.com") == 0 || strcmp(domain, "@googlemail.com") == 0;

	/* a name that begins with + has no other part */
	if (tag > 0 && tag < local)
		local = tag;
	for (size_t i = 0; i < local && n < EMAIL_TEXT - 1; i++)
		if (!gmail || email[i] != '.')
			out[n++] = email[i];
	snprintf(out + n, EMAIL_TEXT - n, "%s", gmail ? "@gmail.com" : domain);
}

/* Bytes at `s` that are unreserved, sub-delims, percent-encoded or of `more` (RFC 3986 appendix A). */
static size_t
url_run(const char *s, const char *more)
{
	size_t i = 0;

	for (;;) {
		if (s[i] == '%' && hex_worth(s[i + 1]) >= 0 && hex_worth(s[i + 2]) >= 0)
			i += 3;
		else if (is_alpha(s[i]) || is_digit(s[i]) || is_among(s[i], "-._~!$&'()*+,;=") || is_among(s[i], more))
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
	while (is_digit(s[i + 1 + digits]))
		digits++;
	return digits > 5 ? 0 : i + 1 + digits;
}

bool
text_is_url(const char *s)
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
		if (!is_among(*s, "/?#"))
			return *s == '\0';
	}
	s += url_run(s, ":@/");
	if (*s == '?')
		s += 1 + url_run(s + 1, ":@/?");
	if (*s == '#')
		s += 1 + url_run(s + 1, ":@/?");
	return *s == '\0';
}

/* ---- decoding */

char *
text_percent_decode(struct arena *arena, const char *s, size_t length, bool plus)
{
	char *text = arena_alloc(arena, length + 1), *out = text;

	for (size_t i = 0; i < length; i++) {
		char c = s[i];

		if (c == '%') {
			if (length - i < 3 || hex_worth(s[i + 1]) < 0 || hex_worth(s[i + 2]) < 0)
				return NULL;
			c = (char)(hex_worth(s[i + 1]) * 16 + hex_worth(s[i + 2]));
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		if (c == '\0')
			return NULL;
		*out++ = c;
	}
	return text_is_utf8(text, (size_t)(out - text)) ? text : NULL;
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
buf_base64url(struct buf *buf, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	char *out = length > PTRDIFF_MAX / 2 ? NULL : buf_room(buf, (length * 4 + 2) / 3);

	if (!out) {
		buf->failed = true;
		return;
	}
	for (; length > 0; in += 3) {
		size_t taken = length < 3 ? length : 3;
		uint32_t bits = 0;

		for (size_t i = 0; i < taken; i++)
			bits |= (uint32_t)in[i] << (16 - 8 * i);
		for (size_t i = 0; i <= taken; i++)
			*out++ = base64url[bits >> (18 - 6 * i) & 63];
		length -= taken;
	}
	buf_commit(buf, out);
}

static int
base64url_worth(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (is_digit(c))
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ptrdiff_t
text_base64url_decode(void *out, size_t room, const char *s, size_t length)
{
	const size_t count = length / 4 * 3 + (length % 4 > 0 ? length % 4 - 1 : 0);
	unsigned char *bytes = out;
	uint32_t bits = 0;
	int held = 0;

	if (length % 4 == 1 || count > room)
		return -1;
	for (size_t i = 0; i < length; i++) {
		int worth = base64url_worth(s[i]);

		if (worth < 0)
			return -1;
		bits = bits << 6 | (uint32_t)worth;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*bytes++ = (unsigned char)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	/* Bits left over must be zero, else several texts would decode to the same bytes (RFC 4648 section 3.5). */
	return bits == 0 ? (ptrdiff_t)count : -1;
}

bool
text_hex_decode(void *out, size_t n, const char *hex)
{
	unsigned char *bytes = out;

	for (size_t i = 0; i < n; i++) {
		int high = hex_worth(hex[2 * i]);
		int low = high < 0 ? -1 : hex_worth(hex[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = (unsigned char)(high * 16 + low);
	}
	return hex[2 * n] == '\0';
}

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
