/* Scripts of an operator or a migration: they run once, so no statement is cached, and no failure sticks. */
#include "sqlite.h"

#include "text.h"

struct script {
	struct sqlite *db;
	bool loose;
	bool entered; /* holds the writer lock, which must be released */
	db_row_call *row;
	void *context;
	char *why;
	size_t room;
};

static int
no_transactions(void *context, int action, const char *a, const char *b, const char *c, const char *d)
{
	(void)context, (void)a, (void)b, (void)c, (void)d;
	return action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT ? SQLITE_DENY : SQLITE_OK;
}

static enum db_rc
script_failed(const struct script *script, sqlite3 *sqlite, int code)
{
	text_complain(script->why, script->room, "%s",
		(code & 0xff) == SQLITE_AUTH
			? "BEGIN, COMMIT, ROLLBACK and SAVEPOINT are not allowed here: the statements run in one transaction"
			: sqlite3_errmsg(sqlite));
	return failure_meaning(sqlite, code);
}

static enum db_rc
script_report(const struct script *script, enum db_rc rc)
{
	if (rc != DB_DONE)
		text_complain(script->why, script->room, "%s", db_reason(rc));
	return rc;
}

static enum db_rc
script_enter(struct script *script)
{
	struct sqlite *db = script->db;
	enum db_rc rc = script->loose ? transaction_enter(db, WRITE_TIMEOUT) : sqlite_write_begin(&db->base);

	script->entered = rc == DB_DONE;
	return script_report(script, rc);
}

static enum db_rc
script_leave(struct script *script, enum db_rc rc)
{
	struct sqlite *db = script->db;

	if (script->loose) {
		if (!sqlite3_get_autocommit(db->write.sqlite)) {
			sqlite3_exec(db->write.sqlite, "ROLLBACK", NULL, NULL, NULL);
			text_complain(script->why, script->room, "a transaction was left open, and was rolled back");
			rc = DB_ERROR;
		}
		enum db_rc flushed = transaction_flush(db);
		writer_lock_release(&db->lock);
		return rc == DB_DONE ? script_report(script, flushed) : rc;
	}
	if (rc == DB_DONE)
		return script_report(script, db_write_commit(&db->base));
	db_write_rollback(&db->base);
	return rc;
}

/* Runs the first statement of a text; `*rest` gets what follows it. */
static enum db_rc
run_first(struct script *script, struct connection *on, const char *sql, const char **rest)
{
	struct sqlite_rows rows = { .base.engine = &engine_sqlite, .on = on, .sql = sql };
	enum db_rc rc = DB_DONE;
	bool first = true;
	int code;

	if (!script->loose)
		sqlite3_set_authorizer(on->sqlite, no_transactions, NULL);
	code = sqlite3_prepare_v2(on->sqlite, sql, -1, &rows.statement, rest);
	sqlite3_set_authorizer(on->sqlite, NULL, NULL);
	if (code != SQLITE_OK)
		return script_failed(script, on->sqlite, code);
	if (rows.statement && on == &script->db->read && !sqlite3_stmt_readonly(rows.statement)) {
		rc = script_enter(script);
		*rest = sql; /* again, on the write connection */
	} else if (rows.statement) {
		for (; (code = sqlite3_step(rows.statement)) == SQLITE_ROW; first = false)
			if (script->row)
				script->row(script->context, &rows.base, first);
		if (code != SQLITE_DONE)
			rc = script_failed(script, on->sqlite, code);
	}
	sqlite3_finalize(rows.statement);
	return rc;
}

static enum db_rc
run_script(struct script *script, const char *sql)
{
	struct sqlite *db = script->db;
	enum db_rc rc = DB_DONE;

	db->unlimited = true;
	while (rc == DB_DONE && *sql)
		rc = run_first(script, db->base.writing || script->entered ? &db->write : &db->read, sql, &sql);
	db->unlimited = false;
	return script->entered ? script_leave(script, rc) : rc;
}

enum db_rc
sqlite_script(struct db *base, const char *sql, bool loose, char *why, size_t room)
{
	struct sqlite *db = sqlite_of(base);
	struct script script = { .db = db, .loose = loose, .why = why, .room = room };
	enum db_rc rc = db->base.writing ? DB_DONE : script_enter(&script);

	return rc == DB_DONE ? run_script(&script, sql) : rc;
}

enum db_rc
sqlite_shell(struct db *base, const char *sql, bool loose, db_row_call *row, void *context, char *why, size_t room)
{
	struct sqlite *db = sqlite_of(base);
	struct script script = { .db = db, .loose = loose, .row = row, .context = context, .why = why, .room = room };

	return run_script(&script, sql);
}
