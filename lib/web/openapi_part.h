/*
 * openapi_part - what the files of the OpenAPI writer share; only they include it.
 *
 * openapi.c writes the operations, openapi_component.c what they refer to, openapi_schema.c fields and shapes as JSON Schema.
 * All append to `out`, which fails as buf.h says.
 */
#ifndef OKUL_OPENAPI_PART_H
#define OKUL_OPENAPI_PART_H

#include "base.h"
#include "field.h"
#include "json_write.h"
#include "page.h"
#include "route.h"
#include "upload.h"

/* The shapes that become components. */
struct openapi_shapes {
	const struct shape *list[256];
	size_t count;
	bool failed;		/* there are more of them */
};

struct openapi_name { char text[128]; };

/* ---- openapi_schema.c */

/* The member $ref: components/kind/name. */
void openapi_put_ref(struct buf *out, const char *kind, const char *name);
/* A field as the members of an object that the caller opens and closes. */
void openapi_put_schema(struct buf *out, const struct field *field);
void openapi_put_description(struct buf *out, const struct field *field);
/* A shape as a component. */
void openapi_put_shape(struct buf *out, const struct shape *shape);
/* Takes in a shape, and what it holds; _inner: only what it holds. */
void openapi_shapes_add(struct openapi_shapes *shapes, const struct shape *shape);
void openapi_shapes_add_inner(struct openapi_shapes *shapes, const struct shape *shape);
/* The named enumerations that the program's shapes, forms and queries use, as components. */
void openapi_put_enumerations(struct buf *out, const struct program *program, const struct openapi_shapes *shapes);
/* True when all words that its fields choose from have a name. */
bool openapi_names_enumerations(const struct shape *shape);

/* ---- openapi_component.c */

/* True for what the web server sends, with a tag of its own and in parts. */
bool openapi_is_file(const struct route *route);
/* True when the body may be JSON. */
bool openapi_takes_json(const struct route *route);
/* True for a GET that may be answered by 304. */
bool openapi_may_be_kept(const struct route *route);
/* True when a success carries an ETag. */
bool openapi_shows_tag(const struct route *route);
bool openapi_takes_if_match(const struct route *route);
/* True when there are words for every status that the row lists. */
bool openapi_knows_errors(const struct route *route);
/* The component that its form is, and that its success is. */
struct openapi_name openapi_form_name(const struct route *route);
struct openapi_name openapi_envelope_name(const struct route *route);
void openapi_put_header_ref(struct buf *out, const char *name);
/* Each error that a request to the route may be answered with, by status. */
void openapi_put_failures(struct buf *out, const struct route *route);
void openapi_put_components(struct buf *out, const struct program *program, const struct openapi_shapes *shapes);

#endif
