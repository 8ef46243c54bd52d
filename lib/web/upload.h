/*
 * upload - requests that bring files: multipart/form-data streamed to the disk, its fields checked like a JSON body.
 */
#ifndef OKUL_UPLOAD_H
#define OKUL_UPLOAD_H

#include "file.h"
#include "response.h"

#define UPLOAD_FIELD_MAX (256 * 1024)	/* bytes of a field that is no file: a list of 50 videos, every letter escaped */

/* What a route takes in a form beside the fields of its `in`. */
struct upload_rule {
	const char *part;		/* the field that holds a file */
	int max;			/* so many of them */
	bool required;			/* at least one */
	const enum media_type *types;	/* MEDIA_NONE behind the last; NULL: all that media knows */
	bool json_too;			/* a request without files may be JSON */
	/* Asked when all is read and checked, before the files get their names: refuses what need not be kept. May be NULL. */
	struct response (*may)(struct request *rq);
};

struct upload {
	struct draft draft;		/* whole, and on the disk */
	enum media_type type;
	const char *name;		/* of link_file_name() */
};

/* True when files of that type are taken. */
bool upload_takes(const struct upload_rule *rule, enum media_type type);
/* True when this request is to be read as a form: its route takes files, and it does not bring JSON instead. */
bool upload_wanted(const struct request *rq);
#define PUBLIC_BODY_MAX (64 * 1024)	/* bytes of a body that anybody may send */

/* The most bytes that the body of this request may have: less for a route that is open to everybody. */
int64_t upload_body_limit(const struct request *rq);

/* What can be said before the form is read: its type, its length, whether there is room for it. */
must_use struct response upload_check(struct request *rq);
/*
 * Reads the form, which upload_check() found no fault in: rq->uploads, rq->upload_count, and the other fields as rq->body, numbers and lists converted by the type
 * of their field. A fault of a field is added to rq->faults; what ends the reading is the response. Ends the read snapshot:
 * a long upload must not keep one.
 */
must_use struct response upload_receive(struct request *rq);
/* Asks may() and puts the files under their names, the last thing before the write transaction. */
must_use struct response upload_keep(struct request *rq);
/* In the handler: minds the quotas and adds the row. `row` is filled in but for id, key, type and name, which it gets here. */
must_use struct response upload_add(struct request *rq, const struct upload *upload, struct file_row *row);
/* In may(): whether all files of the request fit the quotas of its user. */
must_use struct response upload_fits(struct request *rq);
/* Closes what is open. At the end of each request, however it ended. */
void upload_close(struct request *rq);

#endif
