/* The statements of a connection, and their rows. */
#include "postgres.h"

#include "log.h"

#define DISCARD_MOST 1000 /* rows that are read to throw them away; beyond that the connection is closed instead */

static struct postgres_rows *
find_statement(struct postgres *p, const char *sql)
{
	struct postgres_rows *rows = p->cached;

	while (rows && rows->sql != sql)
		rows = rows->next_cached;
	if (rows)
		return rows;
	rows = calloc(1, sizeof(*rows));
	if (!rows)
		return NULL;
	*rows = (struct postgres_rows){ .base.engine = p->base.engine, .on = p, .sql = sql, .next_cached = p->cached };
	p->cached = rows;
	return rows;
}

/* Frees the rows that were read. */
static void
clear_rows(struct postgres_rows *rows)
{
	column_forget_texts(rows);
	pq.PQclear(rows->result);
	rows->result = NULL;
	for (struct result_list *next; rows->kept; rows->kept = next) {
		next = rows->kept->next;
		pq.PQclear(rows->kept->result);
		free(rows->kept);
	}
	rows->last = &rows->kept;
	rows->bound = false;
}

/* ---- reading */

static int64_t
count_changed(PGresult *result)
{
	return strncmp(pq.PQcmdStatus(result), "SELECT", 6) == 0 ? 0 : strtoll(pq.PQcmdTuples(result), NULL, 10);
}

/* Behind the last result: reads what is left of what was sent. */
static enum db_rc
finish(struct postgres *p, enum db_rc rc)
{
	PGresult *end;

	p->streaming = NULL;
	if (!p->conn)
		return rc;
	enum db_rc rest = pipeline_result(p, &end);
	if (rest == DB_DONE) {
		pipeline_met(p);
		rest = pipeline_drain(p);
	}
	return rc == DB_DONE ? rest : rc;
}

/* The next result of the statement that the server is sending; NULL behind the last that has rows. */
static enum db_rc
fetch(struct postgres_rows *rows, PGresult **result)
{
	struct postgres *p = rows->on;
	enum db_rc rc = pipeline_result(p, result);

	if (rc != DB_DONE)
		return rc;
	switch (pq.PQresultStatus(*result)) {
	case PGRES_SINGLE_TUPLE: return DB_DONE;
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
		rows->changed = count_changed(*result);
		if (pq.PQntuples(*result) > 0)
			return finish(p, DB_DONE);
		break;
	default: rc = pg_failure_report(p, *result, rows->sql);
	}
	pq.PQclear(*result);
	*result = NULL;
	return finish(p, rc);
}

enum db_rc
pg_statement_settle(struct postgres *p)
{
	enum db_rc rc = DB_DONE;

	while (rc == DB_DONE && p->streaming) {
		struct postgres_rows *rows = p->streaming;
		struct result_list *link = malloc(sizeof(*link));
		if (!link)
			return pg_failure_keep(p, DB_BROKEN);
		*link = (struct result_list){ 0 };
		*rows->last = link;
		rows->last = &link->next;
		rc = fetch(rows, &link->result);
	}
	return rc;
}

static void
discard(struct postgres *p)
{
	PGresult *result;

	for (int i = 0; p->streaming && i < DISCARD_MOST; i++) {
		if (fetch(p->streaming, &result) != DB_DONE)
			break;
		pq.PQclear(result);
	}
	if (p->streaming)
		pg_connection_drop(p);
}

void
pg_statement_stop_all(struct postgres *p)
{
	enum db_rc before = p->base.failure;

	discard(p);
	p->base.failure = before;
	for (struct postgres_rows *rows = p->cached; rows; rows = rows->next_cached)
		clear_rows(rows);
}

/* ---- sending */

