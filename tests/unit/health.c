#include "store.h"

static void
a_full_disk_stops_writes_only(void **state)
{
	struct db_rows *row;

	(void)state;
	disk_is_full = true;
	assert_int_equal(db_write_begin(db), DB_FULL);
	assert_int_equal(db_one(db, &row, count_sql, NO_ARGS), DB_FULL);
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	assert_false(db_writable(db));
	db_release(db);
	disk_is_full = false;
	/* Checked once a second. */
	usleep(1100 * 1000);
	assert_true(db_writable(db));
	write_one(db, add_sql, ARGS("four", 4));
}

/* Deletions make room, so they are possible down to the last 4 MiB. */
static void
a_disk_that_is_nearly_full_allows_deletions(void **state)
{
	(void)state;
	disk_is_full = true;
	db_only_deletes(db, true);
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, "DELETE FROM item WHERE name = 'one'", NO_ARGS, NULL), DB_DONE);
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(number(db, count_sql, NO_ARGS), 2);
	db_only_deletes(db, false);
	assert_int_equal(db_write_begin(db), DB_FULL);
	db_release(db);
	full_pages = 1023;
	usleep(1100 * 1000);
	db_only_deletes(db, true);
	assert_int_equal(db_write_begin(db), DB_FULL);
	db_release(db);
	disk_is_full = false;
	full_pages = 4095;
}

static void
db_try_write_begins_a_transaction(void **state)
{
	int64_t start = clock_ticks();

	(void)state;
	assert_true(db_try_write(db));
	pid_t child = write_in_child();
	assert_true(db_writable(db));
	assert_true(db_try_write(db));	/* the result is cached for a second */
	usleep(1100 * 1000);
	start = clock_ticks();
	assert_false(db_try_write(db));
	assert_in_range(clock_ticks() - start, SECONDS(4) / 10, SECONDS(19) / 10);
	assert_int_equal(db_failure(db), DB_DONE);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	start = clock_ticks();
	for (int i = 0; i < 100; i++)
		assert_false(db_try_write(db));
	assert_true(clock_ticks() - start < SECONDS(10));	/* not 100 times half a second */
	end_child(child);
	usleep(1100 * 1000);
	assert_true(db_try_write(db));
	/* After a migration. */
	assert_int_equal(db_script(other, "PRAGMA user_version = 99", false, why, sizeof(why)), DB_DONE);
	usleep(1100 * 1000);
	assert_false(db_try_write(db));
	assert_int_equal(db_failure(db), DB_DONE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_full_disk_stops_writes_only),
		test(a_disk_that_is_nearly_full_allows_deletions),
		test(db_try_write_begins_a_transaction),
	};

	return run_store_tests(tests);
}
