/*
 * Two struct db in one process stand for two processes: SQLite and the gate both keep them apart.
 */
#include "db_admin.h"

#include "clock.h"
#include "log.h"
#include "text.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define VERSION 7
#define SECONDS(n) ((n) * INT64_C(1000000))

static const char schema[] =
	"PRAGMA user_version = 7;"
	"CREATE TABLE kind (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;"
	"CREATE TABLE item (pk INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, n INTEGER CHECK (n >= 0),"
	" kind TEXT REFERENCES kind (name), weight REAL, bytes BLOB) STRICT;"
	"INSERT INTO item (name, n) VALUES ('one', 1), ('two', 2), ('three', 3);";

static const char
	add_sql[] = "INSERT INTO item (name, n) VALUES (?1, ?2)",
	set_sql[] = "UPDATE item SET n = ?2 WHERE name = ?1",
	raise_sql[] = "UPDATE item SET n = n + 1 RETURNING name, n",
	n_sql[] = "SELECT n FROM item WHERE name = ?1",
	names_sql[] = "SELECT name FROM item ORDER BY pk",
	count_sql[] = "SELECT count(*) FROM item",
	sum_sql[] = "SELECT sum(n) FROM item",
	endless_sql[] = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT max(i) FROM c";

/* ---- the machine underneath, as the tests want it */

static bool disk_is_full;
static unsigned long full_pages = 4095;	/* free on a full disk */
static int syncs, sync_fails;	/* done so far; how many more succeed, below 0: all */
static void (*on_sync)(void);

int
statvfs(const char *path, struct statvfs *disk)
{
	(void)path;
	*disk = (struct statvfs){ .f_frsize = 4096, .f_bavail = disk_is_full ? full_pages : 1000000 };
	return 0;
}

/* SQLite syncs by one or the other. */
int
fsync(int file)
{
	void (*hook)(void) = on_sync;

	syncs++;
	on_sync = NULL;
	if (hook)
		hook();
	if (sync_fails == 0) {
		errno = EIO;
		return -1;
	}
	sync_fails--;
	return file < 0 ? -1 : 0;
}

int
fdatasync(int file)
{
	return fsync(file);
}

/* ---- a new database for each test */

static char folder[64], why[1024];
static struct db *db, *other;

static struct db *
open_db(enum db_mode mode, int version)
{
	why[0] = '\0';
	return db_open(folder, mode, version, why, sizeof(why));
}

static const char *
path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int64_t
size_of(const char *name)
{
	struct stat st;

	return stat(path_of(name), &st) == 0 ? st.st_size : -1;
}

