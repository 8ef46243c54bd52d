#include "db.h"

#include "clock.h"
#include "log.h"
#include "text.h"
#include "turnstile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MICROSECONDS INT64_C(1000000)
#define WRITE_WAIT (2 * MICROSECONDS)		/* for the gate and SQLite's lock together */
#define PROBE_WAIT (MICROSECONDS / 2)		/* of db_try_write(), once in PROBE_EVERY */
#define PROBE_EVERY MICROSECONDS
#define STATEMENT_LIMIT (2 * MICROSECONDS)	/* of all statements of one request together */
#define STEPS_BETWEEN_LOOKS 10000		/* of SQLite's machine: some tenths of a millisecond */
#define ROOM_KEPT_FREE ((uint64_t)16 << 20)	/* bytes of the disk */
#define ROOM_TO_DELETE ((uint64_t)4 << 20)	/* likewise, from what only deletes: the WAL grows by that as well */

/* Milliseconds to wait for locks of SQLite itself: at the start and in reads another process may be in recovery. */
#define BUSY_AT_START 2000
#define BUSY_BEHIND_GATE 250			/* of a checkpoint, for readers */
#define BUSY_RESTART 20				/* readers to leave the WAL; nobody can write meanwhile */

/* Each time the WAL has grown by so many frames (pages) it is copied back. From RESTART on it must begin anew: more often. */
#define FRAMES_PASSIVE 1000
#define FRAMES_RESTART 4000
#define FRAMES_OVERDUE 250

static const char begin_sql[] = "BEGIN", begin_immediate_sql[] = "BEGIN IMMEDIATE", commit_sql[] = "COMMIT",
	rollback_sql[] = "ROLLBACK", version_sql[] = "PRAGMA user_version";

enum state {
	IDLE,
	READY,		/* bound */
	RUNNING,	/* stepped and not reset: it holds its connection's snapshot */
};

/* A statement that is kept, found by the address of its text. */
struct db_rows {
	struct connection *on;
	const char *sql;
	sqlite3_stmt *statement;
	enum state state;
	struct db_rows *next;		/* of those that run */
};

struct connection {
	struct db *db;
	sqlite3 *sqlite;		/* NULL: not open yet */
	struct db_rows **table;		/* open addressing; `room` is 0 or a power of 2 */
	size_t room, count;
	struct db_rows *running;
};

struct db {
	enum db_mode mode;
	int version;			/* that the program needs; 0: any */
	char *folder, *path, *gate_path;
	struct connection read, write;
	struct turnstile gate;
	struct db_rows none;		/* stands in where a statement could not be had */
	enum db_rc failure;
	bool writing;
	bool snapshot;			/* an explicit read transaction is open */
	bool patient;			/* statements may run as long as they like */
	void (*progress)(void *context);	/* to be called while a copy is made */
	void *progress_context;
	int64_t slow_at;		/* ticks; 0: no long statement yet */
	int64_t room_looked_at;		/* ticks */
	uint64_t room;			/* bytes then free */
	bool only_deletes;		/* what is written next */
	int64_t probed_at;		/* ticks */
	bool probe_passed;
	bool sync_failed;
	int frames;			/* in the WAL after the last commit; 0: it changed nothing */
	int frames_before;		/* what this connection has ever written, before it */
	int copied;			/* of them by the last checkpoint of this process */
};

/* ---- failures */

static enum db_rc
meaning(sqlite3 *sqlite, int code)
{
	int error = sqlite3_system_errno(sqlite);

	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return DB_TAKEN;
	case SQLITE_READONLY_DBMOVED:
		return DB_BROKEN;
	}
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return DB_REFUSED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:	/* gave up on the locks of the WAL */
		return DB_BUSY;
	case SQLITE_INTERRUPT:
		return DB_SLOW;
	case SQLITE_FULL:
		return DB_FULL;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return DB_READONLY;
	case SQLITE_IOERR:
		return error == ENOSPC || error == EDQUOT ? DB_FULL : DB_BROKEN;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CANTOPEN:
	case SQLITE_NOLFS:
	case SQLITE_NOMEM:
		return DB_BROKEN;
	}
	return DB_ERROR;
}

static enum db_rc
stick(struct db *db, enum db_rc rc)
{
	if (db->failure == DB_DONE)
		db->failure = rc;
	return db->failure;
}

static int version_of(struct connection *on);

/*
 * What the kernel could not write it may have dropped: a second sync that succeeds would prove nothing, neither here nor in
 * another process, and what others write next would lie behind a gap. So nobody writes any more, see "writing" below.
 */
static void
note_failed_sync(struct db *db)
{
	int error = db->gate.file < 0 ? 0 : turnstile_shut(&db->gate);

	db->sync_failed = true;
	log_line(LOG_FAULT, "sync_failed text=\"no more writes, until the machine was started anew\"%s%s",
		error ? " others_not_told=" : "", error ? strerror(error) : "");
}

