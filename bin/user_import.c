/*
 * okulctl user import - makes users from a table.
 *
 * The file is read in batches: their rows are checked first, then the good ones are written in one transaction, and
 * only then is told what is wrong with the others. So requests go on meanwhile, and the file may be of any size.
 */
#include "okulctl.h"

#include "arena.h"
#include "audit.h"
#include "clock.h"
#include "csv.h"
#include "random.h"
#include "user.h"

#include <errno.h>
#include <getopt.h>
#include <search.h>
#include <stdarg.h>

static int run(int argc, char **argv, const char *data);

const struct command command_user_import = {
	.name = "user import",
	.usage = "FILE.csv [--dry-run]",
	.summary = "make users from a table, a row each",
	.help = "FILE.csv is UTF-8 text as spreadsheets write it (RFC 4180; commas, semicolons or tabs), or - for\n"
		"standard input. Its first line names the columns, in any order: email, which every row has, and any of\n"
		"  role language name surname username countryCode phoneNumber birthDate gender timezone profilePhoto\n"
		"  availabilityStatus expertise bio instagram x tiktok snapchat facebook\n"
		"An empty cell counts as left out; then the role is user and the language English. The rules are those of the\n"
		"API: birthDate is like 1998-04-23, countryCode and phoneNumber are digits only.\n"
		"\n"
		"Every row with an error is named on standard error, with its line in the file (\"line 17: email: must be a\n"
		"valid e-mail address\"), and the exit code is 1; the other rows are imported. An address or user name that a\n"
		"user has already, or that stands in the file twice, is an error too. Who was imported completes the\n"
		"registration at the first login.\n"
		"--dry-run  only check: nothing is changed. Run this first.\n",
	.run = run,
};

#define BATCH 500		/* rows a transaction: some 30 ms in which nobody else writes */

static const struct shape import_shape = { .all_optional = true, .fields = FIELDS(
	{ "email", EMAIL },
	{ "role", ENUM, .oneof = role_enum },
	{ "", PLUS, .of = &user_update_me }) };

enum { ADD, TAKEN };

#define CELL(name) "?2 ->> '$." name "'"

static const char *const sql[] = {
	/* ?1 id, ?2 the row as JSON, ?3 the school's time zone, ?4 now */
	[ADD] =
		"INSERT INTO user (id, email, role, language, timezone, availability, name, surname, username, country_code,"
		" phone_number, birth_date, gender, profile_photo, expertise, bio, instagram, x, tiktok, snapchat, facebook,"
		" created_at, updated_at) VALUES (?1, " CELL("email") ", coalesce(" CELL("role") ", 'user'),"
		" coalesce(" CELL("language") ", 'en'), coalesce(" CELL("timezone") ", ?3),"
		" coalesce(" CELL("availabilityStatus") ", 'offline'), "
		CELL("name") ", " CELL("surname") ", " CELL("username") ", " CELL("countryCode") ", " CELL("phoneNumber") ", "
		CELL("birthDate") ", " CELL("gender") ", " CELL("profilePhoto") ", " CELL("expertise") ", " CELL("bio") ", "
		CELL("instagram") ", " CELL("x") ", " CELL("tiktok") ", " CELL("snapchat") ", " CELL("facebook") ", ?4, ?4)",
	[TAKEN] = "SELECT EXISTS (SELECT 1 FROM user WHERE email = ?1), EXISTS (SELECT 1 FROM user WHERE username = ?2)",
};

struct row {
	size_t line;
	cJSON *cells;		/* object of import_shape */
	const char *json, *email, *username;
	char id[ID_TEXT];
	struct buf errors;	/* a line each; empty: the row is good */
};

struct import {
	const struct conf *conf;
	struct db *db;
	bool dry_run;
	struct csv csv;
	const struct field *columns[CSV_FIELDS_MAX];
	size_t column_count;
	struct arena *batch, *file;	/* what lives as long as a batch, and as long as the run */
	void *emails, *usernames;	/* of the file so far: trees of struct seen */
	struct row rows[BATCH];
	size_t count;
	int64_t good, bad;
};

/* ---- a row */

static void complain(struct row *row, const char *format, ...) printf_like(2, 3);

static void
complain(struct row *row, const char *format, ...)
{
	char what[512];
	va_list list;

	va_start(list, format);
	vsnprintf(what, sizeof(what), format, list);
	va_end(list);
	buf_printf(&row->errors, "line %zu: %s\n", row->line, what);
}

struct seen {
	const char *text;
	size_t line;
};

static int
compare_seen(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->text, ((const struct seen *)b)->text);
}

