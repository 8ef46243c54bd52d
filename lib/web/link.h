/*
 * link - the addresses of stored files, and what a download is called.
 */
#ifndef OKUL_LINK_H
#define OKUL_LINK_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "media.h"
#include "request.h"

#define LINK_LIFE (15 * 60)		/* seconds that a signed address lives */
#define LINK_KEY_TEXT 64	/* bytes of the key of a file, at most, with its NUL */

/* The public address of a file; for a private one signed, and good for LINK_LIFE from `now` (milliseconds) on. */
const char *link_url(struct arena *arena, const struct conf *conf, const char *key, bool is_public, int64_t now);
/*
 * The signed address of a private file, given to one user: it names them (24 hex digits; NULL: nobody), so that it is known
 * who opened the file. It opens the file for whoever has it, as any signed address does.
 */
const char *link_url_for(struct arena *arena, const struct conf *conf, const char *key, const char *user, int64_t now);
/* Puts the address of link_url(), or with `user` of link_url_for(), into the data of the response: that it is signed again each time is no change of what the tag is of. */
void link_put(struct request *rq, const char *name, const char *key, bool is_public, const char *user);

enum link_state {
	LINK_NONE,		/* no parameter of ours */
	LINK_GOOD,
	LINK_BAD,		/* wrong, expired, or anything else than an address from here, byte by byte */
	LINK_UNKNOWN,		/* there are only parameters that are none of ours */
};

/*
 * What the query (NULL for none) of an address says at `now`. `*name` gets the user that a good one names, NULL for nobody,
 * and of LINK_UNKNOWN the parameter.
 */
must_use enum link_state link_check(struct arena *arena, const struct conf *conf, const char *key, const char *query,
	int64_t now, const char **name);

#define LINK_NAME_MAX 255		/* code points of the name of a file */

/*
 * The name under which a file of that type may be saved, from what its sender calls it: its last segment, in UTF-8 (other
 * bytes are read as Windows-1254), without control, direction and other invisible characters, with an extension of the
 * type: in place of another one, or behind what has none. 1 to LINK_NAME_MAX code points; a name from here stays as it is.
 * For MEDIA_NONE so does the extension. In the arena.
 */
const char *link_file_name(struct arena *arena, const char *given, enum media_type type);

/*
 * Appends the value of a Content-Disposition (RFC 6266): the name in ASCII for all, and where that loses something in UTF-8
 * (RFC 8187) too. `name` is well-formed UTF-8; whatever it holds, the header ends where it should.
 */
void buf_disposition(struct buf *buf, bool is_inline, const char *name);

#endif
