/*
 * proficiency - what the files of the group share.
 */
#ifndef OKUL_PROFICIENCY_H
#define OKUL_PROFICIENCY_H

#include "app.h"
#include "placement.h"
#include "quiz.h"

/* proficiency.c, and each other in proficiency_<name>.c */
extern const struct section proficiency_authoring, proficiency_gift, proficiency_taking, proficiency_results,
	proficiency_statistics;

extern const struct shape proficiency_detail;		/* ProficiencyTestDetailResponseDto */
extern const struct shape proficiency_question;		/* ProficiencyQuestionResponseDto */
/* What is wrong with the level ranges of the body beyond their shapes. */
void proficiency_check_ranges(struct request *rq, struct faults *faults);
/* Adds a test and shows it. */
struct response proficiency_add(struct request *rq, const struct placement *test);

/* ---- proficiency_taking.c */

/*
 * "questions" as learners see them: without the right answers. Where each attempt is to have an order of its own, options
 * are in that of their ids, which is nobody's; else, as everything, in their author's.
 */
void proficiency_put_questions(struct request *rq, const char *questions, bool shuffle);

/* ---- proficiency_results.c */

extern const struct shape proficiency_result;		/* UserTestResultResponseDto */

/* Closes the attempts of a user (0: anybody's) whose time has run out, so that what a GET shows of results is all there is. */
void proficiency_close_due(struct request *rq, int64_t user);

#endif
