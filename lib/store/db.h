/*
 * db - the database: one file, a read connection and a write connection, statements kept for the process's life.
 *
 * SQL texts are constants: a statement is found again by the address of its text. Inside db_write_begin() ...
 * db_write_commit() every call goes to the write connection, else to the read connection, which cannot write.
 *
 * Failures that a handler cannot mend (busy, full, corrupt, I/O) stick: every later call gives the same code until
 * db_release(), and the request answers with it whatever the handler thought it saw. So a handler looks only for the
 * outcomes that it knows: DB_ROW, DB_DONE, DB_TAKEN.
 *
 * Only SQLite may open okul.db, okul.db-wal and okul.db-shm: one open() and close() of them elsewhere in a process drops
 * its locks (POSIX), and with them commits of others.
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
	DB_BUSY,		/* the gate or the lock was not to be had in 2 s */
	DB_SLOW,		/* a read ran longer than 2 s and was stopped */
	DB_FULL,		/* disk full or nearly so: db_only_deletes() */
	DB_READONLY,		/* file or folder is not writable */
	DB_BROKEN,		/* I/O error, corruption, not a database, missing */
	DB_OLD,			/* schema version differs from that of the program */
	DB_ERROR,		/* SQL or use of this interface: our fault */
};

/* DB_SCHEMA_VERSION, the user_version that schema.sql sets, comes from the Makefile, which reads it there. */
#ifndef DB_SCHEMA_VERSION
#error "compile with -DDB_SCHEMA_VERSION=N"
#endif

struct db;
struct db_rows;

/* All statements of a module, for db_check() and db_explain(). */
struct db_statements { const char *const *sql; size_t count; };

enum db_mode { DB_READ_WRITE, DB_READ_ONLY };

/*
 * Opens DATA/okul.db, which must exist, be in WAL mode and have schema version `version` (0: any).
 * Call once a process, after any fork; sets the process's umask to 0077. On failure gives NULL, and says in `why` what is
 * wrong and what to do. What writing needs is opened by the first that writes.
 */
must_use struct db *db_open(const char *data, enum db_mode mode, int version, char *why, size_t room);
void db_close(struct db *db);

/*
 * Compiles each statement to see that it fits the schema, and drops it: one that is run is compiled at its first use and
 * kept, so that a process holds only those it runs. On failure `why` holds the text and SQLite's reason.
 */
must_use bool db_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room);
/*
 * Prints the query plan of each statement. Gives the number of full scans ("SCAN table") in statements that do not
 * carry the comment "scan is meant".
 */
must_use int db_explain(struct db *db, const char *const *sql, size_t count, FILE *out);

/*
 * Starts a statement. The rows stay valid until db_end(), the next start of the same statement, or the end of their
 * snapshot. Bound text is borrowed until then. `*rows` is never NULL.
 *
 * Once a row was read, all reads up to the next db_write_begin() or db_release() see the same snapshot, and those two
 * end every row of it: whoever waits at the gate must hold no snapshot, or under load the WAL could never be emptied.
 * So copy what is needed across db_write_begin(). Rows read inside a write transaction end with it.
 */
must_use enum db_rc db_query(struct db *db, struct db_rows **rows, const char *sql, struct args args);
must_use enum db_rc db_next(struct db_rows *rows);
void db_end(struct db_rows *rows);
/* db_query() and the first db_next() in one. */
must_use enum db_rc db_one(struct db *db, struct db_rows **rows, const char *sql, struct args args);
/* Runs to the end, dropping rows. DB_DONE when it worked. `*changed` (may be NULL) gets the rows inserted, updated or deleted. */
must_use enum db_rc db_run(struct db *db, const char *sql, struct args args, int64_t *changed);

/* Columns of the row at hand, from 0. Text and bytes live until the next db_next() or db_end(). NULL reads as 0, NULL, 0.0. */
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
 * A write transaction: waits for the gate, then for SQLite's lock (at most 2 s together), BEGIN IMMEDIATE. Inside it do only bound statements:
 * no JSON, hashing, file or mail work that can be done before. After DB_DONE from commit all rows that it wrote or saw are
 * on the disk; others may see them a moment before. DB_BROKEN says that a sync failed: nobody writes any more then.
 * Give back with exactly one of commit or rollback; after DB_BUSY etc. from begin there is nothing to give back.
 */
