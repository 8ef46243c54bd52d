#include "store.h"

static void
count_rows(void *context, const struct db_rows *rows, bool first)
{
	int *count = context;

	*count += first ? 100 : 1;
	assert_int_equal(db_columns(rows), 1);
}

static void
a_script_is_all_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(db_script(db, "DELETE FROM item; INSERT INTO item (name) VALUES (NULL)", false, why, sizeof(why)),
		DB_REFUSED);
	assert_says("NOT NULL constraint failed: item.name");
	assert_int_equal(db_failure(db), DB_DONE);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	assert_int_equal(db_script(db, "DELETE FROM item WHERE n = 1; -- done", false, why, sizeof(why)), DB_DONE);
	assert_int_equal(number(db, count_sql, NO_ARGS), 2);
}

static void
a_script_joins_the_open_transaction(void **state)
{
	(void)state;
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_script(db, "DELETE FROM item", false, why, sizeof(why)), DB_DONE);
	assert_int_equal(number(db, count_sql, NO_ARGS), 0);
	db_write_rollback(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_script_cannot_end_its_transaction(void **state)
{
	static const char *const sql[] = { "DELETE FROM item; COMMIT; SELECT x", "BEGIN", "SAVEPOINT s", "ROLLBACK" };

	(void)state;
	for (size_t i = 0; i < COUNT(sql); i++) {
		check(db_shell(db, sql[i], false, NULL, NULL, why, sizeof(why)) != DB_DONE, sql[i]);
		assert_says("are not allowed here");
		check(db_script(db, sql[i], false, why, sizeof(why)) != DB_DONE, sql[i]);
	}
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_loose_script_leaves_no_transaction_open(void **state)
{
	(void)state;
	assert_int_equal(db_script(db, "VACUUM", true, why, sizeof(why)), DB_DONE);
	assert_int_equal(db_script(db, "BEGIN IMMEDIATE; DELETE FROM item", true, why, sizeof(why)), DB_ERROR);
	assert_says("rolled back");
	write_one(other, add_sql, ARGS("four", 4));
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

static void
a_shell_shows_rows_and_reads_without_the_lock(void **state)
{
	int count = 0;

	(void)state;
	assert_int_equal(db_write_begin(other), DB_DONE);
	assert_int_equal(db_shell(db, "SELECT name FROM item; SELECT 1", false, count_rows, &count, why, sizeof(why)), DB_DONE);
	assert_int_equal(count, 202);
	db_write_rollback(other);
	assert_int_equal(db_shell(db, "DELETE FROM item WHERE n > 1 RETURNING n", false, count_rows, &count, why, sizeof(why)),
		DB_DONE);
	assert_int_equal(count, 303);
	assert_int_equal(number(other, count_sql, NO_ARGS), 1);
}

static void
be_slow(void *context, const struct db_rows *rows, bool first)
{
	int *count = context;

	(void)rows;
	if (first)
		usleep(2100 * 1000);
	++*count;
}

static void
a_shell_has_no_timeout(void **state)
{
	static const char sql[] = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50000)"
		" SELECT i FROM c WHERE i % 20000 = 0";
	int count = 0;

	(void)state;
	assert_int_equal(db_shell(db, sql, false, be_slow, &count, why, sizeof(why)), DB_DONE);
	assert_int_equal(count, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_script_is_all_or_nothing),
		test(a_script_joins_the_open_transaction),
		test(a_script_cannot_end_its_transaction),
		test(a_loose_script_leaves_no_transaction_open),
		test(a_shell_shows_rows_and_reads_without_the_lock),
		test(a_shell_has_no_timeout),
	};

	return run_store_tests(tests);
}
