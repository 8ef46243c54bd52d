/* Checkpoints, which copy the WAL back into the database. */
#include "sqlite.h"

#include "log.h"

#include <limits.h>
#include <sys/stat.h>

#define BUSY_RESTART 20 /* milliseconds that a RESTART waits for readers, while nobody can write */

#define FRAMES_PASSIVE 1000 /* frames (pages) between checkpoints */
#define FRAMES_RESTART 4000 /* length of the WAL from which it should be restarted, */
#define FRAMES_OVERDUE 250  /* and the frames between checkpoints from then on */

int
checkpoint_frames(const struct sqlite *db)
{
	int now = 0, most;

	sqlite3_db_status(db->write.sqlite, SQLITE_DBSTATUS_CACHE_WRITE, &now, &most, 0);
	return now;
}

/*
 * SQLite's automatic checkpoints would run without the writer lock; those of versions up to 3.51.2 can then lose
 * commits when another process restarts the WAL.
 *
 * PASSIVE copies what no reader needs any more, but under many reads there is always some reader, and the WAL would
 * never be restarted. RESTART waits for the current readers. That is useless while one of them stays (a backup): then
 * PASSIVE copies no further than the last time. The process that writes the last of FRAMES_PASSIVE frames runs the
 * checkpoint, and no other: two syncs under the writer lock are expensive while a reader prevents the restart.
 */
void
checkpoint_if_due(struct sqlite *db)
{
	sqlite3 *sqlite = db->write.sqlite;
	int before = db->copied, written = checkpoint_frames(db) - db->frames_before;
	int step = db->frames < FRAMES_RESTART ? FRAMES_PASSIVE : FRAMES_OVERDUE;
	int code;

	if (db->frames / step == (db->frames - written) / step)
		return;
	code = sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &db->copied);
	if (code == SQLITE_OK && db->frames >= FRAMES_RESTART && db->copied != before) {
		sqlite3_busy_timeout(sqlite, BUSY_RESTART);
		code = sqlite3_wal_checkpoint_v2(sqlite, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
		sqlite3_busy_timeout(sqlite, BUSY_WRITER);
	}
	/* The commit is safe in the WAL even when the checkpoint fails. */
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		log_line(LOG_FAULT, "checkpoint_failed code=%d text=\"%s\"", code, sqlite3_errmsg(sqlite));
	if (failure_is_sync(code))
		failure_of_sync(db);
}

enum db_rc
sqlite_trim(struct db *base)
{
	struct sqlite *db = sqlite_of(base);
	int code;

	if (db->base.writing)
		return failure_misuse(db, "a checkpoint inside a transaction", "");
	if (transaction_enter(db, WRITE_TIMEOUT) != DB_DONE)
		return db->base.failure;
	sqlite3_busy_timeout(db->write.sqlite, BUSY_WRITER);
	code = sqlite3_wal_checkpoint_v2(db->write.sqlite, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (code != SQLITE_OK)
		failure_report(&db->write, code, "checkpoint");
	writer_lock_release(&db->lock);
	return db->base.failure;
}

int64_t
sqlite_log_size(const struct db *base)
{
	const struct sqlite *db = (const struct sqlite *)base;
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s-wal", db->path);
	return stat(path, &st) == 0 ? st.st_size : 0;
}
