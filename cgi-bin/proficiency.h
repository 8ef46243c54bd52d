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
/* What is wrong with the level ranges of the body beyond their shapes. */
void proficiency_check_ranges(struct request *rq, struct faults *faults);
/* Adds a test and shows it. */
struct reply proficiency_add(struct request *rq, const struct placement *test);

#endif
