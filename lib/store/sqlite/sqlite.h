/*
 * sqlite - what the files of this folder share. A database is one file, DATA/okul.db, with a read connection, which
 * cannot write, and a write connection. Both cache their statements until they are closed.
 *
 * Only SQLite may open okul.db, okul.db-wal and okul.db-shm: when a process closes any descriptor of a file, POSIX
 * drops all of its locks on that file, and commits of other processes could be lost.
 *
 * Functions that return an int return SQLite's result code.
 */
#ifndef OKUL_SQLITE_SQLITE_H
#define OKUL_SQLITE_SQLITE_H

#include "engine.h"
#include "writer_lock.h"

#include <sqlite3.h>

#define MICROSECONDS INT64_C(1000000)
#define WRITE_TIMEOUT (2 * MICROSECONDS)	/* for the writer lock and SQLite's lock together */
#define ROOM_KEPT_FREE ((uint64_t)16 << 20)	/* free bytes of the disk that a write needs */
#define ROOM_TO_DELETE ((uint64_t)4 << 20)	/* the same for one that only deletes: it makes the WAL grow as well */
#define BUSY_WRITER 250				/* milliseconds that a checkpoint waits for readers */

enum state {
	IDLE,
	READY,		/* bound */
	RUNNING,	/* stepped and not reset: holds its connection's snapshot */
};

/* A cached statement, found by the address of its text. */
struct sqlite_rows {
	struct db_rows base;
	struct connection *on;
	const char *sql;
	sqlite3_stmt *statement;
	enum state state;
	struct sqlite_rows *next;		/* in the list of running statements */
	struct sqlite_rows *next_cached;
};

struct connection {
	struct sqlite *db;
	sqlite3 *sqlite;		/* NULL: not open yet */
	struct sqlite_rows *cached;		/* list of all statements: some dozens at most */
	struct sqlite_rows *running;
};

struct sqlite {
	struct db base;
	enum db_mode mode;
	int version;			/* that the program needs; 0: any */
	char *folder, *path, *lock_path;
	struct connection read, write;
	struct writer_lock lock;
	struct sqlite_rows none;		/* returned where no statement could be prepared */
	bool snapshot;			/* an explicit read transaction is open */
	bool unlimited;			/* statements run without a timeout */
	void (*progress)(void *context);	/* to be called during a copy, or NULL */
	void *progress_context;
	int64_t stop_at;		/* ticks; 0: no statement has run for long yet */
	int64_t room_checked_at;	/* ticks */
	uint64_t room;			/* free bytes of the disk then */
	bool only_deletes;		/* db_only_deletes() */
	int64_t probed_at;		/* ticks */
	bool probe_passed;
	bool sync_failed;
	int frames;			/* in the WAL after the last commit; 0: it changed nothing */
	int frames_before;		/* checkpoint_frames() when the transaction began */
	struct arena *load_texts;	/* until it is closed: statements are found by the addresses of their texts */
	const char *load_sql;		/* of db_load_row(); NULL: no load is open */
	int64_t loaded;			/* rows in the current transaction */
	int copied;			/* frames that the last checkpoint of this process copied */
};

static inline struct sqlite *sqlite_of(struct db *db) { return (struct sqlite *)db; }

/* ---- failure.c */

/* Maps a result code of SQLite. */
enum db_rc failure_meaning(sqlite3 *sqlite, int code);
/* Makes a failure stick, unless another one does already; returns the one that sticks. */
enum db_rc failure_keep(struct sqlite *db, enum db_rc rc);
/* Logs a failed call and keeps its meaning, except for DB_TAKEN, which it only returns. */
enum db_rc failure_report(struct connection *on, int code, const char *sql);
/* Logs and keeps a wrong use of the interface. */
enum db_rc failure_misuse(struct sqlite *db, const char *what, const char *sql);
bool failure_is_sync(int code);
/* Ends all writing after a failed sync. */
void failure_of_sync(struct sqlite *db);

/* ---- statement.c */

/* Prepares a text that must be exactly one statement; else returns SQLITE_MISUSE. The caller finalizes it. */
int statement_prepare(struct connection *on, const char *sql, sqlite3_stmt **statement);
/* Runs a statement that has no arguments and no rows. Returns DB_DONE, or reports a failure. */
enum db_rc statement_run(struct connection *on, const char *sql);
/* Resets all running statements. */
void statement_stop_all(struct connection *on);
/* Returns the schema version, -1 when it cannot be read. */
int statement_version(struct connection *on);
/* Ends all reads outside of a write transaction, and their snapshot. */
void statement_drop_snapshot(struct sqlite *db);

/* ---- connection.c */

/* Opens a file with okul's options and SQL functions; sets the umask to 0077. Close `*sqlite` even after a failure. */
int connection_open_file(const char *path, int flags, sqlite3 **sqlite);
/* On failure connection_close() is still needed. */
bool connection_open(struct sqlite *db, struct connection *on, int flags, char *why, size_t room);
void connection_close(struct connection *on);
/* Opens the write connection and the writer lock, once. */
bool connection_open_writer(struct sqlite *db, char *why, size_t room);
/*
 * Runs one statement, with `argument` as ?1 unless it is NULL, to its first row (SQLITE_ROW) or its end
 * (SQLITE_DONE). `out` gets the first column as text.
 */
