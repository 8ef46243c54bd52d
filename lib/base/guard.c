#include "guard.h"

#ifdef OKUL_TEST
#include <stdio.h>
#include <stdlib.h>

static bool in_transaction;

void
guard_transaction(bool open)
{
	in_transaction = open;
}

void
guard_check(const char *function)
{
	if (!in_transaction)
		return;
	fprintf(stderr, "%s() inside a write transaction\n", function);
	abort();
}
#endif