/* The line in which the text stood first, which may be this one. */
static size_t
first_line(struct import *im, void **tree, const char *text, size_t line)
{
	struct seen *seen = arena_alloc(im->file, sizeof(*seen));

	*seen = (struct seen){ arena_string(im->file, text), line };
	const struct seen *const *first = tsearch(seen, tree, compare_seen);
	return first ? (*first)->line : line;
}

static void
check_cells(struct import *im, struct row *row)
{
	size_t email_line = row->line, username_line = row->line;
	struct faults faults;

	faults_init(&faults, im->batch, EN);
	if (!field_has(row->cells, "email"))
		faults_add(&faults, "email", S_F_REQUIRED, NULL);
	(void)!field_check(&import_shape, row->cells, &faults);
	for (const struct fault *fault = faults.first; fault; fault = fault->next)
		complain(row, "%s", fault->text);
	row->email = field_text(row->cells, "email");
	row->username = field_text(row->cells, "username");
	if (row->email)
		email_line = first_line(im, &im->emails, row->email, row->line);
	if (row->username)
		username_line = first_line(im, &im->usernames, row->username, row->line);
	if (faults.count > 0)
		return;
	if (email_line != row->line)
		complain(row, "email: stands in line %zu already", email_line);
	if (username_line != row->line)
		complain(row, "username: stands in line %zu already", username_line);
}

/* False for a row without any text, which spreadsheets like to leave at the end. */
static bool
read_cells(struct import *im, struct row *row)
{
	row->cells = cJSON_CreateObject();
	for (size_t i = 0; i < im->csv.count; i++) {
		const char *cell = im->csv.fields[i];
		size_t length = strlen(cell);

		text_trim(&cell, &length);
		if (length > 0 && i < im->column_count)
			cJSON_AddStringToObject(row->cells, im->columns[i]->name, cell);
		else if (length > 0)
			return true;
	}
	return row->cells->child != NULL;
}

static const char *
reason(enum csv_result result)
{
	switch (result) {
	case CSV_QUOTE:
		return "a quote stands where none may: a cell with quotes begins and ends with one, and doubles those within";
	case CSV_OPEN:
		return "a cell begins with a quote, and no quote ends it";
	case CSV_UTF8:
		return "is no UTF-8 text; let the spreadsheet save it as \"CSV UTF-8\"";
	case CSV_LONG:
		return "has too many cells, or too long ones; is a quote missing?";
	default:
		return strerror(errno);
	}
}

/* Fills the next row; false at the end of the file. */
static bool
read_row(struct import *im, struct row *row, enum csv_result *result)
{
	do {
		*result = csv_next(&im->csv);
		*row = (struct row){ .line = im->csv.line, .errors.arena = im->batch };
		if (*result == CSV_END || *result == CSV_BROKEN)
			return false;
	} while (*result == CSV_ROW && !read_cells(im, row));
	if (*result != CSV_ROW) {
		complain(row, "%s", reason(*result));
	} else if (im->csv.count != im->column_count) {
		complain(row, "number of cells is %zu, of columns %zu", im->csv.count, im->column_count);
	} else {
		check_cells(im, row);
		row->json = cJSON_PrintUnformatted(row->cells);
		random_id(row->id);
	}
	return true;
}

/* ---- a batch */

static void
check_taken(struct import *im, struct row *row)
{
	struct db_rows *taken;

	if (db_one(im->db, &taken, sql[TAKEN], ARGS(row->email, row->username)) == DB_ROW) {
		if (db_flag(taken, 0))
			complain(row, "email: belongs to a user already");
		if (db_flag(taken, 1))
			complain(row, "username: belongs to a user already");
	}
	db_end(taken);
}

static void
add_user(struct import *im, struct row *row, int64_t now)
{
	enum db_rc rc = db_run(im->db, sql[ADD], ARGS(row->id, row->json, im->conf->time_zone, now), NULL);
	const char *role = field_text(row->cells, "role");

	if (rc == DB_TAKEN)
		check_taken(im, row);
	if (rc == DB_DONE)
		audit_add(im->db, now, &(struct audit){ .action = "user.added", .subject_id = row->id, .subject = row->email,
			.after = role ? role : "user" });
}

static enum db_rc
look(struct import *im)
{
	enum db_rc rc;

	for (size_t i = 0; i < im->count; i++)
		if (im->rows[i].errors.length == 0)
			check_taken(im, &im->rows[i]);
	rc = db_failure(im->db);
	db_release(im->db);
	return rc;
}

static enum db_rc
store(struct import *im)
{
	int64_t now = clock_now();
	enum db_rc rc = db_write_begin(im->db);

	if (rc != DB_DONE)
		return rc;
	for (size_t i = 0; i < im->count; i++)
		if (im->rows[i].errors.length == 0)
			add_user(im, &im->rows[i], now);
	user_reindex(im->db);
	return db_write_commit(im->db);
}

