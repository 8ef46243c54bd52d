/* fold - the form in which texts are searched and sorted, and the words of a search. */
#ifndef OKUL_FOLD_H
#define OKUL_FOLD_H

#include "buf.h"

/*
 * Appends the folded form of a text: Unicode's compatibility decomposition and case folding without accents, so that İ
 * I ı i are one letter, as are ş and s, ς and σ, й and и, and ß is ss; letters that do not decompose as they are typed
 * on a keyboard without them (ø o, ł l, đ d, æ ae, þ th); white space as spaces. Omits invisible characters and bytes
 * that are not UTF-8.
 *
 * Stored folded text stays valid with later versions of Unicode: decomposition and case folding of assigned characters
 * never change (Unicode Character Encoding Stability Policies). Yet to remove text from an index, pass the stored text,
 * not a new folding.
 */
void fold_text(struct buf *buf, const char *s, size_t length);
/*
 * The words of a search, folded, separated by a space, for SQL_HAS_WORDS(); each once, and none that is a part of
 * another. NULL for NULL and for a text without words.
 */
const char *fold_words(struct arena *arena, const char *s);
/*
 * The same words as an FTS5 query for a trigram index that requires all of them. NULL when there are none, or one has
 * fewer than three characters.
 */
const char *fold_match(struct arena *arena, const char *s);
/* True where a folded text contains all of these words. Else appends the others to `left`, unless it is NULL. */
bool fold_has_words(const char *text, const char *words, struct buf *left);

#endif
