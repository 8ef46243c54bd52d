#include "file.h"

#include "clock.h"
#include "log.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SYNC_EVERY (16 * MIB)	/* so that the last fsync() is short: the web server waits for it */
#define TRIES 5

#define GONE "file-gone"		/* what an owner deletes lies on the disk, and counts, until gc comes by */
#define GONE_FOR (2 * HOUR)	/* FILE_ORPHAN_AGE, and gc each hour */

enum { ADD, USER_BYTES, ALL_BYTES, NOTE_GONE, REMOVE };

const char *const file_sql[] = {
	[ADD] =
		"INSERT INTO file (id, key, sha256, size, mime, name, owner, is_public, created_at)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, nullif(?7, 0), ?8, ?9)",
	[USER_BYTES] = "SELECT ifnull((SELECT sum(max(size, ?2)) FROM file WHERE owner = ?1), 0) + ifnull((SELECT sum(max(n, ?2))"
		" FROM event WHERE kind = '" GONE "' AND subject = (SELECT id FROM user WHERE pk = ?1)"
		" AND at > ?3 AND at <= ?4), 0)",
	[ALL_BYTES] =
		"SELECT n + CASE WHEN EXISTS (SELECT 1 FROM file WHERE sha256 = ?1) THEN 0 ELSE ?2 END"
		" FROM tally WHERE name = 'file:bytes'",
	[NOTE_GONE] =
		"INSERT OR IGNORE INTO event (kind, subject, at, n) SELECT '" GONE "', user.id, ?2, file.size"
		" FROM file CROSS JOIN user ON user.pk = file.owner WHERE file.pk = ?1",
	[REMOVE] = "DELETE FROM file WHERE pk = ?1 AND NOT EXISTS (SELECT 1 FROM material_pdf WHERE material_pdf.file = ?1)",
};
const size_t file_sql_count = COUNT(file_sql);

static enum file_rc
failed(const char *what)
{
	int error = errno;

	log_line(LOG_FAULT, "file_store_failed step=%s error=%s", what, strerror(error));
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return FILE_FULL;
	case EROFS:
	case EACCES:
	case EPERM:
		return FILE_READONLY;
	default:
		return FILE_BROKEN;
	}
}

/* ---- folders */

