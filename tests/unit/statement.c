#include "sql.h"
#include "store.h"

static void
values_are_read_as_bound(void **state)
{
	static const char put[] = "INSERT INTO item (name, n, weight, bytes) VALUES (?1, ?2, ?3, ?4)";
	static const char get[] = "SELECT name, n, weight, bytes, kind, n > 0 FROM item WHERE name = ?1";
	static const char name[] = "Ş\xc4\xb1\0x";
	struct value text = { .type = VALUE_TEXT, .bytes = name, .length = sizeof(name) - 1 };
	struct db_rows *row;

	(void)state;
	write_one(db, put, ARGS(text, INT64_MAX, 0.1, value_blob("\0\1", 2)));
	assert_int_equal(db_one(db, &row, get, ARGS(text)), DB_ROW);
	assert_int_equal(db_columns(row), 6);
	assert_string_equal(db_name(row, 2), "weight");
	assert_int_equal(db_size(row, 0), sizeof(name) - 1);
	assert_memory_equal(db_text(row, 0), name, sizeof(name));
	assert_true(db_int(row, 1) == INT64_MAX);
	assert_true(db_real(row, 2) == 0.1);
	assert_int_equal(db_size(row, 3), 2);
	assert_memory_equal(db_blob(row, 3), "\0\1", 2);
	assert_true(db_is_null(row, 4));
	assert_null(db_text(row, 4));
	assert_int_equal(db_int(row, 4), 0);
	assert_false(db_is_null(row, 5));
	assert_true(db_flag(row, 5));
}

static void
a_bool_is_bound_as_integer(void **state)
{
	static const char get[] = "SELECT ?1 IS TRUE, ?2 IS FALSE, typeof(?1)";
	struct value yes = value_bool(true);
	bool no = false;
	struct db_rows *row;

	(void)state;
	assert_int_equal(VALUE(no).type, VALUE_BOOL);
	assert_true(value_truth(yes, false));
	assert_true(value_truth(value_null(), true));
	assert_int_equal(db_one(db, &row, get, ARGS(yes, no)), DB_ROW);
	assert_true(db_flag(row, 0));
	assert_true(db_flag(row, 1));
	assert_string_equal(db_text(row, 2), "integer");
}

/* So a list without a search is the whole list. */
static void
no_words_are_in_every_text(void **state)
{
	static const char get[] = "SELECT " SQL_HAS_WORDS("?1", "?2") ", " SQL_HAS_WORDS("?1", "'ada'") ", " SQL_HAS_WORDS("?1", "'eve'");
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(db, &row, get, ARGS("ada lovelace", (const char *)NULL)), DB_ROW);
	assert_true(db_flag(row, 0));
	assert_true(db_flag(row, 1));
	assert_false(db_flag(row, 2));
}

static void
an_empty_blob_is_not_null(void **state)
{
	static const char get[] = "SELECT ?1 IS NULL, ?2 IS NULL";
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(db, &row, get, ARGS(value_blob(NULL, 0), (const char *)NULL)), DB_ROW);
	assert_int_equal(db_int(row, 0), 0);
	assert_int_equal(db_int(row, 1), 1);
}

static void
a_statement_restarts_with_other_values(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(number(db, n_sql, ARGS("one")), 1);
	assert_int_equal(number(db, n_sql, ARGS("three")), 3);
	assert_int_equal(db_one(db, &row, n_sql, ARGS("four")), DB_DONE);
	assert_int_equal(number(db, n_sql, ARGS("two")), 2);
}

static void
many_statements_are_distinguished(void **state)
{
	static char sql[500][24];

	(void)state;
	for (int i = 0; i < (int)COUNT(sql); i++)
		snprintf(sql[i], sizeof(sql[i]), "SELECT %d", i);
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < (int)COUNT(sql); i++)
			assert_int_equal(number(db, sql[i], NO_ARGS), i);
}

static void
changed_rows_are_counted(void **state)
{
	static const char all[] = "UPDATE item SET n = n + 1";
	int64_t changed = -1;

	(void)state;
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, all, NO_ARGS, &changed), DB_DONE);
	assert_int_equal(changed, 3);
	assert_int_equal(db_run(db, set_sql, ARGS("nobody", 1), &changed), DB_DONE);
	assert_int_equal(changed, 0);
	assert_int_equal(db_run(db, raise_sql, NO_ARGS, &changed), DB_DONE);
	assert_int_equal(changed, 3);
	assert_int_equal(db_run(db, names_sql, NO_ARGS, &changed), DB_DONE);
	assert_int_equal(changed, 0);
	assert_int_equal(db_write_commit(db), DB_DONE);
}

static void
only_a_write_transaction_writes(void **state)
{
	(void)state;
	assert_int_equal(db_run(db, add_sql, ARGS("four", 4), NULL), DB_ERROR);
	db_release(db);
	assert_int_equal(db_write_commit(db), DB_ERROR);
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_long_read_is_interrupted(void **state)
{
	struct db_rows *row;
	int64_t start = clock_ticks();

	(void)state;
	assert_int_equal(db_one(db, &row, endless_sql, NO_ARGS), DB_SLOW);
	assert_in_range(clock_ticks() - start, SECONDS(2), SECONDS(4));
	assert_int_equal(db_failure(db), DB_SLOW);
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_row_holds_the_snapshot(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(db, &row, n_sql, ARGS("one")), DB_ROW);
	db_end(row);
	write_one(other, set_sql, ARGS("one", 100));
	assert_int_equal(number(db, sum_sql, NO_ARGS), 6);
	assert_int_equal(number(db, n_sql, ARGS("one")), 1);
	assert_int_equal(number(db, sum_sql, NO_ARGS), 6);
	db_release(db);
	assert_int_equal(number(db, sum_sql, NO_ARGS), 105);
}

static void
rows_read_to_the_end_hold_the_snapshot(void **state)
{
	struct db_rows *rows;
	int count = 0;

	(void)state;
	assert_int_equal(db_query(db, &rows, names_sql, NO_ARGS), DB_DONE);
	while (db_next(rows) == DB_ROW)
		count++;
	assert_int_equal(count, 3);
	write_one(other, add_sql, ARGS("four", 4));
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

static void
a_restarted_statement_keeps_the_snapshot(void **state)
{
	(void)state;
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	write_one(other, add_sql, ARGS("four", 4));
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

static void
rows_end_when_a_write_begins(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(db, &row, names_sql, NO_ARGS), DB_ROW);
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_null(db_text(row, 0));
	assert_int_equal(db_next(row), DB_ERROR);
	db_write_rollback(db);
}

/* Else a writer that waits for the lock would prevent a restart of the WAL. */
static void
a_writer_holds_no_snapshot(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(db, &row, names_sql, NO_ARGS), DB_ROW);
	write_one(other, add_sql, ARGS("four", 4));
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(db_trim(other), DB_DONE);
	assert_int_equal(size_of("okul.db-wal"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(values_are_read_as_bound),
		test(a_bool_is_bound_as_integer),
		test(no_words_are_in_every_text),
		test(an_empty_blob_is_not_null),
		test(a_statement_restarts_with_other_values),
		test(many_statements_are_distinguished),
		test(changed_rows_are_counted),
		test(only_a_write_transaction_writes),
		test(a_long_read_is_interrupted),
		test(a_row_holds_the_snapshot),
		test(rows_read_to_the_end_hold_the_snapshot),
		test(a_restarted_statement_keeps_the_snapshot),
		test(rows_end_when_a_write_begins),
		test(a_writer_holds_no_snapshot),
	};

	return run_store_tests(tests);
}
