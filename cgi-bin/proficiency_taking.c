/*
 * proficiency - open attempts, their answers, and submitting them.
 */
#include "proficiency.h"

const struct section proficiency_taking = { NULL, 0, NULL, 0 };
