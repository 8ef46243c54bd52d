/*
 * guard - finds work that must not be done inside a write transaction: JSON, hashing, sealing. In the test build alone.
 */
#ifndef OKUL_GUARD_H
#define OKUL_GUARD_H

#ifdef OKUL_TEST
#include <stdbool.h>

/* Called by the store when a write transaction begins and ends. */
void guard_transaction(bool open);
/* Ends the process with a message that names `function` when a write transaction is open. */
void guard_check(const char *function);
#define OUTSIDE_TRANSACTION() guard_check(__func__)
#else
#define guard_transaction(open) ((void)0)
#define OUTSIDE_TRANSACTION() ((void)0)
#endif

#endif
