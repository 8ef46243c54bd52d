/*
 * openapi_part - what the files of the OpenAPI writer share; only they include it.
 *
 * openapi.c writes the operations, openapi_component.c what they refer to, openapi_schema.c fields and shapes as JSON
 * Schema. All append to `out`, which fails as buf.h says.
 */
#ifndef OKUL_OPENAPI_PART_H
#define OKUL_OPENAPI_PART_H

#include "field.h"
#include "json_write.h"
#include "page.h"
#include "route.h"
#include "upload.h"

/* The shapes that become components. */
struct openapi_shapes {
	const struct shape *list[256];
	size_t count;
	bool failed;		/* there are more of them, or one has an enumeration without a name */
};

struct openapi_name { char text[128]; };

/* ---- openapi_schema.c */

/*
 * A member, or with `name` NULL an element, as JSON text in which ' stands for ". Each %s is replaced by an argument
 * as it is, so nothing in it may need an escape. No other conversion is known.
 */
void openapi_put(struct buf *out, const char *name, const char *format, ...) printf_like(3, 4);
/* The schema of a field, without its description. */
void openapi_put_schema(struct buf *out, const char *name, const struct field *field);
void openapi_put_description(struct buf *out, const struct field *field);
/* A shape as a component: an object, or a reference where it is another shape by another name. */
void openapi_put_shape(struct buf *out, const struct shape *shape);
/* A form as a component: the fields of a shape (may be NULL), and files. */
void openapi_put_form(struct buf *out, const char *name, const struct shape *shape, const struct upload_rule *upload);
/* Adds a shape and the shapes that it contains; _inner: only those, for the shape of a form without its files. */
void openapi_shapes_add(struct openapi_shapes *shapes, const struct shape *shape);
void openapi_shapes_add_inner(struct openapi_shapes *shapes, const struct shape *shape);
/* The named enumerations that the program's shapes, forms and queries use, as components. */
void openapi_put_enumerations(struct buf *out, const struct program *program, const struct openapi_shapes *shapes);

/* ---- openapi_component.c */

/* True when the body may be JSON. */
static inline bool
openapi_takes_json(const struct route *route)
{
	return route->in && (!route->upload || route->upload->json_too);
}

/* True for a GET that may return 304. */
static inline bool
openapi_is_cacheable(const struct route *route)
{
	return route_is_tagged(route) || route->out_type;
}

/* True when every status that the row lists has a description. */
bool openapi_knows_errors(const struct route *route);
/* The component of its form, and that of its success. */
struct openapi_name openapi_form_name(const struct route *route);
struct openapi_name openapi_envelope_name(const struct route *route);
/* Begins a response with up to four headers (NULL is skipped), an object that the caller closes. */
void openapi_put_response(struct buf *out, const char *name, const char *description, const char *const names[static 4]);
/* A whole 304; `header` (may be NULL) is one more than those of all. */
void openapi_put_not_modified(struct buf *out, const char *name, const char *header);
/* A reference for each error that the route may return, by status. */
void openapi_put_failures(struct buf *out, const struct route *route);
void openapi_put_components(struct buf *out, const struct program *program, const struct openapi_shapes *shapes);

#endif
