#include "text.h"
#include "unit.h"

static void
only_ascii_letters_change_case(void **state)
{
	char text[] = "AZ az @[ `{ İŞÖ 09";

	(void)state;
	text_lower(text);
	assert_string_equal(text, "az az @[ `{ İŞÖ 09");
	text_upper(text);
	assert_string_equal(text, "AZ AZ @[ `{ İŞÖ 09");
}

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ascii_letters_change_case),
		cmocka_unit_test(digits_and_ids),
		cmocka_unit_test(integers_are_read),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
