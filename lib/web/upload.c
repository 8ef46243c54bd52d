#include "upload.h"

#include "clock.h"
#include "link.h"
#include "multipart.h"
#include "route.h"
#include "s3.h"
#include "utf8.h"

#define PIECE (32 * 1024) /* bytes that are read at once */
/* For sending all files of a form to S3. Below the watchdog's 15 s, and with a commit below the 20 s of the web server. */
#define KEEP_TIME 14000000 /* of clock_ticks() */

/* The state of reading a form. */
struct intake {
	struct request *rq;
	const struct upload_rule *rule;
	cJSON *fields;		   /* those read so far */
	struct upload *file;	   /* the current part; NULL: it is no file */
	const struct field *field; /* the same; with neither, the part is skipped */
	struct buf text;	   /* its value */
	struct response stop;	   /* why reading ended */
};

/* ---- parts */

static bool
stop(struct intake *in, enum error error)
{
	in->stop = response_error(in->rq, error);
	return false;
}

/* A fault of a file, as the response. */
static bool
stop_file(struct intake *in, enum error error, enum sentence which, const char *argument)
{
	faults_add(&in->rq->faults, in->rule->part, which, argument);
	return stop(in, error);
}

static enum error
store_error(enum blob_rc rc)
{
	switch (rc) {
	case BLOB_DONE: return ERROR_NONE;
	case BLOB_FULL: return ERROR_STORAGE_FULL;
	case BLOB_READONLY: return ERROR_STORAGE_READONLY;
	case BLOB_LOST:
	case BLOB_AWAY: return ERROR_BUSY;
	default: return ERROR_INTERNAL;
	}
}

static bool
stored(struct intake *in, enum blob_rc rc)
{
	return rc == BLOB_DONE || stop(in, store_error(rc));
}

static bool
begin_file(struct intake *in, const struct multipart_part *part)
{
	struct request *rq = in->rq;

	if (rq->upload_count == (size_t)in->rule->max) {
		struct buf max = { .arena = rq->arena };
		buf_int(&max, in->rule->max);
		return stop_file(in, ERROR_BAD_FIELDS, in->rule->max == 1 ? S_F_TWICE : S_F_MANY, max.s);
	}
	const char *name = arena_string(rq->arena, part->file_name ? part->file_name : "");
	/* No allocation from here until the blob knows what it has open: close_form() closes that. */
	in->file = &rq->uploads[rq->upload_count++];
	in->file->name = name;
	return stored(in, blob_begin(rq->conf, &in->file->blob));
}

static bool
begin_field(struct intake *in, const char *name)
{
	struct request *rq = in->rq;

	in->field = rq->route->in ? field_find(rq->route->in, name) : NULL;
	if (!in->field) {
		faults_add(&rq->faults, utf8_clip(rq->arena, name, 40), S_F_UNKNOWN, NULL);
	} else if (json_get(in->fields, name)) {
		field_add(rq->arena, in->fields, in->field, ""); /* a fault: the second text is not read */
		in->field = NULL;
	}
	in->text = (struct buf){ .arena = rq->arena };
	buf_puts(&in->text, "");
	return true;
}

static bool
begin(void *context, const struct multipart_part *part)
{
	struct intake *in = context;

	in->file = NULL;
	in->field = NULL;
	if (faults_enough(&in->rq->faults))
		return stop(in, ERROR_BAD_FIELDS);
	return strcmp(part->name, in->rule->part) == 0 ? begin_file(in, part) : begin_field(in, part->name);
}

