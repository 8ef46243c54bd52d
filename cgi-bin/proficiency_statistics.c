/*
 * proficiency - how the questions of a test do.
 */
#include "proficiency.h"

const struct section proficiency_statistics = { NULL, 0, NULL, 0 };
