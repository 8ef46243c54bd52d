/* entity - the character references of HTML (&ntilde; &#241; &#xF1;). */
#ifndef OKUL_ENTITY_H
#define OKUL_ENTITY_H

#include "buf.h"

/*
 * Appends the text of the character reference that [s, s + left) begins with, as browsers read it: all names of HTML,
 * the old ones without semicolon too, and numbers. White space, &nbsp; among it, and control characters are a space.
 * Returns the length of the reference; 0, and appends nothing, when there is none.
 */
size_t buf_entity(struct buf *out, const char *s, size_t left);

#endif
