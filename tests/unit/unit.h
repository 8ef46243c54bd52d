/*
 * unit - what the unit tests share: cmocka with the headers that it needs, and a way to run a table of cases.
 */
#ifndef OKUL_UNIT_H
#define OKUL_UNIT_H

#include "base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Fails with the name of the case when `true_` is not so. */
#define check(true_, name) \
	do { \
		if (!(true_)) \
			fail_msg("%s: %s", name, #true_); \
	} while (0)

#ifdef __SANITIZE_ADDRESS__
/* The tests ask for more memory than there is: AddressSanitizer is to give NULL, as malloc does. */
const char *__asan_default_options(void);
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}
#endif

#endif
