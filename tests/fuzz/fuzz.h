/*
 * fuzz - what the fuzz targets share. Each target is one file: it says what must hold for any input, and dies where
 * that does not hold. `make fuzz` runs them all.
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

/* The input as a string, cut at its first NUL; alone in its memory. The target frees it. */
static inline char *
string_of(const uint8_t *data, size_t size)
{
	char *string = strndup((const char *)data, size);

	must(string);
	return string;
}

#endif
