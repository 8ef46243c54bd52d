/*
 * store - what the tests of lib/store/sqlite share: a database for each test, and a simulated disk.
 * Two struct db in one process stand for two processes: SQLite and the writer lock both distinguish them.
 */
#ifndef OKUL_UNIT_STORE_H
#define OKUL_UNIT_STORE_H

#include "clock.h"
#include "db_admin.h"
#include "log.h"
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

/* ---- the simulated machine */

static bool disk_is_full;
static unsigned long full_pages = 4095;	/* free on a full disk */
static int syncs, sync_fails;	/* done so far; how many more succeed, negative: all */
static void (*on_sync)(void);

int
statvfs(const char *path, struct statvfs *disk)
{
	(void)path;
	*disk = (struct statvfs){ .f_frsize = 4096, .f_bavail = disk_is_full ? full_pages : 1000000 };
	return 0;
}

/* SQLite calls one or the other. */
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

static inline struct db *
open_db(enum db_mode mode, int version)
{
	why[0] = '\0';
	return db_open(folder, mode, version, why, sizeof(why));
}

static inline const char *
path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static inline int64_t
size_of(const char *name)
{
	struct stat st;

	return stat(path_of(name), &st) == 0 ? st.st_size : -1;
}

static inline int
set_up_folder(void **state)
{
	(void)state;
	disk_is_full = false;
	sync_fails = -1;
	on_sync = NULL;
	snprintf(folder, sizeof(folder), "/tmp/okul-unit-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static inline int
set_up(void **state)
{
	if (set_up_folder(state) != 0 || !db_create(folder, schema, why, sizeof(why)))
		return -1;
	db = open_db(DB_READ_WRITE, VERSION);
	other = open_db(DB_READ_WRITE, VERSION);
	return db && other ? 0 : -1;
}

static inline int
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

static inline void
write_one(struct db *on, const char *sql, struct args args)
{
	assert_int_equal(db_write_begin(on), DB_DONE);
	assert_int_equal(db_run(on, sql, args, NULL), DB_DONE);
	assert_int_equal(db_write_commit(on), DB_DONE);
	db_release(on);
}

static inline int64_t
number(struct db *on, const char *sql, struct args args)
{
	struct db_rows *row;

	assert_int_equal(db_one(on, &row, sql, args), DB_ROW);
	return db_int(row, 0);
}

static inline void
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

/* Begins a transaction in a child, which then waits to be killed. Returns its process id. */
static inline pid_t
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

static inline void
end_child(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define test_empty(function) cmocka_unit_test_setup_teardown(function, set_up_folder, tear_down)

/* Runs an array of tests. */
#define run_store_tests(tests) (clock_init(), log_init("unit", false, LOG_FATAL), cmocka_run_group_tests(tests, NULL, NULL))

#endif
