/*
 * okulctl database move - the database of a living school to another engine, and back.
 *
 * The source is locked for writing from before its first row is read until it is marked as moved, so no acknowledged
 * write is missing in the copy. Reads go on. The mark is a schema version that no program knows: running programs write
 * to the source no more, whenever they are restarted. Killed before the mark, nothing has changed for them.
 */
#include "okulctl.h"

#include "clock.h"
#include "sql.h"
#include "text.h"
#include "url.h"
#include "user.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOURS 6		/* that a move may take */
#define COLUMNS_MOST 64 /* of a table */
#define TABLES(X) \
	X(users, "pk", "") \
	X(audit, "pk", "") \
	X(session, "pk", "") \
	X(login_code, "email, network", "") \
	X(known_network, "mac", "") \
	X(event, "kind, subject, at, n", "") \
	X(outbox, "pk", "") \
	X(course, "pk", "") \
	X(setting, "pk", "") \
	X(setting_version, "pk", "") \
	X(file, "pk", "") \
	X(test_version, "pk", "") \
	X(test, "pk", "") \
	X(attempt, "pk", "") \
	X(result, "pk", "") \
	X(contact, "pk", "") \
	X(material, "pk", "") \
	X(material_pdf, "pk", "") \
	X(assignment, "pk", "") \
	X(instance, "key", " WHERE key <> 'moving'") \
	X(tally, "name", "") \
	X(user_block, "block", " WHERE n <> 0") \
	X(time_tally, "span, number", " WHERE users <> 0 OR results <> 0 OR contacts <> 0 OR assignments <> 0") \
	X(result_tally, "version, level", " WHERE n <> 0")

/* clang-format off */
#define TABLE_NAME(name, order, where) #name,
#define TABLE_ALL(name, order, where) "SELECT * FROM " #name where " ORDER BY " order " /* scans: " #name " */",
/* clang-format on */

static const char *const tables[] = { TABLES(TABLE_NAME) };

enum { MARK = COUNT(tables), UNMARK, MARKED, IN_USE, MOST_KEYS, SET_TALLY };

static const char *const sql[] = {
	TABLES(TABLE_ALL)[MARK] = "INSERT INTO instance (key, value) VALUES ('moving', '1')",
	[UNMARK] = "DELETE FROM instance WHERE key = 'moving'",
	[MARKED] = "SELECT 1 FROM instance WHERE key = 'moving'",
	/* Whoever used it has left one of these. */
	[IN_USE] = "SELECT 1 WHERE EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM audit) OR EXISTS (SELECT 1 FROM course)"
		   " OR EXISTS (SELECT 1 FROM contact) OR EXISTS (SELECT 1 FROM setting) OR EXISTS (SELECT 1 FROM file)"
		   " OR EXISTS (SELECT 1 FROM event) OR EXISTS (SELECT 1 FROM login_code)"
		   " /* scans: users audit course contact setting file event login_code */",
	/* Results refer to tests and versions that may be deleted, whose keys are not used again. */
	[MOST_KEYS] =
		"SELECT (SELECT coalesce(max(pk), 0) FROM users), (SELECT coalesce(max(pk), 0) FROM audit),"
		" (SELECT coalesce(max(pk), 0) FROM session), (SELECT coalesce(max(pk), 0) FROM outbox),"
		" (SELECT coalesce(max(pk), 0) FROM course), (SELECT coalesce(max(pk), 0) FROM setting),"
		" (SELECT coalesce(max(pk), 0) FROM setting_version), (SELECT coalesce(max(pk), 0) FROM file),"
		" " SQL_NEXT_KEY("test_version") ", " SQL_NEXT_KEY(
			"test") ","
				" (SELECT coalesce(max(pk), 0) FROM attempt), (SELECT coalesce(max(pk), 0) FROM result),"
				" (SELECT coalesce(max(pk), 0) FROM contact), (SELECT coalesce(max(pk), 0) FROM material),"
				" (SELECT coalesce(max(pk), 0) FROM material_pdf), (SELECT coalesce(max(pk), 0) FROM assignment)",
	[SET_TALLY] = "UPDATE tally SET n = ?2 WHERE name = ?1",
};
static const struct db_statements statements = { sql, COUNT(sql) };

/* In the order of MOST_KEYS. */
static const char *const keyed[] = { "users", "audit", "session", "outbox", "course", "setting", "setting_version", "file",
	"test_version", "test", "attempt", "result", "contact", "material", "material_pdf", "assignment" };

static command_call run_move;

