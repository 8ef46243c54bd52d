#include "tag.h"
#include "unit.h"

#define TAG "\"0123456789abcdef\""
#define OTHER "\"fedcba9876543210\""

static void
a_value_lists_a_tag(void **state)
{
	static const char *const good[] = {
		"*", " *\t", TAG, "W/" TAG, " " TAG "\t", OTHER "," TAG, OTHER ", " TAG, OTHER " ,\t" TAG, TAG "," OTHER,
		",, " TAG " ,,", "W/" OTHER ",W/" TAG ",\"\"", "\"a,b\", " TAG, "\"!#~\xc3\xbc\"," TAG,
		"\"0123456789abcdef-gzip\"", "W/\"0123456789abcdef-br\"",
	};
	static const char *const bad[] = {
		"", " ", ",", OTHER, "W/" OTHER, "\"\"", "0123456789abcdef", "\"0123456789abcdef", "0123456789abcdef\"", "\"*\"",
		"**", "*, " TAG, TAG ", *", "*" TAG, "w/" TAG, "W/ " TAG, "W / " TAG, "W/*", "'0123456789abcdef'",
		TAG " " TAG, TAG TAG, TAG ";", TAG ", x", "x, " TAG, TAG ", \"a b\"", TAG ", \"a\x7f\"", TAG ", \"a\n\"", TAG ", \"",
		"\"0123456789ABCDEF\"", "\"0123456789abcde\"", "\"0123456789abcdef0\"", "\" 0123456789abcdef\"", "\"a" TAG "\"",
		"\"-gzip\"", "\"0123456789abcde-gzip\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!tag_listed(good[i], TAG, TAG_RECODED, 0))
			fail_msg("%s does not list it", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (tag_listed(bad[i], TAG, TAG_RECODED, 0))
			fail_msg("%s lists it", bad[i]);
}

static void
only_an_asterisk_matches_data_without_a_tag(void **state)
{
	(void)state;
	assert_true(tag_listed("*", "", TAG_RECODED, 0));
	assert_false(tag_listed("", "", TAG_RECODED, 0));
	assert_false(tag_listed("\"\"", "", TAG_RECODED, 0));
	assert_false(tag_listed(TAG, "", TAG_RECODED, 0));
	/* two digits are not compared */
	assert_true(tag_listed("\"00000000000000ff\"", "\"0000000000000012\"", TAG_RECODED, 2));
	assert_false(tag_listed("\"00000000000001ff\"", "\"0000000000000012\"", TAG_RECODED, 2));
	assert_false(tag_listed("\"00000000000000f\"", "\"0000000000000012\"", TAG_RECODED, 2));
}

static void
tags_are_compared(void **state)
{
	static const struct { const char *value; bool strong, weak, recoded; } cases[] = {
		{ TAG, true, true, true }, { "*", true, true, true }, { OTHER ", " TAG, true, true, true },
		{ "W/" TAG, false, true, true }, { "W/" TAG ", " TAG, true, true, true }, { "W/" TAG ", " OTHER, false, true, true },
		{ "\"0123456789abcdef-gzip\"", false, false, true }, { "W/\"0123456789abcdef-gzip\"", false, false, true },
		{ OTHER, false, false, false }, { TAG "x", false, false, false }, { TAG ", *", false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		check(tag_listed(cases[i].value, TAG, TAG_STRONG, 0) == cases[i].strong, cases[i].value);
		check(tag_listed(cases[i].value, TAG, TAG_WEAK, 0) == cases[i].weak, cases[i].value);
		check(tag_listed(cases[i].value, TAG, TAG_RECODED, 0) == cases[i].recoded, cases[i].value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_lists_a_tag),
		cmocka_unit_test(only_an_asterisk_matches_data_without_a_tag),
		cmocka_unit_test(tags_are_compared),
	};

	return cmocka_run_group_tests_name("tag", tests, NULL, NULL);
}
