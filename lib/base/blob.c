#include "blob.h"

#include "guard.h"
#include "log.h"
#include "s3.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SYNC_EVERY (16 * MIB) /* so that the last fsync(), which the web server waits for, is short */
#define TRIES 5

static enum blob_rc
failed(const char *what)
{
	int error = errno;

	log_line(LOG_FAULT, "file_store_failed step=%s error=%s", what, strerror(error));
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG: return BLOB_FULL;
	case EROFS:
	case EACCES:
	case EPERM: return BLOB_READONLY;
	default: return BLOB_BROKEN;
	}
}

/* ---- folders */

/* Opens a folder, and creates it, durably, where it is missing. -1 with errno. */
static int
open_folder(int parent, const char *name, mode_t mode)
{
	static const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd = openat(parent, name, flags);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	/* By umask() instead of chmod(): a crash between the two calls would leave a wrong mode for ever. */
	mode_t mask = umask(0777 & ~mode);
	int made = mkdirat(parent, name, mode);
	umask(mask);
	if (made != 0 && errno != EEXIST)
		return -1;
	fsync(parent);
	return openat(parent, name, flags);
}

/* DATA/files. */
static int
open_store(const struct conf *conf)
{
	int data = open(conf->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int store = data < 0 ? -1 : open_folder(data, "files", 0750);

	if (data >= 0)
		close(data);
	return store;
}

bool
blob_has_room(const struct conf *conf, int64_t bytes)
{
	struct statvfs disk;
	int store = open_store(conf); /* may be a mount point */
	bool known = store >= 0 && fstatvfs(store, &disk) == 0;

	if (store >= 0)
		close(store);
	/* Where it is unknown, blob_write() fails if the disk is full. */
	return !known || (int64_t)(disk.f_bavail * disk.f_frsize) >= bytes + conf->storage_reserve * MIB;
}

const char *
blob_path(struct arena *arena, const struct conf *conf, const char *sha256)
{
	return arena_format(arena, "%s/files/%.2s/%s", conf->data, sha256, sha256);
}

bool
blob_init(const struct conf *conf, char *why, size_t room)
{
	return !blob_is_remote(conf) || (conf_load_secrets(SECRET_FILES, why, room) && conf_check_files_secret(conf, why, room));
}

bool
blob_exists(const struct conf *conf, const char *sha256)
{
	char path[PATH_MAX];

	if (blob_is_remote(conf))
		return true;
	snprintf(path, sizeof(path), "%s/files/%.2s/%s", conf->data, sha256, sha256);
	return access(path, F_OK) == 0;
}

/* ---- bytes */

/* A file without a name, or one in files/tmp where the file system does not support O_TMPFILE. */
static int
open_temporary(int store, struct blob *blob)
{
	char id[ID_TEXT];
	int fd = -1, tmp;

	errno = EOPNOTSUPP;
#ifdef OKUL_TEST
	if (!getenv("OKUL_NO_TMPFILE"))
#endif
		fd = openat(store, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	tmp = open_folder(store, "tmp", 0700);
	if (tmp < 0)
		return -1;
	close(tmp);
	random_id(id);
	snprintf(blob->temporary, sizeof(blob->temporary), "tmp/%s", id);
	return openat(store, blob->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
}

enum blob_rc
blob_begin(const struct conf *conf, struct blob *blob)
{
	int store = open_store(conf);
	struct statvfs disk;

	*blob = (struct blob){ .fd = -1 };
	if (store < 0)
		return failed("open");
	blob->fd = open_temporary(store, blob);
	enum blob_rc rc = blob->fd >= 0 && fchmod(blob->fd, 0640) == 0 ? BLOB_DONE : failed("create");
	close(store);
	if (rc == BLOB_DONE && !blob_is_remote(conf) && fstatvfs(blob->fd, &disk) == 0)
		blob->disk = (int64_t)(disk.f_blocks * disk.f_frsize);
	secret_hash_begin(&blob->hash);
	return rc;
}

enum blob_rc
blob_write(struct blob *blob, const void *bytes, size_t length)
{
	const char *at = bytes;

	secret_hash_add(&blob->hash, bytes, length);
	blob->size += (int64_t)length;
	blob->unsynced += (int64_t)length;
	while (length > 0) {
		ssize_t n = write(blob->fd, at, length);
		if (n < 0 && errno != EINTR)
			return failed("write");
		if (n > 0) {
			at += n;
			length -= (size_t)n;
		}
	}
	if (blob->unsynced < SYNC_EVERY)
		return BLOB_DONE;
	blob->unsynced = 0;
	return fdatasync(blob->fd) == 0 ? BLOB_DONE : failed("sync");
}

enum blob_rc
blob_end(struct blob *blob)
{
	unsigned char hash[32];

	secret_hash_end(&blob->hash, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(blob->sha256 + 2 * i, 3, "%02x", hash[i]);
	return fsync(blob->fd) == 0 ? BLOB_DONE : failed("sync");
}

/* Links the file under its hash. If that exists, renews its ctime, so that it is not deleted as an old orphan. */
static bool
link_blob(int store, int folder, const struct blob *blob)
{
	char nameless[32];

	OUTSIDE_TRANSACTION();
	snprintf(nameless, sizeof(nameless), "/proc/self/fd/%d", blob->fd);
	for (int i = 0; i < TRIES; i++) {
		int rc = blob->temporary[0] ? linkat(store, blob->temporary, folder, blob->sha256, 0)
					    : linkat(AT_FDCWD, nameless, folder, blob->sha256, AT_SYMLINK_FOLLOW);
		if (rc == 0)
			return true;
		if (errno != EEXIST)
			return false;
		if (fchmodat(folder, blob->sha256, 0640, 0) == 0)
			return true;
		if (errno != ENOENT) /* else the garbage collector just deleted it: the name is free */
			return false;
	}
	return false;
}

/* Sends the file to S3, unless the same bytes are there and gc is far from deleting them. */
static enum blob_rc
keep_object(const struct conf *conf, const struct blob *blob)
{
	struct s3_object there;
	enum s3_rc rc = s3_head(conf, blob->sha256, &there);

	if (rc == S3_DONE && there.size == blob->size && there.age < BLOB_FRESH)
		return BLOB_DONE;
	if (rc == S3_DONE || rc == S3_NONE)
		rc = s3_put(conf, blob->sha256, blob->fd, blob->size);
	return rc == S3_DONE ? BLOB_DONE : BLOB_AWAY;
}

enum blob_rc
blob_keep(const struct conf *conf, const struct blob *blob)
{
	if (blob_is_remote(conf))
		return keep_object(conf, blob);

	const char prefix[] = { blob->sha256[0], blob->sha256[1], '\0' };
	int store = open_store(conf), folder = store < 0 ? -1 : open_folder(store, prefix, 0750);
	/* Syncs both in any case: another process may have created folder or name, and not have synced it yet. */
	bool good = folder >= 0 && link_blob(store, folder, blob) && fsync(folder) == 0 && fsync(store) == 0;
	enum blob_rc rc = good ? BLOB_DONE : failed("link");

	/* linkat() fails with ENOENT for a file that has lost its last name; and always without /proc, hence the log line. */
	if (!good && folder >= 0 && errno == ENOENT)
		rc = BLOB_LOST;
	if (folder >= 0)
		close(folder);
	if (store >= 0)
		close(store);
	return rc;
}

void
blob_drop(const struct conf *conf, struct blob *blob)
{
	char path[PATH_MAX];

	if (blob->fd < 0)
		return;
	close(blob->fd);
	blob->fd = -1;
	int length = snprintf(path, sizeof(path), "%s/files/%s", conf->data, blob->temporary);
	if (blob->temporary[0] && length < (int)sizeof(path))
		unlink(path);
}
