/*
 * answer - puts a reply on the wire: status, headers, envelope.
 */
#ifndef OKUL_ANSWER_H
#define OKUL_ANSWER_H

#include "reply.h"

/*
 * Sends the reply to rq. Data of a success stands in rq->out already, up to its closing bracket; an error's envelope is
 * made here, in the caller's language. `head` is a scratch buffer kept between requests. `allow` is the list of methods
 * of the path where it is known (405, OPTIONS), else NULL. Gives the status sent.
 */
int answer_send(struct http *http, struct request *rq, const struct reply *reply, struct buf *head, const char *allow);

/* 204 with Allow, and the CORS headers where the origin is one of the configured. Gives 204. */
int answer_options(struct http *http, struct request *rq, struct buf *head, const char *allow);

#endif
