/* Scripts of an operator or a migration: they run once, so no statement is cached, and no failure sticks. */
#include "engine.h"

#include "text.h"

struct script {
	struct db *db;
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
	struct db *db = script->db;
	enum db_rc rc = script->loose ? transaction_enter(db, WRITE_TIMEOUT) : db_write_begin(db);

	script->entered = rc == DB_DONE;
	return script_report(script, rc);
}

static enum db_rc
script_leave(struct script *script, enum db_rc rc)
{
	struct db *db = script->db;

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
		return script_report(script, db_write_commit(db));
	db_write_rollback(db);
	return rc;
}

/* Runs the first statement of a text; `*rest` gets what follows it. */
static enum db_rc
run_first(struct script *script, struct connection *on, const char *sql, const char **rest)
{
	struct db_rows rows = { .on = on, .sql = sql };
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
				script->row(script->context, &rows, first);
		if (code != SQLITE_DONE)
			rc = script_failed(script, on->sqlite, code);
	}
	sqlite3_finalize(rows.statement);
	return rc;
}

static enum db_rc
run_script(struct script *script, const char *sql)
{
	struct db *db = script->db;
	enum db_rc rc = DB_DONE;

	db->unlimited = true;
	while (rc == DB_DONE && *sql)
		rc = run_first(script, db->writing || script->entered ? &db->write : &db->read, sql, &sql);
	db->unlimited = false;
	return script->entered ? script_leave(script, rc) : rc;
}

enum db_rc
db_script(struct db *db, const char *sql, bool loose, char *why, size_t room)
{
	struct script script = { .db = db, .loose = loose, .why = why, .room = room };
	enum db_rc rc = db->writing ? DB_DONE : script_enter(&script);

	return rc == DB_DONE ? run_script(&script, sql) : rc;
}

enum db_rc
db_shell(struct db *db, const char *sql, bool loose, db_row_call *row, void *context, char *why, size_t room)
{
	struct script script = { .db = db, .loose = loose, .row = row, .context = context, .why = why, .room = room };

	return run_script(&script, sql);
}
