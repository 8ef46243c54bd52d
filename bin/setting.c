/* okulctl setting - the settings of the web site, for an operator, with all earlier values. */
#include "okulctl.h"
#include "sql.h"

#include "setting.h"
#include "clock.h"
#include "json.h"
#include "text.h"
#include "utf8.h"

#include <getopt.h>
#include <unistd.h>

static command_call run_setting_list, run_setting_get, run_setting_set, run_setting_history;

static const struct db_statements statements;

const struct command command_setting_list = {
	.name = "setting list",
	.usage = "",
	.summary = "list the settings of the web site by their keys",
	.help = "One line a setting, separated by tabs, under a line of headings; long values are\n"
		"cut. Times are UTC. The API serves these settings as /settings/KEY. Those of\n"
		"okul itself are in okul.conf: `okulctl check --settings`.\n",
	.run = run_setting_list,
	.statements = &statements,
};

const struct command command_setting_get = {
	.name = "setting get",
	.usage = "KEY [--version N]",
	.summary = "print the value of a setting as it was stored",
	.help = "--version N  an earlier value, by its number in `okulctl setting history KEY`.\n"
		"To restore one:\n"
		"    okulctl setting get KEY --version 3 | okulctl setting set KEY -\n",
	.run = run_setting_get,
};

const struct command command_setting_set = {
	.name = "setting set",
	.usage = "KEY JSON|@FILE|- [OPTION...]",
	.summary = "set the value of a setting, from the next request on",
	.help = "The value is JSON of up to 64 KiB: an argument, a file, or (-) standard input.\n"
		"A text needs double quotes, inside the quotes of the shell:\n"
		"    okulctl setting set home.title '\"Hoş geldiniz\"'\n"
		"    okulctl setting set lesson.minutes 45\n"
		"    okulctl setting set home.news @news.json\n"
		"A key has up to 100 of a-z, A-Z, 0-9, _, - and .\n"
		"--public            everybody may read it; the default of a new setting\n"
		"--private           only admins may read it\n"
		"--description TEXT  what it is for; \"\" removes it\n"
		"What is not given stays as it is. Earlier values are kept:\n"
		"`okulctl setting history KEY`.\n",
	.run = run_setting_set,
};

const struct command command_setting_history = {
	.name = "setting history",
	.usage = "KEY",
	.summary = "list all values that a setting had, newest first",
	.help = "One line a version, separated by tabs, under a line of headings. The first is\n"
		"the current one. Times are UTC. In values a tab, newline or backslash is\n"
		"written \\t, \\n, \\\\; `okulctl setting get KEY --version N` prints one unchanged.\n",
	.run = run_setting_history,
};

#define BY "CASE WHEN actor_id IS NULL THEN 'operator' ELSE coalesce(actor_email, actor_id) END AS actor"
#define YES_NO "CASE WHEN is_public THEN 'yes' ELSE 'no' END AS public"

enum { LIST, VALUE, HISTORY };

static const char *const sql[] = {
	[LIST] = "SELECT key, " YES_NO ", " SQL_SECOND_TEXT(
		"updated_at") " AS changed,"
			      " coalesce(description, '-') AS description,"
			      " CASE WHEN length(value) > 60 THEN substr(value, 1, 59) || '…' ELSE value END AS value"
			      " FROM setting ORDER BY key /* scans: setting */",
	/* Of version ?2, or with 0 the current one. */
	[VALUE] = "SELECT value FROM setting WHERE key = ?1 AND CAST(?2 AS BIGINT) = 0"
		  " UNION ALL SELECT value FROM setting_version WHERE key = ?1 AND version = ?2",
	[HISTORY] = "SELECT version, " SQL_SECOND_TEXT(
		"at") " AS at, " BY ", " YES_NO ","
		      " coalesce(description, '-') AS description, value FROM setting_version WHERE key = ?1"
		      " ORDER BY version DESC",
};
static const struct db_statements statements = { sql, COUNT(sql) };

static bool
is_key(const char *key)
{
	return (strlen(key) <= SETTING_KEY_MAX && text_is_key(key)) ||
		ctl_fail("\"%s\" is not a key of a setting: it has 1 to %d of a-z, A-Z, 0-9, _, - and ., and is not "
			 ". or ..",
			key, SETTING_KEY_MAX);
}

