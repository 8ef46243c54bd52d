/* tag - lists of entity tags, as If-Match and If-None-Match have them (RFC 9110 sections 8.8.3 and 13.1). */
#ifndef OKUL_TAG_H
#define OKUL_TAG_H

#include "base.h"

/* When two tags are the same. */
enum tag_compare {
	TAG_STRONG,	/* equal, and neither is weak (W/): If-Match */
	TAG_WEAK,	/* equal except for W/: If-None-Match */
	/*
	 * Also equal when a web server that compressed the response has marked the tag: W/"..." by nginx, "...-gzip"
	 * by Apache. For data that has only one representation.
	 */
	TAG_RECODED,
};

/*
 * True when the value of an If-Match or If-None-Match header matches the tag: `*`, or a list that contains it. A
 * malformed value matches nothing. `tag` has its quotes; "" stands for data without a tag, which only `*` matches.
 * The last `ignored` characters before its closing quote are not compared.
 */
must_use bool tag_listed(const char *value, const char *tag, enum tag_compare compare, size_t ignored);

#endif
