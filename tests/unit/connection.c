#include "store.h"

static void
a_missing_database_is_reported(void **state)
{
	(void)state;
	assert_null(open_db(DB_READ_WRITE, VERSION));
	assert_says("okulctl migrate");
	assert_int_equal(size_of("okul.db"), -1);
}

static void
a_file_that_is_no_database_is_reported(void **state)
{
	FILE *file = fopen(path_of("okul.db"), "w");

	(void)state;
	for (int i = 0; i < 1000; i++)
		fputs("no database ", file);
	fclose(file);
	assert_null(open_db(DB_READ_ONLY, VERSION));
	assert_says("not a SQLite database");
}

static void
another_version_is_refused(void **state)
{
	(void)state;
	assert_null(open_db(DB_READ_WRITE, VERSION + 1));
	assert_says("okulctl migrate");
	assert_null(open_db(DB_READ_WRITE, VERSION - 1));
	assert_says("of a newer okul, and this program knows only 6; install the newer okul again");
}

static void
a_reader_cannot_write(void **state)
{
	struct db *reader = open_db(DB_READ_ONLY, VERSION);

	(void)state;
	assert_int_equal(db_write_begin(reader), DB_ERROR);
	db_release(reader);
	assert_false(db_writable(reader));
	assert_int_equal(number(reader, count_sql, NO_ARGS), 3);
	db_close(reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test_empty(a_missing_database_is_reported),
		test_empty(a_file_that_is_no_database_is_reported),
		test(another_version_is_refused),
		test(a_reader_cannot_write),
	};

	return run_store_tests(tests);
}