const struct command command_database_move = {
	.name = "database move",
	.usage = "URL | folder",
	.summary = "move the school to PostgreSQL, or back to a file",
	.help = "URL     postgresql://okul_migrate@host/name of an empty database: createdb makes one\n"
		"folder  back to DATA/okul.db\n"
		"\n"
		"A role that owns the database: with conf/postgres/roles.sql that is okul_migrate.\n"
		"Name okul in okul.conf when it is done.\n"
		"\n"
		"Reads go on meanwhile, writes are answered 503 with Retry-After. Every table is\n"
		"compared by count and checksum. Then okul.conf names the new database, and the\n"
		"old one is kept, but takes no more writes: restart okul at once. Interrupted,\n"
		"the old one serves on; run it again. Uploaded files stay where they are.\n",
	.run = run_move,
	.statements = &statements,
};

struct sum {
	int64_t rows;
	uint64_t check;
};

struct move {
	const struct conf *conf;
	struct db *from, *to;
	const char *url;		/* of the new database; NULL: the file DATA/okul.db */
	char folder[PATH_MAX];		/* of a new file, until it is complete */
	struct sum sums[COUNT(tables)]; /* of what was read from the source */
	char why[512];
};

/* ---- checksums: the same on both engines, whatever the order of rows and columns */

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 31)) * UINT64_C(0x7fb5d329728ea185);
	x = (x ^ (x >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
	return x ^ (x >> 33);
}

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t
hash_value(const char *name, const struct value *value)
{
	uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), name, strlen(name) + 1);

	hash = hash_bytes(hash, &value->type, sizeof(value->type));
	switch (value->type) {
	case VALUE_INT: return mix(hash_bytes(hash, &value->integer, sizeof(value->integer)));
	case VALUE_REAL: return mix(hash_bytes(hash, &value->real, sizeof(value->real)));
	case VALUE_TEXT:
	case VALUE_BLOB: return mix(hash_bytes(hash, value->bytes, value->length));
	default: return mix(hash);
	}
}

static void
add_row(struct sum *sum, const struct db_rows *rows, struct value *values)
{
	uint64_t hash = 0;

	for (int i = 0; i < db_columns(rows); i++) {
		values[i] = db_value(rows, i);
		hash += hash_value(db_name(rows, i), &values[i]);
	}
	sum->rows++;
	sum->check += mix(hash);
}

/* ---- copying */

static bool
failed(struct move *m, const struct db *db, const char *what)
{
	return text_complain(m->why, sizeof(m->why), "%s: %s", what, db_reason(db_failure(db)));
}

static bool
begin_table(struct move *m, const char *table, const struct db_rows *rows, bool *wanted)
{
	struct buf columns = { 0 };

	for (int i = 0; i < db_columns(rows); i++)
		buf_printf(&columns, "%s%s", i ? ", " : "", db_name(rows, i));
	bool good = db_columns(rows) <= COLUMNS_MOST && !columns.failed &&
		db_load_begin(m->to, table, columns.s, wanted, m->why, sizeof(m->why));
	buf_clear(&columns);
	return good;
}

static bool
copy_table(struct move *m, size_t table)
{
	struct value values[COLUMNS_MOST];
	struct sum *sum = &m->sums[table];
	struct db_rows *rows;
	bool open = false, wanted = false, good = true;
	enum db_rc rc = db_query(m->from, &rows, sql[table], NO_ARGS);

	while (good && rc == DB_DONE && (rc = db_next(rows)) == DB_ROW) {
		rc = DB_DONE;
		if (!open)
			good = open = begin_table(m, tables[table], rows, &wanted);
		add_row(sum, rows, values);
		if (good && wanted && !db_load_row(m->to, values, (size_t)db_columns(rows)))
			good = text_complain(
				m->why, sizeof(m->why), "a row was not taken by the new database; the log has the reason");
	}
	if (rc != DB_DONE && good)
		good = failed(m, m->from, tables[table]);
	db_end(rows);
	if (open && wanted && !db_load_end(m->to, m->why, sizeof(m->why)))
		good = false;
	if (good)
		printf("%s: %lld rows\n", tables[table], (long long)sum->rows);
	fflush(stdout);
	return good;
}

/* Versions grow with every change, so they are not what an engine counts by itself. */
static bool
copy_versions(struct move *m)
{
	struct db_rows *rows;
	enum db_rc rc = db_write_begin(m->to), next;

	if (rc == DB_DONE) {
		size_t at = 0;
		db_timeout(m->to, HOURS * HOUR); /* the search index of all users is made here */
		while (strcmp(tables[at], "tally") != 0)
			at++;
		next = db_one(m->from, &rows, sql[at], NO_ARGS);
		for (; next == DB_ROW; next = db_next(rows))
			db_change(m->to, sql[SET_TALLY], ARGS(db_text(rows, 0), db_int(rows, 1)));
		db_end(rows);
		if (!db_is_url(m->url ? m->url : ""))
			user_reindex(m->to);
		rc = db_write_commit(m->to);
	}
	return rc == DB_DONE || text_complain(m->why, sizeof(m->why), "%s", db_reason(rc));
}

