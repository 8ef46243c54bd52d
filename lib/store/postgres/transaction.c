/* Snapshots and write transactions. */
#include "postgres.h"

#include "guard.h"
#include "log.h"

/*
 * Writers share a lock, so that one whom others have prevented several times can have it alone: with nobody beside it,
 * it is not prevented again. LOCK takes no snapshot (chapter LOCK of the manual): a transaction that has waited sees all
 * that happened meanwhile. On table instance, which programs may write: LOCK needs that right.
 */
static const char share_sql[] = "LOCK TABLE instance IN ROW SHARE MODE";
static const char alone_sql[] = "LOCK TABLE instance IN EXCLUSIVE MODE";
static const char version_sql[] = "SELECT CAST(version AS text) FROM schema_version";

static enum db_rc
send_frame(struct postgres *p, const char *name, enum expected what)
{
	if (!pq.PQsendQueryPrepared(p->conn, name, 0, NULL, NULL, NULL, 0))
		return pg_failure_report(p, NULL, name);
	pipeline_expect(p, what);
	return DB_DONE;
}

static enum db_rc
send_limit(struct postgres *p)
{
	char sql[160];

	snprintf(sql, sizeof(sql),
		"SELECT set_config('statement_timeout', '%lld', true),"
		" set_config('idle_in_transaction_session_timeout', '%lld', true)",
		(long long)p->limit, (long long)p->limit + 60000);
	p->limit_sent = true;
	return pipeline_send_command(p, sql);
}

static enum db_rc
send_lock(struct postgres *p)
{
	enum db_rc rc = pipeline_send_command(p, p->alone ? alone_sql : share_sql);

	/* A worker that was started before a migration must not write to the new schema. */
	if (rc == DB_DONE && p->version) {
		rc = pipeline_send_command(p, version_sql);
		p->expected[(p->first + p->pending - 1) % EXPECTED_MAX] = EXPECT_VERSION;
	}
	return rc;
}

enum db_rc
pg_transaction_due(struct postgres *p)
{
	enum db_rc rc = DB_DONE;

	if (p->block == NO_BLOCK) {
		p->block = p->base.writing ? WRITE_BLOCK : READ_BLOCK;
		p->begun = true;
		rc = send_frame(p, p->base.writing ? "okul_write" : "okul_read", EXPECT_COMMAND);
		if (rc == DB_DONE && p->base.writing && p->has_schema)
			rc = send_lock(p);
	}
	if (rc == DB_DONE && p->limit && !p->limit_sent)
		rc = send_limit(p);
	return rc;
}

/* The end of a transaction is not among what the server skips after a failure of db_send(). */
static enum db_rc
sync_sent(struct postgres *p)
{
	return p->unsynced ? pipeline_sync(p) : DB_DONE;
}

/* Sends the end of a block, whose result is read before the next one. */
static void
end_block(struct postgres *p, const char *name)
{
	pg_statement_stop_all(p);
	p->limit = 0;
	p->limit_sent = p->begun = false;
	p->patience = STATEMENT_TIMEOUT + ANSWER_TIMEOUT;
	if (p->block != NO_BLOCK && p->conn && sync_sent(p) == DB_DONE && send_frame(p, name, EXPECT_COMMAND) == DB_DONE)
		(void)!pipeline_sync(p);
	p->block = NO_BLOCK;
}

void
pg_transaction_drop_snapshot(struct postgres *p)
{
	if (!p->base.writing)
		end_block(p, "okul_commit");
}

void
postgres_timeout(struct db *db, int64_t milliseconds)
{
	struct postgres *p = postgres_of(db);

	p->limit = milliseconds;
	p->limit_sent = false;
	p->patience = milliseconds + ANSWER_TIMEOUT;
}

static enum db_rc
write_begin(struct db *db, bool alone)
{
	struct postgres *p = postgres_of(db);

	if (db->writing)
		return pg_failure_misuse(p, "a nested write transaction", "");
	pg_transaction_drop_snapshot(p);
	if (db->failure != DB_DONE)
		return db->failure;
	if (p->mode == DB_READ_ONLY)
		return pg_failure_misuse(p, "a write to a read-only database", "");
	enum db_rc rc = pg_connection_need(p);
	if (rc != DB_DONE)
		return rc;
	p->alone = alone;
	db->writing = true;
	guard_transaction(true);
	return DB_DONE;
}

enum db_rc
postgres_write_begin(struct db *db)
{
	return write_begin(db, postgres_of(db)->conflicts >= ALONE_AFTER);
}

enum db_rc
postgres_write_alone(struct db *db)
{
	return write_begin(db, true);
}

/* What became of a COMMIT. When its result does not come, or the server warns, nobody knows whether it lasts. */
static enum db_rc
commit_outcome(struct postgres *p)
{
	PGresult *result = NULL;
	enum db_rc rc = pipeline_receive(p, EXPECT_ROWS);

	if (rc != DB_DONE && p->conn)
		return (void)!pipeline_drain(p), rc; /* a statement of db_send() failed, so COMMIT was a ROLLBACK */
	p->warned = false;
	if (rc == DB_DONE)
		rc = pipeline_result(p, &result);
	if (rc == DB_DONE && pq.PQresultStatus(result) != PGRES_COMMAND_OK)
		rc = pg_failure_report(p, result, "COMMIT");
	else if (rc == DB_DONE && strcmp(pq.PQcmdStatus((PGresult *)result), "COMMIT") != 0)
		rc = pg_failure_misuse(p, "a commit after a failed statement", "COMMIT");
	pq.PQclear(result);
	if (p->conn) {
		(void)!pipeline_result(p, &result); /* the NULL that ends it */
		pipeline_met(p);
		(void)!pipeline_drain(p);
	}
	if (rc != DB_LOST && rc != DB_UNSURE && !p->warned)
		return rc;
	log_line(LOG_FAULT, "commit_unsure text=\"the transaction of this request may have happened or not\"");
	p->base.failure = DB_UNSURE;
	return DB_UNSURE;
}

enum db_rc
postgres_write_commit(struct db *db)
{
	struct postgres *p = postgres_of(db);
	enum db_rc rc = db->failure;

	if (rc != DB_DONE || p->block != WRITE_BLOCK) {
		postgres_write_rollback(db);
		return rc;
	}
	pg_statement_stop_all(p);
	rc = sync_sent(p);
	if (rc == DB_DONE)
		rc = send_frame(p, "okul_commit", EXPECT_ROWS);
	if (rc == DB_DONE)
		rc = pipeline_sync(p);
	if (rc == DB_DONE)
		rc = commit_outcome(p);
	p->block = NO_BLOCK;
	if (rc == DB_DONE)
		p->conflicts = 0;
	postgres_write_rollback(db);
	return rc;
}

void
postgres_write_rollback(struct db *db)
{
	struct postgres *p = postgres_of(db);

	if (!db->writing)
		return;
	p->conflicts = db->failure == DB_CONFLICT ? p->conflicts + 1 : 0;
	end_block(p, "okul_rollback");
	db->writing = false;
	db->last = NULL;
	guard_transaction(false);
}

/* Nobody sees a transaction of PostgreSQL before it is on the disk. */
enum db_rc
postgres_flush(struct db *db)
{
	return db->writing ? db->failure : pg_failure_misuse(postgres_of(db), "db_flush() outside of a write transaction", "");
}

void
postgres_release(struct db *db)
{
	pg_transaction_drop_snapshot(postgres_of(db));
	db->failure = DB_DONE;
}
