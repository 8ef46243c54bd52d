/*
 * placement - a placement test as it is stored, written by the program and by okulctl alike.
 *
 * The texts that are stored are answers already: questions as ProficiencyQuestionResponseDto shows them to an admin, level
 * ranges as LevelRangeResponseDto, so that showing a test to one needs no JSON work.
 */
#ifndef OKUL_PLACEMENT_H
#define OKUL_PLACEMENT_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "expiry.h"
#include "field.h"
#include "json.h"

extern const struct db_statements placement_statements;

#define PLACEMENT_TITLE_MAX 200	/* code points */

extern const struct shape placement_head;	/* the fields in front of the questions of a test that is made */
extern const struct shape placement_ranges;	/* the field behind them: levelRanges */

/* Of a change: a text is NULL (or count 0) where it stays as it is. Of a new test only `description` may be NULL: there is none. */
struct placement {
	const char *title, *description, *language;
	int64_t minutes;		/* 0: no limit of time */
	int64_t attempts;		/* 0: no limit */
	bool shuffle, published;
	const char *questions, *ranges;	/* JSON text */
	struct value key;		/* the answer key, or NULL: lib/school/quiz.h */
	int count;			/* of the questions */
	bool names_minutes, names_attempts, names_shuffle, names_published;	/* of a change: false where it stays as it is */
	int64_t asked_by;		/* of a change: pk of a version that asks the same already, and keeps its ids; 0: none */
};

/*
 * A test as a checked body of the two shapes names it; what it does not name is as a new test has it. Texts are borrowed
 * from the body. The questions are for placement_set_questions().
 */
struct placement *placement_of(struct arena *arena, const cJSON *body);
/*
 * Fills in questions, key and count from a checked list of QuestionDto, which gets new ids on the way (old ones go). The ids
 * of questions grow in their order, those of options are in none. JSON work on up to 1 MiB: do it before the write
 * transaction. cJSON must allocate in `arena`: json_use().
 */
void placement_set_questions(struct placement *test, struct arena *arena, cJSON *questions);

/* True when a checked list of QuestionDto is, ids apart, what is stored: same words, points and media in the same order. */
must_use bool placement_asks_same(struct arena *arena, const char *stored, const cJSON *questions);

/* Inside a write transaction: a new test under a new id. A failure sticks to db. */
void placement_add(struct db *db, const struct placement *test, const char *id, int64_t now);

/*
 * Inside a write transaction: changes the test of that id. What was answered keeps the version that it answers; a new one is added
 * where words, ranges or questions change, and those that nothing needs go. False when there is no such test. A failure sticks
 * to db.
 */
must_use bool placement_change(struct db *db, struct placement *test, const char *id, int64_t now);
/* Inside a write transaction: deletes the test of that id, with its open attempts. Returns its title; NULL when there is none. */
const char *placement_delete(struct db *db, struct arena *arena, const char *id);

/* Versions, whatever `until` is, that no test, result or attempt has any more: the last one went with its user or by an admin. */
expiry_call placement_expire_versions;

#endif
