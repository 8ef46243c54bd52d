/*
 * db - the database for handlers and the domain: statements with bound values, a snapshot to read, a transaction to
 * write.
 *
 * SQL texts are constants: a statement is compiled once in a process and cached by the address of its text. Inside
 * db_write_begin() ... db_write_commit() every statement may write and sees the writes before it; outside it only
 * reads.
 *
 * Failures that a handler cannot fix (busy, full, corrupt, I/O) stick: every later call returns the same code until
 * db_release(), and the response is an error whatever the handler returns. So a handler checks only for the outcomes
 * that it can handle: DB_ROW, DB_DONE, DB_TAKEN.
 *
 * Only one thread of a process uses the database. lib/store/db_admin.h is for okulctl and the build.
 */
#ifndef OKUL_DB_H
#define OKUL_DB_H

#include "base.h"
#include "value.h"

enum db_rc {
	DB_DONE,		/* success; no (further) row */
	DB_ROW,			/* a row is ready */
	DB_TAKEN,		/* unique violation: the statement had no effect. Does not stick. */
	DB_REFUSED,		/* another constraint (FOREIGN KEY, CHECK, NOT NULL, a STRICT type): a bug */
	DB_CONFLICT,		/* another transaction changed the same rows, or a plan is out of date: run it again */
	DB_BUSY,		/* another process kept the writer lock, or a row, for 2 s */
	DB_SLOW,		/* a read ran longer than 2 s and was interrupted */
	DB_FULL,		/* disk full or nearly so: db_only_deletes() */
	DB_READONLY,		/* file or folder is not writable */
	DB_LOST,		/* the database server cannot be reached, or the connection was lost: nothing was committed */
	DB_UNSURE,		/* the same during a commit: nobody knows whether it was made */
	DB_BROKEN,		/* I/O error, corruption, not a database, missing */
	DB_OLD,			/* schema version differs from that of the program */
	DB_ERROR,		/* wrong SQL, or wrong use of this interface: a bug */
};

/* DB_SCHEMA_VERSION: the Makefile reads it from schema.sql. */
#ifndef DB_SCHEMA_VERSION
#error "compile with -DDB_SCHEMA_VERSION=N"
#endif

struct db;
struct db_rows;

/* All statements of a module, for db_check() and db_explain(). */
struct db_statements { const char *const *sql; size_t count; };

enum db_mode { DB_READ_WRITE, DB_READ_ONLY };

/* True for postgresql://... and postgres://...: the place of a database on a server. */
bool db_is_url(const char *place);
/*
 * Opens a database, which must exist and have schema version `version` (0: any). `place` is the folder of an SQLite
 * database, or the URL of a PostgreSQL one (manual of libpq, section 34.1.1.2). Call once in a process, after any fork;
 * SQLite sets the process's umask to 0077. The first write opens what writing needs. The caller owns the result:
 * db_close(). On failure returns NULL, with the reason and the remedy in `why`.
 */
must_use struct db *db_open(const char *place, enum db_mode mode, int version, char *why, size_t room);
/* `db` may be NULL. */
void db_close(struct db *db);

/*
 * Starts a statement. The rows stay valid until db_end(), the next start of the same statement, or the end of their
 * snapshot. Bound text is borrowed until then. `*rows` is never NULL. Returns DB_DONE or a failure.
 *
 * From the first row on all reads see the same snapshot, until db_write_begin() or db_release() ends it and its rows:
 * a process that waits for the writer lock holds no snapshot. So copy what is needed after db_write_begin(). Rows
 * read inside a write transaction end with it.
 */
must_use enum db_rc db_query(struct db *db, struct db_rows **rows, const char *sql, struct args args);
/* Returns DB_ROW with the next row, DB_DONE after the last, or a failure. */
must_use enum db_rc db_next(struct db_rows *rows);
void db_end(struct db_rows *rows);
/* db_query() and the first db_next() in one. */
must_use enum db_rc db_one(struct db *db, struct db_rows **rows, const char *sql, struct args args);
/*
 * Runs a statement to its end and drops its rows. Returns DB_DONE or a failure. `*changed` (may be NULL) gets the
 * number of rows inserted, updated or deleted.
 */
