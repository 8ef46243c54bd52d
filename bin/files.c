/* okulctl files - the stored files: check that all are complete, and delete those that no row names. */
#include "files.h"
#include "s3.h"
#include "sql.h"

#include "clock.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>
#include <unistd.h>

static command_call run_gc, run_verify;

static const struct db_statements statements;

const struct command command_files_gc = {
	.name = "files gc",
	.usage = "[--dry-run] [--quiet]",
	.summary = "delete stored files that no row names any more",
	.help = "Deletes the bytes of deleted files, and what interrupted uploads left, when they\n"
		"are an hour old. Safe at any time; meant to be run hourly by cron.\n"
		"--dry-run  only counts\n"
		"--quiet    prints only warnings and errors\n",
	.run = run_gc,
	.statements = &statements,
};

const struct command command_files_verify = {
	.name = "files verify",
	.usage = "",
	.summary = "check that every uploaded file is there and unchanged",
	.help = "Reads all stored files, and compares size and SHA-256 with those of the uploads.\n"
		"Prints a line for each damaged file: the keys that name it, its path, and what\n"
		"is wrong; then the exit code is 1. Restore these files from a backup.\n"
		"Changes nothing; safe at any time.\n",
	.run = run_verify,
};

#define BATCH 32 /* files that are deleted while the writer lock is held once */
#define PAGE 200 /* rows that are read at a time: a long snapshot makes the database grow */

enum { NAMED, PAGE_OF };

static const char *const sql[] = {
	[NAMED] = "SELECT 1 FROM file WHERE sha256 = ?1 LIMIT 1",
	[PAGE_OF] = "SELECT sha256, min(size), max(size), " SQL_WORDS("key", "pk") ", count(*) FROM file WHERE sha256 > ?1"
										   " GROUP BY sha256 ORDER BY sha256 LIMIT ?2",
};
static const struct db_statements statements = { sql, COUNT(sql) };

const struct conf *
ctl_files_conf(const char *data)
{
	const struct conf *conf = ctl_conf(data);
	char why[512];

	if (conf && !blob_init(conf, why, sizeof(why))) {
		ctl_error(EXIT_CONFIG, "%s", why);
		return NULL;
	}
	return conf;
}

void
files_place(const struct conf *conf, const char *sha256, char out[static PATH_MAX])
{
	if (blob_is_remote(conf))
		snprintf(out, PATH_MAX, "s3://%s/%s%.2s/%s", conf->files_bucket, conf->files_prefix, sha256, sha256);
	else
		snprintf(out, PATH_MAX, "%s/files/%.2s/%s", conf->data, sha256, sha256);
}

static enum db_rc
is_named(struct db *db, const char *sha256, bool *named)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, sql[NAMED], ARGS(sha256));

	*named = rc == DB_ROW;
	db_end(row);
	return rc == DB_ROW ? DB_DONE : rc;
}

/* ---- gc */

struct gc {
	struct db *db;
	const struct conf *conf;
	int64_t before; /* seconds since 1970: files that changed later are kept */
	bool dry_run, quiet;
	int64_t orphans, bytes, leftovers;
	char batch[BATCH][BLOB_HASH_TEXT];
	size_t count;
	bool swept[BATCH]; /* in S3: which of them may be deleted */
	enum db_rc rc;	   /* in S3: why the walk ended */
	const char *fault; /* likewise: of the storage */
};

static bool
is_hash(const char *name)
{
	return strlen(name) == BLOB_HASH_TEXT - 1 && strspn(name, "0123456789abcdef") == BLOB_HASH_TEXT - 1;
}

/* True for a file that has not changed for an hour. Linking it and uploading the same bytes again are changes. */
static bool
is_old(const struct gc *gc, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_ctim.tv_sec < gc->before;
}

/* While the writer lock is held, no row can be added that names the file: file_add() checks under it that it exists. */
static void
delete_orphan(struct gc *gc, const char *sha256)
{
	char path[PATH_MAX];
	struct stat st;
	bool named;

	snprintf(path, sizeof(path), "%s/files/%.2s/%s", gc->conf->data, sha256, sha256);
	if (lstat(path, &st) != 0 || !is_old(gc, &st) || is_named(gc->db, sha256, &named) != DB_DONE || named)
		return;
	if (unlink(path) != 0) {
		ctl_error(EXIT_FAILURE, "warning: %s cannot be deleted: %m", path);
		return;
	}
	gc->orphans++;
	gc->bytes += st.st_size;
}