static bool
is_sync_failure(int code)
{
	return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

static enum db_rc
fail(struct connection *on, int code, const char *sql)
{
	struct db *db = on->db;
	enum db_rc rc = meaning(on->sqlite, code);

	if (rc == DB_TAKEN)
		return rc;
	log_line(rc == DB_BUSY ? LOG_WARN : LOG_FAULT, "db_failed code=%d errno=%d text=\"%s\" sql=\"%s\"", code,
		sqlite3_system_errno(on->sqlite), sqlite3_errmsg(on->sqlite), sql);
	if (is_sync_failure(code))
		note_failed_sync(db);
	/* A statement that no longer fits was most likely overtaken by a migration. */
	if (rc == DB_ERROR && db->version && version_of(on) != db->version)
		rc = DB_OLD;
	return stick(db, rc);
}

static enum db_rc
misuse(struct db *db, const char *what, const char *sql)
{
	log_line(LOG_FAULT, "db_misused text=\"%s\" sql=\"%s\"", what, sql);
	return stick(db, DB_ERROR);
}

const char *
db_reason(enum db_rc rc)
{
	switch (rc) {
	case DB_DONE:
	case DB_ROW:
		return "no failure";
	case DB_TAKEN:
		return "such a row is there already";
	case DB_REFUSED:
		return "a rule of the schema forbids it";
	case DB_BUSY:
		return "another process kept the database busy for 2 seconds; try again";
	case DB_SLOW:
		return "it took longer than 2 seconds and was stopped";
	case DB_FULL:
		return "less than 16 MiB are free on the disk (4 MiB for what deletes); make room";
	case DB_READONLY:
		return "the database file or its folder is not writable for this user";
	case DB_BROKEN:
		return "the database file is missing, damaged or cannot be read; the log has the reason";
	case DB_OLD:
		return "the database has another schema version than this program; run `okulctl migrate` and restart okul";
	case DB_ERROR:
		break;
	}
	return "the statement is wrong; the log has the reason";
}

/* ---- kept statements */

static size_t
slot_of(const struct connection *on, const char *sql)
{
	size_t slot = (size_t)(((uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (on->room - 1);

	while (on->table[slot] && on->table[slot]->sql != sql)
		slot = (slot + 1) & (on->room - 1);
	return slot;
}

static bool
grow(struct connection *on)
{
	struct connection larger = *on;

	larger.room = on->room ? on->room * 2 : 32;
	larger.table = calloc(larger.room, sizeof(struct db_rows *));
	if (!larger.table)
		return false;
	for (size_t i = 0; i < on->room; i++)
		if (on->table[i])
			larger.table[slot_of(&larger, on->table[i]->sql)] = on->table[i];
	free(on->table);
	*on = larger;
	return true;
}

static bool
is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n;")] == '\0';
}

/* Prepares one statement. On failure gives SQLite's code. */
static int
prepare(struct connection *on, const char *sql, sqlite3_stmt **statement)
{
	const char *rest;
	int code = sqlite3_prepare_v3(on->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, &rest);

	if (code == SQLITE_OK && (!*statement || !is_blank(rest))) {
		sqlite3_finalize(*statement);
		*statement = NULL;
		return SQLITE_MISUSE;
	}
	return code;
}

/* The kept statement of a text. On failure NULL, and SQLite's code. */
static struct db_rows *
find(struct connection *on, const char *sql, int *code)
{
	struct db_rows *rows;

	*code = SQLITE_NOMEM;
	if (on->count * 2 >= on->room && !grow(on))
		return NULL;
	size_t slot = slot_of(on, sql);
	if (on->table[slot])
		return on->table[slot];
	rows = calloc(1, sizeof(*rows));
	if (!rows)
		return NULL;
	*rows = (struct db_rows){ .on = on, .sql = sql };
	*code = prepare(on, sql, &rows->statement);
	if (*code != SQLITE_OK) {
		free(rows);
		return NULL;
	}
	on->count++;
	return on->table[slot] = rows;
}

static void
stop(struct db_rows *rows)
{
	struct db_rows **at = &rows->on->running;

	bool was_running = rows->state == RUNNING;

	sqlite3_reset(rows->statement);
	rows->state = IDLE;
	if (!was_running)
		return;
	while (*at != rows)
		at = &(*at)->next;
	*at = rows->next;
}

static void
stop_all(struct connection *on)
{
	while (on->running)
		stop(on->running);
}

/* One step; resets the statement unless there is a row. Gives SQLite's code. */
static int
step(struct db_rows *rows)
{
	int code = sqlite3_step(rows->statement);

	if (code != SQLITE_ROW) {
		stop(rows);
	} else if (rows->state != RUNNING) {
		rows->state = RUNNING;
		rows->next = rows->on->running;
		rows->on->running = rows;
	}
	return code;
}

/* A statement without arguments and rows. Gives SQLite's code. */
static int
execute(struct connection *on, const char *sql)
{
	int code;
	struct db_rows *rows = find(on, sql, &code);

	return rows ? step(rows) : code;
}

/* -1 when it cannot be read. */
static int
version_of(struct connection *on)
{
	int code, version = -1;
	struct db_rows *rows = find(on, version_sql, &code);

	if (rows && step(rows) == SQLITE_ROW)
		version = sqlite3_column_int(rows->statement, 0);
	if (rows)
		stop(rows);
	return version;
}

/* ---- opening */

static char *
join(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

/* SQLite prepares for threads, statistics and large caches, which okul has not. */
static void
configure_once(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);	/* pages one by one, not 20 for a start */
}

static int
on_progress(void *context)
{
	struct db *db = context;
	int64_t now;

	if (db->progress)
		db->progress(db->progress_context);
	if (db->patient)
		return 0;
	now = clock_ticks();
	if (db->slow_at == 0)
		db->slow_at = now + STATEMENT_LIMIT;
	return now >= db->slow_at;
}

static int
on_commit(void *context, sqlite3 *sqlite, const char *name, int frames)
{
	struct db *db = context;

	(void)sqlite;
	(void)name;
	db->frames = frames;
	return SQLITE_OK;
}

static bool
is_wal(sqlite3 *sqlite, int *code)
{
	sqlite3_stmt *statement = NULL;
	bool wal = false;

	*code = sqlite3_prepare_v2(sqlite, "PRAGMA journal_mode", -1, &statement, NULL);
	if (*code == SQLITE_OK && (*code = sqlite3_step(statement)) == SQLITE_ROW) {
		const char *mode = (const char *)sqlite3_column_text(statement, 0);
		wal = mode && strcmp(mode, "wal") == 0;
	}
	sqlite3_finalize(statement);
	return wal;
}

static bool
explain_failure(const struct db *db, sqlite3 *sqlite, int code, char *why, size_t room)
{
	struct stat st;

	if (stat(db->path, &st) != 0)
		return text_complain(why, room, "%s: %s%s", db->path, strerror(errno),
			errno == ENOENT ? "; run `okulctl migrate` to make it" : "");
	if (access(db->path, R_OK) != 0)
		return text_complain(why, room, "%s is not readable for this user: run as the user that owns it, or give it to the user that runs "
			"okul (chown)", db->path);
	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return text_complain(why, room, "%s is damaged or no SQLite database (%s); restore it from a backup", db->path,
			sqlite3_errmsg(sqlite));
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return text_complain(why, room, "%s cannot be used (%s): this user must be able to write to it and to its folder",
			db->path, sqlite3_errmsg(sqlite));
	}
	return text_complain(why, room, "%s: %s", db->path, sqlite3_errmsg(sqlite));
}

/* Gives SQLite the text, and clears it. */
static void
put_result(sqlite3_context *context, struct buf *text)
{
	if (text->failed)
		sqlite3_result_error_nomem(context);
	else
		sqlite3_result_text(context, text->length ? text->s : "", (int)text->length, SQLITE_TRANSIENT);
	buf_clear(text);
}

/* okul_fold(a, b, ...): the texts that are not NULL, folded for search and sorting, with a space between. */
static void
fold(sqlite3_context *context, int count, sqlite3_value **values)
{
	struct buf folded = { 0 };

	for (int i = 0; i < count; i++) {
		const char *text = (const char *)sqlite3_value_text(values[i]);
		if (!text)
			continue;
		if (folded.length > 0)
			buf_putc(&folded, ' ');
		buf_fold(&folded, text, (size_t)sqlite3_value_bytes(values[i]));
	}
	put_result(context, &folded);
}

/* okul_mailbox(address): text_mailbox() */
static void
mailbox(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *email = (const char *)sqlite3_value_text(values[0]);
	char text[EMAIL_TEXT];

	(void)count;
	if (!email)
		return;
	text_mailbox(text, email);
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

/* okul_has_words(text, words): TEXT_HAS_WORDS() of text.h. */
static void
has_words(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]), *words = (const char *)sqlite3_value_text(values[1]);

	(void)count;
	if (text && words)
		sqlite3_result_int(context, text_has_words(text, (size_t)sqlite3_value_bytes(values[0]), words,
			(size_t)sqlite3_value_bytes(values[1])));
}

/* okul_words_left(text, words): TEXT_WORDS_LEFT(). */
static void
words_left(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]), *words = (const char *)sqlite3_value_text(values[1]);
	struct buf left = { 0 };

	(void)count;
	if (!text || !words)
		return;
	text_words_left(&left, text, (size_t)sqlite3_value_bytes(values[0]), words, (size_t)sqlite3_value_bytes(values[1]));
	put_result(context, &left);
}

