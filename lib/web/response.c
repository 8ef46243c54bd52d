#include "response.h"

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

struct response
response_again(struct request *rq)
{
	struct response response = response_error(rq, ERROR_BUSY);

	response.again = true;
	return response;
}

/* ---- success */

void
response_begin(struct request *rq)
{
	data_begin(rq, '{');
}

struct response
response_done(struct request *rq)
{
	data_end_object(rq);
	return (struct response){ .status = rq->success };
}

struct response
response_message(struct request *rq, enum sentence which)
{
	response_begin(rq);
	data_text(rq, "message", sentence(which, rq->language));
	return response_done(rq);
}

const struct shape delete_response = { .name = "DeleteResponseDto", .fields = FIELDS(
	{ "message", FIELD_TEXT, 1, 200, .example = "\"It has been deleted\"" },
	{ "id", FIELD_ID }) };

struct response
response_deleted(struct request *rq, enum sentence which, const char *id)
{
	response_begin(rq);
	data_text(rq, "message", sentence(which, rq->language));
	data_text(rq, "id", id);
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
	data_end_list(rq);
	return count;
}

void
response_put_rows(struct request *rq, const char *name, const char *sql, struct args args, const struct shape *shape)
{
	data_list(rq, name);
	put_all(rq, sql, args, shape);
}

struct response
response_rows(struct request *rq, const char *sql, struct args args, const struct shape *shape)
{
	data_begin(rq, '[');
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

	data_object(rq, "pagination");
	data_int(rq, "page", paged->page.number);
	data_int(rq, "limit", paged->page.limit);
	data_int(rq, "total", total);
	data_int(rq, "totalPages", page_count(&paged->page, total));
	data_end_object(rq);
	return response_done(rq);
}

struct response
response_list(struct request *rq, const char *count, const char *rows_sql, struct args args, const struct shape *shape)
{
	struct paged paged;

	page_begin(rq, &paged, args);
	data_list(rq, "items");
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
	data_list(rq, "items");
	for (enum db_rc rc = db_one(rq->db, &rows, rows_sql, paged.args); rc == DB_ROW; rc = db_next(rows), shown++)
		put(rq, rows);
	db_end(rows);
	data_end_list(rq);
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
		/* A statement whose columns are not the shape's fields would answer under wrong names. */
		if (strcmp(db_name(rows, column), field->name) != 0) {
			fprintf(stderr, "%s.%s is filled from column %s\n", shape->name, field->name, db_name(rows, column));
			abort();
		}
#endif
		struct value value = db_value(rows, column++);
		data_value(rq, field, &value);
	}
	return column;
}

void
response_put_row_object(struct request *rq, const char *name, const struct shape *shape, const struct db_rows *rows, int column)
{
	data_object(rq, name);
	response_put_row(rq, shape, rows, column);
	data_end_object(rq);
}
