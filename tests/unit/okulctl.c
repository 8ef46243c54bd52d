/*
 * okulctl as an operator uses it: the program itself, on data folders of the tests.
 */
#include "clock.h"
#include "buf.h"
#include "conf.h"
#include "db_admin.h"
#include "log.h"
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* With characters that shells and SQL interpret. */
#define DATA_NAME "the school's data"

/* The folder of the test: DATA, and share/ as installed. */
static char top[64], data[100], share[80], output[16384], why[1024];

static void
put_text(const char *name, const char *text)
{
	put_file(top, name, text, strlen(text));
}

static bool
has_file(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return access(path, F_OK) == 0;
}

static unsigned
mode_of(const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

/* The program beside the folder of this one. */
static const char *
okulctl(void)
{
	static char path[PATH_MAX + 16];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);

	path[length > 0 ? length : 0] = '\0';
	for (int i = 0; i < 2; i++)
		*strrchr(path, '/') = '\0';
	memcpy(path + strlen(path), "/okulctl", sizeof("/okulctl"));
	return path;
}

/* Runs it with up to 6 arguments. Returns the exit code; `output` gets what it printed. */
static int
run(const char *const *arguments)
{
	const char *argv[10] = { "okulctl", "-d", data };
	int ends[2], status = 0;
	size_t length = 0;
	ssize_t n;
	pid_t child;

	for (size_t i = 0; i < 6 && arguments[i]; i++)
		argv[i + 3] = arguments[i];
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		int null = open("/dev/null", O_RDONLY);

		dup2(null, STDIN_FILENO);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		setenv("OKUL_SHARE", share, 1);
		execv(okulctl(), (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	while ((n = read(ends[0], output + length, sizeof(output) - 1 - length)) > 0)
		length += (size_t)n;
	output[length] = '\0';
	close(ends[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

#define assert_output(part) \
	do { \
		if (!strstr(output, part)) \
			fail_msg("\"%s\" is not in: %s", part, output); \
	} while (0)

#define assert_run(code, ...) \
	do { \
		int code_ = RUN(__VA_ARGS__); \
		if (code_ != (code)) \
			fail_msg("exit code %d: %s", code_, output); \
	} while (0)

static int
set_up(void **state)
{
	char path[140];

	(void)state;
	snprintf(top, sizeof(top), "/tmp/okul-unit-XXXXXX");
	if (!mkdtemp(top))
		return -1;
	snprintf(data, sizeof(data), "%s/" DATA_NAME, top);
	snprintf(share, sizeof(share), "%s/share", top);
	snprintf(path, sizeof(path), "%s/migrate", share);
	return mkdir(share, 0700) == 0 && mkdir(path, 0700) == 0 ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

static int
tear_down(void **state)
{
	(void)state;
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The first column of the first row of a statement on DATA's database. */
static int64_t
number(const char *sql)
{
	struct db *db = db_open(data, DB_READ_ONLY, 0, why, sizeof(why));
	struct db_rows *row;
	int64_t result = -1;

	if (!db)
		fail_msg("%s", why);
	if (db_one(db, &row, sql, NO_ARGS) == DB_ROW)
		result = db_int(row, 0);
	db_close(db);
	return result;
}

/* ---- migrate */

#define OLD \
	"PRAGMA user_version = 1;\n" \
	"CREATE TABLE person (pk INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT; -- people\n" \
	"CREATE TABLE pet (pk INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES person (pk) ON DELETE CASCADE) STRICT;\n"

#define NEW \
	"PRAGMA user_version = 3;\n" \
	"-- People, and since when we know them.\n" \
	"CREATE TABLE person (\n\tpk INTEGER PRIMARY KEY,\n\tname TEXT NOT NULL CHECK (name <> ''),\n" \
	"\tborn INTEGER -- a year\n) STRICT;\n" \
	"CREATE INDEX person_name ON person (name);\n" \
	"CREATE TABLE pet (pk INTEGER PRIMARY KEY, owner INTEGER NOT NULL REFERENCES person (pk) ON DELETE CASCADE) STRICT;\n"

#define STEP_2 "ALTER TABLE person ADD COLUMN born INTEGER;\nCREATE INDEX person_name ON person (name);\n"

/* A table is created again under its old name: with foreign keys enforced, DROP TABLE would delete the pets. */
#define STEP_3 \
	"CREATE TABLE person_new (pk INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''), born INTEGER) STRICT;\n" \
	"INSERT INTO person_new SELECT pk, name, born FROM person;\n" \
	"DROP TABLE person;\nALTER TABLE person_new RENAME TO person;\nCREATE INDEX person_name ON person (name);\n"

/* DATA with a database of version 1 and some rows, and the files that lead to version 3. */
static int
set_up_old(void **state)
{
	static const char rows[] = "INSERT INTO person (name) VALUES ('Ada'), ('Alan'); INSERT INTO pet (owner) VALUES (1), (2)";

	if (set_up(state) != 0 || mkdir(data, 0700) != 0 || !db_create(data, OLD, why, sizeof(why)))
		return -1;
	struct db *db = db_open(data, DB_READ_WRITE, 1, why, sizeof(why));
	enum db_rc rc = db ? db_script(db, rows, false, why, sizeof(why)) : DB_ERROR;
	db_close(db);
	put_text("share/schema.sql", NEW);
	put_text("share/migrate/0002-born.sql", STEP_2);
	put_text("share/migrate/0003-name-not-empty.sql", STEP_3);
	return rc == DB_DONE ? 0 : -1;
}

/* Appends SQL without comments, quotes and the white space that means nothing. */
static void
put_normalised(struct buf *out, const char *sql)
{
	for (; *sql; sql++) {
		if (sql[0] == '-' && sql[1] == '-') {
			sql += strcspn(sql, "\n");
			if (!*sql)
				break;
		}
		bool space = strchr(" \t\n", *sql) != NULL;
		bool after = out->length == 0 || strchr(" (,", out->s[out->length - 1]);
		if (*sql == '"' || (space && after))
			continue;
		if (strchr("(),", *sql) && out->length > 0 && out->s[out->length - 1] == ' ')
			out->length--;
		buf_putc(out, space ? ' ' : *sql);
	}
	buf_putc(out, '\n');
}

/* What a database is made of, as one text, malloc'd. */
static char *
shape_of(const char *folder)
{
	struct db *db = db_open(folder, DB_READ_ONLY, 0, why, sizeof(why));
	struct buf out = { 0 };
	struct db_rows *rows;

	if (!db || db_query(db, &rows, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name", NO_ARGS))
		fail_msg("%s", why);
	while (db_next(rows) == DB_ROW)
		put_normalised(&out, db_text(rows, 0));
	db_close(db);
	return out.s;
}

/* DATA's database has the shape of a new one made from a schema. */
static void
assert_shape(const char *schema)
{
	char folder[120];
	char *found, *wanted;

	snprintf(folder, sizeof(folder), "%s/new", top);
	assert_int_equal(mkdir(folder, 0700), 0);
	if (!db_create(folder, schema, why, sizeof(why)))
		fail_msg("%s", why);
	found = shape_of(data);
	wanted = shape_of(folder);
	assert_string_equal(found, wanted);
	free(found);
	free(wanted);
}

static void
migrate_makes_folder_and_database(void **state)
{
	(void)state;
	put_text("share/schema.sql", NEW);
	assert_run(0, "migrate");
	assert_output("keys.conf: made\n");
	assert_int_equal(mode_of(DATA_NAME), 0700);
	assert_int_equal(mode_of(DATA_NAME "/okul.db"), 0600);
	assert_int_equal(number("PRAGMA user_version"), 3);
	assert_shape(NEW);
	assert_run(0, "migrate");
	assert_output("has version 3 already");
	assert_null(strstr(output, "keys.conf"));
}

/* As where a database was restored without them: no program makes new ones in silence, which would log everybody out. */
static void
only_migrate_makes_keys(void **state)
{
	char path[140];

	(void)state;
	assert_run(0, "migrate");
	snprintf(path, sizeof(path), "%s/keys.conf", data);
	assert_int_equal(unlink(path), 0);
	assert_run(1, "check");
	assert_output("keys.conf is missing; restore it from a backup");
	assert_run(78, "sql", "SELECT 1");
	assert_output("keys.conf is missing; restore it from a backup");
	assert_int_not_equal(access(path, F_OK), 0);
	assert_run(0, "migrate");
	assert_output("keys.conf: made; all users have to log in again");
	assert_int_equal(mode_of(DATA_NAME "/keys.conf"), 0600);
}

static void
migrate_waits_for_another(void **state)
{
	int folder, status = -1;
	pid_t child;

	(void)state;
	folder = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(folder, LOCK_EX), 0);
	child = fork();
	if (child == 0)
		_exit(RUN("migrate"));
	usleep(300000);
	assert_int_equal(number("PRAGMA user_version"), 1);
	flock(folder, LOCK_UN);
	close(folder);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(number("PRAGMA user_version"), 3);
}

static void
migrate_takes_every_step(void **state)
{
	(void)state;
	assert_run(0, "migrate");
	assert_int_equal(number("PRAGMA user_version"), 3);
	assert_int_equal(number("SELECT count(*) FROM person"), 2);
	assert_int_equal(number("SELECT count(*) FROM pet JOIN person ON person.pk = pet.owner"), 2);
	assert_shape(NEW);
}

static void
migrate_saves_the_old_database(void **state)
{
	char path[140], backup[140];

	(void)state;
	assert_run(0, "migrate");
	assert_int_equal(mode_of(DATA_NAME "/backup-before-migrate-1.db"), 0600);
	assert_false(has_file(DATA_NAME "/backup-before-migrate-1.db.new"));
	/* Put back, it is taken to the new version again. */
	snprintf(backup, sizeof(backup), "%s/backup-before-migrate-1.db", data);
	for (const char *const *name = (const char *const[]){ "okul.db-wal", "okul.db-shm", NULL }; *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", data, *name);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/okul.db", data);
	assert_int_equal(rename(backup, path), 0);
	assert_run(0, "migrate");
	assert_int_equal(number("PRAGMA user_version"), 3);
	assert_int_equal(number("SELECT count(*) FROM pet"), 2);
}

static void
a_step_that_fails_is_undone(void **state)
{
	(void)state;
	put_text("share/migrate/0003-name-not-empty.sql", "DROP TABLE pet; CREATE TABLE pet (a INTEGER) STRICT; SELECT nonsense");
	assert_run(1, "migrate");
	assert_output("no such column: nonsense");
	assert_output("has version 2 still");
	assert_int_equal(number("PRAGMA user_version"), 2);
	assert_int_equal(number("SELECT count(*) FROM pet"), 2);
	/* After it was fixed the rest is done. */
	put_text("share/migrate/0003-name-not-empty.sql", STEP_3);
	assert_run(0, "migrate");
	assert_true(has_file(DATA_NAME "/backup-before-migrate-2.db"));
	assert_shape(NEW);
}

static void
a_step_that_orphans_rows_is_undone(void **state)
{
	(void)state;
	put_text("share/migrate/0003-name-not-empty.sql", "DELETE FROM person WHERE pk = 1");
	assert_run(1, "migrate");
	assert_output("table pet: 1 rows refer to nothing");
	assert_int_equal(number("PRAGMA user_version"), 2);
	assert_int_equal(number("SELECT count(*) FROM person"), 2);
}

static void
a_step_cannot_commit_halfway(void **state)
{
	(void)state;
	put_text("share/migrate/0003-name-not-empty.sql", "DELETE FROM pet; COMMIT");
	assert_run(1, "migrate");
	assert_output("are not allowed here");
	assert_int_equal(number("SELECT count(*) FROM pet"), 2);
}

static void
a_gap_between_versions_changes_nothing(void **state)
{
	(void)state;
	put_text("share/schema.sql", "PRAGMA user_version = 4;");
	assert_run(EXIT_CONFIG, "migrate");
	assert_output("0004-*.sql");
	assert_int_equal(number("PRAGMA user_version"), 1);
	assert_false(has_file(DATA_NAME "/backup-before-migrate-1.db"));
}

static void
a_newer_database_is_not_changed(void **state)
{
	(void)state;
	put_text("share/schema.sql", "PRAGMA user_version = 3;");
	assert_run(0, "migrate");
	put_text("share/schema.sql", "PRAGMA user_version = 2;");
	assert_run(EXIT_CONFIG, "migrate");
	assert_output("version 3, which a newer okul gave it, and this one knows only 2");
	assert_output("Install the newer okul again");
	assert_int_equal(number("PRAGMA user_version"), 3);
}

/* ---- the shipped schema */

static char *
text_of(const char *path)
{
	static char text[1 << 20];
	FILE *file = fopen(path, "r");

	if (!file)
		fail_msg("%s is missing", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

/* share/ as it is shipped. */
static void
use_shipped_share(void)
{
	char path[PATH_MAX];

	assert_non_null(getcwd(path, sizeof(path)));
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "/conf/migrate");
	put_text("share/schema.sql", text_of("schema.sql"));
	snprintf(share + strlen(share), sizeof(share) - strlen(share), "/migrate");
	assert_int_equal(rmdir(share), 0);
	assert_int_equal(symlink(path, share), 0);
	*strrchr(share, '/') = '\0';
}

/*
 * tests/unit/schema/NNNN.sql is schema.sql as it was at version NNNN; the newest is schema.sql itself. A version without a file
 * is passed through on the way from the first.
 */
static void
every_old_schema_grows_into_the_shipped_one(void **state)
{
	char path[64];

	for (int version = 1; version <= DB_SCHEMA_VERSION; version++) {
		snprintf(path, sizeof(path), "tests/unit/schema/%04d.sql", version);
		if (version > 1 && version < DB_SCHEMA_VERSION && access(path, F_OK) != 0)
			continue;
		assert_int_equal(set_up(state), 0);
		use_shipped_share();
		assert_int_equal(mkdir(data, 0700), 0);
		if (!db_create(data, text_of(version < DB_SCHEMA_VERSION ? path : "schema.sql"), why, sizeof(why)))
			fail_msg("%s: %s", path, why);
		assert_run(0, "migrate");
		assert_int_equal(number("PRAGMA user_version"), DB_SCHEMA_VERSION);
		assert_shape(text_of("schema.sql"));
		assert_int_equal(tear_down(state), 0);
	}
}

static void
no_step_goes_beyond_the_shipped_schema(void **state)
{
	char pattern[64];
	glob_t found;

	(void)state;
	snprintf(pattern, sizeof(pattern), "conf/migrate/%04d-*.sql", DB_SCHEMA_VERSION + 1);
	if (glob(pattern, 0, NULL, &found) == 0)
		fail_msg("%s: PRAGMA user_version of schema.sql is still %d", found.gl_pathv[0], DB_SCHEMA_VERSION);
}

static void
users_of_version_1_are_counted(void **state)
{
	bool made;
	static const char users[] =
		"WITH made (i, registered) AS (VALUES (1, 5), (2, NULL), (3, 7), (900001, 1), (86400000 * 20, NULL))"
		" INSERT INTO user (id, email, timezone, registered_at, created_at, updated_at)"
		" SELECT i, i || '@example.com', 'UTC', registered, i, 0 FROM made";

	(void)state;
	use_shipped_share();
	assert_int_equal(mkdir(data, 0700), 0);
	if (!db_create(data, text_of("tests/unit/schema/0001.sql"), why, sizeof(why)))
		fail_msg("%s", why);
	if (!conf_make_keys(data, &made, why, sizeof(why)))
		fail_msg("%s", why);
	assert_run(0, "sql", users);
	assert_run(0, "migrate");
	assert_int_equal(number("SELECT n FROM tally WHERE name = 'registration'"), 3);
	assert_int_equal(number("SELECT count(*) FROM time_tally"), 5);
	assert_int_equal(number("SELECT users FROM time_tally WHERE span = 86400000 AND number = 0"), 4);
	assert_int_equal(number("SELECT users FROM time_tally WHERE span = 86400000 AND number = 20"), 1);
	assert_int_equal(number("SELECT users FROM time_tally WHERE span = 900000 AND number = 0"), 3);
	assert_int_equal(number("SELECT users FROM time_tally WHERE span = 900000 AND number = 1"), 1);
	assert_int_equal(number("SELECT users FROM time_tally WHERE span = 900000 AND number = 20 * 96"), 1);
	assert_run(0, "sql", "DELETE FROM users");
	assert_int_equal(number("SELECT sum(users) + (SELECT n FROM tally WHERE name = 'registration') FROM time_tally"), 0);
}

/* The folding of version 2 left these letters unchanged, in rows and in the index of users. */
static void
what_version_2_folded_is_folded_again(void **state)
{
	static const char rows[] =
		"INSERT INTO user (pk, id, email, name, surname, timezone, created_at, updated_at)"
		" VALUES (7, 'a', 'ng@example.com', 'Nguyễn', 'Thị', 'UTC', 1, 1), (8, 'b', 'b@example.com', NULL, NULL, 'UTC', 1, 1);"
		"INSERT INTO user_text (user_text) VALUES ('delete-all');"
		"INSERT INTO user_text (rowid, folded) VALUES (7, 'nguyễn thị ng@example.com'), (8, 'b@example.com');"
		"DELETE FROM user_reindex;"
		"INSERT INTO course (id, title, description, language, created_at, updated_at) VALUES ('c', 'Nguyễn', 'Thị', 'tr', 1, 1);"
		"INSERT INTO test_version (pk, test, test_id, title, target_language, level_ranges, answer_key, questions)"
		" VALUES (1, 1, 't', 'Nguyễn', 'en', '[]', x'', '[]');"
		"INSERT INTO test (pk, id, version, title, target_language, question_count, created_at, updated_at, folded, description)"
		" VALUES (1, 't', 1, 'Nguyễn', 'en', 1, 1, 1, 'nguyễn', 'Thị');"
		"INSERT INTO contact (id, full_name, email, language, created_at, sort_name, folded, message, subject)"
		" VALUES ('q', 'Nguyễn', 'n@example.com', 'en', 1, 'nguyễn', 'nguyễn', 'Thị', NULL);"
		"INSERT INTO material (id, title, locale, created_at, updated_at, folded, description)"
		" VALUES ('m', 'Nguyễn', 'en', 1, 1, 'nguyễn', 'Thị');"
		"UPDATE user SET sort_name = lower(sort_name); UPDATE course SET sort_title = 'nguyễn', folded = 'nguyễn thị';";
	bool made;

	(void)state;
	use_shipped_share();
	assert_int_equal(mkdir(data, 0700), 0);
	if (!db_create(data, text_of("tests/unit/schema/0002.sql"), why, sizeof(why)))
		fail_msg("%s", why);
	if (!conf_make_keys(data, &made, why, sizeof(why)))
		fail_msg("%s", why);
	assert_run(0, "sql", rows);
	assert_run(0, "migrate");
	assert_int_equal(number("SELECT count(*) FROM users WHERE sort_name = 'nguyen thi' AND folded = 'nguyen thi ng@example.com'"), 1);
	assert_int_equal(number("SELECT count(*) FROM users WHERE sort_name = '' AND folded = 'b@example.com'"), 1);
	assert_int_equal(number("SELECT rowid FROM user_text WHERE user_text MATCH 'nguyen'"), 7);
	assert_int_equal(number("SELECT count(*) FROM user_text WHERE user_text MATCH 'example'"), 2);
	assert_int_equal(number("SELECT count(*) FROM course WHERE sort_title = 'nguyen' AND folded = 'nguyen thi'"), 1);
	assert_int_equal(number("SELECT count(*) FROM test WHERE folded = 'nguyen thi'"), 1);
	assert_int_equal(number("SELECT count(*) FROM contact WHERE sort_name = 'nguyen' AND folded = 'nguyen n@example.com thi'"), 1);
	assert_int_equal(number("SELECT count(*) FROM material WHERE folded = 'nguyen thi'"), 1);
	assert_run(0, "sql", "UPDATE users SET name = 'Ada' WHERE pk = 7");
	assert_int_equal(number("SELECT count(*) FROM user_text WHERE user_text MATCH 'nguyen'"), 0);
	assert_int_equal(number("SELECT rowid FROM user_text WHERE user_text MATCH 'ada'"), 7);
	assert_run(0, "sql", "DELETE FROM users WHERE pk = 7");
	assert_run(0, "sql", "INSERT INTO user_text (user_text) VALUES ('integrity-check')");
	assert_int_equal(number("SELECT count(*) FROM user_text WHERE user_text MATCH 'example'"), 1);
}

/* As if a later version of the library folded a letter differently from the version that wrote the row and the index. */
static void
the_index_deletes_what_was_written(void **state)
{
	(void)state;
	assert_run(0, "sql", "INSERT INTO users (pk, id, email, timezone, created_at, updated_at) VALUES (7, 'a', 'ng@b.de', 'UTC', 1, 1)");
	assert_run(0, "sql", "UPDATE users SET folded = 'unlike ng@b.de'; INSERT INTO user_text (user_text) VALUES ('delete-all');"
		"INSERT INTO user_text (rowid, folded) VALUES (7, 'unlike ng@b.de')");
	assert_run(0, "sql", "UPDATE users SET name = 'Ada'");
	assert_int_equal(number("SELECT count(*) FROM user_text WHERE user_text MATCH 'unlike'"), 0);
	assert_int_equal(number("SELECT rowid FROM user_text WHERE user_text MATCH 'ada'"), 7);
	assert_run(0, "sql", "UPDATE users SET folded = 'unlike'; INSERT INTO user_text (user_text) VALUES ('delete-all');"
		"INSERT INTO user_text (rowid, folded) VALUES (7, 'unlike')");
	assert_run(0, "sql", "DELETE FROM users");
	assert_int_equal(number("SELECT count(*) FROM user_text WHERE user_text MATCH 'unlike'"), 0);
}

static void
sessions_of_version_2_end_180_days_after_their_login(void **state)
{
	bool made;
	static const char sessions[] =
		"INSERT INTO user (id, email, is_active, timezone, created_at, updated_at)"
		" VALUES ('1', 'a@example.com', 1, 'UTC', 0, 0), ('2', 'b@example.com', 0, 'UTC', 0, 0);"
		"INSERT INTO session (id, user, seed, rotated_at, created_at, last_used_at, expires_at)"
		" VALUES ('old', 1, x'00', 1, 1000, 1, 15552001001), ('new', 1, x'00', 1, 1000, 1, 15552000999),"
		" ('gone', 2, x'00', 1, 1000, 1, 15552000999)";

	(void)state;
	use_shipped_share();
	assert_int_equal(mkdir(data, 0700), 0);
	if (!db_create(data, text_of("tests/unit/schema/0002.sql"), why, sizeof(why)) ||
	    !conf_make_keys(data, &made, why, sizeof(why)))
		fail_msg("%s", why);
	assert_run(0, "sql", sessions);
	assert_run(0, "migrate");
	assert_int_equal(number("SELECT expires_at FROM session WHERE id = 'old' AND recent = '[]'"), 15552001000);
	assert_int_equal(number("SELECT expires_at FROM session WHERE id = 'new' AND recent = '[]'"), 15552000999);
	/* That of a deactivated user is gone: reactivation would restore it. */
	assert_int_equal(number("SELECT count(*) FROM session"), 2);
}

static int
set_up_shipped(void **state)
{
	if (set_up(state) != 0)
		return -1;
	use_shipped_share();
	return RUN("migrate");
}

/* ---- user */

static void
user_add_makes_a_user(void **state)
{
	(void)state;
	assert_run(0, "user", "add", "Ada@Example.COM", "--role", "admin", "--language=tr");
	assert_int_equal(number("SELECT count(*) FROM users WHERE email = 'ada@example.com' AND role = 'admin'"
		" AND language = 'tr' AND timezone = 'Europe/Istanbul' AND registered_at IS NULL AND is_active"
		" AND length(id) = 24 AND created_at = updated_at AND created_at > 1700000000000"), 1);
	assert_run(0, "user", "add", "alan@example.com");
	assert_int_equal(number("SELECT count(*) FROM users WHERE email = 'alan@example.com' AND role = 'user'"
		" AND language = 'en'"), 1);
	assert_run(EXIT_DATA, "user", "add", "ADA@example.com");
	assert_output("is a user already");
	assert_run(0, "user", "list");
	assert_output("ada@example.com\tadmin\tyes\tno\ttr\t");
}

static void
user_add_refuses_what_is_wrong(void **state)
{
	(void)state;
	assert_int_not_equal(RUN("user", "add", "nobody"), 0);
	assert_output("not a mail address");
	assert_int_not_equal(RUN("user", "add", "a@example.com", "--role", "king"), 0);
	assert_output("not a role");
	assert_int_not_equal(RUN("user", "add", "a@example.com", "--language", "fr"), 0);
	assert_output("not a language");
	assert_run(EXIT_USAGE, "user", "add");
	assert_run(EXIT_USAGE, "user", "add", "a@example.com", "b@example.com");
	assert_run(EXIT_USAGE, "user", "add", "a@example.com", "--colour", "red");
	assert_int_equal(number("SELECT count(*) FROM users"), 0);
}

static void
the_last_superadmin_stays(void **state)
{
	(void)state;
	assert_run(0, "user", "add", "a@example.com", "--role", "superadmin");
	assert_run(EXIT_DATA, "user", "role", "a@example.com", "admin");
	assert_output("last active superadmin");
	assert_run(0, "user", "role", "a@example.com", "superadmin");
	/* An inactive one does not count. */
	assert_run(0, "user", "add", "b@example.com", "--role", "superadmin");
	assert_run(0, "sql", "UPDATE users SET is_active = 0 WHERE email = 'b@example.com'");
	assert_run(EXIT_DATA, "user", "role", "a@example.com", "user");
	/* Nor does one whose deletion was requested. */
	assert_run(0, "sql", "UPDATE users SET is_active = 1, deletion_status = 'pending' WHERE email = 'b@example.com'");
	assert_run(EXIT_DATA, "user", "role", "a@example.com", "user");
	assert_run(0, "sql", "UPDATE users SET deletion_status = 'none'");
	assert_run(0, "user", "role", "A@example.com", "user");
	assert_int_equal(number("SELECT count(*) FROM users WHERE email = 'a@example.com' AND role = 'user'"), 1);
	assert_run(EXIT_DATA, "user", "role", "c@example.com", "user");
	assert_output("there is no user c@example.com");
}

/* ---- sql */

static void
sql_prints_rows(void **state)
{
	(void)state;
	assert_run(0, "sql", "SELECT 1 AS a, NULL AS b, x'ff' AS c, x'0041' AS z, 'x' || char(9, 10) || '\\' AS d; SELECT 2 AS e");
	assert_string_equal(output, "a\tb\tc\tz\td\n1\tNULL\tx'ff'\tx'0041'\tx\\t\\n\\\\\ne\n2\n");
}

static void
sql_is_all_or_nothing(void **state)
{
	(void)state;
	assert_run(EXIT_DATA, "sql", "INSERT INTO instance VALUES ('a', 'b'); INSERT INTO instance VALUES ('a', 'c')");
	assert_output("UNIQUE constraint failed: instance.key; nothing was changed");
	assert_int_equal(number("SELECT count(*) FROM instance"), 0);
	assert_run(EXIT_DATA, "sql", "VACUUM");
	assert_output("--loose");
	assert_run(0, "sql", "--loose", "VACUUM");
}

/* The lines of README.md, "Operate". */
static void
a_backup_is_restored_whole(void **state)
{
	char statement[160], saved[120], path[140];

	(void)state;
	snprintf(saved, sizeof(saved), "%s/saved.db", top);
	snprintf(statement, sizeof(statement), "VACUUM INTO '%s'", saved);
	assert_run(0, "user", "add", "kept@example.com");
	assert_run(0, "sql", "--loose", statement);
	assert_run(0, "user", "add", "later@example.com");
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/okul.db%s", data, (const char *const[]){ "-wal", "-shm", "" }[i]);
		unlink(path);
	}
	assert_int_equal(rename(saved, path), 0);
	assert_run(0, "migrate");
	assert_run(0, "user", "list");
	assert_output("kept@example.com");
	assert_null(strstr(output, "later@example.com"));
}

static void
sql_that_writes_waits_for_the_writer_lock(void **state)
{
	struct db *db = db_open(data, DB_READ_WRITE, DB_SCHEMA_VERSION, why, sizeof(why));

	(void)state;
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_run(0, "sql", "SELECT count(*) FROM users");
	assert_run(EXIT_DATA, "sql", "DELETE FROM users");
	assert_output("busy");
	db_write_rollback(db);
	db_close(db);
}

static void
sql_keeps_the_search_index(void **state)
{
	(void)state;
	assert_run(0, "sql", "INSERT INTO users (id, email, name, timezone, created_at, updated_at)"
		" VALUES ('0123456789abcdef01234567', 'a@b.de', '\xc4\xb0pek', 'UTC', 1, 1)");
	assert_run(0, "sql", "SELECT 'found ' || count(*) FROM user_text WHERE user_text MATCH 'ipek'");
	assert_output("found 1");
	assert_run(0, "sql", "DELETE FROM users");
	assert_run(0, "sql", "SELECT 'found ' || count(*) FROM user_text WHERE user_text MATCH 'ipek'");
	assert_output("found 0");
}

/* ---- check */

static void
check_accepts_a_new_folder(void **state)
{
	(void)state;
	assert_run(0, "check");
	assert_output("ok   database");
	assert_output("ok   integrity");
	assert_output("ok   writer lock");
	assert_output("warn mail");
	assert_null(strstr(output, "FAIL"));
	assert_run(0, "check", "--settings");
	assert_output("\n#mail_from = okul@localhost\n");
}

static void
check_finds_what_other_users_may_read(void **state)
{
	char path[140];

	(void)state;
	chmod(data, 0755);
	snprintf(path, sizeof(path), "%s/okul.db", data);
	chmod(path, 0640);
	assert_run(1, "check");
	assert_output("FAIL folder");
	assert_output("FAIL database");
	snprintf(path, sizeof(path), "%s/keys.conf", data);
	chmod(path, 0644);
	assert_run(1, "check");
	assert_output("FAIL configuration");
	assert_output("chmod 600");
}

static void
check_finds_a_missing_or_old_database(void **state)
{
	char path[140];

	(void)state;
	assert_run(0, "sql", "PRAGMA user_version = 99");
	assert_run(1, "check");
	assert_output("FAIL database");
	assert_output("version 99");
	snprintf(path, sizeof(path), "%s/okul.db", data);
	unlink(path);
	assert_run(1, "check");
	assert_output("run `okulctl migrate`");
}

static void
check_finds_mails_that_wait(void **state)
{
	static const char add[] = "INSERT INTO outbox (id, recipient, language, template, sealed, created_at, expires_at,"
		" next_at, last_error) VALUES (hex(randomblob(12)), 'a@example.com', 'en', 'code', x'00',"
		" unixepoch() * 1000 - 1200000, 0, 0, 'no route to host')";

	(void)state;
	assert_run(0, "sql", add);
	assert_run(0, "check");
	assert_output("warn outbox: 1 waiting, the oldest for 20 min, last error: no route to host");
}

static void
check_finds_that_libmagic_is_missing(void **state)
{
	(void)state;
	assert_run(0, "check");
	assert_output("ok   uploads");
	put_text("libmagic.so.1", "no library");
	setenv("LD_LIBRARY_PATH", top, 1);
	assert_run(1, "check");
	unsetenv("LD_LIBRARY_PATH");
	assert_output("FAIL uploads");
	assert_output("apt-get install libmagic1");
}

static void
check_reports_wrong_settings(void **state)
{
	static const struct { const char *conf, *line; } cases[] = {
		{ "mail_transport = smtp\nsmtp_host = mx.example.com\nsmtp_security = plain\n", "FAIL mail" },
		{ "mail_transport = smtp\nsmtp_host = 127.0.0.1\nsmtp_security = plain\n", "ok   mail: smtp to 127.0.0.1:587" },
		{ "mail_transport = smtp\nsmtp_host =\n", "FAIL mail: smtp_host is empty" },
		{ "mail_transport = smtp\nsmtp_user = okul\n", "FAIL mail: smtp_user is set" },
		{ "mail_transport = sendmail\nsendmail = /nowhere/sendmail\n", "FAIL mail: /nowhere/sendmail" },
		{ "mail_transport = sendmail\nsendmail = /bin/true\n", "ok   mail: by /bin/true" },
		{ "env = development\n", "ok   mail" },
		{ "mail_from = nobody\n", "FAIL sender" },
		{ "mail_from = school@example.com\n", "ok   sender" },
		{ "mail_from = \"school@example.com\"\n", "FAIL sender" },
		{ "mail_name = School\n  mail_from = school@example.com\n", "mail_name is set twice, or the line below" },
		{ "colour = red\n", "FAIL configuration" },
		{ "", "warn address: links in responses and mails lead to http://127.0.0.1:8080" },
		{ "base_url = https://okul.example.org\n", "ok   address: https://okul.example.org\n" },
		{ "base_url = https://okul.example.org//\n", "ok   address: https://okul.example.org\n" },
		{ "base_url = okul.example.org\n", "base_url = okul.example.org: must be an address" },
		{ "base_url =\n", "base_url = : must be an address" },
		{ "base_url = https://okul.example.org\napp_url =\n", "ok   address: https://okul.example.org\n" },
		{ "base_url = https://okul.example.org\napp_url = https://app.example.org/de/\n",
			"ok   address: https://okul.example.org, links in mails to https://app.example.org/de\n" },
		{ "base_url = https://okul.example.org\napp_url = http://127.0.0.1:3000\n", "warn address: links in mails lead to" },
		{ "app_url = javascript:alert(1)\n", "app_url = javascript:alert(1): must be an address" },
		{ "app_url = https:///x\n", "app_url = https:///x: must be an address" },
		{ "app_url = https://\n", "app_url = https://: must be an address" },
		{ "app_url = https://example.org/\"x\n", "must be an address" },
		{ "app_url = https://example.org/a b\n", "must be an address" },
		{ "reply_to = nobody\n", "FAIL replies" },
		{ "trusted_proxy = 192.0.2.1, 10.0.0.0/8 2001:db8::/32\n", "ok   configuration" },
		{ "trusted_proxy = proxy.example.org\n", "trusted_proxy: \"proxy.example.org\" is not an address or network; write it like" },
		{ "trusted_proxy = 10.0.0.0/33\n", "FAIL configuration" },
		{ "", "ok   time zone: Europe/Istanbul" },
		{ "time_zone = Mars/Base\n", "FAIL time zone: Mars/Base" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		put_text(DATA_NAME "/okul.conf", cases[i].conf);
		RUN("check");
		assert_output(cases[i].line);
	}
}

/* ---- the command line */

static void
a_mistyped_command_suggests_the_nearest(void **state)
{
	(void)state;
	assert_run(EXIT_USAGE, "migrat");
	assert_output("did you mean \"okulctl migrate\"?");
	assert_run(EXIT_USAGE, "usr", "list");
	assert_output("did you mean \"okulctl user list\"?");
	assert_run(EXIT_USAGE, "user");
	assert_output("did you mean \"okulctl user ");
	assert_run(EXIT_USAGE, "xylophone");
	assert_null(strstr(output, "did you mean"));
	assert_output("okulctl --help");
	assert_run(EXIT_USAGE, "--colour");
}

/* Columns, not bytes: continuation bytes of UTF-8 take none. */
static void
assert_fits_a_terminal(void)
{
	int columns = 0;

	for (const char *s = output; *s; s++) {
		columns = *s == '\n' ? 0 : columns + ((*s & 0xc0) != 0x80);
		if (columns > 80)
			fail_msg("a line has more than 80 columns: %s", output);
	}
}

static void
every_command_has_help(void **state)
{
	static const char *const commands[][2] = {
		{ "serve" }, { "migrate" }, { "check" }, { "mail" }, { "cleanup" }, { "backup" }, { "files", "gc" }, { "files", "move" },
		{ "files", "verify" },
		{ "user", "add" }, { "user", "import" }, { "user", "role" }, { "user", "list" },
		{ "user", "setup-code" }, { "user", "unlock" }, { "audit" },
		{ "test", "import" }, { "test", "export" }, { "test", "list" }, { "setting", "list" }, { "setting", "get" },
		{ "setting", "set" }, { "setting", "history" }, { "key", "list" }, { "key", "rotate" }, { "sql" }, { "demo" },
	};
	char line[64];

	(void)state;
	for (size_t i = 0; i < COUNT(commands); i++) {
		const char *first = commands[i][0], *second = commands[i][1];

		snprintf(line, sizeof(line), "\n  %s%s%s ", first, second ? " " : "", second ? second : "");
		assert_run(0, "--help");
		assert_output(line);
		assert_fits_a_terminal();
		assert_run(0, first, second ? second : "--help", "--help");
		snprintf(line, sizeof(line), "usage: okulctl [-d DATA] %s%s%s", first, second ? " " : "", second ? second : "");
		assert_output(line);
		assert_fits_a_terminal();
	}
	assert_run(0, "help");
	assert_output("usage: okulctl [-d DATA] COMMAND");
	assert_run(0, "--version");
	assert_output("okulctl " OKUL_VERSION);
}

static void
a_missing_folder_is_reported(void **state)
{
	(void)state;
	assert_run(EXIT_CONFIG, "user", "list");
	assert_output("name another with -d or OKUL_DATA, or `okulctl -d ");
	assert_run(1, "check");
	assert_output("FAIL configuration");
}

#define test(set_up_, function) cmocka_unit_test_setup_teardown(function, set_up_, tear_down)

static void
photos_of_version_2_that_are_no_address_go(void **state)
{
	static const char users[] =
		"WITH made (i, photo) AS (VALUES (1, 'https://example.com/a.jpg'), (2, '/a.jpg'), (3, 'a b.jpg'), (4, 'fotoğraf.jpg'),"
		" (5, 'javascript:alert(1)'), (6, '//evil.example/a.jpg'), (7, '/' || char(92) || 'evil.example'), (8, NULL), (9, ''),"
		" (10, 'java' || char(9) || 'script:alert(1)'), (11, 'HTTP://example.com/a.jpg'))"
		" INSERT INTO user (id, email, profile_photo, timezone, created_at, updated_at)"
		" SELECT i, i || '@example.com', photo, 'UTC', i, 0 FROM made";
	bool made;

	(void)state;
	use_shipped_share();
	assert_int_equal(mkdir(data, 0700), 0);
	if (!db_create(data, text_of("tests/unit/schema/0002.sql"), why, sizeof(why)) || !conf_make_keys(data, &made, why, sizeof(why)))
		fail_msg("%s", why);
	assert_run(0, "sql", users);
	assert_run(0, "migrate");
	assert_int_equal(number("SELECT sum(1 << id) FROM users WHERE profile_photo IS NOT NULL"),
		1 << 1 | 1 << 2 | 1 << 4 | 1 << 9 | 1 << 11);
	assert_int_equal(number("SELECT count(*) FROM users"), 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(set_up, migrate_makes_folder_and_database),
		test(set_up_shipped, only_migrate_makes_keys),
		test(set_up_old, migrate_waits_for_another),
		test(set_up_old, migrate_takes_every_step),
		test(set_up_old, migrate_saves_the_old_database),
		test(set_up_old, a_step_that_fails_is_undone),
		test(set_up_old, a_step_that_orphans_rows_is_undone),
		test(set_up_old, a_step_cannot_commit_halfway),
		test(set_up_old, a_gap_between_versions_changes_nothing),
		test(set_up_old, a_newer_database_is_not_changed),
		cmocka_unit_test(every_old_schema_grows_into_the_shipped_one),
		cmocka_unit_test(no_step_goes_beyond_the_shipped_schema),
		test(set_up, users_of_version_1_are_counted),
		test(set_up, photos_of_version_2_that_are_no_address_go),
		test(set_up, what_version_2_folded_is_folded_again),
		test(set_up, sessions_of_version_2_end_180_days_after_their_login),
		test(set_up_shipped, user_add_makes_a_user),
		test(set_up_shipped, user_add_refuses_what_is_wrong),
		test(set_up_shipped, the_last_superadmin_stays),
		test(set_up_shipped, sql_prints_rows),
		test(set_up_shipped, sql_is_all_or_nothing),
		test(set_up_shipped, a_backup_is_restored_whole),
		test(set_up_shipped, sql_that_writes_waits_for_the_writer_lock),
		test(set_up_shipped, check_accepts_a_new_folder),
		test(set_up_shipped, check_finds_what_other_users_may_read),
		test(set_up_shipped, check_finds_a_missing_or_old_database),
		test(set_up_shipped, check_finds_mails_that_wait),
		test(set_up_shipped, sql_keeps_the_search_index),
		test(set_up_shipped, the_index_deletes_what_was_written),
		test(set_up_shipped, check_finds_that_libmagic_is_missing),
		test(set_up_shipped, check_reports_wrong_settings),
		test(set_up, a_mistyped_command_suggests_the_nearest),
		test(set_up, every_command_has_help),
		test(set_up, a_missing_folder_is_reported),
	};

	clock_init();
	log_init("unit", false, LOG_FATAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
