/* late - a write transaction inside a GET that finds that it has to write. */
#ifndef OKUL_LATE_H
#define OKUL_LATE_H

#include "base.h"
#include "request.h"

/*
 * Ends the read snapshot and its rows, detaches rq->user, and begins a write transaction, which late_end() commits.
 * False when it cannot begin now: the request goes on without the write. Failures are only logged.
 */
must_use bool late_begin(struct request *rq);
/* Commits. False when nothing was written. */
bool late_end(struct request *rq);

#endif
