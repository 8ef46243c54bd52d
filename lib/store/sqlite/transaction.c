/*
 * Write transactions, and when what they wrote is on the disk.
 *
 * A commit is on the disk before anybody is told of it, but not before the next one may begin: COMMIT runs
 * under the writer lock at synchronous = NORMAL, which writes to the WAL and does not sync it; then the
 * lock is downgraded, and the WAL is synced under the flush lock (transaction_flush()). Only then
 * db_write_commit() returns. So the syncs of several writers run side by side, where at synchronous = FULL
 * one waits for the other. What follows is true of SQLite 3.40.1 (wal.c) and Linux; tests/unit/power.c
 * cuts the power at every point of it.
 *
 * An acknowledged commit is found again. Its frames were written before its sync began, and a sync of a
 * file takes all that was written to it before, by any process. So all frames before them are on the disk
 * as well; a frame of the WAL counts if all before it do (a chain of check sums), so they do. A later
 * commit lies behind in the WAL: when its sync returns, what it saw and built upon is on the disk too.
 * What tears is the end that nobody was told of. The next commit begins in the middle of a disk's sector
 * that holds the end of this one: as with FULL, disks are trusted not to change bytes that are written
 * again as they were (SQLITE_POWERSAFE_OVERWRITE).
 *
 * Checkpoints run under the writer lock too. At NORMAL as at FULL each syncs the WAL before it copies a
 * page into the database, and syncs the database before it says that all was copied (walCheckpoint());
 * only when all was copied the WAL begins again (walRestartLog()) or is cut (TRUNCATE). So when another
 * process does that between a COMMIT here and its sync, these frames are in the database by then, and that
 * is on the disk. The sync that follows is then of no use, and does no harm: nobody removes the WAL while
 * a connection is open, so it is the same file.
 *
 * When the WAL begins again its header gets a new salt, and is synced before the first frame is written,
 * at NORMAL too (sqlite3WalFrames(), syncHeader): old frames never count under a new header, nor new ones
 * under the old. A WAL that is new needs its name on the disk: SQLite syncs the folder with the first sync
 * of each connection (UNIXFILE_DIRSYNC), and this is why transaction_flush() asks SQLite's file for the
 * sync instead of calling fdatasync() itself.
 *
 * A reader sees a commit before its sync, and what a GET shows may so be gone after a power cut in that
 * moment; it was acknowledged to nobody. A commit that changed nothing is flushed like any other, since it
 * may answer "done" because of what it saw. A caller that does something beside the database that cannot
 * be taken back (removes a file) must call db_flush() between looking and doing.
 *
 * A failed sync is final, everywhere: its commit is visible, but may be lost with those behind it. Linux
 * (since 4.13) tells the error to each who has the file open, once. Who opens it later would be told
 * nothing, and its own sync would succeed: so the writer lock is poisoned for all (writer_lock_poison()),
 * and a first write waits until all who are syncing have synced or poisoned it, with the WAL open already.
 * It stays so until the machine has been started again: then the WAL is read from the disk, up to the gap.
 * A sync fails as well inside COMMIT (the header), and in checkpoints. What is left is a process that is
 * killed between being told and poisoning the lock, a few microseconds after a disk failed.
 *
 * Scripts and migrations take the same way; loose ones flush once, at their end, under the writer lock.
 * db_create() and db_adopt() work alone, at FULL.
 */
#include "engine.h"

#include "clock.h"
#include "guard.h"
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static const char begin_immediate_sql[] = "BEGIN IMMEDIATE", commit_sql[] = "COMMIT", rollback_sql[] = "ROLLBACK";

enum db_rc
transaction_enter(struct db *db, int64_t wait)
{
	char why[PATH_MAX + 200];
	int64_t until = clock_ticks() + wait, left;
	int error;

	statement_drop_snapshot(db);
	if (db->failure != DB_DONE)
		return db->failure;
	if (db->mode == DB_READ_ONLY)
		return failure_misuse(db, "opened for reading", begin_immediate_sql);
	if (!health_has_room(db, db->only_deletes ? ROOM_TO_DELETE : ROOM_KEPT_FREE))
		return failure_keep(db, DB_FULL);
	if (db->sync_failed)
		return failure_keep(db, DB_BROKEN);
	if (!connection_open_writer(db, why, sizeof(why))) {
		log_line(LOG_FAULT, "db_unwritable text=\"%s\"", why);
		return failure_keep(db, access(db->path, W_OK) == 0 ? DB_BROKEN : DB_READONLY);
	}
	error = writer_lock_acquire(&db->lock, wait);
	if (error == ENOTRECOVERABLE) {
		db->sync_failed = true;
		log_line(LOG_FAULT, "writer_lock_poisoned text=\"a sync failed, here or in another process\"");
		return failure_keep(db, DB_BROKEN);
	}
	if (error) {
		log_line(error == ETIMEDOUT ? LOG_WARN : LOG_FAULT, "writer_lock_failed text=\"%s\"", strerror(error));
		return failure_keep(db, error == ETIMEDOUT ? DB_BUSY : DB_BROKEN);
	}
	/* A program that writes without the writer lock, another SQLite shell say, is waited for as long as is left. */
	left = until - clock_ticks();
	sqlite3_busy_timeout(db->write.sqlite, left < 1000 ? 1 : (int)(left / 1000));
	return DB_DONE;
}

