/*
 * okulctl sql - a shell for the database that keeps to its rules: it writes only under the writer lock, which the
 * sqlite3 program does not know.
 */
#include "okulctl.h"

#include "user.h"

#include <unistd.h>

static int run_sql(int argc, char **argv, const char *data);

static const struct db_statements statements;

const struct command command_sql = {
	.name = "sql",
	.usage = "[--loose] [SQL]",
	.summary = "run SQL statements on the database, without disturbing it",
	.help = "Runs the statements of the argument, else of standard input, and prints rows separated by tabs under a line\n"
		"with the names of their columns. In values a tab, newline or backslash is written \\t, \\n, \\\\; other control\n"
		"characters \\x1b or \\u202e, so that no name moves the cursor; bytes that are no text are written x'...'.\n"
		"\n"
		"Statements that only read delay no other program. From the first one that writes, all run in one transaction, which is\n"
		"kept only if every one of them works.\n"
		"--loose  each statement on its own: for VACUUM, and others that a transaction refuses\n"
		"\n"
		"How many rows a statement changed: okulctl sql \"DELETE FROM ...; SELECT changes()\"\n",
	.run = run_sql,
	.statements = &statements,
};

enum { UNINDEXED };

static const char *const sql[] = {
	[UNINDEXED] = "SELECT 1 FROM user_reindex LIMIT 1 /* scans: user_reindex */",
};
static const struct db_statements statements = { sql, COUNT(sql) };

/* All of standard input, malloc'd. */
static char *
read_input(void)
{
	char *text = NULL;
	size_t room = 0;

	if (isatty(STDIN_FILENO))
		fputs("SQL, then Ctrl-D:\n", stderr);
	if (getdelim(&text, &room, '\0', stdin) >= 0)
		return text;
	free(text);
	return strdup("");
}

static bool
reindex(struct db *db)
{
	if (db_write_begin(db) != DB_DONE)
		return false;
	user_reindex(db);
	return db_write_commit(db) == DB_DONE;
}

/* The search index is not kept by triggers: after statements of an operator's own it is brought up to date here. */
static void
index_users(struct db *db)
{
	struct db_rows *row;
	int version;

	/* sql works on databases of other versions too, which may have no such index. */
	if (!db_alive(db, &version) || version != DB_SCHEMA_VERSION)
		return;
	bool any = db_one(db, &row, sql[UNINDEXED], NO_ARGS) == DB_ROW;
	db_release(db);
	if (any && !reindex(db))
		ctl_error(EXIT_FAILURE, "the search for users is not up to date until a user is changed");
}

static int
run_sql(int argc, char **argv, const char *data)
{
	bool loose = argc > 1 && strcmp(argv[1], "--loose") == 0;
	int first = loose ? 2 : 1;
	char why[1024];

	if (argc > first + 1)
		return ctl_error(EXIT_USAGE, "sql takes one argument: put the statements in quotes");
	const struct conf *conf = ctl_conf(data);
	if (!conf)
		return EXIT_CONFIG;
	struct db *db = db_open(conf->data, DB_READ_WRITE, 0, why, sizeof(why));
	if (!db)
		return ctl_error(EXIT_CONFIG, "%s", why);
	db_only_deletes(db, true);	/* when the disk is full, an operator deletes rows */
	char *input = argc > first ? strdup(argv[first]) : read_input();
	enum db_rc rc = input ? db_shell(db, input, loose, ctl_print_row, stdout, why, sizeof(why)) : DB_ERROR;
	free(input);
	if (rc == DB_DONE)
		index_users(db);
	db_close(db);
	if (rc == DB_DONE)
		return EXIT_SUCCESS;
	return ctl_error(EXIT_DATA, "%s%s%s", why, loose ? "" : "; nothing was changed",
		strstr(why, "within a transaction") ? " (--loose runs it outside of one)" : "");
}
