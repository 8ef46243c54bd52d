/*
 * schema - what the parts of the reference ask of the schemas of an OpenAPI document (JSON Schema 2020-12).
 */
#ifndef OKUL_SCHEMA_H
#define OKUL_SCHEMA_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "json.h"

#define SCHEMA_DEPTH 8			/* of shapes within shapes that are shown */

/* The document, and the page that is made of it; both borrowed. cJSON must be on `arena` (json_use). */
struct page {
	struct buf *out;		/* NULL where there is no page */
	struct arena *arena;
	const cJSON *document;
};

/* A member as text, "" when there is none. */
const char *schema_string(const cJSON *object, const char *name);

/* Where "#/components/schemas/X" points, and where that points; the thing itself when it is no reference. */
const cJSON *schema_resolve(const struct page *page, const cJSON *thing);
/* The X of it, or "". */
const char *schema_ref_name(const cJSON *thing);

/* The type of a schema without the "null" that may stand beside it. */
const char *schema_type(const cJSON *schema);
bool schema_is_nullable(const cJSON *schema);
/* A nullable object is written as anyOf [it, null]: this is it. */
const cJSON *schema_without_null(const cJSON *schema);
bool schema_is_required(const cJSON *shape, const char *name);
/* The field of a form that holds a file, or a list of files. */
bool schema_is_file(const cJSON *field);

/* A value that fits: of a `request` what is required and what has examples of its own, else all. `name` is the field's. */
cJSON *schema_example(const struct page *page, const cJSON *schema, const char *name, bool request, int depth);

#endif