static bool
copy_keys(struct move *m)
{
	struct db_rows *row;
	int64_t keys[COUNT(keyed)];
	enum db_rc rc = db_one(m->from, &row, sql[MOST_KEYS], NO_ARGS);

	for (size_t i = 0; rc == DB_ROW && i < COUNT(keyed); i++)
		keys[i] = db_int(row, (int)i);
	db_end(row);
	if (rc != DB_ROW)
		return failed(m, m->from, "keys");
	for (size_t i = 0; i < COUNT(keyed); i++)
		if (!db_reserve_keys(m->to, keyed[i], keys[i], m->why, sizeof(m->why)))
			return false;
	return true;
}

static bool
compare_table(struct move *m, size_t table)
{
	struct value values[COLUMNS_MOST];
	struct sum sum = { 0 };
	struct db_rows *rows;
	enum db_rc rc = db_query(m->to, &rows, sql[table], NO_ARGS);

	while (rc == DB_DONE && (rc = db_next(rows)) == DB_ROW) {
		rc = DB_DONE;
		add_row(&sum, rows, values);
	}
	db_end(rows);
	if (rc != DB_DONE)
		return failed(m, m->to, tables[table]);
	if (sum.rows != m->sums[table].rows || sum.check != m->sums[table].check)
		return text_complain(m->why, sizeof(m->why),
			"table %s differs: %lld rows, checksum %016llx; the copy has %lld, %016llx", tables[table],
			(long long)m->sums[table].rows, (unsigned long long)m->sums[table].check, (long long)sum.rows,
			(unsigned long long)sum.check);
	return true;
}

static bool
copy_all(struct move *m)
{
	db_timeout(m->from, HOURS * HOUR);
	for (size_t i = 0; i < COUNT(tables); i++)
		if (!copy_table(m, i))
			return false;
	if (!copy_versions(m) || !copy_keys(m))
		return false;
	db_timeout(m->to, HOURS * HOUR);
	for (size_t i = 0; i < COUNT(tables); i++)
		if (!compare_table(m, i))
			return false;
	db_release(m->to);
	printf("compared: %zu tables have the same rows\n", COUNT(tables));
	return true;
}

/* ---- the new database */

/* A database on a server must be empty, or what an interrupted move has left. */
static bool
prepare_server(struct move *m, const char *schema)
{
	char name[PATH_MAX];
	int version = 0;

	url_hide_password(name, sizeof(name), m->url);
	m->to = db_open(m->url, DB_READ_WRITE, 0, m->why, sizeof(m->why));
	if (!m->to || !db_alive(m->to, &version))
		return m->to ? failed(m, m->to, name) : false;
	enum db_rc rc = db_take_job(m->to, DB_JOB_MOVE);
	if (rc != DB_DONE)
		return text_complain(m->why, sizeof(m->why),
			rc == DB_TAKEN ? "another move to %s is running" : "%s cannot be used; the log has the reason", name);
	if (version == 0)
		return db_create(m->url, schema, m->why, sizeof(m->why));
	bool fits = version == DB_SCHEMA_VERSION;
	bool left = fits && db_number(m->to, NULL, sql[MARKED], NO_ARGS) == DB_ROW;
	bool used = fits && db_number(m->to, NULL, sql[IN_USE], NO_ARGS) == DB_ROW;
	db_release(m->to);
	if (!fits || (used && !left))
		return text_complain(
			m->why, sizeof(m->why), "%s is not empty: make another database with createdb, and name that", name);
	return db_empty(m->to, m->why, sizeof(m->why));
}

static void
remove_folder(const char *folder)
{
	db_discard(folder);
	rmdir(folder);
}

static bool
prepare_file(struct move *m, const char *schema)
{
	remove_folder(m->folder);
	if (mkdir(m->folder, 0700) != 0)
		return text_complain(m->why, sizeof(m->why), "%s cannot be made: %s", m->folder, strerror(errno));
	if (!db_create(m->folder, schema, m->why, sizeof(m->why)))
		return false;
	m->to = db_open(m->folder, DB_READ_WRITE, 0, m->why, sizeof(m->why));
	return m->to != NULL;
}

static bool
prepare(struct move *m)
{
	char path[PATH_MAX];
	struct buf schema = { 0 };
	enum db_rc rc;

	snprintf(path, sizeof(path), "%s/%sschema.sql", m->conf->share, m->url ? "postgres/" : "");
	bool good = ctl_read_file(path, SIZE_MAX, &schema) ||
		text_complain(m->why, sizeof(m->why), "%s cannot be read; install okul again", path);
	good = good && (m->url ? prepare_server(m, schema.s) : prepare_file(m, schema.s));
	buf_clear(&schema);
	if (!good)
		return false;
	rc = db_write_begin(m->to);
	if (rc == DB_DONE) {
		db_change(m->to, sql[MARK], NO_ARGS);
		rc = db_write_commit(m->to);
	}
	db_release(m->to);
	return rc == DB_DONE || text_complain(m->why, sizeof(m->why), "%s", db_reason(rc));
}

