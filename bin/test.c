/* okulctl test - placement tests as files: made from a text in Moodle's GIFT format, and written as one. */
#include "okulctl.h"
#include "sql.h"

#include "clock.h"
#include "gift.h"
#include "json_write.h"
#include "placement.h"
#include "quiz.h"
#include "random.h"

#include <getopt.h>

static int run_test_import(int argc, char **argv, const char *data);
static int run_test_export(int argc, char **argv, const char *data);
static int run_test_list(int argc, char **argv, const char *data);

static const struct db_statements statements;

const struct command command_test_import = {
	.name = "test import",
	.usage = "FILE.gift OPTION...",
	.summary = "make a placement test from questions in Moodle's GIFT format",
	.help = "FILE.gift is UTF-8 text in Moodle's GIFT format, or - for standard input:\n"
		"https://docs.moodle.org/en/GIFT_format\n"
		"Takes multiple choice with one right answer and true/false, also as a missing\n"
		"word. For any other question (Cloze, short answer, numerical, matching, essay,\n"
		"several right answers, partial credit) it prints line and reason; then the exit\n"
		"code is 65, and no test is made. Feedback, categories, and names of questions\n"
		"that have a text are dropped; HTML becomes text. Comments above a question may\n"
		"set its points (1 by default) and its media:\n"
		"    // okul: points 2.5\n"
		"    // okul: media https://example.com/a.mp3\n"
		"--title TITLE\n"
		"--language LANGUAGE   the language that it tests\n"
		"--ranges A1:0-20,A2:21-40,...  the scores of each level, together from 0 to 100;\n"
		"                      each starts where the one before ends, or one above\n"
		"These are optional:\n"
		"--description TEXT    shown before the test starts\n"
		"--minutes N           time limit; none by default\n"
		"--attempts N          attempts of each user; 1 by default, 0 for no limit\n"
		"--shuffle             each attempt gets questions and answers in another order\n"
		"--draft               only administrators see the test, until they publish it\n"
		"--encoding NAME       of FILE.gift: windows-1254, windows-1252, utf-16 ...\n"
		"--skip                leave out the questions that cannot be taken\n"
		"--dry-run             only check: no test is made\n",
	.run = run_test_import,
	.statements = &statements,
};

const struct command command_test_export = {
	.name = "test export",
	.usage = "ID",
	.summary = "print the questions of a test in Moodle's GIFT format",
	.help = "To save them in a file: okulctl test export ID >FILE.gift\n"
		"`okulctl test import` makes the same questions of it, with points and media;\n"
		"Moodle reads it too. `okulctl test list` shows the ids.\n",
	.run = run_test_export,
};

const struct command command_test_list = {
	.name = "test list",
	.usage = "",
	.summary = "list the placement tests, oldest first",
	.help = "One line a test, separated by tabs, under a line of headings. Times are UTC.\n",
	.run = run_test_list,
};

#define TEXT_MAX (16 << 20) /* bytes of a file */

enum { FIND, LIST };

static const char *const sql[] = {
	[FIND] = "SELECT test.title, questions FROM test JOIN test_version AS now ON now.pk = test.version WHERE test.id = ?1",
	[LIST] = "SELECT id, title, target_language AS language, question_count AS questions,"
		 " CASE WHEN is_published THEN 'yes' ELSE 'no' END AS published,"
		 " (SELECT coalesce(sum(n), 0) FROM result_tally WHERE result_tally.test = test.pk) AS results,"
		 " " SQL_MINUTE_TEXT("created_at") " AS created FROM test ORDER BY pk /* scans: test result_tally */",
};
static const struct db_statements statements = { sql, COUNT(sql) };

enum { RANGES = PLACEMENT_FIELDS };

static const struct shape import_shape = {
	.name = "Import",
	.fields = FIELDS([0] = { "", FIELD_HEAD, .of = &placement_head }, [RANGES] = { "", FIELD_PLUS, .of = &placement_ranges })
};

/* ---- test import */

struct import {
	struct arena *arena;
	cJSON *options;		/* as texts of a form of import_shape */
	const struct value *in; /* their values */
	const char *file, *encoding;
	char *text;
	size_t length;
	bool skip, dry_run;
};

