/*
 * db_admin - the database for okulctl, the build and the start of a program: creating, copying and checking it,
 * scripts, query plans. On failure `why` gets the reason.
 */
#ifndef OKUL_DB_ADMIN_H
#define OKUL_DB_ADMIN_H

#include "db.h"

/* Called for each row; `first` marks the first row of a statement. */
typedef void db_row_call(void *context, const struct db_rows *rows, bool first);

enum db_job { DB_JOB_MIGRATE = 1, DB_JOB_CLEANUP, DB_JOB_MOVE };

/* ---- creating */

/*
 * Creates a database from the schema text: in a folder a file that only its owner can read, on a server the tables of a
 * database that is empty. Fails when there is one.
 */
must_use bool db_create(const char *place, const char *schema, char *why, size_t room);
/* Sets up a database that was copied into the folder, for example a backup; db_open() refuses it before. */
must_use bool db_adopt(const char *place, char *why, size_t room);
/*
 * For a database of one file: renames it to `path`, whole; and deletes it with all that belongs to it. A server's stays as
 * it is.
 */
must_use bool db_set_aside(const char *place, const char *path, char *why, size_t room);
void db_discard(const char *place);
/* The version that a schema text sets, or 0. */
int db_schema_version(const char *schema);

/* ---- statements */

/* Compiles each statement, to check that it fits the schema, without caching it. */
must_use bool db_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room);
/*
 * Prints the query plan of each statement. Returns the number of faults: statements that do not compile, and full scans
 * ("SCAN name" in the plan) of a table whose name, or alias, is not in a mark of that statement, the comment
 * "scans: name name" in its SQL.
 *
 * A scan of a whole index counts too, covering or not: it grows with the table. Constants, subqueries and materialized
 * WITHs do not count, nor do virtual tables (json_each, full text), whose plans do not show how much they read.
 */
must_use int db_explain(struct db *db, const char *const *sql, size_t count, FILE *out);

/* ---- scripts */

/*
 * Runs a script without a timeout: inside the open write transaction, else in a new one, or each statement by itself
 * under the writer lock when `loose`, since some statements cannot run inside a transaction. A failure does not stick.
 */
must_use enum db_rc db_script(struct db *db, const char *sql, bool loose, char *why, size_t room);
/*
 * The same for statements that an operator types: calls `row` (may be NULL) for each row. Takes the writer lock only
 * before the first statement that writes.
 */
must_use enum db_rc db_shell(struct db *db, const char *sql, bool loose, db_row_call *row, void *context, char *why,
	size_t room);

/* ---- migrations */

/* Turns the check of foreign keys, which db_open() turns on, on or off. Outside of a transaction. */
must_use bool db_check_references(struct db *db, bool on, char *why, size_t room);
/* Calls `found` for each table with dangling references; the columns are its name and the number of such rows. */
must_use bool db_orphans(struct db *db, db_row_call *found, void *context, char *why, size_t room);
/* Sets the schema version, inside a write transaction. */
must_use bool db_set_version(struct db *db, int version, char *why, size_t room);

/* ---- moving to another engine */

#define DB_MOVED 1000000	/* from this schema version on, the database was moved, and no program writes to it any more */

/*
 * Loads rows into an empty table, many at a time and without running its triggers more than needed: between
 * db_load_begin() and db_load_end() only db_load_row() may be called. `columns` are their names, separated by ", ", and
 * each row has a value for each. Counters (tally, time_tally, result_tally, user_block) are loaded only where
 * db_load_begin() says so by `*wanted`: elsewhere the engine counts the rows that it loads. A part of the rows may stay
 * when it fails. There is no limit to the time that it takes.
 */
must_use bool db_load_begin(struct db *db, const char *table, const char *columns, bool *wanted, char *why, size_t room);
must_use bool db_load_row(struct db *db, const struct value *values, size_t count);
must_use bool db_load_end(struct db *db, char *why, size_t room);
/* Makes sure that a table whose keys are never used twice gives out no key up to this one. */
must_use bool db_reserve_keys(struct db *db, const char *table, int64_t key, char *why, size_t room);
/* Deletes the rows of all tables; for what an interrupted move has left. */
must_use bool db_empty(struct db *db, char *why, size_t room);

/* ---- upkeep */

/*
 * Takes a job that is done by one process at a time, on all machines that share the database, until db_close(). Returns
 * DB_DONE, DB_TAKEN when another process has it, or a failure. A database of one file needs no such lock: its jobs are
 * safe side by side.
 */
must_use enum db_rc db_take_job(struct db *db, enum db_job job);

enum db_grade { DB_GOOD, DB_DOUBTFUL, DB_BAD };
typedef void db_review_call(enum db_grade grade, const char *topic, const char *text);
/* Calls `found` for what an operator should know of a server: version, encryption, rights, clock, settings. */
void db_review(struct db *db, db_review_call *found);
/*
 * Reads the whole database and calls `found` for each damage, with its description as the only column. `quick` does
 * not compare indexes with their tables. Returns false when the database cannot be read.
 */
must_use bool db_verify(struct db *db, bool quick, db_row_call *found, void *context, char *why, size_t room);
/*
 * Copies one snapshot of the database into `path`, a file that is missing or empty, without the writer lock. Then
 * checks the whole copy and its schema version. Calls `progress` (may be NULL) regularly while it writes. Call
 * db_sync() for `path` after it, and db_adopt() before the copy is used. On failure a partial file may be left at
 * `path`.
 */
must_use bool db_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room);
/* Upper limit of the size of a copy in bytes, or -1. */
int64_t db_copy_size(struct db *db);
/* Calls fsync() for a file, but never one of the open database, or for a folder. Returns false with errno set. */
must_use bool db_sync(const char *path);
/* Size of the write-ahead log in bytes. It grows while a snapshot is kept. */
int64_t db_log_size(const struct db *db);
/* Truncates that log, under the writer lock; DB_BUSY while a snapshot needs it. */
must_use enum db_rc db_trim(struct db *db);
/* Sets the page cache for writing, in KiB, until db_close(): for bulk loads. */
must_use bool db_cache(struct db *db, int kib, char *why, size_t room);

#endif
