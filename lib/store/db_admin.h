/*
 * db_admin - the database, as okulctl, the build and a program's start see it: making, copying and checking it, scripts,
 * plans. What these functions call a database is all of DATA that the engine keeps; other files are not theirs.
 */
#ifndef OKUL_DB_ADMIN_H
#define OKUL_DB_ADMIN_H

#include "db.h"

#include <stdio.h>

/* ---- making */

/* Makes a new database from the schema text, readable for its owner only. Fails when there is one. */
must_use bool db_create(const char *data, const char *schema, char *why, size_t room);
/* Sets a database that was copied into the folder, a backup say, up as db_create() does; db_open() refuses it before. */
must_use bool db_adopt(const char *data, char *why, size_t room);
/* The version that a schema text sets; 0 when it sets none. */
int db_schema_version(const char *schema);

/* ---- statements */

/*
 * Compiles each statement to see that it fits the schema, and drops it: one that is run is compiled at its first use and
 * kept, so that a process holds only those it runs. On failure `why` holds the text and the reason.
 */
must_use bool db_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room);
/*
 * Prints the query plan of each statement. Returns the number of faults: statements that do not compile, and full scans
 * ("SCAN name" in the plan) of a table whose name is not in a mark of that statement, the comment "scans: name name" in
 * its SQL. The name is the one that the plan prints, so an alias where the statement has one.
 *
 * A scan of a whole index counts too, covering or not: it grows with the table. Not counted are rows that the statement
 * itself makes (constants, a subquery, a WITH that the plan materializes) and virtual tables (json_each, full text), whose
 * plans do not say how much they read.
 */
must_use int db_explain(struct db *db, const char *const *sql, size_t count, FILE *out);

/* ---- scripts */

/*
 * Runs a script of several statements, without a limit of time: inside the write transaction that is open, else in one of
 * its own, or each statement on its own under the writer lock when `loose` (some statements cannot run inside a
 * transaction). Does not stick; `why` holds the reason on failure.
 */
must_use enum db_rc db_script(struct db *db, const char *sql, bool loose, char *why, size_t room);
/*
 * The same for what an operator types: `row` (NULL drops them) sees each row, and `first` marks the first of a statement.
 * Statements that only read run without the writer lock, until one comes that writes.
 */
must_use enum db_rc db_shell(struct db *db, const char *sql, bool loose,
	void (*row)(void *context, const struct db_rows *rows, bool first), void *context, char *why, size_t room);

/* ---- migrations; true when it worked, else `why` holds the reason */

/* Whether statements from here on check references between tables: on at db_open(). Outside of a transaction. */
must_use bool db_check_references(struct db *db, bool on, char *why, size_t room);
/* Tells `found` each table with rows that refer to nothing, and how many they are. */
must_use bool db_orphans(struct db *db, void (*found)(void *context, const char *table, int64_t rows), void *context,
	char *why, size_t room);
/* Inside a write transaction: the schema's version from its commit on. */
must_use bool db_set_version(struct db *db, int version, char *why, size_t room);

/* ---- upkeep */

/*
 * Reads the whole database and tells `found` of each damage. `quick` leaves out whether each index fits its table. False
 * when it cannot be read; `why` holds the reason.
 */
must_use bool db_verify(struct db *db, bool quick, void (*found)(void *context, const char *damage), void *context,
	char *why, size_t room);
/*
 * Copies the database as it is now into `path`, a file that is not there or empty, without the writer lock: the copy is
 * made from one snapshot, and the source is not written to. Then reads the whole copy to see that it is sound, and of the
 * schema version of its source. `progress` (may be NULL) is called every now and then while it is written. Not on the disk
 * yet when this returns: db_sync(). To be used it needs db_adopt(). On failure something may be left at `path`, and `why`
 * says what is wrong.
 */
must_use bool db_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room);
/* Bytes that a copy takes at most. -1 when they cannot be told. */
int64_t db_copy_size(struct db *db);
/*
 * Puts on the disk a file beside the database, a copy of it say, or the names in a folder. Not for the database itself.
 * False with errno set.
 */
must_use bool db_sync(const char *path);
/* Bytes of the engine's log of changes. It grows while a snapshot is kept, and is written again from its start else. */
int64_t db_log_size(const struct db *db);
/* Empties that log. Takes the writer lock; DB_BUSY while a snapshot needs the log. */
must_use enum db_rc db_trim(struct db *db);
/* For a load of many rows: memory for pages that are changed, in KiB. Until db_close(). */
must_use bool db_cache(struct db *db, int kib, char *why, size_t room);

#endif