/* "A1:0-20,A2:21-40" as JSON. Any other form gets scores that are refused. */
static const char *
ranges_of(struct arena *arena, const char *s)
{
	struct buf list = { .arena = arena };

	json_put_list(&list, NULL);
	while (*s) {
		char level[16] = "";
		double from = -1, to = -1;
		int length = 0;
		if (sscanf(s, "%15[^:]:%lf-%lf%n", level, &from, &to, &length) != 3 || !strchr(",", s[length])) {
			length = (int)strcspn(s, ",");
			from = to = -1;
		}
		json_put_object(&list, NULL);
		json_put_text(&list, "level", level);
		json_put_number(&list, "minScore", from);
		json_put_number(&list, "maxScore", to);
		json_put_end_object(&list);
		s += length + (s[length] == ',');
	}
	json_put_end_list(&list);
	return list.s;
}

static bool
add(struct import *im, const char *field, const char *text)
{
	field_add(im->arena, im->options, field_find(&import_shape, field), text);
	return true;
}

static bool
read_option(struct import *im, int option, const char *argument)
{
	switch (option) {
	case 't': return add(im, "title", argument);
	case 'l': return add(im, "targetLanguage", argument);
	case 'd': return add(im, "description", argument);
	case 'm': return add(im, "durationMinutes", argument);
	case 'a': return add(im, "maxAttempts", argument);
	case 'r': return add(im, "levelRanges", ranges_of(im->arena, argument));
	case 's': return add(im, "shuffle", "true");
	case 'D': return add(im, "isPublished", "false");
	case 'e': return (im->encoding = argument);
	case 'k': return im->skip = true;
	case 'n': return im->dry_run = true;
	default: return ctl_error(EXIT_USAGE, "`okulctl test import --help` lists the options") == 0;
	}
}

static int
read_test_options(struct import *im, int argc, char **argv)
{
	/* clang-format off */
	static const struct option options[] = {
		{ "title", required_argument, NULL, 't' }, { "language", required_argument, NULL, 'l' },
		{ "description", required_argument, NULL, 'd' }, { "minutes", required_argument, NULL, 'm' },
		{ "attempts", required_argument, NULL, 'a' }, { "ranges", required_argument, NULL, 'r' },
		{ "shuffle", no_argument, NULL, 's' }, { "draft", no_argument, NULL, 'D' }, { "skip", no_argument, NULL, 'k' },
		{ "dry-run", no_argument, NULL, 'n' }, { "encoding", required_argument, NULL, 'e' }, { 0 },
	};
	/* clang-format on */
	struct faults faults;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!read_option(im, option, optarg))
			return EXIT_USAGE;
	if (optind + 1 != argc)
		return ctl_error(EXIT_USAGE, "usage: okulctl test import %s", command_test_import.usage);
	im->file = argv[optind];
	faults_init(&faults, im->arena, EN);
	im->in = field_read(&import_shape, im->options, NULL, &faults);
	if (!faults_name(&faults, "levelRanges"))
		quiz_check_ranges(im->in[RANGES], &faults);
	for (const struct fault *fault = faults.first; fault; fault = fault->next)
		ctl_error(EXIT_DATA, "%s", fault->text);
	return faults.count > 0 ? EXIT_DATA : EXIT_SUCCESS;
}

static int
read_gift_file(struct import *im)
{
	FILE *in = ctl_text(im->file, im->encoding, TEXT_MAX);

	if (!in)
		return EXIT_DATA;
	size_t room = 0;
	ssize_t length = getdelim(&im->text, &room, '\0', in); /* all of it: ctl_text() refuses NUL */
	bool failed = ferror(in);
	im->length = length > 0 ? (size_t)length : 0;
	fclose(in);
	return failed ? ctl_error(EXIT_DATA, "%s cannot be read", im->file) : EXIT_SUCCESS;
}

static void
print_notes(const struct import *im, const struct gift_notes *notes, const char *what)
{
	size_t printed = 0;

	for (const struct gift_note *note = notes->first; note; note = note->next, printed++) {
		struct buf text = { .arena = im->arena };
		buf_sentence(&text, note->what, EN, note->line ? arena_format(im->arena, "%zu", note->line) : NULL);
		ctl_error(0, "%s: %s%s", im->file, what, text.s);
	}
	if (notes->count > printed)
		ctl_error(0, "%s: and %zu more", im->file, notes->count - printed);
}

