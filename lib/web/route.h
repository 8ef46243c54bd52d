/*
 * route - the rows that say what a program serves, and finding the row of a request.
 */
#ifndef OKUL_ROUTE_H
#define OKUL_ROUTE_H

#include "base.h"
#include "http.h"
#include "response.h"
#include "role.h"

struct upload_rule;

/* A complete row: router, gate, --routes, the OpenAPI document and the rights matrix of the tests all read it. */
struct route {
	enum method method;
	const char *path;		/* segments; {id} takes 24 hex digits, {key} one segment */
	enum role role;			/* the least role */
	struct response (*handler)(struct request *rq);
	/*
	 * What a shape cannot say, and work that is to be done before the write transaction: runs in the gate, behind the
	 * check of the fields, and adds to `faults` what it finds, in the order of `in`. All faults are told at once, so it
	 * may see fields that are wrong. What it computes for the handler it leaves in rq->prepared. NULL: nothing.
	 */
	void (*check)(struct request *rq, struct faults *faults);
	const struct shape *in;		/* JSON body; with `upload` the fields of a form */
	const struct upload_rule *upload;	/* takes files, as lib/web/upload.h says; such a row writes */
	const struct shape *query;	/* query parameters */
	bool own_query;			/* the handler reads the query itself; `query` is for the reference only */
	const struct shape *out;	/* data of a success */
	bool out_list;			/* data is a list of `out` */
	bool out_page;			/* data is {items: list of `out`, pagination: PaginationDto} */
	const char *out_type;		/* media type of a file, which the web server sends outside the envelope; two stars: any */
	int status;			/* of a success; 0 means 200 */
	bool writes;			/* runs inside a write transaction */
	bool makes_room;		/* deletes more than it adds, as each DELETE does: goes on while the disk is nearly full */
	bool unregistered;		/* open to a user whose registration is not complete */
	bool being_deleted;		/* open to a user who has asked to be deleted */
	bool client_limit;		/* may answer 429 */
	bool more_by_token;		/* PUBLIC: admins or an owner get more; the reference says that a token may be sent */
	bool no_store;			/* GET: its answer is of this moment only, without a tag */
	/*
	 * GET: SQL that gives one integer, which changes whenever an answer of this route may change for any caller; a
	 * counter that triggers keep. Path and query, the version, whether an admin asks, and the language must determine the
	 * answer. A caller who has that answer already gets 304, and the handler does not run. `--check` sees the statement.
	 */
	const char *version;
	/*
	 * The handler of the GET that shows what is changed here, or one that gives the same data. It runs inside the write
	 * transaction, for a request with If-Match: its errors come first, then 412 when the tag of its data is not named. A
	 * POST whose GET would be 404 is 412. The 200 of a PATCH must have that data too, and carries the tag of it.
	 * rq->user->row is NULL there.
	 */
	struct response (*shows)(struct request *rq);
	const int *errors;		/* statuses beyond those that the row implies (404, 409, ...), 0 behind the last */
	const char *title;		/* for the reference */
	const char *note;		/* longer text for the reference; may be NULL */
	const char *example;		/* JSON body for the reference's curl; may be NULL */
};

/* True when a 200 of the route carries a tag and may be 304: a GET in the envelope, unless the row says no_store. */
bool route_is_tagged(const struct route *route);

/* The status of its success. */
int route_success(const struct route *route);

/*
 * True when the route changes what is there, and so looks at If-Match: each PATCH and DELETE, and a POST that
 * something shows.
 */
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
	/* Called once at the start; what it cannot start without it says in `why`. NULL: nothing. */
	bool (*start)(const struct conf *conf, char *why, size_t room);
	/*
	 * Finds the user of an Authorization header: fills `caller`, whose row may stay open. With `authorization` NULL it reads the
	 * user of `caller`, whom it found earlier in this request, again. Returns ERROR_NONE, ERROR_BAD_TOKEN, or ERROR_BUSY when it
	 * cannot decide now. NULL: every caller is anonymous.
	 */
	enum error (*authenticate)(struct db *db, const char *authorization, int64_t now, struct caller *caller);
	/* Called after the commit of a request that queued a mail. NULL: no route of the program does. */
	void (*mail_wake)(const struct conf *conf);
};

#define SECTIONS(...) ((const struct section *const[]){ __VA_ARGS__, NULL })
#define STATEMENTS(...) ((const struct db_statements *const[]){ __VA_ARGS__, NULL })

/* The i-th route over all parts; NULL behind the last. */
const struct route *route_at(const struct program *program, size_t i);

enum route_match { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/*
 * Finds the row for rq->http.method and the path, and sets rq->route, rq->id and rq->params. A fixed segment wins over
 * a {parameter}, which takes any segment: whether it has the right form is for route_params(). HEAD finds the row of GET.
 * For ROUTE_NO_METHOD `allow` gets the list for an Allow header.
 */
must_use enum route_match route_find(const struct program *program, struct request *rq, struct buf *allow);
/* True for the name of a path parameter that takes 24 hex digits: id, userId. */
bool route_is_id(const char *name, size_t length);
/* Makes each {id} or {...Id} of the path lower case, and adds a fault for each that is not 24 hex digits. */
void route_params(struct request *rq);

#endif
