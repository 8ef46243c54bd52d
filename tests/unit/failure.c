#include "store.h"

static void
misuse_sticks_until_the_release(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(db, &row, n_sql, NO_ARGS), DB_ERROR);
	assert_int_equal(db_one(db, &row, count_sql, NO_ARGS), DB_ERROR);
	assert_int_equal(db_next(row), DB_ERROR);
	assert_int_equal(db_int(row, 0), 0);
	assert_null(db_name(row, 0));
	assert_int_equal(db_write_begin(db), DB_ERROR);
	assert_int_equal(db_failure(db), DB_ERROR);
	db_release(db);
	assert_int_equal(db_failure(db), DB_DONE);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_failure_rolls_the_transaction_back(void **state)
{
	(void)state;
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("four", 4), NULL), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("five", -5), NULL), DB_REFUSED);
	assert_int_equal(db_run(db, add_sql, ARGS("six", 6), NULL), DB_REFUSED);
	assert_int_equal(db_write_commit(db), DB_REFUSED);
	assert_false(db_writing(db));
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	write_one(other, add_sql, ARGS("seven", 7));
}

static void
a_unique_violation_does_not_stick(void **state)
{
	(void)state;
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("four", 4), NULL), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("one", 5), NULL), DB_TAKEN);
	assert_int_equal(db_failure(db), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("six", 6), NULL), DB_DONE);
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(number(db, count_sql, NO_ARGS), 5);
	assert_int_equal(number(db, n_sql, ARGS("one")), 1);
}

static void
constraints_are_refused(void **state)
{
	static const char *const sql[] = {
		"INSERT INTO item (name, n) VALUES ('x', -1)", "INSERT INTO item (name) VALUES (NULL)",
		"INSERT INTO item (name, n) VALUES ('x', 'many')", "INSERT INTO item (name, kind) VALUES ('x', 'nothing')",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(sql); i++) {
		assert_int_equal(db_write_begin(db), DB_DONE);
		check(db_run(db, sql[i], NO_ARGS, NULL) == DB_REFUSED, sql[i]);
		db_write_rollback(db);
		db_release(db);
	}
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, "INSERT INTO kind VALUES ('a')", NO_ARGS, NULL), DB_DONE);
	assert_int_equal(db_run(db, "INSERT INTO kind VALUES ('a') ", NO_ARGS, NULL), DB_TAKEN);
	db_write_rollback(db);
}

static void
every_result_has_a_reason(void **state)
{
	(void)state;
	for (enum db_rc rc = DB_DONE; rc <= DB_ERROR; rc++)
		for (enum db_rc k = DB_TAKEN; k < rc; k++)
			assert_string_not_equal(db_reason(rc), db_reason(k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(misuse_sticks_until_the_release),
		test(a_failure_rolls_the_transaction_back),
		test(a_unique_violation_does_not_stick),
		test(constraints_are_refused),
		test(every_result_has_a_reason),
	};

	return run_store_tests(tests);
}