/* ---- the switch */

static bool
switch_conf(struct move *m)
{
	char path[PATH_MAX];
	struct buf old = { 0 }, new = { 0 };
	struct stat st;

	if (getenv("OKUL_DATABASE")) {
		printf("the environment has OKUL_DATABASE: set it to \"%s\" and restart okul\n", m->url ? m->url : "");
		return true;
	}
	snprintf(path, sizeof(path), "%s/okul.conf", m->conf->data);
	mode_t mode = stat(path, &st) == 0 ? st.st_mode & 0777 : 0600;
	if (access(path, F_OK) == 0 && !ctl_read_file(path, SIZE_MAX, &old))
		return text_complain(m->why, sizeof(m->why), "%s cannot be read: %s", path, strerror(errno));
	ctl_put_setting(&new, old.s, "database", m->url ? m->url : "");
	bool good = ctl_replace_file(path, &new, m->url && strchr(m->url, '@') ? mode & 0700 : mode) ||
		text_complain(m->why, sizeof(m->why), "%s cannot be written: %s", path, strerror(errno));
	buf_clear(&old);
	buf_clear(&new);
	return good;
}

/* A file that is complete gets its place; one that was moved away earlier is kept beside it. */
static bool
place_file(struct move *m)
{
	char to[PATH_MAX + 16], old[PATH_MAX + 64];

	if (m->url)
		return true;
	db_close(m->to);
	m->to = NULL;
	snprintf(to, sizeof(to), "%s/okul.db", m->conf->data);
	snprintf(old, sizeof(old), "%s/okul-before-%lld.db", m->conf->data, (long long)clock_now());
	if (access(to, F_OK) == 0) {
		if (!db_set_aside(m->conf->data, old, m->why, sizeof(m->why)))
			return false;
		printf("%s: the file that was moved to a server earlier; delete it when you need it no more\n", old);
	}
	if (!db_set_aside(m->folder, to, m->why, sizeof(m->why)) || !db_sync(m->conf->data))
		return false;
	remove_folder(m->folder);
	return true;
}

/* From here on the source takes no writes. */
static bool
finish(struct move *m)
{
	enum db_rc rc = db_write_begin(m->to);

	if (rc == DB_DONE) {
		db_change(m->to, sql[UNMARK], NO_ARGS);
		rc = db_write_commit(m->to);
	}
	if (rc != DB_DONE)
		return text_complain(m->why, sizeof(m->why), "%s", db_reason(rc));
	if (!place_file(m) || !db_set_version(m->from, DB_MOVED + DB_SCHEMA_VERSION, m->why, sizeof(m->why)))
		return false;
	rc = db_write_commit(m->from);
	return rc == DB_DONE ? switch_conf(m) : text_complain(m->why, sizeof(m->why), "%s", db_reason(rc));
}

static bool
move(struct move *m)
{
	if (!prepare(m))
		return false;
	enum db_rc rc = db_write_alone(m->from);
	if (rc != DB_DONE)
		return text_complain(m->why, sizeof(m->why), "%s", db_reason(rc));
	bool good = copy_all(m) && finish(m);
	if (db_writing(m->from))
		db_write_rollback(m->from);
	return good;
}

static int
run_move(int argc, char **argv, const char *data)
{
	struct move m = { .conf = ctl_conf(data) };

	if (!m.conf)
		return EXIT_CONFIG;
	bool back = argc == 2 && strcmp(argv[1], "folder") == 0;
	if (argc != 2 || (!back && !db_is_url(argv[1])))
		return ctl_error(EXIT_USAGE, "usage: okulctl database move %s", command_database_move.usage);
	m.url = back ? NULL : argv[1];
	if (back != db_is_url(m.conf->database))
		return ctl_error(EXIT_CONFIG,
			back ? "the database is the file %s/okul.db already"
			     : "the database is on a server already: first `okulctl database move folder` (%s)",
			m.conf->data);
	snprintf(m.folder, sizeof(m.folder), "%s/moving", m.conf->data);
	if (!ctl_lock_folder(m.conf))
		return EXIT_CONFIG;
	m.from = ctl_db(m.conf, DB_READ_WRITE);
	if (!m.from)
		return EXIT_CONFIG;
	bool good = move(&m);
	db_close(m.from);
	db_close(m.to);
	if (!good)
		return ctl_error(EXIT_FAILURE, "%s; nothing was switched, the old database serves on", m.why);
	puts("moved: restart okul now; until then it answers writes with 503");
	return EXIT_SUCCESS;
}
