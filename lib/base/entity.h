/*
 * entity - the character references of HTML (&ntilde; &#241; &#xF1;): pure.
 */
#ifndef OKUL_ENTITY_H
#define OKUL_ENTITY_H

#include "base.h"
#include "buf.h"

/*
 * Appends the text of the character reference that [s, s + left) begins with, as a browser reads it: all names of
 * HTML, the old ones without semicolon too, and numbers. White space, &nbsp; among it, is a space; so is a control
 * character. Returns the bytes of the reference; 0 when it is none, and nothing is appended.
 */
size_t buf_entity(struct buf *out, const char *s, size_t left);

#endif