enum db_rc
transaction_begin(struct db *db, int64_t wait)
{
	int code;

	if (db->writing)
		return failure_misuse(db, "a write transaction is open already", begin_immediate_sql);
	if (transaction_enter(db, wait) != DB_DONE)
		return db->failure;
	db->frames = 0;
	db->frames_before = checkpoint_frames(db);
	code = statement_execute(&db->write, begin_immediate_sql);
	if (code != SQLITE_DONE) {
		failure_report(&db->write, code, begin_immediate_sql);
		writer_lock_release(&db->lock);
		return db->failure;
	}
	db->writing = true;
	guard_transaction(true);
	/* A worker that a migration has overtaken must not write by the old rules. */
	if (db->version && statement_version(&db->write) != db->version) {
		db_write_rollback(db);
		return failure_keep(db, DB_OLD);
	}
	return DB_DONE;
}

enum db_rc
db_write_begin(struct db *db)
{
	return transaction_begin(db, WRITE_TIMEOUT);
}

static bool
sync_wal(sqlite3 *sqlite)
{
	sqlite3_file *wal = NULL;

	/* In WAL mode this is the WAL (connection_open() has seen to it). */
	return sqlite3_file_control(sqlite, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal && wal->pMethods &&
		wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

enum db_rc
transaction_flush(struct db *db)
{
	if (!db->sync_failed && !sync_wal(db->write.sqlite)) {
		log_line(LOG_FAULT, "wal_not_synced errno=%d", errno);
		failure_of_sync(db);
	}
	return db->sync_failed ? failure_keep(db, DB_BROKEN) : DB_DONE;
}

enum db_rc
db_flush(struct db *db)
{
	if (!db->writing)
		return failure_misuse(db, "nothing to flush outside of a write transaction", "");
	return db->failure == DB_DONE ? transaction_flush(db) : db->failure;
}

enum db_rc
db_write_commit(struct db *db)
{
	int code;

	if (!db->writing)
		return failure_misuse(db, "no write transaction is open", commit_sql);
	if (db->last && db->failure == DB_DONE)
		db->last(db);
	db->last = NULL;
	statement_stop_all(&db->write);
	if (db->failure == DB_DONE) {
		code = statement_execute(&db->write, commit_sql);
		if (code != SQLITE_DONE)
			failure_report(&db->write, code, commit_sql);
	}
	if (db->failure != DB_DONE) {
		db_write_rollback(db);
		return db->failure;
	}
	checkpoint_if_due(db);
	db->writing = false;
	guard_transaction(false);
	db->stop_at = 0;
	writer_lock_downgrade(&db->lock);
	enum db_rc rc = transaction_flush(db);
	writer_lock_release(&db->lock);
	return rc;
}

void
db_write_rollback(struct db *db)
{
	int code;

	if (!db->writing)
		return;
	db->last = NULL;
	statement_stop_all(&db->write);
	/* Some failures (disk full, I/O) have rolled back already. */
	if (!sqlite3_get_autocommit(db->write.sqlite)) {
		code = statement_execute(&db->write, rollback_sql);
		if (code != SQLITE_DONE)
			failure_report(&db->write, code, rollback_sql);
	}
	db->writing = false;
	guard_transaction(false);
	db->stop_at = 0;
	writer_lock_release(&db->lock);
}

void
db_before_commit(struct db *db, void (*last)(struct db *db))
{
	if (!db->writing || (db->last && db->last != last))
		failure_misuse(db, "no write transaction is open, or it has another last step", commit_sql);
	else
		db->last = last;
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
		failure_misuse(db, "a write transaction was left open", begin_immediate_sql);
		db_write_rollback(db);
	}
	statement_drop_snapshot(db);
	db->failure = DB_DONE;
}
