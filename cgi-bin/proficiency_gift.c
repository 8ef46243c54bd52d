/*
 * proficiency - tests made from a text in the GIFT format.
 */
#include "proficiency.h"

const struct section proficiency_gift = { NULL, 0, NULL, 0 };