/* Settings that do not need the file. Gives SQLite's code. */
static int
set_up(sqlite3 *sqlite)
{
	static const struct { int option, on; } options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		/* Else the last process to leave checkpoints: each run of a CGI program. */
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	};

	sqlite3_busy_timeout(sqlite, BUSY_AT_START);
	for (size_t i = 0; i < COUNT(options); i++)
		sqlite3_db_config(sqlite, options[i].option, options[i].on, NULL);
	static const struct {
		const char *name;
		int args, flags;
		void (*run)(sqlite3_context *context, int count, sqlite3_value **values);
	} functions[] = {
		/* INNOCUOUS: the schema's triggers call them. */
		{ "okul_fold", -1, SQLITE_INNOCUOUS, fold },
		{ "okul_mailbox", 1, SQLITE_INNOCUOUS, mailbox },
		{ "okul_has_words", 2, 0, has_words },
		{ "okul_words_left", 2, 0, words_left },
	};
	int code = SQLITE_OK;
	for (size_t i = 0; i < COUNT(functions) && code == SQLITE_OK; i++)
		code = sqlite3_create_function(sqlite, functions[i].name, functions[i].args,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | functions[i].flags, NULL, functions[i].run, NULL, NULL);
	return code;
}

static bool
open_connection(struct db *db, struct connection *on, int flags, char *why, size_t room)
{
	int code;

	umask(0077);
	code = sqlite3_open_v2(db->path, &on->sqlite, flags | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = set_up(on->sqlite);
	if (code != SQLITE_OK)
		return explain_failure(db, on->sqlite, code, why, room);
	if (!is_wal(on->sqlite, &code)) {
		if (code != SQLITE_ROW)
			return explain_failure(db, on->sqlite, code, why, room);
		return text_complain(why, room, "%s is not in WAL mode; run `okulctl migrate`", db->path);
	}
	code = sqlite3_exec(on->sqlite,
		"PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512; PRAGMA mmap_size = 0;"
		"PRAGMA journal_size_limit = 8388608; PRAGMA cell_size_check = ON; PRAGMA synchronous = NORMAL;",
		NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return explain_failure(db, on->sqlite, code, why, room);
	sqlite3_progress_handler(on->sqlite, STEPS_BETWEEN_LOOKS, on_progress, db);
	return true;
}

static void
close_connection(struct connection *on)
{
	for (size_t i = 0; i < on->room; i++) {
		if (!on->table[i])
			continue;
		sqlite3_finalize(on->table[i]->statement);
		free(on->table[i]);
	}
	free(on->table);
	sqlite3_close(on->sqlite);
	*on = (struct connection){ .db = on->db };
}

/* The write connection and the gate are opened by the first that needs them: most processes only read. */
static bool
open_for_writing(struct db *db, char *why, size_t room)
{
	int error;

	if (db->mode == DB_READ_ONLY)
		return text_complain(why, room, "%s was opened for reading", db->path);
	if (db->write.sqlite)
		return true;
	error = turnstile_open(&db->gate, db->gate_path);
	if (error)
		return text_complain(why, room, "%s: %s; this user must be able to write to it and to its folder", db->gate_path,
			strerror(error));
	if (!open_connection(db, &db->write, SQLITE_OPEN_READWRITE, why, room)) {
		close_connection(&db->write);
		turnstile_close(&db->gate);
		return false;
	}
	sqlite3_busy_timeout(db->write.sqlite, BUSY_BEHIND_GATE);
	sqlite3_wal_hook(db->write.sqlite, on_commit, db);	/* also ends SQLite's own checkpoints */
	return true;
}

static bool
is_right_version(struct db *db, char *why, size_t room)
{
	int found = version_of(&db->read);

	if (found < 0)
		return explain_failure(db, db->read.sqlite, sqlite3_errcode(db->read.sqlite), why, room);
	if (db->version == 0 || found == db->version)
		return true;
	if (found < db->version)
		return text_complain(why, room, "%s has schema version %d, this program needs %d; run `okulctl migrate`", db->path,
			found, db->version);
	return text_complain(why, room, "%s has schema version %d, this program knows only %d; run the okul that made it",
		db->path, found, db->version);
}

struct db *
db_open(const char *data, enum db_mode mode, int version, char *why, size_t room)
{
	struct db *db = calloc(1, sizeof(*db));

	configure_once();
	if (!db) {
		text_complain(why, room, "out of memory");
		return NULL;
	}
	*db = (struct db){ .mode = mode, .version = version, .gate.file = -1, .folder = strdup(data),
		.path = join(data, "okul.db"), .gate_path = join(data, "okul.gate") };
	db->read.db = db->write.db = db;
	db->none = (struct db_rows){ .on = &db->read, .sql = "" };
	if (!db->folder || !db->path || !db->gate_path)
		text_complain(why, room, "out of memory");
	else if (open_connection(db, &db->read, SQLITE_OPEN_READONLY, why, room) && is_right_version(db, why, room))
		return db;
	db_close(db);
	return NULL;
}

void
db_close(struct db *db)
{
	if (!db)
		return;
	if (db->read.sqlite)
		db_release(db);
	close_connection(&db->read);
	close_connection(&db->write);
	turnstile_close(&db->gate);
	free(db->folder);
	free(db->path);
	free(db->gate_path);
	free(db);
}

static bool
check_one(struct db *db, const char *sql, char *why, size_t room)
{
	sqlite3_stmt *trial = NULL;
	int code = prepare(&db->read, sql, &trial);

	sqlite3_finalize(trial);
	if (code == SQLITE_OK)
		return true;
	if (code == SQLITE_MISUSE)
		return text_complain(why, room, "not exactly one statement: %s", sql);
	return text_complain(why, room, "%s: %s", sqlite3_errmsg(db->read.sqlite), sql);
}

bool
db_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room)
{
	for (size_t i = 0; i < count; i++)
		if (sql[i] && !check_one(db, sql[i], why, room))
			return false;
	return true;
}

/* A scan of rows that the plan itself made (a subquery, a constant, json_each()) is none of a table. */
static bool
is_full_scan(const char *step_of_plan)
{
	return strncmp(step_of_plan, "SCAN ", 5) == 0 && step_of_plan[5] != '(' &&
		strncmp(step_of_plan, "SCAN CONSTANT ROW", 17) != 0 && !strstr(step_of_plan, " VIRTUAL TABLE ");
}

static int
explain_one(struct db *db, const char *sql, FILE *out)
{
	bool meant = strstr(sql, "scan is meant") != NULL;
	sqlite3_stmt *statement = NULL;
	char *explain = NULL;
	int scans = 0;

	fprintf(out, "%s\n", sql);
	if (asprintf(&explain, "EXPLAIN QUERY PLAN %s", sql) < 0 || prepare(&db->read, explain, &statement) != SQLITE_OK) {
		fprintf(out, "\tFAILS: %s\n", sqlite3_errmsg(db->read.sqlite));
		free(explain);
		return 1;
	}
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(statement, 3);
		bool full = is_full_scan(detail);
		fprintf(out, "\t%s%s\n", detail, !full ? "" : meant ? "  (meant)" : "  <- FULL SCAN");
		scans += full && !meant;
	}
	sqlite3_finalize(statement);
	free(explain);
	return scans;
}

