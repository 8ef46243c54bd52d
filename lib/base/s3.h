/*
 * s3 - the requests that okul sends to storage that speaks S3, by path-style addresses, signed by libcurl (SigV4). Objects have
 * the key prefix/<2 digits>/<SHA-256>. A process keeps one connection. The configuration's files_bucket must be set, and
 * files_secret loaded; the first call loads libcurl.
 *
 * A request ends within 2 s where the storage does not accept the connection, else within S3_TIME and a second for each
 * S3_PACE bytes, and by s3_deadline() in any case. What failed is in the log, and in s3_reason().
 *
 * A PUT has the SHA-256 of its bytes as the signed x-amz-content-sha256: the storage refuses a body that was damaged on the way.
 * Every S3 server knows it, since SigV4 prescribes it. Content-MD5 and x-amz-checksum-* would be a second hash, and older
 * Swift, Ceph and Garage do not check the latter.
 */
#ifndef OKUL_S3_H
#define OKUL_S3_H

#include "arena.h"
#include "buf.h"
#include "conf.h"

#define S3_TIME 6			/* seconds */
#define S3_PACE (4 * INT64_C(1048576))	/* bytes that the storage must take or give in a second */
#define S3_LINK_LIFE 60			/* seconds for which a URL of s3_link() is good */

enum s3_rc {
	S3_DONE,
	S3_NONE,	/* there is no such object */
	S3_AWAY,	/* no answer, or one that says to try again: 5xx, 429 */
	S3_REFUSED,	/* a wrong key, secret, region or bucket; or a right is missing */
};

struct s3_object {
	int64_t size;
	int64_t age;	/* seconds since it was last put, by the storage's own clock */
};

/*
 * Requests from now on end at this time of clock_ticks(), whatever their size; 0: no such time. A web server waits for a response
 * only so long: it must not tell its client of a failure when the upload is stored after all.
 */
void s3_deadline(int64_t ticks);

/* Size and age. */
must_use enum s3_rc s3_head(const struct conf *conf, const char *sha256, struct s3_object *object);
/* Stores `size` bytes of an open file. The storage checks their hash. */
must_use enum s3_rc s3_put(const struct conf *conf, const char *sha256, int file, int64_t size);
/* Calls sink() with the bytes as they come; that it returns false ends the request, as S3_AWAY. */
must_use enum s3_rc s3_get(const struct conf *conf, const char *sha256, bool (*sink)(void *context, const void *bytes, size_t length),
	void *context);
/* Deletes an object; S3_DONE too where there is none. */
must_use enum s3_rc s3_delete(const struct conf *conf, const char *sha256);
/*
 * Calls found() for each object below the prefix whose key is that of a stored file, a page of 1000 at a time. It may itself
 * send requests; that it returns false ends the walk. Other keys are skipped.
 */
must_use enum s3_rc s3_list(const struct conf *conf, bool (*found)(void *context, const char *sha256, const struct s3_object *object),
	void *context);

/* One line about the last request that failed, with what to do. */
const char *s3_reason(void);
/* Grows while bytes move: a long upload is no stuck one. */
int s3_progress(void);

/*
 * The path and query of a URL by which its bytes can be fetched for S3_LINK_LIFE seconds, in the arena; with an answer whose
 * Content-Type, Content-Disposition and Cache-Control are these (NULL: the storage's own). Behind conf->files_endpoint it
 * is complete. Sends nothing.
 */
const char *s3_link(struct arena *arena, const struct conf *conf, const char *sha256, const char *type,
	const char *disposition, const char *cache);

#endif
