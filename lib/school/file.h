/*
 * file - what was uploaded: bytes in DATA/files under the name of their hash, rows that name them, their addresses.
 *
 * A file is complete, on the disk and under its name before a row can name it, and goes only when no row does:
 *
 *	file_begin() file_write()... file_end()	before the write transaction
 *	file_keep()				still before it: puts the file under its name
 *	file_add()				inside: the row
 *	file_drop()				at the end, whatever happened
 *
 * What was kept without a row in the end (a full quota, a crash) is an orphan; `okulctl files gc` deletes it when it is
 * an hour old, inside a write transaction, so that no row can come to name it meanwhile.
 *
 * DATA/files is 0750 and its files are 0640: the web server's user reads them as a member of the group.
 */
#ifndef OKUL_FILE_H
#define OKUL_FILE_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "db.h"
#include "media.h"
#include "random.h"

#define FILE_HASH_TEXT 65		/* 64 hex digits and a NUL */
#define FILE_KEY_TEXT 40		/* id, dot, extension, NUL */
#define FILE_ORPHAN_AGE (60 * 60)	/* seconds that a file without a row is left alone */
#define FILE_LEAST 4096			/* bytes that a file takes on the disk, however small it is */
#define MIB (INT64_C(1) << 20)

extern const char *const file_sql[];
extern const size_t file_sql_count;

enum file_rc {
	FILE_DONE,
	FILE_FULL,		/* no room on the disk */
	FILE_READONLY,		/* DATA/files cannot be written */
	FILE_BROKEN,		/* another failure; it was logged */
};

/* ---- bytes */

/* A file that is being stored. Zeroed, with descriptor -1, it is none. */
struct draft {
	int fd;
	int64_t size;
	char sha256[FILE_HASH_TEXT];	/* from file_end() on */
	struct secret_hash_state hash;
	int64_t unsynced;		/* bytes written since the last fdatasync() */
	int64_t disk;			/* bytes of the disk that it lies on; 0: unknown */
	char temporary[32];		/* name in DATA/files/tmp where the file system knows no O_TMPFILE; else "" */
};

/* True while the disk would keep the reserve of the configuration if `bytes` more were stored. */
must_use bool file_has_room(const struct conf *conf, int64_t bytes);
/* Opens a file without a name. Give it back with file_drop(). Makes DATA/files where it is missing. */
must_use enum file_rc file_begin(const struct conf *conf, struct draft *draft);
must_use enum file_rc file_write(struct draft *draft, const void *bytes, size_t length);
/* All is written: waits until it is on the disk, and fills in sha256. The file stays open. */
must_use enum file_rc file_end(struct draft *draft);
/* Puts it under its name, on the disk; where the same bytes are stored already, has them count as new. */
must_use enum file_rc file_keep(const struct conf *conf, const struct draft *draft);
/* Closes it. What was kept stays. */
void file_drop(const struct conf *conf, struct draft *draft);

/* DATA/files/<2>/<64 hex digits>, in the arena. */
const char *file_path(struct arena *arena, const struct conf *conf, const char *sha256);

/* ---- rows */

struct file_row {
	char id[ID_TEXT];
	char key[FILE_KEY_TEXT];	/* the last segment of its address: id and extension */
	enum media_type type;
	const char *name;		/* as the client called it: 1 to 255 code points; borrowed */
	int64_t owner;			/* pk of the user; 0: the school's own */
	bool is_public;
};

enum file_quota { FILE_FITS, FILE_USER_FULL, FILE_ALL_FULL };

/* What a file of `size` bytes counts in the quota of a user. */
int64_t file_weight(int64_t size);

/*
 * Whether a draft that ended fits the quotas. `user` is the pk of one whose quota counts, and that of the share of the disk;
 * 0 for an admin, whom neither stops, so that nobody else can. `before` is the weight of what will be theirs too and has no
 * row yet. Bytes that are stored already count again for a user, not for all; what a user deletes counts for two hours more.
 */
must_use enum file_quota file_fits(struct db *db, const struct conf *conf, const struct draft *draft, int64_t user,
	int64_t before, int64_t now);

/*
 * Inside a write transaction: the row of a draft that was kept. Sets id and key. A private file without owner is the
 * school's: for admins, and whomever a signed address is given to. False when a failure stuck to db, or when the bytes are
 * gone: then `row` may not be committed.
 */
must_use bool file_add(struct db *db, const struct conf *conf, const struct draft *draft, struct file_row *row, int64_t now);
/*
 * Inside a write transaction: deletes a row; its bytes are left to `okulctl files gc`. False when a material holds it: nothing
 * of the transaction may be kept then. A failure sticks to db.
 */
must_use bool file_remove(struct db *db, int64_t pk, int64_t now);

#endif
