/*
 * Write transactions, and when they are on the disk.
 *
 * A commit is acknowledged only when it is on the disk, but the next transaction may begin earlier: COMMIT runs under
 * the writer lock at synchronous = NORMAL, which writes to the WAL without a sync; then the lock is downgraded, and
 * the WAL is synced under the flush lock (transaction_flush()). Only then db_write_commit() returns. So several
 * writers sync at the same time, where at synchronous = FULL each waits for the one before. The following holds for
 * SQLite 3.40.1 (wal.c) on Linux; tests/unit/power.c simulates a power cut at every step of it.
 *
 * An acknowledged commit survives. Its frames were written before its sync began, and a sync of a file covers all
 * earlier writes to it, by any process. So all frames before them are on the disk too; a frame of the WAL is valid
 * when all frames before it are (a chain of checksums). A later commit is further back in the WAL: when its sync
 * returns, what it read and built on is on the disk too. Only an end that nobody acknowledged can be torn. The next
 * commit may begin in the middle of a disk sector that holds the end of this one: as with FULL, disks are trusted not
 * to damage bytes that are rewritten unchanged (SQLITE_POWERSAFE_OVERWRITE).
 *
 * Checkpoints also run under the writer lock. At NORMAL as at FULL each syncs the WAL before it copies a page into
 * the database, and syncs the database before it records that all was copied (walCheckpoint()); only then the WAL is
 * restarted (walRestartLog()) or truncated. So when another process does that between a COMMIT here and its sync,
 * these frames are already in the database, and that is on the disk. The later sync is then superfluous but harmless:
 * nobody removes the WAL while a connection is open, so it is the same file.
 *
 * A restarted WAL gets a header with a new salt, which is synced before the first frame is written, at NORMAL too
 * (sqlite3WalFrames(), syncHeader): frames with the old salt are never valid under the new header, nor the reverse.
 * The directory entry of a new WAL must be on the disk as well: SQLite syncs the folder at the first sync of each
 * connection (UNIXFILE_DIRSYNC), which is why transaction_flush() calls xSync of SQLite's file and not fdatasync().
 *
 * A reader sees a commit before its sync, so what a GET shows can be lost in a power cut at that moment; it was
 * acknowledged to nobody. A commit that changed nothing is flushed too, since its response may report what it read. A
 * caller that then does something irreversible outside the database (removes a file) must call db_flush() in between.
 *
 * A failed sync is final for all processes: its commit is visible but may be lost together with later ones. Linux
 * (since 4.13) reports the error once to each process that has the file open. A process that opens it later would not
 * see the error, and its own sync would succeed: so the writer lock is poisoned (writer_lock_poison()), and a first
 * write waits, with the WAL already open, until all current syncs have succeeded or poisoned the lock. This lasts
 * until the machine is rebooted; then the WAL is read from the disk, up to the gap. Syncs inside COMMIT (the header)
 * and in checkpoints can fail as well. What remains is a process that is killed between the error and the poisoning,
 * within a few microseconds after a disk failed.
 *
 * Scripts and migrations work the same way; loose ones flush once, at their end, under the writer lock. db_create() and
 * db_adopt() have the database to themselves, at FULL.
 */
#include "sqlite.h"

#include "clock.h"
#include "guard.h"
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static const char begin_immediate_sql[] = "BEGIN IMMEDIATE", commit_sql[] = "COMMIT", rollback_sql[] = "ROLLBACK";

enum db_rc
transaction_enter(struct sqlite *db, int64_t wait)
{
	char why[PATH_MAX + 200];
	int64_t until = clock_ticks() + wait, left;
	int error;

	statement_drop_snapshot(db);
	if (db->base.failure != DB_DONE)
		return db->base.failure;
	if (db->mode == DB_READ_ONLY)
		return failure_misuse(db, "a write to a read-only database", begin_immediate_sql);
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
	/* For a program that writes without the writer lock, such as the sqlite3 shell. */
	left = until - clock_ticks();
	sqlite3_busy_timeout(db->write.sqlite, left < 1000 ? 1 : (int)(left / 1000));
	return DB_DONE;
}

enum db_rc
transaction_begin(struct sqlite *db, int64_t wait)
{
	if (db->base.writing)
		return failure_misuse(db, "a nested write transaction", begin_immediate_sql);
	if (transaction_enter(db, wait) != DB_DONE)
		return db->base.failure;
	db->frames = 0;
	db->frames_before = checkpoint_frames(db);
	if (statement_run(&db->write, begin_immediate_sql) != DB_DONE) {
		writer_lock_release(&db->lock);
		return db->base.failure;
	}
	db->base.writing = true;
	guard_transaction(true);
	/* A worker that was started before a migration must not write to the new schema. */
	if (db->version && statement_version(&db->write) != db->version) {
		sqlite_write_rollback(&db->base);
		return failure_keep(db, DB_OLD);
	}
	return DB_DONE;
}

enum db_rc
sqlite_write_begin(struct db *base)
{
	struct sqlite *db = sqlite_of(base);
	return transaction_begin(db, WRITE_TIMEOUT);
}

static bool
sync_wal(sqlite3 *sqlite)
{
	sqlite3_file *wal = NULL;

	/* In WAL mode, which connection_open() has checked, this is the WAL. */
	return sqlite3_file_control(sqlite, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal && wal->pMethods &&
		wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

enum db_rc
transaction_flush(struct sqlite *db)
{
	if (!db->sync_failed && !sync_wal(db->write.sqlite)) {
		log_line(LOG_FAULT, "wal_not_synced errno=%d", errno);
		failure_of_sync(db);
	}
	return db->sync_failed ? failure_keep(db, DB_BROKEN) : DB_DONE;
}

enum db_rc
sqlite_flush(struct db *base)
{
	struct sqlite *db = sqlite_of(base);

	if (!db->base.writing)
		return failure_misuse(db, "db_flush() outside of a write transaction", "");
	return db->base.failure == DB_DONE ? transaction_flush(db) : db->base.failure;
}

enum db_rc
sqlite_write_commit(struct db *base)
{
	struct sqlite *db = sqlite_of(base);

	statement_stop_all(&db->write);
	if (db->base.failure == DB_DONE)
		statement_run(&db->write, commit_sql);
	if (db->base.failure != DB_DONE) {
		sqlite_write_rollback(base);
		return db->base.failure;
	}
	checkpoint_if_due(db);
	db->base.writing = false;
	guard_transaction(false);
	db->stop_at = 0;
	writer_lock_downgrade(&db->lock);
	enum db_rc rc = transaction_flush(db);
	writer_lock_release(&db->lock);
	return rc;
}

void
sqlite_write_rollback(struct db *base)
{
	struct sqlite *db = sqlite_of(base);

	if (!db->base.writing)
		return;
	statement_stop_all(&db->write);
	/* SQLite has already rolled back after some failures (disk full, I/O). */
	if (!sqlite3_get_autocommit(db->write.sqlite))
		statement_run(&db->write, rollback_sql);
	db->base.writing = false;
	guard_transaction(false);
	db->stop_at = 0;
	writer_lock_release(&db->lock);
}

void
sqlite_release(struct db *base)
{
	struct sqlite *db = sqlite_of(base);

	statement_drop_snapshot(db);
	db->base.failure = DB_DONE;
}
