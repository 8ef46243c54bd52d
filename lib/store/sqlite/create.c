/* Database files: a new one, a copy, and a copy that becomes the database. */
#include "sqlite.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t
sqlite_copy_size(struct db *base)
{
	static const char sql[] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
	int64_t size = -1;

	(void)!db_number(base, &size, sql, NO_ARGS);
	sqlite_release(base);
	return size;
}

static bool
is_sound(const char *path, int version, char *why, size_t room)
{
	char found[256] = "", number[16] = "";
	sqlite3 *copy = NULL;
	int code = connection_open_file(path, SQLITE_OPEN_READONLY, &copy);

	/* The check looks up each row in each index. No other process uses this file, so it may be mapped. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(copy, "PRAGMA mmap_size = 1099511627776; PRAGMA cache_size = -16384", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = connection_ask(copy, "PRAGMA integrity_check(1)", NULL, found, sizeof(found));
	if (code == SQLITE_ROW)
		code = connection_ask(copy, "PRAGMA user_version", NULL, number, sizeof(number));
	bool sound = code == SQLITE_ROW && strcmp(found, "ok") == 0 && strtol(number, NULL, 10) == version;
	if (!sound)
		text_complain(why, room, "the copy is damaged (%s); `okulctl check` checks the database itself",
			code == SQLITE_ROW ? found : sqlite3_errmsg(copy));
	sqlite3_close(copy);
	return sound;
}

/*
 * VACUUM INTO only reads its source, but on a read-only connection it copies row by row instead of page by page,
 * which takes eight times as long (SQLite 3.40.1). This connection commits nothing and makes no checkpoint when it is
 * closed, so it needs no writer lock.
 */
bool
sqlite_copy(struct db *base, const char *path, void (*progress)(void *context), void *context, char *why, size_t room)
{
	struct sqlite *db = sqlite_of(base);
	struct connection on = { .db = db };
	int version = statement_version(&db->read);

	statement_drop_snapshot(db);
	db->unlimited = true;
	db->progress = progress;
	db->progress_context = context;
	bool good = connection_open(db, &on, SQLITE_OPEN_READWRITE, why, room);
	if (good && connection_ask(on.sqlite, "VACUUM INTO ?1", path, NULL, 0) != SQLITE_DONE)
		good = text_complain(why, room, "%s", sqlite3_errmsg(on.sqlite));
	connection_close(&on);
	db->unlimited = false;
	db->progress = NULL;
	return good && is_sound(path, version, why, room);
}

static bool
fill_file(const char *path, const char *schema, char *why, size_t room)
{
	sqlite3 *sqlite = NULL;
	int code = connection_open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &sqlite);

	if (code == SQLITE_OK) {
		/* A checkpoint at the end leaves a single file. */
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
		code = sqlite3_exec(sqlite, "PRAGMA page_size = 4096; BEGIN IMMEDIATE", NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, schema, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, "COMMIT; PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		text_complain(why, room, "%s cannot be created: %s", path, sqlite3_errmsg(sqlite));
	sqlite3_close(sqlite);
	return code == SQLITE_OK;
}

bool
sqlite_adopt(const char *data, char *why, size_t room)
{
	struct sqlite db = { .path = connection_path(data, "okul.db") };
	char mode[16] = "";
	sqlite3 *sqlite = NULL;

	if (!db.path)
		return text_complain(why, room, "out of memory");
	int code = connection_open_file(db.path, SQLITE_OPEN_READWRITE, &sqlite);
	if (code == SQLITE_OK)
		code = connection_ask(sqlite, "PRAGMA journal_mode = WAL", NULL, mode, sizeof(mode));
	bool good = code == SQLITE_ROW && strcmp(mode, "wal") == 0;
	if (!good)
		connection_failure(&db, sqlite, code, why, room);
	sqlite3_close(sqlite);
	free(db.path);
	return good;
}

bool
sqlite_create(const char *data, const char *schema, char *why, size_t room)
{
	char *path = connection_path(data, "okul.db"), *temporary = NULL;
	bool good = false;

	if (!path || asprintf(&temporary, "%s.new-%d", path, (int)getpid()) < 0)
		return text_complain(why, room, "out of memory");
	/* Linked when it is complete: nobody opens half a database, and of concurrent calls only one succeeds. */
	if (fill_file(temporary, schema, why, room)) {
		good = link(temporary, path) == 0 && db_sync(data);
		if (!good)
			text_complain(why, room, "%s cannot be created: %s", path, strerror(errno));
	}
	unlink(temporary);
	free(temporary);
	free(path);
	return good;
}

static void
remove_beside(const char *folder, const char *name)
{
	char *path = connection_path(folder, name);

	if (path)
		unlink(path);
	free(path);
}

/* The WAL belongs to the file, so it is emptied first. */
bool
sqlite_set_aside(const char *place, const char *path, char *why, size_t room)
{
	struct db *db = sqlite_open(place, DB_READ_WRITE, 0, why, room);
	char *from = connection_path(place, "okul.db");
	bool good = db && from;

	if (good && sqlite_trim(db) != DB_DONE)
		good = text_complain(why, room, "%s is in use: stop okul, and try again", from);
	sqlite_close(db);
	if (good && (rename(from, path) != 0 || !db_sync(place)))
		good = text_complain(why, room, "%s cannot be renamed: %s", from, strerror(errno));
	if (good) {
		remove_beside(place, "okul.db-wal");
		remove_beside(place, "okul.db-shm");
	}
	free(from);
	return good;
}

void
sqlite_discard(const char *place)
{
	remove_beside(place, "okul.db");
	remove_beside(place, "okul.db-wal");
	remove_beside(place, "okul.db-shm");
	remove_beside(place, "okul.gate");
}
