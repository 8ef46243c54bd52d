/*
 * okulctl setting - the settings of the web site, for an operator, with all earlier values.
 */
#include "okulctl.h"
#include "sql.h"

#include "setting.h"
#include "arena.h"
#include "buf.h"
#include "clock.h"
#include "json.h"
#include "text.h"
#include "utf8.h"

#include <getopt.h>
#include <unistd.h>

static int run_setting_list(int argc, char **argv, const char *data);
static int run_setting_get(int argc, char **argv, const char *data);
static int run_setting_set(int argc, char **argv, const char *data);
static int run_setting_history(int argc, char **argv, const char *data);

static const struct db_statements statements;

const struct command command_setting_list = {
	.name = "setting list",
	.usage = "",
	.summary = "list the settings of the web site by their keys",
	.help = "One line a setting, separated by tabs, under a line of headings; of long values the beginning. Times are UTC.\n"
		"These are what the API serves as /settings/KEY. Those of okul itself are in okul.conf: okulctl check --settings\n",
	.run = run_setting_list,
	.statements = &statements,
};

const struct command command_setting_get = {
	.name = "setting get",
	.usage = "KEY [--version N]",
	.summary = "print the value of a setting, byte by byte as it was stored",
	.help = "--version  that value of the past, by its number in `okulctl setting history KEY`. To bring it back:\n"
		"           okulctl setting get KEY --version 3 | okulctl setting set KEY -\n",
	.run = run_setting_get,
};

const struct command command_setting_set = {
	.name = "setting set",
	.usage = "KEY JSON|@FILE|- [--public|--private] [--description TEXT]",
	.summary = "set the value of a setting, from the next request on",
	.help = "The value is JSON: of the command line, of a file, or (-) of standard input; at most 64 KiB. A text needs quotes of\n"
		"its own, inside those of the shell:\n"
		"    okulctl setting set home.title '\"Hoş geldiniz\"'\n"
		"    okulctl setting set lesson.minutes 45\n"
		"    okulctl setting set home.news @news.json\n"
		"A key has up to 100 of a-z, A-Z, 0-9, _, - and . in it.\n"
		"--public       everybody may read it; the default of a new setting\n"
		"--private      only admins may\n"
		"--description  what it is for; \"\" removes it\n"
		"What is not named stays as it is. Earlier values are kept: `okulctl setting history KEY`.\n",
	.run = run_setting_set,
};

const struct command command_setting_history = {
	.name = "setting history",
	.usage = "KEY",
	.summary = "list what a setting was, since when and by whom, newest first",
	.help = "One line a version, separated by tabs, under a line of headings; the first is the present one. Times are UTC.\n"
		"In values a tab, newline or backslash is written \\t, \\n, \\\\: `okulctl setting get KEY --version N` prints one as\n"
		"it was.\n",
	.run = run_setting_history,
};

#define BY "CASE WHEN actor_id IS NULL THEN 'operator' ELSE coalesce(actor_email, actor_id) END AS actor"
#define YES_NO "CASE WHEN is_public THEN 'yes' ELSE 'no' END AS public"

enum { LIST, NOW, THEN, HISTORY };

static const char *const sql[] = {
	[LIST] = "SELECT key, " YES_NO ", " SQL_SECOND_TEXT("updated_at") " AS changed, coalesce(description, '-') AS description,"
		" CASE WHEN length(value) > 60 THEN substr(value, 1, 59) || '…' ELSE value END AS value"
		" FROM setting ORDER BY key /* scans: setting */",
	[NOW] = "SELECT value FROM setting WHERE key = ?1 AND CAST(?2 AS TEXT) IS NULL",
	[THEN] = "SELECT value FROM setting_version WHERE key = ?1 AND version = ?2",
	[HISTORY] = "SELECT version, " SQL_SECOND_TEXT("at") " AS at, " BY ", " YES_NO ", coalesce(description, '-') AS description, value"
		" FROM setting_version WHERE key = ?1 ORDER BY version DESC",
};
static const struct db_statements statements = { sql, COUNT(sql) };

static bool
is_key(const char *key)
{
	if (strlen(key) <= SETTING_KEY_MAX && text_is_key(key))
		return true;
	ctl_error(EXIT_DATA, "\"%s\" is not a key of a setting: it has 1 to %d of a-z, A-Z, 0-9, _, - and ., and is not . or ..",
		key, SETTING_KEY_MAX);
	return false;
}

/* ---- reading */

static int
run_setting_list(int argc, char **argv, const char *data)
{
	int64_t count;

	(void)argv;
	if (argc > 1)
		return ctl_error(EXIT_USAGE, "setting list takes no arguments; `okulctl setting get KEY` prints one");
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
	const struct conf *conf = ctl_conf(data);
	struct db *db = conf ? ctl_db(conf, DB_READ_ONLY) : NULL;
	if (!db)
		return EXIT_CONFIG;
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, sql[version ? THEN : NOW], ARGS(key, version ? value_int(version) : value_null()));
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

