/* utf8 - text in UTF-8: well-formedness, code points, and which of them may be shown. */
#ifndef OKUL_UTF8_H
#define OKUL_UTF8_H

#include "buf.h"

/* True for well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or code points over U+10FFFF. */
bool utf8_is_valid(const char *bytes, size_t length);
/* The first code point of [s, s + left) and its length in bytes; -1 and 1 where it is not well-formed UTF-8. */
int32_t utf8_first(const char *s, size_t left, size_t *bytes);
/* Writes a code point, which is no surrogate and at most U+10FFFF; returns its length in bytes. */
size_t utf8_encode(int32_t point, char out[static 4]);
/* The length alone, 1 to 4; 0 where it is not well-formed UTF-8. */
size_t utf8_sequence(const char *s, size_t left);
/*
 * True for a control character (C0, DEL, C1), a line or paragraph separator, a character that changes the direction of
 * text (UAX #9), and for -1: nothing to show to people as it is.
 */
bool utf8_is_control(int32_t point);
/* Code points in well-formed UTF-8. */
size_t utf8_points(const char *bytes, size_t length);
/* The first `points` code points of well-formed UTF-8; `s` itself when it has no more, NULL for NULL. */
const char *utf8_clip(struct arena *arena, const char *s, size_t points);
/* Appends untrusted text for a terminal or a log, with control characters and malformed bytes as \x1b or \u202e. */
void utf8_visible(struct buf *buf, const char *s, size_t length);
/* True for white space (Unicode's White_Space) and for the braille pattern without dots; false for -1. */
bool utf8_is_blank(int32_t point);
/* Narrows [*s, *s + *length) by white space and invisible characters at both ends. */
void utf8_trim(const char **s, size_t *length);
/*
 * Removes, in place, embeddings, overrides and isolates (UAX #9 section 2): in a single line, which programs show next
 * to others, they make text appear in another place.
 */
void utf8_drop_directions(char *s);
/* True where well-formed UTF-8 holds a control character (category Cc) other than those of ASCII in `but`. */
bool utf8_has_control(const char *s, const char *but);

#endif
