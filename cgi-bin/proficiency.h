/*
 * proficiency - what the files of the group share.
 */
#ifndef OKUL_PROFICIENCY_H
#define OKUL_PROFICIENCY_H

#include "app.h"

/* proficiency.c, and each other in proficiency_<name>.c */
extern const struct section proficiency_authoring, proficiency_gift, proficiency_taking, proficiency_results,
	proficiency_statistics;

#endif
