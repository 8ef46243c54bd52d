/*
 * okulctl user import - adds users from a table.
 *
 * The file is read in batches: the rows of a batch are checked, the good ones are written in one transaction, and
 * then the errors of the others are printed. So requests are served meanwhile, and the file may have any size.
 */
#include "okulctl.h"

#include "audit.h"
#include "clock.h"
#include "csv.h"
#include "user.h"
#include "user_table.h"
#include "utf8.h"

#include <errno.h>
#include <getopt.h>
#include <search.h>

static command_call run_user_import;

static const struct db_statements statements;

/* clang-format off */
const struct command command_user_import = {
	.name = "user import",
	.usage = "FILE.csv [--encoding NAME] [--dry-run]",
	.summary = "add users from a table, one a row",
	.help = "FILE.csv is text as spreadsheets write it (RFC 4180; commas, semicolons or tabs,\n"
		"with or without a first line sep=;), or - for standard input. Its first line\n"
		"names the columns, in any order: email, which every row needs, and any of\n"
		"  role language name surname username countryCode phoneNumber birthDate gender\n"
		"  timezone profilePhoto availabilityStatus interests expertise bio instagram x\n"
		"  tiktok snapchat facebook\n"
		"or their usual names in Turkish, English, Spanish or German, in upper or lower\n"
		"case (E-posta, Soyad, Geburtsdatum, Correo electrónico). An empty cell counts as\n"
		"missing; the default role is user, the default language English. The rules are\n"
		"those of the API. In addition\n"
		"  birthDate    may be 23.04.1998, 23/04/1998 or 23-04-1998, with the day first.\n"
		"               If any date has the month first (04/23/1998), the whole file is\n"
		"               refused, since 03/04/1998 would be ambiguous\n"
		"  phoneNumber  may have spaces and signs between its digits; +90 532 ... is\n"
		"               split into countryCode and number, and the 0 of 0532 ... is\n"
		"               removed if the country code is known. Digits alone stay as they\n"
		"               are\n"
		"  countryCode, language, gender  may be words: TR, Almanca, Kadın, weiblich\n"
		"\n"
		"The output of GET /users?format=csv is accepted too, with id, isActive and\n"
		"accountDeletionStatus; consents, times and isRegistrationComplete are ignored,\n"
		"since only the user can give a consent.\n"
		"\n"
		"Each error is printed on standard error, with the line of its row in the file\n"
		"(\"line 17: email: must be a valid e-mail address\"), and the exit code is 1; the\n"
		"other rows are imported. An address or user name that belongs to a user already,\n"
		"or that the file has twice, is an error too. Imported users complete the\n"
		"registration at their first login.\n"
		"--encoding NAME  the encoding of FILE.csv, if not UTF-8: windows-1254,\n"
		"                 windows-1252, utf-16 ...\n"
		"--dry-run        only check: nothing is changed. Run this first.\n",
	.run = run_user_import,
	.statements = &statements,
};

#define BATCH 500		/* rows a transaction: it keeps the writer lock for about 30 ms */
#define BATCH_TIME 50000	/* microseconds, then it ends earlier: others wait for it, 2 s at most */

enum { EMAIL, ROLE, PROFILE, OWN_ID = PROFILE + USER_FIELDS, IS_ACTIVE, DELETION };

static const struct shape import_shape = { .all_optional = true, .fields = FIELDS(
	{ "email", FIELD_EMAIL },
	{ "role", FIELD_ENUM, .oneof = role_enum },
	{ "", FIELD_PLUS, .of = &user_update_me },
	{ "id", FIELD_ID },
	{ "isActive", FIELD_BOOL },
	{ "accountDeletionStatus", FIELD_ENUM, .oneof = user_deletion_states }) };

#define COUNTRY_FIELD (&user_update_me.fields[USER_COUNTRY_CODE])
#define PHONE_FIELD (&user_update_me.fields[USER_PHONE_NUMBER])

/* A column that is ignored: consents, which only the user can give, and times, by which the keys of users are ordered. */
static const struct field passed_over = { .name = "" };

enum { TAKEN };

static const char *const sql[] = {
	[TAKEN] = "SELECT EXISTS (SELECT 1 FROM users WHERE email = ?1), EXISTS (SELECT 1 FROM users WHERE username = ?2),"
		" EXISTS (SELECT 1 FROM users WHERE id = ?3)",
};
static const struct db_statements statements = { sql, COUNT(sql) };

struct row {
	size_t line;
	cJSON *cells;		/* by their names in import_shape */
	const char *country, *phone;	/* cells that are read together; NULL: empty */
	const struct value *in;	/* of import_shape */
	char id[ID_TEXT];
	struct user_new user;	/* of a good row */
	struct buf errors;	/* a line each; empty: the row is good */
};

