/*
 * quiz - a placement test as it is stored, and grading: pure, knows no database.
 *
 * The questions of a test are a JSON list of {id, text, points, mediaUrl, order, options: [{id, text, isCorrect}]}. The
 * answer key is the same without the words, in bytes, so that grading a submission needs to parse no questions.
 *
 * Scores are exact. The points of a question are the decimal number that its JSON shows: the shortest that reads back as
 * the same double, so three questions of 0.1 are 0.3 and nothing beside it. They are added up as integers of one scale, and
 * won x 100 / possible is rounded half up to two decimals from there. A question that is worth less than 10^-28 of the
 * weightiest counts as nothing.
 */
#ifndef OKUL_QUIZ_H
#define OKUL_QUIZ_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "field.h"

#define QUIZ_QUESTIONS_MAX 200
#define QUIZ_OPTIONS_MAX 10

/* Appends the answer key of questions that have ids, in their order, to `out`. Without "points" a question is worth 1. */
void quiz_key(struct buf *out, const cJSON *questions);

/*
 * Level ranges (LevelRangeDto) as they came in a request: one fault for each that is wrong, "levelRanges[1].minScore: ...".
 * Good ones rise, begin at 0, end at 100, and each starts where the one before ends or one above.
 */
void quiz_check_ranges(const cJSON *ranges, struct faults *faults);
/*
 * Questions as they came: exactly one option of each must be right; "questions[2].options: ...".
 * Both checks pass over what has not the form of its DTO, which field_check() finds.
 */
void quiz_check_questions(const cJSON *questions, struct faults *faults);

/* AnswerDto, and its fields. */
enum { QUIZ_QUESTION_ID, QUIZ_OPTION_ID };
extern const struct shape quiz_answer;

/*
 * Answers of a request (AnswerDto) into `chosen`, a byte a question: the number of the option from 1, 0 for no answer.
 * An unknown question, an option of another question and a question twice are faults. Gives the number of questions; 0
 * when the key is none.
 */
int quiz_read(const void *key, size_t key_length, struct value answers, unsigned char chosen[static QUIZ_QUESTIONS_MAX],
	struct faults *faults);

struct quiz_grade {
	double score;			/* points won / points possible x 100, rounded half up to 2 decimals */
	int correct, questions;
	const char *level;		/* "A1" .. "C2": of the last range whose minScore is not above the score as rounded */
};

/* Grades `chosen` by a key and the stored ranges (JSON text). `chosen` holds a byte for each question of the key. */
struct quiz_grade quiz_grade(const void *key, size_t key_length, const unsigned char *chosen, const char *ranges);

/* JSON text as it is stored, a string with its quotes: it goes into an answer without being read and written anew. */
struct quiz_text {
	const char *s;
	size_t length;
};

struct quiz_question {
	struct quiz_text id, text, points, media;
	int options, right;		/* the right one from 1; 0: none */
	struct { struct quiz_text id, text; } option[QUIZ_OPTIONS_MAX];
};

/*
 * Takes the next of stored questions apart: *at is their text at first, then where the call before left it. False behind the
 * last. The texts point into the questions.
 */
must_use bool quiz_next(const char **at, struct quiz_question *question);
/* Takes at most `most` of them apart; gives how many there are up to there. With `questions` NULL it only counts. */
int quiz_split(const char *text, struct quiz_question *questions, int most);

/*
 * The answers that were given to questions, in their order, as a JSON list in the arena: questionId, questionText, optionId
 * and optionText of each, and when `graded` whether it isCorrect and the points won. `chosen` has `count` bytes.
 */
const char *quiz_answers(struct arena *arena, const struct quiz_question *questions, const unsigned char *chosen, int count,
	bool graded);
/* The same of stored questions, as the member `name` of the object in the buffer; `chosen` has `length` bytes. */
void quiz_put_answers(struct buf *out, const char *name, const char *stored, const unsigned char *chosen, size_t length,
	bool graded);

/*
 * The next order of a series that a secret seed gives, the same series each time: fills `order` with 0 .. count-1, each
 * arrangement as likely as any other. `*seed` moves on, so that calls in turn give the orders of questions and options.
 */
void quiz_shuffle(uint64_t *seed, int count, unsigned char *order);

#endif
