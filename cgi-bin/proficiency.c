/*
 * proficiency - placement tests as their authors see them, and main().
 */
#include "proficiency.h"

const struct section proficiency_authoring = { NULL, 0, NULL, 0 };
static const struct program program = { "proficiency", "Placement tests, attempts and results", SECTIONS(
	&proficiency_authoring, &proficiency_gift, &proficiency_taking, &proficiency_results, &proficiency_statistics) };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
