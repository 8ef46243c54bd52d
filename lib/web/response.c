#include "response.h"

#include "json_write.h"

#include <strings.h>

/* ---- errors */

struct response
response_error(struct request *rq, enum error error)
{
	(void)rq;
	return (struct response){ .status = error_status(error), .error = error };
}

struct response
response_error_keep(struct request *rq, enum error error)
{
	struct response response = response_error(rq, error);

	response.commit = true;
	return response;
}

struct response
response_wait(struct request *rq, enum error error, int64_t milliseconds)
{
	struct response response = response_error(rq, error);

	response.retry_after = milliseconds > SECOND ? (milliseconds + SECOND - 1) / SECOND : 1;
	return response;
}

/* ---- success */

static void
begin_data(struct request *rq, char bracket)
{
	buf_reset(rq->out, SIZE_MAX);
	rq->links = rq->last_link = NULL;
	json_put_raw(rq->out, NULL, "{\"isSuccess\":true");
	json_put_int(rq->out, "statusCode", rq->success);
	if (bracket == '{')
		json_put_object(rq->out, "data");
	else
		json_put_list(rq->out, "data");
}

void
response_begin(struct request *rq)
{
	begin_data(rq, '{');
}

struct response
response_done(struct request *rq)
{
	json_put_end_object(rq->out);
	return (struct response){ .status = rq->success };
}

struct response
response_message(struct request *rq, enum sentence which)
{
	response_begin(rq);
	json_put_text(rq->out, "message", sentence(which, rq->language));
	return response_done(rq);
}

const struct shape delete_response = { .name = "DeleteResponseDto", .fields = FIELDS(
	{ "message", FIELD_TEXT, 1, 200, .example = "\"It has been deleted\"" },
	{ "id", FIELD_ID }) };

struct response
response_deleted(struct request *rq, enum sentence which, const char *id)
{
	response_begin(rq);
	json_put_text(rq->out, "message", sentence(which, rq->language));
	json_put_text(rq->out, "id", id);
	return response_done(rq);
}

