/* copy - titles of duplicates: "X" becomes "X (copy)", and that "X (copy 2)", in the language of the request. */
#ifndef OKUL_COPY_H
#define OKUL_COPY_H

#include "db.h"
#include "sentence.h"

/*
 * A parsed title: "X (kopya 2)" is copy 2 of "X", "X (Kopie)" copy 1; a title without such an ending is copy 0 of
 * itself.
 */
struct copy {
	const char *stem;		/* borrowed from the title, not NUL-terminated */
	size_t length;			/* bytes of the stem, at least 1 unless the title is empty */
	int64_t number;			/* 0 to COPY_MAX */
};
#define COPY_MAX 999999			/* a higher number is part of the stem */

/* Parses a title with an ending in any of the languages, in any ASCII case. */
struct copy copy_of(const char *title);

/*
 * Formats the title of a copy (number from 1), in the arena. The stem is cut so that it has at most `points` (30 or
 * more) code points.
 */
const char *copy_title(struct arena *arena, const struct copy *copy, enum language language, size_t points);

/*
 * Returns the title for a duplicate of `title`, in the arena: with a number above its own that is free in all
 * languages, usually the next. `taken` is a statement that returns a row when one of the titles ?1 to ?4, folded by
 * fold_text(), exists. Call it in the transaction that adds the duplicate. A failure sticks to db.
 */
const char *copy_next_title(struct arena *arena, struct db *db, const char *taken, const char *title, enum language language,
	size_t points);

#endif
