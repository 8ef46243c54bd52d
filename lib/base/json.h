/*
 * json - a strict check before cJSON sees a text, and cJSON on the arena.
 */
#ifndef OKUL_JSON_H
#define OKUL_JSON_H

#include "arena.h"
#include "base.h"

#include <cjson/cJSON.h>

#define JSON_DEPTH 32		/* the root counts 1 */
#define JSON_NUMBER_MAX 1200	/* bytes of a number (RFC 8259 section 9 allows a limit); no double needs more to be exact */

enum json_fault {
	JSON_GOOD,
	JSON_SYNTAX,		/* no RFC 8259 text: bad token, bytes behind the end, a number like 01; or one no double holds */
	JSON_UTF8,		/* bytes that are no UTF-8, or an unpaired surrogate escape */
	JSON_NUL,		/* \u0000 in a string or a name */
	JSON_DEEP,		/* nested deeper than asked */
	JSON_TWICE,		/* an object names a key twice (compared after its escapes are resolved) */
};

/*
 * One pass over the text, memory bounded by depth; names of objects are kept in the arena to find doubles. One byte order
 * mark before the text is ignored (RFC 8259 section 8.1), here and below.
 * `depth` is the greatest nesting allowed. On a fault `*at` (may be NULL) is the offset in bytes.
 */
must_use enum json_fault json_check(struct arena *arena, const char *text, size_t length, int depth, size_t *at);

/* cJSON allocates in `arena` from here on (process-wide) and so never fails; its free does nothing. NULL undoes it. */
void json_use(struct arena *arena);

/* Checks, then parses. NULL on a fault (see *fault). Owned by the arena given to json_use(). */
must_use cJSON *json_parse(struct arena *arena, const char *text, size_t length, int depth, enum json_fault *fault);

/* A member of an object by its exact name; NULL when it has none, or is none itself. */
cJSON *json_get(const cJSON *object, const char *name);

/*
 * The value of a member of an object as it stands in its text, digit by digit, without the white space around it: a double
 * holds neither 12345678901234567890 nor the last digit of 1.10. `text` is one that json_check() found good. NULL when it
 * is no object or has no such member, however its name is escaped.
 */
const char *json_member(struct arena *arena, const char *text, size_t length, const char *name, size_t *member_length);

#endif