int
db_explain(struct db *db, const char *const *sql, size_t count, FILE *out)
{
	int scans = 0;

	for (size_t i = 0; i < count; i++)
		if (sql[i])
			scans += explain_one(db, sql[i], out);
	return scans;
}

/* ---- statements */

/* The only statement that holds the snapshot. */
static bool
is_last_reader(const struct db_rows *rows)
{
	const struct db *db = rows->on->db;

	return rows->on == &db->read && rows->state == RUNNING && !db->snapshot && !db->read.running->next;
}

/*
 * One request sees one snapshot. SQLite keeps it while any read statement runs, so a single look-up needs no BEGIN: its
 * row stays until db_release(). Called just before the last running statement stops, this opens a transaction that
 * holds the same snapshot on.
 */
static enum db_rc
keep_snapshot(struct db_rows *rows)
{
	struct db *db = rows->on->db;
	int code;

	if (!is_last_reader(rows))
		return DB_DONE;
	code = execute(&db->read, begin_sql);
	if (code != SQLITE_DONE)
		return fail(&db->read, code, begin_sql);
	db->snapshot = true;
	return DB_DONE;
}

static void
drop_snapshot(struct db *db)
{
	int code;

	stop_all(&db->read);
	db->slow_at = 0;
	if (!db->snapshot)
		return;
	db->snapshot = false;
	if (sqlite3_get_autocommit(db->read.sqlite))
		return;
	code = execute(&db->read, commit_sql);
	if (code != SQLITE_DONE)
		fail(&db->read, code, commit_sql);
}

static int
bind(sqlite3_stmt *statement, int at, const struct value *value)
{
	switch (value->type) {
	case VALUE_NULL:
		return sqlite3_bind_null(statement, at);
	case VALUE_INT:
		return sqlite3_bind_int64(statement, at, value->integer);
	case VALUE_REAL:
		return sqlite3_bind_double(statement, at, value->real);
	case VALUE_TEXT:
		return sqlite3_bind_text64(statement, at, value->bytes, value->length, SQLITE_STATIC, SQLITE_UTF8);
	case VALUE_BLOB:
		/* SQLite takes a NULL pointer for SQL's NULL, whatever the length. */
		return sqlite3_bind_blob64(statement, at, value->bytes ? value->bytes : "", value->length, SQLITE_STATIC);
	case VALUE_LIST:
	case VALUE_OBJECT:
		break;
	}
	return SQLITE_MISUSE;
}

enum db_rc
db_query(struct db *db, struct db_rows **rows, const char *sql, struct args args)
{
	struct connection *on = db->writing ? &db->write : &db->read;
	int code;

	*rows = &db->none;
	if (db->failure != DB_DONE)
		return db->failure;
	struct db_rows *found = find(on, sql, &code);
	if (!found)
		return fail(on, code, sql);
	if (!db->writing && !sqlite3_stmt_readonly(found->statement))
		return misuse(db, "writes outside of a write transaction", sql);
	if (found->state == RUNNING) {
		if (keep_snapshot(found) != DB_DONE)
			return db->failure;
		stop(found);
	}
	if ((size_t)sqlite3_bind_parameter_count(found->statement) != args.count)
		return misuse(db, "wrong number of arguments", sql);
	for (size_t i = 0; i < args.count; i++) {
		code = bind(found->statement, (int)i + 1, &args.values[i]);
		if (code != SQLITE_OK)
			return fail(on, code, sql);
	}
	found->state = READY;
	*rows = found;
	return DB_DONE;
}

