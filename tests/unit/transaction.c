#include "store.h"

static void
add_last(struct db *on)
{
	(void)!db_run(on, add_sql, ARGS("last", 9), NULL);
}

static void
a_last_step_belongs_to_one_transaction(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(db_write_begin(db), DB_DONE);
		if (i < 2) {
			db_before_commit(db, add_last);
			db_before_commit(db, add_last);
		}
		if (i == 0)
			db_write_rollback(db);
		else
			assert_int_equal(db_write_commit(db), DB_DONE);
		assert_int_equal(number(db, count_sql, NO_ARGS), i == 0 ? 3 : 4);
		db_release(db);
	}
	db_before_commit(db, add_last);
	assert_int_equal(db_failure(db), DB_ERROR);
	db_release(db);
}

static void
a_transaction_left_open_is_rolled_back(void **state)
{
	(void)state;
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("four", 4), NULL), DB_DONE);
	db_release(db);
	assert_false(db_writing(db));
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	write_one(other, add_sql, ARGS("five", 5));
}

static void
nobody_writes_any_more(struct db *on, const char *whose)
{
	check(!db_writable(on), whose);
	check(db_write_begin(on) == DB_BROKEN, whose);
	db_release(on);
	check(number(on, count_sql, NO_ARGS) >= 3, whose);
	db_release(on);
}

/*
 * The first sync of a WAL is that of its header, inside COMMIT; then one after each commit; then those of
 * checkpoints.
 */
static void
a_failed_sync_is_final(void **state)
{
	static const struct { int after; bool checkpoint; const char *name; } cases[] = {
		{ 0, false, "of the header" }, { 2, false, "of a commit" }, { 2, true, "of the WAL in a checkpoint" },
		{ 3, true, "of the database in a checkpoint" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		if (i > 0)
			assert_int_equal(set_up(state), 0);
		/* The first sync of a connection also syncs the folder; here none has done so yet. */
		if (cases[i].after > 0)
			write_one(db, add_sql, ARGS("four", 4));
		if (cases[i].checkpoint) {
			sync_fails = cases[i].after - 2;
			check(db_trim(db) == DB_BROKEN, cases[i].name);
		} else {
			assert_int_equal(db_write_begin(db), DB_DONE);
			assert_int_equal(db_run(db, add_sql, ARGS("five", 5), NULL), DB_DONE);
			sync_fails = 0;
			check(db_write_commit(db) == DB_BROKEN, cases[i].name);
		}
		sync_fails = -1;
		db_release(db);
		nobody_writes_any_more(db, cases[i].name);
		nobody_writes_any_more(other, cases[i].name);
		struct db *late = open_db(DB_READ_WRITE, VERSION);
		nobody_writes_any_more(late, cases[i].name);
		db_close(late);
		if (i + 1 < COUNT(cases))
			assert_int_equal(tear_down(state), 0);
	}
}

/* After a boot the data is read from the disk. */
static void
a_rebooted_machine_writes_again(void **state)
{
	FILE *file;
	int length;

	(void)state;
	write_one(other, add_sql, ARGS("four", 4));
	sync_fails = 0;
	assert_int_equal(db_trim(db), DB_BROKEN);
	sync_fails = -1;
	nobody_writes_any_more(other, "before");
	file = fopen(path_of("okul.gate"), "r+");
	assert_non_null(file);
	fseek(file, -2, SEEK_END);
	length = fgetc(file);
	fseek(file, -2, SEEK_END);
	fputc(length == 'a' ? 'b' : 'a', file);
	fclose(file);
	struct db *late = open_db(DB_READ_WRITE, VERSION);
	assert_true(db_writable(late));
	write_one(late, add_sql, ARGS("five", 5));
	db_close(late);
}

/* Any other text in the file counts. */
static void
an_unknown_mark_poisons_the_lock(void **state)
{
	FILE *file = fopen(path_of("okul.gate"), "w");

	(void)state;
	fputs("a sync fai", file);
	fclose(file);
	nobody_writes_any_more(db, "torn");
}

static int syncs_then;

static void
let_another_write(void)
{
	syncs_then = syncs;
	write_one(other, add_sql, ARGS("five", 5));
	syncs_then = syncs - syncs_then;
}

/* While one writer syncs the next writes; both wait for their own sync. */
static void
a_sync_does_not_exclude_other_writers(void **state)
{
	(void)state;
	write_one(db, add_sql, ARGS("four", 4));
	write_one(other, set_sql, ARGS("one", 1));
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("six", 6), NULL), DB_DONE);
	on_sync = let_another_write;
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(syncs_then, 1);
	assert_int_equal(number(db, count_sql, NO_ARGS), 6);
}

