/*
 * upload - requests that bring files: multipart/form-data streamed to the disk, its fields checked like a JSON body.
 */
#ifndef OKUL_UPLOAD_H
#define OKUL_UPLOAD_H

#include "blob.h"
#include "media.h"
#include "response.h"

#define UPLOAD_FIELD_MAX (256 * 1024)	/* bytes of a field that is not a file: 50 videos, all letters escaped */

/* The files that a route takes in a form, beside the fields of its `in`. */
struct upload_rule {
	const struct upload_reader *reader;	/* &upload_reader */
	const char *part;		/* the field that holds a file */
	int max;			/* number of files */
	bool required;			/* at least one */
	const enum media_type *types;	/* MEDIA_NONE behind the last; NULL: all that media knows */
	bool json_too;			/* a request without files may be JSON */
	/* Called when all is read and checked, before the files get their names; may refuse them. May be NULL. */
	struct response (*may)(struct request *rq);
	/*
	 * Whether one file fits the quotas of `user` (0: no user's), beside `*before` bytes of the same request, to
	 * which it adds its own. Returns ERROR_NONE, ERROR_QUOTA_REACHED or ERROR_STORAGE_FULL.
	 */
	enum error (*fits)(struct db *db, const struct conf *conf, struct blob *blob, int64_t user, int64_t *before,
		int64_t now);
};

struct upload {
	struct blob blob;		/* whole, and on the disk */
	enum media_type type;
	const char *name;		/* of link_file_name() */
};

/* Reads forms. Routes have a pointer to it, so that the code is linked into programs that take files only. */
struct upload_reader {
	/* Checks the type and length of the form and the free space, before it is read. */
	struct response (*check)(struct request *rq);
	/*
	 * Reads the form, in which check() found no fault: fills rq->uploads and rq->upload_count, and adds the
	 * other fields to `fields`, field_add(). A fault of a field is added to rq->faults; the response is what
	 * ended the reading early. Ends the read snapshot: a long upload must not keep one.
	 */
	struct response (*receive)(struct request *rq, cJSON *fields);
	/* Calls may() and puts the files under their names, as the last step before the write transaction. */
	struct response (*keep)(struct request *rq);
	/* Closes what is open, at the end of each request. */
	void (*close)(struct request *rq);
	/* Appends the media types that a rule takes: "image/png, image/jpeg". */
	void (*types)(struct buf *out, const struct upload_rule *rule);
};
extern const struct upload_reader upload_reader;

/* For may(): calls fits() for all files of the request. */
must_use struct response upload_fits(struct request *rq);
/* The user whose quota a file of `owner` counts against: 0 where the caller is an admin, who has none. */
int64_t upload_quota_user(const struct request *rq, int64_t owner);
/* The response to an error of fits(), or of adding the row; ERROR_BUSY, the bytes are gone: response_again(), which keeps them again. */
must_use struct response upload_error(struct request *rq, enum error error);

#endif
