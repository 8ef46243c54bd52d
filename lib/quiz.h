/*
 * quiz - a placement test as it is stored, and grading: pure, knows no database.
 *
 * The questions of a test are a JSON list of {id, text, points, mediaUrl, options: [{id, text, isCorrect}]}. The answer key
 * is the same without the words, in bytes, so that grading a submission needs to parse no questions.
 */
#ifndef OKUL_QUIZ_H
#define OKUL_QUIZ_H

#include "base.h"
#include "field.h"
#include "text.h"

#define QUIZ_QUESTIONS_MAX 200
#define QUIZ_OPTIONS_MAX 10

/* Appends the answer key of questions that have ids, in their order, to `out`. */
void quiz_key(struct buf *out, const cJSON *questions);

/*
 * Level ranges (LevelRangeDto) as they came in a request: one fault for each that is wrong, "levelRanges[1].minScore: ...".
 * Good ones rise, begin at 0, end at 100, and each starts where the one before ends or one above.
 */
void quiz_check_ranges(const cJSON *ranges, struct faults *faults);
/* Questions as they came: exactly one option of each must be right; "questions[2].options: ...". */
void quiz_check_questions(const cJSON *questions, struct faults *faults);

/*
 * Answers of a request (AnswerDto) into `chosen`, a byte a question: the number of the option from 1, 0 for no answer.
 * An unknown question, an option of another question and a question twice are faults. Gives the number of questions.
 */
int quiz_read(const void *key, size_t key_length, const cJSON *answers, unsigned char chosen[static QUIZ_QUESTIONS_MAX],
	struct faults *faults);

struct quiz_grade {
	double score;			/* points won / points possible x 100, rounded half up to 2 decimals */
	int correct, questions;
	const char *level;		/* "A1" .. "C2": of the last range whose minScore is not above the score */
};

/* Grades `chosen` by a key and the stored ranges (JSON text). */
struct quiz_grade quiz_grade(const void *key, size_t key_length, const unsigned char *chosen, const char *ranges);

#endif
