/*
 * libcurl - loaded when a file is first sent to S3 or read from there: an installation that keeps its files in a folder neither
 * links nor loads it. A function is called as lc.curl_easy_perform(...).
 */
#ifndef OKUL_LIBCURL_H
#define OKUL_LIBCURL_H

#include "base.h"

/* Its checks of types call functions by their plain names. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

/* clang-format off */
#define LIBCURL(X) \
	X(curl_global_init) X(curl_easy_init) X(curl_easy_setopt) X(curl_easy_perform) X(curl_easy_getinfo) X(curl_easy_reset) \
	X(curl_easy_strerror) X(curl_slist_append) X(curl_slist_free_all)
/* clang-format on */

#define LIBCURL_MEMBER(name) typeof(name) *name;
extern struct libcurl { LIBCURL(LIBCURL_MEMBER) } lc;

/* Loads the library, once. Returns false with the reason and the remedy in `why`. */
must_use bool libcurl_load(char *why, size_t room);

#endif
