/* What was sent to the server, and its results in the same order. */
#include "postgres.h"

#include <poll.h>

void
pipeline_expect(struct postgres *p, enum expected what)
{
	p->expected[(p->first + p->pending) % EXPECTED_MAX] = what;
	p->pending++;
}

void
pipeline_met(struct postgres *p)
{
	p->first = (p->first + 1) % EXPECTED_MAX;
	p->pending--;
}

enum db_rc
pipeline_send_command(struct postgres *p, const char *sql)
{
	if (!pq.PQsendQueryParams(p->conn, sql, 0, NULL, NULL, NULL, NULL, 1))
		return pg_failure_report(p, NULL, sql);
	pipeline_expect(p, EXPECT_COMMAND);
	return DB_DONE;
}

enum db_rc
pipeline_sync(struct postgres *p)
{
	if (!pq.PQpipelineSync(p->conn))
		return pg_failure_report(p, NULL, "");
	pipeline_expect(p, EXPECT_SYNC);
	p->unsynced = false;
	return DB_DONE;
}

/* Waits until a result can be read, or for p->patience; returns false when the connection is lost. */
static bool
await_result(struct postgres *p)
{
	int64_t until = clock_ticks() + p->patience * MILLISECONDS;

	while (pq.PQisBusy(p->conn)) {
		int unsent = pq.PQflush(p->conn);
		struct pollfd fd = { .fd = pq.PQsocket(p->conn), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0)) };
		int64_t left = (until - clock_ticks()) / MILLISECONDS;

		if (unsent < 0 || (p->patience && left <= 0))
			return false;
		if (poll(&fd, 1, p->patience ? (int)left : -1) > 0 && !pq.PQconsumeInput(p->conn))
			return false;
	}
	return true;
}

enum db_rc
pipeline_result(struct postgres *p, PGresult **result)
{
	*result = NULL;
	if (!p->conn || !await_result(p))
		return pg_failure_report(p, NULL, "");
	*result = pq.PQgetResult(p->conn);
	return DB_DONE;
}

static void
read_version(struct postgres *p, const PGresult *result)
{
	if (pq.PQresultStatus(result) == PGRES_TUPLES_OK && pq.PQntuples(result) == 1)
		p->found_version = (int)strtol(pq.PQgetvalue(result, 0, 0), NULL, 10);
}

/* Reads the results of one that was sent, up to and including the NULL that ends them. */
static enum db_rc
skip_results(struct postgres *p, enum expected what)
{
	enum db_rc rc, first = DB_DONE;
	PGresult *result;

	while ((rc = pipeline_result(p, &result)) == DB_DONE && result) {
		ExecStatusType status = pq.PQresultStatus(result);
		/* What follows a failure up to the next sync is not run; the failure itself was reported. */
		if (status == PGRES_FATAL_ERROR && first == DB_DONE)
			first = pg_failure_report(p, result, what == EXPECT_SENT ? p->sent[p->first] : "");
		else if (what == EXPECT_VERSION)
			read_version(p, result);
		if (first == DB_TAKEN && what == EXPECT_SENT)
			first = pg_failure_keep(p, DB_CONFLICT); /* its caller has gone on */
		pq.PQclear(result);
		if (status == PGRES_PIPELINE_SYNC)
			break; /* no NULL follows */
	}
	return rc == DB_DONE ? first : rc;
}

enum db_rc
pipeline_receive(struct postgres *p, enum expected what)
{
	enum db_rc rc = DB_DONE, next;

	while (p->pending > 0 && p->expected[p->first] != what) {
		next = skip_results(p, p->expected[p->first]);
		if (!p->conn)
			return DB_LOST;
		pipeline_met(p);
		if (rc == DB_DONE)
			rc = next;
	}
	return rc;
}

enum db_rc
pipeline_drain(struct postgres *p)
{
	enum db_rc rc = DB_DONE, next;

	while (p->pending > 0) {
		next = skip_results(p, p->expected[p->first]);
		if (!p->conn)
			return DB_LOST;
		pipeline_met(p);
		if (rc == DB_DONE)
			rc = next;
	}
	return rc;
}