static enum db_rc
next_row(struct db_rows *rows)
{
	int code = step(rows);

	if (code == SQLITE_ROW)
		return DB_ROW;
	return code == SQLITE_DONE ? DB_DONE : fail(rows->on, code, rows->sql);
}

enum db_rc
db_next(struct db_rows *rows)
{
	struct db *db = rows->on->db;

	if (db->failure != DB_DONE)
		return db->failure;
	if (rows->state == IDLE)
		return misuse(db, "these rows are over", rows->sql);
	if (keep_snapshot(rows) != DB_DONE)
		return db->failure;
	return next_row(rows);
}

void
db_end(struct db_rows *rows)
{
	/* The last reader is left to hold the snapshot for statements to come; db_release() ends it. */
	if (!is_last_reader(rows))
		stop(rows);
}

enum db_rc
db_one(struct db *db, struct db_rows **rows, const char *sql, struct args args)
{
	enum db_rc rc = db_query(db, rows, sql, args);

	return rc == DB_DONE ? next_row(*rows) : rc;
}

enum db_rc
db_run(struct db *db, const char *sql, struct args args, int64_t *changed)
{
	struct db_rows *rows;
	enum db_rc rc = db_one(db, &rows, sql, args);

	if (changed)
		*changed = 0;
	while (rc == DB_ROW)
		rc = db_next(rows);
	if (rc == DB_DONE && changed && !sqlite3_stmt_readonly(rows->statement))
		*changed = sqlite3_changes64(rows->on->sqlite);
	return rc;
}

/* ---- columns; SQLite gives NULL for a statement or a column that is not there */

int
db_columns(const struct db_rows *rows)
{
	return sqlite3_column_count(rows->statement);
}

const char *
db_name(const struct db_rows *rows, int column)
{
	return rows->statement ? sqlite3_column_name(rows->statement, column) : NULL;
}

bool
db_is_null(const struct db_rows *rows, int column)
{
	return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int64_t
db_int(const struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->statement, column);
}

double
db_real(const struct db_rows *rows, int column)
{
	return sqlite3_column_double(rows->statement, column);
}

const char *
db_text(const struct db_rows *rows, int column)
{
	return (const char *)sqlite3_column_text(rows->statement, column);
}

const void *
db_blob(const struct db_rows *rows, int column)
{
	return sqlite3_column_blob(rows->statement, column);
}

size_t
db_size(const struct db_rows *rows, int column)
{
	return (size_t)sqlite3_column_bytes(rows->statement, column);
}

bool
db_flag(const struct db_rows *rows, int column)
{
	return db_int(rows, column) != 0;
}

struct value
db_value(const struct db_rows *rows, int column)
{
	/* Without threads nobody else can touch the value, which is what SQLite calls unprotected. */
	sqlite3_value *value = sqlite3_column_value(rows->statement, column);

	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER:
		return value_int(sqlite3_value_int64(value));
	case SQLITE_FLOAT:
		return value_real(sqlite3_value_double(value));
	case SQLITE_TEXT: {
		const unsigned char *text = sqlite3_value_text(value);
		return (struct value){ .type = VALUE_TEXT, .bytes = text, .length = (size_t)sqlite3_value_bytes(value) };
	}
	case SQLITE_BLOB: {
		const void *bytes = sqlite3_value_blob(value);
		return value_blob(bytes, (size_t)sqlite3_value_bytes(value));
	}
	}
	return value_null();
}

/*
 * ---- writing
 *
 * A commit is on the disk before anybody is told of it, but not before the next one may begin: COMMIT runs behind the gate
 * at synchronous = NORMAL, which writes to the WAL and does not sync it; then the gate opens, and the WAL is synced in the
 * yard (settle()). Only then db_write_commit() returns. So the syncs of several writers run side by side, where at
 * synchronous = FULL one waits for the other. What follows is true of SQLite 3.40.1 (wal.c) and Linux; tests/unit/power.c
 * cuts the power at every point of it.
 *
 * An acknowledged commit is found again. Its frames were written before its sync began, and a sync of a file takes all that
 * was written to it before, by whomever. So all frames before them are on the disk as well; a frame of the WAL counts if all
 * before it do (a chain of check sums), so they do. Whoever commits later lies behind in the WAL: when its sync returns,
 * what it saw and built upon is on the disk too. What tears is the end that nobody was told of. The next commit begins in
 * the middle of a disk's sector that holds the end of this one: as with FULL, disks are trusted not to change bytes that
 * are written again as they were (SQLITE_POWERSAFE_OVERWRITE).
 *
 * Checkpoints run behind the gate too. At NORMAL as at FULL each syncs the WAL before it copies a page into the database,
 * and syncs the database before it says that all was copied (walCheckpoint()); only when all was copied the WAL begins
 * anew (walRestartLog()) or is cut (TRUNCATE). So when another process does that between a COMMIT here and its sync, these
 * frames are in the database by then, and that is on the disk. The sync that follows is then of no use, and does no
 * harm: nobody removes the WAL while a connection is open, so it is the same file.
 *
 * When the WAL begins anew its header gets a new salt, and is synced before the first frame is written, at NORMAL too
 * (sqlite3WalFrames(), syncHeader): old frames never count under a new header, nor new ones under the old. A WAL that is new
 * needs its name on the disk: SQLite syncs the folder with the first sync of each connection (UNIXFILE_DIRSYNC), and this
 * is why settle() asks SQLite's file for the sync instead of calling fdatasync() itself.
 *
 * A reader sees a commit before its sync, and what a GET shows may so be gone after a power cut in that moment; it was
 * acknowledged to nobody. A commit that changed nothing is settled like any other, since it may answer "done" because of
 * what it saw. Whoever does something beside the database that cannot be taken back (removes a file) must call
 * db_settle() between looking and doing.
 *
 * A failed sync is final, everywhere: its commit is visible, but may be lost with those behind it. Linux (since 4.13)
 * tells the error to each who has the file open, once. Who opens it later would be told nothing, and its own sync would
 * succeed: so the gate is shut for all (turnstile_shut()), and who writes for the first time waits until all who are
 * syncing have synced or shut it, with the WAL open already. It stays shut until the machine has been started anew: then
 * the WAL is read from the disk, up to the gap. A sync fails as well inside COMMIT (the header), and in checkpoints. What is
 * left is a process that is killed between being told and shutting the gate, a few microseconds after a disk failed.
 *
 * Scripts and migrations take the same way; loose ones settle once, at their end, behind the gate. db_create() and
 * db_adopt() work alone, at FULL.
 */

