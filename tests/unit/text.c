#include "text.h"
#include "unit.h"

#include <math.h>
#include <utf8proc.h>

/* A text that may hold NUL bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/* ---- growing buffers */

static void
buffers_grow_with_and_without_an_arena(void **state)
{
	struct arena *arena = arena_new(64);

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct buf buf = { .arena = kind ? arena : NULL };

		for (int i = 0; i < 10000; i++) {
			buf_putc(&buf, (char)('a' + i % 26));
			assert_int_equal(buf.s[buf.length], '\0');
		}
		assert_int_equal(buf.length, 10000);
		assert_true(buf.room > buf.length && buf.room <= 32768);
		for (int i = 0; i < 10000; i++)
			assert_int_equal(buf.s[i], 'a' + i % 26);
		assert_false(buf.failed);
		buf_clear(&buf);
		assert_null(buf.s);
		assert_int_equal(buf.length + buf.room, 0);
	}
	arena_free(arena);
}

static void
a_failed_growth_is_remembered(void **state)
{
	/* volatile: the compiler would see that such a length is absurd, and refuse it */
	volatile size_t half = PTRDIFF_MAX / 2, nearly_all = SIZE_MAX - 2;
	struct buf buf = { 0 };

	(void)state;
	buf_puts(&buf, "kept");
	/* no such amount of memory, and nothing is read before that is known */
	buf_put(&buf, "x", half);
	assert_true(buf.failed);
	assert_string_equal(buf.s, "kept");
	buf_put(&buf, "x", nearly_all);
	buf_hex(&buf, "x", SIZE_MAX / 2 + 2);
	buf_base64url(&buf, "x", SIZE_MAX / 4 * 3);
	assert_string_equal(buf.s, "kept");
	buf_reset(&buf, 1024);
	assert_false(buf.failed);
	buf_clear(&buf);
}

static void
a_failed_growth_in_an_arena_jumps(void **state)
{
	volatile size_t half = PTRDIFF_MAX / 2;
	struct arena *arena = arena_new(1024);
	struct buf buf = { .arena = arena };
	jmp_buf where;

	(void)state;
	assert_non_null(arena);
	if (setjmp(where) == 0) {
		arena_on_exhausted(arena, &where);
		buf_put(&buf, "x", half);
		fail_msg("went on with half a text");
	}
	arena_free(arena);
}

static void
reset_keeps_no_more_than_asked(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_putc(&buf, 'x');
	buf_reset(&buf, 4096);
	assert_int_equal(buf.room, 4096);
	assert_int_equal(buf.length, 0);
	assert_string_equal(buf.s, "");
	buf_puts(&buf, "again");
	assert_string_equal(buf.s, "again");
	buf_reset(&buf, 8192);
	assert_int_equal(buf.room, 4096);
	buf_reset(&buf, 0);
	assert_null(buf.s);
	buf_clear(&buf);
}

static void
printf_writes_short_and_long(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_printf(&buf, "%s=%d;", "a", 1);
	buf_printf(&buf, "%300d", 7);
	buf_printf(&buf, "%s", "");
	buf_puts(&buf, "!");
	assert_int_equal(buf.length, 4 + 300 + 1);
	assert_int_equal(strncmp(buf.s, "a=1;   ", 7), 0);
	assert_string_equal(buf.s + 300, "   7!");
	buf_clear(&buf);
	/* one that fills the room to the last byte */
	for (int width = 120; width < 135; width++) {
		buf_printf(&buf, "%*d", width, 5);
		assert_int_equal(strlen(buf.s), width);
		buf_clear(&buf);
	}
}

