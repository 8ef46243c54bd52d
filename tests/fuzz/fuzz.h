/*
 * fuzz - shared by the fuzz targets. Each target is one file that aborts if an input violates one of its invariants.
 * `make fuzz` runs them all.
 */
#ifndef OKUL_FUZZ_H
#define OKUL_FUZZ_H

#include "base.h"

#define must(true_) \
	do { \
		if (!(true_)) { \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #true_); \
			abort(); \
		} \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Copies the input up to its first NUL into a new allocation, so that ASan detects overruns. The caller frees it. */
static inline char *
string_of(const uint8_t *data, size_t size)
{
	char *string = strndup((const char *)data, size);

	must(string);
	return string;
}

#endif
