/*
 * response - the answers that a handler can return.
 *
 * A handler returns exactly one struct response. It puts the data of a success together by the calls of data.h.
 */
#ifndef OKUL_RESPONSE_H
#define OKUL_RESPONSE_H

#include "base.h"
#include "data.h"
#include "db.h"
#include "error.h"
#include "field.h"
#include "request.h"

/* Rows that are read while they are sent. The statement takes args, a limit and an offset. */
struct table {
	const char *name;		/* of the file, without its ending */
	const char *sql;
	struct args args;		/* without limit and offset */
	const struct shape *shape;
	char separator;			/* ',' or ';' */
	bool walk;			/* its rows come in order as they are read: run once, for all of them */
};

struct response {
	int status;
	enum error error;		/* ERROR_NONE for success */
	const char *argument;		/* for the error's sentence */
	const char *allow;		/* methods of the path (405, OPTIONS); NULL: no Allow header */
	int64_t retry_after;		/* seconds; 0: none */
	bool commit;			/* keep what was written although this is an error */
	bool again;			/* inside a write transaction: roll back, and run route->check and the handler again */
	const struct table *table;	/* the answer is these rows as CSV */
	const char *file;		/* absolute path: the answer is this file, as `file_type` */
	const char *file_type;
	const char *file_disposition;	/* value of Content-Disposition; NULL: none */
	const char *file_cache;		/* value of Cache-Control; NULL: no-cache */
	int64_t file_size;		/* of an error about its ranges: the bytes that it has */
};

/* ---- errors */
must_use struct response response_error(struct request *rq, enum error error);
must_use struct response response_error_keep(struct request *rq, enum error error);	/* commits what was written */
must_use struct response response_wait(struct request *rq, enum error error, int64_t milliseconds);	/* with Retry-After, rounded up */

/*
 * Inside a write transaction: what route->check prepared no longer fits what the database holds, because others wrote meanwhile.
 * Nothing is kept; route->check and the handler run again, a few times, then it is ERROR_BUSY.
 */
must_use struct response response_again(struct request *rq);

/* ---- success */
/* Starts an object as data; put its fields, then return response_done(). */
void response_begin(struct request *rq);
must_use struct response response_done(struct request *rq);
/* {"message": ...} of any DTO that is only that. */
must_use struct response response_message(struct request *rq, enum sentence sentence);
/* DeleteResponseDto: what was deleted, in words and by id. */
extern const struct shape delete_response;
must_use struct response response_deleted(struct request *rq, enum sentence sentence, const char *id);
/* The first row of a statement as an object of `shape`; ERROR_NOT_FOUND when there is none. */
must_use struct response response_row(struct request *rq, const char *sql, struct args args, const struct shape *shape);
/* The same of a row that a call of lib/school/ has read, and what that returned; ends the row. */
must_use struct response response_of_row(struct request *rq, enum db_rc rc, struct db_rows *row, const struct shape *shape);
/*
 * One page of a list: `count` gives the number of all with `args`; `rows` the page, with args and behind them two more,
 * the limit and the offset. Both see one snapshot.
 */
must_use struct response response_list(struct request *rq, const char *count, const char *rows, struct args args,
	const struct shape *shape);
/* The same where an item is more than the columns of its row: `put` writes each, as an object of its own. */
must_use struct response response_list_by(struct request *rq, const char *count, const char *rows, struct args args,
	void (*put)(struct request *rq, const struct db_rows *row));
/* All rows of a statement, as a plain list. */
must_use struct response response_rows(struct request *rq, const char *sql, struct args args, const struct shape *shape);
/*
 * What response_list() shows a page of, all of it as a CSV file: name.csv, headed by the names of the fields. Sent while it is
 * read, in one snapshot, so that it takes no memory; at most 10 s.
 */
must_use struct response response_csv(struct request *rq, const char *name, const char *rows, struct args args,
	const struct shape *shape, char separator);
/*
 * The same for a statement that finds its rows in their order and need not sort them: it runs once, and so passes over no
 * row twice.
 */
must_use struct response response_csv_walk(struct request *rq, const char *name, const char *rows, struct args args,
	const struct shape *shape, char separator);
/* A file of this server, outside the envelope. */
must_use struct response response_file(struct request *rq, const char *path, const char *type);
/* The same for what somebody uploaded: with the value of its Content-Disposition, and nothing in it may run in a browser. */
must_use struct response response_download(struct request *rq, const char *path, const char *type, const char *disposition,
	bool is_public);

/* ---- rows as objects, into the data; what else is in them is put by the calls of data.h */
/* The columns from `column` on, as the fields of `shape` in order, into the object at hand. Gives the next column. */
int response_put_row(struct request *rq, const struct shape *shape, const struct db_rows *rows, int column);

/* The same as an object of its own. */
void response_put_row_object(struct request *rq, const char *name, const struct shape *shape, const struct db_rows *rows,
	int column);
/* All rows of a statement as a list of objects. */
void response_put_rows(struct request *rq, const char *name, const char *sql, struct args args, const struct shape *shape);

#endif
