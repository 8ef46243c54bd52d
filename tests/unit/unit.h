/*
 * unit - what the unit tests share: cmocka with the headers that it needs, a way to run a table of cases, and files.
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

/* Makes the file `name` of a folder, or makes it anew, of these bytes. */
static inline void
put_file(const char *folder, const char *name, const char *bytes, size_t length)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

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
