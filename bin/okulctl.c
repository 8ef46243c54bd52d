#include "okulctl.h"

#include "attempt.h"
#include "audit.h"
#include "clock.h"
#include "encode.h"
#include "limit.h"
#include "otp.h"
#include "outbox.h"
#include "placement.h"
#include "session.h"
#include "setup.h"
#include "setting.h"
#include "user.h"
#include "utf8.h"

#include <getopt.h>
#include <unistd.h>

/* clang-format off */
/* Usage and help of a command that is a program of its own are in that program. */
static const struct command command_demo = { .name = "demo", .summary = DEMO_SUMMARY, .program = "okul-demo" };

static const struct command *const commands[] = {
	&command_serve, &command_migrate, &command_check, &command_mail, &command_cleanup, &command_backup,
	&command_database_move,
	&command_files_gc, &command_files_move, &command_files_verify,
	&command_user_add, &command_user_import, &command_user_role, &command_user_list, &command_user_setup_code,
	&command_user_unlock,
	&command_audit,
	&command_test_import, &command_test_export, &command_test_list,
	&command_setting_list, &command_setting_get, &command_setting_set, &command_setting_history,
	&command_key_list, &command_key_rotate, &command_key_export, &command_key_import, &command_sql, &command_demo,
};

/* The modules of lib/school/ that commands use. */
static const struct db_statements *const of_modules[] = {
	&attempt_statements, &audit_statements, &limit_statements, &otp_statements, &outbox_statements,
	&placement_statements, &session_statements, &setting_statements, &setup_statements, &user_statements,
};
/* clang-format on */

/* The statements of these modules and of the commands, up to NULL. */
static const struct db_statements *const *
all_statements(void)
{
	static const struct db_statements *list[COUNT(of_modules) + COUNT(commands) + 1];
	size_t count = COUNT(of_modules);

	memcpy(list, of_modules, sizeof(of_modules));
	for (size_t i = 0; i < COUNT(commands); i++)
		if (commands[i]->statements)
			list[count++] = commands[i]->statements;
	return list;
}

static void
put_tab_value(struct buf *out, const struct db_rows *rows, int column)
{
	const char *s = db_blob(rows, column);
	size_t length = db_size(rows, column);

	if (db_is_null(rows, column)) {
		buf_puts(out, "NULL");
	} else if (!utf8_is_valid(s, length) || memchr(s ? s : "", '\0', length)) {
		buf_puts(out, "x'");
		encode_hex(out, s, length);
		buf_putc(out, '\'');
	} else {
		for (size_t i = 0, n; i < length; i += n) {
			static const char marks[] = "\t\n\\", *const names[] = { "\\t", "\\n", "\\\\" };
			const char *mark = strchr(marks, s[i]);

			n = mark ? 1 : utf8_sequence(s + i, length - i);
			if (mark)
				buf_puts(out, names[mark - marks]);
			else
				utf8_visible(out, s + i, n);
		}
	}
}

/* A line of values, or of the names of the columns. */
static void
put_tab_line(struct buf *out, const struct db_rows *rows, bool names)
{
	for (int i = 0; i < db_columns(rows); i++) {
		if (i)
			buf_putc(out, '\t');
		if (names)
			utf8_visible(out, db_name(rows, i), strlen(db_name(rows, i)));
		else
			put_tab_value(out, rows, i);
	}
	buf_putc(out, '\n');
}

void
ctl_print_row(void *file, const struct db_rows *rows, bool first)
{
	struct buf out = { 0 };

	if (first)
		put_tab_line(&out, rows, true);
	put_tab_line(&out, rows, false);
	if (out.failed)
		fputs("(out of memory)\n", file);
	else
		fwrite(out.s, 1, out.length, file);
	buf_clear(&out);
}

int
ctl_table(const char *data, const char *sql, struct args args, int64_t *count)
{
	struct db *db = ctl_db(ctl_conf(data), DB_READ_ONLY);
	struct db_rows *rows;
	char *text = NULL;
	size_t length = 0;

	*count = 0;
	if (!db)
		return EXIT_CONFIG;
	FILE *out = open_memstream(&text, &length);
	db_timeout(db, MINUTE);
	enum db_rc rc = out ? db_one(db, &rows, sql, args) : DB_ERROR;
	for (; rc == DB_ROW; rc = db_next(rows))
		ctl_print_row(out, rows, (*count)++ == 0);
	db_close(db);
	if (!out || fclose(out) != 0)
		return ctl_error(EXIT_FAILURE, "out of memory");
	if (rc == DB_DONE)
		fwrite(text, 1, length, stdout);
	free(text);
	return rc == DB_DONE ? EXIT_SUCCESS : ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
}