/* Fields that no two users share, in the order of the columns of TAKEN. */
static const struct { const char *name; int field; } unique[] = {
	{ "email", EMAIL }, { "username", PROFILE + USER_USERNAME }, { "id", OWN_ID },
};

struct import {
	const struct conf *conf;
	struct db *db;
	bool dry_run;
	struct csv csv;
	const struct field *columns[CSV_FIELDS_MAX];	/* NULL: one without heading */
	const char *headings[CSV_FIELDS_MAX];
	size_t column_count;
	struct arena *batch, *file;	/* of the current batch; of the whole run */
	void *seen[COUNT(unique)];	/* trees (tsearch()) of struct seen: the values of the file so far */
	struct row rows[BATCH];
	size_t count, stored;	/* in `rows`: read, and of these done with */
	int64_t good, bad;
};

/* ---- a row */

static void complain(struct row *row, const char *format, ...) printf_like(2, 3);
/* clang-format on */

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

/* The line above this one in which the text occurred first; 0: none. */
static size_t
line_above(struct import *im, void **tree, const char *text, size_t line)
{
	if (!text)
		return 0;
	struct seen *seen = arena_alloc(im->file, sizeof(*seen));
	*seen = (struct seen){ arena_string(im->file, text), line };
	const struct seen *const *first = tsearch(seen, tree, compare_seen);
	return first && *first != seen ? (*first)->line : 0;
}

static void
check_cells(struct import *im, struct row *row)
{
	const char *phone_error = user_table_phone(im->batch, &row->country, &row->phone);
	struct faults faults;

	if (row->country)
		field_add(im->batch, row->cells, COUNTRY_FIELD, row->country);
	if (row->phone)
		field_add(im->batch, row->cells, PHONE_FIELD, row->phone);
	faults_init(&faults, im->batch, EN);
	if (!json_get(row->cells, "email"))
		faults_add(&faults, "email", S_F_REQUIRED, NULL);
	row->in = field_read(&import_shape, row->cells, NULL, &faults);
	for (const struct fault *fault = faults.first; fault; fault = fault->next)
		complain(row, "%s", fault->text);
	if (phone_error)
		complain(row, "%s", phone_error);
	bool good = row->errors.length == 0;
	for (size_t i = 0; i < COUNT(unique); i++) {
		size_t above = line_above(im, &im->seen[i], value_string(row->in[unique[i].field]), row->line);
		if (good && above)
			complain(row, "%s: stands in line %zu already", unique[i].name, above);
	}
}

/* Takes a cell for its field. */
static void
read_cell(struct import *im, struct row *row, size_t column, const char *cell)
{
	const struct field *field = im->columns[column];
	const char *text = user_table_cell(im->batch, field, im->headings[column], cell), *date;

	if (field->type == FIELD_DATE && user_table_date(im->batch, cell, &date) == USER_TABLE_SHORT_YEAR)
		complain(row, "%s: the year must have four digits", field->name);
	else if (field == COUNTRY_FIELD)
		row->country = text;
	else if (field == PHONE_FIELD)
		row->phone = text;
	else
		field_add(im->batch, row->cells, field, text);
}

static const char *
trim_cell(struct arena *arena, const char *cell)
{
	size_t length = strlen(cell);

	utf8_trim(&cell, &length);
	return arena_copy(arena, cell, length);
}

/* False for a row without any text, which spreadsheets often leave at the end. */
static bool
read_cells(struct import *im, struct row *row)
{
	bool any = false;

	row->cells = cJSON_CreateObject();
	for (size_t i = 0; i < im->csv.count; i++) {
		const char *cell = trim_cell(im->batch, im->csv.fields[i]);

		if (!*cell)
			continue;
		any = true;
		if (i >= im->column_count)
			complain(row, "number of cells is %zu, of columns %zu", im->csv.count, im->column_count);
		else if (!im->columns[i])
			complain(row, "cell %zu holds text, and its column has no heading", i + 1);
		else if (im->columns[i] != &passed_over)
			read_cell(im, row, i, cell);
	}
	return any;
}

static const char *
csv_reason(enum csv_result result)
{
	static const char *const reasons[] = {
		[CSV_QUOTE] = "a quote stands where none may: a cell with quotes begins and ends with one, and doubles "
			      "those within",
		[CSV_OPEN] = "a cell begins with a quote, and no quote ends it",
		[CSV_UTF8] = "is not UTF-8 text", /* never: ctl_text() */
		[CSV_LONG] = "has too many cells, or too long ones; is a quote missing?",
	};

	return result == CSV_BROKEN ? strerror(errno) : reasons[result];
}

