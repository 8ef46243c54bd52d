/* reference - the API reference as a page, generated from the OpenAPI document alone, and the examples of both. */
#ifndef OKUL_REFERENCE_H
#define OKUL_REFERENCE_H

#include "buf.h"
#include "json.h"

/*
 * Adds an example that the server accepts to each parameter and body of the document that has none: the required
 * fields, and those with examples. cJSON must be on `arena` (json_use).
 */
void reference_examples(struct arena *arena, cJSON *document);

/*
 * Appends the template to `out`, with {{version}}, {{navigation}}, {{errors}} and {{routes}} filled in from the
 * document. Any other {{...}} stays as it is. cJSON must be on `arena` (json_use).
 */
void reference_page(struct buf *out, struct arena *arena, const char *template, const cJSON *document);

#endif
