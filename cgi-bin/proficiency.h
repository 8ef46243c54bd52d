/* proficiency - what the files of the group share. */
#ifndef OKUL_PROFICIENCY_H
#define OKUL_PROFICIENCY_H

#include "app.h"
#include "attempt.h"
#include "data.h"
#include "placement.h"
#include "quiz.h"

/* proficiency.c, and each other in proficiency_<name>.c */
extern const struct section proficiency_authoring, proficiency_gift, proficiency_taking, proficiency_results,
	proficiency_statistics;

extern const struct shape proficiency_detail;		/* ProficiencyTestDetailResponseDto */
extern const struct shape proficiency_question;		/* ProficiencyQuestionResponseDto */
/* Checks what the shape of the level ranges does not. */
void proficiency_check_ranges(const struct request *rq, struct value ranges, struct faults *faults);
/* A handler: adds the struct placement in rq->prepared, and shows it. */
struct response proficiency_add(struct request *rq);

/* ---- proficiency_taking.c */

/* "questions" without the right answers. With `shuffle` options are in the order of their ids, which is random. */
void proficiency_put_questions(struct request *rq, const char *questions, bool shuffle);

/* ---- proficiency_results.c */

extern const struct shape proficiency_result;		/* UserTestResultResponseDto */

/* Closes the attempts of a user (0: of anybody) whose time has run out. Nothing inside a write transaction. */
void proficiency_close_due(struct request *rq, int64_t user);

#endif