/* ---- reading */

static int
run_setting_list(int argc, char **argv, const char *data)
{
	int64_t count;

	(void)argc, (void)argv;
	int code = ctl_table(data, sql[LIST], NO_ARGS, &count);
	if (code == EXIT_SUCCESS && count == 0)
		puts("there is no setting yet; `okulctl setting set` adds one");
	return code;
}

static int
run_setting_history(int argc, char **argv, const char *data)
{
	int64_t count;

	if (argc != 2 || strncmp(argv[1], "--", 2) == 0)
		return ctl_error(EXIT_USAGE, "usage: okulctl setting history %s", command_setting_history.usage);
	if (!is_key(argv[1]))
		return EXIT_DATA;
	int code = ctl_table(data, sql[HISTORY], ARGS(argv[1]), &count);
	if (code == EXIT_SUCCESS && count == 0)
		return ctl_error(EXIT_DATA, "there has never been a setting %s; `okulctl setting list` lists them", argv[1]);
	return code;
}

static bool
read_version(int argc, char **argv, int64_t *version)
{
	if ((argc != 2 && argc != 4) || strncmp(argv[1], "--", 2) == 0)
		return false;
	return argc == 2 || (strcmp(argv[2], "--version") == 0 && text_to_int(argv[3], 1, INT64_MAX, version));
}

static int
run_setting_get(int argc, char **argv, const char *data)
{
	int64_t version = 0;

	if (!read_version(argc, argv, &version))
		return ctl_error(EXIT_USAGE, "usage: okulctl setting get %s", command_setting_get.usage);
	const char *key = argv[1];
	if (!is_key(key))
		return EXIT_DATA;
	struct db *db = ctl_db(ctl_conf(data), DB_READ_ONLY);
	if (!db)
		return EXIT_CONFIG;
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, sql[VALUE], ARGS(key, version));
	char *value = rc == DB_ROW ? strdup(db_text(row, 0)) : NULL;
	db_close(db);
	if (rc == DB_DONE && version)
		return ctl_error(EXIT_DATA, "%s has no version %lld; `okulctl setting history %s` lists them", key,
			(long long)version, key);
	if (rc == DB_DONE)
		return ctl_error(EXIT_DATA, "there is no setting %s; `okulctl setting list` lists them", key);
	if (!value)
		return ctl_error(EXIT_FAILURE, "%s", rc == DB_ROW ? "out of memory" : db_reason(rc));
	puts(value);
	free(value);
	return EXIT_SUCCESS;
}

/* ---- writing */

/* Takes the value as it was typed: read_setting_value() makes JSON of it. */
static bool
read_set_options(int argc, char **argv, struct setting *setting)
{
	static const struct option options[] = {
		{ "public", no_argument, NULL, 'p' },
		{ "private", no_argument, NULL, 's' },
		{ "description", required_argument, NULL, 'd' },
		{ 0 },
	};
	int option;

	/* A value may begin with a dash: -1. So getopt() gets what follows, with the command's name before it. */
	if (argc < 3 || strncmp(argv[1], "--", 2) == 0 || strncmp(argv[2], "--", 2) == 0)
		return ctl_fail("usage: okulctl setting set %s", command_setting_set.usage);
	setting->key = argv[1];
	setting->value = argv[2];
	argv[2] = argv[0];
	while ((option = getopt_long(argc - 2, argv + 2, "", options, NULL)) != -1) {
		if (option == '?')
			return ctl_fail("`okulctl setting set --help` lists the options");
		if (option == 'd') {
			setting->describes = true;
			setting->description = optarg;
			continue;
		}
		if (setting->access)
			return ctl_fail("use --public or --private once, not both");
		setting->access = option == 'p' ? IS_PUBLIC : IS_PRIVATE;
	}
	return optind == argc - 2 || ctl_fail("setting set: \"%s\" is too much; put the JSON in single quotes", argv[2 + optind]);
}

