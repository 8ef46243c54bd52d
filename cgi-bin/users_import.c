/* users - many users at once, from a table: what `okulctl user import` reads, in one request. */
#include "user_import.h"
#include "users.h"

/* So many take the writer lock for 60 ms, and on PostgreSQL a second. */
#define ROWS_MAX 1000

/* clang-format off */
enum { CSV, DRY_RUN };

static const struct shape import_users = { .name = "ImportUsersDto", .fields = FIELDS(
	[CSV] = { "csv", FIELD_TEXT, 1, .raw = true, .example = "\"email,name,surname\\nada@example.com,Ada,Lovelace\\n\"",
	  .note = "a table with a line of headings, as GET /users?format=csv gives it; at most 1000 rows" },
	[DRY_RUN] = { "dryRun", FIELD_BOOL, .optional = true, .note = "only check: nothing is written. false unless given" }) };

static const struct shape import_error = { .name = "ImportErrorDto", .fields = FIELDS(
	{ "row", FIELD_INT, 1, .note = "line of the table, from 1", .example = "17" },
	{ "message", FIELD_TEXT, 1, 500, .example = "\"email: must be a valid e-mail address\"" }) };

static const struct shape import_response = { .name = "ImportUsersResponseDto", .fields = FIELDS(
	{ "total", FIELD_INT, 0, .note = "rows", .example = "31" },
	{ "created", FIELD_INT, 0, .note = "users that are new; with dryRun: that would be", .example = "28" },
	{ "known", FIELD_INT, 0, .note = "rows whose address a user has already; nothing changes for them", .example = "3" },
	{ "errors", FIELD_LIST, .of = &import_error }) };

static void check_import(struct request *rq, struct faults *faults);
static response_handler post_import;

static const struct route routes[] = {
	{ POST, "/users/import", ADMIN, post_import, .check = check_import, .in = &import_users, .out = &import_response,
	  .writes = true, .title = "Import users from a table (Admin)",
	  .note = "All rows or none: where one has an error, nothing is written and each error is told as csv[line]. With dryRun the errors "
	  "are in the response. Only a superadmin adds admins. Imported users complete the registration at their first login.",
	  .example = "{\"csv\":\"email,name\\nada@example.com,Ada\\n\",\"dryRun\":true}" },
};

const struct section users_import = { routes, COUNT(routes), NULL, 0 };

struct prepared {
	struct table_row { struct user_import_row row; struct table_row *next; } *first;
	int64_t total, good, known;
};
/* clang-format on */

/* "csv[17]: email: must be ..." */
static void
add_fault(struct faults *faults, size_t line, const char *text)
{
	struct fault *fault = arena_alloc(faults->arena, sizeof(*fault));

	*fault = (struct fault){ line ? arena_format(faults->arena, "csv[%zu]: %s", line, text)
				      : arena_format(faults->arena, "csv: %s", text),
		NULL };
	if (!faults_enough(faults)) {
		*faults->last = fault;
		faults->last = &fault->next;
		faults->count++;
	}
}

/* Counts a row. Rows of known users are passed over; the errors of others are kept, or are faults of the request. */
static void
judge(struct request *rq, struct user_import *im, struct prepared *prepared, struct user_import_row *row, struct faults *faults)
{
	const char *role = row->first ? NULL : row->user.role;

	user_import_check(im, rq->db, row);
	prepared->total++;
	if (row->is_known) {
		prepared->known++;
		row->first = NULL;
		return;
	}
	if (role && strcmp(role, "user") != 0 && rq->user->role < SUPERADMIN)
		user_import_complain(im, row, sentence(S_TABLE_STAFF, rq->language));
	prepared->good += !row->first;
	for (const struct user_import_error *error = row->first; error && faults; error = error->next)
		add_fault(faults, row->line, error->text);
}

static void
read_rows(struct request *rq, struct user_import *im, struct prepared *prepared, struct faults *faults)
{
	struct table_row **last = &prepared->first;
	struct table_row *one;

	for (;;) {
		one = arena_alloc(rq->arena, sizeof(*one));
		if (user_import_read(im, &one->row) != USER_IMPORT_ROW)
			return;
		if (prepared->total == ROWS_MAX) {
			faults_add(faults, "csv", S_TABLE_ROWS, arena_format(rq->arena, "%d", ROWS_MAX));
			return;
		}
		judge(rq, im, prepared, &one->row, value_truth(rq->in[DRY_RUN], false) ? NULL : faults);
		*last = one;
		last = &one->next;
	}
}

static void
check_import(struct request *rq, struct faults *faults)
{
	struct user_import im = { .conf = rq->conf, .language = rq->language, .rows = rq->arena, .whole = rq->arena };

	if (rq->faults.count > 0)
		return;
	rq->prepared = arena_alloc(rq->arena, sizeof(struct prepared));
	FILE *file = fmemopen((void *)rq->in[CSV].bytes, rq->in[CSV].length, "r");
	if (!file || !user_import_open(&im, file))
		add_fault(faults, im.line, file ? im.why : sentence(S_TABLE_BROKEN, rq->language));
	else
		read_rows(rq, &im, rq->prepared, faults);
	user_import_clear(&im);
	if (file)
		fclose(file);
}

static struct response
post_import(struct request *rq)
{
	const struct prepared *prepared = rq->prepared;
	const bool dry = value_truth(rq->in[DRY_RUN], false);

	for (const struct table_row *one = prepared->first; one && !dry; one = one->next)
		if (!one->row.is_known && user_import_add(rq->db, &one->row, rq->user->id, rq->user->email) == DB_TAKEN)
			return response_again(rq);
	response_begin(rq);
	data_int(rq, "total", prepared->total);
	data_int(rq, "created", prepared->good);
	data_int(rq, "known", prepared->known);
	data_list(rq, "errors");
	for (const struct table_row *one = prepared->first; one; one = one->next)
		for (const struct user_import_error *error = one->row.first; error; error = error->next) {
			data_object(rq, NULL);
			data_int(rq, "row", (int64_t)one->row.line);
			data_text(rq, "message", error->text);
			data_end_object(rq);
		}
	data_end_list(rq);
	return response_done(rq);
}