static int
set_up_folder(void **state)
{
	(void)state;
	disk_is_full = false;
	sync_fails = -1;
	on_sync = NULL;
	snprintf(folder, sizeof(folder), "/tmp/okul-unit-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int
set_up(void **state)
{
	if (set_up_folder(state) != 0 || !db_create(folder, schema, why, sizeof(why)))
		return -1;
	db = open_db(DB_READ_WRITE, VERSION);
	other = open_db(DB_READ_WRITE, VERSION);
	return db && other ? 0 : -1;
}

static int
tear_down(void **state)
{
	DIR *list = opendir(folder);
	struct dirent *entry;

	(void)state;
	db_close(db);
	db_close(other);
	db = other = NULL;
	while (list && (entry = readdir(list)))
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	return rmdir(folder);
}

static void
write_one(struct db *on, const char *sql, struct args args)
{
	assert_int_equal(db_write_begin(on), DB_DONE);
	assert_int_equal(db_run(on, sql, args, NULL), DB_DONE);
	assert_int_equal(db_write_commit(on), DB_DONE);
	db_release(on);
}

static int64_t
number(struct db *on, const char *sql, struct args args)
{
	struct db_rows *row;

	assert_int_equal(db_one(on, &row, sql, args), DB_ROW);
	return db_int(row, 0);
}

static void
script(const char *sql)
{
	if (db_script(other, sql, false, why, sizeof(why)) != DB_DONE)
		fail_msg("%s: %s", sql, why);
	db_release(other);
}

#define assert_says(part) \
	do { \
		if (!strstr(why, part)) \
			fail_msg("\"%s\" is not in: %s", part, why); \
	} while (0)

/* ---- making and opening */

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
a_database_is_not_made_over_another(void **state)
{
	(void)state;
	assert_false(db_create(folder, schema, why, sizeof(why)));
	assert_says("exists");
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_broken_schema_makes_nothing(void **state)
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
what_is_missing_is_said(void **state)
{
	(void)state;
	assert_null(open_db(DB_READ_WRITE, VERSION));
	assert_says("okulctl migrate");
	assert_int_equal(size_of("okul.db"), -1);
}

static void
what_is_no_database_is_said(void **state)
{
	FILE *file = fopen(path_of("okul.db"), "w");

	(void)state;
	for (int i = 0; i < 1000; i++)
		fputs("no database ", file);
	fclose(file);
	assert_null(open_db(DB_READ_ONLY, VERSION));
	assert_says("no SQLite database");
}

static void
another_version_is_refused(void **state)
{
	(void)state;
	assert_null(open_db(DB_READ_WRITE, VERSION + 1));
	assert_says("okulctl migrate");
	assert_null(open_db(DB_READ_WRITE, VERSION - 1));
	assert_says("which a newer okul gave it, and this program knows only 6; install the newer okul again");
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

/* ---- statements */

static void
values_come_back_as_they_went(void **state)
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
a_statement_starts_anew_with_other_values(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(number(db, n_sql, ARGS("one")), 1);
	assert_int_equal(number(db, n_sql, ARGS("three")), 3);
	assert_int_equal(db_one(db, &row, n_sql, ARGS("four")), DB_DONE);
	assert_int_equal(number(db, n_sql, ARGS("two")), 2);
}

static void
many_statements_are_told_apart(void **state)
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

/* ---- failures */

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
a_failure_inside_a_transaction_undoes_it(void **state)
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
a_taken_name_does_not_stick(void **state)
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
add_last(struct db *on)
{
	(void)!db_run(on, add_sql, ARGS("last", 9), NULL);
}

static void
a_last_step_is_part_of_its_transaction_alone(void **state)
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

static void
a_transaction_that_was_left_open_is_undone(void **state)
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
a_long_read_is_stopped(void **state)
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
	/* Looked at once a second. */
	usleep(1100 * 1000);
	assert_true(db_writable(db));
	write_one(db, add_sql, ARGS("four", 4));
}

/* What makes room must not be refused for want of it, down to the last 4 MiB. */
static void
a_disk_that_is_nearly_full_lets_deletions_through(void **state)
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
nobody_writes_any_more(struct db *on, const char *whose)
{
	check(!db_writable(on), whose);
	check(db_write_begin(on) == DB_BROKEN, whose);
	db_release(on);
	check(number(on, count_sql, NO_ARGS) >= 3, whose);
	db_release(on);
}

/* The first sync of a WAL is that of its header, inside the commit; then one a commit, behind it; then those of checkpoints. */
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
		/* A folder is synced with the first sync of each connection; here, none of them has had it. */
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

/* What it reads then is what is on the disk. */
static void
a_machine_started_anew_writes_again(void **state)
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

/* Whatever it holds else: who wrote that is unknown. */
static void
a_sign_that_nobody_can_read_shuts_the_gate(void **state)
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

/* While one waits for the disk the next one writes, and each waits for itself. */
static void
a_sync_does_not_keep_others_out(void **state)
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

/* The kernel tells both, since both had the WAL open. */
static void
all_who_sync_learn_of_a_failure(void **state)
{
	(void)state;
	write_one(db, add_sql, ARGS("four", 4));
	write_one(other, set_sql, ARGS("one", 1));
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, add_sql, ARGS("six", 6), NULL), DB_DONE);
	on_sync = fail_another;
	assert_int_equal(db_write_commit(db), DB_BROKEN);
}

/* It may say "done" because of what another has not synced yet, or never will. */
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
an_overtaken_program_does_not_write(void **state)
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
	/* It left the gate. */
	db_close(other);
	other = open_db(DB_READ_WRITE, 8);
	write_one(other, "DELETE FROM item", NO_ARGS);
}