static void
fail_another(void)
{
	sync_fails = 0;
	assert_int_equal(db_write_begin(other), DB_DONE);
	assert_int_equal(db_run(other, add_sql, ARGS("five", 5), NULL), DB_DONE);
	assert_int_equal(db_write_commit(other), DB_BROKEN);
}

/* The kernel reports the error to both, since both had the WAL open. */
static void
all_syncing_writers_see_a_failure(void **state)
{
	(void)state;
	write_one(db, add_sql, ARGS("four", 4));
	write_one(other, set_sql, ARGS("one", 1));
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("six", 6), NULL), DB_DONE);
	on_sync = fail_another;
	assert_int_equal(db_write_commit(db), DB_BROKEN);
}

/* Its response may depend on rows that another process has not synced yet. */
static void
a_commit_without_a_change_is_synced_too(void **state)
{
	(void)state;
	write_one(db, add_sql, ARGS("four", 4));
	assert_int_equal(db_write_begin(db), DB_DONE);
	syncs = 0;
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(syncs, 1);
	assert_int_equal(db_write_begin(db), DB_DONE);
	syncs = 0;
	assert_int_equal(db_flush(db), DB_DONE);
	assert_int_equal(syncs, 1);
	db_write_rollback(db);
	assert_int_equal(syncs, 1);
	assert_int_equal(db_flush(db), DB_ERROR);
	db_release(db);
	syncs = 0;
	assert_int_equal(db_script(db, "DELETE FROM item WHERE n = 4", true, why, sizeof(why)), DB_DONE);
	assert_int_equal(syncs, 1);
	sync_fails = 0;
	assert_int_equal(db_script(db, "DELETE FROM item WHERE n = 3", true, why, sizeof(why)), DB_BROKEN);
	assert_string_equal(why, db_reason(DB_BROKEN));
}

static void
a_program_does_not_write_after_a_migration(void **state)
{
	struct db_rows *row;
	int version = 0;

	(void)state;
	assert_int_equal(number(db, n_sql, ARGS("one")), 1);
	db_release(db);
	script("ALTER TABLE item RENAME COLUMN n TO amount; PRAGMA user_version = 8");
	assert_int_equal(db_write_begin(db), DB_OLD);
	db_release(db);
	assert_int_equal(db_one(db, &row, n_sql, ARGS("one")), DB_OLD);
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	assert_true(db_alive(db, &version));
	assert_int_equal(version, 8);
	/* It released the writer lock. */
	db_close(other);
	other = open_db(DB_READ_WRITE, 8);
	write_one(other, "DELETE FROM item", NO_ARGS);
}

static void
a_write_transaction_reads_its_writes_and_the_newest_rows(void **state)
{
	(void)state;
	assert_int_equal(number(db, n_sql, ARGS("one")), 1);
	write_one(other, set_sql, ARGS("one", 100));
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_true(db_writing(db));
	assert_int_equal(number(db, n_sql, ARGS("one")), 100);
	assert_int_equal(db_run(db, set_sql, ARGS("two", 200), NULL), DB_DONE);
	assert_int_equal(number(db, n_sql, ARGS("two")), 200);
	assert_int_equal(number(other, n_sql, ARGS("two")), 2);
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(number(db, n_sql, ARGS("two")), 200);
}

static void
running_rows_do_not_prevent_the_commit(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_one(db, &row, raise_sql, NO_ARGS), DB_ROW);
	assert_string_equal(db_text(row, 0), "one");
	assert_int_equal(db_int(row, 1), 2);
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(number(db, sum_sql, NO_ARGS), 9);
}

