/* json - a strict check of JSON texts (RFC 8259), and cJSON on the arena. */
#ifndef OKUL_JSON_H
#define OKUL_JSON_H

#include "arena.h"
#include "base.h"

#include <cjson/cJSON.h>

#define JSON_DEPTH 32		/* the root counts 1 */
#define JSON_NUMBER_MAX 1200	/* bytes of a number (RFC 8259 section 9 allows a limit); no double needs more to be exact */

enum json_fault {
	JSON_GOOD,
	JSON_SYNTAX,		/* not RFC 8259: a bad token, bytes behind the end; a number like 01 or 1e999 */
	JSON_UTF8,		/* bytes that are not UTF-8, or an unpaired surrogate escape */
	JSON_NUL,		/* \u0000 in a string or a name */
	JSON_DEEP,		/* nested deeper than `depth` */
	JSON_TWICE,		/* an object has a key twice (escapes resolved) */
};

/*
 * One pass over the text; the names of objects are kept in the arena to find duplicates. One byte order mark before
 * the text is ignored (RFC 8259 section 8.1), here and below. `depth` is the greatest nesting allowed. On a fault
 * `*at` (may be NULL) is its offset in bytes.
 */
must_use enum json_fault json_check(struct arena *arena, const char *text, size_t length, int depth, size_t *at);

/* cJSON allocates in `arena` from now on (process-wide) and so never fails; its free does nothing. NULL undoes it. */
void json_use(struct arena *arena);

/* Checks, then parses. NULL on a fault (see *fault). Owned by the arena given to json_use(). */
must_use cJSON *json_parse(struct arena *arena, const char *text, size_t length, int depth, enum json_fault *fault);

/* A value as its text has it, a string with its quotes. Borrowed. */
struct json_text {
	const char *s;
	size_t length;
};

/*
 * The same, and in `*members` the text of each member of the root object, in their order and without the white space
 * around it: a double holds neither 12345678901234567890 nor the last digit of 1.10. The array lies in the arena.
 */
must_use cJSON *json_parse_members(struct arena *arena, const char *text, size_t length, int depth, enum json_fault *fault,
	const struct json_text **members);

/* A member of an object by its exact name; NULL when it has none, or is no object. */
cJSON *json_get(const cJSON *object, const char *name);

#endif
