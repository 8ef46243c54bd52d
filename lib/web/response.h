/*
 * response - what a handler returns.
 *
 * A handler returns exactly one struct response. The data of a success it puts together by the calls of data.h.
 */
#ifndef OKUL_RESPONSE_H
#define OKUL_RESPONSE_H

#include "data.h"

/* Rows that are read while they are sent as CSV. The statement takes args, a limit and an offset. */
struct table {
	const char *name;		/* of the file, without its extension */
	const char *sql;
	struct args args;		/* without limit and offset */
	const struct shape *shape;
	char separator;			/* ',' or ';' */
	bool walk;			/* runs once, for all rows; else once for each piece, unless a server sorts them */
};

struct response {
	int status;
	enum error error;		/* ERROR_NONE for success */
	const char *argument;		/* for the error's sentence */
	const char *allow;		/* methods of the path (405, OPTIONS); NULL: no Allow header */
	int64_t retry_after;		/* seconds; 0: none */
	bool commit;			/* keep what was written although this is an error */
	bool again;			/* of response_again() */
	const struct table *table;	/* the body is these rows as CSV */
	const char *file;		/* absolute path: the body is this file, of media type file_type */
	const char *file_type;
	const char *file_disposition;	/* value of Content-Disposition; NULL: none */
	const char *file_cache;		/* value of Cache-Control; NULL: no-cache */
	const char *file_object;	/* the SHA-256 of a file in S3: the body is that, `file` only names it; NULL: none */
	int64_t file_size;		/* of such a file, and of an error about its ranges: bytes */
	int64_t file_changed;		/* of such a file: milliseconds */
};

/* Declares handlers: `static response_handler get_course, patch_course;`. */
typedef struct response response_handler(struct request *rq);

/* ---- errors */
must_use struct response response_error(struct request *rq, enum error error);
/* Commits what was written. */
must_use struct response response_error_keep(struct request *rq, enum error error);
/* With Retry-After, rounded up. */
must_use struct response response_wait(struct request *rq, enum error error, int64_t milliseconds);
/*
 * Inside a write transaction: what was prepared before it no longer fits what the database holds, because others wrote
 * meanwhile. It is rolled back, check_again() prepares again and the handler runs again, a few times; then it is ERROR_BUSY.
 */
must_use struct response response_again(struct request *rq);

/* What a check returns that found no error. */
static inline struct response
response_passed(void)
{
	return (struct response){ .error = ERROR_NONE };
}

/* ---- success */
/* Starts an object as data; put its fields, then return response_done(). */
void response_begin(struct request *rq);
must_use struct response response_done(struct request *rq);
/* {"message": ...} of any DTO that is only that. */
must_use struct response response_message(struct request *rq, enum sentence sentence);
/* DeleteResponseDto: a message, and the id of what was deleted. */
extern const struct shape delete_response;
must_use struct response response_deleted(struct request *rq, enum sentence sentence, const char *id);
/* An object of `shape`; args are its fields, in their order. */
must_use struct response response_values(struct request *rq, const struct shape *shape, struct args args);
/* The first row of a statement as an object of `shape`; ERROR_NOT_FOUND when there is none. */
must_use struct response response_row(struct request *rq, const char *sql, struct args args, const struct shape *shape);
/* The same for a row that a call of lib/school/ has read, and what that returned; ends the row. */
must_use struct response response_of_row(struct request *rq, enum db_rc rc, struct db_rows *row, const struct shape *shape);
/* All rows of a statement, as a plain list. */
must_use struct response response_rows(struct request *rq, const char *sql, struct args args, const struct shape *shape);
/* One page of a list. `count` takes args and returns the number of all rows; `rows` takes args, the limit and the offset. */
must_use struct response response_list(struct request *rq, const char *count, const char *rows, struct args args,
	const struct shape *shape);
/* Puts the fields of an item into its object. */
typedef void response_put_fields(struct request *rq, const struct db_rows *row);
/* The same where an item is more than the columns of its row. */
must_use struct response response_list_by(struct request *rq, const char *count, const char *rows, struct args args,
	response_put_fields *put);
/*
 * The rows of which response_list() shows a page, all of them, as the file name.csv, headed by the names of the fields.
 * They are sent while they are read, in one snapshot, so that they take no memory; at most 10 s. `walk` where the statement
 * finds its rows in order and need not sort them: it runs once then, and skips no row twice. Where db_sorts_itself(), it
 * always does.
 */
must_use struct response response_csv(struct request *rq, const char *name, const char *rows, struct args args,
	const struct shape *shape, char separator, bool walk);
/* A file of this server, outside the envelope. */
must_use struct response response_file(struct request *rq, const char *path, const char *type);
/* The same for an upload: with the value of its Content-Disposition, and nothing in it may run in a browser. */
must_use struct response response_download(struct request *rq, const char *path, const char *type,
	const char *disposition, bool is_public);

/* ---- objects of the data */
/* An object of `shape`; args are its fields, in their order. */
void response_put_values(struct request *rq, const char *name, const struct shape *shape, struct args args);
/* Puts the columns from `column` on as the fields of `shape`, in order, into the open object. Returns the next column. */
int response_put_row(struct request *rq, const struct shape *shape, const struct db_rows *rows, int column);
/* The same as an object of its own. */
void response_put_row_object(struct request *rq, const char *name, const struct shape *shape,
	const struct db_rows *rows, int column);
/* All rows of a statement as a list of objects. */
void response_put_rows(struct request *rq, const char *name, const char *sql, struct args args, const struct shape *shape);

#endif
