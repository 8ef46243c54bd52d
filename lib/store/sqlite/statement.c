/* The statement cache, running statements, and the snapshot that they hold. */
#include "sqlite.h"

#include "clock.h"

static const char begin_sql[] = "BEGIN", commit_sql[] = "COMMIT", version_sql[] = "PRAGMA user_version";

static bool
is_blank_sql(const char *s)
{
	return s[strspn(s, " \t\r\n;")] == '\0';
}

int
statement_prepare(struct connection *on, const char *sql, sqlite3_stmt **statement)
{
	const char *rest;
	int code = sqlite3_prepare_v3(on->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, &rest);

	if (code == SQLITE_OK && (!*statement || !is_blank_sql(rest))) {
		sqlite3_finalize(*statement);
		*statement = NULL;
		return SQLITE_MISUSE;
	}
	return code;
}

/* Returns the cached statement of a text, prepared at its first use. On failure returns NULL and sets `*code`. */
static struct sqlite_rows *
find_statement(struct connection *on, const char *sql, int *code)
{
	struct sqlite_rows *rows = on->cached;
	sqlite3_stmt *statement;

	while (rows && rows->sql != sql)
		rows = rows->next_cached;
	if (rows)
		return rows;
	*code = statement_prepare(on, sql, &statement);
	if (*code != SQLITE_OK)
		return NULL;
	rows = malloc(sizeof(*rows));
	if (!rows) {
		sqlite3_finalize(statement);
		*code = SQLITE_NOMEM;
		return NULL;
	}
	*rows = (struct sqlite_rows){
		.base.engine = &engine_sqlite, .on = on, .sql = sql, .statement = statement, .next_cached = on->cached
	};
	on->cached = rows;
	return rows;
}

static void
stop_statement(struct sqlite_rows *rows)
{
	struct sqlite_rows **at = &rows->on->running;

	sqlite3_reset(rows->statement);
	rows->state = IDLE;
	while (*at && *at != rows)
		at = &(*at)->next;
	if (*at)
		*at = rows->next;
}

void
statement_stop_all(struct connection *on)
{
	while (on->running)
		stop_statement(on->running);
}

/* One step; resets the statement unless there is a row. Returns SQLite's code. */
static int
step_statement(struct sqlite_rows *rows)
{
	int code = sqlite3_step(rows->statement);

	if (code != SQLITE_ROW) {
		stop_statement(rows);
	} else if (rows->state != RUNNING) {
		rows->state = RUNNING;
		rows->next = rows->on->running;
		rows->on->running = rows;
	}
	return code;
}

enum db_rc
statement_run(struct connection *on, const char *sql)
{
	int code;
	struct sqlite_rows *rows = find_statement(on, sql, &code);

	if (rows)
		code = step_statement(rows);
	return code == SQLITE_DONE ? DB_DONE : failure_report(on, code, sql);
}

int
statement_version(struct connection *on)
{
	int code, version = -1;
	struct sqlite_rows *rows = find_statement(on, version_sql, &code);

	if (rows && step_statement(rows) == SQLITE_ROW)
		version = sqlite3_column_int(rows->statement, 0);
	if (rows)
		stop_statement(rows);
	return version;
}

/* ---- the snapshot */

/* True for the only statement that holds the snapshot. */
static bool
is_last_reader(const struct sqlite_rows *rows)
{
	const struct sqlite *db = rows->on->db;

	return rows->on == &db->read && rows->state == RUNNING && !db->snapshot && !db->read.running->next;
}

/*
 * One request sees one snapshot. SQLite keeps it while any read statement runs, so a single lookup needs no BEGIN: its
 * statement stays active until db_release(). Called just before the last active statement is reset, this begins a
 * transaction, which keeps the same snapshot.
 */
static enum db_rc
keep_snapshot(struct sqlite_rows *rows)
{
	struct sqlite *db = rows->on->db;

	if (!is_last_reader(rows))
		return DB_DONE;
	db->snapshot = statement_run(&db->read, begin_sql) == DB_DONE;
	return db->base.failure;
}

void
statement_drop_snapshot(struct sqlite *db)
{
	statement_stop_all(&db->read);
	db->stop_at = 0;
	if (db->snapshot && !sqlite3_get_autocommit(db->read.sqlite))
		statement_run(&db->read, commit_sql);
	db->snapshot = false;
}

