/*
 * send - puts a response on the wire: status, headers, envelope.
 */
#ifndef OKUL_SEND_H
#define OKUL_SEND_H

#include "response.h"

/*
 * Sends the response to rq. Data of a success stands in rq->out already, up to its closing bracket; an error's envelope is
 * made here, in the caller's language; 204 has no body. Headers that belong to every answer, those of CORS among them, are put
 * here and nowhere else. `head` is a scratch buffer kept between requests. Gives the status sent.
 */
int send_response(struct http *http, struct request *rq, const struct response *response, struct buf *head);

#endif
