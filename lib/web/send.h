/* send - puts a response on the wire: status, headers, envelope. */
#ifndef OKUL_SEND_H
#define OKUL_SEND_H

#include "response.h"

/*
 * Sends the response to rq. The data of a success is already in rq->out, up to the end of its value; the envelope of
 * an error is written here, in the caller's language; 204 has no body. The headers of every response, with those of
 * CORS, are written here and nowhere else. `head` is a scratch buffer kept between requests. Returns the status sent.
 */
int send_response(struct http *http, struct request *rq, const struct response *response, struct buf *head);

#endif
