#include "user_import.h"

#include "audit.h"
#include "clock.h"
#include "json.h"
#include "random.h"
#include "user_table.h"
#include "utf8.h"

#include <errno.h>
#include <search.h>

/* clang-format off */
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

static const char *const import_sql[] = {
	[TAKEN] = "SELECT EXISTS (SELECT 1 FROM users WHERE email = ?1), EXISTS (SELECT 1 FROM users WHERE username = ?2),"
		" EXISTS (SELECT 1 FROM users WHERE id = ?3)",
};
const struct db_statements user_import_statements = { import_sql, COUNT(import_sql) };

/* Fields that no two users share, in the order of the columns of TAKEN. */
static const struct { const char *name; int field; } unique[USER_IMPORT_UNIQUE] = {
	[USER_IMPORT_EMAIL] = { "email", EMAIL },
	[USER_IMPORT_USERNAME] = { "username", PROFILE + USER_USERNAME },
	[USER_IMPORT_ID] = { "id", OWN_ID },
};
/* clang-format on */

/* ---- errors */

void
user_import_complain(struct user_import *im, struct user_import_row *row, const char *text)
{
	struct user_import_error *error = arena_alloc(im->rows, sizeof(*error));

	*error = (struct user_import_error){ text, NULL };
	*row->last = error;
	row->last = &error->next;
}

/* "name: sentence"; `name` NULL: the sentence. */
static void
complain(struct user_import *im, struct user_import_row *row, const char *name, enum sentence what, const char *argument)
{
	struct buf text = { .arena = im->rows };

	if (name)
		buf_printf(&text, "%s: ", name);
	buf_sentence(&text, what, im->language, argument);
	user_import_complain(im, row, text.s);
}

static bool
refuse(struct user_import *im, size_t line, enum sentence what, const char *argument)
{
	struct buf text = { .arena = im->whole };

	buf_sentence(&text, what, im->language, argument);
	im->why = text.s;
	im->line = line;
	return false;
}

static enum sentence
csv_sentence(enum csv_result result)
{
	static const enum sentence sentences[] = {
		[CSV_QUOTE] = S_TABLE_QUOTE,
		[CSV_OPEN] = S_TABLE_OPEN,
		[CSV_UTF8] = S_BAD_UTF8,
		[CSV_LONG] = S_TABLE_LONG,
		[CSV_BROKEN] = S_TABLE_BROKEN,
	};

	return sentences[result];
}

/* ---- a row */

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
line_above(struct user_import *im, void **tree, const char *text, size_t line)
{
	if (!text)
		return 0;
	struct seen *seen = arena_alloc(im->whole, sizeof(*seen));
	*seen = (struct seen){ arena_string(im->whole, text), line };
	const struct seen *const *first = tsearch(seen, tree, compare_seen);
	return first && *first != seen ? (*first)->line : 0;
}

static void
check_cells(struct user_import *im, struct user_import_row *row)
{
	const char *phone_error = user_table_phone(im->rows, im->language, &row->country, &row->phone);
	struct faults faults;

	if (row->country)
		field_add(im->rows, row->cells, COUNTRY_FIELD, row->country);
	if (row->phone)
		field_add(im->rows, row->cells, PHONE_FIELD, row->phone);
	faults_init(&faults, im->rows, im->language);
	if (!json_get(row->cells, "email"))
		faults_add(&faults, "email", S_F_REQUIRED, NULL);
	row->in = field_read(&import_shape, row->cells, NULL, &faults);
	for (const struct fault *fault = faults.first; fault; fault = fault->next)
		user_import_complain(im, row, fault->text);
	if (phone_error)
		user_import_complain(im, row, phone_error);
	bool good = !row->first;
	for (size_t i = 0; i < COUNT(unique); i++) {
		size_t above = line_above(im, &im->seen[i], value_string(row->in[unique[i].field]), row->line);
		if (good && above)
			complain(im, row, unique[i].name, S_TABLE_TWICE, arena_format(im->rows, "%zu", above));
	}
}

/* Takes a cell for its field. */
static void
read_cell(struct user_import *im, struct user_import_row *row, size_t column, const char *cell)
{
	const struct field *field = im->columns[column];
	const char *text = user_table_cell(im->rows, field, im->headings[column], cell), *date;

	if (field->type == FIELD_DATE && user_table_date(im->rows, cell, &date) == USER_TABLE_SHORT_YEAR)
		complain(im, row, field->name, S_TABLE_YEAR, NULL);
	else if (field == COUNTRY_FIELD)
		row->country = text;
	else if (field == PHONE_FIELD)
		row->phone = text;
	else
		field_add(im->rows, row->cells, field, text);
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
read_cells(struct user_import *im, struct user_import_row *row)
{
	bool any = false;

	row->cells = cJSON_CreateObject();
	for (size_t i = 0; i < im->csv.count; i++) {
		const char *cell = trim_cell(im->rows, im->csv.fields[i]);

		if (!*cell)
			continue;
		any = true;
		if (i >= im->column_count)
			complain(im, row, NULL, S_TABLE_CELLS,
				arena_format(im->rows, "%zu, %zu", im->csv.count, im->column_count));
		else if (!im->columns[i])
			complain(im, row, NULL, S_TABLE_NO_HEADING, arena_format(im->rows, "%zu", i + 1));
		else if (im->columns[i] != &passed_over)
			read_cell(im, row, i, cell);
	}
	return any;
}

/* The user that a row describes; empty cells get the defaults of a new user. */
static struct user_new
import_user(const struct user_import *im, const struct user_import_row *row, int64_t now)
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

	memcpy(user.profile, user_changes(im->rows, row->in + PROFILE, USER_FIELDS), sizeof(user.profile));
	if (!value_string(user.profile[USER_TIMEZONE]))
		user.profile[USER_TIMEZONE] = value_text(im->conf->time_zone);
	return user;
}

