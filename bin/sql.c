/* okulctl sql - a shell for the database that writes only under the writer lock, which other shells do not know. */
#include "okulctl.h"

#include "user.h"

#include <unistd.h>

static command_call run_sql;

static const struct db_statements statements;

const struct command command_sql = {
	.name = "sql",
	.usage = "[--loose] [SQL]",
	.summary = "run SQL statements on the database, without disturbing it",
	.help = "Runs the statements of the argument, else of standard input, then prints their\n"
		"rows: values separated by tabs, under a line with the names of the columns. In\n"
		"values a tab, newline or backslash is written \\t, \\n, \\\\, other control\n"
		"characters \\x1b or \\u202e, and bytes that are not text x'...'.\n"
		"\n"
		"Statements that only read delay no other program. From the first one that\n"
		"writes, all run in one transaction, which is kept only if every one succeeds.\n"
		"--loose  runs each statement on its own: for those that a transaction refuses\n"
		"\n"
		"To see how many rows a statement changed:\n"
		"    okulctl sql \"DELETE FROM ...; SELECT changes()\"\n",
	.run = run_sql,
	.statements = &statements,
};

enum { UNINDEXED };

static const char *const sql[] = {
	[UNINDEXED] = "SELECT 1 FROM user_reindex LIMIT 1 /* scans: user_reindex */",
};
static const struct db_statements statements = { sql, COUNT(sql) };

static bool
reindex(struct db *db)
{
	enum db_rc rc;
	int tries = 0;

	do {
		rc = db_write_begin(db);
		if (rc != DB_DONE)
			continue;
		user_reindex(db);
		rc = db_write_commit(db);
	} while (ctl_again(db, rc, &tries));
	return rc == DB_DONE;
}

/* No trigger updates the search index after the statements of an operator. */
static void
index_users(struct db *db)
{
	struct db_rows *row;
	int version;

	/* A database of another version may have no such index. */
	if (!db_alive(db, &version) || version != DB_SCHEMA_VERSION)
		return;
	bool any = db_one(db, &row, sql[UNINDEXED], NO_ARGS) == DB_ROW;
	db_release(db);
	if (any && !reindex(db))
		ctl_error(EXIT_FAILURE, "the search for users is not up to date until a user is changed");
}

/*
 * Runs the statements; then prints their rows: the reader of the output may be slow, and must not make others wait
 * for the writer lock.
 */
static int
run_statements(struct db *db, const char *input, bool loose)
{
	char why[1024], *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return ctl_error(EXIT_FAILURE, "out of memory");
	enum db_rc rc = db_shell(db, input, loose, ctl_print_row, out, why, sizeof(why));
	bool printed = !ferror(out);
	printed = fclose(out) == 0 && printed && fwrite(text, 1, length, stdout) == length;
	free(text);
	if (rc == DB_DONE && !printed)
		return ctl_error(EXIT_FAILURE, "the statements ran, but their rows cannot be printed: %m");
	if (rc == DB_DONE) {
		index_users(db);
		return EXIT_SUCCESS;
	}
	return ctl_error(EXIT_DATA, "%s%s%s", why, loose ? "" : "; nothing was changed",
		strstr(why, "within a transaction") ? " (--loose runs it outside of one)" : "");
}

static int
run_sql(int argc, char **argv, const char *data)
{
	bool loose = argc > 1 && strcmp(argv[1], "--loose") == 0;
	int first = loose ? 2 : 1;
	struct buf input = { 0 };
	char why[1024];

	if (argc > first + 1)
		return ctl_error(EXIT_USAGE, "sql takes one argument: put the statements in quotes");
	const struct conf *conf = ctl_conf(data);
	if (!conf)
		return EXIT_CONFIG;
	struct db *db = db_open(conf->database, DB_READ_WRITE, 0, why, sizeof(why));
	if (!db)
		return ctl_error(EXIT_CONFIG, "%s", why);
	db_only_deletes(db, true); /* when the disk is full, an operator deletes rows */
	if (argc == first && isatty(STDIN_FILENO))
		fputs("SQL, then Ctrl-D:\n", stderr);
	int code = argc == first && !ctl_read_file("-", SIZE_MAX, &input)
		? ctl_error(EXIT_DATA, "standard input: %m")
		: run_statements(db, argc > first ? argv[first] : input.s, loose);
	buf_clear(&input);
	db_close(db);
	return code;
}
