/*
 * gift - questions as text, in Moodle's GIFT format (https://docs.moodle.org/en/GIFT_format): pure, knows no database.
 *
 * Read as Moodle reads it, where it has what a placement test has: questions with exactly one right answer, multiple
 * choice (also as a missing word, whose gap becomes _____) and true/false, which becomes the options True and False.
 * An answer without text is dropped. The name of a question is its text where it has no other, and else dropped, as
 * are feedback, categories, comments, ids and tags. What cannot be taken is named by its line: Cloze, short answer,
 * numerical, matching, essay, descriptions, several right answers, partial credit.
 *
 * Texts are plain here: tags are taken out, character references (&ntilde;) decoded, and a tag that ends a line in a
 * browser ends one. Of [html] any tag is one; [moodle], which is the default, and [markdown] may hold the common
 * ones, and their lines end where they end in the file. [plain] texts stay as they are. HTML with a picture, sound or
 * frame cannot be taken.
 *
 * Points and media stand in comments above their question, which other programs pass over:
 *
 *	// okul: points 2.5
 *	// okul: media https://example.com/a.mp3
 */
#ifndef OKUL_GIFT_H
#define OKUL_GIFT_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "json.h"
#include "sentence.h"

#define GIFT_NOTES_MAX 100		/* kept of each kind; all are counted */

struct gift_notes {	/* in the order of lines */
	size_t count;
	struct gift_note {
		size_t line;		/* from 1; 0: the text as a whole */
		enum sentence what;	/* its %s is the line */
		struct gift_note *next;
	} *first;
};

struct gift {
	cJSON *questions;		/* a list of QuestionDto within all its limits; empty when there are none */
	struct gift_notes faults;	/* what was left out; or that there is no question at all */
	struct gift_notes dropped;	/* what was passed over and changes no question: categories */
};

/*
 * Reads UTF-8 without NUL, with any line ends, up to the first question over the limit. cJSON must allocate in `arena`:
 * json_use().
 */
void gift_read(struct gift *gift, struct arena *arena, const char *text, size_t length);

/* Writes questions (QuestionDto, ids or not) so that gift_read() gives the same again. `title` goes into a comment. */
void gift_write(struct buf *out, const char *title, const cJSON *questions);

#endif