must_use enum db_rc db_write_begin(struct db *db);
must_use enum db_rc db_write_commit(struct db *db);
void db_write_rollback(struct db *db);
bool db_writing(const struct db *db);
/*
 * Inside a write transaction, before it wrote anything: puts on the disk what others have committed. For what is done next
 * beside the database because of what was read, and cannot be taken back when that is lost in a power cut.
 */
must_use enum db_rc db_settle(struct db *db);

/*
 * Resets every statement still running, ends the read snapshot, forgets a sticky failure. At the end of each request, or
 * of each round of a command that stays: a snapshot that is kept keeps the WAL from being emptied.
 */
void db_release(struct db *db);
/* The failure that stuck, or DB_DONE. */
enum db_rc db_failure(const struct db *db);
/* A result as half a sentence for an operator: what is wrong and what to do. */
const char *db_reason(enum db_rc rc);

/*
 * Lets the statements from here on take so long together, instead of 2 s: those of the write transaction that is open, until its
 * end, else the reads, until db_release().
 */
void db_patience(struct db *db, int64_t milliseconds);

/* True when a trivial read works right now, and the schema version it saw. */
bool db_alive(struct db *db, int *version);

/* False when a write would be refused now: too little disk, no right to write, a sync that failed. Writes nothing, waits for nobody. */
must_use bool db_writable(struct db *db);
/*
 * The same, and whether a write transaction can begin: false also when somebody keeps the gate or SQLite's lock, or the schema has
 * changed. Waits at most half a second; asked again within a second it says what it saw last, so it costs no more however often
 * it is asked. Ends the read snapshot. Call it outside of a write transaction.
 */
must_use bool db_try_write(struct db *db);

/*
 * Writes are refused (DB_FULL) when less than 16 MiB of the disk are free. While `only`, which says that what is written next
 * deletes more than it adds, this begins at 4 MiB: else nobody could make room.
 */
void db_only_deletes(struct db *db, bool only);

/* A checkpoint under the gate; `truncate` also empties the WAL file. */
must_use enum db_rc db_checkpoint(struct db *db, bool truncate);

/*
 * Runs a script of several statements, without a limit of time: inside the write transaction that is open, else in one of
 * its own, or each statement on its own behind the gate when `loose` (VACUUM and some PRAGMAs cannot run inside a
 * transaction). For okulctl; does not stick; `why` holds the reason on failure.
 */
must_use enum db_rc db_script(struct db *db, const char *sql, bool loose, char *why, size_t room);
/*
 * The same for what an operator types: `row` (NULL drops them) sees each row, and `first` marks the first of a statement.
 * Statements that only read run without the gate, until one comes that writes.
 */
must_use enum db_rc db_shell(struct db *db, const char *sql, bool loose,
	void (*row)(void *context, const struct db_rows *rows, bool first), void *context, char *why, size_t room);
/*
 * Copies the database as it is now into `path`, a file that is not there or empty, without passing the gate: the copy is made
 * from one snapshot on a connection of its own, which takes nothing from writers but the emptying of the WAL, and the source
 * is not written to. Then reads the whole copy to see that it is sound, and of the schema version of its source. `progress` (may
 * be NULL) is called every now and then while it is written. Not on the disk yet when this returns. The copy is not in WAL
 * mode: db_adopt(). On failure something may be left at `path`, and `why` says what is wrong.
 */
must_use bool db_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room);
/* Bytes that a copy takes at most. -1 when they cannot be told. */
int64_t db_copy_size(struct db *db);

/*
 * Puts on the disk a file beside the database, a copy of it say, or the names in a folder. Not for the three that only SQLite
 * may open. False with errno set.
 */
must_use bool db_sync(const char *path);

/* Makes a new database file from the schema text: mode 0600, WAL mode, 4 KiB pages. Fails when the file exists. */
must_use bool db_create(const char *data, const char *schema, char *why, size_t room);
/* Puts an existing database file into WAL mode; a backup made by VACUUM INTO has left it. */
must_use bool db_adopt(const char *data, char *why, size_t room);

#endif
