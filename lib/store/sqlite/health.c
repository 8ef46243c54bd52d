/* Whether the database can be read and written now, and the free space of its disk. */
#include "sqlite.h"

#include "clock.h"
#include "log.h"

#include <sys/statvfs.h>
#include <unistd.h>

#define PROBE_TIMEOUT (MICROSECONDS / 2)
#define PROBE_EVERY MICROSECONDS /* db_try_write() returns its last result until then */

/* Free bytes of the disk. */
static uint64_t
free_room(const char *folder)
{
	struct statvfs disk;

#ifdef OKUL_TEST /* tests set it in a file */
	const char *path = getenv("OKUL_DISK");
	FILE *file = path ? fopen(path, "re") : NULL;
	unsigned long long bytes = 0;
	bool is_set = file && fscanf(file, "%llu", &bytes) == 1;

	if (file)
		fclose(file);
	if (is_set)
		return bytes;
#endif
	return statvfs(folder, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : UINT64_MAX;
}

/* Writes are refused while there still is room to finish those that have begun. Reads need none. */
bool
health_has_room(struct sqlite *db, uint64_t mark)
{
	int64_t now = clock_ticks();

	if (db->room_checked_at && now - db->room_checked_at < MICROSECONDS)
		return db->room >= mark;
	db->room_checked_at = now;
	db->room = free_room(db->folder);
	if (db->room < ROOM_KEPT_FREE)
		log_line(LOG_FAULT, "disk_full folder=%s free=%llu", db->folder, (unsigned long long)db->room);
	return db->room >= mark;
}

void
sqlite_only_deletes(struct db *base, bool only)
{
	struct sqlite *db = sqlite_of(base);
	db->only_deletes = only;
}

bool
sqlite_alive(struct db *base, int *version)
{
	struct sqlite *db = sqlite_of(base);
	int found = statement_version(&db->read);

	if (found >= 0)
		*version = found;
	return found >= 0;
}

/* Checks what a request that writes needs: the writer lock, SQLite's lock, the schema version of this program. */
static bool
probe(struct sqlite *db)
{
	if (db->base.failure != DB_DONE)
		return false;
	bool passed = transaction_begin(db, PROBE_TIMEOUT) == DB_DONE;
	if (passed)
		sqlite_write_rollback(&db->base);
	passed = passed && db->base.failure == DB_DONE;
	db->base.failure = DB_DONE; /* of the probe */
	return passed;
}

bool
sqlite_writable(struct db *base)
{
	struct sqlite *db = sqlite_of(base);
	return db->mode == DB_READ_WRITE && !db->sync_failed && !writer_lock_is_poisoned(db->lock_path) &&
		health_has_room(db, ROOM_KEPT_FREE) && access(db->path, W_OK) == 0 && access(db->folder, W_OK) == 0;
}

bool
sqlite_try_write(struct db *base)
{
	struct sqlite *db = sqlite_of(base);

	if (!sqlite_writable(base))
		return false;
	if (!db->probed_at || clock_ticks() - db->probed_at >= PROBE_EVERY) {
		db->only_deletes = false;
		db->probe_passed = probe(db);
		db->probed_at = clock_ticks();
	}
	return db->probe_passed;
}
