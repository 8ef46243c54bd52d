/* origin - the origins of web apps (RFC 6454), normalized to the form in which browsers send them. */
#ifndef OKUL_ORIGIN_H
#define OKUL_ORIGIN_H

#include "buf.h"

/*
 * Appends [s, s + length) in lower case, without the default port of its scheme and without a slash at the end. Returns
 * NULL; or, for what no browser sends as an origin, appends nothing and returns what is wrong with it, a constant.
 */
must_use const char *origin_put(struct buf *out, const char *s, size_t length);

/* The next entry of a list separated by spaces and commas, which begins at *s; moves *s after it. NULL at the end. */
must_use const char *origin_next(const char **s, size_t *length);

/* Appends the valid origins of a list, each once, separated by a space. Without an arena, check out->failed. */
void origin_list(struct buf *out, const char *list);

/* True for an origin of a list that origin_list() made. */
bool origin_in(const char *list, const char *origin);

#endif
