/*
 * file - uploaded files, table `file`. Their bytes are in DATA/files, named by their hash.
 *
 * The bytes are stored (lib/base/blob.h) before the write transaction; inside it file_add() writes the row.
 *
 * In S3 `okulctl files gc` deletes an object in two steps, because no lock of the database holds for the storage. First a
 * transaction finds that no row names the hash and notes that it is swept: file_sweep(). When that is committed, the object
 * is deleted, at most FILE_SWEEP_TIME later. An upload reads the last sweep of its hash before it stores the bytes:
 * file_fits(). Its write transaction reads it again. Where it is another one, the bytes may have been deleted since they were
 * stored; where it is younger than FILE_SWEEP_TIME, they may still be: then the row is not added, and the upload begins
 * again, or is answered 503. Else each sweep was over before the bytes were stored. Both transactions are serializable, so
 * either gc sees the row, or the upload sees the sweep. No clock decides, but for an upload that begins within
 * FILE_SWEEP_TIME of a sweep, for which clocks may differ by CLOCK_SLACK.
 */
#ifndef OKUL_FILE_H
#define OKUL_FILE_H

#include "blob.h"
#include "conf.h"
#include "db.h"
#include "error.h"
#include "media.h"
#include "random.h"

#define FILE_KEY_TEXT 40		/* id, dot, extension, NUL */
#define FILE_ORPHAN_AGE (60 * 60)	/* seconds for which bytes without a row are not deleted */
#define FILE_SWEEP_TIME (60 * 1000)	/* milliseconds from a sweep until its last deletion has ended, answered or not */
#define FILE_LEAST 4096			/* bytes that the smallest file takes on the disk */

extern const struct db_statements file_statements;

struct file_row {
	char id[ID_TEXT];
	char key[FILE_KEY_TEXT];	/* the last segment of its address: id and extension */
	enum media_type type;
	const char *name;		/* of the client's file: 1 to 255 code points; borrowed */
	int64_t owner;			/* pk of the user; 0: the school's own */
	bool is_public;
};

/*
 * Checks a complete blob against the quotas. `user` is the pk of a user with a quota, to whom the limit on the share
 * of the disk applies too; 0 for an admin, who is exempt from both, so that users cannot lock admins out. `*before`
 * counts the bytes of blobs of the same request that have no row yet; this one is added. Duplicate bytes count for
 * each user, but once in the total; deleted files count for two more hours. Returns ERROR_NONE, ERROR_QUOTA_REACHED
 * (of the user) or ERROR_STORAGE_FULL (of the total). Call it before blob_keep(): with files in S3 it also notes blob->swept.
 */
must_use enum error file_fits(struct db *db, const struct conf *conf, struct blob *blob, int64_t user,
	int64_t *before, int64_t now);

/*
 * Inside a write transaction: adds the row of a stored blob. Sets id and key. A private file without owner belongs to
 * the school: only admins and the holders of a signed address can read it. Returns ERROR_NONE; ERROR_BUSY when the bytes are
 * gone: roll back, keep them again and retry; ERROR_INTERNAL when a failure stuck to db. Neither may be committed.
 */
must_use enum error file_add(struct db *db, const struct conf *conf, const struct blob *blob, struct file_row *row, int64_t now);
/* Checks the quotas again, then file_add(). */
must_use enum error file_take(struct db *db, const struct conf *conf, const struct blob *blob, struct file_row *row, int64_t user,
	int64_t now);
/*
 * Inside a write transaction: notes the setting `files` with which alone file_add() adds rows from now on; before the first
 * call it does with any. For a move of all files: a program that has the old setting still answers uploads 503.
 */
void file_place(struct db *db, const char *files);
/*
 * Inside a write transaction of gc, for files in S3: sets `*orphan` where no row names the hash, and notes that it is swept.
 * Its object may be deleted once the transaction is committed, in FILE_SWEEP_TIME / 2.
 */
must_use enum db_rc file_sweep(struct db *db, const char *sha256, int64_t now, bool *orphan);
/*
 * Inside a write transaction: deletes a row; `okulctl files gc` deletes its bytes later. Returns false when a
 * material uses the file: then the transaction must be rolled back. A failure sticks to db.
 */
must_use bool file_remove(struct db *db, int64_t pk, int64_t now);

#endif
