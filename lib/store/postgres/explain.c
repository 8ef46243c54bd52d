/* Checks of statements: whether they compile, and whether they scan a table. */
#include "admin.h"

#include "buf.h"

/* Prepares a text without a name, and without running it. */
static enum db_rc
try_one(struct postgres *p, const char *sql, char *why, size_t room)
{
	char *text = dialect_translate(sql);
	PGresult *result = NULL;

	if (text && !*text) { /* a statement of the other engine alone */
		free(text);
		return DB_DONE;
	}
	bool sent = text && pg_connection_open(p, why, room) && pq.PQsendPrepare(p->conn, "", text, 0, NULL);

	free(text);
	if (!sent)
		return DB_LOST;
	pipeline_expect(p, EXPECT_ROWS);
	enum db_rc rc = pipeline_sync(p);
	if (rc == DB_DONE)
		rc = pipeline_receive(p, EXPECT_ROWS);
	if (rc == DB_DONE)
		rc = pipeline_result(p, &result);
	if (rc == DB_DONE && pq.PQresultStatus(result) != PGRES_COMMAND_OK) {
		const char *message = pq.PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		text_complain(why, room, "%s", message ? message : "no answer from the server");
		rc = DB_ERROR;
	}
	pq.PQclear(result);
	if (p->conn) {
		(void)!pipeline_result(p, &result);
		pipeline_met(p);
		(void)!pipeline_drain(p);
	}
	return rc;
}

bool
admin_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room)
{
	char reason[256] = "the connection to the database was lost";

	for (size_t i = 0; i < count; i++)
		if (sql[i] && try_one(postgres_of(db), sql[i], reason, sizeof(reason)) != DB_DONE)
			return text_complain(why, room, "%s: %s", reason, sql[i]);
	return true;
}

/* True when a mark of the statement has the name. */
static bool
is_marked(const char *sql, const char *name)
{
	char word[128];

	snprintf(word, sizeof(word), " %s ", name);
	while ((sql = strstr(sql, "/* scans: "))) {
		const char *found = strstr(sql, word), *end = strstr(sql, "*/");
		if (found && end && found < end)
			return true;
		sql++;
	}
	return false;
}

struct plan {
	const char *sql;
	FILE *out;
	int faults;
};

static void
print_plan(void *context, const struct db_rows *row, bool first)
{
	struct plan *plan = context;
	const char *line = db_text(row, 0), *scan = strstr(line, "Seq Scan on ");
	char name[64] = "", alias[64] = "";

	(void)first;
	bool fault = scan && sscanf(scan, "Seq Scan on %63s %63s", name, alias) > 0 && !is_marked(plan->sql, name) &&
		!is_marked(plan->sql, alias);
	fprintf(plan->out, "\t%s%s\n", line, fault ? "  <- FULL SCAN" : "");
	plan->faults += fault;
}

/*
 * The plan for any arguments, with sequential scans only where there is no other way: on a new database the planner
 * would read every table whole.
 */
static int
explain_one(struct postgres *p, const char *sql, FILE *out)
{
	struct plan plan = { sql, out, 0 };
	struct buf script = { 0 };
	char why[512] = "out of memory", *text = dialect_translate(sql);
	int most = 0;

	fprintf(out, "%s\n", sql);
	if (text && !*text) {
		free(text);
		return 0;
	}
	for (const char *at = sql; (at = strchr(at, '?')); at++)
		most = (int)strtol(at + 1, NULL, 10) > most ? (int)strtol(at + 1, NULL, 10) : most;
	buf_printf(&script,
		"SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE okul_plan AS %s;"
		"EXPLAIN (COSTS OFF) EXECUTE okul_plan%s",
		text ? text : "", most ? "(NULL" : "");
	for (int i = 1; i < most; i++)
		buf_puts(&script, ", NULL");
	buf_puts(&script, most ? "); DEALLOCATE okul_plan" : "; DEALLOCATE okul_plan");
	if (!text || script.failed || script_run(p, script.s, print_plan, &plan, why, sizeof(why)) != DB_DONE) {
		fprintf(out, "\tFAILS: %s\n", why);
		plan.faults++;
	}
	buf_clear(&script);
	free(text);
	return plan.faults;
}

int
admin_explain(struct db *db, const char *const *sql, size_t count, FILE *out)
{
	int faults = 0;

	for (size_t i = 0; i < count; i++)
		if (sql[i])
			faults += explain_one(postgres_of(db), sql[i], out);
	return faults;
}
