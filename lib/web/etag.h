/*
 * etag - conditional requests (RFC 9110 section 13): entity tags, If-None-Match (304) and If-Match (412).
 *
 * A tag is a keyed hash of the response's data, so the envelope's time does not count; or, where the route has a version, of
 * that and of everything else that determines the data. All processes of an installation make the same tag of the same
 * data, until OKUL_VERSION changes.
 *
 * Signed addresses (link_put()) differ in each response though nothing has changed. The tag of a response that has some is a
 * hash of the rest in 12 of its 16 digits; the other 4 are the time, in steps of ETAG_LINKS_FRESH. So it is 304 as long as
 * the addresses that the client has are good for at least two thirds of their life, and If-Match, which compares the 12
 * digits only, holds as long as nothing changes.
 */
#ifndef OKUL_ETAG_H
#define OKUL_ETAG_H

#include "route.h"

#include <sys/stat.h>

#define ETAG_LINKS_FRESH (5 * MINUTE)

/* Makes the key. Call once in a process, before any other call here. */
void etag_init(const struct conf *conf);

/*
 * Before the handler of a GET: where its route has a version, sets rq->etag to the tag of the response to come, and returns
 * true when If-None-Match names it.
 */
must_use bool etag_unchanged(struct request *rq);

/*
 * Before the write transaction of a route that changes something (route_is_guarded()): checks If-Match as struct route says
 * for `shows`. A PATCH or DELETE without `shows` has no tag, so only `*` matches. The handler may run when the response's
 * error is ERROR_NONE.
 */
must_use struct response etag_guard(struct request *rq);
/* The same inside the transaction: whether what etag_guard() saw is still there, value by value. */
must_use struct response etag_guard_again(struct request *rq);

/* The tag of a file as nginx makes it, so that it is the same whether nginx or the program sends it. In the arena. */
const char *etag_of_file(struct arena *arena, const struct stat *st);

/* The tag of a file in S3, made of what its row says: of its hash, and of the time like Last-Modified. In the arena. */
const char *etag_of_object(struct arena *arena, const struct response *response);

/* True when the response has a tag; sets rq->etag unless it is set. The data is in rq->out, its envelope not yet ended. */
must_use bool etag_put(struct request *rq, const struct response *response);
/* True when If-None-Match names the response's tag. */
must_use bool etag_known(const struct request *rq);

#endif
