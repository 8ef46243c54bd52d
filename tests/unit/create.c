#include "store.h"

static void
a_new_database_is_private_and_in_wal_mode(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(path_of("okul.db"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	write_one(db, add_sql, ARGS("four", 4));
	assert_true(size_of("okul.db-wal") > 0);
	assert_int_equal(stat(path_of("okul.gate"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
a_database_is_not_overwritten(void **state)
{
	(void)state;
	assert_false(db_create(folder, schema, why, sizeof(why)));
	assert_says("exists");
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_broken_schema_creates_nothing(void **state)
{
	int files = 0;
	DIR *list;

	(void)state;
	assert_false(db_create(folder, "CREATE TABLE t (a INTEGER) STRICT; CREATE TABEL u (b)", why, sizeof(why)));
	assert_says("TABEL");
	list = opendir(folder);
	while (readdir(list))
		files++;
	closedir(list);
	assert_int_equal(files, 2);	/* . and .. */
}

static void
a_backup_is_adopted(void **state)
{
	char sql[200], saved[128];

	(void)state;
	snprintf(saved, sizeof(saved), "%s", path_of("saved"));
	snprintf(sql, sizeof(sql), "VACUUM INTO '%s'", saved);
	assert_int_equal(db_script(db, sql, true, why, sizeof(why)), DB_DONE);
	db_close(db);
	db_close(other);
	db = other = NULL;
	unlink(path_of("okul.db-wal"));
	assert_int_equal(rename(saved, path_of("okul.db")), 0);
	assert_null(open_db(DB_READ_WRITE, VERSION));
	assert_says("WAL");
	assert_true(db_adopt(folder, why, sizeof(why)));
	db = open_db(DB_READ_WRITE, VERSION);
	assert_non_null(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
the_shipped_schema_has_the_programs_version(void **state)
{
	static char text[1 << 20];
	FILE *file = fopen("schema.sql", "r");

	(void)state;
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	if (!db_create(folder, text, why, sizeof(why)))
		fail_msg("%s", why);
	db = open_db(DB_READ_ONLY, DB_SCHEMA_VERSION);
	assert_non_null(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_new_database_is_private_and_in_wal_mode),
		test(a_database_is_not_overwritten),
		test_empty(a_broken_schema_creates_nothing),
		test(a_backup_is_adopted),
		test_empty(the_shipped_schema_has_the_programs_version),
	};

	return run_store_tests(tests);
}
