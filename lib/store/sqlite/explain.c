/* Checks of statements by the build and at a program's start: whether they compile, and whether they scan a table. */
#include "sqlite.h"

#include "buf.h"
#include "text.h"

bool
sqlite_check(struct db *base, const char *const *sql, size_t count, char *why, size_t room)
{
	struct sqlite *db = sqlite_of(base);
	for (size_t i = 0; i < count; i++) {
		sqlite3_stmt *trial = NULL;
		int code = sql[i] ? statement_prepare(&db->read, sql[i], &trial) : SQLITE_OK;

		sqlite3_finalize(trial);
		if (code != SQLITE_OK)
			return text_complain(why, room, "%s: %s",
				code == SQLITE_MISUSE ? "not exactly one statement" : sqlite3_errmsg(db->read.sqlite), sql[i]);
	}
	return true;
}

/* True when a mark of the statement has the name, which is between two spaces. */
static bool
is_marked(const char *sql, const char *name)
{
	while ((sql = strstr(sql, "/* scans: "))) {
		const char *found = strstr(sql, name), *end = strstr(sql, "*/");
		if (found && end && found < end)
			return true;
		sql++;
	}
	return false;
}

/* True for a scan of a table that has no mark. `made` collects the subqueries of the plan, as " name ". */
static bool
is_unmarked_scan(const char *sql, const char *detail, struct buf *made)
{
	char name[256], word[sizeof(name) + 2];

	if (sscanf(detail, "MATERIALIZE %255s", name) == 1 || sscanf(detail, "CO-ROUTINE %255s", name) == 1)
		buf_printf(made, " %s ", name);
	if (sscanf(detail, "SCAN %255s", name) != 1 || name[0] == '(' || strncmp(detail, "SCAN CONSTANT ROW", 17) == 0 ||
		strstr(detail, " VIRTUAL TABLE "))
		return false;
	snprintf(word, sizeof(word), " %s ", name);
	return !(made->length && strstr(made->s, word)) && !is_marked(sql, word);
}

static int
explain_one(struct sqlite *db, const char *sql, FILE *out)
{
	struct buf made = { 0 };
	sqlite3_stmt *statement = NULL;
	char *explain = NULL;
	int faults = 0;

	fprintf(out, "%s\n", sql);
	if (asprintf(&explain, "EXPLAIN QUERY PLAN %s", sql) < 0 ||
		statement_prepare(&db->read, explain, &statement) != SQLITE_OK) {
		fprintf(out, "\tFAILS: %s\n", sqlite3_errmsg(db->read.sqlite));
		free(explain);
		return 1;
	}
	while (sqlite3_step(statement) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(statement, 3);
		bool fault = is_unmarked_scan(sql, detail, &made);
		fprintf(out, "\t%s%s\n", detail, fault ? "  <- FULL SCAN" : "");
		faults += fault;
	}
	sqlite3_finalize(statement);
	buf_clear(&made);
	free(explain);
	return faults;
}

int
sqlite_explain(struct db *base, const char *const *sql, size_t count, FILE *out)
{
	struct sqlite *db = sqlite_of(base);
	int faults = 0;

	for (size_t i = 0; i < count; i++)
		if (sql[i])
			faults += explain_one(db, sql[i], out);
	return faults;
}