static enum db_rc
delete_batch(struct gc *gc)
{
	if (gc->count == 0)
		return DB_DONE;
	/* No row may begin to refer to a file between the look and the deletion. */
	enum db_rc rc = db_write_alone(gc->db);
	if (rc != DB_DONE)
		return rc;
	/* After a power cut no row may come back whose file is gone. */
	rc = db_flush(gc->db);
	for (size_t i = 0; i < gc->count && rc == DB_DONE; i++)
		delete_orphan(gc, gc->batch[i]);
	rc = db_failure(gc->db);
	db_write_rollback(gc->db); /* of nothing: the transaction only held the lock */
	gc->count = 0;
	return rc;
}

/* An old file in one of the folders of DATA/files. */
static enum db_rc
handle_file(struct gc *gc, const FTSENT *file)
{
	const char *name = file->fts_name, *folder = file->fts_parent->fts_name;
	bool named;

	if (!is_hash(name) || strlen(folder) != 2 || strncmp(name, folder, 2) != 0)
		return DB_DONE;
	enum db_rc rc = is_named(gc->db, name, &named);
	db_release(gc->db);
	if (rc != DB_DONE || named)
		return rc;
	if (gc->dry_run) {
		gc->orphans++;
		gc->bytes += file->fts_statp->st_size;
		return DB_DONE;
	}
	memcpy(gc->batch[gc->count++], name, BLOB_HASH_TEXT);
	return gc->count == BATCH ? delete_batch(gc) : DB_DONE;
}

static enum db_rc
collect(struct gc *gc, char *folder)
{
	/* DATA/files itself may be a symbolic link to another disk. */
	FTS *walk = fts_open((char *const[]){ folder, NULL }, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	enum db_rc rc = walk ? DB_DONE : DB_ERROR;
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		if (entry->fts_info != FTS_F || entry->fts_level != 2 || !is_old(gc, entry->fts_statp))
			continue;
		/* Temporary files of uploads, on file systems without O_TMPFILE. Also when a full disk stops the rest. */
		if (strcmp(entry->fts_parent->fts_name, "tmp") == 0)
			gc->leftovers += gc->dry_run || unlink(entry->fts_path) == 0;
		else if (rc == DB_DONE)
			rc = handle_file(gc, entry);
	}
	if (walk)
		fts_close(walk);
	return rc == DB_DONE ? delete_batch(gc) : rc;
}

/* ---- gc in S3 */

/* Notes in one transaction which of the batch no row names: from then on none can begin to (lib/school/file.h). */
static enum db_rc
sweep_batch(struct gc *gc)
{
	enum db_rc rc;
	int tries = 0;

	do {
		rc = db_write_begin(gc->db);
		for (size_t i = 0; i < gc->count && rc == DB_DONE; i++)
			rc = file_sweep(gc->db, gc->batch[i], clock_now(), &gc->swept[i]);
		if (rc == DB_DONE)
			rc = db_write_commit(gc->db);
		else
			db_write_rollback(gc->db);
	} while (ctl_again(gc->db, rc, &tries));
	return rc; /* what was committed or seen is on the disk: no row can come back, and no sweep be forgotten */
}

static enum db_rc
delete_objects(struct gc *gc)
{
	int64_t start = clock_ticks();
	enum db_rc rc = gc->count > 0 ? sweep_batch(gc) : DB_DONE;

	for (size_t i = 0; i < gc->count && rc == DB_DONE && !gc->fault; i++) {
		struct s3_object object;
		enum s3_rc found = gc->swept[i] ? s3_head(gc->conf, gc->batch[i], &object) : S3_NONE;
		/* A request that is sent now must have ended before FILE_SWEEP_TIME. */
		if ((clock_ticks() - start) / 1000 > FILE_SWEEP_TIME / 2)
			break; /* the next run continues */
		if (found == S3_DONE && object.age > FILE_ORPHAN_AGE)
			found = s3_delete(gc->conf, gc->batch[i]);
		else if (found == S3_DONE)
			continue;
		if (found == S3_DONE) {
			gc->orphans++;
			gc->bytes += object.size;
		} else if (found != S3_NONE) {
			gc->fault = s3_reason();
		}
	}
	gc->count = 0;
	return rc;
}

