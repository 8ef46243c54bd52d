/* Checks of statements by the build and at a program's start: whether they compile, and whether they scan a table. */
#include "engine.h"

#include "buf.h"
#include "text.h"

static bool
check_one(struct db *db, const char *sql, char *why, size_t room)
{
	sqlite3_stmt *trial = NULL;
	int code = statement_prepare(&db->read, sql, &trial);

	sqlite3_finalize(trial);
	if (code == SQLITE_OK)
		return true;
	if (code == SQLITE_MISUSE)
		return text_complain(why, room, "not exactly one statement: %s", sql);
	return text_complain(why, room, "%s: %s", sqlite3_errmsg(db->read.sqlite), sql);
}

bool
db_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room)
{
	for (size_t i = 0; i < count; i++)
		if (sql[i] && !check_one(db, sql[i], why, room))
			return false;
	return true;
}

/* True when `name` is in a mark of the statement. */
static bool
is_marked(const char *sql, const char *name, size_t length)
{
	static const char mark[] = "/* scans: ";

	while ((sql = strstr(sql, mark))) {
		sql += sizeof(mark) - 1;
		for (size_t n; *sql && strncmp(sql, "*/", 2) != 0; sql += n + strspn(sql + n, " ")) {
			n = strcspn(sql, " ");
			if (n == length && memcmp(sql, name, n) == 0)
				return true;
		}
	}
	return false;
}

/* The name after `word` in a step of a plan; NULL when the step does not begin with `word`. */
static const char *
object_of(const char *detail, const char *word, size_t *length)
{
	size_t skip = strlen(word);

	if (strncmp(detail, word, skip) != 0)
		return NULL;
	*length = strcspn(detail + skip, " ");
	return detail + skip;
}

/* True for a scan of a table that has no mark. `made` collects the subqueries of the plan, as " name ". */
static bool
is_unmarked_scan(const char *sql, const char *detail, struct buf *made)
{
	static const char *const makers[] = { "MATERIALIZE ", "CO-ROUTINE " };
	const char *name;
	size_t length;

	for (size_t i = 0; i < COUNT(makers); i++)
		if ((name = object_of(detail, makers[i], &length)))
			buf_printf(made, " %.*s ", (int)length, name);
	name = object_of(detail, "SCAN ", &length);
	if (!name || name[0] == '(' || strncmp(name, "CONSTANT ROW", 12) == 0 || strstr(detail, " VIRTUAL TABLE "))
		return false;
	char word[256];
	snprintf(word, sizeof(word), " %.*s ", (int)length, name);
	return !(made->length && strstr(made->s, word)) && !is_marked(sql, name, length);
}

static int
explain_one(struct db *db, const char *sql, FILE *out)
{
	struct buf made = { 0 };
	sqlite3_stmt *statement = NULL;
	char *explain = NULL;
	int faults = 0;

	fprintf(out, "%s\n", sql);
	if (asprintf(&explain, "EXPLAIN QUERY PLAN %s", sql) < 0 || statement_prepare(&db->read, explain, &statement) != SQLITE_OK) {
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
db_explain(struct db *db, const char *const *sql, size_t count, FILE *out)
{
	int faults = 0;

	for (size_t i = 0; i < count; i++)
		if (sql[i])
			faults += explain_one(db, sql[i], out);
	return faults;
}