static bool
data(void *context, const void *bytes, size_t length)
{
	struct intake *in = context;
	const struct conf *conf = in->rq->conf;

	if (in->file && in->file->blob.size + (int64_t)length > conf->upload_limit * MIB) {
		struct buf limit = { .arena = in->rq->arena };
		buf_int(&limit, conf->upload_limit);
		return stop_file(in, ERROR_FILE_TOO_LARGE, S_F_FILE_SIZE, limit.s);
	}
	if (in->file)
		return stored(in, blob_write(&in->file->blob, bytes, length));
	if (in->field && in->text.length + length > UPLOAD_FIELD_MAX) {
		faults_add(&in->rq->faults, in->field->name, S_F_LONG, arena_format(in->rq->arena, "%d", UPLOAD_FIELD_MAX));
		return stop(in, ERROR_BAD_FIELDS);
	}
	if (in->field)
		buf_put(&in->text, bytes, length);
	return true;
}

static bool
takes(const struct upload_rule *rule, enum media_type type)
{
	const enum media_type *taken = rule->types;

	while (taken && *taken != MEDIA_NONE && *taken != type)
		taken++;
	return type != MEDIA_NONE && (!taken || *taken == type);
}

/* "png, jpeg, ..." or "image/png, image/jpeg, ...": what the route accepts. */
static void
put_types(struct buf *out, const struct upload_rule *rule, bool mime)
{
	const char *between = "";

	for (enum media_type type = MEDIA_NONE + 1; type < MEDIA_TYPES; type++) {
		if (!takes(rule, type))
			continue;
		buf_puts(out, between);
		buf_puts(out, mime ? media_info(type)->mime : media_info(type)->extension);
		between = ", ";
	}
}

static bool
end_file(struct intake *in)
{
	struct request *rq = in->rq;
	struct upload *file = in->file;

	if (file->blob.size == 0 && !file->name[0] && !in->rule->required) {
		blob_drop(rq->conf, &file->blob); /* an empty file field */
		rq->upload_count--;
		return true;
	}
	if (file->blob.size == 0) {
		if (!faults_name(&rq->faults, in->rule->part))
			faults_add(&rq->faults, in->rule->part, S_F_EMPTY, NULL);
		return true;
	}
	if (!stored(in, blob_end(&file->blob)))
		return false;
	file->type = media_detect(file->blob.fd, file->blob.size);
	if (file->type == MEDIA_FAILED)
		return stop(in, ERROR_INTERNAL);
	if (!takes(in->rule, file->type)) {
		struct buf types = { .arena = rq->arena };
		put_types(&types, in->rule, false);
		return stop_file(in, ERROR_FILE_WRONG_TYPE, S_F_FILE_TYPE, types.s);
	}
	file->name = link_file_name(rq->arena, file->name, file->type);
	return true;
}

static bool
end_field(struct intake *in)
{
	struct request *rq = in->rq;

	if (memchr(in->text.s, '\0', in->text.length))
		return stop(in, ERROR_BAD_NUL);
	if (!utf8_is_valid(in->text.s, in->text.length))
		return stop(in, ERROR_BAD_UTF8);
	field_add(rq->arena, in->fields, in->field, in->text.s);
	return true;
}

static bool
end(void *context)
{
	struct intake *in = context;

	return in->file ? end_file(in) : in->field ? end_field(in) : true;
}

/* ---- the form */

/* Reads to the end of the body, or to the first error. */
static struct response
read_form(struct intake *in, struct multipart *multipart)
{
	struct request *rq = in->rq;
	char *piece = arena_alloc(rq->arena, PIECE);
	bool ends = rq->http.content_length == LENGTH_UNKNOWN; /* at the end of the stream */
	int64_t left = ends ? rq->conf->upload_request_limit * MIB + 1 : rq->http.content_length;
	enum multipart_result result = MULTIPART_GOOD;

	while (left > 0 && result == MULTIPART_GOOD) {
		ptrdiff_t n = http_read(rq->wire, piece, left < PIECE ? (size_t)left : PIECE);
		if (n == 0 && ends)
			break;
		if (n <= 0)
			return response_error(rq, ERROR_BAD_BODY_LENGTH);
		result = multipart_feed(multipart, piece, (size_t)n);
		left -= n;
	}
	if (result == MULTIPART_STOPPED)
		return in->stop;
	if (ends && left == 0)
		return response_error(rq, ERROR_TOO_LARGE);
	return multipart_complete(multipart) ? response_passed() : response_error(rq, ERROR_BAD_MULTIPART);
}

