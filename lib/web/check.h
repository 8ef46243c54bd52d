/* check - everything that is checked before a handler runs, in the order that the contract gives. */
#ifndef OKUL_CHECK_H
#define OKUL_CHECK_H

#include "route.h"

/*
 * Checks the head of the request before its body is read: token, role and registration, content type, and the free
 * space for files. Sets rq->user. These functions return a response whose error is ERROR_NONE when they found none.
 */
must_use struct response check_head(struct request *rq);

/*
 * Then checks the body, JSON or form, and its fields. Sets rq->in and rq->uploads. The body of a form is read here,
 * any other was read before: `text` is NULL where it is incomplete.
 */
must_use struct response check_body(struct request *rq, const char *text);

/*
 * The part of it that checks the caller: token, role and registration. It sets rq->user. Called again inside a
 * write transaction it reads the user of rq->user again, as others left them while the request waited; the token is
 * not verified again.
 */
must_use struct response check_caller(struct request *rq);

/* Runs route->check again, and puts the uploads in place again, for a handler that returned response_again(). */
must_use struct response check_again(struct request *rq);

/* True when the body is a form: the route takes files, and the request has no JSON instead. */
bool check_is_form(const struct request *rq);

#define PUBLIC_BODY_MAX (64 * 1024)	/* bytes of a body without login */

/* The largest size of the body of this request in bytes: less for a public route. */
int64_t check_body_limit(const struct request *rq);

#endif
