/* link - the addresses of stored files, and the names of downloads. */
#ifndef OKUL_LINK_H
#define OKUL_LINK_H

#include "media.h"
#include "request.h"

#define LINK_LIFE (15 * 60)	/* seconds until a signed address expires */
#define LINK_KEY_TEXT 64	/* bytes of the key of a file, at most, with its NUL */

/*
 * The address of a file, in the arena. That of a private one is signed and expires LINK_LIFE after `now` (milliseconds). With
 * `user` (24 hex digits; NULL: nobody) it names that user, so that openings can be recorded; like any signed address it
 * opens the file for everybody who has it.
 */
const char *link_url(struct arena *arena, const struct conf *conf, const char *key, bool is_public, const char *user,
	int64_t now);
/* Puts that address into the data of the response. That it is signed again each time does not change the entity tag. */
void link_put(struct request *rq, const char *name, const char *key, bool is_public, const char *user);

enum link_state {
	LINK_NONE,		/* no parameter at all */
	LINK_GOOD,
	LINK_BAD,		/* wrong, expired, or not byte by byte what link_url() writes */
	LINK_UNKNOWN,		/* only other parameters than those of link_url() */
};

/*
 * Checks the query (NULL: none) of an address at `now`. Sets `*name` to the user that a good one names (NULL: nobody), and for
 * LINK_UNKNOWN to the parameter.
 */
must_use enum link_state link_check(struct arena *arena, const struct conf *conf, const char *key, const char *query,
	int64_t now, const char **name);

#define LINK_NAME_MAX 255		/* code points of the name of a file */

/*
 * The name under which a file of that type may be saved, made of what the client calls it: the last segment of the path, in
 * UTF-8 (other bytes are read as Windows-1254), without control, direction and other invisible characters, with an extension
 * of the type: in place of another one, or appended where there is none; for MEDIA_NONE with the one that it has. 1 to
 * LINK_NAME_MAX code points; a name made by this function stays the same. In the arena.
 */
const char *link_file_name(struct arena *arena, const char *given, enum media_type type);

/*
 * Appends the value of a Content-Disposition (RFC 6266): the name in ASCII, and where that loses something also in UTF-8
 * (RFC 8187). `name` is well-formed UTF-8; nothing in it can end the header or the parameter.
 */
void link_put_disposition(struct buf *buf, bool is_inline, const char *name);

#endif
