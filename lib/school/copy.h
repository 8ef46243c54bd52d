/*
 * copy - what a duplicate is called: "X" becomes "X (copy)", and that "X (copy 2)", in the language of whoever asks.
 */
#ifndef OKUL_COPY_H
#define OKUL_COPY_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "sentence.h"

/* A title taken apart: "X (kopya 2)" is copy 2 of "X", "X (Kopie)" copy 1; what has no such ending is copy 0 of itself. */
struct copy {
	const char *stem;		/* borrowed from the title, not terminated */
	size_t length;			/* bytes of it, at least 1 unless the title is empty */
	int64_t number;			/* 0 to COPY_MAX */
};
#define COPY_MAX 999999			/* what looks like a higher number belongs to the stem */

/* The endings of all four languages count, ASCII case does not. */
struct copy copy_of(const char *title);

/* The title of a copy (number from 1): at most `points` (30 or more) code points; the stem is cut, not the ending. */
const char *copy_title(struct arena *arena, const struct copy *copy, enum language language, size_t points);

/*
 * The title for a duplicate of `title`: a number above its own that no title carries in any of the languages, the next
 * one unless some between were taken away. `taken` is a statement that gives a row when one of the titles ?1 to ?4,
 * folded by fold_text(), is there already; run it in the transaction that adds the duplicate. A failure sticks to db.
 */
const char *copy_next_title(struct arena *arena, struct db *db, const char *taken, const char *title, enum language language,
	size_t points);

#endif
