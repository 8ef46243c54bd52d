/* route - the rows that declare what a program serves, and the lookup of the row of a request. */
#ifndef OKUL_ROUTE_H
#define OKUL_ROUTE_H

#include "base.h"
#include "http.h"
#include "response.h"
#include "role.h"

struct upload_rule;

/* One row drives the router, the checks, --routes, the OpenAPI document and the rights matrix of the tests. */
struct route {
	enum method method;
	const char *path;		/* segments; {id} takes 24 hex digits, {key} one segment */
	enum role role;			/* the least role */
	struct response (*handler)(struct request *rq);
	/*
	 * Checks that a shape cannot express, and work that belongs before the write transaction. Runs after the
	 * check of the fields and adds to `faults` in the order of `in`. All faults are reported together, so it may
	 * see fields that are wrong. It may leave a result for the handler in rq->prepared. NULL: no such checks.
	 */
	void (*check)(struct request *rq, struct faults *faults);
	const struct shape *in;		/* JSON body; with `upload` the fields of a form */
	const struct upload_rule *upload;	/* takes files, see lib/web/upload.h; such a row writes */
	const struct shape *query;	/* query parameters */
	bool own_query;			/* the handler reads the query itself; `query` is for the reference only */
	const struct shape *out;	/* data of a success */
	bool out_list;			/* data is a list of `out` */
	bool out_page;			/* data is {items: list of `out`, pagination: PaginationDto} */
	const char *out_type;		/* media type of a file, sent by the web server without an envelope; two stars: any */
	int status;			/* of a success; 0 means 200 */
	bool writes;			/* runs inside a write transaction */
	bool makes_room;		/* deletes more than it adds, like a DELETE: allowed while the disk is nearly full */
	bool unregistered;		/* open to a user whose registration is not complete */
	bool being_deleted;		/* open to a user who has asked to be deleted */
	bool client_limit;		/* has a limit for each client (429) */
	bool more_by_token;		/* PUBLIC: admins or an owner get more; in the reference a token is optional */
	bool no_store;			/* GET: its response is valid only now, without a tag */
	/*
	 * GET: SQL that returns one integer, which changes whenever a response of this route may change for any
	 * caller: a counter that triggers increment. Path, query, version, language, and whether the caller is an
	 * admin must determine the response. A caller who has that response gets 304 without the handler running.
	 * `--check` checks the statement.
	 */
	const char *version;
	/*
	 * The handler of the GET that shows what this route changes, or one that returns the same data. For a request
	 * with If-Match it runs inside the write transaction: its errors come first, then 412 when If-Match does not
	 * list the tag of its data. A POST whose GET would be 404 is 412. The 200 of a PATCH must have the same data,
	 * and carries its tag. rq->user->row is NULL there.
	 */
	struct response (*shows)(struct request *rq);
	const int *errors;		/* statuses beyond those that the row implies (404, 409, ...), ended by 0 */
	const char *title;		/* for the reference */
	const char *note;		/* longer text for the reference; may be NULL */
	const char *example;		/* JSON body for the reference's curl; may be NULL */
};

/* True when a 200 of the route carries a tag and may become 304: a GET with an envelope and without no_store. */
bool route_is_tagged(const struct route *route);

/* The status of its success. */
int route_success(const struct route *route);

/* True when the route changes existing data, so that If-Match applies: each PATCH and DELETE, a POST with `shows`. */
bool route_is_guarded(const struct route *route);

#define STATUSES(...) ((const int[]){ __VA_ARGS__, 0 })

/* One file of a group: its routes, and the statements that they run. */
struct section {
	const struct route *routes;
	size_t route_count;
	const char *const *sql;
	size_t sql_count;
};

/* One FastCGI program: a resource group. */
struct program {
	const char *name;		/* auth -> auth.fcgi, auth.sock, okul@auth.service */
	const char *title;		/* one line for the reference */
	const struct section *const *sections;	/* NULL behind the last */
	/* Statements of the modules of the domain that its handlers call; NULL behind the last. */
	const struct db_statements *const *statements;
	/* Called once at the start. False, with the reason in `why`, when the program cannot start. May be NULL. */
	bool (*start)(const struct conf *conf, char *why, size_t room);
	/*
	 * Finds the user of an Authorization header: fills `caller`, whose row may stay open. With `authorization`
	 * NULL it reads the user of `caller`, whom it found earlier in this request, again. Returns ERROR_NONE,
	 * ERROR_BAD_TOKEN, or ERROR_BUSY when it cannot decide now. NULL: every caller is anonymous.
	 */
	enum error (*authenticate)(struct db *db, const char *authorization, int64_t now, struct caller *caller);
	/* Called after the commit of a request that queued a mail. NULL: no route of the program queues any. */
	void (*mail_wake)(const struct conf *conf);
};

#define SECTIONS(...) ((const struct section *const[]){ __VA_ARGS__, NULL })
#define STATEMENTS(...) ((const struct db_statements *const[]){ __VA_ARGS__, NULL })

/* The i-th route of all sections; NULL behind the last. */
const struct route *route_at(const struct program *program, size_t i);

enum route_match { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/*
 * Finds the row for rq->http.method and the path, and sets rq->route, rq->id, rq->params and rq->success. A fixed
 * segment is preferred to a {parameter}, which matches any segment; route_params() checks its format. HEAD finds the
 * row of GET. For ROUTE_NO_METHOD the value of an Allow header is appended to `allow`.
 */
must_use enum route_match route_find(const struct program *program, struct request *rq, struct buf *allow);
/* True for the name of a path parameter that takes 24 hex digits: id, userId. */
bool route_is_id(const char *name, size_t length);
/* Makes each {id} or {...Id} of the path lower case, and adds a fault for each that is not 24 hex digits. */
void route_params(struct request *rq);

#endif
