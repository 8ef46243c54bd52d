/* Scripts of an operator or a migration: they run once, so no statement is prepared, and no failure sticks. */
#include "admin.h"

#include "encode.h"
#include "oid.h"

struct script {
	struct postgres *p;
	db_row_call *row;
	void *context;
	char *why;
	size_t room;
};

static enum db_rc
script_failed(const struct script *script, const PGresult *result, enum db_rc rc)
{
	const char *text = result ? pq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	const char *hint = result ? pq.PQresultErrorField(result, PG_DIAG_MESSAGE_HINT) : NULL;

	text_complain(script->why, script->room, "%s%s%s%s", text ? text : db_reason(rc), hint ? " (" : "", hint ? hint : "",
		hint ? ")" : "");
	return rc;
}

/* Bytes, which come as hexadecimal text, as what they are. */
static void
decode_bytes(PGresult *result, int row)
{
	for (int i = 0; i < pq.PQnfields(result); i++) {
		const char *text = pq.PQgetvalue(result, row, i);
		size_t size = (size_t)pq.PQgetlength(result, row, i) / 2;
		char *bytes = pq.PQftype(result, i) == OID_BYTEA && size > 0 ? malloc(size) : NULL;

		if (bytes && strncmp(text, "\\x", 2) == 0 && decode_hex(bytes, size - 1, text + 2))
			(void)!pq.PQsetvalue(result, row, i, bytes, (int)size - 1);
		free(bytes);
	}
}

/* Calls `row` for the rows of one result; they come one by one. */
static bool
pass_rows(const struct script *script, PGresult *result, bool *first)
{
	struct postgres_rows rows = { .base.engine = &engine_postgres, .on = script->p, .result = result };

	for (; script->row && rows.row < pq.PQntuples(result); rows.row++, *first = false) {
		decode_bytes(result, rows.row);
		script->row(script->context, &rows.base, *first);
	}
	column_forget_texts(&rows);
	return pq.PQresultStatus(result) == PGRES_SINGLE_TUPLE;
}

/* Reads all results of the text that was sent. */
static enum db_rc
read_results(const struct script *script)
{
	struct postgres *p = script->p;
	enum db_rc rc = DB_DONE, next;
	bool first = true;
	PGresult *result;

	while ((next = pipeline_result(p, &result)) == DB_DONE && result) {
		ExecStatusType status = pq.PQresultStatus(result);
		if (status == PGRES_SINGLE_TUPLE || status == PGRES_TUPLES_OK)
			first = !pass_rows(script, result, &first); /* TUPLES_OK ends a statement */
		else if (status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY && rc == DB_DONE)
			rc = script_failed(script, result, pg_failure_meaning(p, result));
		pq.PQclear(result);
	}
	return rc == DB_DONE && next != DB_DONE ? script_failed(script, NULL, next) : rc;
}

enum db_rc
script_run(struct postgres *p, const char *sql, db_row_call *row, void *context, char *why, size_t room)
{
	const struct script script = { p, row, context, why, room };
	enum db_rc before = p->base.failure, rc;

	if (!pg_connection_open(p, why, room))
		return DB_LOST;
	rc = pg_statement_settle(p);
	if (rc == DB_DONE)
		rc = pipeline_drain(p);
	if (rc != DB_DONE || !pq.PQexitPipelineMode(p->conn))
		return script_failed(&script, NULL, rc == DB_DONE ? DB_ERROR : rc);
	p->patience = 0;
	rc = DB_LOST;
	if (pq.PQsendQuery(p->conn, sql)) {
		pq.PQsetSingleRowMode(p->conn);
		rc = read_results(&script);
	}
	p->patience = STATEMENT_TIMEOUT + ANSWER_TIMEOUT;
	if (p->conn && !pq.PQenterPipelineMode(p->conn))
		pg_connection_drop(p);
	p->base.failure = before;
	return rc;
}

/* Inside the transaction that is open, without the limit of its statements. */
static enum db_rc
run_inside(struct postgres *p, const char *sql, db_row_call *row, void *context, char *why, size_t room)
{
	char whole[64] = "SET LOCAL statement_timeout = 0";
	enum db_rc rc = pg_transaction_due(p);

	if (rc == DB_DONE)
		rc = pipeline_sync(p);
	if (rc == DB_DONE)
		rc = pipeline_drain(p);
	if (rc == DB_DONE)
		rc = script_run(p, whole, NULL, NULL, why, room);
	if (rc == DB_DONE)
		rc = script_run(p, sql, row, context, why, room);
	if (rc == DB_DONE && pq.PQtransactionStatus(p->conn) != PQTRANS_INTRANS) {
		p->block = NO_BLOCK;
		text_complain(why, room, "COMMIT and ROLLBACK are not allowed here: the statements run in one transaction");
		rc = DB_ERROR;
	}
	return rc;
}

enum db_rc
admin_shell(struct db *db, const char *sql, bool loose, db_row_call *row, void *context, char *why, size_t room)
{
	struct postgres *p = postgres_of(db);
	enum db_rc rc;

	if (db->writing)
		return run_inside(p, sql, row, context, why, room);
	if (loose) {
		pg_transaction_drop_snapshot(p);
		return script_run(p, sql, row, context, why, room);
	}
	rc = db_write_begin(db);
	if (rc != DB_DONE)
		return text_complain(why, room, "%s", db_reason(rc)), rc;
	rc = run_inside(p, sql, row, context, why, room);
	if (rc != DB_DONE) {
		db_write_rollback(db);
		return rc;
	}
	rc = db_write_commit(db);
	if (rc != DB_DONE)
		text_complain(why, room, "%s", db_reason(rc));
	return rc;
}

enum db_rc
admin_script(struct db *db, const char *sql, bool loose, char *why, size_t room)
{
	return admin_shell(db, sql, loose, NULL, NULL, why, room);
}
