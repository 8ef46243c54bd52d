/*
 * late - a write by a GET that finds that it has to write after all.
 */
#ifndef OKUL_LATE_H
#define OKUL_LATE_H

#include "base.h"
#include "request.h"

/*
 * True inside a write transaction, which late_end() commits. It ends the read snapshot, with all rows, and detaches
 * rq->user. False where that cannot be now: the next request does it, since one that only reads is not refused. A failure of
 * either is only logged.
 */
must_use bool late_begin(struct request *rq);
/* False when nothing was written. */
bool late_end(struct request *rq);

#endif