/* Prepares a statement on this connection, and asks for the types of its parameters. */
static enum db_rc
prepare(struct postgres *p, struct postgres_rows *rows)
{
	char *text = dialect_translate(rows->sql);
	PGresult *result;

	rows->empty = text && !*text;
	if (rows->empty) {
		free(text);
		return DB_DONE;
	}
	snprintf(rows->name, sizeof(rows->name), "s%u", ++p->names);
	bool sent = text && pq.PQsendPrepare(p->conn, rows->name, text, 0, NULL);
	free(text);
	if (!sent)
		return pg_failure_report(p, NULL, rows->sql);
	pipeline_expect(p, EXPECT_COMMAND);
	if (!pq.PQsendDescribePrepared(p->conn, rows->name))
		return pg_failure_report(p, NULL, rows->sql);
	pipeline_expect(p, EXPECT_DESCRIPTION);
	enum db_rc rc = pipeline_sync(p);
	if (rc == DB_DONE)
		rc = pipeline_receive(p, EXPECT_DESCRIPTION);
	if (rc != DB_DONE || (rc = pipeline_result(p, &result)) != DB_DONE)
		return rc;
	rows->count = pq.PQnparams(result);
	Oid *types = realloc(rows->types, ((size_t)rows->count + 1) * sizeof(*types));
	if (types)
		rows->types = types;
	for (int i = 0; types && i < rows->count; i++)
		types[i] = pq.PQparamtype(result, i);
	pq.PQclear(result);
	rc = finish(p, types ? DB_DONE : pg_failure_keep(p, DB_BROKEN));
	if (rc == DB_DONE)
		rows->generation = p->generation;
	return rc;
}

static enum db_rc
send_statement(struct postgres *p, struct postgres_rows *rows, const struct args *args, enum expected what)
{
	struct parameters parameters;
	enum db_rc rc;

	if ((size_t)rows->count != args->count || args->count > PARAMETERS_MAX)
		return pg_failure_misuse(p, "wrong number of arguments", rows->sql);
	if (!parameter_fill(&parameters, args, rows->types))
		return pg_failure_misuse(p, "an argument of a wrong type", rows->sql);
	rc = pg_transaction_due(p);
	if (rc != DB_DONE)
		return rc;
	if (!pq.PQsendQueryPrepared(
		    p->conn, rows->name, rows->count, parameters.values, parameters.lengths, parameters.formats, 1))
		return pg_failure_report(p, NULL, rows->sql);
	pipeline_expect(p, what);
	return what == EXPECT_ROWS ? pipeline_sync(p) : DB_DONE;
}

/* Sends a statement and reads its first result. */
static enum db_rc
execute_once(struct postgres *p, struct postgres_rows *rows, const struct args *args, bool stream)
{
	enum db_rc rc = pg_connection_need(p);

	if (rc == DB_DONE)
		rc = pg_statement_settle(p);
	if (rc == DB_DONE && rows->generation != p->generation)
		rc = prepare(p, rows);
	if (rc == DB_DONE && rows->empty)
		return DB_DONE;
	if (rc == DB_DONE)
		rc = send_statement(p, rows, args, EXPECT_ROWS);
	if (rc == DB_DONE)
		rc = pipeline_receive(p, EXPECT_ROWS);
	if (rc != DB_DONE)
		return rc;
	if (p->block == WRITE_BLOCK && p->version && p->found_version != p->version)
		return pg_failure_keep(p, DB_OLD);
	if (stream)
		pq.PQsetSingleRowMode(p->conn);
	p->streaming = rows;
	rows->row = -1;
	rows->bound = true;
	return fetch(rows, &rows->result);
}

/* The same; when a connection proves lost before anything has happened on it, over another one. */
static enum db_rc
execute(struct db *db, struct db_rows **out, const char *sql, struct args args, bool stream)
{
	struct postgres *p = postgres_of(db);
	enum db_rc rc = DB_LOST;

	*out = &p->none.base;
	if (db->failure != DB_DONE)
		return db->failure;
	struct postgres_rows *rows = find_statement(p, sql);
	if (!rows)
		return pg_failure_keep(p, DB_BROKEN);
	if (p->streaming == rows)
		discard(p);
	clear_rows(rows);
	for (int tries = 0; rc == DB_LOST && tries < 2; tries++) {
		bool is_old = p->conn != NULL;
		bool is_first = !p->begun;
		rc = execute_once(p, rows, &args, stream);
		if (rc != DB_LOST || !is_old || !is_first)
			break;
		db->failure = DB_DONE;
		p->begun = false;
	}
	if (rc != DB_DONE) {
		pg_failure_keep(p, rc == DB_TAKEN ? DB_DONE : rc);
		clear_rows(rows);
		return rc;
	}
	*out = &rows->base;
	return DB_DONE;
}

