/*
 * proficiency - results, one's own and everybody's.
 */
#include "proficiency.h"

const struct section proficiency_results = { NULL, 0, NULL, 0 };