static struct response
check_type(struct request *rq, char *boundary)
{
	struct response response = response_error(rq, ERROR_WRONG_TYPE);

	response.argument = "multipart/form-data";
	if (!http_is_type(rq->http.content_type, "multipart/form-data"))
		return response;
	return multipart_boundary(rq->http.content_type, boundary) ? response_passed() : response_error(rq, ERROR_BAD_MULTIPART);
}

static struct response
check_form(struct request *rq)
{
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	struct response response = check_type(rq, boundary);

	if (!response.error && rq->http.content_length == LENGTH_MALFORMED)
		response = response_error(rq, ERROR_BAD_BODY_LENGTH);
	if (!response.error && !blob_has_room(rq->conf, rq->http.content_length))
		response = response_error(rq, ERROR_STORAGE_FULL);
	return response;
}

static struct response
receive_form(struct request *rq, cJSON *fields)
{
	static const struct multipart_handlers handlers = { begin, data, end };
	const struct upload_rule *rule = rq->route->upload;
	char boundary[MULTIPART_BOUNDARY_MAX + 1];
	struct intake in = { .rq = rq, .rule = rule, .fields = fields };
	struct response response = check_type(rq, boundary);

	if (response.error)
		return response;
	db_release(rq->db);
	struct multipart *multipart = arena_alloc(rq->arena, sizeof(*multipart));
	rq->uploads = arena_alloc(rq->arena, (size_t)rule->max * sizeof(*rq->uploads));
	multipart_init(multipart, boundary, &handlers, &in);
	response = read_form(&in, multipart);
	if (!response.error && rule->required && rq->upload_count == 0)
		faults_add(&rq->faults, rule->part, S_F_REQUIRED, NULL);
	return response;
}

static struct response
keep_form(struct request *rq)
{
	const struct upload_rule *rule = rq->route->upload;
	struct response response = rule->may ? rule->may(rq) : response_passed();

	s3_deadline(clock_ticks() + KEEP_TIME);
	for (size_t i = 0; i < rq->upload_count && !response.error; i++) {
		enum blob_rc rc = blob_keep(rq->conf, &rq->uploads[i].blob);
		if (rc != BLOB_DONE)
			response = response_error(rq, store_error(rc));
	}
	s3_deadline(0);
	return response;
}

static void
close_form(struct request *rq)
{
	for (size_t i = 0; i < rq->upload_count; i++)
		blob_drop(rq->conf, &rq->uploads[i].blob);
	rq->upload_count = 0;
}

static void
append_types(struct buf *out, const struct upload_rule *rule)
{
	put_types(out, rule, true);
}

const struct upload_reader upload_reader = { check_form, receive_form, keep_form, close_form, append_types };

/* ---- quotas */

struct response
upload_error(struct request *rq, enum error error)
{
	struct response response = error == ERROR_BUSY ? response_again(rq) : response_error(rq, error);

	if (error == ERROR_QUOTA_REACHED)
		response.argument = arena_format(rq->arena, "%lld", (long long)rq->conf->storage_user_quota);
	return response;
}

int64_t
upload_quota_user(const struct request *rq, int64_t owner)
{
	return request_is_admin(rq) ? 0 : owner;
}

struct response
upload_fits(struct request *rq)
{
	enum error error = ERROR_NONE;
	int64_t before = 0;

	for (size_t i = 0; i < rq->upload_count && !error; i++)
		error = rq->route->upload->fits(
			rq->db, rq->conf, &rq->uploads[i].blob, upload_quota_user(rq, rq->user->pk), &before, rq->now);
	return error ? upload_error(rq, error) : response_passed();
}
