#include "guard.h"

#ifdef OKUL_TEST
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool in_transaction;

void
guard_transaction(bool open)
{
	in_transaction = open;
}

void
guard_check(const char *function)
{
	const char *programs = getenv("TRANSACTION_GUARD");

	if (!in_transaction || !programs || (strcmp(programs, "1") != 0 && !strstr(programs, program_invocation_short_name)))
		return;
	fprintf(stderr, "%s() inside a write transaction\n", function);
	abort();
}
#endif
