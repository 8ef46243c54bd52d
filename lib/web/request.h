/* request - a request as a handler sees it. */
#ifndef OKUL_REQUEST_H
#define OKUL_REQUEST_H

#include "caller.h"
#include "clock.h"
#include "conf.h"
#include "db.h"
#include "error.h"
#include "field.h"
#include "http.h"
#include "page.h"

struct program;
struct route;
struct upload;

/* Where the data of a success begins in `out`. */
#define RESPONSE_DATA_AT (sizeof("{\"isSuccess\":true,\"statusCode\":200,\"data\":") - 1)

#define ETAG_TEXT 19	/* two quotes, 16 hex digits and a NUL */

/* The part of an address by link_put(), link.h, that differs in each response: bytes of `out`. */
struct changing_part { size_t at, length; struct changing_part *next; };

struct request {
	struct http_request http;
	const struct conf *conf;
	struct arena *arena;
	struct db *db;
	const struct program *program;
	const struct route *route;
	int success;			/* status of the route's success */
	int64_t now;			/* one time for the whole request */
	enum language language;		/* of the response */
	bool language_asked;		/* Accept-Language named one of ours */
	const char *request_id;
	const char *id;			/* the first {...} of the path */
	const char *params[2];		/* all {...} of the path, in order */
	const struct value *in;		/* the body, or without one the query: values by the enumerators of its shape */
	struct caller *user;		/* NULL: anonymous */
	struct faults faults;
	void *prepared;			/* by route->check for the handler; NULL: nothing */
	struct buf *out;		/* the response's data, as JSON; by the calls of data.h */
	bool keeps;			/* inside a write transaction: data goes to `kept` */
	struct buf kept;		/* values that data_write() will write */
	size_t kept_room;		/* bytes of JSON that they need at most */
	size_t kept_memory;		/* bytes of the arena that data_write() will take */
	struct buf shown;		/* values that If-Match was compared with */
	struct changing_part *links, *last_link;	/* in `out`, in their order */
	char etag[ETAG_TEXT];		/* of the response, with its quotes; "" while there is none */
	struct http *wire;		/* where the body of an upload is read from */
	struct upload *uploads;		/* files of a form, in the order of the parts; lib/web/upload.h */
	size_t upload_count;
	bool mail_queued;		/* the program's mail_wake() is called after the commit */
};

/* True for an admin or superadmin. */
static inline bool
request_is_admin(const struct request *rq)
{
	return caller_rights(rq->user) >= ADMIN;
}

/*
 * Copies the texts of rq->user, which the log needs afterwards, into the arena and ends the row, which does not outlive the
 * begin or end of a write transaction: a handler that writes must not read it. Nothing happens when there is no row or no user.
 */
void request_detach_user(struct request *rq);

/*
 * For a GET that finds that it has to write: ends the read snapshot and its rows, detaches rq->user, and begins a write
 * transaction. False when it cannot begin now: the request goes on without the write. Failures are only logged.
 */
must_use bool request_late_write(struct request *rq);
/* Commits it. False when nothing was written. */
bool request_late_commit(struct request *rq);

#endif
