/* The meaning of PostgreSQL's error codes (appendix A of its manual), and the failure that sticks until db_release(). */
#include "postgres.h"

#include "log.h"

enum db_rc
pg_failure_keep(struct postgres *p, enum db_rc rc)
{
	if (p->base.failure == DB_DONE)
		p->base.failure = rc;
	return p->base.failure;
}

enum db_rc
pg_failure_misuse(struct postgres *p, const char *what, const char *sql)
{
	log_line(LOG_FAULT, "db_misused text=\"%s\" sql=\"%s\"", what, sql);
	return pg_failure_keep(p, DB_ERROR);
}

static enum db_rc
meaning_of(const char *state)
{
	/* clang-format off */
	static const struct { const char *state; enum db_rc rc; } meanings[] = {
		{ "23505", DB_TAKEN },		/* unique_violation */
		{ "40001", DB_CONFLICT },	/* serialization_failure */
		{ "40P01", DB_CONFLICT },	/* deadlock_detected */
		{ "57014", DB_SLOW },		/* query_canceled: statement_timeout */
		{ "55P03", DB_BUSY },		/* lock_not_available: lock_timeout */
		{ "57P01", DB_LOST },		/* admin_shutdown */
		{ "57P02", DB_LOST },		/* crash_shutdown */
		{ "57P03", DB_LOST },		/* cannot_connect_now */
		{ "57P05", DB_LOST },		/* idle_session_timeout */
		{ "25P03", DB_LOST },		/* idle_in_transaction_session_timeout */
		{ "25006", DB_LOST },		/* read_only_sql_transaction: no longer the primary */
		{ "26000", DB_CONFLICT },	/* invalid_sql_statement_name: the pooler has another server connection */
		{ "42P05", DB_CONFLICT },	/* duplicate_prepared_statement: the same */
		{ "0A000", DB_CONFLICT },	/* feature_not_supported: cached plan must not change result type */
		{ "53100", DB_FULL },		/* disk_full */
		{ "42501", DB_READONLY },	/* insufficient_privilege */
		/* classes */
		{ "08", DB_LOST },		/* connection exception */
		{ "53", DB_BUSY },		/* insufficient resources */
		{ "22", DB_REFUSED },		/* data exception */
		{ "23", DB_REFUSED },		/* integrity constraint violation */
		{ "40", DB_UNSURE },		/* transaction rollback: statement_completion_unknown */
		{ "58", DB_BROKEN },		/* system error */
		{ "XX", DB_BROKEN },		/* internal error: data_corrupted, index_corrupted */
	};
	/* clang-format on */

	for (size_t i = 0; state && i < COUNT(meanings); i++)
		if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
			return meanings[i].rc;
	return state ? DB_ERROR : DB_LOST;
}

/* True for an error after which the statements that were prepared on this connection are worth nothing. */
static bool
loses_statements(const char *state)
{
	return state && (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0 || strcmp(state, "0A000") == 0);
}

/* clang-format off */
static enum log_level
level_of(enum db_rc rc)
{
	return rc == DB_CONFLICT ? LOG_TRACE : rc == DB_BUSY ? LOG_WARN : LOG_FAULT;
}
/* clang-format on */

enum db_rc
pg_failure_meaning(struct postgres *p, const PGresult *result)
{
	enum db_rc rc = meaning_of(pq.PQresultErrorField(result, PG_DIAG_SQLSTATE));

	if (rc == DB_LOST)
		pg_connection_drop(p);
	return rc;
}

enum db_rc
pg_failure_report(struct postgres *p, const PGresult *result, const char *sql)
{
	const char *state = result ? pq.PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	const char *text = result ? pq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	enum db_rc rc = meaning_of(state);

	/*
	 * A row that was not there for this snapshot may have been added meanwhile: what a handler checks before it
	 * inserts finds it when it runs again. If it is there then too, the caller wants to know.
	 */
	if (rc == DB_TAKEN && p->conflicts > 0)
		return rc;
	if (rc == DB_TAKEN)
		rc = DB_CONFLICT;
	if (!text)
		text = p->conn && pq.PQstatus(p->conn) == CONNECTION_BAD ? pq.PQerrorMessage(p->conn)
									 : "no answer from the server";
	log_line(level_of(rc), "db_failed sqlstate=%s text=\"%.*s\" sql=\"%s\"", state ? state : "-", (int)strcspn(text, "\n"),
		text, sql);
	if (rc == DB_LOST || loses_statements(state))
		pg_connection_drop(p);
	/* A statement that no longer fits the schema most likely follows a migration. */
	if (rc == DB_ERROR && p->version && strncmp(state, "42", 2) == 0)
		rc = DB_OLD;
	return pg_failure_keep(p, rc);
}
