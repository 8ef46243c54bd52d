/*
 * attempt - open attempts at placement tests, and the results that they become.
 *
 * An attempt whose deadline has passed by more than the grace counts as taken, also when nothing was saved: what
 * was saved until then is graded, and the result is completed at the deadline. The next reader writes that: a
 * request of the user, results or statistics that an admin requests, the deletion of a test, or `okulctl cleanup`.
 */
#ifndef OKUL_ATTEMPT_H
#define OKUL_ATTEMPT_H

#include "arena.h"
#include "base.h"
#include "clock.h"
#include "db.h"
#include "quiz.h"

#define ATTEMPT_GRACE (5 * SECOND)	/* an answer may be on its way when the time runs out */

extern const struct db_statements attempt_statements;

/* True when an attempt with that deadline (0: none) takes no more answers. */
static inline bool
attempt_is_over(int64_t deadline, int64_t now)
{
	return deadline && now > deadline + ATTEMPT_GRACE;
}

/* A version of a test, parsed. */
struct test_version {
	int64_t pk;
	struct value key;		/* lib/school/quiz.h */
	const char *ranges, *language, *test_id, *title;
	const struct quiz_question *questions;
	int count;			/* of them */
};

/*
 * Reads a version; NULL when there is none. Versions never change, so the process caches the last few, unless they
 * are large: to read and parse 20 KiB would be a fourth of a submission. Borrowed until three others were read; a
 * large one is in the arena.
 */
const struct test_version *attempt_version(struct db *db, struct arena *arena, int64_t pk);

struct attempt {
	const char *id;
	int64_t user, test, version;	/* pk */
	int64_t started_at, deadline;	/* milliseconds; 0: no limit of time */
	struct value seed;		/* of the order of questions and options; NULL: that of the test */
};

/* Inside a write transaction, as all that follow: a new attempt, and what was chosen so far, `count` bytes. */
void attempt_begin(struct db *db, const struct attempt *attempt);
void attempt_save(struct db *db, int64_t pk, const unsigned char *chosen, int count);

struct result {
	const char *id;
	int64_t user, test, version;
	const char *target_language;
	int64_t completed_at;
	const unsigned char *chosen;	/* grade.questions bytes */
	struct quiz_grade grade;
};

/* Adds a result. Returns its number among those of user and test, from 1. */
int64_t attempt_record(struct db *db, const struct result *result);
/* Deletes an attempt that has become a result. */
void attempt_remove(struct db *db, int64_t pk);
/* An attempt whose time has run out, and the result that it becomes. */
struct attempt_due {
	unsigned char chosen[QUIZ_QUESTIONS_MAX];
	struct value saved;		/* the same as it is stored */
	struct result result;
	const struct attempt_due *next;
};

/*
 * Before the transaction: reads and grades up to `limit` attempts of that user (0: anybody) to be closed, oldest
 * first. Returns how many; the list lies in the arena.
 */
int64_t attempt_read_due(struct db *db, struct arena *arena, int64_t now, int64_t user, int64_t limit,
	const struct attempt_due **first);
/* Makes results of those that are still as they were read. Returns how many; a failure sticks to db. */
int64_t attempt_close(struct db *db, const struct attempt_due *first);

/*
 * DB_ROW and a row with the user's address, the test's title, score and level of what was deleted; DB_DONE when
 * there is none.
 */
must_use enum db_rc attempt_remove_result(struct db *db, struct db_rows **row, const char *id);

#endif