bool
ctl_batch_options(int argc, char **argv, bool *dry_run, bool *quiet)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "quiet", no_argument, NULL, 'q' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) == 'n' || option == 'q') {
		*dry_run |= option == 'n';
		*quiet |= option == 'q';
	}
	return (option == -1 && optind == argc) || ctl_fail("%s takes only the options --dry-run and --quiet", argv[0]);
}

static int
print_help(void)
{
	printf("usage: okulctl [-d DATA] COMMAND [ARGUMENT...]\n\n"
	       "DATA is the data folder. Without -d it is that of the environment variable\n"
	       "OKUL_DATA, else the one that the file okul.data beside okulctl names, else var.\n"
	       "When root runs okulctl, it acts as the owner of DATA.\n\n");
	for (size_t i = 0; i < COUNT(commands); i++)
		printf("  %-15s  %s\n", commands[i]->name, commands[i]->summary);
	printf("\n"
	       "okulctl COMMAND --help      explains a command\n"
	       "okulctl --version           prints the version\n"
	       "okulctl [-d DATA] --check   prints the query plans of okulctl's own statements\n"
	       "okulctl --statements        prints these statements\n");
	return EXIT_SUCCESS;
}

static size_t
least_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein distance: letters to insert, delete or change to get from one word to the other. */
static size_t
edit_distance(const char *a, const char *b)
{
	size_t row[32], length = strlen(b);

	if (length >= COUNT(row))
		return SIZE_MAX;
	for (size_t k = 0; k <= length; k++)
		row[k] = k;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t k = 0; k < length; k++) {
			size_t change = diagonal + (a[i] != b[k]);

			diagonal = row[k + 1];
			row[k + 1] = least_of(change, least_of(row[k], row[k + 1]) + 1);
		}
	}
	return row[length];
}

/* Suggests the nearest command when at least half of its name was right. `typed` is the first word, or two. */
static int
unknown_command(const char *first, const char *typed)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < COUNT(commands); i++) {
		const char *name = commands[i]->name;
		size_t best = least_of(edit_distance(first, name), edit_distance(typed, name));

		if (best < least && best <= strlen(name) / 2) {
			least = best;
			nearest = name;
		}
	}
	if (!nearest)
		return ctl_error(EXIT_USAGE, "there is no command \"%s\"; `okulctl --help` lists all", first);
	return ctl_error(EXIT_USAGE,
		"there is no command \"%s\"; did you mean \"okulctl %s\"? `okulctl --help` lists "
		"all",
		typed, nearest);
}

/* Replaces this process with a program beside it. Returns only when it cannot. */
static int
run_program(const char *program, char **argv, const char *data)
{
	char path[PATH_MAX], why[200];

	if (!conf_beside(program, path, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	argv[0] = path;
	if (!data || setenv("OKUL_DATA", data, 1) == 0)
		execv(path, argv);
	return ctl_error(EXIT_CONFIG, "%s cannot be run: %m; install okul again", path);
}

static int
run_command(int argc, char **argv, const char *data)
{
	char typed[80];

	snprintf(typed, sizeof(typed), "%s%s%s", argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < COUNT(commands); i++) {
		const char *name = commands[i]->name;
		int skip = argc > 1 && strcmp(name, typed) == 0; /* a name of two words */

		if (!skip && strcmp(name, argv[0]) != 0)
			continue;
		optind = 0; /* getopt() starts again, for the command */
		if (commands[i]->program)
			return run_program(commands[i]->program, argv + skip, data);
		return ctl_run(commands[i], argc - skip, argv + skip, data);
	}
	return unknown_command(argv[0], typed);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "data", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "statements", no_argument, NULL, 's' },
		{ "check", no_argument, NULL, 'c' },
		{ 0 },
	};
	const char *data = NULL;
	int option, code = ctl_init("okulctl");

	if (code != EXIT_SUCCESS)
		return code;
	/* '+': options after the command belong to it. */
	while ((option = getopt_long(argc, argv, "+d:hV", options, NULL)) != -1) {
		if (option == 'h')
			return ctl_finish(print_help());
		if (option == 'V')
			return puts("okulctl " OKUL_VERSION), ctl_finish(EXIT_SUCCESS);
		if (option == 's')
			return ctl_print_statements(all_statements());
		if (option == 'c')
			return ctl_check_statements(all_statements(), data);
		if (option != 'd')
			return ctl_error(EXIT_USAGE, "`okulctl --help` lists commands and options");
		data = optarg;
	}
	if (optind == argc)
		return ctl_error(EXIT_USAGE, "a command is missing; `okulctl --help` lists all");
	if (strcmp(argv[optind], "help") == 0)
		return ctl_finish(print_help());
	return run_command(argc - optind, argv + optind, data);
}
