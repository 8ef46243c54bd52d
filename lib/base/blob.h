/*
 * blob - stored files: DATA/files/<2 digits>/<SHA-256>. A file gets its name when it is complete and synced to disk,
 * before a row refers to it:
 *
 *	blob_begin() blob_write()... blob_end()	a file without a name
 *	blob_keep()				names the file
 *	blob_drop()				always, at the end
 *
 * With the setting `files` the bytes are in storage that speaks S3 (lib/base/s3.h): the file without a name is as before, and
 * blob_keep() sends it there under prefix/<2 digits>/<SHA-256>, unless an object of that size is there that is younger than
 * BLOB_FRESH. Whether a row may name it then, lib/school/file.h tells.
 *
 * A file that no row refers to (after an exceeded quota, a crash) is an orphan; `okulctl files gc` deletes it when it
 * is an hour old, inside a write transaction, so that no row can begin to refer to it at the same time.
 *
 * DATA/files is 0750 and its files are 0640: the web server's user reads them as a member of the group.
 */
#ifndef OKUL_BLOB_H
#define OKUL_BLOB_H

#include "arena.h"
#include "conf.h"
#include "random.h"

#define BLOB_HASH_TEXT 65		/* 64 hex digits and a NUL */
#define BLOB_FRESH (30 * 60)		/* seconds: half the age at which gc deletes an object that no row names */
#define MIB (INT64_C(1) << 20)

enum blob_rc {
	BLOB_DONE,
	BLOB_FULL,		/* no room on the disk */
	BLOB_READONLY,		/* DATA/files cannot be written */
	BLOB_LOST,		/* blob_keep() again: the name that it had was deleted, and the bytes with it */
	BLOB_AWAY,		/* the S3 storage does not answer, or refuses: try later */
	BLOB_BROKEN,		/* another failure; it was logged */
};

/* A file that is being stored; none if fd is -1. */
struct blob {
	int fd;
	int64_t size;
	char sha256[BLOB_HASH_TEXT];	/* set by blob_end() */
	struct secret_hash_state hash;
	int64_t unsynced;		/* bytes written since the last fdatasync() */
	int64_t disk;			/* size of its disk in bytes; 0: unknown */
	int64_t swept;			/* file_fits(): when gc last took the same bytes for orphans; 0: never */
	char temporary[32];		/* name in DATA/files on a file system without O_TMPFILE; else "" */
};

/* True if `bytes` more on the disk would leave the reserve of the configuration free. */
must_use bool blob_has_room(const struct conf *conf, int64_t bytes);
/* Opens a file without a name, for blob_drop() to close. Creates DATA/files where it is missing. */
must_use enum blob_rc blob_begin(const struct conf *conf, struct blob *blob);
must_use enum blob_rc blob_write(struct blob *blob, const void *bytes, size_t length);
/* Syncs the file to disk and sets sha256. The file stays open. */
must_use enum blob_rc blob_end(struct blob *blob);
/* Names the file, durably. If the same bytes are stored already, renews their age instead. */
must_use enum blob_rc blob_keep(const struct conf *conf, const struct blob *blob);
/* Closes the file. If it was kept, it stays. */
void blob_drop(const struct conf *conf, struct blob *blob);

/*
 * Before the first call in a program that stores or sends files: with files in S3, loads its secret. Returns false with the reason and
 * the remedy in `why`.
 */
must_use bool blob_init(const struct conf *conf, char *why, size_t room);
/* True when the bytes of uploads are in S3. */
static inline bool blob_is_remote(const struct conf *conf) { return conf->files_bucket[0] != '\0'; }
/* Whether the file is there. In S3 it always is for a row that file_add() lets in: nothing is sent. */
must_use bool blob_exists(const struct conf *conf, const char *sha256);

/* DATA/files/<2 digits>/<64 digits>, in the arena. */
const char *blob_path(struct arena *arena, const struct conf *conf, const char *sha256);

#endif
