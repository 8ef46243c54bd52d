/*
 * reference - the API reference as a page, made from the OpenAPI document alone, and the examples of both.
 */
#ifndef OKUL_REFERENCE_H
#define OKUL_REFERENCE_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "json.h"

/*
 * Adds an example to each parameter and each body of the document that has none, one that the server accepts: what is
 * required, and fields that have examples. cJSON must be on `arena` (json_use).
 */
void reference_examples(struct arena *arena, cJSON *document);

/*
 * Appends the template to `out`, its places filled from the document: {{version}}, {{navigation}}, {{errors}},
 * {{routes}}. Any other {{...}} stays as it is. cJSON must be on `arena` (json_use).
 */
void reference_page(struct buf *out, struct arena *arena, const char *template, const cJSON *document);

#endif
