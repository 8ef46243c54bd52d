#include "store.h"

static void
wrong_sql_is_found_by_preparing(void **state)
{
	static const char *const good[] = { n_sql, NULL, add_sql }, *const bad[] = { n_sql, "SELECT colour FROM item" },
		*const twice[] = { "SELECT 1; SELECT 2" }, *const none[] = { " -- nothing" };

	(void)state;
	assert_true(db_check(db, good, COUNT(good), why, sizeof(why)));
	assert_false(db_check(db, bad, COUNT(bad), why, sizeof(why)));
	assert_says("no such column: colour: SELECT colour FROM item");
	assert_false(db_check(db, twice, COUNT(twice), why, sizeof(why)));
	assert_says("not exactly one statement");
	assert_false(db_check(db, none, COUNT(none), why, sizeof(why)));
	assert_says("not exactly one statement");
}

static void
double_quotes_are_names_only(void **state)
{
	static const char *const sql[] = { "SELECT \"text\"" };

	(void)state;
	assert_false(db_check(db, sql, 1, why, sizeof(why)));
	assert_says("no such column");
}

static void
full_scans_are_counted_unless_marked(void **state)
{
	static const char *const sql[] = { n_sql, "SELECT pk FROM item WHERE n = ?1",
		"SELECT pk FROM item /* scans: item */ WHERE n = ?1",
		"SELECT pk FROM item /* scans: items other */ WHERE n = ?1", "SELECT a.pk FROM item AS a JOIN item AS b ON b.n < a.n /* scans: b a */",
		"WITH made AS MATERIALIZED (SELECT pk FROM item WHERE pk = ?1) SELECT pk FROM made", "SELECT value FROM json_each(?1)", set_sql, add_sql };
	FILE *out = fopen(path_of("plan"), "w+");
	char line[200];
	bool marked = false;

	(void)state;
	assert_int_equal(db_explain(db, sql, COUNT(sql), out), 2);
	rewind(out);
	while (fgets(line, sizeof(line), out))
		marked |= strcmp(line, "\tSCAN item  <- FULL SCAN\n") == 0;
	fclose(out);
	assert_true(marked);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(wrong_sql_is_found_by_preparing),
		test(double_quotes_are_names_only),
		test(full_scans_are_counted_unless_marked),
	};

	return run_store_tests(tests);
}