static enum db_rc
add_test(struct db *db, const struct placement *test, const char *id)
{
	enum db_rc rc;
	int tries = 0;

	do {
		rc = db_write_begin(db);
		if (rc == DB_DONE) {
			placement_add(db, test, id, clock_now());
			rc = db_write_commit(db); /* returns a failure that stuck */
		}
	} while (ctl_again(db, rc, &tries));
	return rc;
}

static int
store_test(const struct import *im, const struct gift *gift, const char *data)
{
	const struct conf *conf = ctl_conf(data);
	struct db *db = conf ? ctl_db(conf, DB_READ_WRITE) : NULL;
	struct placement *test = placement_of(im->arena, im->in, im->in[RANGES]);
	char id[ID_TEXT];

	if (!db)
		return EXIT_CONFIG;
	placement_set_questions(test, im->arena, gift->questions);
	random_id(id);
	enum db_rc rc = add_test(db, test, id);
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	printf("%s: made with %d questions, id %s\n", value_string(test->head[PLACEMENT_TITLE]), test->count, id);
	return EXIT_SUCCESS;
}

static int
import_test(struct import *im, int argc, char **argv, const char *data)
{
	int code = read_test_options(im, argc, argv);
	struct gift gift;

	if (code == EXIT_SUCCESS)
		code = read_gift_file(im);
	if (code != EXIT_SUCCESS)
		return code;
	gift_read(&gift, im->arena, im->text, im->length);
	size_t count = gift.questions.count;
	bool skip = im->skip && count > 0;
	print_notes(im, &gift.faults, skip ? "left out: " : "");
	print_notes(im, &gift.dropped, "");
	if (gift.faults.count > 0 && !skip)
		return ctl_error(EXIT_DATA, "nothing was made%s", count > 0 ? "; --skip leaves out what cannot be taken" : "");
	if (!im->dry_run)
		return store_test(im, &gift, data);
	printf("questions to import: %zu; nothing was made\n", count);
	return EXIT_SUCCESS;
}

static int
run_test_import(int argc, char **argv, const char *data)
{
	struct import im = { .arena = arena_new(1 << 16) };

	if (!im.arena)
		return ctl_error(EXIT_FAILURE, "out of memory");
	json_use(im.arena);
	im.options = cJSON_CreateObject();
	int code = import_test(&im, argc, argv, data);
	json_use(NULL);
	free(im.text);
	arena_free(im.arena);
	return code;
}

/* ---- test export */

static int
export_test(struct db *db, struct arena *arena, const char *id)
{
	struct buf out = { .arena = arena };
	struct db_rows *row;

	if (db_one(db, &row, sql[FIND], ARGS(id)) != DB_ROW) {
		enum db_rc rc = db_failure(db);
		return rc == DB_DONE ? ctl_error(EXIT_DATA, "there is no test %s; `okulctl test list` shows them", id)
				     : ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	}
	json_use(arena);
	gift_write(&out, db_text(row, 0), quiz_values(arena, db_text(row, 1)));
	json_use(NULL);
	db_end(row);
	fwrite(out.s, 1, out.length, stdout);
	return EXIT_SUCCESS;
}

static int
run_test_export(int argc, char **argv, const char *data)
{
	struct arena *arena;
	struct db *db;

	if (argc != 2)
		return ctl_error(EXIT_USAGE, "usage: okulctl test export %s", command_test_export.usage);
	const struct conf *conf = ctl_conf(data);
	if (!conf || !(db = ctl_db(conf, DB_READ_ONLY)))
		return EXIT_CONFIG;
	int code = (arena = arena_new(1 << 16)) ? export_test(db, arena, argv[1]) : ctl_error(EXIT_FAILURE, "out of memory");
	db_close(db);
	arena_free(arena);
	return code;
}

/* ---- test list */

static int
run_test_list(int argc, char **argv, const char *data)
{
	int64_t count;

	(void)argv;
	if (argc > 1)
		return ctl_error(EXIT_USAGE, "test list takes no arguments");
	return ctl_table(data, sql[LIST], NO_ARGS, &count);
}
