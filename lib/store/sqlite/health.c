/* Whether the database can be read and written right now, and the room on its disk. */
#include "engine.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PROBE_TIMEOUT (MICROSECONDS / 2)		/* of db_try_write(), once in PROBE_EVERY */
#define PROBE_EVERY MICROSECONDS

/* Bytes of the disk that may still be used. */
static uint64_t
free_room(const char *folder)
{
	struct statvfs disk;

#ifdef OKUL_TEST	/* tests say it in a file */
	const char *path = getenv("OKUL_DISK");
	FILE *file = path ? fopen(path, "re") : NULL;
	unsigned long long said = 0;
	bool is_said = file && fscanf(file, "%llu", &said) == 1;

	if (file)
		fclose(file);
	if (is_said)
		return said;
#endif
	return statvfs(folder, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : UINT64_MAX;
}

/* Reads go on when the disk is full; writes are refused while there still is room to end what was begun. */
bool
health_has_room(struct db *db, uint64_t mark)
{
	int64_t now = clock_ticks();

	if (db->room_looked_at && now - db->room_looked_at < MICROSECONDS)
		return db->room >= mark;
	db->room_looked_at = now;
	db->room = free_room(db->folder);
	if (db->room < ROOM_KEPT_FREE)
		log_line(LOG_FAULT, "disk_full folder=%s free=%llu", db->folder, (unsigned long long)db->room);
	return db->room >= mark;
}

void
db_only_deletes(struct db *db, bool only)
{
	db->only_deletes = only;
}

bool
db_alive(struct db *db, int *version)
{
	int found = statement_version(&db->read);

	if (found >= 0)
		*version = found;
	return found >= 0;
}

/* What a request that writes needs: the writer lock, SQLite's lock, the schema that this program knows. */
static bool
probe(struct db *db)
{
	if (db->failure != DB_DONE)
		return false;
	bool passed = transaction_begin(db, PROBE_TIMEOUT) == DB_DONE;
	if (passed)
		db_write_rollback(db);
	passed = passed && db->failure == DB_DONE;
	db->failure = DB_DONE;		/* it was the probe's, and is told */
	return passed;
}

bool
db_writable(struct db *db)
{
	return db->mode == DB_READ_WRITE && !db->sync_failed && !writer_lock_is_poisoned(db->lock_path) &&
		health_has_room(db, ROOM_KEPT_FREE) && access(db->path, W_OK) == 0 && access(db->folder, W_OK) == 0;
}

bool
db_try_write(struct db *db)
{
	if (!db_writable(db))
		return false;
	if (!db->probed_at || clock_ticks() - db->probed_at >= PROBE_EVERY) {
		db->only_deletes = false;
		db->probe_passed = probe(db);
		db->probed_at = clock_ticks();
	}
	return db->probe_passed;
}
