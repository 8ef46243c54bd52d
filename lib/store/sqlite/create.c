/* Database files that are made: a new one, a copy, a copy that becomes the database. */
#include "engine.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int64_t
db_copy_size(struct db *db)
{
	static const char sql[] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
	struct db_rows *row;
	int64_t size = db_one(db, &row, sql, NO_ARGS) == DB_ROW ? db_int(row, 0) : -1;

	db_release(db);
	return size;
}

/* Returns SQLite's code. */
static int
vacuum_into(struct connection *on, const char *path)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(on->sqlite, "VACUUM INTO ?1", -1, &statement, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
	if (code == SQLITE_OK)
		code = sqlite3_step(statement);
	sqlite3_finalize(statement);
	return code;
}

/* The first column of the first row, as text in `out`. Returns SQLite's code. */
static int
ask_copy(sqlite3 *sqlite, const char *sql, char *out, size_t room)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);

	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
		snprintf(out, room, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return code;
}

static bool
is_sound(const char *path, int version, char *why, size_t room)
{
	char found[256] = "", number[16] = "";
	sqlite3 *copy = NULL;
	int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READONLY | SQLITE_OPEN_EXRESCODE, NULL);

	if (code == SQLITE_OK)
		code = connection_set_up(copy);
	/* Every index is looked up row by row. No other process knows this file, so it may be mapped. */
	if (code == SQLITE_OK)
		code = sqlite3_exec(copy, "PRAGMA mmap_size = 1099511627776; PRAGMA cache_size = -16384", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = ask_copy(copy, "PRAGMA integrity_check(1)", found, sizeof(found));
	if (code == SQLITE_ROW)
		code = ask_copy(copy, "PRAGMA user_version", number, sizeof(number));
	bool sound = code == SQLITE_ROW && strcmp(found, "ok") == 0 && strtol(number, NULL, 10) == version;
	if (!sound)
		text_complain(why, room, "the copy is damaged (%s); `okulctl check` looks at the database itself",
			code == SQLITE_ROW ? found : sqlite3_errmsg(copy));
	sqlite3_close(copy);
	return sound;
}

/*
 * VACUUM INTO only reads its source. On a connection that is open for reading only it would work too, but copies tables row
 * by row instead of page by page, which takes eight times as long (SQLite 3.40.1). Nothing is committed on this one, and
 * closing it checkpoints nothing: so it needs no writer lock.
 */
bool
db_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room)
{
	struct connection on = { .db = db };
	int version = statement_version(&db->read);

	statement_drop_snapshot(db);
	db->unlimited = true;
	db->progress = progress;
	db->progress_context = context;
	bool good = connection_open(db, &on, SQLITE_OPEN_READWRITE, why, room);
	if (good && vacuum_into(&on, path) != SQLITE_DONE)
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
	int code;

	umask(0077);
	code = sqlite3_open_v2(path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = connection_set_up(sqlite);
	if (code == SQLITE_OK) {
		/* Here the checkpoint at the end is wanted: it leaves one file. */
		sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
		code = sqlite3_exec(sqlite, "PRAGMA page_size = 4096; BEGIN IMMEDIATE", NULL, NULL, NULL);
	}
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, schema, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, "COMMIT; PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		text_complain(why, room, "%s cannot be made: %s", path, sqlite3_errmsg(sqlite));
	sqlite3_close(sqlite);
	return code == SQLITE_OK;
}

bool
db_adopt(const char *data, char *why, size_t room)
{
	struct db db = { .path = connection_path(data, "okul.db") };
	sqlite3 *sqlite = NULL;
	int code;

	connection_configure();
	if (!db.path)
		return text_complain(why, room, "out of memory");
	code = sqlite3_open_v2(db.path, &sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, NULL);
	if (code == SQLITE_OK)
		code = connection_set_up(sqlite);
	if (code == SQLITE_OK)
		code = sqlite3_exec(sqlite, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	bool good = code == SQLITE_OK && connection_is_wal(sqlite, &code);
	if (!good)
		connection_failure(&db, sqlite, code, why, room);
	sqlite3_close(sqlite);
	free(db.path);
	return good;
}

bool
db_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

bool
db_create(const char *data, const char *schema, char *why, size_t room)
{
	char *path = connection_path(data, "okul.db"), *aside = NULL;
	bool good = false;

	connection_configure();
	if (!path || asprintf(&aside, "%s.new-%d", path, (int)getpid()) < 0)
		return text_complain(why, room, "out of memory");
	/* Made aside and linked into place: nobody sees half a database, and of two that make one only one succeeds. */
	if (fill_file(aside, schema, why, room)) {
		good = link(aside, path) == 0 && db_sync(data);
		if (!good)
			text_complain(why, room, "%s cannot be made: %s", path, strerror(errno));
	}
	unlink(aside);
	free(aside);
	free(path);
	return good;
}

int
db_schema_version(const char *schema)
{
	const char *at = strstr(schema, "PRAGMA user_version");
	int version = 0;

	return at && sscanf(at, "PRAGMA user_version = %d", &version) == 1 ? version : 0;
}