/* Bytes of the disk that may still be used. */
static uint64_t
free_room(const char *folder)
{
	struct statvfs disk;

#ifdef OKUL_TEST	/* tests say it in a file */
	const char *path = getenv("OKUL_DISK");
	FILE *file = path ? fopen(path, "re") : NULL;
	unsigned long long said = 0;
	bool is_said = file && fscanf(file, "%llu", &said) == 1;

	if (file)
		fclose(file);
	if (is_said)
		return said;
#endif
	return statvfs(folder, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : UINT64_MAX;
}

/* Reads go on when the disk is full; writes are refused while there still is room to end what was begun. */
static bool
has_room(struct db *db, uint64_t mark)
{
	int64_t now = clock_ticks();

	if (db->room_looked_at && now - db->room_looked_at < MICROSECONDS)
		return db->room >= mark;
	db->room_looked_at = now;
	db->room = free_room(db->folder);
	if (db->room < ROOM_KEPT_FREE)
		log_line(LOG_FAULT, "disk_full folder=%s free=%llu", db->folder, (unsigned long long)db->room);
	return db->room >= mark;
}

void
db_only_deletes(struct db *db, bool only)
{
	db->only_deletes = only;
}

/* Opens what writing needs and passes the gate. */
static enum db_rc
enter(struct db *db, int64_t wait)
{
	char why[PATH_MAX + 200];
	int64_t until = clock_ticks() + wait, left;
	int error;

	drop_snapshot(db);
	if (db->failure != DB_DONE)
		return db->failure;
	if (db->mode == DB_READ_ONLY)
		return misuse(db, "opened for reading", begin_immediate_sql);
	if (!has_room(db, db->only_deletes ? ROOM_TO_DELETE : ROOM_KEPT_FREE))
		return stick(db, DB_FULL);
	if (db->sync_failed)
		return stick(db, DB_BROKEN);
	if (!open_for_writing(db, why, sizeof(why))) {
		log_line(LOG_FAULT, "db_unwritable text=\"%s\"", why);
		return stick(db, access(db->path, W_OK) == 0 ? DB_BROKEN : DB_READONLY);
	}
	error = turnstile_enter(&db->gate, wait);
	if (error == ENOTRECOVERABLE) {
		db->sync_failed = true;
		log_line(LOG_FAULT, "gate_shut text=\"a sync failed, here or in another process\"");
		return stick(db, DB_BROKEN);
	}
	if (error) {
		log_line(error == ETIMEDOUT ? LOG_WARN : LOG_FAULT, "gate_failed text=\"%s\"", strerror(error));
		return stick(db, error == ETIMEDOUT ? DB_BUSY : DB_BROKEN);
	}
	/* Whoever writes without passing the gate, another SQLite shell say, is waited for as long as the gate has left. */
	left = until - clock_ticks();
	sqlite3_busy_timeout(db->write.sqlite, left < 1000 ? 1 : (int)(left / 1000));
	return DB_DONE;
}

/* Frames that this connection has ever written. */
static int
frames_written(const struct db *db)
{
	int now = 0, most;

	sqlite3_db_status(db->write.sqlite, SQLITE_DBSTATUS_CACHE_WRITE, &now, &most, 0);
	return now;
}

static enum db_rc
begin(struct db *db, int64_t wait)
{
	int code;

	if (db->writing)
		return misuse(db, "a write transaction is open already", begin_immediate_sql);
	if (enter(db, wait) != DB_DONE)
		return db->failure;
	db->frames = 0;
	db->frames_before = frames_written(db);
	code = execute(&db->write, begin_immediate_sql);
	if (code != SQLITE_DONE) {
		fail(&db->write, code, begin_immediate_sql);
		turnstile_leave(&db->gate);
		return db->failure;
	}
	db->writing = true;
	/* A worker that a migration has overtaken must not write by the old rules. */
	if (db->version && version_of(&db->write) != db->version) {
		db_write_rollback(db);
		return stick(db, DB_OLD);
	}
	return DB_DONE;
}

enum db_rc
db_write_begin(struct db *db)
{
	return begin(db, WRITE_WAIT);
}

/*
 * SQLite's own automatic checkpoints would run outside the gate; those of versions up to 3.51.2 can then lose commits
 * when another process begins the WAL anew.
 *
 * PASSIVE copies what no reader needs any more, but under many reads some reader is always there, and the WAL would
 * never begin anew. RESTART waits for those of now to leave. That is of no use while one of them stays (a backup), which
 * is seen by PASSIVE copying no further than the last time. Once in so many frames, by whoever writes the one that makes
 * them full: two syncs behind the gate are dear while a reader keeps the WAL from beginning anew.
 */
static void
checkpoint_if_due(struct db *db)
{
	sqlite3 *sqlite = db->write.sqlite;
	int before = db->copied, written = frames_written(db) - db->frames_before;
	int step = db->frames < FRAMES_RESTART ? FRAMES_PASSIVE : FRAMES_OVERDUE;
	int code;

	if (db->frames / step == (db->frames - written) / step)
		return;
	code = sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &db->copied);
	if (code == SQLITE_OK && db->frames >= FRAMES_RESTART && db->copied != before) {
		sqlite3_busy_timeout(sqlite, BUSY_RESTART);
		code = sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
		sqlite3_busy_timeout(sqlite, BUSY_BEHIND_GATE);
	}
	/* What was committed stays in the WAL, whatever became of the checkpoint. */
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		log_line(LOG_FAULT, "checkpoint_failed code=%d text=\"%s\"", code, sqlite3_errmsg(sqlite));
	if (is_sync_failure(code))
		note_failed_sync(db);
}

