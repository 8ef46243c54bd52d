/* Statements in the dialect of PostgreSQL, and the values that it takes. No server is needed. */
#include "postgres.h"

#include "oid.h"
#include "sql.h"
#include "unit.h"

static void
assert_translated(const char *sql, const char *expected)
{
	char *text = dialect_translate(sql);

	assert_string_equal(text, expected);
	free(text);
}

static void
parameters_are_numbered_with_a_dollar(void **state)
{
	(void)state;
	assert_translated("SELECT ?1, ?12", "SELECT $1, $12");
	assert_translated("SELECT '?1', \"?2\", ?3", "SELECT '?1', \"?2\", $3");
	assert_translated("SELECT 'it''s ?1', ?2", "SELECT 'it''s ?1', $2");
}

static void
comments_are_dropped(void **state)
{
	(void)state;
	assert_translated("SELECT 1 FROM a /* scans: a */ WHERE b = ?1", "SELECT 1 FROM a  WHERE b = $1");
	assert_translated("SELECT '/* no comment */'", "SELECT '/* no comment */'");
	assert_translated("SELECT 1 /* without an end", "SELECT 1 ");
}

static void
the_half_of_the_other_engine_is_dropped(void **state)
{
	(void)state;
	assert_translated(SQL_EITHER("a", "b"), "b");
	assert_translated("x" SQL_EITHER(" a ?1 /* scans: a */", " b $1") " y", "x b $1 y");
	assert_translated(SQL_EITHER("DELETE FROM a", ""), "");
	assert_translated("SELECT " SQL_LEAST("?1", SQL_LEAST("b", "?2") " + ?3"), "SELECT least($1, least(b, $2) + $3)");
	assert_translated("FROM a" SQL_JOIN "b" SQL_BY_INDEX("c"), "FROM a JOIN b");
}

static void
values_take_the_form_of_their_parameter(void **state)
{
	static const Oid types[] = { OID_INT8, OID_BOOL, OID_FLOAT8, OID_BYTEA, 25, OID_INT8, OID_INT4, OID_NUMERIC };
	const struct args args = ARGS(
		INT64_C(258), true, 0.5, value_blob("\0\1", 2), "text", value_null(), INT64_C(7), INT64_C(-9));
	struct parameters out;

	(void)state;
	assert_true(parameter_fill(&out, &args, types));
	assert_memory_equal(out.values[0], "\0\0\0\0\0\0\1\2", 8);
	assert_memory_equal(out.values[1], "\1", 1);
	assert_memory_equal(out.values[2], "\x3f\xe0\0\0\0\0\0\0", 8);
	assert_memory_equal(out.values[3], "\0\1", 2);
	assert_int_equal(out.lengths[3], 2);
	assert_string_equal(out.values[4], "text");
	assert_null(out.values[5]);
	assert_memory_equal(out.values[6], "\0\0\0\7", 4);
	assert_string_equal(out.values[7], "-9");
	assert_int_equal(out.formats[7], 0);
}

static void
a_value_that_does_not_fit_is_refused(void **state)
{
	static const Oid int4[] = { OID_INT4 }, text[] = { 25 };
	struct parameters out;

	(void)state;
	assert_false(parameter_fill(&out, &ARGS(INT64_C(1) << 40), int4));
	assert_false(parameter_fill(&out, &ARGS(value_blob("\0", 1)), text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_are_numbered_with_a_dollar),
		cmocka_unit_test(comments_are_dropped),
		cmocka_unit_test(the_half_of_the_other_engine_is_dropped),
		cmocka_unit_test(values_take_the_form_of_their_parameter),
		cmocka_unit_test(a_value_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("dialect", tests, NULL, NULL);
}
