/*
 * origin - the origins of web apps (RFC 6454) as an operator writes them, brought to the form in which browsers send them.
 */
#ifndef OKUL_ORIGIN_H
#define OKUL_ORIGIN_H

#include "buf.h"

/*
 * Appends [s, s + length) as a browser would send it: scheme and host in lower case, without the scheme's own port and
 * without a slash at the end. NULL on success; for what no browser sends as an origin nothing is appended, and the reason is
 * given, a constant text.
 */
must_use const char *origin_put(struct buf *out, const char *s, size_t length);

/* The next entry of a list that spaces and commas separate, from *s on, which it moves behind it; NULL at the end. */
must_use const char *origin_next(const char **s, size_t *length);

/*
 * Appends the good ones of a list, each once, separated by one space. `out` without an arena: the caller looks at `failed`.
 */
void origin_list(struct buf *out, const char *list);

/* True when the origin is one of the list that origin_list() made. */
bool origin_in(const char *list, const char *origin);

#endif
