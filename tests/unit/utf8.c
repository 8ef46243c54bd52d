#include "utf8.h"
#include "text.h"
#include "unit.h"

/* A text that may hold NUL bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void
malformed_utf8_is_rejected(void **state)
{
	static const struct { const char *text; size_t length; bool good; } cases[] = {
		{ BYTES(""), true }, { BYTES("plain ascii, longer than a word"), true }, { BYTES("\0"), true },
		{ BYTES("şğıİçöü"), true }, { BYTES("\xc2\x80"), true }, { BYTES("\xdf\xbf"), true },
		{ BYTES("\xe0\xa0\x80"), true }, { BYTES("\xed\x9f\xbf"), true }, { BYTES("\xee\x80\x80"), true },
		{ BYTES("\xef\xbf\xbf"), true }, { BYTES("\xf0\x90\x80\x80"), true },
		{ BYTES("\xf4\x8f\xbf\xbf"), true },
		/* a continuation byte without a lead byte, a lead byte without continuation */
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
		if (utf8_is_valid(cases[i].text, cases[i].length) != cases[i].good)
			fail_msg("case %zu", i);
}

/* The bytes of every code point are one sequence, and each of its proper prefixes is not. */
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
		assert_int_equal(utf8_sequence((char *)s, 4), length);
		for (size_t cut = 0; cut < length; cut++)
			assert_int_equal(utf8_sequence((char *)s, cut), 0);
	}
}

static void
points_are_counted(void **state)
{
	(void)state;
	assert_int_equal(utf8_points(BYTES("")), 0);
	assert_int_equal(utf8_points(BYTES("abc")), 3);
	assert_int_equal(utf8_points(BYTES("şeker")), 5);
	assert_int_equal(utf8_points(BYTES("😀a\xed\x9f\xbf")), 3);
}

static void
texts_are_clipped_between_points(void **state)
{
	struct arena *arena = arena_new(256);
	const char *text = "aş😀b";

	(void)state;
	assert_string_equal(utf8_clip(arena, text, 0), "");
	assert_string_equal(utf8_clip(arena, text, 1), "a");
	assert_string_equal(utf8_clip(arena, text, 2), "aş");
	assert_string_equal(utf8_clip(arena, text, 3), "aş😀");
	assert_ptr_equal(utf8_clip(arena, text, 4), text);
	assert_ptr_equal(utf8_clip(arena, text, 99), text);
	assert_null(utf8_clip(arena, NULL, 3));
	arena_free(arena);
}

static void
white_space_is_trimmed(void **state)
{
	static const struct { const char *text, *trimmed; } cases[] = {
		{ "", "" }, { " ", "" }, { " \t\n\v\f\r", "" }, { "a", "a" }, { "  a b\t", "a b" }, { "\n a", "a" },
		{ "a ", "a" }, { "\x1f" "a\x1f", "\x1f" "a\x1f" },
		/* all White_Space of Unicode's PropList.txt */
		{ "\xc2\x85" "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
			"a\xc2\x85" "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000", "a" },
		/* zero width, byte order mark, direction, soft hyphen, fillers */
		{ "\ufeff\u200b\u200c\u200d\u2060\u200e\u200f\u202a\u2066\u00ad\u3164\uffa0\u2800\u180e" "a b\ufeff\u200b \u2060\u202c\u2069", "a b" },
		{ "\u200b \u3164", "" }, { "a\u200bb", "a\u200bb" }, { "\ufe0f", "" }, { "\ufe0f \u034f" "a", "a" },
		/* a red heart, the flag of England, an accent */
		{ " \u2764\ufe0f ", "\u2764\ufe0f" }, { "a\u0301 ", "a\u0301" },
		{ "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F\n",
			"\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F" },
		/* not UTF-8 */
		{ " \xff ", "\xff" }, { "\x80", "\x80" }, { "a\xe2\x80", "a\xe2\x80" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *s = cases[i].text;
		size_t length = strlen(s);

		utf8_trim(&s, &length);
		check(length == strlen(cases[i].trimmed) && memcmp(s, cases[i].trimmed, length) == 0, cases[i].text);
	}
}

static void
control_characters_are_found(void **state)
{
	/* what remains of a single line and of several lines; NULL: rejected */
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

			lines ? text_unify_lines(s) : utf8_drop_directions(s);
			bool good = !utf8_has_control(s, lines ? "\t\n" : "");
			check(good == (kept != NULL) && (!kept || strcmp(s, kept) == 0), cases[i].text);
			free(s);
		}
	}
}

/* What a terminal interprets, at the limits of each range. */
static void
control_characters_are_made_visible(void **state)
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
		utf8_visible(&out, cases[i].text, strlen(cases[i].text));
		assert_string_equal(out.s, cases[i].shown);
		buf_clear(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_utf8_is_rejected),
		cmocka_unit_test(every_code_point_is_utf8),
		cmocka_unit_test(points_are_counted),
		cmocka_unit_test(texts_are_clipped_between_points),
		cmocka_unit_test(white_space_is_trimmed),
		cmocka_unit_test(control_characters_are_found),
		cmocka_unit_test(control_characters_are_made_visible),
	};

	return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
