#include "buf.h"
#include "encode.h"
#include "unit.h"

#include <math.h>

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
a_failed_growth_sets_failed(void **state)
{
	/* volatile: the compiler would reject such a length */
	volatile size_t half = PTRDIFF_MAX / 2, nearly_all = SIZE_MAX - 2;
	struct buf buf = { 0 };

	(void)state;
	buf_puts(&buf, "kept");
	/* More than there can be, which is checked before anything is read. */
	buf_put(&buf, "x", half);
	assert_true(buf.failed);
	assert_string_equal(buf.s, "kept");
	buf_put(&buf, "x", nearly_all);
	encode_hex(&buf, "x", SIZE_MAX / 2 + 2);
	encode_base64url(&buf, "x", SIZE_MAX / 4 * 3);
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
reset_keeps_at_most_the_given_room(void **state)
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
	/* one that fills the room completely */
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
numbers_are_as_short_as_possible(void **state)
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

/* Numbers on the fast path, and their neighbours, compared with the shortest output of printf() that parses back. */
static void
the_fast_path_writes_the_shortest_text(void **state)
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffers_grow_with_and_without_an_arena),
		cmocka_unit_test(a_failed_growth_sets_failed),
		cmocka_unit_test(a_failed_growth_in_an_arena_jumps),
		cmocka_unit_test(reset_keeps_at_most_the_given_room),
		cmocka_unit_test(printf_writes_short_and_long),
		cmocka_unit_test(integers_are_written),
		cmocka_unit_test(numbers_are_as_short_as_possible),
		cmocka_unit_test(the_fast_path_writes_the_shortest_text),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