static void
report_json(const char *text, bool typed, enum json_fault fault, size_t at)
{
	static const char *const reasons[] = {
		[JSON_SYNTAX] = "is not JSON",
		[JSON_UTF8] = "is not UTF-8",
		[JSON_NUL] = "has a NUL character in a text",
		[JSON_TWICE] = "names a key twice",
		[JSON_DEEP] = "is nested too deep",
	};

	if (fault == JSON_SYNTAX && typed && strlen(text) <= 60 && !strpbrk(text, "\"'\\{}[]\n"))
		ctl_error(EXIT_DATA, "%s is not JSON; if a text is meant, put it in quotes: '\"%s\"'", text, text);
	else
		ctl_error(EXIT_DATA, "the value %s, at byte %zu%s", reasons[fault], at + 1,
			fault != JSON_SYNTAX || !typed
				? ""
				: "; the shell takes quotes away: put single quotes around the value, or use @FILE");
}

/* The value as it will be stored; NULL after reporting what is wrong with it. */
static const char *
read_setting_value(struct arena *arena, const char *given)
{
	struct buf text = { .arena = arena };
	bool is_input = strcmp(given, "-") == 0, typed = given[0] != '@' && !is_input;
	const char *path = is_input ? given : given + 1;
	size_t at = 0;

	if (is_input && isatty(STDIN_FILENO))
		fputs("JSON, then Ctrl-D:\n", stderr);
	if (typed)
		buf_puts(&text, given);
	else if (!ctl_read_file(path, 2 * SETTING_VALUE_MAX, &text))
		return ctl_error(EXIT_DATA, "%s: %m", is_input ? "standard input" : path), NULL;
	const char *value = text.s;
	size_t length = text.length;
	utf8_trim(&value, &length);
	if (length > SETTING_VALUE_MAX)
		return ctl_error(EXIT_DATA, "the value has more than %d bytes", SETTING_VALUE_MAX), NULL;
	if (length == 0)
		return ctl_error(EXIT_DATA, "the value is empty; for an empty text use '\"\"', for no value null"), NULL;
	value = arena_copy(arena, value, length);
	/* One level less than in a request, where the value is inside an object. */
	enum json_fault fault = json_check(arena, value, length, JSON_DEPTH - 1, &at);
	if (fault)
		report_json(value, typed, fault, at);
	return fault ? NULL : value;
}

static bool
check_description(struct arena *arena, struct setting *setting)
{
	if (!setting->description)
		return true;
	size_t length = strlen(setting->description);
	utf8_trim(&setting->description, &length);
	if (!utf8_is_valid(setting->description, length))
		return ctl_fail("--description is not UTF-8 text");
	char *text = arena_copy(arena, setting->description, length);
	text_unify_lines(text);
	if (utf8_has_control(text, "\t\n"))
		return ctl_fail("--description contains a control character");
	if (utf8_points(text, strlen(text)) > SETTING_DESCRIPTION_MAX)
		return ctl_fail("--description has more than %d characters", SETTING_DESCRIPTION_MAX);
	setting->description = text[0] ? text : NULL;
	return true;
}

static int
put_setting(const char *data, const struct setting *setting)
{
	static const char *const results[] = {
		[SETTING_SAME] = "was so already", [SETTING_CHANGED] = "changed", [SETTING_ADDED] = "added"
	};
	struct db *db = ctl_db(ctl_conf(data), DB_READ_WRITE);
	enum setting_change change = SETTING_SAME;

	if (!db)
		return EXIT_CONFIG;
	enum db_rc rc;
	int tries = 0;
	do {
		rc = db_write_begin(db);
		if (rc == DB_DONE) {
			change = setting_put(db, clock_now(), setting);
			rc = db_write_commit(db);
		}
	} while (ctl_again(db, rc, &tries));
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	printf("%s: %s\n", setting->key, results[change]);
	return EXIT_SUCCESS;
}

static int
run_setting_set(int argc, char **argv, const char *data)
{
	struct setting setting = { 0 };

	if (!read_set_options(argc, argv, &setting))
		return EXIT_USAGE;
	struct arena *arena = arena_new(4096);
	if (!arena)
		return ctl_error(EXIT_FAILURE, "out of memory");
	setting.value = is_key(setting.key) ? read_setting_value(arena, setting.value) : NULL;
	int code = setting.value && check_description(arena, &setting) ? put_setting(data, &setting) : EXIT_DATA;
	arena_free(arena);
	return code;
}
