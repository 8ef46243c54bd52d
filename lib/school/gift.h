/*
 * gift - questions as text, in Moodle's GIFT format (https://docs.moodle.org/en/GIFT_format): pure, without a database.
 *
 * It is read as by Moodle, where a placement test has the same: questions with exactly one right answer, multiple
 * choice (also as a missing word, whose gap becomes _____) and true/false, which becomes the options True and
 * False. An answer without text is dropped. The name of a question becomes its text where it has no other, and else
 * is dropped, as are feedback, categories, comments, ids and tags. What cannot be imported is reported with its
 * line: Cloze, short answer, numerical, matching, essay, descriptions, several right answers, partial credit.
 *
 * Texts become plain: tags are removed, character references (&ntilde;) decoded, and a tag that ends a line in a
 * browser ends one. [html] may have any tag; [moodle], which is the default, and [markdown] the common ones, and
 * their lines end where they end in the file. [plain] texts stay as they are. HTML with a picture, sound or frame
 * cannot be imported.
 *
 * Points and media are comments above their question, which other programs ignore:
 *
 *	// okul: points 2.5
 *	// okul: media https://example.com/a.mp3
 */
#ifndef OKUL_GIFT_H
#define OKUL_GIFT_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "sentence.h"
#include "value.h"

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
	struct value questions;		/* a list of QuestionDto, lib/school/quiz.h; may be empty */
	struct gift_notes faults;	/* what was left out; or that there is no question at all */
	struct gift_notes dropped;	/* what was ignored and changes no question: categories */
};

/* Reads UTF-8 without NUL, with any line ends, up to the first question over the limit. */
void gift_read(struct gift *gift, struct arena *arena, const char *text, size_t length);

/* Writes a list of QuestionDto so that gift_read() reads the same again. `title` goes into a comment. */
void gift_write(struct buf *out, const char *title, struct value questions);

#endif
