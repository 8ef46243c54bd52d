/*
 * engine - what the files of this folder share. A database is one file, DATA/okul.db, with a read connection, which
 * cannot write, and a write connection; statements are kept for the process's life.
 *
 * Only SQLite may open okul.db, okul.db-wal and okul.db-shm: one open() and close() of them elsewhere in a process drops
 * its locks (POSIX), and with them commits of others.
 *
 * Functions that return an int return SQLite's code.
 */
#ifndef OKUL_SQLITE_ENGINE_H
#define OKUL_SQLITE_ENGINE_H

#include "db.h"
#include "db_admin.h"
#include "writer_lock.h"

#include <sqlite3.h>

#define MICROSECONDS INT64_C(1000000)
#define WRITE_TIMEOUT (2 * MICROSECONDS)	/* for the writer lock and SQLite's lock together */
#define ROOM_KEPT_FREE ((uint64_t)16 << 20)	/* bytes of the disk */
#define ROOM_TO_DELETE ((uint64_t)4 << 20)	/* likewise, from what only deletes: the WAL grows by that as well */
#define BUSY_WRITER 250				/* milliseconds of a checkpoint, for readers */

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
	char *folder, *path, *lock_path;
	struct connection read, write;
	struct writer_lock lock;
	struct db_rows none;		/* stands in where a statement could not be had */
	enum db_rc failure;
	bool writing;
	void (*last)(struct db *db);	/* before the commit of this transaction; NULL: nothing */
	bool snapshot;			/* an explicit read transaction is open */
	bool unlimited;			/* statements may run as long as they like */
	void (*progress)(void *context);	/* to be called while a copy is made */
	void *progress_context;
	int64_t stop_at;		/* ticks; 0: no long statement yet */
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

/* ---- failure.c */

enum db_rc failure_meaning(sqlite3 *sqlite, int code);
/* Sticks, unless another did before; returns the one that sticks. */
enum db_rc failure_keep(struct db *db, enum db_rc rc);
/* Logs a failed call, and keeps its meaning unless that is DB_TAKEN. */
enum db_rc failure_report(struct connection *on, int code, const char *sql);
/* The caller used the interface in a wrong way. */
enum db_rc failure_misuse(struct db *db, const char *what, const char *sql);
bool failure_is_sync(int code);
void failure_of_sync(struct db *db);

/* ---- statement.c */

int statement_prepare(struct connection *on, const char *sql, sqlite3_stmt **statement);
/* Runs a statement without arguments and rows. */
int statement_execute(struct connection *on, const char *sql);
void statement_stop_all(struct connection *on);
/* The schema version; -1 when it cannot be read. */
int statement_version(struct connection *on);
/* Ends all reads outside of a write transaction. */
void statement_drop_snapshot(struct db *db);

/* ---- connection.c */

void connection_configure(void);
/* Settings that do not need the file, and the functions that statements call. */
int connection_set_up(sqlite3 *sqlite);
bool connection_open(struct db *db, struct connection *on, int flags, char *why, size_t room);
void connection_close(struct connection *on);
/* Opens what writing needs, once. */
bool connection_open_writer(struct db *db, char *why, size_t room);
bool connection_is_wal(sqlite3 *sqlite, int *code);
/* False, with `why` an open or a set-up failed. */
bool connection_failure(const struct db *db, sqlite3 *sqlite, int code, char *why, size_t room);
/* The caller frees it; NULL without memory. */
char *connection_path(const char *folder, const char *name);

int functions_add(sqlite3 *sqlite);

/* ---- transaction.c */

/* Opens what writing needs and takes the writer lock, within `wait` microseconds. */
enum db_rc transaction_enter(struct db *db, int64_t wait);
/* The same, and begins a transaction. */
enum db_rc transaction_begin(struct db *db, int64_t wait);
/* Returns when all that was committed before is on the disk. */
enum db_rc transaction_flush(struct db *db);

/* ---- checkpoint.c, under the writer lock */

/* Frames that the write connection has ever written. */
int checkpoint_frames(const struct db *db);
void checkpoint_if_due(struct db *db);

/* ---- health.c */

/* False when less than `mark` bytes of the disk are free. Looks once a second. */
bool health_has_room(struct db *db, uint64_t mark);

#endif
