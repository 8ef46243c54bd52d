/* url - which URLs are accepted, and percent-decoding. */
#ifndef OKUL_URL_H
#define OKUL_URL_H

#include "arena.h"

/* True for an http or https URL without user name, or a path that starts with one '/'; only characters of RFC 3986. */
bool url_is_good(const char *s);

/*
 * Percent-decodes [s, s + length) into the arena (RFC 3986 section 2.1); `plus` also turns '+' into a space.
 * Returns NULL for a malformed escape, an escaped NUL, or bytes that are not UTF-8.
 */
char *url_decode(struct arena *arena, const char *s, size_t length, bool plus);

/*
 * A URL for people: postgresql://user:secret@host/name?password=secret with *** for both secrets, truncated to `room` - 1 bytes.
 */
void url_hide_password(char *out, size_t room, const char *url);

#endif