void
sqlite_timeout(struct db *base, int64_t milliseconds)
{
	struct sqlite *db = sqlite_of(base);
	db->stop_at = clock_ticks() + milliseconds * 1000;
}

/* ---- running */

static int
bind_value(sqlite3_stmt *statement, int at, const struct value *value)
{
	switch (value->type) {
	case VALUE_NULL: return sqlite3_bind_null(statement, at);
	case VALUE_BOOL: return sqlite3_bind_int(statement, at, value->truth);
	case VALUE_INT: return sqlite3_bind_int64(statement, at, value->integer);
	case VALUE_REAL: return sqlite3_bind_double(statement, at, value->real);
	case VALUE_TEXT: return sqlite3_bind_text64(statement, at, value->bytes, value->length, SQLITE_STATIC, SQLITE_UTF8);
	case VALUE_BLOB:
		/* SQLite binds NULL for a NULL pointer, whatever the length. */
		return sqlite3_bind_blob64(statement, at, value->bytes ? value->bytes : "", value->length, SQLITE_STATIC);
	case VALUE_LIST:
	case VALUE_OBJECT: break;
	}
	return SQLITE_MISUSE;
}

enum db_rc
sqlite_query(struct db *base, struct db_rows **rows, const char *sql, struct args args)
{
	struct sqlite *db = sqlite_of(base);
	struct connection *on = db->base.writing ? &db->write : &db->read;
	int code;

	*rows = &db->none.base;
	if (db->base.failure != DB_DONE)
		return db->base.failure;
	struct sqlite_rows *found = find_statement(on, sql, &code);
	if (!found)
		return failure_report(on, code, sql);
	if (!db->base.writing && !sqlite3_stmt_readonly(found->statement))
		return failure_misuse(db, "writes outside of a write transaction", sql);
	if (found->state == RUNNING) {
		if (keep_snapshot(found) != DB_DONE)
			return db->base.failure;
		stop_statement(found);
	}
	if ((size_t)sqlite3_bind_parameter_count(found->statement) != args.count)
		return failure_misuse(db, "wrong number of arguments", sql);
	for (size_t i = 0; i < args.count; i++) {
		code = bind_value(found->statement, (int)i + 1, &args.values[i]);
		if (code != SQLITE_OK)
			return failure_report(on, code, sql);
	}
	found->state = READY;
	*rows = &found->base;
	return DB_DONE;
}

static enum db_rc
next_row(struct sqlite_rows *rows)
{
	int code = step_statement(rows);

	if (code == SQLITE_ROW)
		return DB_ROW;
	return code == SQLITE_DONE ? DB_DONE : failure_report(rows->on, code, rows->sql);
}

enum db_rc
sqlite_next(struct db_rows *base)
{
	struct sqlite_rows *rows = (struct sqlite_rows *)base;
	struct sqlite *db = rows->on->db;

	if (db->base.failure != DB_DONE)
		return db->base.failure;
	if (rows->state == IDLE)
		return failure_misuse(db, "db_next() after the last row or db_end()", rows->sql);
	if (keep_snapshot(rows) != DB_DONE)
		return db->base.failure;
	return next_row(rows);
}

void
sqlite_end(struct db_rows *base)
{
	struct sqlite_rows *rows = (struct sqlite_rows *)base;

	/* The last reader stays active and holds the snapshot for later statements; db_release() resets it. */
	if (!is_last_reader(rows))
		stop_statement(rows);
}

enum db_rc
sqlite_one(struct db *base, struct db_rows **rows, const char *sql, struct args args)
{
	enum db_rc rc = sqlite_query(base, rows, sql, args);

	return rc == DB_DONE ? next_row((struct sqlite_rows *)*rows) : rc;
}

enum db_rc
sqlite_run(struct db *base, const char *sql, struct args args, int64_t *changed)
{
	struct db_rows *found;
	enum db_rc rc = sqlite_one(base, &found, sql, args);
	const struct sqlite_rows *rows = (struct sqlite_rows *)found;

	if (changed)
		*changed = 0;
	while (rc == DB_ROW)
		rc = sqlite_next(found);
	if (rc == DB_DONE && changed && !sqlite3_stmt_readonly(rows->statement))
		*changed = sqlite3_changes64(rows->on->sqlite);
	return rc;
}