static void
integers_are_written(void **state)
{
	static const struct { int64_t number; const char *text; } cases[] = {
		{ 0, "0" }, { 7, "7" }, { -1, "-1" }, { 1234567890, "1234567890" },
		{ INT64_MAX, "9223372036854775807" }, { INT64_MIN, "-9223372036854775808" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf buf = { 0 };

		buf_int(&buf, cases[i].number);
		assert_string_equal(buf.s, cases[i].text);
		buf_clear(&buf);
	}
}

static void
numbers_are_as_short_as_can_be(void **state)
{
	static const struct { double number; const char *text; } cases[] = {
		{ 0, "0" }, { -0.0, "-0" }, { 1, "1" }, { -3, "-3" }, { 0.1, "0.1" }, { 66.67, "66.67" },
		{ 1e21, "1e+21" }, { 9007199254740991.0, "9007199254740991" },
		{ 9007199254740992.0, "9007199254740992" }, { 0.1 + 0.2, "0.30000000000000004" },
		{ 1.0 / 3, "0.3333333333333333" }, { 5e-324, "5e-324" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" }, { 123456789.125, "123456789.125" },
		{ INFINITY, "0" }, { -INFINITY, "0" }, { NAN, "0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf buf = { 0 };

		buf_number(&buf, cases[i].number);
		assert_string_equal(buf.s, cases[i].text);
		buf_clear(&buf);
	}
}

/* Those that are written by a shorter way, against what printf() needs to be read back, and their neighbours. */
static void
numbers_with_two_decimals_are_like_all_others(void **state)
{
	uint64_t chance = 88172645463325252;

	(void)state;
	for (int i = 0; i < 30000; i++) {
		chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;	/* xorshift (Marsaglia 2003) */
		double price = (double)(int64_t)(chance >> (14 + i % 50)) / (i % 2 ? 100 : -100);
		const double numbers[] = { price, nextafter(price, INFINITY), nextafter(price, -INFINITY) };

		for (size_t n = 0; n < COUNT(numbers); n++) {
			struct buf buf = { 0 };
			char text[32] = "";

			for (int digits = 1; digits <= 17 && strtod(text, NULL) != numbers[n]; digits++)
				snprintf(text, sizeof(text), "%.*g", digits, numbers[n]);
			buf_number(&buf, numbers[n]);
			check(strtod(buf.s, NULL) == numbers[n], text);
			if (numbers[n] != trunc(numbers[n]))
				assert_string_equal(buf.s, text);
			buf_clear(&buf);
		}
	}
}

static void
json_strings_are_escaped(void **state)
{
	static const struct { const char *text; size_t length; const char *json; } cases[] = {
		{ BYTES(""), "\"\"" },
		{ BYTES("plain"), "\"plain\"" },
		{ BYTES("a \"quoted\" word"), "\"a \\\"quoted\\\" word\"" },
		{ BYTES("back\\slash"), "\"back\\\\slash\"" },
		{ BYTES("\b\t\n\v\f\r"), "\"\\b\\t\\n\\u000b\\f\\r\"" },
		{ BYTES("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ BYTES("Günaydın 😀 / </script>"), "\"Günaydın 😀 / </script>\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf buf = { 0 };

		buf_json(&buf, cases[i].text, cases[i].length);
		assert_string_equal(buf.s, cases[i].json);
		buf_clear(&buf);
	}
}

/* The fast look at eight bytes at a time must see each special byte in each place of a word. */
static void
json_escapes_are_seen_in_every_place(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		for (size_t at = 0; at < 24; at++) {
			char text[24];
			struct buf buf = { 0 };
			bool escaped = byte < 0x20 || byte == '"' || byte == '\\';

			memset(text, 'x', sizeof(text));
			text[at] = (char)byte;
			buf_json(&buf, text, sizeof(text));
			assert_int_equal(buf.length > 26, escaped);
			assert_int_equal(buf.s[1 + at], escaped ? '\\' : (char)byte);
			buf_clear(&buf);
		}
	}
}

static void
html_is_escaped(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	buf_html(&buf, "<a href=\"x\">Tom & 'Ayşe'</a>");
	assert_string_equal(buf.s, "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Ayşe&#39;&lt;/a&gt;");
	buf_clear(&buf);
}

/* ---- UTF-8 */

static void
utf8_is_told_from_other_bytes(void **state)
{
	static const struct { const char *text; size_t length; bool good; } cases[] = {
		{ BYTES(""), true }, { BYTES("plain ascii, longer than a word"), true }, { BYTES("\0"), true },
		{ BYTES("şğıİçöü"), true }, { BYTES("\xc2\x80"), true }, { BYTES("\xdf\xbf"), true },
		{ BYTES("\xe0\xa0\x80"), true }, { BYTES("\xed\x9f\xbf"), true }, { BYTES("\xee\x80\x80"), true },
		{ BYTES("\xef\xbf\xbf"), true }, { BYTES("\xf0\x90\x80\x80"), true },
		{ BYTES("\xf4\x8f\xbf\xbf"), true },
		/* a continuation without a beginning, a beginning without continuation */
		{ BYTES("\x80"), false }, { BYTES("\xbf"), false }, { BYTES("\xc3"), false },
		{ BYTES("\xe2\x82"), false }, { BYTES("\xf0\x9f\x98"), false }, { BYTES("\xc3("), false },
		{ BYTES("\xe2(\xa1"), false }, { BYTES("\xe2\x82("), false }, { BYTES("\xf0(\x8c\xbc"), false },
		{ BYTES("\xf0\x90(\xbc"), false }, { BYTES("\xf0\x90\x8c("), false },
		/* overlong: more bytes than the code point needs */
		{ BYTES("\xc0\x80"), false }, { BYTES("\xc0\xaf"), false }, { BYTES("\xc1\xbf"), false },
		{ BYTES("\xe0\x80\xaf"), false }, { BYTES("\xe0\x9f\xbf"), false },
		{ BYTES("\xf0\x80\x80\xaf"), false }, { BYTES("\xf0\x8f\xbf\xbf"), false },
		/* surrogates, above U+10FFFF, lengths that ended with RFC 2279 */
		{ BYTES("\xed\xa0\x80"), false }, { BYTES("\xed\xbf\xbf"), false },
		{ BYTES("\xf4\x90\x80\x80"), false }, { BYTES("\xf5\x80\x80\x80"), false },
		{ BYTES("\xf8\x88\x80\x80\x80"), false }, { BYTES("\xfc\x84\x80\x80\x80\x80"), false },
		{ BYTES("\xfe"), false }, { BYTES("\xff"), false }, { BYTES("eight ok" "eight ok" "\xff"), false },
		{ BYTES("eight ok" "\xff" "eight ok"), false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (text_is_utf8(cases[i].text, cases[i].length) != cases[i].good)
			fail_msg("case %zu", i);
}

/* Every code point is good, its bytes are one sequence, and each of its beginnings is none. */
static void
every_code_point_is_utf8(void **state)
{
	(void)state;
	for (unsigned point = 0; point < 0x110000; point += point < 0x3000 ? 1 : 61) {
		unsigned char s[4];
		size_t length;

		if (point < 0x80) {
			s[0] = (unsigned char)point;
			length = 1;
		} else if (point < 0x800) {
			s[0] = (unsigned char)(0xc0 | point >> 6);
			length = 2;
		} else if (point < 0x10000) {
			s[0] = (unsigned char)(0xe0 | point >> 12);
			length = 3;
		} else {
			s[0] = (unsigned char)(0xf0 | point >> 18);
			length = 4;
		}
		for (size_t i = 1; i < length; i++)
			s[i] = (unsigned char)(0x80 | (point >> 6 * (length - 1 - i) & 63));
		if (point >= 0xd800 && point < 0xe000)
			length = 0;
		assert_int_equal(text_utf8_sequence((char *)s, 4), length);
		for (size_t cut = 0; cut < length; cut++)
			assert_int_equal(text_utf8_sequence((char *)s, cut), 0);
	}
}

static void
points_are_counted(void **state)
{
	(void)state;
	assert_int_equal(text_points(BYTES("")), 0);
	assert_int_equal(text_points(BYTES("abc")), 3);
	assert_int_equal(text_points(BYTES("şeker")), 5);
	assert_int_equal(text_points(BYTES("😀a\xed\x9f\xbf")), 3);
}

static void
texts_are_clipped_between_points(void **state)
{
	struct arena *arena = arena_new(256);
	const char *text = "aş😀b";

	(void)state;
	assert_string_equal(text_clip(arena, text, 0), "");
	assert_string_equal(text_clip(arena, text, 1), "a");
	assert_string_equal(text_clip(arena, text, 2), "aş");
	assert_string_equal(text_clip(arena, text, 3), "aş😀");
	assert_ptr_equal(text_clip(arena, text, 4), text);
	assert_ptr_equal(text_clip(arena, text, 99), text);
	assert_null(text_clip(arena, NULL, 3));
	arena_free(arena);
}

/* The folded text, malloc'd. */
static char *
folded(const char *text)
{
	struct buf buf = { 0 };

	buf_puts(&buf, "");
	buf_fold(&buf, text, strlen(text));
	return buf.s;
}

static void
texts_are_folded_for_search(void **state)
{
	static const struct { const char *text, *folded; } cases[] = {
		{ "", "" }, { "Plain ASCII 09 [@`{", "plain ascii 09 [@`{" }, { "Iİıi", "iiii" }, { "Isparta ISPARTA", "isparta isparta" },
		{ "ŞşĞğÜüÖöÇç", "ssgguuoocc" }, { "Straße STRASSE", "strasse strasse" }, { "\xe1\xba\x9e", "ss" },
		{ "Ñandú Ángel", "nandu angel" }, { "ÆæŒœ", "aeaeoeoe" }, { "e\xcc\x81" "a", "ea" }, { "ΕΛΛ", "ελλ" },
		{ "МОСКВА Ёж", "москва еж" }, { "日本 😀", "日本 😀" }, { "a\xc3", "a" }, { "a\xc3\xff" "b", "ab" },
		/* Azerbaijani, Romanian with comma and cedilla, Polish, Czech, Croatian, Icelandic, Danish, Maltese, Hausa */
		{ "Əliyev ƏLİYEV əliyev", "əliyev əliyev əliyev" }, { "Șerban ŞERBAN Țurcanu Ţ", "serban serban turcanu t" },
		{ "Łódź ŻÓŁĆ", "lodz zolc" }, { "ČŘĎŤŇŮ", "crdtnu" }, { "Đorđe", "dorde" }, { "Þór Ðað", "thor dad" },
		{ "Søren Ågård", "soren agard" }, { "Ħamrun", "hamrun" }, { "Ɗanladi Ƙofar Ɓ Ƴ", "danladi kofar b y" },
		/* Vietnamese, as one character and as several */
		{ "Nguyễn NGUYỄN Đặng Thị Ướt", "nguyen nguyen dang thi uot" }, { "Nguye\u0302\u0303n", "nguyen" },
		/* Greek with accents, final sigma, and the breathings and the iota of old texts */
		{ "Οδυσσέας ΟΔΥΣΣΕΑΣ", "οδυσσεασ οδυσσεασ" }, { "Ϊΰ ϊ", "ιυ ι" }, { "ᾳ ᾼ Ἀθῆναι", "α α αθηναι" },
		/* Cyrillic of Ukraine, Serbia, Kazakhstan; Armenian, Georgian, Cherokee's two cases */
		{ "Її Ґ Є Ў", "іі ґ є у" }, { "ЂЋЉЊЏ", "ђћљњџ" }, { "ӘҒҚҢӨҰҮҺ", "әғқңөұүһ" }, { "ԵՐԵՎԱՆ", "երեվան" },
		{ "ՍԵՎ և", "սեվ եւ" }, { "Თბილისი", "თბილისი" },
		/* forms of one letter, wide letters, ligatures, signs */
		{ "ﬁﬀ ＡＢｃ Ⅷ", "fiff abc viii" }, { "O’Neil O‘Neil Oʼ", "o'neil o'neil o'" }, { "a\u2011b", "a-b" },
		/* where a mark is no accent: kana, Devanagari, Thai */
		{ "が", "か\u3099" }, { "कि", "कि" }, { "ที่", "ที่" }, { "שָׁלוֹם", "שלום" }, { "مُحَمَّد", "محمد" },
		/* white space, and what is invisible */
		{ "a\u00a0b\u3000c\u2028d\te\xc2\x85" "f", "a b c d e f" }, { "a\u200bb\ufeff\u00adc\u200dd", "abcd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *found = folded(cases[i].text);

		check(strcmp(found, cases[i].folded) == 0, cases[i].text);
		free(found);
	}
}

static size_t
put_point(char *out, int32_t point)
{
	size_t length = (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)out);

	out[length] = '\0';
	return length;
}

/* True where two characters are one for a search. */
static bool
folds_alike(int32_t a, int32_t b)
{
	char texts[2][5], *forms[2];

	put_point(texts[0], a);
	put_point(texts[1], b);
	forms[0] = folded(texts[0]);
	forms[1] = folded(texts[1]);
	bool alike = strcmp(forms[0], forms[1]) == 0;
	free(forms[0]);
	free(forms[1]);
	return alike;
}

static void
every_letter_is_found_in_either_case(void **state)
{
	(void)state;
	for (int32_t point = 0; point <= 0x10FFFF; point++) {
		char name[16];

		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		snprintf(name, sizeof(name), "U+%04X", (unsigned)point);
		check(folds_alike(point, utf8proc_tolower(point)), name);
		/* but for the iota that is written below a letter, an accent, whose capital is a letter */
		check(point == 0x345 || folds_alike(point, utf8proc_toupper(point)), name);
	}
}

static void
what_is_folded_stays_so(void **state)
{
	(void)state;
	for (int32_t point = 1; point <= 0x10FFFF; point++) {
		char text[5], name[16], *once, *twice;

		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		put_point(text, point);
		once = folded(text);
		twice = folded(once);
		snprintf(name, sizeof(name), "U+%04X", (unsigned)point);
		check(strcmp(once, twice) == 0 && text_is_utf8(once, strlen(once)), name);
		free(once);
		free(twice);
	}
}

static void
the_words_of_a_search(void **state)
{
	static const struct { const char *text, *words, *match; } cases[] = {
		{ NULL, NULL, NULL }, { "", NULL, NULL }, { " \t\r\n ", NULL, NULL }, { "\u0301", NULL, NULL }, { "\u200b", NULL, NULL },
		{ "a", "a", NULL }, { " Ömer\tÇELİK \n", "omer celik", "\"omer\" \"celik\"" },
		{ "Straße", "strasse", "\"strasse\"" }, { "a  b a", "a b", NULL },
		{ "abc de", "abc de", NULL }, { "日本語", "日本語", "\"日本語\"" }, { "日本", "日本", NULL },
		{ "d\"Arc \\", "d\"arc \\", NULL }, { "d\"Arc", "d\"arc", "\"d\"\"arc\"" },
		{ "abc OR def*", "abc or def*", NULL }, { "abc NOT", "abc not", "\"abc\" \"not\"" },
		{ "a\u00a0b", "a b", NULL }, { "Ömer omer ÖMER", "omer", "\"omer\"" },
		/* what another holds is found with it */
		{ "a ankara ank kara x", "ankara x", NULL }, { "an ank ankara", "ankara", "\"ankara\"" }, { "ab ba aba", "aba", "\"aba\"" },
		{ "x ab y abc", "x y abc", NULL },
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *words = text_words(arena, cases[i].text);
		const char *match = text_match(arena, cases[i].text), *name = cases[i].text ? cases[i].text : "NULL";
		check(cases[i].words ? words && strcmp(words, cases[i].words) == 0 : !words, name);
		check(cases[i].match ? match && strcmp(match, cases[i].match) == 0 : !match, name);
	}
	arena_free(arena);
}

static void
words_are_found_in_a_text(void **state)
{
	static const struct { const char *text, *words; bool found; } cases[] = {
		{ "ada lovelace", "ada", true }, { "ada lovelace", "a", true }, { "ada lovelace", "love da", true },
		{ "ada lovelace", "da love x", false }, { "ada lovelace", "lovelaces", false }, { "ada lovelace", "a l", true },
		{ "", "a", false }, { "a", "", true }, { "50%_off", "%_", true }, { "50% off", "%_", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(text_has_words(cases[i].text, strlen(cases[i].text), cases[i].words, strlen(cases[i].words)) ==
			cases[i].found, cases[i].words);
}

static void
words_that_are_not_in_a_text_are_left(void **state)
{
	static const struct { const char *text, *words, *left; } cases[] = {
		{ "ada lovelace", "ada", "" }, { "ada lovelace", "x", "x" }, { "ada lovelace", "x love y", "x y" },
		{ "", "a b", "a b" }, { "b", "a b c", "a c" }, { "a", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf left = { 0 };

		buf_puts(&left, "");
		text_words_left(&left, cases[i].text, strlen(cases[i].text), cases[i].words, strlen(cases[i].words));
		check(strcmp(left.s, cases[i].left) == 0, cases[i].words);
		buf_clear(&left);
	}
}

static void
white_space_is_trimmed(void **state)
{
	static const struct { const char *text, *trimmed; } cases[] = {
		{ "", "" }, { " ", "" }, { " \t\n\v\f\r", "" }, { "a", "a" }, { "  a b\t", "a b" }, { "\n a", "a" },
		{ "a ", "a" }, { "\x1f" "a\x1f", "\x1f" "a\x1f" },
		/* White_Space of Unicode's PropList.txt, all of it */
		{ "\xc2\x85" "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
			"a\xc2\x85" "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000", "a" },
		/* zero width, byte order mark, direction, soft hyphen, fillers */
		{ "\ufeff\u200b\u200c\u200d\u2060\u200e\u200f\u202a\u2066\u00ad\u3164\uffa0\u2800\u180e" "a b\ufeff\u200b \u2060\u202c\u2069", "a b" },
		{ "\u200b \u3164", "" }, { "a\u200bb", "a\u200bb" }, { "\ufe0f", "" }, { "\ufe0f \u034f" "a", "a" },
		/* a heart that is red, the flag of England, an accent */
		{ " \u2764\ufe0f ", "\u2764\ufe0f" }, { "a\u0301 ", "a\u0301" },
		{ "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F\n",
			"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F" },
		/* no UTF-8 */
		{ " \xff ", "\xff" }, { "\x80", "\x80" }, { "a\xe2\x80", "a\xe2\x80" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *s = cases[i].text;
		size_t length = strlen(s);

		text_trim(&s, &length);
		check(length == strlen(cases[i].trimmed) && memcmp(s, cases[i].trimmed, length) == 0, cases[i].text);
	}
}

static void
control_characters_are_found(void **state)
{
	/* what is kept of one line and of several; NULL: refused */
	static const struct { const char *text, *line, *lines; } cases[] = {
		{ "", "", "" }, { "Ayşe", "Ayşe", "Ayşe" }, { "a\tb", NULL, "a\tb" }, { "a\nb", NULL, "a\nb" },
		{ "a\r\nb\r\n\r\nc", NULL, "a\nb\n\nc" }, { "a\rb", NULL, NULL }, { "a\r\r\nb", NULL, NULL }, { "a\r", NULL, NULL },
		{ "a\x1b[31mb", NULL, NULL }, { "a\x01", NULL, NULL }, { "\x1f" "a", NULL, NULL }, { "a\x7f", NULL, NULL },
		{ "a\xc2\x80" "", NULL, NULL }, { "a\xc2\x9b" "31m", NULL, NULL }, { "\xc2\x85" "", NULL, NULL }, { "a\v", NULL, NULL }, { "a\f", NULL, NULL },
		{ "\u00a0", "\u00a0", "\u00a0" }, { "À", "À", "À" }, { "😀", "😀", "😀" }, { "a\u200db", "a\u200db", "a\u200db" },
		{ "evil\u202etxt.exe", "eviltxt.exe", "evil\u202etxt.exe" }, { "\u2068Ali\u2069 \u2068Veli\u2069", "Ali Veli",
			"\u2068Ali\u2069 \u2068Veli\u2069" },
		{ "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "",
			"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" },
		{ "a\u200eb\u200f", "a\u200eb\u200f", "a\u200eb\u200f" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int lines = 0; lines < 2; lines++) {
			const char *kept = lines ? cases[i].lines : cases[i].line;
			char *s = strdup(cases[i].text);

			lines ? text_unify_lines(s) : text_drop_directions(s);
			bool good = !text_has_control(s, lines ? "\t\n" : "");
			check(good == (kept != NULL) && (!kept || strcmp(s, kept) == 0), cases[i].text);
			free(s);
		}
	}
}

static void
only_ascii_letters_are_folded(void **state)
{
	char text[] = "AZ az @[ `{ İŞÖ 09";

	(void)state;
	text_lower(text);
	assert_string_equal(text, "az az @[ `{ İŞÖ 09");
	text_upper(text);
	assert_string_equal(text, "AZ AZ @[ `{ İŞÖ 09");
}

/* ---- what a text is */

static void
digits_and_ids(void **state)
{
	(void)state;
	assert_true(text_is_digits("0") && text_is_digits("0123456789"));
	assert_false(text_is_digits("") || text_is_digits("1 ") || text_is_digits("-1") || text_is_digits("1a"));
	assert_false(text_is_digits("/") || text_is_digits(":") || text_is_digits("٣"));
	assert_true(text_is_key("a") && text_is_key("AZaz09._-") && text_is_key("...") && text_is_key("-"));
	for (const char *const *bad = (const char *const[]){ "", ".", "..", "a b", "a/b", "\xc3\xa7", "a\n", "a@", "[", "`", "{", ":", NULL };
	     *bad; bad++)
		check(!text_is_key(*bad), *bad);
	assert_true(text_is_id("0123456789abcdef01234567"));
	assert_false(text_is_id("0123456789abcdef0123456"));
	assert_false(text_is_id("0123456789abcdef012345678"));
	assert_false(text_is_id("0123456789abcdef01234567g"));
	assert_false(text_is_id("0123456789ABCDEF01234567"));
	assert_false(text_is_id("0123456789abcdeg01234567"));
	assert_false(text_is_id(""));
}

#define A10 "aaaaaaaaaa"
#define A60 A10 A10 A10 A10 A10 A10
#define LABEL63 A60 "aaa"

static void
addresses(void **state)
{
	static const char *const good[] = {
		"a@b.co", "user@example.com", "User.Name+tag@Example.COM", "x_y-z@sub.domain.example",
		"o'brien@example.ie", "!#$%&'*+-/=?^_`{|}~@example.org", "1@2.de", "a@xn--mnchen-3ya.de",
		"a@b-c.d-e.fr", "a@1.2.3.c4", A60 "aaaa@example.com", "a@" LABEL63 ".com",
		A60 "@" LABEL63 "." LABEL63 "." A60 "aaa.a",
	};
	static const char *const bad[] = {
		"", "@", "a", "a@", "@b.co", "a@b", "a@b.", "a@.b", "a@b..co", "a@b.co.", ".a@b.co", "a.@b.co",
		"a..b@c.de", "a b@c.de", " a@b.co", "a@b.co ", "a@b.co\n", "a@b.co\r\nBcc: x@y.de", "a@b@c.de",
		"a\tb@c.de", "\"quoted\"@example.com", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@192.0.2.1",
		"a@-b.co", "a@b-.co", "a@b.-co", "a@b_c.de", "a@b,c.de", "a,b@c.de", "<a@b.co>", "Name <a@b.co>",
		"a(b)@c.de", "a;b@c.de", "a:b@c.de", "a\\b@c.de", "ü@example.com", "a@bücher.de", "a@b.co\x7f",
		"a@b.123", "mailto:a@b.co?x@y", A60 "aaaaa@example.com", "a@" LABEL63 "a.com",
		A60 "@" LABEL63 "." LABEL63 "." A60 "aaa.aa",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check(text_is_email(good[i]), good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		check(!text_is_email(bad[i]), bad[i]);
	assert_int_equal(strlen(good[COUNT(good) - 1]), 254);
	assert_int_equal(strlen(bad[COUNT(bad) - 1]), 255);
}

static void
addresses_of_one_mailbox(void **state)
{
	static const struct { const char *email, *mailbox; } cases[] = {
		{ "ada@example.com", "ada@example.com" }, { "ada+1@example.com", "ada@example.com" },
		{ "ada+a+b@example.com", "ada@example.com" }, { "ada+@example.com", "ada@example.com" },
		{ "a.d.a@example.com", "a.d.a@example.com" }, { "ada-1@example.com", "ada-1@example.com" },
		{ "+ada@example.com", "+ada@example.com" }, { "ada@gmail.com", "ada@gmail.com" },
		{ "a.d.a@gmail.com", "ada@gmail.com" }, { "a.da+x.y@gmail.com", "ada@gmail.com" },
		{ "a.da@googlemail.com", "ada@gmail.com" }, { "ada@googlemail.com.tr", "ada@googlemail.com.tr" },
		{ "a.da@mail.gmail.com", "a.da@mail.gmail.com" }, { "", "" },
	};
	char mailbox[EMAIL_TEXT], longest[300];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		text_mailbox(mailbox, cases[i].email);
		if (strcmp(mailbox, cases[i].mailbox) != 0)
			fail_msg("%s: %s instead of %s", cases[i].email, mailbox, cases[i].mailbox);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	text_mailbox(mailbox, longest);
	assert_int_equal(strlen(mailbox), EMAIL_TEXT - 1);
}

static void
urls(void **state)
{
	static const char *const good[] = {
		"http://example.com", "https://example.com/", "HTTPS://Example.com:8443/a/b?c=d&e=/?#f", "http://a?b",
		"http://a#b", "http://192.0.2.1/", "http://[2001:db8::1]:80/x", "https://example.com/%C3%BC",
		"http://localhost:8080", "/", "/storage/abc.png", "/a?b=c#d", "/a//b", "/a:b@c",
		"http://example.com:/",
	};
	static const char *const bad[] = {
		"", "a", "example.com", "//example.com", "///", "http:", "http:/a", "http://", "http:///a",
		"http://?a", "https://:80/", "ftp://example.com/", "javascript:alert(1)", "data:text/html,x",
		" http://a", "http://a b", "http://a/ b", "http://user@example.com/", "http://user:pw@example.com/",
		"http://a/\"", "http://a/<b>", "/\\example.com", "/a\\b", "/a b", "/a\nb", "/%", "/%4", "/%4g",
		"/%zz", "http://a:123456/", "http://a:8x/", "http://[::1", "http://[]/", "http://[zz::1]/",
		"http://a/ü", "/{id}", "/a|b", "/a^b", "/a`b", "/a#b#c", "httpx://a", "http//a",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check(text_is_url(good[i]), good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		check(!text_is_url(bad[i]), bad[i]);
}

/* ---- decoding */

static void
percent_decoding(void **state)
{
	static const struct { const char *text; size_t length; bool plus; const char *decoded; } cases[] = {
		{ BYTES(""), false, "" }, { BYTES("abc"), false, "abc" }, { BYTES("a%20b"), false, "a b" },
		{ BYTES("a+b"), false, "a+b" }, { BYTES("a+b%2B"), true, "a b+" }, { BYTES("%41%5a%7e"), false, "AZ~" },
		{ BYTES("%c3%BC"), false, "ü" }, { BYTES("%F0%9F%98%80"), false, "😀" }, { BYTES("ü"), false, "ü" },
		{ BYTES("%2e%2E%2f"), false, "../" }, { BYTES("%2541"), false, "%41" }, { BYTES("%25"), false, "%" },
		{ BYTES("%"), false, NULL }, { BYTES("%4"), false, NULL }, { BYTES("a%"), false, NULL },
		{ BYTES("%g1"), false, NULL }, { BYTES("%1g"), false, NULL }, { BYTES("% 41"), false, NULL },
		{ BYTES("%+1"), true, NULL }, { BYTES("%-1"), false, NULL }, { BYTES("%%41"), false, NULL },
		{ BYTES("%u0041"), false, NULL }, { BYTES("%00"), false, NULL }, { BYTES("a%00b"), false, NULL },
		{ BYTES("a\0b"), false, NULL }, { BYTES("%ff"), false, NULL }, { BYTES("%c3"), false, NULL },
		{ BYTES("\xc3"), false, NULL }, { BYTES("%c0%af"), false, NULL }, { BYTES("%ed%a0%80"), false, NULL },
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *decoded = text_percent_decode(arena, cases[i].text, cases[i].length, cases[i].plus);

		check(!decoded == !cases[i].decoded, cases[i].text);
		if (decoded)
			assert_string_equal(decoded, cases[i].decoded);
	}
	/* the length is what counts, not a NUL behind */
	assert_string_equal(text_percent_decode(arena, "a%20b", 4, false), "a ");
	assert_null(text_percent_decode(arena, "a%20b", 3, false));
	arena_free(arena);
}

static void
base64url_goes_there_and_back(void **state)
{
	/* RFC 4648 section 10, and the two characters in which base64url differs */
	static const struct { const char *bytes, *text; } cases[] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "-_-_" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf buf = { 0 };
		char bytes[16];
		size_t length = strlen(cases[i].bytes);

		buf_base64url(&buf, cases[i].bytes, length);
		assert_string_equal(buf.s, cases[i].text);
		assert_int_equal(text_base64url_decode(bytes, sizeof(bytes), buf.s, buf.length), length);
		assert_memory_equal(bytes, cases[i].bytes, length);
		if (length > 0)
			assert_int_equal(text_base64url_decode(bytes, length - 1, buf.s, buf.length), -1);
		buf_clear(&buf);
	}
}

static void
malformed_base64url_is_refused(void **state)
{
	static const char *const bad[] = {
		"A", "AAAAA", "Zg==", "Zg=", "Zm8=", "Zh", "Zn", "Zm9", "Zm+v", "Zm/v", "Zm 9v", "Zm9v\n", "Zm.v",
		"Zm\xc3v", "****",
	};
	char bytes[16];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		check(text_base64url_decode(bytes, sizeof(bytes), bad[i], strlen(bad[i])) == -1, bad[i]);
}

static void
hex_goes_there_and_back(void **state)
{
	struct buf buf = { 0 };
	unsigned char bytes[4] = { 0 };

	(void)state;
	buf_hex(&buf, "\x00\x9a\xff\x10", 4);
	assert_string_equal(buf.s, "009aff10");
	assert_true(text_hex_decode(bytes, 4, buf.s));
	assert_memory_equal(bytes, "\x00\x9a\xff\x10", 4);
	assert_true(text_hex_decode(bytes, 2, "Ab9F"));
	assert_memory_equal(bytes, "\xab\x9f", 2);
	assert_false(text_hex_decode(bytes, 2, "") || text_hex_decode(bytes, 2, "ab9"));
	assert_false(text_hex_decode(bytes, 2, "ab9f0") || text_hex_decode(bytes, 2, "ab9g"));
	assert_false(text_hex_decode(bytes, 2, "ab 9f") || text_hex_decode(bytes, 2, "zb9f"));
	assert_true(text_hex_decode(bytes, 0, ""));
	buf_clear(&buf);
}

static void
integers_are_read(void **state)
{
	static const struct { const char *text; int64_t min, max; bool good; int64_t number; } cases[] = {
		{ "0", 0, 10, true, 0 }, { "10", 0, 10, true, 10 }, { "11", 0, 10, false, 0 },
		{ "-1", 0, 10, false, 0 }, { "-5", -5, 5, true, -5 }, { "-6", -5, 5, false, 0 },
		{ "007", 0, 10, true, 7 }, { "", 0, 10, false, 0 }, { "-", -1, 10, false, 0 },
		{ "+1", 0, 10, false, 0 }, { " 1", 0, 10, false, 0 }, { "1 ", 0, 10, false, 0 },
		{ "1.0", 0, 10, false, 0 }, { "1e1", 0, 10, false, 0 }, { "0x1", 0, 10, false, 0 },
		{ "--1", -5, 5, false, 0 }, { "9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, false, 0 },
		{ "18446744073709551617", INT64_MIN, INT64_MAX, false, 0 },
		{ "99999999999999999999999999", INT64_MIN, INT64_MAX, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t number = 4711;
		bool good = text_to_int(cases[i].text, cases[i].min, cases[i].max, &number);

		check(good == cases[i].good, cases[i].text);
		check(number == (good ? cases[i].number : 4711), cases[i].text);
	}
}

/* What a terminal acts upon, at the edges of each range. */
static void
what_moves_a_terminal_is_made_visible(void **state)
{
	static const struct { const char *text, *shown; } cases[] = {
		{ "Ay\xc5\x9f" "e \\ ~", "Ay\xc5\x9f" "e \\ ~" }, { "a\x1b[2J\x07\n\t\x01\x1f\x7f", "a\\x1b[2J\\x07\\x0a\\x09\\x01\\x1f\\x7f" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0", "\\u0080\\u009f\xc2\xa0" }, { "\xd8\x9b\xd8\x9c\xd8\x9d", "\xd8\x9b\\u061c\xd8\x9d" },
		{ "\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90", "\xe2\x80\x8d\\u200e\\u200f\xe2\x80\x90" },
		{ "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf", "\xe2\x80\xa7\\u2028\\u202e\xe2\x80\xaf" },
		{ "\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa", "\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa" },
		{ "\xf0\x9f\x91\xa9", "\xf0\x9f\x91\xa9" }, { "\x9b" "31m\xc3(\xe2\x80", "\\x9b31m\\xc3(\\xe2\\x80" }, { "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = { 0 };

		buf_puts(&out, "");
		buf_visible(&out, cases[i].text, strlen(cases[i].text));
		assert_string_equal(out.s, cases[i].shown);
		buf_clear(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_grow_with_and_without_an_arena),
		cmocka_unit_test(a_failed_growth_is_remembered),
		cmocka_unit_test(a_failed_growth_in_an_arena_jumps),
		cmocka_unit_test(reset_keeps_no_more_than_asked),
		cmocka_unit_test(printf_writes_short_and_long),
		cmocka_unit_test(integers_are_written),
		cmocka_unit_test(numbers_are_as_short_as_can_be),
		cmocka_unit_test(numbers_with_two_decimals_are_like_all_others),
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(json_escapes_are_seen_in_every_place),
		cmocka_unit_test(html_is_escaped),
		cmocka_unit_test(utf8_is_told_from_other_bytes),
		cmocka_unit_test(every_code_point_is_utf8),
		cmocka_unit_test(points_are_counted),
		cmocka_unit_test(texts_are_clipped_between_points),
		cmocka_unit_test(texts_are_folded_for_search),
		cmocka_unit_test(every_letter_is_found_in_either_case),
		cmocka_unit_test(what_is_folded_stays_so),
		cmocka_unit_test(the_words_of_a_search),
		cmocka_unit_test(words_are_found_in_a_text),
		cmocka_unit_test(words_that_are_not_in_a_text_are_left),
		cmocka_unit_test(white_space_is_trimmed),
		cmocka_unit_test(control_characters_are_found),
		cmocka_unit_test(only_ascii_letters_are_folded),
		cmocka_unit_test(digits_and_ids),
		cmocka_unit_test(addresses),
		cmocka_unit_test(addresses_of_one_mailbox),
		cmocka_unit_test(urls),
		cmocka_unit_test(percent_decoding),
		cmocka_unit_test(base64url_goes_there_and_back),
		cmocka_unit_test(malformed_base64url_is_refused),
		cmocka_unit_test(hex_goes_there_and_back),
		cmocka_unit_test(integers_are_read),
		cmocka_unit_test(what_moves_a_terminal_is_made_visible),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
