/*
 * proficiency - what the files of the group share.
 */
#ifndef OKUL_PROFICIENCY_H
#define OKUL_PROFICIENCY_H

#include "app.h"
#include "placement.h"

/* proficiency.c, and each other in proficiency_<name>.c */
extern const struct section proficiency_authoring, proficiency_gift, proficiency_taking, proficiency_results,
	proficiency_statistics;

extern const struct shape proficiency_detail;		/* ProficiencyTestDetailResponseDto */
extern const struct shape proficiency_head;		/* what is in front of a test's questions when it is made */
extern const struct shape proficiency_ranges;		/* its level ranges */

/* A test as the body names it, with what a new one has where it does not; questions and ranges are left to the caller. */
struct placement *proficiency_of_body(struct request *rq);
/* What is wrong with the level ranges of the body beyond their shapes. */
void proficiency_check_ranges(struct request *rq, struct faults *faults);
/* Adds a test and shows it. */
struct reply proficiency_add(struct request *rq, const struct placement *test);

#endif
