/* The meaning of SQLite's result codes, and the failure that sticks until db_release(). */
#include "sqlite.h"

#include "log.h"

#include <errno.h>

enum db_rc
failure_meaning(sqlite3 *sqlite, int code)
{
	int error = sqlite3_system_errno(sqlite);

	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID: return DB_TAKEN;
	case SQLITE_READONLY_DBMOVED: return DB_BROKEN;
	}
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH: return DB_REFUSED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* too many retries for the locks of the WAL */ return DB_BUSY;
	case SQLITE_INTERRUPT: return DB_SLOW;
	case SQLITE_FULL: return DB_FULL;
	case SQLITE_READONLY:
	case SQLITE_PERM: return DB_READONLY;
	case SQLITE_IOERR: return error == ENOSPC || error == EDQUOT ? DB_FULL : DB_BROKEN;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CANTOPEN:
	case SQLITE_NOLFS:
	case SQLITE_NOMEM: return DB_BROKEN;
	}
	return DB_ERROR;
}

enum db_rc
failure_keep(struct sqlite *db, enum db_rc rc)
{
	if (db->base.failure == DB_DONE)
		db->base.failure = rc;
	return db->base.failure;
}

/*
 * After a failed write-back the kernel may drop the pages: a later sync that succeeds proves nothing, in no process,
 * and later commits would follow a gap in the WAL. So nobody writes any more, see transaction.c.
 */
void
failure_of_sync(struct sqlite *db)
{
	int error = db->lock.file < 0 ? 0 : writer_lock_poison(&db->lock);

	db->sync_failed = true;
	log_line(LOG_FAULT, "sync_failed text=\"no more writes until the machine is rebooted\"%s%s",
		error ? " not_poisoned=" : "", error ? strerror(error) : "");
}

bool
failure_is_sync(int code)
{
	return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

enum db_rc
failure_report(struct connection *on, int code, const char *sql)
{
	struct sqlite *db = on->db;
	enum db_rc rc = failure_meaning(on->sqlite, code);

	if (rc == DB_TAKEN)
		return rc;
	log_line(rc == DB_BUSY ? LOG_WARN : LOG_FAULT, "db_failed code=%d errno=%d text=\"%s\" sql=\"%s\"", code,
		sqlite3_system_errno(on->sqlite), sqlite3_errmsg(on->sqlite), sql);
	if (failure_is_sync(code))
		failure_of_sync(db);
	/* A statement that no longer compiles most likely follows a migration. */
	if (rc == DB_ERROR && db->version && statement_version(on) != db->version)
		rc = DB_OLD;
	return failure_keep(db, rc);
}

enum db_rc
failure_misuse(struct sqlite *db, const char *what, const char *sql)
{
	log_line(LOG_FAULT, "db_misused text=\"%s\" sql=\"%s\"", what, sql);
	return failure_keep(db, DB_ERROR);
}
