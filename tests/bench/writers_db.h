/*
 * The way okul writes: through db.h, and so under the writer lock.
 */
#ifndef OKUL_BENCH_WRITERS_DB_H
#define OKUL_BENCH_WRITERS_DB_H

#include "db_admin.h"
#include "writers.h"

#define BENCH_SCHEMA \
	"PRAGMA user_version = 1;" \
	"CREATE TABLE entry (pk INTEGER PRIMARY KEY, writer INTEGER NOT NULL, n INTEGER NOT NULL, text TEXT NOT NULL) STRICT;" \
	"CREATE INDEX entry_writer ON entry (writer, n);" \
	"CREATE TABLE total (writer INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
#define BENCH_ADD "INSERT INTO entry (writer, n, text) VALUES (?1, ?2, hex(zeroblob(100)))"
#define BENCH_COUNT "INSERT INTO total VALUES (?1, 1) ON CONFLICT (writer) DO UPDATE SET n = n + 1"

static void *
open_db(const char *folder)
{
	char why[512];

	return db_open(folder, DB_READ_WRITE, 1, why, sizeof(why));
}

static int
write_db(void *connection, int writer, int64_t n)
{
	static const char add[] = BENCH_ADD, count[] = BENCH_COUNT;
	struct db *db = connection;
	enum db_rc rc = db_write_begin(db);

	if (rc == DB_DONE) {
		(void)!db_run(db, add, ARGS(writer, n), NULL);
		(void)!db_run(db, count, ARGS(writer), NULL);
		rc = db_write_commit(db);
	}
	db_release(db);
	return rc == DB_DONE ? 0 : rc == DB_BUSY ? 1 : -1;
}

static const struct way way_db = { "writer lock", open_db, write_db };

#endif
