/*
 * file - what was uploaded: bytes in DATA/files under the name of their hash, rows that name them, their addresses.
 *
 * The bytes are kept (lib/base/blob.h) before the write transaction; inside it file_add() writes the row.
 */
#ifndef OKUL_FILE_H
#define OKUL_FILE_H

#include "arena.h"
#include "base.h"
#include "blob.h"
#include "conf.h"
#include "db.h"
#include "error.h"
#include "media.h"
#include "random.h"

#define FILE_KEY_TEXT 40		/* id, dot, extension, NUL */
#define FILE_ORPHAN_AGE (60 * 60)	/* seconds that a file without a row is left alone */
#define FILE_LEAST 4096			/* bytes that a file takes on the disk, however small it is */

extern const struct db_statements file_statements;

/* ---- rows */

struct file_row {
	char id[ID_TEXT];
	char key[FILE_KEY_TEXT];	/* the last segment of its address: id and extension */
	enum media_type type;
	const char *name;		/* as the client called it: 1 to 255 code points; borrowed */
	int64_t owner;			/* pk of the user; 0: the school's own */
	bool is_public;
};

/*
 * Whether a blob that ended fits the quotas. `user` is the pk of one whose quota counts, and that of the share of the disk;
 * 0 for an admin, whom neither stops, so that nobody else can. `*before` is what the blobs before it, which have no row yet,
 * count in the quota of that user; this one is added. Bytes that are stored already count again for a user, not for all; what
 * a user deletes counts for two hours more. Returns ERROR_NONE, ERROR_QUOTA_REACHED (the user's) or ERROR_STORAGE_FULL (that of all).
 */
must_use enum error file_fits(struct db *db, const struct conf *conf, const struct blob *blob, int64_t user,
	int64_t *before, int64_t now);

/*
 * Inside a write transaction: the row of a blob that was kept. Sets id and key. A private file without owner is the
 * school's: for admins, and whomever a signed address is given to. Returns ERROR_NONE; ERROR_BUSY when the
 * bytes are gone: roll back, keep them again and retry; ERROR_INTERNAL when a failure stuck to db. Neither may be committed.
 */
must_use enum error file_add(struct db *db, const struct conf *conf, const struct blob *blob, struct file_row *row, int64_t now);
/* The same where the blob fits the quotas, file_fits(); else its error. */
must_use enum error file_take(struct db *db, const struct conf *conf, const struct blob *blob, struct file_row *row, int64_t user,
	int64_t now);
/*
 * Inside a write transaction: deletes a row; its bytes are left to `okulctl files gc`. False when a material holds it: nothing
 * of the transaction may be kept then. A failure sticks to db.
 */
must_use bool file_remove(struct db *db, int64_t pk, int64_t now);

#endif