/* The user that a row describes; empty cells get the defaults of a new user. */
static struct user_new
import_user(const struct import *im, const struct row *row, int64_t now)
{
	const char *deletion = value_string(row->in[DELETION]);
	struct user_new user = {
		.id = row->id,
		.email = value_string(row->in[EMAIL]),
		.role = value_string(row->in[ROLE]),
		.is_deactivated = !value_truth(row->in[IS_ACTIVE], true),
		.created_at = now,
		.deletion_due = deletion && strcmp(deletion, "pending") == 0 ? now + im->conf->deletion_grace * DAY : 0,
	};

	memcpy(user.profile, user_changes(im->batch, row->in + PROFILE, USER_FIELDS), sizeof(user.profile));
	if (!value_string(user.profile[USER_TIMEZONE]))
		user.profile[USER_TIMEZONE] = value_text(im->conf->time_zone);
	return user;
}

/* Fills the next row; false at the end of the file. */
static bool
read_user_row(struct import *im, struct row *row, enum csv_result *result)
{
	do {
		*result = csv_next(&im->csv);
		*row = (struct row){ .line = im->csv.line, .errors.arena = im->batch };
		if (*result == CSV_END || *result == CSV_BROKEN)
			return false;
	} while (*result == CSV_ROW && !read_cells(im, row));
	if (*result != CSV_ROW) {
		complain(row, "%s", csv_reason(*result));
		return true;
	}
	check_cells(im, row);
	random_id(row->id);
	if (row->in[OWN_ID].type == VALUE_TEXT && row->errors.length == 0)
		memcpy(row->id, row->in[OWN_ID].bytes, ID_TEXT);
	row->user = import_user(im, row, clock_now());
	return true;
}

/* ---- a batch */

static void
check_taken(struct import *im, struct row *row)
{
	struct db_rows *taken;

	if (db_one(im->db, &taken, sql[TAKEN],
		    ARGS(row->in[unique[0].field], row->in[unique[1].field], row->in[unique[2].field])) == DB_ROW)
		for (size_t i = 0; i < COUNT(unique); i++)
			if (db_flag(taken, (int)i))
				complain(row, "%s: belongs to a user already", unique[i].name);
	db_end(taken);
}

static enum db_rc
import_add(struct import *im, struct row *row)
{
	const struct user_new *user = &row->user;
	enum db_rc rc = user_add(im->db, user, NULL);

	if (rc == DB_DONE)
		audit_add(im->db, user->created_at,
			&(struct audit){ .action = "user.added",
				.subject_id = user->id,
				.subject = user->email,
				.after = user->role ? user->role : "user" });
	return rc;
}

static enum db_rc
check_rows(struct import *im)
{
	enum db_rc rc;

	for (size_t i = im->stored; i < im->count; i++)
		if (im->rows[i].errors.length == 0)
			check_taken(im, &im->rows[i]);
	rc = db_failure(im->db);
	db_release(im->db);
	return rc;
}

/* One transaction; `*end` gets the number of the first row behind it. */
static enum db_rc
store_once(struct import *im, size_t *end)
{
	enum db_rc rc = db_write_begin(im->db);
	int64_t began = clock_ticks();

	if (rc != DB_DONE)
		return rc;
	*end = im->stored;
	while (*end < im->count && rc == DB_DONE && (*end == im->stored || clock_ticks() - began < BATCH_TIME)) {
		if (im->rows[*end].errors.length == 0)
			rc = import_add(im, &im->rows[*end]);
		++*end;
	}
	if (rc == DB_DONE)
		return db_write_commit(im->db);
	db_write_rollback(im->db);
	return rc;
}

static void
print_errors(struct import *im, size_t end)
{
	for (; im->stored < end; im->stored++) {
		const struct buf *errors = &im->rows[im->stored].errors;

		if (errors->length > 0)
			fputs(errors->s, stderr);
		im->bad += errors->length > 0;
		im->good += errors->length == 0;
	}
}

/* What another process has taken since the rows were checked is found by checking them again, outside the transaction. */
static enum db_rc
store_rows(struct import *im)
{
	enum db_rc rc = DB_DONE;
	size_t end = 0;

	while (im->stored < im->count && rc == DB_DONE) {
		int tries = 0;

		do {
			rc = store_once(im, &end);
			if (rc == DB_TAKEN)
				rc = check_rows(im) == DB_DONE ? DB_CONFLICT : db_failure(im->db);
		} while (ctl_again(im->db, rc, &tries));
		if (rc == DB_DONE)
			print_errors(im, end);
	}
	return rc;
}

