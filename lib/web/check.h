/*
 * check - everything that is checked before a handler runs, in the order that the contract gives.
 */
#ifndef OKUL_CHECK_H
#define OKUL_CHECK_H

#include "route.h"

/*
 * What the head of the request decides, before a byte of its body is read: token, role and registration, content type, and
 * whether there is room for files. Fills rq->user. Both give a response whose error is ERROR_NONE when all is well so far.
 */
must_use struct response check_head(struct request *rq);

/*
 * What comes after it: JSON or form, fields. Fills rq->in and rq->uploads. The body of a form is read here, any other was read
 * before: `text` is NULL where it did not arrive whole.
 */
must_use struct response check_body(struct request *rq, const char *text);

/*
 * The part of it that checks the caller: token, role and registration. It sets rq->user. Called again inside a write
 * transaction it reads the user of rq->user again, as others left them while the request waited; the token is not verified again.
 */
must_use struct response check_caller(struct request *rq);

/* Runs route->check again, and puts the uploads in place again, for a handler that returned response_again(). */
must_use struct response check_again(struct request *rq);

/* True when this request is to be read as a form: its route takes files, and it does not bring JSON instead. */
bool check_is_form(const struct request *rq);

#define PUBLIC_BODY_MAX (64 * 1024)	/* bytes of a body that anybody may send */

/* The most bytes that the body of this request may have: less for a route that is open to everybody. */
int64_t check_body_limit(const struct request *rq);

#endif
