/* base - what every file uses: attributes, small macros, banned functions. */
#ifndef OKUL_BASE_H
#define OKUL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OKUL_VERSION "0.1.0"

/* Exit codes, those of sysexits.h. */
enum exit_code {
	EXIT_USAGE = 64,	/* EX_USAGE: the command line is wrong */
	EXIT_DATA = 65,		/* EX_DATAERR: the input is wrong */
	EXIT_NO_HOST = 69,	/* EX_UNAVAILABLE */
	EXIT_CONFIG = 78,	/* EX_CONFIG: do not restart before the configuration is fixed */
};

#define must_use __attribute__((warn_unused_result))
#define printf_like(string_at, first_at) __attribute__((format(printf, string_at, first_at)))
#define no_return __attribute__((noreturn))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Calls without bounds or with hidden state, which the compiler and `make lint` refuse. */
#ifndef OKUL_ALLOW_BANNED
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atof rand srand gmtime localtime ctime asctime tmpnam mktemp system
#endif

#endif
