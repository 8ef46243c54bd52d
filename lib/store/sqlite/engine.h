/*
 * engine - what the files of this folder share. A database is one file, DATA/okul.db, with a read connection, which
 * cannot write, and a write connection. Both cache their statements until they are closed.
 *
 * Only SQLite may open okul.db, okul.db-wal and okul.db-shm: when a process closes any descriptor of a file, POSIX
 * drops all of its locks on that file, and commits of other processes could be lost.
 *
 * Functions that return an int return SQLite's result code.
 */
#ifndef OKUL_SQLITE_ENGINE_H
#define OKUL_SQLITE_ENGINE_H

#include "db.h"
#include "db_admin.h"
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
struct db_rows {
	struct connection *on;
	const char *sql;
	sqlite3_stmt *statement;
	enum state state;
	struct db_rows *next;		/* in the list of running statements */
	struct db_rows *next_cached;
};

struct connection {
	struct db *db;
	sqlite3 *sqlite;		/* NULL: not open yet */
	struct db_rows *cached;		/* list of all statements: some dozens at most */
	struct db_rows *running;
};

struct db {
	enum db_mode mode;
	int version;			/* that the program needs; 0: any */
	char *folder, *path, *lock_path;
	struct connection read, write;
	struct writer_lock lock;
	struct db_rows none;		/* returned where no statement could be prepared */
	enum db_rc failure;
	bool writing;
	void (*last)(struct db *db);	/* to be called before the commit of this transaction, or NULL */
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
	int copied;			/* frames that the last checkpoint of this process copied */
};

/* ---- failure.c */

/* Maps a result code of SQLite. */
enum db_rc failure_meaning(sqlite3 *sqlite, int code);
/* Makes a failure stick, unless another one does already; returns the one that sticks. */
enum db_rc failure_keep(struct db *db, enum db_rc rc);
/* Logs a failed call and keeps its meaning, except for DB_TAKEN, which it only returns. */
enum db_rc failure_report(struct connection *on, int code, const char *sql);
/* Logs and keeps a wrong use of the interface. */
enum db_rc failure_misuse(struct db *db, const char *what, const char *sql);
bool failure_is_sync(int code);
/* Ends all writing after a failed sync. */
void failure_of_sync(struct db *db);

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
void statement_drop_snapshot(struct db *db);

/* ---- connection.c */

/* Opens a file with okul's options and SQL functions; sets the umask to 0077. Close `*sqlite` even after a failure. */
int connection_open_file(const char *path, int flags, sqlite3 **sqlite);
/* On failure connection_close() is still needed. */
bool connection_open(struct db *db, struct connection *on, int flags, char *why, size_t room);
void connection_close(struct connection *on);
/* Opens the write connection and the writer lock, once. */
bool connection_open_writer(struct db *db, char *why, size_t room);
/*
 * Runs one statement, with `argument` as ?1 unless it is NULL, to its first row (SQLITE_ROW) or its end
 * (SQLITE_DONE). `out` gets the first column as text.
 */
int connection_ask(sqlite3 *sqlite, const char *sql, const char *argument, char *out, size_t room);
/* Returns false, with the reason for a failed open or set-up in `why`. */
bool connection_failure(const struct db *db, sqlite3 *sqlite, int code, char *why, size_t room);
/* The caller frees the result; NULL without memory. */
char *connection_path(const char *folder, const char *name);

/* ---- functions.c */

/* Adds the SQL functions that statements and triggers call. */
int functions_add(sqlite3 *sqlite);

/* ---- transaction.c */

/* Opens what writing needs and takes the writer lock, within `wait` microseconds. */
enum db_rc transaction_enter(struct db *db, int64_t wait);
/* The same, and begins a transaction. */
enum db_rc transaction_begin(struct db *db, int64_t wait);
/* Returns when all earlier commits are on the disk. */
enum db_rc transaction_flush(struct db *db);

/* ---- checkpoint.c, under the writer lock */

/* The number of frames that the write connection has written since it was opened. */
int checkpoint_frames(const struct db *db);
void checkpoint_if_due(struct db *db);

/* ---- health.c */

/* False when less than `mark` bytes of the disk are free. Asks the system once a second. */
bool health_has_room(struct db *db, uint64_t mark);

#endif
