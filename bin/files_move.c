/*
 * okulctl files move - all stored files to another place, while the school is in use.
 *
 * Files are copied in passes, each of those that rows name since the last one. Then a transaction beside which nothing is
 * written finds that no file is missing, notes the new place in the database, from which moment programs with the old setting
 * add no row (file_place()), and writes okul.conf. Interrupted before, nothing has changed; the next run copies what is missing.
 */
#include "files.h"
#include "s3.h"
#include "sql.h"

#include "file.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 200 /* rows that are read at a time */

enum { HASHES };

static const char *const sql[] = {
	[HASHES] = "SELECT sha256, min(size) FROM file WHERE sha256 > ?1 GROUP BY sha256 ORDER BY sha256 LIMIT ?2",
};
static const struct db_statements statements = { sql, COUNT(sql) };

static command_call run_move;

const struct command command_files_move = {
	.name = "files move",
	.usage = "s3://BUCKET[/PREFIX] | folder",
	.summary = "move all stored files to S3, or back to the folder",
	.help = "Copies every uploaded file, compares its SHA-256, then changes the setting files\n"
		"in okul.conf. The school stays in use. First set files_endpoint, files_region,\n"
		"files_key_id and files_secret in okul.conf. Interrupted, it has changed nothing:\n"
		"run it again, and it continues. The old copies are kept.\n"
		"Restart okul afterwards; until then it answers uploads with 503.\n",
	.run = run_move,
	.statements = &statements,
};

struct named {
	char sha256[BLOB_HASH_TEXT];
	int64_t size;
};

struct move {
	struct db *db;
	const struct conf *from, *to;
	struct named *done; /* sorted: those that are in both places */
	size_t count, room;
	int64_t copied, damaged;
	char why[600];
};

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool
is_done(const struct move *m, const char *sha256)
{
	return m->count > 0 && bsearch(sha256, m->done, m->count, sizeof(*m->done), compare);
}

static bool
add_done(struct move *m, const struct named *file)
{
	if (m->count == m->room) {
		size_t room = m->room ? 2 * m->room : 1024;
		struct named *more = realloc(m->done, room * sizeof(*more));
		if (!more)
			return text_complain(m->why, sizeof(m->why), "out of memory");
		m->done = more;
		m->room = room;
	}
	m->done[m->count++] = *file;
	return true;
}

/* A page of hashes behind `after`. Returns their number; -1 after a failure. */
static int
read_page(struct move *m, const char *after, struct named *page)
{
	struct db_rows *rows;
	int count = 0;
	enum db_rc rc = db_one(m->db, &rows, sql[HASHES], ARGS(after, PAGE));

	for (; rc == DB_ROW && count < PAGE; rc = db_next(rows), count++) {
		snprintf(page[count].sha256, BLOB_HASH_TEXT, "%s", db_text(rows, 0));
		page[count].size = db_int(rows, 1);
	}
	db_end(rows);
	if (rc == DB_DONE || rc == DB_ROW)
		return count;
	text_complain(m->why, sizeof(m->why), "%s", db_reason(rc));
	return -1;
}

/* ---- copies */

static bool
write_blob(void *context, const void *bytes, size_t length)
{
	return blob_write(context, bytes, length) == BLOB_DONE;
}

static bool
copy_to_folder(struct move *m, const struct named *file)
{
	struct blob blob;
	bool good = blob_begin(m->to, &blob) == BLOB_DONE && s3_get(m->from, file->sha256, write_blob, &blob) == S3_DONE &&
		blob_end(&blob) == BLOB_DONE && strcmp(blob.sha256, file->sha256) == 0 && blob_keep(m->to, &blob) == BLOB_DONE;

	blob_drop(m->to, &blob);
	return good;
}

static bool
copy_to_s3(struct move *m, const struct named *file)
{
	char path[PATH_MAX];

	files_place(m->from, file->sha256, path);
	int from = open(path, O_RDONLY | O_CLOEXEC);
	bool good = from >= 0 && s3_put(m->to, file->sha256, from, file->size) == S3_DONE;
	if (from >= 0)
		close(from);
	return good;
}

/* Copies one file unless it is there, whole. False where the target fails; a source that is damaged is only counted. */
static bool
copy_one(struct move *m, const struct named *file)
{
	char path[PATH_MAX];
	const char *fault = files_fault(m->to, file->sha256, file->size);

	if (!fault)
		return add_done(m, file);
	fault = files_fault(m->from, file->sha256, file->size);
	if (fault) {
		files_place(m->from, file->sha256, path);
		printf("%s %s\n", path, fault);
		m->damaged++;
		return true;
	}
	bool good = blob_is_remote(m->to) ? copy_to_s3(m, file) : copy_to_folder(m, file);
	fault = good ? files_fault(m->to, file->sha256, file->size) : "cannot be stored";
	files_place(m->to, file->sha256, path);
	if (fault)
		return text_complain(m->why, sizeof(m->why), "%s %s %s", path, fault, good ? "after it was stored" : s3_reason());
	m->copied++;
	return add_done(m, file);
}

