/*
 * tag - lists of entity tags, as If-Match and If-None-Match have them (RFC 9110 sections 8.8.3 and 13.1).
 */
#ifndef OKUL_TAG_H
#define OKUL_TAG_H

#include "base.h"

/* Which tags are the same. */
enum tag_compare {
	TAG_STRONG,	/* equal, and neither marked as weak by W/: If-Match */
	TAG_WEAK,	/* equal but for that mark: If-None-Match */
	/*
	 * The same where a server that compresses an answer on its way has marked the tag: W/"..." by nginx, "...-gzip" by
	 * Apache. For data of which there is one form only.
	 */
	TAG_RECODED,
};

/*
 * True when the value of an If-Match or If-None-Match header names the tag: `*` or a list. A malformed value names nothing.
 * `tag` has its quotes; "" is that of nothing in particular: only `*` names it. Its last `passed` characters before the closing
 * quote do not count.
 */
must_use bool tag_listed(const char *value, const char *tag, enum tag_compare compare, size_t passed);

#endif