/* A folder, made where it is missing, for this user and the group. -1 with errno. */
static int
folder(int parent, const char *name, mode_t mode)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	/* Its mode is right from the first moment: a crash before a chmod would leave it wrong for ever. */
	mode_t mask = umask(0777 & ~mode);
	int made = mkdirat(parent, name, mode);
	umask(mask);
	if (made != 0 && errno != EEXIST)
		return -1;
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* DATA/files. */
static int
open_store(const struct conf *conf)
{
	int data = open(conf->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC), store;

	if (data < 0)
		return -1;
	store = openat(data, "files", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (store < 0 && errno == ENOENT) {
		store = folder(data, "files", 0750);
		if (store >= 0)
			fsync(data);
	}
	close(data);
	return store;
}

bool
file_has_room(const struct conf *conf, int64_t bytes)
{
	struct statvfs disk;
	int store = open_store(conf);	/* it may be on a disk of its own */
	bool asked = store >= 0 && fstatvfs(store, &disk) == 0;

	if (store >= 0)
		close(store);
	/* Where the disk cannot be asked, writing will tell. */
	return !asked || (int64_t)(disk.f_bavail * disk.f_frsize) >= bytes + conf->storage_reserve * MIB;
}

const char *
file_path(struct arena *arena, const struct conf *conf, const char *sha256)
{
	return arena_format(arena, "%s/files/%.2s/%s", conf->data, sha256, sha256);
}

/* ---- bytes */

static bool
knows_nameless(void)
{
#ifdef OKUL_TEST
	return !getenv("OKUL_NO_TMPFILE");
#else
	return true;
#endif
}

/* A file with a name of its own in files/tmp, for file systems without O_TMPFILE. */
static int
open_temporary(int store, struct draft *draft)
{
	unsigned char chance[8];
	struct buf name = { 0 };

	int tmp = folder(store, "tmp", 0700);
	if (tmp < 0)
		return -1;
	random_bytes(chance, sizeof(chance));
	buf_hex(&name, chance, sizeof(chance));
	snprintf(draft->temporary, sizeof(draft->temporary), "tmp/%s", name.s ? name.s : "");
	buf_clear(&name);
	close(tmp);
	return openat(store, draft->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

enum file_rc
file_begin(const struct conf *conf, struct draft *draft)
{
	int store = open_store(conf);
	struct statvfs disk;

	*draft = (struct draft){ .fd = -1 };
	if (store < 0)
		return failed("open");
	if (knows_nameless())
		draft->fd = openat(store, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	else
		errno = EOPNOTSUPP;
	if (draft->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		draft->fd = open_temporary(store, draft);
	enum file_rc rc = draft->fd >= 0 && fchmod(draft->fd, 0640) == 0 ? FILE_DONE : failed("create");
	close(store);
	if (rc == FILE_DONE && fstatvfs(draft->fd, &disk) == 0)
		draft->disk = (int64_t)(disk.f_blocks * disk.f_frsize);
	secret_hash_begin(&draft->hash);
	return rc;
}

enum file_rc
file_write(struct draft *draft, const void *bytes, size_t length)
{
	const char *at = bytes;

	secret_hash_add(&draft->hash, bytes, length);
	draft->size += (int64_t)length;
	draft->unsynced += (int64_t)length;
	while (length > 0) {
		ssize_t n = write(draft->fd, at, length);
		if (n < 0 && errno != EINTR)
			return failed("write");
		if (n > 0) {
			at += n;
			length -= (size_t)n;
		}
	}
	if (draft->unsynced < SYNC_EVERY)
		return FILE_DONE;
	draft->unsynced = 0;
	return fdatasync(draft->fd) == 0 ? FILE_DONE : failed("sync");
}

enum file_rc
file_end(struct draft *draft)
{
	unsigned char hash[32];

	secret_hash_end(&draft->hash, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(draft->sha256 + 2 * i, 3, "%02x", hash[i]);
	return fsync(draft->fd) == 0 ? FILE_DONE : failed("sync");
}

/* Gives the file its name. Of a file that has it already the time of change is renewed: it is no old orphan any more. */
static bool
give_name(int store, int place, const struct draft *draft)
{
	char own[32];

	snprintf(own, sizeof(own), "/proc/self/fd/%d", draft->fd);
	for (int i = 0; i < TRIES; i++) {
		int rc = draft->temporary[0] ? linkat(store, draft->temporary, place, draft->sha256, 0) :
			linkat(AT_FDCWD, own, place, draft->sha256, AT_SYMLINK_FOLLOW);
		if (rc == 0)
			return true;
		if (errno != EEXIST)
			return false;
		if (fchmodat(place, draft->sha256, 0640, 0) == 0)
			return true;
		if (errno != ENOENT)	/* else it was an orphan, and just deleted: the name is free */
			return false;
	}
	return false;
}

/* The folder of its hash, named by the first two digits. */
static int
open_place(int store, const struct draft *draft)
{
	return folder(store, (const char[]){ draft->sha256[0], draft->sha256[1], '\0' }, 0750);
}

enum file_rc
file_keep(const struct conf *conf, const struct draft *draft)
{
	int store = open_store(conf), place = store < 0 ? -1 : open_place(store, draft);
	/* Both, and always: another process may have made folder or name a moment ago and not have synced it yet. */
	bool good = place >= 0 && give_name(store, place, draft) && fsync(place) == 0 && fsync(store) == 0;
	enum file_rc rc = good ? FILE_DONE : failed("link");

	if (place >= 0)
		close(place);
	if (store >= 0)
		close(store);
	return rc;
}

void
file_drop(const struct conf *conf, struct draft *draft)
{
	char path[PATH_MAX];

	if (draft->fd < 0)
		return;
	close(draft->fd);
	draft->fd = -1;
	if (draft->temporary[0] && snprintf(path, sizeof(path), "%s/files/%s", conf->data, draft->temporary) < (int)sizeof(path))
		unlink(path);
}

/* ---- rows */

int64_t
file_weight(int64_t size)
{
	return size > FILE_LEAST ? size : FILE_LEAST;
}

enum file_quota
file_fits(struct db *db, const struct conf *conf, const struct draft *draft, int64_t user, int64_t before,
	int64_t now)
{
	int64_t sum = 0, most = conf->storage_total_quota ? conf->storage_total_quota * MIB : INT64_MAX;
	int64_t share = user && conf->storage_share && draft->disk ? draft->disk / 100 * conf->storage_share : INT64_MAX;
	struct db_rows *row;

	if (user && conf->storage_user_quota) {
		if (db_one(db, &row, file_sql[USER_BYTES], ARGS(user, FILE_LEAST, now - GONE_FOR, now + CLOCK_SLACK)) == DB_ROW)
			sum = db_int(row, 0);
		db_end(row);
		if (sum + before + file_weight(draft->size) > conf->storage_user_quota * MIB)
			return FILE_USER_FULL;
	}
	most = share < most ? share : most;
	if (most == INT64_MAX)
		return FILE_FITS;
	sum = 0;
	if (db_one(db, &row, file_sql[ALL_BYTES], ARGS(draft->sha256, draft->size)) == DB_ROW)
		sum = db_int(row, 0);
	db_end(row);
	return sum > most ? FILE_ALL_FULL : FILE_FITS;
}

/* Whether it still lies under its name; once more put there where `okulctl files gc` was faster than the renewed time. */
static bool
is_there(const struct conf *conf, const struct draft *draft)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/files/%.2s/%s", conf->data, draft->sha256, draft->sha256);
	return access(path, F_OK) == 0 || (file_keep(conf, draft) == FILE_DONE && access(path, F_OK) == 0);
}

bool
file_add(struct db *db, const struct conf *conf, const struct draft *draft, struct file_row *row, int64_t now)
{
	const struct media_info *info = media_info(row->type);

	random_id(row->id);
	snprintf(row->key, sizeof(row->key), "%s.%s", row->id, info->extension);
	return is_there(conf, draft) && db_run(db, file_sql[ADD], ARGS(row->id, row->key, draft->sha256, draft->size, info->mime,
		row->name, row->owner, row->is_public, now), NULL) == DB_DONE;
}

bool
file_remove(struct db *db, int64_t pk, int64_t now)
{
	int64_t removed = 0;

	(void)!db_run(db, file_sql[NOTE_GONE], ARGS(pk, now), NULL);
	return db_run(db, file_sql[REMOVE], ARGS(pk), &removed) != DB_DONE || removed > 0;
}
