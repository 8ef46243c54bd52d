/* lib/school/file.c: that no row names bytes that gc may delete, whatever the order of an upload and a sweep. */
#include "file.h"
#include "clock.h"
#include "log.h"
#include "school.h"
#include "unit.h"

#define NOW INT64_C(1767225600000)
#define HASH "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define LATER (FILE_SWEEP_TIME + CLOCK_SLACK + 1)

static struct db *db;
static struct conf conf = { .data = school_data, .files = "s3://bucket", .files_bucket = "bucket", .files_prefix = "" };

static struct blob
stored_blob(void)
{
	return (struct blob){ .fd = -1, .size = 5, .sha256 = HASH };
}

/* What an upload does before it stores the bytes. */
static void
look(struct blob *blob, int64_t now)
{
	int64_t before = 0;

	assert_int_equal(file_fits(db, &conf, blob, 0, &before, now), ERROR_NONE);
	db_release(db);
}

static enum error
add(const struct blob *blob, int64_t now)
{
	struct file_row row = { .type = MEDIA_NONE + 1, .name = "a" };

	assert_int_equal(db_write_begin(db), DB_DONE);
	enum error error = file_add(db, &conf, blob, &row, now);
	if (error)
		db_write_rollback(db);
	else
		assert_int_equal(db_write_commit(db), DB_DONE);
	return error;
}

static bool
sweep(int64_t now)
{
	bool orphan;

	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(file_sweep(db, HASH, now, &orphan), DB_DONE);
	assert_int_equal(db_write_commit(db), DB_DONE);
	return orphan;
}

static int
clear(void **state)
{
	static const char *const all[] = { "DELETE FROM file", "DELETE FROM event", "DELETE FROM instance WHERE key = 'files'" };

	(void)state;
	if (db_write_begin(db) != DB_DONE)
		return -1;
	for (size_t i = 0; i < COUNT(all); i++)
		db_change(db, all[i], NO_ARGS);
	return db_write_commit(db) == DB_DONE ? 0 : -1;
}

static void
an_upload_before_the_sweep_is_seen_by_it(void **state)
{
	struct blob blob = stored_blob();

	(void)state;
	look(&blob, NOW);
	assert_int_equal(add(&blob, NOW), ERROR_NONE);
	assert_false(sweep(NOW + 1));
	assert_int_equal(add(&blob, NOW + 2), ERROR_NONE); /* a second row of the same bytes */
}

static void
a_sweep_between_look_and_row_is_noticed(void **state)
{
	struct blob blob = stored_blob();

	(void)state;
	look(&blob, NOW);
	assert_true(sweep(NOW + 1));
	assert_int_equal(add(&blob, NOW + 2), ERROR_BUSY);
	assert_int_equal(add(&blob, NOW + LATER * 10), ERROR_BUSY); /* its bytes may be gone for good: they were stored before */
}

static void
an_upload_waits_until_the_deletion_has_ended(void **state)
{
	struct blob blob = stored_blob();

	(void)state;
	assert_true(sweep(NOW));
	look(&blob, NOW + 1);
	assert_int_equal(add(&blob, NOW + 2), ERROR_BUSY);
	assert_int_equal(add(&blob, NOW + FILE_SWEEP_TIME), ERROR_BUSY);
	look(&blob, NOW + LATER);
	assert_int_equal(add(&blob, NOW + LATER), ERROR_NONE);
}

static void
only_the_last_sweep_counts(void **state)
{
	struct blob blob = stored_blob();

	(void)state;
	assert_true(sweep(NOW));
	look(&blob, NOW + LATER);
	assert_true(sweep(NOW + LATER + 1));
	assert_int_equal(add(&blob, NOW + 3 * LATER), ERROR_BUSY);
	look(&blob, NOW + 3 * LATER);
	assert_int_equal(add(&blob, NOW + 3 * LATER), ERROR_NONE);
}

static void
a_program_with_the_old_place_adds_no_row(void **state)
{
	struct blob blob = stored_blob();

	(void)state;
	look(&blob, NOW);
	assert_int_equal(db_write_begin(db), DB_DONE);
	file_place(db, "s3://another");
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(add(&blob, NOW), ERROR_BUSY);
	assert_int_equal(db_write_begin(db), DB_DONE);
	file_place(db, "s3://bucket");
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_int_equal(add(&blob, NOW), ERROR_NONE);
}

#define test(name) cmocka_unit_test_setup(name, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(an_upload_before_the_sweep_is_seen_by_it),
		test(a_sweep_between_look_and_row_is_noticed),
		test(an_upload_waits_until_the_deletion_has_ended),
		test(only_the_last_sweep_counts),
		test(a_program_with_the_old_place_adds_no_row),
	};

	random_init();
	clock_init();
	db = school_open();
	int failed = cmocka_run_group_tests_name("file", tests, NULL, NULL);
	school_close(db);
	return failed;
}