must_use enum db_rc db_run(struct db *db, const char *sql, struct args args, int64_t *changed);
/* The same where a failure sticks and is handled later. Returns the number of rows changed, 0 on failure. */
int64_t db_change(struct db *db, const char *sql, struct args args);
/*
 * The same where nobody needs the number either, inside a write transaction. On a server it is sent together with the next
 * statement, or the commit, and its failure shows there: to wait for each would cost a round trip. Its caller cannot handle a
 * unique violation, which therefore counts as DB_CONFLICT.
 */
void db_send(struct db *db, const char *sql, struct args args);
/* db_one() and db_end(): `*number` (may be NULL) gets the first column of the row, if there is one. */
must_use enum db_rc db_number(struct db *db, int64_t *number, const char *sql, struct args args);

/* Columns of the current row, from 0. Text and bytes live until db_next() or db_end(). NULL reads as 0, NULL, false. */
int db_columns(const struct db_rows *rows);
const char *db_name(const struct db_rows *rows, int column);
bool db_is_null(const struct db_rows *rows, int column);
int64_t db_int(const struct db_rows *rows, int column);
double db_real(const struct db_rows *rows, int column);
const char *db_text(const struct db_rows *rows, int column);
const void *db_blob(const struct db_rows *rows, int column);
size_t db_size(const struct db_rows *rows, int column);
bool db_flag(const struct db_rows *rows, int column);
/* A column with the type that is stored. */
struct value db_value(const struct db_rows *rows, int column);

/*
 * A write transaction: waits for the writer lock, at most 2 s. Inside it only run statements: no JSON, hashing, file
 * or mail work that can be done before. After DB_DONE from commit all rows that it wrote or saw are on the disk;
 * others may see them a moment earlier. DB_BROKEN means that a sync failed: all later writes fail. End it with
 * exactly one of commit or rollback; when begin fails there is nothing to end.
 */
must_use enum db_rc db_write_begin(struct db *db);
/*
 * The same, and no other write transaction runs beside it, on an engine where several do: for what must not change
 * between what was read here and something that is done outside the database.
 */
must_use enum db_rc db_write_alone(struct db *db);
must_use enum db_rc db_write_commit(struct db *db);
void db_write_rollback(struct db *db);
bool db_writing(const struct db *db);
/*
 * Inside a write transaction: db_write_commit() calls `last` once before it commits, even after several calls of
 * this. For an index that is updated once for many rows. A second, different function in a transaction is an error.
 */
void db_before_commit(struct db *db, void (*last)(struct db *db));
/*
 * Inside a write transaction, before its first write: flushes the commits of others to the disk. Call it before an
 * irreversible action outside the database that depends on what was read, which a power cut could otherwise undo.
 */
must_use enum db_rc db_flush(struct db *db);

/*
 * Resets all running statements, ends the read snapshot and clears a sticky failure. Call it at the end of each
 * request, or of each round of a daemon: a snapshot that is kept prevents the engine from reusing space.
 */
void db_release(struct db *db);
/* The sticky failure, or DB_DONE. */
enum db_rc db_failure(const struct db *db);
/* A result in words for an operator: what is wrong and what to do. */
const char *db_reason(enum db_rc rc);

/*
 * Whether a server sorts what a statement finds. Where it does not, the rows of a statement that sorts more than a few
 * thousand would take the memory of this process.
 */
bool db_sorts_itself(const struct db *db);

/* Replaces the 2 s that the following statements may take together, until the end of the transaction or snapshot. */
void db_timeout(struct db *db, int64_t milliseconds);

/* True when a trivial read succeeds; `*version` gets the schema version. */
bool db_alive(struct db *db, int *version);
/* False when a write would fail now: disk full, no permission, a failed sync. Writes nothing and takes no lock. */
must_use bool db_writable(struct db *db);
/*
 * The same, and whether a write transaction can begin: false also when another process keeps the writer lock or the
 * schema has changed. Waits at most half a second; the result is cached for a second. Ends the read snapshot. Call it
 * outside of a write transaction.
 */
must_use bool db_try_write(struct db *db);

/*
 * Writes fail with DB_FULL when less than 16 MiB of the disk are free; with `only`, for transactions that delete more
 * than they add, when less than 4 MiB are, so that somebody can make room.
 */
void db_only_deletes(struct db *db, bool only);

#endif
