/*
 * fold - the form in which texts are searched and sorted, and the words of a search.
 */
#ifndef OKUL_FOLD_H
#define OKUL_FOLD_H

#include "arena.h"
#include "base.h"
#include "buf.h"

/*
 * Appends the form in which texts are searched and sorted: Unicode's compatibility decomposition and case folding without
 * accents, so that İ I ı i are one letter, as are ş and s, ς and σ, й and и, and ß is ss; letters that do not decompose
 * as they are typed without their key (ø o, ł l, đ d, æ ae, þ th); white space as spaces; nothing of what is invisible.
 * Bytes that are no UTF-8 are left out.
 *
 * What is stored in this form stays good when the library's Unicode grows: for characters that it knows, decomposition and
 * case folding never change (Unicode Character Encoding Stability Policies). Even so an index that must be told what it
 * holds is told the stored text, not a new folding.
 */
void fold_text(struct buf *buf, const char *s, size_t length);
/*
 * The words of a search, folded, with a space between, for SQL_HAS_WORDS(); each once, and none that is a part of another.
 * NULL for a text that is NULL or holds none.
 */
const char *fold_words(struct arena *arena, const char *s);
/*
 * The same words as a query of FTS5 that all of them must match, for an index of three-letter pieces. NULL for no words, and
 * where one is too short for such an index.
 */
const char *fold_match(struct arena *arena, const char *s);
/* True where a folded text holds every one of such words. */
bool fold_has_words(const char *text, size_t length, const char *words, size_t words_length);
/* Appends those words, with a space between, that it does not hold. */
void fold_words_left(struct buf *left, const char *text, size_t length, const char *words, size_t words_length);

#endif