static bool
sync_wal(sqlite3 *sqlite)
{
	sqlite3_file *wal = NULL;

	/* In WAL mode this is the WAL (open_connection() has seen to it). */
	return sqlite3_file_control(sqlite, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal && wal->pMethods &&
		wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

/* Returns when all that was committed before is on the disk. */
static enum db_rc
settle(struct db *db)
{
	if (!db->sync_failed && !sync_wal(db->write.sqlite)) {
		log_line(LOG_FAULT, "wal_not_synced errno=%d", errno);
		note_failed_sync(db);
	}
	return db->sync_failed ? stick(db, DB_BROKEN) : DB_DONE;
}

enum db_rc
db_settle(struct db *db)
{
	if (!db->writing)
		return misuse(db, "nothing to settle outside of a write transaction", "");
	return db->failure == DB_DONE ? settle(db) : db->failure;
}

enum db_rc
db_write_commit(struct db *db)
{
	int code;

	if (!db->writing)
		return misuse(db, "no write transaction is open", commit_sql);
	stop_all(&db->write);
	if (db->failure == DB_DONE) {
		code = execute(&db->write, commit_sql);
		if (code != SQLITE_DONE)
			fail(&db->write, code, commit_sql);
	}
	if (db->failure != DB_DONE) {
		db_write_rollback(db);
		return db->failure;
	}
	checkpoint_if_due(db);
	db->writing = false;
	db->slow_at = 0;
	turnstile_step_out(&db->gate);
	enum db_rc rc = settle(db);
	turnstile_leave(&db->gate);
	return rc;
}

void
db_write_rollback(struct db *db)
{
	int code;

	if (!db->writing)
		return;
	stop_all(&db->write);
	/* Some failures (disk full, I/O) have rolled back already. */
	if (!sqlite3_get_autocommit(db->write.sqlite)) {
		code = execute(&db->write, rollback_sql);
		if (code != SQLITE_DONE)
			fail(&db->write, code, rollback_sql);
	}
	db->writing = false;
	db->slow_at = 0;
	turnstile_leave(&db->gate);
}

bool
db_writing(const struct db *db)
{
	return db->writing;
}

void
db_release(struct db *db)
{
	if (db->writing) {
		misuse(db, "a write transaction was left open", begin_immediate_sql);
		db_write_rollback(db);
	}
	drop_snapshot(db);
	db->failure = DB_DONE;
}

enum db_rc
db_failure(const struct db *db)
{
	return db->failure;
}

void
db_patience(struct db *db, int64_t milliseconds)
{
	db->slow_at = clock_ticks() + milliseconds * 1000;
}

bool
db_alive(struct db *db, int *version)
{
	int found = version_of(&db->read);

	if (found >= 0)
		*version = found;
	return found >= 0;
}

/* What a request that writes needs: the gate, SQLite's lock, the schema that this program knows. */
static bool
probe(struct db *db)
{
	if (db->failure != DB_DONE)
		return false;
	bool passed = begin(db, PROBE_WAIT) == DB_DONE;
	if (passed)
		db_write_rollback(db);
	passed = passed && db->failure == DB_DONE;
	db->failure = DB_DONE;		/* it was the probe's, and is told */
	return passed;
}

bool
db_writable(struct db *db)
{
	return db->mode == DB_READ_WRITE && !db->sync_failed && !turnstile_is_shut(db->gate_path) && has_room(db, ROOM_KEPT_FREE) &&
		access(db->path, W_OK) == 0 && access(db->folder, W_OK) == 0;
}

bool
db_try_write(struct db *db)
{
	if (!db_writable(db))
		return false;
	if (!db->probed_at || clock_ticks() - db->probed_at >= PROBE_EVERY) {
		db->only_deletes = false;
		db->probe_passed = probe(db);
		db->probed_at = clock_ticks();
	}
	return db->probe_passed;
}

enum db_rc
db_checkpoint(struct db *db, bool truncate)
{
	int code;

	if (db->writing)
		return misuse(db, "a checkpoint inside a transaction", "");
	if (enter(db, WRITE_WAIT) != DB_DONE)
		return db->failure;
	sqlite3_busy_timeout(db->write.sqlite, BUSY_BEHIND_GATE);
	code = sqlite3_wal_checkpoint_v2(db->write.sqlite, NULL,
		truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	if (code != SQLITE_OK)
		fail(&db->write, code, "checkpoint");
	turnstile_leave(&db->gate);
	return db->failure;
}

/* ---- scripts */

/* What an operator or a migration runs: texts that come once, so nothing is kept, and the reason goes to `why`. */
struct script {
	struct db *db;
	bool loose;
	bool entered;			/* passed the gate, which must be left again */
	void (*row)(void *context, const struct db_rows *rows, bool first);
	void *context;
	char *why;
	size_t room;
};

static int
no_transactions(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)context, (void)a, (void)b, (void)c, (void)d;
	return action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ? SQLITE_DENY : SQLITE_OK;
}

static enum db_rc
script_failed(const struct script *script, sqlite3 *sqlite, int code)
{
	text_complain(script->why, script->room, "%s", (code & 0xff) == SQLITE_AUTH ?
		"BEGIN, COMMIT, ROLLBACK and SAVEPOINT have no place here: the statements run in one transaction already" :
		sqlite3_errmsg(sqlite));
	return meaning(sqlite, code);
}

static enum db_rc
script_enter(struct script *script)
{
	struct db *db = script->db;
	enum db_rc rc = script->loose ? enter(db, WRITE_WAIT) : db_write_begin(db);

	script->entered = rc == DB_DONE;
	if (!script->entered)
		text_complain(script->why, script->room, "%s", db_reason(rc));
	return rc;
}

static enum db_rc
script_leave(struct script *script, enum db_rc rc)
{
	struct db *db = script->db;

	if (script->loose) {
		if (!sqlite3_get_autocommit(db->write.sqlite)) {
			(void)execute(&db->write, rollback_sql);
			text_complain(script->why, script->room, "a transaction was left open, and was rolled back");
			rc = DB_ERROR;
		}
		if (settle(db) != DB_DONE && rc == DB_DONE) {
			rc = DB_BROKEN;
			text_complain(script->why, script->room, "%s", db_reason(rc));
		}
		turnstile_leave(&db->gate);
	} else if (rc != DB_DONE) {
		db_write_rollback(db);
	} else {
		rc = db_write_commit(db);
		if (rc != DB_DONE)
			text_complain(script->why, script->room, "%s", db_reason(rc));
	}
	return rc;
}

/* Runs the first statement of a text; `*rest` gets what follows it. */
static enum db_rc
run_first(struct script *script, struct connection *on, const char *sql, const char **rest)
{
	struct db_rows rows = { .on = on, .sql = sql };
	enum db_rc rc = DB_DONE;
	bool first = true;
	int code;

	if (!script->loose)
		sqlite3_set_authorizer(on->sqlite, no_transactions, NULL);
	code = sqlite3_prepare_v2(on->sqlite, sql, -1, &rows.statement, rest);
	sqlite3_set_authorizer(on->sqlite, NULL, NULL);
	if (code != SQLITE_OK)
		return script_failed(script, on->sqlite, code);
	if (rows.statement && on == &script->db->read && !sqlite3_stmt_readonly(rows.statement)) {
		rc = script_enter(script);
		*rest = sql;	/* again, on the write connection */
	} else if (rows.statement) {
		for (; (code = sqlite3_step(rows.statement)) == SQLITE_ROW; first = false)
			if (script->row)
				script->row(script->context, &rows, first);
		if (code != SQLITE_DONE)
			rc = script_failed(script, on->sqlite, code);
	}
	sqlite3_finalize(rows.statement);
	return rc;
}

static enum db_rc
run_script(struct script *script, const char *sql)
{
	struct db *db = script->db;
	enum db_rc rc = DB_DONE;

	db->patient = true;
	while (rc == DB_DONE && *sql)
		rc = run_first(script, db->writing || script->entered ? &db->write : &db->read, sql, &sql);
	db->patient = false;
	return script->entered ? script_leave(script, rc) : rc;
}

enum db_rc
db_script(struct db *db, const char *sql, bool loose, char *why, size_t room)
{
	struct script script = { .db = db, .loose = loose, .why = why, .room = room };
	enum db_rc rc = db->writing ? DB_DONE : script_enter(&script);

	return rc == DB_DONE ? run_script(&script, sql) : rc;
}

enum db_rc
db_shell(struct db *db, const char *sql, bool loose, void (*row)(void *context, const struct db_rows *rows, bool first),
	void *context, char *why, size_t room)
{
	struct script script = { .db = db, .loose = loose, .row = row, .context = context, .why = why, .room = room };

	return run_script(&script, sql);
}

/* ---- copying */

int64_t
db_copy_size(struct db *db)
{
	static const char sql[] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
	struct db_rows *row;
	int64_t size = db_one(db, &row, sql, NO_ARGS) == DB_ROW ? db_int(row, 0) : -1;

	db_release(db);
	return size;
}

/* Gives SQLite's code. */
static int
vacuum_into(struct connection *on, const char *path)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(on->sqlite, "VACUUM INTO ?1", -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code;
}

/* The first column of the first row, as text in `out`. Gives SQLite's code. */
static int
ask(sqlite3 *sqlite, const char *sql, char *out, size_t room)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);

	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
		snprintf(out, room, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return code;
}

static bool
is_sound(const char *path, int version, char *why, size_t room)
{
	char found[256] = "", number[16] = "";
	sqlite3 *copy = NULL;
	int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READONLY | SQLITE_OPEN_EXRESCODE, NULL);

	if (code == SQLITE_OK)
		code = set_up(copy);
	/* Every index is looked up row by row. Nobody else knows this file, so it may be mapped. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(copy, "PRAGMA mmap_size = 1099511627776; PRAGMA cache_size = -16384", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = ask(copy, "PRAGMA integrity_check(1)", found, sizeof(found));
	if (code == SQLITE_ROW)
		code = ask(copy, version_sql, number, sizeof(number));
	bool sound = code == SQLITE_ROW && strcmp(found, "ok") == 0 && strtol(number, NULL, 10) == version;
	if (!sound)
		text_complain(why, room, "the copy is damaged (%s); `okulctl check` looks at the database itself",
			code == SQLITE_ROW ? found : sqlite3_errmsg(copy));
	sqlite3_close(copy);
	return sound;
}

/*
 * VACUUM INTO only reads its source. On a connection that is open for reading only it would work too, but copies tables row
 * by row instead of page by page, which takes eight times as long (SQLite 3.40.1). Nothing is committed on this one, and
 * closing it checkpoints nothing: so it needs no gate.
 */
bool
db_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room)
{
	struct connection on = { .db = db };
	int version = version_of(&db->read);

	drop_snapshot(db);
	db->patient = true;
	db->progress = progress;
	db->progress_context = context;
	bool good = open_connection(db, &on, SQLITE_OPEN_READWRITE, why, room);
	if (good && vacuum_into(&on, path) != SQLITE_DONE)
		good = text_complain(why, room, "%s", sqlite3_errmsg(on.sqlite));
	close_connection(&on);
	db->patient = false;
	db->progress = NULL;
	return good && is_sound(path, version, why, room);
}

