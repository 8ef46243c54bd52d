/* schema - reads the schemas of an OpenAPI document (JSON Schema 2020-12), for the examples and the page. */
#ifndef OKUL_SCHEMA_H
#define OKUL_SCHEMA_H

#include "buf.h"
#include "json.h"

#define SCHEMA_DEPTH 8			/* shapes within shapes that are shown; references that are followed */

/* The document, and the page that is made of it; both borrowed. cJSON must be on `arena` (json_use). */
struct page {
	struct buf *out;		/* NULL where there is no page */
	struct arena *arena;
	const cJSON *document;
};

/* A member as text, "" when there is none. */
const char *schema_string(const cJSON *object, const char *name);

/* What "$ref": "#/components/schemas/X" refers to, through further references; the node itself when it has no $ref. */
const cJSON *schema_resolve(const struct page *page, const cJSON *node);
/* The X of its $ref, or "". */
const char *schema_ref_name(const cJSON *node);

/* The type of a schema without the "null" that may stand beside it. */
const char *schema_type(const cJSON *schema);
bool schema_is_nullable(const cJSON *schema);
/* The first schema of anyOf, which is how a nullable object is written: [it, null]; else the schema itself. */
const cJSON *schema_without_null(const cJSON *schema);
bool schema_is_required(const cJSON *shape, const char *name);
/* True for a field of a form that holds a file, or a list of files. */
bool schema_is_file(const cJSON *field);
/* True for a string of digits only. */
bool schema_is_digits(const cJSON *schema);

/* The kinds of strings that are recognized by one member of their schema. */
struct schema_kind {
	const char *member, *value;
	const char *text, *example;	/* for people, and a string of the kind */
};
/* NULL when the string is of none of them. */
const struct schema_kind *schema_kind(const cJSON *schema);

/* A value of the field `name` that its schema allows. For a `request` only what is required or has an example, else all. */
cJSON *schema_example(const struct page *page, const cJSON *schema, const char *name, bool request, int depth);

#endif
