/*
 * gate - everything that is checked before a handler runs, in the order that the contract gives.
 */
#ifndef OKUL_GATE_H
#define OKUL_GATE_H

#include "route.h"

/*
 * Token, role and registration, content type, JSON or form, fields. Fills rq->user, rq->body, rq->uploads and rq->query. The size was
 * checked and the body read before: `body` is NULL where it did not arrive whole.
 * Gives a reply whose error is NO_ERROR when the handler may run.
 */
must_use struct reply gate(struct request *rq, const char *body);

/*
 * The part of it that looks at the caller: token, role and registration. It fills rq->user, anew when called again: inside
 * a write transaction it sees what others committed while the request waited.
 */
must_use struct reply gate_caller(struct request *rq);

#endif
