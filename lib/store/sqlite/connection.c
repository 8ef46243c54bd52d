/* Opening and closing the read connection and the write connection, and the settings of SQLite. */
#include "sqlite.h"

#include "clock.h"
#include "text.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATEMENT_TIMEOUT (2 * MICROSECONDS) /* for all statements of one request together */
#define PROGRESS_STEPS 10000		     /* VM instructions between progress calls: tenths of a millisecond */
/* Milliseconds to wait for SQLite's own locks: at the start and in reads another process may recover the WAL. */
#define BUSY_AT_START 2000

char *
connection_path(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int
on_progress(void *context)
{
	struct sqlite *db = context;
	int64_t now;

	if (db->progress)
		db->progress(db->progress_context);
	if (db->unlimited)
		return 0;
	now = clock_ticks();
	if (db->stop_at == 0)
		db->stop_at = now + STATEMENT_TIMEOUT;
	return now >= db->stop_at;
}

static int
on_commit(void *context, sqlite3 *sqlite, const char *name, int frames)
{
	struct sqlite *db = context;

	(void)sqlite;
	(void)name;
	db->frames = frames;
	return SQLITE_OK;
}

int
connection_ask(sqlite3 *sqlite, const char *sql, const char *argument, char *out, size_t room)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(sqlite, sql, -1, &statement, NULL);

	if (code == SQLITE_OK && argument)
		code = sqlite3_bind_text(statement, 1, argument, -1, SQLITE_STATIC);
	if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
		snprintf(out, room, "%s", (const char *)sqlite3_column_text(statement, 0));
	int end = sqlite3_finalize(statement); /* commits, for example a change of the journal mode */
	return end == SQLITE_OK ? code : end;
}

bool
connection_failure(const struct sqlite *db, sqlite3 *sqlite, int code, char *why, size_t room)
{
	struct stat st;

	if (stat(db->path, &st) != 0)
		return text_complain(why, room, "%s: %s%s", db->path, strerror(errno),
			errno == ENOENT ? "; run `okulctl migrate` to create it" : "");
	if (access(db->path, R_OK) != 0)
		return text_complain(why, room,
			"%s is not readable for this user: run as its owner, or make the user "
			"that runs okul its owner (chown)",
			db->path);
	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return text_complain(why, room, "%s is damaged or not a SQLite database (%s); restore it from a backup", db->path,
			sqlite3_errmsg(sqlite));
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return text_complain(why, room, "%s cannot be used (%s): this user must be able to write to it and to its folder",
			db->path, sqlite3_errmsg(sqlite));
	}
	return text_complain(why, room, "%s: %s", db->path, sqlite3_errmsg(sqlite));
}

