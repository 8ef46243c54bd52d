/*
 * answer - puts a reply on the wire: status, headers, envelope.
 */
#ifndef OKUL_ANSWER_H
#define OKUL_ANSWER_H

#include "reply.h"

/*
 * Sends the reply to rq. Data of a success stands in rq->out already, up to its closing bracket; an error's envelope is
 * made here, in the caller's language; 204 has no body. Headers that belong to every answer, those of CORS among them, are put
 * here and nowhere else. `head` is a scratch buffer kept between requests. Gives the status sent.
 */
int answer_send(struct http *http, struct request *rq, const struct reply *reply, struct buf *head);

#endif