static bool
handle_object(void *context, const char *sha256, const struct s3_object *object)
{
	struct gc *gc = context;
	bool named;

	if (object->age <= FILE_ORPHAN_AGE)
		return true;
	gc->rc = is_named(gc->db, sha256, &named);
	db_release(gc->db);
	if (gc->rc != DB_DONE || named)
		return gc->rc == DB_DONE;
	if (gc->dry_run) {
		gc->orphans++;
		gc->bytes += object->size;
		return true;
	}
	memcpy(gc->batch[gc->count++], sha256, BLOB_HASH_TEXT);
	if (gc->count == BATCH)
		gc->rc = delete_objects(gc);
	return gc->rc == DB_DONE && !gc->fault;
}

static enum db_rc
collect_objects(struct gc *gc)
{
	gc->rc = DB_DONE;
	enum s3_rc rc = s3_list(gc->conf, handle_object, gc);
	if (rc != S3_DONE)
		gc->fault = s3_reason();
	return gc->rc == DB_DONE && !gc->fault ? delete_objects(gc) : gc->rc;
}

static enum db_rc
collect_all(struct gc *gc, char *folder)
{
	enum db_rc rc = blob_is_remote(gc->conf) ? collect_objects(gc) : collect(gc, folder);

	if (!gc->quiet)
		printf("files that no row names: %lld %s, %lld KiB\ninterrupted uploads: %lld %s\n", (long long)gc->orphans,
			gc->dry_run ? "would be deleted" : "deleted", (long long)(gc->bytes / 1024), (long long)gc->leftovers,
			gc->dry_run ? "would be deleted" : "deleted");
	return rc;
}

static int
run_gc(int argc, char **argv, const char *data)
{
	struct gc gc = { .before = clock_now() / SECOND - FILE_ORPHAN_AGE };
	char folder[PATH_MAX];
	int code = EXIT_SUCCESS;

	if (!ctl_batch_options(argc, argv, &gc.dry_run, &gc.quiet))
		return EXIT_USAGE;
	gc.conf = ctl_files_conf(data);
	gc.db = ctl_db(gc.conf, gc.dry_run ? DB_READ_ONLY : DB_READ_WRITE);
	if (!gc.db)
		return EXIT_CONFIG;
	db_only_deletes(gc.db, true);
	snprintf(folder, sizeof(folder), "%s/files", gc.conf->data);
	if (!blob_is_remote(gc.conf) && access(folder, R_OK | X_OK) != 0 && errno != ENOENT) {
		code = ctl_error(EXIT_CONFIG, "%s: %m; run this as the user that runs okul", folder);
	} else {
		enum db_rc rc = collect_all(&gc, folder);
		if (gc.fault)
			code = ctl_error(EXIT_FAILURE, "stopped: %s", gc.fault);
		else if (rc != DB_DONE)
			code = ctl_error(EXIT_FAILURE, "stopped: %s; the next run continues", db_reason(rc));
	}
	db_close(gc.db);
	return code;
}

/* ---- verify */

struct verify {
	struct db *db;
	const struct conf *conf;
	char after[BLOB_HASH_TEXT]; /* the last hash that was checked */
	int64_t files, rows, bytes, damaged;
};

/* What is wrong with a stored file; NULL: nothing. */
static const char *
fault_of(const char *path, const char *sha256, int64_t size)
{
	static char why[128];
	char found[BLOB_HASH_TEXT];
	const char *fault = NULL;
	struct stat st;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO would wait for a writer */

	if (file < 0 || fstat(file, &st) != 0) {
		fault = errno == ENOENT ? "is missing" : strerror(errno);
	} else if (!S_ISREG(st.st_mode)) {
		fault = "is not a file";
	} else if (st.st_size != size) {
		snprintf(why, sizeof(why), "has %lld bytes instead of %lld", (long long)st.st_size, (long long)size);
		fault = why;
	} else if (ctl_hash_file(file, found) < 0) {
		snprintf(why, sizeof(why), "cannot be read: %s", strerror(errno));
		fault = why;
	} else if (strcmp(found, sha256) != 0) {
		fault = "has other bytes than were uploaded";
	}
	if (file >= 0)
		close(file);
	return fault;
}

