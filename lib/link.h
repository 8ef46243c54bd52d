/*
 * link - the addresses of stored files, and what a download is called.
 */
#ifndef OKUL_LINK_H
#define OKUL_LINK_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "text.h"

#define LINK_LIFE (15 * 60)		/* seconds that a signed address lives */

/* The public address of a file; for a private one signed, and good for LINK_LIFE from `now` (milliseconds) on. */
const char *link_url(struct arena *arena, const struct conf *conf, const char *key, bool is_public, int64_t now);

enum link_state {
	LINK_NONE,		/* neither expires nor signature */
	LINK_GOOD,
	LINK_BAD,		/* wrong, expired, malformed, or with a parameter missing or twice */
	LINK_UNKNOWN,		/* there is a parameter that is neither of the two */
};

/* What the query (NULL for none) of an address says at `now`. Of LINK_UNKNOWN `*unknown` gets the name. */
must_use enum link_state link_check(struct arena *arena, const struct conf *conf, const char *key, const char *query,
	int64_t now, const char **unknown);

/*
 * Appends the value of a Content-Disposition (RFC 6266): the name in ASCII for all, and where that loses something in UTF-8
 * (RFC 8187) too. `name` is well-formed UTF-8; whatever it holds, the header ends where it should.
 */
void buf_disposition(struct buf *buf, bool is_inline, const char *name);

#endif
