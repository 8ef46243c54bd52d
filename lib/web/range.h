/*
 * range - conditions (RFC 9110 section 13) and byte ranges (section 14) of a GET of a file. The result is the same
 * whether the web server sends the file or we do.
 */
#ifndef OKUL_RANGE_H
#define OKUL_RANGE_H

#include "base.h"
#include "http.h"

struct range {
	int status;		/* 200, 206, 304, 412 or 416 */
	int64_t from, length;	/* of 200 and 206: the bytes to send */
};

/*
 * `etag` is a strong tag with its quotes, `changed` the time of the last change (milliseconds; headers have seconds),
 * `size` the bytes of the file. For several ranges within the file the response is the whole file. A unit other than
 * bytes is ignored; a malformed range is 416.
 */
must_use struct range range_of(const struct http_request *rq, const char *etag, int64_t changed, int64_t size);

#endif
