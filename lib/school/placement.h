/*
 * placement - a placement test as it is stored, written by the program and by okulctl alike.
 *
 * Texts are stored as they are in responses: questions as ProficiencyQuestionResponseDto for an admin, level ranges as
 * LevelRangeResponseDto, so that showing a test to an admin needs no JSON work.
 */
#ifndef OKUL_PLACEMENT_H
#define OKUL_PLACEMENT_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "expiry.h"
#include "field.h"

extern const struct db_statements placement_statements;

#define PLACEMENT_TITLE_MAX 200	/* code points */

/* The fields before the questions of a new test, and the one behind them. */
enum { PLACEMENT_TITLE, PLACEMENT_DESCRIPTION, PLACEMENT_LANGUAGE, PLACEMENT_MINUTES, PLACEMENT_ATTEMPTS,
	PLACEMENT_SHUFFLE, PLACEMENT_PUBLISHED, PLACEMENT_FIELDS };
extern const struct shape placement_head;
extern const struct shape placement_ranges;	/* levelRanges */

/* In a change NULL (or count 0) leaves a column as it is. */
struct placement {
	struct value head[PLACEMENT_FIELDS];	/* what is null is as in any new test */
	const char *questions, *ranges;	/* JSON text */
	struct value key;		/* the answer key: lib/school/quiz.h */
	int count;			/* of the questions */
	int64_t asked_by;		/* pk of a version that has the same questions, and keeps its ids; 0: none */
};

/* A test from checked values of the two shapes. Texts are borrowed. The questions are for placement_set_questions(). */
struct placement *placement_of(struct arena *arena, const struct value *head, struct value ranges);
/*
 * Sets questions, key and count from a checked list of QuestionDto. All get new ids: those of questions rise in
 * their order, those of options are in random order. JSON work on up to 1 MiB: do it before the write transaction.
 */
void placement_set_questions(struct placement *test, struct arena *arena, struct value questions);

/* True when a checked list of QuestionDto equals the stored one but for the ids. */
must_use bool placement_asks_same(struct arena *arena, const char *stored, struct value questions);

/* Inside a write transaction: a new test under a new id. A failure sticks to db. */
void placement_add(struct db *db, const struct placement *test, const char *id, int64_t now);

/*
 * Inside a write transaction: changes the test of that id. Results and attempts keep their version; a new one is
 * added where title, language, ranges or questions change, and unused ones are deleted. False when there is no such
 * test. A failure sticks to db.
 */
must_use bool placement_change(struct db *db, const struct placement *test, const char *id, int64_t now);
/*
 * Inside a write transaction: deletes the test of that id, with its open attempts. Returns its title; NULL when
 * there is none.
 */
const char *placement_delete(struct db *db, struct arena *arena, const char *id);

/* Deletes versions, whatever `until` is, that no test, result or attempt has any more. */
extern const expiry placement_expiry_versions;

#endif