struct response
response_of_row(struct request *rq, enum db_rc rc, struct db_rows *row, const struct shape *shape)
{
	if (rc != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	response_put_row(rq, shape, row, 0);
	db_end(row);
	return response_done(rq);
}

struct response
response_row(struct request *rq, const char *sql, struct args args, const struct shape *shape)
{
	struct db_rows *row;
	enum db_rc rc = db_one(rq->db, &row, sql, args);

	return response_of_row(rq, rc, row, shape);
}

/* Gives the number of rows. */
static int64_t
put_all(struct request *rq, const char *sql, struct args args, const struct shape *shape)
{
	struct db_rows *rows;
	int64_t count = 0;

	for (enum db_rc rc = db_one(rq->db, &rows, sql, args); rc == DB_ROW; rc = db_next(rows), count++)
		response_put_row_object(rq, NULL, shape, rows, 0);
	db_end(rows);
	json_put_end_list(rq->out);
	return count;
}

void
response_put_rows(struct request *rq, const char *name, const char *sql, struct args args, const struct shape *shape)
{
	json_put_list(rq->out, name);
	put_all(rq, sql, args, shape);
}

struct response
response_rows(struct request *rq, const char *sql, struct args args, const struct shape *shape)
{
	begin_data(rq, '[');
	put_all(rq, sql, args, shape);
	return (struct response){ .status = rq->success };
}

/* The rows of a page: the statement takes args, and behind them limit and offset. */
struct paged {
	struct page page;
	struct value values[ARGS_MAX + 2];
	struct args args;
};

static void
page_begin(struct request *rq, struct paged *paged, struct args args)
{
	paged->page = page_of(rq->in);
	memcpy(paged->values, args.values, args.count * sizeof(*args.values));
	paged->values[args.count] = value_int(paged->page.limit);
	paged->values[args.count + 1] = value_int(paged->page.offset);
	paged->args = (struct args){ paged->values, args.count + 2 };
	response_begin(rq);
}

/* The total behind a page of `shown` rows. One that is not full is the last, and tells it; a search need not run again. */
static int64_t
total_of(struct request *rq, const struct page *page, int64_t shown, const char *count, struct args args)
{
	struct db_rows *row;
	int64_t total = 0;

	if (shown < page->limit && (shown > 0 || page->offset == 0))
		return page->offset + shown;
	if (db_one(rq->db, &row, count, args) == DB_ROW)
		total = db_int(row, 0);
	db_end(row);
	return total;
}

static struct response
page_done(struct request *rq, const struct paged *paged, int64_t shown, const char *count, struct args args)
{
	int64_t total = total_of(rq, &paged->page, shown, count, args);

	json_put_object(rq->out, "pagination");
	json_put_int(rq->out, "page", paged->page.number);
	json_put_int(rq->out, "limit", paged->page.limit);
	json_put_int(rq->out, "total", total);
	json_put_int(rq->out, "totalPages", page_count(&paged->page, total));
	json_put_end_object(rq->out);
	return response_done(rq);
}

struct response
response_list(struct request *rq, const char *count, const char *rows_sql, struct args args, const struct shape *shape)
{
	struct paged paged;

	page_begin(rq, &paged, args);
	json_put_list(rq->out, "items");
	return page_done(rq, &paged, put_all(rq, rows_sql, paged.args, shape), count, args);
}

struct response
response_list_by(struct request *rq, const char *count, const char *rows_sql, struct args args,
	void (*put)(struct request *rq, const struct db_rows *row))
{
	struct paged paged;
	struct db_rows *rows;
	int64_t shown = 0;

	page_begin(rq, &paged, args);
	json_put_list(rq->out, "items");
	for (enum db_rc rc = db_one(rq->db, &rows, rows_sql, paged.args); rc == DB_ROW; rc = db_next(rows), shown++)
		put(rq, rows);
	db_end(rows);
	json_put_end_list(rq->out);
	return page_done(rq, &paged, shown, count, args);
}

static struct response
response_table(struct request *rq, const char *name, const char *rows, struct args args, const struct shape *shape,
	char separator, bool walk)
{
	struct table *table = arena_alloc(rq->arena, sizeof(*table));
	struct value *values = arena_alloc(rq->arena, (args.count + 1) * sizeof(*values));

	memcpy(values, args.values, args.count * sizeof(*values));
	*table = (struct table){ name, rows, { values, args.count }, shape, separator, walk };
	return (struct response){ .status = rq->success, .table = table };
}

struct response
response_csv(struct request *rq, const char *name, const char *rows, struct args args, const struct shape *shape, char separator)
{
	return response_table(rq, name, rows, args, shape, separator, false);
}

struct response
response_csv_walk(struct request *rq, const char *name, const char *rows, struct args args, const struct shape *shape,
	char separator)
{
	return response_table(rq, name, rows, args, shape, separator, true);
}

struct response
response_file(struct request *rq, const char *path, const char *type)
{
	return (struct response){ .status = rq->success, .file = path, .file_type = type };
}

struct response
response_download(struct request *rq, const char *path, const char *type, const char *disposition, bool is_public)
{
	struct response response = response_file(rq, path, type);

	response.file_disposition = disposition;
	/* A private file is asked for anew each time: the right to it may have ended. */
	response.file_cache = is_public ? "public, max-age=86400" : "private, no-cache";
	return response;
}

/* ---- rows as objects */

static void
put_value(struct request *rq, const struct field *field, const struct value *value)
{
	switch (value->type) {
	case VALUE_NULL:
		json_put_null(rq->out, field->name);
		break;
	case VALUE_BOOL:
		json_put_bool(rq->out, field->name, value->truth);
		break;
	case VALUE_INT:
		if (field->type == FIELD_TIME)
			json_put_time(rq->out, field->name, value->integer);
		else if (field->type == FIELD_BOOL)
			json_put_bool(rq->out, field->name, value->integer);
		else
			json_put_int(rq->out, field->name, value->integer);
		break;
	case VALUE_REAL:
		json_put_number(rq->out, field->name, value->real);
		break;
	default:
		if (field->type == FIELD_JSON || field->type == FIELD_LIST || field->type == FIELD_OBJECT)
			json_put_raw_of(rq->out, field->name, value->bytes, value->length);
		else
			json_put_text_of(rq->out, field->name, value->bytes, value->length);
	}
}

#ifdef OKUL_TEST
/* Columns that are not the shape's fields would put values under wrong names. The column created_at is the field createdAt. */
static void
check_column(const struct shape *shape, const char *field, const char *column)
{
	const char *c = column, *f = field;

	for (; *c && (*c == '_' || strncasecmp(c, f, 1) == 0); c++)
		f += *c != '_';
	if (*c || *f) {
		fprintf(stderr, "%s.%s is filled from column %s\n", shape->name, field, column);
		abort();
	}
}
#endif

int
response_put_row(struct request *rq, const struct shape *shape, const struct db_rows *rows, int column)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, shape))) {
		if (field->admin_only && !request_is_admin(rq)) {
			column++;
			continue;
		}
#ifdef OKUL_TEST
		check_column(shape, field->name, db_name(rows, column));
#endif
		struct value value = db_value(rows, column++);
		put_value(rq, field, &value);
	}
	return column;
}

void
response_put_row_object(struct request *rq, const char *name, const struct shape *shape, const struct db_rows *rows, int column)
{
	json_put_object(rq->out, name);
	response_put_row(rq, shape, rows, column);
	json_put_end_object(rq->out);
}