enum user_import_rc
user_import_read(struct user_import *im, struct user_import_row *row)
{
	enum csv_result result;

	do {
		result = csv_next(&im->csv);
		*row = (struct user_import_row){ .line = im->csv.line };
		row->last = &row->first;
		if (result == CSV_END || result == CSV_BROKEN)
			return result == CSV_END ? USER_IMPORT_END : USER_IMPORT_BROKEN;
	} while (result == CSV_ROW && !read_cells(im, row));
	if (result != CSV_ROW) {
		complain(im, row, NULL, csv_sentence(result), NULL);
		return USER_IMPORT_ROW;
	}
	check_cells(im, row);
	random_id(row->id);
	if (row->in[OWN_ID].type == VALUE_TEXT && !row->first)
		memcpy(row->id, row->in[OWN_ID].bytes, ID_TEXT);
	row->user = import_user(im, row, clock_now());
	return USER_IMPORT_ROW;
}

/* ---- users */

void
user_import_check(struct user_import *im, struct db *db, struct user_import_row *row)
{
	struct db_rows *taken;

	if (row->first)
		return;
	if (db_one(db, &taken, import_sql[TAKEN],
		    ARGS(row->in[unique[0].field], row->in[unique[1].field], row->in[unique[2].field])) == DB_ROW) {
		row->is_known = db_flag(taken, USER_IMPORT_EMAIL);
		for (size_t i = 0; i < COUNT(unique); i++)
			if (db_flag(taken, (int)i))
				complain(im, row, unique[i].name, S_TABLE_TAKEN, NULL);
	}
	db_end(taken);
}

enum db_rc
user_import_add(struct db *db, const struct user_import_row *row, const char *actor_id, const char *actor_email)
{
	const struct user_new *user = &row->user;
	enum db_rc rc = user_add(db, user, NULL);

	if (rc == DB_DONE)
		audit_add(db, user->created_at,
			&(struct audit){ actor_id, actor_email, "user.added", user->id, user->email,
				.after = user->role ? user->role : "user" });
	return rc;
}

/* ---- the table */

static bool
has_column(const struct user_import *im, const char *name)
{
	for (size_t i = 0; i < im->column_count; i++)
		if (im->columns[i] && strcmp(im->columns[i]->name, name) == 0)
			return true;
	return false;
}

/* The first row with any text: its cells become im->headings. */
static bool
find_header(struct user_import *im)
{
	enum csv_result result;
	bool any = false;

	while (!any) {
		if ((result = csv_next(&im->csv)) == CSV_END)
			return refuse(im, 0, S_TABLE_EMPTY, NULL);
		if (result != CSV_ROW)
			return refuse(im, im->csv.line, csv_sentence(result), NULL);
		for (size_t i = 0; i < im->csv.count; i++) {
			im->headings[i] = trim_cell(im->whole, im->csv.fields[i]);
			any = any || im->headings[i][0];
		}
	}
	return true;
}

static bool
read_header(struct user_import *im)
{
	const char *names[CSV_FIELDS_MAX];

	im->column_count = 0;
	if (!find_header(im))
		return false;
	user_table_columns(im->whole, im->headings, im->csv.count, names);
	for (size_t i = 0; i < im->csv.count; i++) {
		const struct field *field = names[i] ? field_find(&import_shape, names[i]) : NULL;

		im->is_unknown_column = !names[i] && im->headings[i][0];
		if (im->is_unknown_column)
			return refuse(im, im->csv.line, S_TABLE_NO_COLUMN, im->headings[i]);
		if (field && has_column(im, names[i]))
			return refuse(im, im->csv.line, S_TABLE_COLUMN_TWICE, names[i]);
		im->columns[im->column_count++] = field || !names[i] ? field : &passed_over;
	}
	return has_column(im, "email") || refuse(im, im->csv.line, S_TABLE_NO_EMAIL, NULL);
}

static bool
open_table(struct user_import *im, FILE *file)
{
	csv_clear(&im->csv);
	rewind(file);
	csv_init(&im->csv, file);
	return read_header(im);
}

/* A table in which a date has the month first is refused: its other dates would be misread silently. */
static bool
check_dates(struct user_import *im)
{
	struct arena *arena = arena_new(1 << 16);
	enum csv_result result = arena ? CSV_ROW : CSV_END;
	bool good = arena || refuse(im, 0, S_TABLE_BROKEN, NULL);
	const char *date;

	while (good && (result = csv_next(&im->csv)) != CSV_END && result != CSV_BROKEN) {
		for (size_t i = 0; good && result == CSV_ROW && i < im->csv.count && i < im->column_count; i++) {
			const char *cell = trim_cell(arena, im->csv.fields[i]);

			if (im->columns[i] && im->columns[i]->type == FIELD_DATE &&
				user_table_date(arena, cell, &date) == USER_TABLE_MONTH_FIRST)
				good = refuse(im, im->csv.line, S_TABLE_MONTH,
					arena_format(arena, "%s: %s", im->columns[i]->name, cell));
		}
		arena_reset(arena);
	}
	arena_free(arena);
	return good;
}

bool
user_import_open(struct user_import *im, FILE *file)
{
	return open_table(im, file) && check_dates(im) && open_table(im, file);
}

/* What the trees name is in an arena. */
static void
keep(void *seen)
{
	(void)seen;
}

void
user_import_clear(struct user_import *im)
{
	for (size_t i = 0; i < COUNT(unique); i++) {
		tdestroy(im->seen[i], keep);
		im->seen[i] = NULL;
	}
	csv_clear(&im->csv);
}