static void
every_result_has_a_reason(void **state)
{
	(void)state;
	for (enum db_rc rc = DB_DONE; rc <= DB_ERROR; rc++)
		for (enum db_rc k = DB_TAKEN; k < rc; k++)
			assert_string_not_equal(db_reason(rc), db_reason(k));
}

/* ---- snapshots */

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
a_statement_started_again_keeps_the_snapshot(void **state)
{
	(void)state;
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	write_one(other, add_sql, ARGS("four", 4));
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
	db_release(db);
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

static void
a_write_transaction_sees_what_it_wrote_and_the_newest_else(void **state)
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
rows_end_where_a_write_begins(void **state)
{
	struct db_rows *row;

	(void)state;
	assert_int_equal(db_one(db, &row, names_sql, NO_ARGS), DB_ROW);
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_null(db_text(row, 0));
	assert_int_equal(db_next(row), DB_ERROR);
	db_write_rollback(db);
}

/* Else a writer that waits at the gate would keep the WAL from being emptied. */
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

static void
rows_left_running_do_not_hinder_the_commit(void **state)
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

/* ---- the gate */

static void
the_gate_lets_one_in(void **state)
{
	int64_t start;
	sigset_t all;

	(void)state;
	/* As a careless supervisor may leave it. */
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

/* Begins a transaction in a child, which then waits to be killed. Gives its process id. */
static pid_t
write_in_child(void)
{
	int ready[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		struct db *mine = open_db(DB_READ_WRITE, VERSION);

		if (mine && db_write_begin(mine) == DB_DONE && db_run(mine, add_sql, ARGS("four", 4), NULL) == DB_DONE &&
		    write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void
end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* ---- a writer that knows nothing of the gate */

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

/* SQLite's write lock, kept for so long by a child that is another SQLite shell. Gives its process id. */
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
a_foreign_lock_of_a_second_is_waited_out(void **state)
{
	pid_t child = lock_in_child(SECONDS(1));

	(void)state;
	write_one(db, add_sql, ARGS("four", 4));
	waitpid(child, NULL, 0);
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

/* Gate and lock have two seconds together. */
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

		(void)!db_write_begin(mine);	/* waits for the lock behind the gate, 2 s */
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

static void
whether_a_write_can_begin_is_tried(void **state)
{
	int64_t start = clock_ticks();

	(void)state;
	assert_true(db_try_write(db));
	pid_t child = write_in_child();
	assert_true(db_writable(db));
	assert_true(db_try_write(db));	/* what it saw less than a second ago */
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
	/* A migration went by. */
	assert_int_equal(db_script(other, "PRAGMA user_version = 99", false, why, sizeof(why)), DB_DONE);
	usleep(1100 * 1000);
	assert_false(db_try_write(db));
	assert_int_equal(db_failure(db), DB_DONE);
}

/* The child opens the files itself: locks must not be shared by fork(). */
static void
a_killed_writer_leaves_the_gate(void **state)
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
a_waiting_writer_goes_on_when_the_gate_opens(void **state)
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

/* ---- checkpoints */

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

/* Reads in a child for as long as it lives, each for some milliseconds. */
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

/* Some reader is always there, none stays. */
static void
the_wal_begins_anew_under_readers(void **state)
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

/* A reader that stays costs each writer one wait, not one a commit. */
static void
a_long_read_does_not_hold_up_commits(void **state)
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

/* Else each commit pays two syncs more as long as there are readers, who keep the WAL from beginning anew. */
static void
a_checkpoint_is_not_made_with_each_commit(void **state)
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
a_checkpoint_empties_the_wal(void **state)
{
	(void)state;
	grow_wal(db, 1);
	assert_true(size_of("okul.db-wal") > 0);
	assert_int_equal(db_trim(db), DB_DONE);
	assert_int_equal(size_of("okul.db-wal"), 0);
}

/* ---- scripts */

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
		assert_says("have no place here");
		check(db_script(db, sql[i], false, why, sizeof(why)) != DB_DONE, sql[i]);
	}
	assert_int_equal(number(db, count_sql, NO_ARGS), 3);
}

static void
a_loose_script_leaves_nothing_open(void **state)
{
	(void)state;
	assert_int_equal(db_script(db, "VACUUM", true, why, sizeof(why)), DB_DONE);
	assert_int_equal(db_script(db, "BEGIN IMMEDIATE; DELETE FROM item", true, why, sizeof(why)), DB_ERROR);
	assert_says("rolled back");
	write_one(other, add_sql, ARGS("four", 4));
	assert_int_equal(number(db, count_sql, NO_ARGS), 4);
}

static void
a_shell_shows_rows_and_reads_past_the_gate(void **state)
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
a_shell_may_take_its_time(void **state)
{
	static const char sql[] = "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 50000)"
		" SELECT i FROM c WHERE i % 20000 = 0";
	int count = 0;

	(void)state;
	assert_int_equal(db_shell(db, sql, false, be_slow, &count, why, sizeof(why)), DB_DONE);
	assert_int_equal(count, 2);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define test_empty(function) cmocka_unit_test_setup_teardown(function, set_up_folder, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_new_database_is_private_and_in_wal_mode),
		test(a_database_is_not_made_over_another),
		test_empty(a_broken_schema_makes_nothing),
		test_empty(what_is_missing_is_said),
		test_empty(what_is_no_database_is_said),
		test(another_version_is_refused),
		test(a_backup_is_adopted),
		test_empty(the_shipped_schema_has_the_programs_version),
		test(values_come_back_as_they_went),
		test(an_empty_blob_is_not_null),
		test(a_statement_starts_anew_with_other_values),
		test(many_statements_are_told_apart),
		test(changed_rows_are_counted),
		test(wrong_sql_is_found_by_preparing),
		test(double_quotes_are_names_only),
		test(full_scans_are_counted_unless_marked),
		test(misuse_sticks_until_the_release),
		test(a_failure_inside_a_transaction_undoes_it),
		test(a_taken_name_does_not_stick),
		test(a_last_step_is_part_of_its_transaction_alone),
		test(constraints_are_refused),
		test(only_a_write_transaction_writes),
		test(a_reader_cannot_write),
		test(a_transaction_that_was_left_open_is_undone),
		test(a_long_read_is_stopped),
		test(a_full_disk_stops_writes_only),
		test(a_disk_that_is_nearly_full_lets_deletions_through),
		test(a_failed_sync_is_final),
		test(a_machine_started_anew_writes_again),
		test(a_sign_that_nobody_can_read_shuts_the_gate),
		test(a_sync_does_not_keep_others_out),
		test(all_who_sync_learn_of_a_failure),
		test(a_commit_without_a_change_is_synced_too),
		test(an_overtaken_program_does_not_write),
		test(every_result_has_a_reason),
		test(a_row_holds_the_snapshot),
		test(rows_read_to_the_end_hold_the_snapshot),
		test(a_statement_started_again_keeps_the_snapshot),
		test(a_write_transaction_sees_what_it_wrote_and_the_newest_else),
		test(rows_end_where_a_write_begins),
		test(a_writer_holds_no_snapshot),
		test(rows_left_running_do_not_hinder_the_commit),
		test(the_gate_lets_one_in),
		test(a_foreign_lock_of_a_second_is_waited_out),
		test(a_foreign_lock_is_waited_for_two_seconds_in_all),
		test(whether_a_write_can_begin_is_tried),
		test(a_killed_writer_leaves_the_gate),
		test(a_waiting_writer_goes_on_when_the_gate_opens),
		test(the_wal_stays_small),
		test(the_wal_shrinks_after_a_long_read),
		test(the_wal_begins_anew_under_readers),
		test(a_long_read_does_not_hold_up_commits),
		test(a_checkpoint_is_not_made_with_each_commit),
		test(a_checkpoint_empties_the_wal),
		test(a_script_is_all_or_nothing),
		test(a_script_joins_the_open_transaction),
		test(a_script_cannot_end_its_transaction),
		test(a_loose_script_leaves_nothing_open),
		test(a_shell_shows_rows_and_reads_past_the_gate),
		test(a_shell_may_take_its_time),
	};

	clock_init();
	log_init("unit", false, LOG_FATAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
