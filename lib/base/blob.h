/*
 * blob - stored bytes: files of DATA/files under the name of their hash. Complete, on the disk and under its name before
 * anything refers to one:
 *
 *	blob_begin() blob_write()... blob_end()	a file without a name
 *	blob_keep()				puts it under its name
 *	blob_drop()				at the end, whatever happened
 *
 * What was kept without a row in the end (a full quota, a crash) is an orphan; `okulctl files gc` deletes it when it is
 * an hour old, inside a write transaction, so that no row can come to name it meanwhile.
 *
 * DATA/files is 0750 and its files are 0640: the web server's user reads them as a member of the group.
 */
#ifndef OKUL_BLOB_H
#define OKUL_BLOB_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "random.h"

#define BLOB_HASH_TEXT 65		/* 64 hex digits and a NUL */
#define MIB (INT64_C(1) << 20)

enum blob_rc {
	BLOB_DONE,
	BLOB_FULL,		/* no room on the disk */
	BLOB_READONLY,		/* DATA/files cannot be written */
	BLOB_BROKEN,		/* another failure; it was logged */
};

/* A file that is being stored. Zeroed, with descriptor -1, it is none. */
struct blob {
	int fd;
	int64_t size;
	char sha256[BLOB_HASH_TEXT];	/* from blob_end() on */
	struct secret_hash_state hash;
	int64_t unsynced;		/* bytes written since the last fdatasync() */
	int64_t disk;			/* bytes of the disk that it lies on; 0: unknown */
	char temporary[32];		/* name in DATA/files/tmp where the file system knows no O_TMPFILE; else "" */
};

/* True while the disk would keep the reserve of the configuration if `bytes` more were stored. */
must_use bool blob_has_room(const struct conf *conf, int64_t bytes);
/* Opens a file without a name. Give it back with blob_drop(). Makes DATA/files where it is missing. */
must_use enum blob_rc blob_begin(const struct conf *conf, struct blob *blob);
must_use enum blob_rc blob_write(struct blob *blob, const void *bytes, size_t length);
/* All is written: waits until it is on the disk, and fills in sha256. The file stays open. */
must_use enum blob_rc blob_end(struct blob *blob);
/* Puts it under its name, on the disk; where the same bytes are stored already, has them count as new. */
must_use enum blob_rc blob_keep(const struct conf *conf, const struct blob *blob);
/* Closes it. What was kept stays. */
void blob_drop(const struct conf *conf, struct blob *blob);

/* DATA/files/<2>/<64 hex digits>, in the arena. */
const char *blob_path(struct arena *arena, const struct conf *conf, const char *sha256);

#endif