int
connection_open_file(const char *path, int flags, sqlite3 **sqlite)
{
	static const struct {
		int option, on;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		/* Else the last process that closes the database makes a checkpoint: each run of a CGI program. */
		{ SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1 },
	};
	int code;

	/* No mutexes, no memory statistics, no preallocated pages. Without effect after the first open. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	umask(0077);
	code = sqlite3_open_v2(path, sqlite, flags | SQLITE_OPEN_EXRESCODE, NULL);
	if (code != SQLITE_OK)
		return code;
	sqlite3_busy_timeout(*sqlite, BUSY_AT_START);
	for (size_t i = 0; i < COUNT(options); i++)
		sqlite3_db_config(*sqlite, options[i].option, options[i].on, NULL);
	return functions_add(*sqlite);
}

bool
connection_open(struct sqlite *db, struct connection *on, int flags, char *why, size_t room)
{
	char mode[16] = "";
	int code = connection_open_file(db->path, flags, &on->sqlite);

	if (code == SQLITE_OK)
		code = connection_ask(on->sqlite, "PRAGMA journal_mode", NULL, mode, sizeof(mode));
	if (code != SQLITE_ROW)
		return connection_failure(db, on->sqlite, code, why, room);
	if (strcmp(mode, "wal") != 0)
		return text_complain(why, room, "%s is not in WAL mode; run `okulctl migrate`", db->path);
	code = sqlite3_exec(on->sqlite,
		"PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512; PRAGMA mmap_size = 0;"
		"PRAGMA journal_size_limit = 8388608; PRAGMA cell_size_check = ON; PRAGMA synchronous = NORMAL;",
		NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return connection_failure(db, on->sqlite, code, why, room);
	sqlite3_progress_handler(on->sqlite, PROGRESS_STEPS, on_progress, db);
	return true;
}

void
connection_close(struct connection *on)
{
	struct sqlite_rows *next;

	for (struct sqlite_rows *rows = on->cached; rows; rows = next) {
		next = rows->next_cached;
		sqlite3_finalize(rows->statement);
		free(rows);
	}
	sqlite3_close(on->sqlite);
	*on = (struct connection){ .db = on->db };
}

bool
connection_open_writer(struct sqlite *db, char *why, size_t room)
{
	int error;

	if (db->mode == DB_READ_ONLY)
		return text_complain(why, room, "%s is open read-only", db->path);
	if (db->write.sqlite)
		return true;
	error = writer_lock_open(&db->lock, db->lock_path);
	if (error)
		return text_complain(why, room, "%s: %s; this user must be able to write to it and to its folder", db->lock_path,
			strerror(error));
	if (!connection_open(db, &db->write, SQLITE_OPEN_READWRITE, why, room)) {
		connection_close(&db->write);
		writer_lock_close(&db->lock);
		return false;
	}
	sqlite3_busy_timeout(db->write.sqlite, BUSY_WRITER);
	sqlite3_wal_hook(db->write.sqlite, on_commit, db); /* also turns off SQLite's automatic checkpoints */
	return true;
}

static bool
is_right_version(struct sqlite *db, char *why, size_t room)
{
	int found = statement_version(&db->read);

	if (found < 0)
		return connection_failure(db, db->read.sqlite, sqlite3_errcode(db->read.sqlite), why, room);
	if (db->version == 0 || found == db->version)
		return true;
	if (found < db->version)
		return text_complain(why, room, "%s has schema version %d, this program needs %d; run `okulctl migrate`",
			db->path, found, db->version);
	return text_complain(why, room,
		"%s has schema version %d of a newer okul, and this program knows only %d; "
		"install the newer okul again, and restart okul",
		db->path, found, db->version);
}

struct db *
sqlite_open(const char *data, enum db_mode mode, int version, char *why, size_t room)
{
	struct sqlite *db = calloc(1, sizeof(*db));

	if (!db) {
		text_complain(why, room, "out of memory");
		return NULL;
	}
	*db = (struct sqlite){ .base.engine = &engine_sqlite,
		.mode = mode,
		.version = version,
		.lock.file = -1,
		.folder = strdup(data),
		.path = connection_path(data, "okul.db"),
		.lock_path = connection_path(data, "okul.gate") };
	db->read.db = db->write.db = db;
	db->none = (struct sqlite_rows){ .base.engine = &engine_sqlite, .on = &db->read, .sql = "" };
	if (!db->folder || !db->path || !db->lock_path)
		text_complain(why, room, "out of memory");
	else if (connection_open(db, &db->read, SQLITE_OPEN_READONLY, why, room) && is_right_version(db, why, room))
		return &db->base;
	sqlite_close(&db->base);
	return NULL;
}

void
sqlite_close(struct db *base)
{
	struct sqlite *db = sqlite_of(base);

	if (!db)
		return;
	if (db->read.sqlite)
		sqlite_release(base);
	connection_close(&db->read);
	connection_close(&db->write);
	writer_lock_close(&db->lock);
	arena_free(db->load_texts);
	free(db->folder);
	free(db->path);
	free(db->lock_path);
	free(db);
}
