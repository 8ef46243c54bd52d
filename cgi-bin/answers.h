/*
 * answers - the answers to a test in a response, for the groups that show results.
 */
#ifndef OKUL_ANSWERS_H
#define OKUL_ANSWERS_H

#include "data.h"
#include "quiz.h"

/* One answer: the option with the number `chosen`, from 1; when `graded` with isCorrect and the points won. 0: nothing. */
static inline void
answers_put_one(struct request *rq, const struct quiz_question *question, int chosen, bool graded)
{
	bool right = chosen == question->right;

	if (chosen == 0 || chosen > question->options)
		return;
	const struct quiz_option *option = &question->option[chosen - 1];
	data_object(rq, NULL);
	data_raw(rq, "questionId", question->id.s, question->id.length);
	data_raw(rq, "questionText", question->text.s, question->text.length);
	data_raw(rq, "optionId", option->id.s, option->id.length);
	data_raw(rq, "optionText", option->text.s, option->text.length);
	if (graded) {
		data_bool(rq, "isCorrect", right);
		data_raw(rq, "points", right ? question->points.s : "0", right ? question->points.length : 1);
	}
	data_end_object(rq);
}

/* "answers" to stored questions, in their order; `chosen` has a byte for each. */
static inline void
answers_put(struct request *rq, const char *questions, const unsigned char *chosen, size_t length, bool graded)
{
	struct quiz_question question;

	data_list(rq, "answers");
	for (size_t i = 0; i < length && quiz_next(&questions, &question); i++)
		answers_put_one(rq, &question, chosen[i], graded);
	data_end_list(rq);
}

#endif