struct found {
	struct secret_hash_state hash;
	int64_t size;
};

static bool
take_bytes(void *context, const void *bytes, size_t length)
{
	struct found *found = context;

	secret_hash_add(&found->hash, bytes, length);
	found->size += (int64_t)length;
	return true;
}

static const char *
object_fault(const struct conf *conf, const char *sha256, int64_t size)
{
	static char why[128];
	struct found found = { .size = 0 };
	unsigned char hash[32];
	char text[BLOB_HASH_TEXT];

	secret_hash_begin(&found.hash);
	enum s3_rc rc = s3_get(conf, sha256, take_bytes, &found);
	secret_hash_end(&found.hash, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(text + 2 * i, 3, "%02x", hash[i]);
	if (rc == S3_NONE)
		return "is missing";
	if (rc != S3_DONE)
		return s3_reason();
	if (found.size != size) {
		snprintf(why, sizeof(why), "has %lld bytes instead of %lld", (long long)found.size, (long long)size);
		return why;
	}
	return strcmp(text, sha256) == 0 ? NULL : "has other bytes than were uploaded";
}

const char *
files_fault(const struct conf *conf, const char *sha256, int64_t size)
{
	char path[PATH_MAX];

	if (blob_is_remote(conf))
		return object_fault(conf, sha256, size);
	files_place(conf, sha256, path);
	return fault_of(path, sha256, size);
}

static void
verify_one(struct verify *v, int64_t least, int64_t most, const char *keys)
{
	char path[PATH_MAX];
	const char *fault;
	bool named;

	files_place(v->conf, v->after, path);
	fault = least == most ? files_fault(v->conf, v->after, least) : "has rows that name different sizes";
	v->files++;
	v->bytes += least;
	/* Rows and file may have been deleted meanwhile. */
	if (!fault || (is_named(v->db, v->after, &named) == DB_DONE && !named))
		return;
	v->damaged++;
	printf("%s: %s %s\n", keys, path, fault);
}

/* Copies a page of hashes, so that no snapshot stays open while it reads the files. */
static enum db_rc
verify_page(struct verify *v, bool *more)
{
	struct {
		char sha256[BLOB_HASH_TEXT], *keys;
		int64_t least, most;
	} page[PAGE] = { 0 };
	struct db_rows *rows;
	size_t count = 0;
	enum db_rc rc = db_one(v->db, &rows, sql[PAGE_OF], ARGS(v->after, PAGE));

	for (; rc == DB_ROW && count < PAGE; rc = db_next(rows), count++) {
		snprintf(page[count].sha256, BLOB_HASH_TEXT, "%s", db_text(rows, 0));
		page[count].least = db_int(rows, 1);
		page[count].most = db_int(rows, 2);
		page[count].keys = strdup(db_text(rows, 3));
		v->rows += db_int(rows, 4);
	}
	db_end(rows);
	db_release(v->db);
	*more = count == PAGE;
	for (size_t i = 0; i < count; i++) {
		memcpy(v->after, page[i].sha256, BLOB_HASH_TEXT);
		verify_one(v, page[i].least, page[i].most, page[i].keys ? page[i].keys : "?");
		free(page[i].keys);
		db_release(v->db);
	}
	return rc == DB_ROW ? DB_DONE : rc;
}

static int
run_verify(int argc, char **argv, const char *data)
{
	struct verify v = { .after = "" };
	enum db_rc rc = DB_DONE;

	(void)argc, (void)argv;
	v.conf = ctl_files_conf(data);
	v.db = ctl_db(v.conf, DB_READ_ONLY);
	if (!v.db)
		return EXIT_CONFIG;
	for (bool more = true; more && rc == DB_DONE;)
		rc = verify_page(&v, &more);
	db_close(v.db);
	printf("%lld files, named by %lld rows, %lld MiB: %lld damaged\n", (long long)v.files, (long long)v.rows,
		(long long)(v.bytes / MIB), (long long)v.damaged);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "stopped: %s", db_reason(rc));
	return v.damaged ? EXIT_FAILURE : EXIT_SUCCESS;
}
