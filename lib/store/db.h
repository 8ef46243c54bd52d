/*
 * db - the database, as handlers and the domain see it: statements with bound values, a snapshot to read, a transaction
 * to write.
 *
 * SQL texts are constants: a statement is compiled once a process, and found again by the address of its text. Inside
 * db_write_begin() ... db_write_commit() every statement may write and sees what was written; outside it only reads.
 *
 * Failures that a handler cannot fix (busy, full, corrupt, I/O) stick: every later call returns the same code until
 * db_release(), and the request answers with it whatever the handler thought it saw. So a handler looks only for the
 * outcomes that it knows: DB_ROW, DB_DONE, DB_TAKEN.
 *
 * A process has one thread that uses the database. lib/store/db_admin.h is for okulctl and the build.
 */
#ifndef OKUL_DB_H
#define OKUL_DB_H

#include "base.h"
#include "value.h"

enum db_rc {
	DB_DONE,		/* no (further) row; the statement did its work */
	DB_ROW,			/* a row is ready */
	DB_TAKEN,		/* UNIQUE or PRIMARY KEY constraint: the statement did nothing. Does not stick. */
	DB_REFUSED,		/* another constraint (FOREIGN KEY, CHECK, NOT NULL, a STRICT type): our fault */
	DB_BUSY,		/* another process kept the writer lock for 2 s */
	DB_SLOW,		/* a read ran longer than 2 s and was stopped */
	DB_FULL,		/* disk full or nearly so: db_only_deletes() */
	DB_READONLY,		/* file or folder is not writable */
	DB_BROKEN,		/* I/O error, corruption, not a database, missing */
	DB_OLD,			/* schema version differs from that of the program */
	DB_ERROR,		/* SQL or use of this interface: our fault */
};

/* DB_SCHEMA_VERSION, the version that schema.sql sets, comes from the Makefile, which reads it there. */
#ifndef DB_SCHEMA_VERSION
#error "compile with -DDB_SCHEMA_VERSION=N"
#endif

struct db;
struct db_rows;

/* All statements of a module, for db_check() and db_explain(). */
struct db_statements { const char *const *sql; size_t count; };

enum db_mode { DB_READ_WRITE, DB_READ_ONLY };

/*
 * Opens the database of the folder `data`, which must exist and have schema version `version` (0: any). Call once a
 * process, after any fork; sets the process's umask to 0077. On failure returns NULL, and says in `why` what is wrong
 * and what to do. What writing needs is opened by the first write. The caller owns the result: db_close().
 */
must_use struct db *db_open(const char *data, enum db_mode mode, int version, char *why, size_t room);
/* Releases all; `db` may be NULL. */
void db_close(struct db *db);

/*
 * Starts a statement. The rows stay valid until db_end(), the next start of the same statement, or the end of their
 * snapshot. Bound text is borrowed until then. `*rows` is never NULL. Returns DB_DONE or a failure.
 *
 * Once a row was read, all reads up to the next db_write_begin() or db_release() see the same snapshot, and those two
 * end every row of it: a process that waits to write holds no snapshot. So copy what is needed across db_write_begin().
 * Rows read inside a write transaction end with it.
 */
must_use enum db_rc db_query(struct db *db, struct db_rows **rows, const char *sql, struct args args);
/* The next row: DB_ROW, DB_DONE at the end, or a failure. */
must_use enum db_rc db_next(struct db_rows *rows);
void db_end(struct db_rows *rows);
/* db_query() and the first db_next() in one. */
must_use enum db_rc db_one(struct db *db, struct db_rows **rows, const char *sql, struct args args);
/*
 * Runs to the end, dropping rows. DB_DONE when it worked. `*changed` (may be NULL) gets the rows inserted, updated or
 * deleted.
 */
must_use enum db_rc db_run(struct db *db, const char *sql, struct args args, int64_t *changed);

/*
 * Columns of the row at hand, from 0. Text and bytes live until the next db_next() or db_end(). NULL reads as 0, NULL,
 * 0.0, false.
 */
int db_columns(const struct db_rows *rows);
const char *db_name(const struct db_rows *rows, int column);
bool db_is_null(const struct db_rows *rows, int column);
int64_t db_int(const struct db_rows *rows, int column);
double db_real(const struct db_rows *rows, int column);
const char *db_text(const struct db_rows *rows, int column);
const void *db_blob(const struct db_rows *rows, int column);
size_t db_size(const struct db_rows *rows, int column);
bool db_flag(const struct db_rows *rows, int column);
/* A column as it is stored, all of it in one look. */
struct value db_value(const struct db_rows *rows, int column);

/*
 * A write transaction: waits for the writer lock, at most 2 s. Inside it do only bound statements: no JSON, hashing, file
 * or mail work that can be done before. After DB_DONE from commit all rows that it wrote or saw are on the disk; others
 * may see them a moment before. DB_BROKEN says that a sync failed: nobody writes any more then. End it with exactly one
 * of commit or rollback; after DB_BUSY etc. from begin there is nothing to end.
 */
must_use enum db_rc db_write_begin(struct db *db);
must_use enum db_rc db_write_commit(struct db *db);
void db_write_rollback(struct db *db);
bool db_writing(const struct db *db);
/*
 * Inside a write transaction: db_write_commit() calls `last`, once however often it was asked for, before it commits. For a
 * module that keeps an index of its table: many rows of one transaction are then indexed together. One function a transaction.
 */
void db_before_commit(struct db *db, void (*last)(struct db *db));
/*
 * Inside a write transaction, before it wrote anything: puts on the disk what others have committed. For what is done next
 * beside the database because of what was read, and cannot be taken back when that is lost in a power cut.
 */
must_use enum db_rc db_flush(struct db *db);

/*
 * Resets every statement still running, ends the read snapshot, forgets a sticky failure. At the end of each request, or
 * of each round of a command that stays: a snapshot that is kept keeps the engine from freeing what others replaced.
 */
void db_release(struct db *db);
/* The failure that stuck, or DB_DONE. */
enum db_rc db_failure(const struct db *db);
/* A result as half a sentence for an operator: what is wrong and what to do. */
const char *db_reason(enum db_rc rc);

/*
 * Lets the statements from here on take so long together, instead of 2 s: those of the write transaction that is open,
 * until its end, else the reads, until db_release().
 */
void db_timeout(struct db *db, int64_t milliseconds);

/* True when a trivial read works right now, and the schema version it saw. */
bool db_alive(struct db *db, int *version);
/*
 * False when a write would be refused now: too little disk, no right to write, a sync that failed. Writes nothing and
 * waits for no lock.
 */
must_use bool db_writable(struct db *db);
/*
 * The same, and whether a write transaction can begin: false also when another process keeps the writer lock, or the
 * schema has changed. Waits at most half a second; asked again within a second it returns what it saw last, so it costs
 * no more however often it is asked. Ends the read snapshot. Call it outside of a write transaction.
 */
must_use bool db_try_write(struct db *db);

/*
 * Writes are refused (DB_FULL) when less than 16 MiB of the disk are free. While `only`, which says that what is written
 * next deletes more than it adds, this begins at 4 MiB: else nobody could make room.
 */
void db_only_deletes(struct db *db, bool only);

#endif