int connection_ask(sqlite3 *sqlite, const char *sql, const char *argument, char *out, size_t room);
/* Returns false, with the reason for a failed open or set-up in `why`. */
bool connection_failure(const struct sqlite *db, sqlite3 *sqlite, int code, char *why, size_t room);
/* The caller frees the result; NULL without memory. */
char *connection_path(const char *folder, const char *name);

/* ---- functions.c */

/* Adds the SQL functions that statements and triggers call. */
int functions_add(sqlite3 *sqlite);

/* ---- transaction.c */

/* Opens what writing needs and takes the writer lock, within `wait` microseconds. */
enum db_rc transaction_enter(struct sqlite *db, int64_t wait);
/* The same, and begins a transaction. */
enum db_rc transaction_begin(struct sqlite *db, int64_t wait);
/* Returns when all earlier commits are on the disk. */
enum db_rc transaction_flush(struct sqlite *db);

/* ---- checkpoint.c, under the writer lock */

/* The number of frames that the write connection has written since it was opened. */
int checkpoint_frames(const struct sqlite *db);
void checkpoint_if_due(struct sqlite *db);

/* ---- health.c */

/* False when less than `mark` bytes of the disk are free. Asks the system once a second. */
bool health_has_room(struct sqlite *db, uint64_t mark);

/* ---- the functions of the engine, as in db.h and db_admin.h, by file */

/* checkpoint.c */
enum db_rc sqlite_trim(struct db *base);
int64_t sqlite_log_size(const struct db *base);

/* columns.c */
int sqlite_columns(const struct db_rows *base);
const char *sqlite_name(const struct db_rows *base, int column);
bool sqlite_is_null(const struct db_rows *base, int column);
int64_t sqlite_int(const struct db_rows *base, int column);
double sqlite_real(const struct db_rows *base, int column);
const char *sqlite_text(const struct db_rows *base, int column);
const void *sqlite_blob(const struct db_rows *base, int column);
size_t sqlite_size(const struct db_rows *base, int column);
struct value sqlite_value(const struct db_rows *base, int column);

/* connection.c */
struct db *sqlite_open(const char *data, enum db_mode mode, int version, char *why, size_t room);
void sqlite_close(struct db *base);

/* create.c */
int64_t sqlite_copy_size(struct db *base);
bool sqlite_copy(struct db *base, const char *path, void (*progress)(void *context), void *context, char *why, size_t room);
bool sqlite_set_aside(const char *place, const char *path, char *why, size_t room);
void sqlite_discard(const char *place);
bool sqlite_adopt(const char *data, char *why, size_t room);
bool sqlite_create(const char *data, const char *schema, char *why, size_t room);

/* explain.c */
bool sqlite_check(struct db *base, const char *const *sql, size_t count, char *why, size_t room);
int sqlite_explain(struct db *base, const char *const *sql, size_t count, FILE *out);

/* health.c */
void sqlite_only_deletes(struct db *base, bool only);
bool sqlite_alive(struct db *base, int *version);
bool sqlite_writable(struct db *base);
bool sqlite_try_write(struct db *base);

/* script.c */
enum db_rc sqlite_script(struct db *base, const char *sql, bool loose, char *why, size_t room);
enum db_rc sqlite_shell(struct db *base, const char *sql, bool loose, db_row_call *row, void *context, char *why, size_t room);

/* load.c */
bool sqlite_load_begin(struct db *base, const char *table, const char *columns, bool *wanted, char *why, size_t room);
bool sqlite_load_row(struct db *base, const struct value *values, size_t count);
bool sqlite_load_end(struct db *base, char *why, size_t room);
bool sqlite_reserve_keys(struct db *base, const char *table, int64_t key, char *why, size_t room);
bool sqlite_empty(struct db *base, char *why, size_t room);

/* statement.c */
void sqlite_timeout(struct db *base, int64_t milliseconds);
enum db_rc sqlite_query(struct db *base, struct db_rows **rows, const char *sql, struct args args);
enum db_rc sqlite_next(struct db_rows *base);
void sqlite_end(struct db_rows *base);
enum db_rc sqlite_one(struct db *base, struct db_rows **rows, const char *sql, struct args args);
enum db_rc sqlite_run(struct db *base, const char *sql, struct args args, int64_t *changed);

/* transaction.c */
enum db_rc sqlite_write_begin(struct db *base);
enum db_rc sqlite_flush(struct db *base);
enum db_rc sqlite_write_commit(struct db *base);
void sqlite_write_rollback(struct db *base);
void sqlite_release(struct db *base);

/* upkeep.c */
enum db_rc sqlite_take_job(struct db *base, enum db_job job);
void sqlite_review(struct db *base, db_review_call *found);
bool sqlite_verify(struct db *base, bool quick, db_row_call *found, void *context, char *why, size_t room);
bool sqlite_orphans(struct db *base, db_row_call *found, void *context, char *why, size_t room);
bool sqlite_check_references(struct db *base, bool on, char *why, size_t room);
bool sqlite_set_version(struct db *base, int version, char *why, size_t room);
bool sqlite_cache(struct db *base, int kib, char *why, size_t room);

#endif
