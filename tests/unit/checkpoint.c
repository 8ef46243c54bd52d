#include "store.h"

static void
grow_wal(struct db *on, int mebibytes)
{
	static const char put[] = "UPDATE item SET bytes = randomblob(1 << 20) WHERE name = 'one'";

	for (int i = 0; i < mebibytes; i++)
		write_one(on, put, NO_ARGS);
}

static void
the_wal_stays_small(void **state)
{
	(void)state;
	grow_wal(db, 40);
	assert_in_range(size_of("okul.db-wal"), 1, 8 << 20);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
the_wal_shrinks_after_a_long_read(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(other, &row, names_sql, NO_ARGS), DB_ROW);
	grow_wal(db, 24);
	assert_true(size_of("okul.db-wal") > 20 << 20);
	db_release(other);
	grow_wal(db, 3);
	assert_in_range(size_of("okul.db-wal"), 1, 8 << 20);
}

/* A child that reads until it is killed, some milliseconds at a time. */
static pid_t
read_in_child(void)
{
	pid_t child = fork();

	if (child == 0) {
		struct db *mine = open_db(DB_READ_ONLY, VERSION);
		struct db_rows *row;

		while (getppid() != 1 && db_one(mine, &row, names_sql, NO_ARGS) == DB_ROW) {
			usleep(3000);
			db_release(mine);
		}
		_exit(1);
	}
	return child;
}

/* There is always some reader, but none stays. */
static void
the_wal_is_restarted_under_readers(void **state)
{
	pid_t children[4];

	(void)state;
	for (size_t i = 0; i < COUNT(children); i++) {
		children[i] = read_in_child();
		usleep(1000);
	}
	grow_wal(db, 48);
	for (size_t i = 0; i < COUNT(children); i++) {
		assert_int_equal(waitpid(children[i], NULL, WNOHANG), 0);
		end_child(children[i]);
	}
	assert_in_range(size_of("okul.db-wal"), 1, 20 << 20);
}

/* A reader that stays costs each writer one wait, not one per commit. */
static void
a_long_read_does_not_delay_commits(void **state)
{
	struct db_rows *row;
	int64_t start;

	(void)state;
	assert_int_equal(db_one(other, &row, names_sql, NO_ARGS), DB_ROW);
	grow_wal(db, 17);
	start = clock_ticks();
	for (int i = 0; i < 50; i++)
		write_one(db, set_sql, ARGS("two", i));
	assert_true(clock_ticks() - start < SECONDS(1) / 2);
}

/* Else each commit would need two more syncs while readers prevent a restart of the WAL. */
static void
not_every_commit_makes_a_checkpoint(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(other, &row, names_sql, NO_ARGS), DB_ROW);
	grow_wal(db, 5);
	syncs = 0;
	for (int i = 0; i < 50; i++) {
		db_release(other);
		assert_int_equal(db_one(other, &row, names_sql, NO_ARGS), DB_ROW);
		write_one(db, set_sql, ARGS("two", i));
	}
	assert_in_range(syncs, 50, 60);
}

static void
a_trim_truncates_the_wal(void **state)
{
	(void)state;
	grow_wal(db, 1);
	assert_true(size_of("okul.db-wal") > 0);
	assert_int_equal(db_trim(db), DB_DONE);
	assert_int_equal(size_of("okul.db-wal"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(the_wal_stays_small),
		test(the_wal_shrinks_after_a_long_read),
		test(the_wal_is_restarted_under_readers),
		test(a_long_read_does_not_delay_commits),
		test(not_every_commit_makes_a_checkpoint),
		test(a_trim_truncates_the_wal),
	};

	return run_store_tests(tests);
}