static void
report(struct import *im)
{
	for (size_t i = 0; i < im->count; i++) {
		const struct buf *errors = &im->rows[i].errors;

		if (errors->length > 0)
			fputs(errors->s, stderr);
		im->bad += errors->length > 0;
		im->good += errors->length == 0;
	}
}

static int
import_rows(struct import *im)
{
	enum csv_result result = CSV_ROW;
	enum db_rc rc = DB_DONE;

	while (result != CSV_END) {
		im->count = 0;
		while (im->count < BATCH && read_row(im, &im->rows[im->count], &result))
			im->count++;
		if (result == CSV_BROKEN)
			return ctl_error(EXIT_FAILURE, "the file cannot be read on: %m; %lld users are imported",
				(long long)im->good);
		rc = im->dry_run ? look(im) : store(im);
		if (rc != DB_DONE)
			return ctl_error(EXIT_FAILURE, "stopped at line %zu: %s; the %lld good rows above it are imported",
				im->rows[0].line, db_reason(rc), (long long)im->good);
		report(im);
		arena_reset(im->batch);
	}
	printf("users %s: %lld, rows with errors: %lld%s\n", im->dry_run ? "to import" : "imported", (long long)im->good,
		(long long)im->bad, im->dry_run ? "; nothing was changed" : "");
	return im->bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the file */

static const struct field *
find_column(const char *name)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	/* A list has no form in a cell. */
	while ((field = field_next(&walk, &import_shape)))
		if (strcmp(field->name, name) == 0 && field->type != LIST)
			return field;
	return NULL;
}

static bool
has_column(const struct import *im, const char *name)
{
	for (size_t i = 0; i < im->column_count; i++)
		if (strcmp(im->columns[i]->name, name) == 0)
			return true;
	return false;
}

static bool
read_header(struct import *im)
{
	enum csv_result result = csv_next(&im->csv);

	if (result == CSV_END)
		return ctl_error(EXIT_DATA, "the file is empty; its first line names the columns") == 0;
	if (result != CSV_ROW)
		return ctl_error(EXIT_DATA, "line %zu: %s", im->csv.line, reason(result)) == 0;
	for (size_t i = 0; i < im->csv.count; i++) {
		const char *cell = im->csv.fields[i];
		size_t length = strlen(cell);
		text_trim(&cell, &length);
		const char *name = arena_copy(im->file, cell, length);

		if (has_column(im, name))
			return ctl_error(EXIT_DATA, "line %zu: there are two columns \"%s\"", im->csv.line, name) == 0;
		im->columns[i] = find_column(name);
		if (!im->columns[i])
			return ctl_error(EXIT_DATA, "line %zu: there is no column \"%s\"; `okulctl user import --help` lists them",
				im->csv.line, name) == 0;
		im->column_count++;
	}
	return has_column(im, "email") || ctl_error(EXIT_DATA, "line %zu: must name the columns, and among them email",
		im->csv.line) == 0;
}

static void
keep(void *node)
{
	(void)node;	/* the arena's */
}

static int
import_file(struct import *im, FILE *file)
{
	int code = EXIT_DATA;

	im->batch = arena_new(1 << 20);
	im->file = arena_new(1 << 16);
	if (!im->batch || !im->file)
		return ctl_error(EXIT_FAILURE, "out of memory");
	json_use(im->batch);
	csv_init(&im->csv, file);
	if (read_header(im))
		code = import_rows(im);
	csv_clear(&im->csv);
	json_use(NULL);
	tdestroy(im->emails, keep);
	tdestroy(im->usernames, keep);
	arena_free(im->batch);
	arena_free(im->file);
	return code;
}

static int
run(int argc, char **argv, const char *data)
{
	static const struct option options[] = { { "dry-run", no_argument, NULL, 'n' }, { 0 } };
	static struct import im;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return ctl_error(EXIT_USAGE, "`okulctl user import --help` says what can be asked");
		im.dry_run = true;
	}
	if (optind + 1 != argc)
		return ctl_error(EXIT_USAGE, "usage: okulctl user import %s", command_user_import.usage);
	const char *path = argv[optind];
	bool standard_input = strcmp(path, "-") == 0;
	FILE *file = standard_input ? stdin : fopen(path, "re");
	if (!file)
		return ctl_error(EXIT_DATA, "%s: %m", path);
	im.conf = ctl_conf(data);
	im.db = im.conf ? ctl_db(im.conf, im.dry_run ? DB_READ_ONLY : DB_READ_WRITE) : NULL;
	int code = im.db ? import_file(&im, file) : EXIT_CONFIG;
	db_close(im.db);
	if (!standard_input)
		fclose(file);
	return code;
}