/* Copies what rows name and the last passes have not copied. */
static bool
run_pass(struct move *m)
{
	char after[BLOB_HASH_TEXT] = "";
	struct named page[PAGE];
	size_t before = m->count;
	int count;

	do {
		count = read_page(m, after, page);
		db_release(m->db);
		for (int i = 0; i < count; i++) {
			struct move known = *m;
			known.count = before;
			if (!is_done(&known, page[i].sha256) && !copy_one(m, &page[i]))
				return false;
			memcpy(after, page[i].sha256, BLOB_HASH_TEXT);
		}
	} while (count == PAGE);
	if (m->count > 0)
		qsort(m->done, m->count, sizeof(*m->done), compare);
	return count >= 0;
}

/* ---- the switch */

static bool
switch_conf(struct move *m)
{
	char path[PATH_MAX];
	struct buf old = { 0 }, new = { 0 };
	struct stat st;

	snprintf(path, sizeof(path), "%s/okul.conf", m->from->data);
	mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;
	if (access(path, F_OK) == 0 && !ctl_read_file(path, SIZE_MAX, &old))
		return text_complain(m->why, sizeof(m->why), "%s cannot be read: %s", path, strerror(errno));
	ctl_put_setting(&new, old.s, "files", m->to->files);
	bool good = ctl_replace_file(path, &new, mode) ||
		text_complain(m->why, sizeof(m->why), "%s cannot be written: %s", path, strerror(errno));
	buf_clear(&old);
	buf_clear(&new);
	return good;
}

/* With the lock: whether rows name a file that was not copied. */
static bool
is_complete(struct move *m, bool *complete)
{
	char after[BLOB_HASH_TEXT] = "";
	struct named page[PAGE];
	int count;

	*complete = true;
	do {
		count = read_page(m, after, page);
		for (int i = 0; i < count && *complete; i++) {
			*complete = is_done(m, page[i].sha256);
			memcpy(after, page[i].sha256, BLOB_HASH_TEXT);
		}
	} while (count == PAGE && *complete);
	return count >= 0;
}

static bool
finish(struct move *m, bool *complete)
{
	enum db_rc rc = db_write_alone(m->db);

	if (rc != DB_DONE)
		return text_complain(m->why, sizeof(m->why), "%s", db_reason(rc));
	bool good = is_complete(m, complete);
	if (good && *complete) {
		file_place(m->db, m->to->files);
		good = switch_conf(m);
		rc = good ? db_write_commit(m->db) : DB_DONE;
	}
	if (db_writing(m->db))
		db_write_rollback(m->db);
	return good && (rc == DB_DONE || text_complain(m->why, sizeof(m->why), "%s; run this again", db_reason(rc)));
}

static bool
move(struct move *m)
{
	bool complete = false;

	while (!complete) {
		if (!run_pass(m))
			return false;
		if (m->damaged > 0)
			return text_complain(m->why, sizeof(m->why),
				"%lld files are damaged or missing where they are: restore them, or delete their uploads",
				(long long)m->damaged);
		if (!finish(m, &complete))
			return false;
	}
	return true;
}

static void
tell(const struct move *m)
{
	printf("%zu files are in %s, %lld of them new there.\nRestart okul now; until then it answers uploads with 503.\n",
		m->count, m->to->files[0] ? m->to->files : "the folder", (long long)m->copied);
	if (m->from->files[0])
		printf("The old copies are kept. To delete them once a backup of the folder exists, empty %s\n", m->from->files);
	else
		printf("The old copies are kept. To delete them: rm -r %s/files/??\n", m->from->data);
}

static int
run_move(int argc, char **argv, const char *data)
{
	struct move m = { .from = ctl_files_conf(data) };
	bool folder = argc == 2 && strcmp(argv[1], "folder") == 0;

	if (!m.from)
		return EXIT_CONFIG;
	if (argc != 2 || (!folder && strncmp(argv[1], "s3://", 5) != 0))
		return ctl_error(EXIT_USAGE, "usage: okulctl files move %s", command_files_move.usage);
	if (getenv("OKUL_FILES"))
		return ctl_error(
			EXIT_CONFIG, "the environment has OKUL_FILES; set `files` in okul.conf instead, and remove it there");
	if (!conf_load_secrets(SECRET_FILES, m.why, sizeof(m.why)) ||
		!(m.to = conf_with_files(m.from, folder ? "" : argv[1], m.why, sizeof(m.why))) ||
		!conf_check_files_secret(m.to, m.why, sizeof(m.why)))
		return ctl_error(EXIT_CONFIG, "%s", m.why);
	if (strcmp(m.to->files_bucket, m.from->files_bucket) == 0 && strcmp(m.to->files_prefix, m.from->files_prefix) == 0)
		return ctl_error(EXIT_CONFIG, "the files are there already");
	if (!folder && blob_is_remote(m.from))
		return ctl_error(EXIT_CONFIG, "the files are in %s: first `okulctl files move folder`", m.from->files);
	if (!ctl_lock_folder(m.from))
		return EXIT_CONFIG;
	m.db = ctl_db(m.from, DB_READ_WRITE);
	if (!m.db)
		return EXIT_CONFIG;
	bool good = move(&m);
	db_close(m.db);
	free(m.done);
	if (!good)
		return ctl_error(EXIT_FAILURE, "%s; nothing was switched, the old place serves on", m.why);
	tell(&m);
	return EXIT_SUCCESS;
}
