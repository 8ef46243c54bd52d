#include "response.h"

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

struct response
response_again(struct request *rq)
{
	struct response response = response_error(rq, ERROR_BUSY);

	response.again = true;
	return response;
}

/* ---- success */

static void
put_values(struct request *rq, const struct shape *shape, struct args args)
{
	struct field_walk walk = { 0 };
	const struct field *field;
	size_t i = 0;

	while ((field = field_next(&walk, shape)) && i < args.count)
		data_value(rq, field, &args.values[i++]);
#ifdef OKUL_TEST
	if (field || i < args.count) {
		fprintf(stderr, "%s is filled from %zu values\n", shape->name, args.count);
		abort();
	}
#endif
}

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

const struct shape delete_response = { .name = "DeleteResponseDto",
	.fields = FIELDS({ "message", FIELD_TEXT, 1, 200, .example = "\"It has been deleted\"" }, { "id", FIELD_ID }) };

struct response
response_deleted(struct request *rq, enum sentence which, const char *id)
{
	return response_values(rq, &delete_response, ARGS(sentence(which, rq->language), id));
}

struct response
response_values(struct request *rq, const struct shape *shape, struct args args)
{
	response_begin(rq);
	put_values(rq, shape, args);
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

/* The rows of a statement as objects of the open list, which it ends. Returns their number. */
static int64_t
put_all(struct request *rq, const char *sql, struct args args, const struct shape *shape, response_put_fields *put)
{
	struct db_rows *rows;
	int64_t count = 0;

	for (enum db_rc rc = db_one(rq->db, &rows, sql, args); rc == DB_ROW; rc = db_next(rows), count++) {
		data_object(rq, NULL);
		if (put)
			put(rq, rows);
		else
			response_put_row(rq, shape, rows, 0);
		data_end_object(rq);
	}
	db_end(rows);
	data_end_list(rq);
	return count;
}

void
response_put_rows(struct request *rq, const char *name, const char *sql, struct args args, const struct shape *shape)
{
	data_list(rq, name);
	put_all(rq, sql, args, shape, NULL);
}

struct response
response_rows(struct request *rq, const char *sql, struct args args, const struct shape *shape)
{
	data_begin(rq, '[');
	put_all(rq, sql, args, shape, NULL);
	return (struct response){ .status = rq->success };
}

/* The number of all rows behind a page of `shown` rows. A page that is not full is the last: the count need not run. */
static int64_t
total_of(struct request *rq, const struct page *page, int64_t shown, const char *count, struct args args)
{
	int64_t total = page->offset + shown;

	if (shown == page->limit || (shown == 0 && page->offset > 0))
		(void)!db_number(rq->db, &total, count, args);
	return total;
}

/* Each item by `put`, or where that is NULL by `shape`. */
static struct response
put_page(struct request *rq, const char *count, const char *rows, struct args args, const struct shape *shape,
	response_put_fields *put)
{
	const struct page page = page_of(rq->in);
	struct value values[ARGS_MAX + 2];

	for (size_t i = 0; i < args.count; i++)
		values[i] = args.values[i];
	values[args.count] = value_int(page.limit);
	values[args.count + 1] = value_int(page.offset);
	response_begin(rq);
	data_list(rq, "items");
	int64_t shown = put_all(rq, rows, (struct args){ values, args.count + 2 }, shape, put);
	int64_t total = total_of(rq, &page, shown, count, args);
	data_object(rq, "pagination");
	data_int(rq, "page", page.number);
	data_int(rq, "limit", page.limit);
	data_int(rq, "total", total);
	data_int(rq, "totalPages", page_count(&page, total));
	data_end_object(rq);
	return response_done(rq);
}

struct response
response_list(struct request *rq, const char *count, const char *rows, struct args args, const struct shape *shape)
{
	return put_page(rq, count, rows, args, shape, NULL);
}

struct response
response_list_by(struct request *rq, const char *count, const char *rows, struct args args, response_put_fields *put)
{
	return put_page(rq, count, rows, args, NULL, put);
}

struct response
response_csv(struct request *rq, const char *name, const char *rows, struct args args, const struct shape *shape, char separator,
	bool walk)
{
	struct table *table = arena_alloc(rq->arena, sizeof(*table));
	struct value *values = arena_alloc(rq->arena, (args.count + 1) * sizeof(*values));

	memcpy(values, args.values, args.count * sizeof(*values));
	*table = (struct table){ name, rows, { values, args.count }, shape, separator, walk };
	return (struct response){ .status = rq->success, .table = table };
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
	/* A private file is revalidated each time: the right to it may have ended. */
	response.file_cache = is_public ? "public, max-age=86400" : "private, no-cache";
	return response;
}

/* ---- objects */

void
response_put_values(struct request *rq, const char *name, const struct shape *shape, struct args args)
{
	data_object(rq, name);
	put_values(rq, shape, args);
	data_end_object(rq);
}

#ifdef OKUL_TEST
/*
 * Columns that are not the shape's fields would put values under wrong names. The column created_at is the field createdAt.
 */
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