/* ---- making */

static bool
fill(const char *path, const char *schema, char *why, size_t room)
{
	sqlite3 *sqlite = NULL;
	int code;

	umask(0077);
	code = sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = set_up(sqlite);
	if (code == SQLITE_OK) {
		/* Here the checkpoint at the end is wanted: it leaves one file. */
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
		code = sqlite3_exec(sqlite, "PRAGMA page_size = 4096; BEGIN IMMEDIATE", NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, schema, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, "COMMIT; PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		text_complain(why, room, "%s cannot be made: %s", path, sqlite3_errmsg(sqlite));
	sqlite3_close(sqlite);
	return code == SQLITE_OK;
}

bool
db_adopt(const char *data, char *why, size_t room)
{
	struct db db = { .path = join(data, "okul.db") };
	sqlite3 *sqlite = NULL;
	int code;

	configure_once();
	if (!db.path)
		return text_complain(why, room, "out of memory");
	code = sqlite3_open_v2(db.path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = set_up(sqlite);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	bool good = code == SQLITE_OK && is_wal(sqlite, &code);
	if (!good)
		explain_failure(&db, sqlite, code, why, room);
	sqlite3_close(sqlite);
	free(db.path);
	return good;
}

bool
db_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

bool
db_create(const char *data, const char *schema, char *why, size_t room)
{
	char *path = join(data, "okul.db"), *aside = NULL;
	bool good = false;

	configure_once();
	if (!path || asprintf(&aside, "%s.new-%d", path, (int)getpid()) < 0)
		return text_complain(why, room, "out of memory");
	/* Made aside and linked into place: nobody sees half a database, and of two that make one only one succeeds. */
	if (fill(aside, schema, why, room)) {
		good = link(aside, path) == 0 && db_sync(data);
		if (!good)
			text_complain(why, room, "%s cannot be made: %s", path, strerror(errno));
	}
	unlink(aside);
	free(aside);
	free(path);
	return good;
}