static void
there_is_one_writer_at_a_time(void **state)
{
	int64_t start;
	sigset_t all;

	(void)state;
	/* As a supervisor may leave it. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	assert_int_equal(db_write_begin(db), DB_DONE);
	start = clock_ticks();
	assert_int_equal(db_write_begin(other), DB_BUSY);
	assert_in_range(clock_ticks() - start, SECONDS(19) / 10, SECONDS(25) / 10);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	assert_int_equal(db_failure(other), DB_BUSY);
	db_release(other);
	assert_int_equal(db_write_commit(db), DB_DONE);
	write_one(other, add_sql, ARGS("four", 4));
}

static void
keep_lock(int ready, int64_t microseconds)
{
	char path[160];
	sqlite3 *sqlite;

	snprintf(path, sizeof(path), "%s/okul.db", folder);
	if (sqlite3_open(path, &sqlite) == SQLITE_OK && sqlite3_exec(sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
	    write(ready, "", 1) == 1)
		usleep((useconds_t)microseconds);
	_exit(0);
}

/* A child takes SQLite's write lock for that long, like the sqlite3 shell. Returns its process id. */
static pid_t
lock_in_child(int64_t microseconds)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0)
		keep_lock(ready[1], microseconds);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void
a_foreign_lock_of_a_second_is_waited_for(void **state)
{
	pid_t child = lock_in_child(SECONDS(1));

	(void)state;
	write_one(db, add_sql, ARGS("four", 4));
	waitpid(child, NULL, 0);
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

/* The writer lock and SQLite's lock have two seconds together. */
static void
a_foreign_lock_is_waited_for_two_seconds_in_all(void **state)
{
	pid_t child = lock_in_child(SECONDS(8)), holder;
	int64_t start = clock_ticks();

	(void)state;
	assert_int_equal(db_write_begin(db), DB_BUSY);
	assert_in_range(clock_ticks() - start, SECONDS(19) / 10, SECONDS(28) / 10);
	db_release(db);
	holder = fork();
	if (holder == 0) {
		struct db *mine = open_db(DB_READ_WRITE, VERSION);

		(void)!db_write_begin(mine);	/* waits for SQLite's lock, 2 s */
		_exit(0);
	}
	usleep(1000 * 1000);
	start = clock_ticks();
	assert_int_equal(db_write_begin(db), DB_BUSY);
	assert_in_range(clock_ticks() - start, SECONDS(19) / 10, SECONDS(28) / 10);
	db_release(db);
	waitpid(holder, NULL, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* The child opens the files itself: locks must not be shared by fork(). */
static void
a_killed_writer_releases_the_lock(void **state)
{
	pid_t child = write_in_child();
	int64_t start;

	(void)state;
	assert_int_equal(db_write_begin(db), DB_BUSY);
	db_release(db);
	end_child(child);
	start = clock_ticks();
	write_one(db, add_sql, ARGS("five", 5));
	assert_true(clock_ticks() - start < SECONDS(1));
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

static void
a_waiting_writer_continues_when_the_lock_is_released(void **state)
{
	pid_t child = write_in_child(), killer;
	int64_t start = clock_ticks();

	(void)state;
	killer = fork();
	if (killer == 0) {
		usleep(300 * 1000);
		kill(child, SIGKILL);
		_exit(0);
	}
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_in_range(clock_ticks() - start, SECONDS(1) / 10, SECONDS(15) / 10);
	db_write_rollback(db);
	waitpid(killer, NULL, 0);
	end_child(child);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_last_step_belongs_to_one_transaction),
		test(a_transaction_left_open_is_rolled_back),
		test(a_failed_sync_is_final),
		test(a_rebooted_machine_writes_again),
		test(an_unknown_mark_poisons_the_lock),
		test(a_sync_does_not_exclude_other_writers),
		test(all_syncing_writers_see_a_failure),
		test(a_commit_without_a_change_is_synced_too),
		test(a_program_does_not_write_after_a_migration),
		test(a_write_transaction_reads_its_writes_and_the_newest_rows),
		test(running_rows_do_not_prevent_the_commit),
		test(there_is_one_writer_at_a_time),
		test(a_foreign_lock_of_a_second_is_waited_for),
		test(a_foreign_lock_is_waited_for_two_seconds_in_all),
		test(a_killed_writer_releases_the_lock),
		test(a_waiting_writer_continues_when_the_lock_is_released),
	};

	return run_store_tests(tests);
}
