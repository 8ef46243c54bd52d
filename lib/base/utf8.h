/*
 * utf8 - text in UTF-8: its form, its code points, and which of them may be shown.
 */
#ifndef OKUL_UTF8_H
#define OKUL_UTF8_H

#include "arena.h"
#include "base.h"
#include "buf.h"

/* True for well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or code points over U+10FFFF. */
bool utf8_is_valid(const char *bytes, size_t length);
/* Bytes (1 to 4) of the well-formed UTF-8 sequence that [s, s + left) begins with; 0 when it begins with none. */
size_t utf8_sequence(const char *s, size_t left);
/* The code point of a well-formed sequence of `length` bytes. */
uint32_t utf8_code_point(const char *s, size_t length);
/*
 * True for a well-formed sequence of `length` bytes that is a control character (C0, DEL, C1), a line or paragraph separator, or one
 * that changes the direction of text (UAX #9): nothing to show to people as it is.
 */
bool utf8_is_control(const char *s, size_t length);
/* Code points in well-formed UTF-8. */
size_t utf8_points(const char *bytes, size_t length);
/* At most `points` code points of well-formed UTF-8; the text itself when it is no longer, NULL for NULL. */
const char *utf8_clip(struct arena *arena, const char *s, size_t points);
/*
 * Text of anybody's for a terminal or a log: what would move the cursor, change the direction of writing or end the line is
 * written \x1b, \u202e (utf8_is_control()), and so is each byte that is no UTF-8.
 */
void utf8_visible(struct buf *buf, const char *s, size_t length);
/* The code point that [s, s + left) begins with, and its bytes; -1 and 1 where that is not well-formed UTF-8. */
int32_t utf8_first(const char *s, size_t left, size_t *bytes);
/* True for white space (Unicode's White_Space) and for the braille pattern without dots; false for -1. */
bool utf8_is_blank(int32_t point);
/* Narrows [*s, *s + *length) past white space (Unicode's White_Space) and invisible characters at both ends. */
void utf8_trim(const char **s, size_t *length);
/*
 * Takes out, in place, what sets the direction of a part of a text (UAX 9 section 2: embeddings, overrides, isolates): in one
 * line, which programs put beside others, it makes things look as if they stood elsewhere.
 */
void utf8_drop_directions(char *s);
/* True where well-formed UTF-8 holds a control character (category Cc) that is not among those of ASCII in `but`. */
bool utf8_has_control(const char *s, const char *but);

#endif
