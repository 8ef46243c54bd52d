/*
 * range - what a GET of a file asks for: conditions (RFC 9110 section 13) and a range of bytes (section 14). The same
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
 * `etag` is a strong tag with its quotes, `changed` the time of the last change (milliseconds; a header knows seconds),
 * `size` the bytes of the file. Of several ranges within the file at once the answer is the whole file; a unit other than
 * bytes is ignored, and what is no range at all is 416.
 */
must_use struct range range_of(const struct http_request *rq, const char *etag, int64_t changed, int64_t size);

#endif