/* ---- the interface */

enum db_rc
postgres_query(struct db *db, struct db_rows **rows, const char *sql, struct args args)
{
	return execute(db, rows, sql, args, true);
}

/* The next result that has rows, of those that were read meanwhile, or from the server. */
static enum db_rc
next_result(struct postgres_rows *rows)
{
	struct result_list *link = rows->kept;

	pq.PQclear(rows->result);
	rows->result = NULL;
	rows->row = -1;
	if (link) {
		rows->result = link->result;
		rows->kept = link->next;
		if (!link->next)
			rows->last = &rows->kept;
		free(link);
	} else if (rows->on->streaming == rows) {
		return fetch(rows, &rows->result);
	}
	return DB_DONE;
}

enum db_rc
postgres_next(struct db_rows *base)
{
	struct postgres_rows *rows = (struct postgres_rows *)base;
	struct db *db = &rows->on->base;
	enum db_rc rc = DB_DONE;

	if (db->failure != DB_DONE)
		return db->failure;
	if (!rows->bound)
		return pg_failure_misuse(rows->on, "db_next() after the last row or db_end()", rows->sql);
	column_forget_texts(rows);
	if (rows->result && ++rows->row < pq.PQntuples(rows->result))
		return DB_ROW;
	if (rows->result)
		rc = next_result(rows);
	if (rc == DB_DONE && rows->result) {
		rows->row = 0;
		return DB_ROW;
	}
	clear_rows(rows);
	return rc;
}

void
postgres_end(struct db_rows *base)
{
	struct postgres_rows *rows = (struct postgres_rows *)base;

	if (rows->on->streaming == rows)
		discard(rows->on);
	clear_rows(rows);
}

enum db_rc
postgres_one(struct db *db, struct db_rows **rows, const char *sql, struct args args)
{
	enum db_rc rc = postgres_query(db, rows, sql, args);

	return rc == DB_DONE ? postgres_next(*rows) : rc;
}

enum db_rc
postgres_run(struct db *db, const char *sql, struct args args, int64_t *changed)
{
	struct db_rows *rows;
	enum db_rc rc = execute(db, &rows, sql, args, false);

	if (changed)
		*changed = rc == DB_DONE ? ((struct postgres_rows *)rows)->changed : 0;
	if (rc == DB_DONE)
		clear_rows((struct postgres_rows *)rows);
	return rc;
}

/*
 * Waits for the first statement of a transaction, which may find that the connection is lost or the schema another one, for
 * one that is not prepared yet, and where many are on their way. A failure before the next sync skips what was sent behind it.
 */
void
postgres_send(struct db *db, const char *sql, struct args args)
{
	struct postgres *p = postgres_of(db);
	struct postgres_rows *rows = find_statement(p, sql);

	if (!rows || p->block != WRITE_BLOCK || rows->empty || rows->generation != p->generation || p->pending >= SENT_MAX) {
		if (postgres_run(db, sql, args, NULL) == DB_TAKEN)
			pg_failure_keep(p, DB_CONFLICT);
		return;
	}
	if (db->failure != DB_DONE || pg_statement_settle(p) != DB_DONE)
		return;
	clear_rows(rows);
	if (send_statement(p, rows, &args, EXPECT_SENT) != DB_DONE)
		return;
	p->sent[(p->first + p->pending - 1) % EXPECTED_MAX] = rows->sql;
	p->unsynced = true;
}