/* The value is as it was typed: read_setting_value() turns it into JSON. */
static bool
read_set_options(int argc, char **argv, struct setting *setting)
{
	static const struct option options[] = {
		{ "public", no_argument, NULL, 'p' }, { "private", no_argument, NULL, 's' },
		{ "description", required_argument, NULL, 'd' }, { 0 },
	};
	int option;

	/* A value may begin with a dash: -1. So the options come after it, and getopt() sees the command in its place. */
	if (argc < 3 || strncmp(argv[1], "--", 2) == 0 || strncmp(argv[2], "--", 2) == 0)
		return ctl_error(EXIT_USAGE, "usage: okulctl setting set %s", command_setting_set.usage) == 0;
	setting->key = argv[1];
	setting->value = argv[2];
	argv[2] = argv[0];
	while ((option = getopt_long(argc - 2, argv + 2, "", options, NULL)) != -1) {
		if (option == '?')
			return ctl_error(EXIT_USAGE, "`okulctl setting set --help` lists the options") == 0;
		if (option == 'd') {
			setting->describes = true;
			setting->description = optarg;
			continue;
		}
		if (setting->access)
			return ctl_error(EXIT_USAGE, "use --public or --private once, not both") == 0;
		setting->access = option == 'p' ? IS_PUBLIC : IS_PRIVATE;
	}
	if (optind < argc - 2)
		return ctl_error(EXIT_USAGE, "setting set: \"%s\" is too much; put the JSON in single quotes",
			argv[2 + optind]) == 0;
	return true;
}

/* Reads a file, up to a little more than the limit. False after having reported what is wrong. */
static bool
read_value_file(struct buf *text, const char *name)
{
	bool input = strcmp(name, "-") == 0;
	char block[4096];
	size_t n;

	FILE *file = input ? stdin : fopen(name + 1, "r");
	if (!file)
		return ctl_error(EXIT_DATA, "%s: %m", name + 1) == 0;
	if (input && isatty(STDIN_FILENO))
		fputs("JSON, then Ctrl-D:\n", stderr);
	while (text->length <= 2 * SETTING_VALUE_MAX && (n = fread(block, 1, sizeof(block), file)) > 0)
		buf_put(text, block, n);
	if (ferror(file)) {
		ctl_error(EXIT_DATA, "%s: %m", input ? "standard input" : name + 1);
		fclose(file);
		return false;
	}
	fclose(file);
	return true;
}

static void
bad_json(const char *text, bool typed, enum json_fault fault, size_t at)
{
	static const char *const reasons[] = {
		[JSON_SYNTAX] = "is not JSON", [JSON_UTF8] = "is not UTF-8", [JSON_NUL] = "has a NUL character in a text",
		[JSON_TWICE] = "names a key twice", [JSON_DEEP] = "is nested too deep",
	};

	if (fault == JSON_SYNTAX && typed && strlen(text) <= 60 && !strpbrk(text, "\"'\\{}[]\n"))
		ctl_error(EXIT_DATA, "%s is not JSON; if a text is meant, put it in quotes: '\"%s\"'", text, text);
	else
		ctl_error(EXIT_DATA, "the value %s, at byte %zu%s", reasons[fault], at + 1, fault == JSON_SYNTAX && typed ?
			"; the shell takes quotes away: put single quotes around the value, or use @FILE" : "");
}

/* The value as it will be stored; NULL after having reported what is wrong with it. */
static const char *
read_setting_value(struct arena *arena, const char *given)
{
	struct buf text = { .arena = arena };
	size_t at = 0;

	bool typed = given[0] != '@' && strcmp(given, "-") != 0;
	if (typed)
		buf_puts(&text, given);
	else if (!read_value_file(&text, given))
		return NULL;
	const char *value = text.s ? text.s : "";
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
		bad_json(value, typed, fault, at);
	return fault ? NULL : value;
}

static bool
check_description(struct arena *arena, struct setting *setting)
{
	size_t length;

	if (!setting->description)
		return true;
	length = strlen(setting->description);
	utf8_trim(&setting->description, &length);
	if (!utf8_is_valid(setting->description, length))
		return ctl_error(EXIT_DATA, "--description is not UTF-8 text") == 0;
	char *text = arena_copy(arena, setting->description, length);
	text_unify_lines(text);
	if (utf8_has_control(text, "\t\n"))
		return ctl_error(EXIT_DATA, "--description holds a control character") == 0;
	if (utf8_points(text, strlen(text)) > SETTING_DESCRIPTION_MAX)
		return ctl_error(EXIT_DATA, "--description has more than %d characters", SETTING_DESCRIPTION_MAX) == 0;
	setting->description = text[0] ? text : NULL;
	return true;
}

static int
put_setting(const char *data, const struct setting *setting)
{
	static const char *const told[] = { [SETTING_SAME] = "was so already", [SETTING_CHANGED] = "changed",
		[SETTING_ADDED] = "added" };
	const struct conf *conf = ctl_conf(data);
	struct db *db = conf ? ctl_db(conf, DB_READ_WRITE) : NULL;
	enum setting_change change = SETTING_SAME;

	if (!db)
		return EXIT_CONFIG;
	enum db_rc rc = db_write_begin(db);
	if (rc == DB_DONE) {
		change = setting_put(db, clock_now(), setting);
		rc = db_write_commit(db);
	}
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	printf("%s: %s\n", setting->key, told[change]);
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