static int
import_rows(struct import *im)
{
	enum csv_result result = CSV_ROW;
	enum db_rc rc = DB_DONE;

	while (result != CSV_END) {
		im->count = im->stored = 0;
		while (im->count < BATCH && read_user_row(im, &im->rows[im->count], &result))
			im->count++;
		if (result == CSV_BROKEN)
			return ctl_error(EXIT_FAILURE, "the file cannot be read further: %m; %lld users are imported",
				(long long)im->good);
		rc = im->dry_run ? check_rows(im) : store_rows(im);
		if (rc != DB_DONE)
			return ctl_error(EXIT_FAILURE, "stopped at line %zu: %s; the %lld good rows above it are imported",
				im->rows[im->stored].line, db_reason(rc), (long long)im->good);
		print_errors(im, im->count);
		arena_reset(im->batch);
	}
	printf("users %s: %lld, rows with errors: %lld%s\n", im->dry_run ? "to import" : "imported", (long long)im->good,
		(long long)im->bad, im->dry_run ? "; nothing was changed" : "");
	return im->bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the file */

static bool
has_column(const struct import *im, const char *name)
{
	for (size_t i = 0; i < im->column_count; i++)
		if (im->columns[i] && strcmp(im->columns[i]->name, name) == 0)
			return true;
	return false;
}

/* The first row with any text: its cells become im->headings. */
static bool
find_header(struct import *im)
{
	enum csv_result result;
	bool any = false;

	while (!any) {
		if ((result = csv_next(&im->csv)) == CSV_END)
			return ctl_fail("the file is empty; its first line names the columns");
		if (result != CSV_ROW)
			return ctl_fail("line %zu: %s", im->csv.line, csv_reason(result));
		for (size_t i = 0; i < im->csv.count; i++) {
			im->headings[i] = trim_cell(im->file, im->csv.fields[i]);
			any = any || im->headings[i][0];
		}
	}
	return true;
}

static bool
read_header(struct import *im)
{
	const char *names[CSV_FIELDS_MAX];
	im->column_count = 0;

	if (!find_header(im))
		return false;
	user_table_columns(im->file, im->headings, im->csv.count, names);
	for (size_t i = 0; i < im->csv.count; i++) {
		const struct field *field = names[i] ? field_find(&import_shape, names[i]) : NULL;

		if (!names[i] && im->headings[i][0])
			return ctl_fail("line %zu: there is no column \"%s\"; `okulctl user import --help` lists them",
				im->csv.line, im->headings[i]);
		if (field && has_column(im, names[i]))
			return ctl_fail("line %zu: there are two columns \"%s\"", im->csv.line, names[i]);
		im->columns[im->column_count++] = field || !names[i] ? field : &passed_over;
	}
	return has_column(im, "email") || ctl_fail("line %zu: must name the columns, and among them email", im->csv.line);
}

static bool
open_table(struct import *im, FILE *file)
{
	csv_clear(&im->csv);
	rewind(file);
	csv_init(&im->csv, file);
	return read_header(im);
}

/* A file in which a date has the month first is refused: its other dates would be misread silently. */
static bool
check_dates(struct import *im)
{
	enum csv_result result;
	const char *date;

	while ((result = csv_next(&im->csv)) != CSV_END && result != CSV_BROKEN) {
		for (size_t i = 0; result == CSV_ROW && i < im->csv.count && i < im->column_count; i++) {
			const char *cell = trim_cell(im->batch, im->csv.fields[i]);

			if (im->columns[i] && im->columns[i]->type == FIELD_DATE &&
				user_table_date(im->batch, cell, &date) == USER_TABLE_MONTH_FIRST)
				return ctl_fail("line %zu: %s: %s has the month first, and okul reads the day first: "
						"nothing was done. Let the spreadsheet write dates like 1998-04-23",
					im->csv.line, im->columns[i]->name, cell);
		}
		arena_reset(im->batch);
	}
	return true;
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
	if (open_table(im, file) && check_dates(im) && open_table(im, file))
		code = import_rows(im);
	csv_clear(&im->csv);
	json_use(NULL);
	arena_free(im->batch);
	arena_free(im->file);
	return code;
}

static int
run_user_import(int argc, char **argv, const char *data)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "encoding", required_argument, NULL, 'e' },
		{ 0 },
	};
	static struct import im;
	const char *encoding = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return ctl_error(EXIT_USAGE, "`okulctl user import --help` lists the options");
		im.dry_run = im.dry_run || option == 'n';
		encoding = option == 'e' ? optarg : encoding;
	}
	if (optind + 1 != argc)
		return ctl_error(EXIT_USAGE, "usage: okulctl user import %s", command_user_import.usage);
	FILE *file = ctl_text(argv[optind], encoding, 0);
	if (!file)
		return EXIT_DATA;
	im.conf = ctl_conf(data);
	im.db = ctl_db(im.conf, im.dry_run ? DB_READ_ONLY : DB_READ_WRITE);
	int code = im.db ? import_file(&im, file) : EXIT_CONFIG;
	db_close(im.db);
	fclose(file);
	return code;
}
