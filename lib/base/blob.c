#include "blob.h"

#include "buf.h"
#include "encode.h"
#include "guard.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SYNC_EVERY (16 * MIB)	/* so that the last fsync() is short: the web server waits for it */
#define TRIES 5

static enum blob_rc
failed(const char *what)
{
	int error = errno;

	log_line(LOG_FAULT, "file_store_failed step=%s error=%s", what, strerror(error));
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return BLOB_FULL;
	case EROFS:
	case EACCES:
	case EPERM:
		return BLOB_READONLY;
	default:
		return BLOB_BROKEN;
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
blob_has_room(const struct conf *conf, int64_t bytes)
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
blob_path(struct arena *arena, const struct conf *conf, const char *sha256)
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
open_temporary(int store, struct blob *blob)
{
	unsigned char chance[8];
	struct buf name = { 0 };

	int tmp = folder(store, "tmp", 0700);
	if (tmp < 0)
		return -1;
	random_bytes(chance, sizeof(chance));
	encode_hex(&name, chance, sizeof(chance));
	snprintf(blob->temporary, sizeof(blob->temporary), "tmp/%s", name.s ? name.s : "");
	buf_clear(&name);
	close(tmp);
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
	if (knows_nameless())
		blob->fd = openat(store, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	else
		errno = EOPNOTSUPP;
	if (blob->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		blob->fd = open_temporary(store, blob);
	enum blob_rc rc = blob->fd >= 0 && fchmod(blob->fd, 0640) == 0 ? BLOB_DONE : failed("create");
	close(store);
	if (rc == BLOB_DONE && fstatvfs(blob->fd, &disk) == 0)
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

/* Gives the file its name. Of a file that has it already the time of change is renewed: it is no old orphan any more. */
static bool
give_name(int store, int place, const struct blob *blob)
{
	char own[32];

	OUTSIDE_TRANSACTION();
	snprintf(own, sizeof(own), "/proc/self/fd/%d", blob->fd);
	for (int i = 0; i < TRIES; i++) {
		int rc = blob->temporary[0] ? linkat(store, blob->temporary, place, blob->sha256, 0) :
			linkat(AT_FDCWD, own, place, blob->sha256, AT_SYMLINK_FOLLOW);
		if (rc == 0)
			return true;
		if (errno != EEXIST)
			return false;
		if (fchmodat(place, blob->sha256, 0640, 0) == 0)
			return true;
		if (errno != ENOENT)	/* else it was an orphan, and just deleted: the name is free */
			return false;
	}
	return false;
}

/* The folder of its hash, named by the first two digits. */
static int
open_place(int store, const struct blob *blob)
{
	return folder(store, (const char[]){ blob->sha256[0], blob->sha256[1], '\0' }, 0750);
}

enum blob_rc
blob_keep(const struct conf *conf, const struct blob *blob)
{
	int store = open_store(conf), place = store < 0 ? -1 : open_place(store, blob);
	/* Both, and always: another process may have made folder or name a moment ago and not have synced it yet. */
	bool good = place >= 0 && give_name(store, place, blob) && fsync(place) == 0 && fsync(store) == 0;
	enum blob_rc rc = good ? BLOB_DONE : failed("link");

	if (place >= 0)
		close(place);
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
	if (blob->temporary[0] && snprintf(path, sizeof(path), "%s/files/%s", conf->data, blob->temporary) < (int)sizeof(path))
		unlink(path);
}
