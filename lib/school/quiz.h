/*
 * quiz - a placement test as it is stored, and grading: pure, knows no database.
 *
 * The questions of a test are a JSON list of {id, text, points, mediaUrl, order, options: [{id, text, isCorrect}]}. The
 * answer key is the same without the texts, in bytes, so that grading needs no JSON.
 *
 * Scores are exact. The points of a question are the decimal number that its JSON shows: the shortest that reads
 * back as the same double, so that three questions of 0.1 are exactly 0.3. They are added as integers of one scale,
 * and won x 100 / possible is rounded half up to two decimals. A question with less than 10^-28 of the highest
 * points counts as nothing.
 */
#ifndef OKUL_QUIZ_H
#define OKUL_QUIZ_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "field.h"

#define QUIZ_QUESTIONS_MAX 200
#define QUIZ_OPTIONS_MAX 10
#define QUIZ_TEXT_MAX 4000		/* code points of a question */
#define QUIZ_OPTION_TEXT_MAX 1000
#define QUIZ_POINTS_MAX 1000

/* QuestionDto, OptionDto, LevelRangeDto, AnswerDto, and their fields. */
enum { QUIZ_QUESTION_TEXT, QUIZ_QUESTION_POINTS, QUIZ_QUESTION_MEDIA, QUIZ_QUESTION_OPTIONS, QUIZ_QUESTION_FIELDS };
enum { QUIZ_OPTION_TEXT, QUIZ_OPTION_RIGHT, QUIZ_OPTION_FIELDS };
enum { QUIZ_RANGE_LEVEL, QUIZ_RANGE_MIN, QUIZ_RANGE_MAX, QUIZ_RANGE_FIELDS };
enum { QUIZ_ANSWER_QUESTION, QUIZ_ANSWER_OPTION };
extern const struct shape quiz_question, quiz_range, quiz_answer;

/* Stored questions as a list of QuestionDto, in the arena, which cJSON must use: json_use(). */
struct value quiz_values(struct arena *arena, const char *stored);

/* Appends the answer key of stored questions, in their order, to `out`. */
void quiz_key(struct buf *out, const char *stored);

/*
 * Level ranges of a request (LevelRangeDto): one fault for each that is wrong, "levelRanges[1].minScore: ...". Good
 * ones rise, begin at 0, end at 100, and each starts where the one before ends or one above.
 */
void quiz_check_ranges(struct value ranges, struct faults *faults);
/*
 * Questions of a request (QuestionDto): exactly one option of each must be right; "questions[2].options: ...". Both
 * checks skip what field_read() has found to be of a wrong type.
 */
void quiz_check_questions(struct value questions, struct faults *faults);

/*
 * Answers of a request (AnswerDto) into `chosen`, a byte a question: the number of the option from 1, 0 for no
 * answer. An unknown question, an option of another question and a question twice are faults. Returns the number of
 * questions; 0 when the key is not one.
 */
int quiz_read(struct value key, struct value answers, unsigned char chosen[static QUIZ_QUESTIONS_MAX],
	struct faults *faults);

struct quiz_grade {
	double score;			/* points won / points possible x 100, rounded half up to 2 decimals */
	int correct, questions;
	const char *level;		/* "A1" .. "C2": of the last range whose minScore is not above the score as rounded */
};

/* Grades `chosen` by a key and the stored ranges (JSON text). `chosen` holds a byte for each question of the key. */
struct quiz_grade quiz_grade(struct value key, const unsigned char *chosen, const char *ranges);

/* A stored question. Its texts are JSON, which goes into a response as it is. */
struct quiz_question {
	struct json_text id, text, points, media;
	int options, right;		/* the right one from 1; 0: none */
	struct quiz_option { struct json_text id, text; } option[QUIZ_OPTIONS_MAX];
};

/*
 * Parses the next of stored questions: *at is their text at first, then where the call before left it. False behind
 * the last. The texts are borrowed.
 */
must_use bool quiz_next(const char **at, struct quiz_question *question);
/* Parses at most `most` of them, and returns how many that are. With `questions` NULL it only counts. */
int quiz_split(const char *text, struct quiz_question *questions, int most);

/*
 * Writes an answer as results show it: question, the option with the number `chosen` (from 1), and when `graded` whether it
 * is right and the points won. Nothing when `chosen` is no option.
 */
void quiz_put_answer(struct buf *out, const struct quiz_question *question, int chosen, bool graded);

/*
 * Fills `order` with a random permutation of 0 .. count-1, all equally likely, from a secret seed. `*seed` is
 * advanced: the same seed makes the same series of permutations.
 */
void quiz_shuffle(uint64_t *seed, int count, unsigned char *order);

#endif
