/*
 * sigv4 - URLs of objects in S3 that whoever has them may GET for a while: AWS Signature Version 4 in the query
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html). Signatures in headers are libcurl's.
 */
#ifndef OKUL_SIGV4_H
#define OKUL_SIGV4_H

#include "buf.h"

struct sigv4 {
	const char *key_id, *secret, *region;
	const char *host;		/* as the header Host will have it: with the port unless that is the scheme's own */
};

struct sigv4_parameter { const char *name, *value; };

/*
 * Appends path?query for a GET. `path` begins with a slash and consists of bytes that need no escape. `more` are further
 * parameters of the query, sorted, whose names begin with a small letter; their values are escaped here. `now` is in
 * seconds since 1970, the signature lives for `life` seconds.
 */
void sigv4_presign(struct buf *out, const struct sigv4 *by, const char *path, const struct sigv4_parameter *more, size_t count,
	int64_t now, int life);

/* Appends a value as a query of S3 has it: all but letters, digits and -_.~ as %XX (RFC 3986 section 2.3). */
void sigv4_escape(struct buf *out, const char *value);

#endif
