#include "file.h"

#include "clock.h"
#include "limit.h"
#include "log.h"
#include "sql.h"

#include <limits.h>
#include <unistd.h>

#define GONE "file-gone"    /* bytes of a deleted file count until `okulctl files gc` has deleted them */
#define GONE_FOR (2 * HOUR) /* FILE_ORPHAN_AGE, and the hour between two runs of gc */

#define SWEPT "file-swept" /* subject: the hash that gc takes for an orphan's; kept for a day, as all events */

enum { PLACE, PLACED, NAMED, SWEPT_AT, ADD, USER_BYTES, ALL_BYTES, REMOVE };

static const char *const file_sql[] = {
	[PLACE] = "SELECT value FROM instance WHERE key = 'files'",
	[PLACED] = "INSERT INTO instance (key, value) VALUES ('files', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1",
	[NAMED] = "SELECT 1 FROM file WHERE sha256 = ?1 LIMIT 1",
	[SWEPT_AT] = "SELECT coalesce(max(at), 0) FROM event WHERE kind = '" SWEPT "' AND subject = ?1",
	[ADD] = "INSERT INTO file (id, key, sha256, size, mime, name, owner, is_public, created_at)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(CAST(?7 AS BIGINT), 0), ?8, ?9)",
	[USER_BYTES] = "SELECT coalesce((SELECT sum(" SQL_GREATEST(
		"size", "?2") ") FROM file WHERE owner = ?1), 0)"
			      " + coalesce((SELECT sum(" SQL_GREATEST("n",
				      "?2") ") FROM event WHERE kind = '" GONE "'"
					    " AND subject = (SELECT id FROM users WHERE pk = ?1) AND at > ?3 AND at <= ?4), 0)",
	[ALL_BYTES] = "SELECT n + CASE WHEN EXISTS (SELECT 1 FROM file WHERE sha256 = ?1) THEN 0 ELSE CAST(?2 AS BIGINT) END"
		      " FROM tally WHERE name = 'file:bytes'",
	[REMOVE] = "DELETE FROM file WHERE pk = ?1 AND NOT EXISTS (SELECT 1 FROM material_pdf WHERE material_pdf.file = ?1)"
		   " RETURNING size, (SELECT id FROM users WHERE users.pk = file.owner)",
};
const struct db_statements file_statements = { file_sql, COUNT(file_sql) };

static bool
fits_user(struct db *db, const struct conf *conf, int64_t user, int64_t bytes, int64_t now)
{
	int64_t sum = 0;

	if (!user || !conf->storage_user_quota)
		return true;
	(void)!db_number(db, &sum, file_sql[USER_BYTES], ARGS(user, FILE_LEAST, now - GONE_FOR, now + CLOCK_SLACK));
	return sum + bytes <= conf->storage_user_quota * MIB;
}

static bool
fits_all(struct db *db, const struct conf *conf, const struct blob *blob, int64_t user)
{
	int64_t sum = 0, most = conf->storage_total_quota ? conf->storage_total_quota * MIB : INT64_MAX;
	int64_t share = user && conf->storage_share && blob->disk ? blob->disk / 100 * conf->storage_share : INT64_MAX;

	most = share < most ? share : most;
	if (most == INT64_MAX)
		return true;
	(void)!db_number(db, &sum, file_sql[ALL_BYTES], ARGS(blob->sha256, blob->size));
	return sum <= most;
}

static enum error
fits(struct db *db, const struct conf *conf, const struct blob *blob, int64_t user, int64_t *before, int64_t now)
{
	*before += blob->size > FILE_LEAST ? blob->size : FILE_LEAST;
	if (!fits_user(db, conf, user, *before, now))
		return ERROR_QUOTA_REACHED;
	return fits_all(db, conf, blob, user) ? ERROR_NONE : ERROR_STORAGE_FULL;
}

static int64_t
swept_at(struct db *db, const char *sha256)
{
	int64_t at = 0;

	(void)!db_number(db, &at, file_sql[SWEPT_AT], ARGS(sha256));
	return at;
}

enum error
file_fits(struct db *db, const struct conf *conf, struct blob *blob, int64_t user, int64_t *before, int64_t now)
{
	if (blob_is_remote(conf))
		blob->swept = swept_at(db, blob->sha256);
	return fits(db, conf, blob, user, before, now);
}

enum db_rc
file_sweep(struct db *db, const char *sha256, int64_t now, bool *orphan)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, file_sql[NAMED], ARGS(sha256));

	*orphan = rc == DB_DONE;
	db_end(row);
	if (*orphan)
		limit_note(db, SWEPT, sha256, now, 0);
	return db_failure(db);
}

void
file_place(struct db *db, const char *files)
{
	db_change(db, file_sql[PLACED], ARGS(files));
}

/* False in a program that has not been restarted since `okulctl files move`: it would store where nobody looks. */
static bool
is_in_place(struct db *db, const struct conf *conf)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, file_sql[PLACE], NO_ARGS);
	bool good = rc != DB_ROW || strcmp(db_text(row, 0), conf->files) == 0;

	if (!good)
		log_line(LOG_FAULT, "files_moved to=\"%s\" this_program=\"%s\": restart okul, or run okulctl files move",
			db_text(row, 0), conf->files);
	db_end(row);
	return good;
}

/*
 * Whether the bytes are still there that blob_keep() stored. In a folder gc may have deleted an old orphan before its time was
 * renewed. In S3 it may have, or still may, when it swept the hash after file_fits() looked, or a moment before.
 */
static bool
is_there(struct db *db, const struct conf *conf, const struct blob *blob, int64_t now)
{
	if (!blob_is_remote(conf))
		return blob_exists(conf, blob->sha256);
	int64_t swept = swept_at(db, blob->sha256);
	return swept == blob->swept && (swept == 0 || now - swept > FILE_SWEEP_TIME + CLOCK_SLACK);
}

enum error
file_add(struct db *db, const struct conf *conf, const struct blob *blob, struct file_row *row, int64_t now)
{
	const struct media_info *info = media_info(row->type);

	random_id(row->id);
	snprintf(row->key, sizeof(row->key), "%s.%s", row->id, info->extension);
	if (!is_in_place(db, conf) || !is_there(db, conf, blob, now))
		return ERROR_BUSY;
	return db_run(db, file_sql[ADD],
		       ARGS(row->id, row->key, blob->sha256, blob->size, info->mime, row->name, row->owner, row->is_public, now),
		       NULL) == DB_DONE
		? ERROR_NONE
		: ERROR_INTERNAL;
}

enum error
file_take(struct db *db, const struct conf *conf, const struct blob *blob, struct file_row *row, int64_t user, int64_t now)
{
	int64_t before = 0;
	enum error error = fits(db, conf, blob, user, &before, now);

	return error ? error : file_add(db, conf, blob, row, now);
}

bool
file_remove(struct db *db, int64_t pk, int64_t now)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, file_sql[REMOVE], ARGS(pk));

	if (rc == DB_ROW && !db_is_null(row, 1))
		limit_note(db, GONE, db_text(row, 1), now, db_int(row, 0));
	db_end(row);
	return rc != DB_DONE;
}
