/*
 * etag - conditional requests (RFC 9110 section 13): tags of answers, If-None-Match (304) and If-Match (412).
 *
 * A tag is a keyed hash of the answer's data, so the envelope's time does not count; or, where the route has a
 * version, of that and of all else that determines the data. All processes of an installation make the same tag of
 * the same data, until OKUL_VERSION changes.
 *
 * An answer with signed addresses (link_put()) is another each time, though nothing has changed. Its tag is that of
 * the data without what is another each time, in 12 of its 16 digits; the others are those of the time, in steps of
 * ETAG_LINKS_FRESH. So a 304 is given as long as the addresses that the client keeps are still good for two thirds of
 * their life, and If-Match, which looks at the 12 digits only, for as long as nothing changes.
 */
#ifndef OKUL_ETAG_H
#define OKUL_ETAG_H

#include "route.h"

#include <sys/stat.h>

#define ETAG_LINKS_FRESH (5 * MINUTE)

/* Makes the key. Call once a process, before any other call here. */
void etag_init(const struct conf *conf);

/*
 * Before the handler of a GET: where its route has a version, puts the tag of the answer to come into rq->etag, and gives
 * true when the caller has that answer already.
 */
must_use bool etag_unchanged(struct request *rq);

/*
 * Before the write transaction of what changes something that is there (route_is_guarded()): checks If-Match as struct route says
 * for `shows`. A PATCH or DELETE without `shows` has no tag that could be named, so it takes only `*`. Returns a response whose
 * error is ERROR_NONE when the handler may run.
 */
must_use struct response etag_guard(struct request *rq);
/* The same inside the transaction: whether what etag_guard() saw is still there, value by value. */
must_use struct response etag_guard_again(struct request *rq);

/* The tag that nginx gives a file, so that it is the same whoever sends it; in the arena. */
const char *etag_of_file(struct arena *arena, const struct stat *st);

/*
 * Whether the answer has a tag; puts it into rq->etag unless it is there. The data stands in rq->out, its envelope
 * open.
 */
must_use bool etag_put(struct request *rq, const struct response *response);
/* True when If-None-Match names the answer's tag. */
must_use bool etag_known(const struct request *rq);

#endif
