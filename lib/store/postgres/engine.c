/* The engine's table, opening and closing, and whether the server can be read and written now. */
#include "admin.h"

#include "log.h"

#define PROBE_EVERY (1000 * MILLISECONDS) /* try_write() returns its last result until then */

static void
postgres_close(struct db *db)
{
	struct postgres *p = postgres_of(db);

	pg_statement_stop_all(p);
	pg_connection_drop(p);
	for (struct postgres_rows *rows = p->cached, *next; rows; rows = next) {
		next = rows->next_cached;
		free(rows->types);
		free(rows);
	}
	free(p->url);
	free(p);
}

/* The server's schema version; -1 when it cannot be read, 0 where there is no schema yet. */
static int
read_schema_version(struct postgres *p)
{
	static const char exists_sql[] = "SELECT count(*) FROM pg_catalog.pg_tables WHERE tablename = 'schema_version'"
					 " AND schemaname = ANY (current_schemas(false))";
	static const char version_sql[] = "SELECT version FROM schema_version";
	enum db_rc before = p->base.failure;
	int64_t number = 0;

	if (before != DB_DONE)
		return -1;
	enum db_rc rc = db_number(&p->base, &number, exists_sql, NO_ARGS);
	if (rc == DB_ROW && number > 0)
		rc = db_number(&p->base, &number, version_sql, NO_ARGS);
	p->base.failure = before;
	return rc == DB_ROW ? (int)number : -1;
}

static bool
version_fits(struct postgres *p, char *why, size_t room)
{
	int found = read_schema_version(p);

	postgres_release(&p->base);
	p->has_schema = found > 0;
	if (found < 0)
		return text_complain(why, room, "the database cannot be read; the log has the reason%s",
			p->conn ? "" : "; PgBouncer, if there is one, needs pool_mode = session");
	if (found == p->version || !p->version)
		return true;
	if (found == 0)
		return text_complain(why, room, "the database is empty: run `okulctl migrate`");
	return text_complain(why, room, "the database has schema version %d, and this program needs %d: %s", found, p->version,
		found < p->version ? "run `okulctl migrate`" : "install the newer okul that made it");
}

static struct db *
postgres_open(const char *place, enum db_mode mode, int version, char *why, size_t room)
{
	if (!libpq_load(why, room))
		return NULL;
	struct postgres *p = calloc(1, sizeof(*p));
	if (!p)
		return text_complain(why, room, "out of memory"), NULL;
	p->base.engine = p->none.base.engine = &engine_postgres;
	p->none.on = p;
	p->mode = mode;
	p->version = version;
	p->url = strdup(place);
	bool good = p->url && pg_connection_open(p, why, room) && version_fits(p, why, room);
	if (good)
		return &p->base;
	postgres_close(&p->base);
	return NULL;
}

static bool
postgres_alive(struct db *db, int *version)
{
	int found = read_schema_version(postgres_of(db));

	if (found >= 0)
		*version = found;
	return found >= 0;
}

static bool
is_on(const struct postgres *p, const char *name)
{
	const char *value = pq.PQparameterStatus(p->conn, name);

	return value && strcmp(value, "on") == 0;
}

static bool
postgres_writable(struct db *db)
{
	struct postgres *p = postgres_of(db);
	char why[512];

	return p->mode == DB_READ_WRITE && pg_connection_open(p, why, sizeof(why)) && !is_on(p, "in_hot_standby") &&
		!is_on(p, "default_transaction_read_only");
}

/* A transaction that reads the schema version, on a server that accepts writes. */
static bool
probe(struct db *db)
{
	static const char sql[] = "SELECT CAST(NOT pg_is_in_recovery() AS integer)";
	struct postgres *p = postgres_of(db);
	int64_t primary = 0;

	if (db->failure != DB_DONE || postgres_write_begin(db) != DB_DONE) {
		db->failure = DB_DONE;
		return false;
	}
	enum db_rc rc = db_number(db, &primary, sql, NO_ARGS);
	postgres_write_rollback(db);
	bool passed = rc == DB_ROW && primary == 1 && db->failure == DB_DONE && (!p->version || p->found_version == p->version);
	db->failure = DB_DONE;
	return passed;
}

static bool
postgres_try_write(struct db *db)
{
	struct postgres *p = postgres_of(db);

	if (!postgres_writable(db))
		return false;
	if (!p->probed_at || clock_ticks() - p->probed_at >= PROBE_EVERY) {
		p->probe_passed = probe(db);
		p->probed_at = clock_ticks();
	}
	return p->probe_passed;
}

/* The server refuses writes when its disk is full; it keeps no reserve for what deletes. */
static void
postgres_only_deletes(struct db *db, bool only)
{
	(void)db, (void)only;
}

const struct engine engine_postgres = {
	.name = "postgres",
	.sorts_itself = true,
	.version_mark = "INSERT INTO schema_version (version) VALUES (",
	.open = postgres_open,
	.close = postgres_close,
	.query = postgres_query,
	.next = postgres_next,
	.one = postgres_one,
	.run = postgres_run,
	.send = postgres_send,
	.end = postgres_end,
	.columns = column_count,
	.column_name = column_name,
	.is_null = column_is_null,
	.integer = column_integer,
	.real = column_real,
	.text = column_text,
	.blob = column_blob,
	.size = column_size,
	.value = column_value,
	.write_begin = postgres_write_begin,
	.write_alone = postgres_write_alone,
	.write_commit = postgres_write_commit,
	.write_rollback = postgres_write_rollback,
	.flush = postgres_flush,
	.release = postgres_release,
	.timeout = postgres_timeout,
	.alive = postgres_alive,
	.writable = postgres_writable,
	.try_write = postgres_try_write,
	.only_deletes = postgres_only_deletes,
	.create = admin_create,
	.adopt = admin_adopt,
	.set_aside = admin_set_aside,
	.discard = admin_discard,
	.check = admin_check,
	.explain = admin_explain,
	.script = admin_script,
	.shell = admin_shell,
	.check_references = admin_check_references,
	.orphans = admin_orphans,
	.set_version = admin_set_version,
	.load_begin = admin_load_begin,
	.load_row = admin_load_row,
	.load_end = admin_load_end,
	.reserve_keys = admin_reserve_keys,
	.empty = admin_empty,
	.take_job = admin_take_job,
	.review = admin_review,
	.verify = admin_verify,
	.copy = admin_copy,
	.copy_size = admin_copy_size,
	.log_size = admin_log_size,
	.trim = admin_trim,
	.cache = admin_cache,
};
