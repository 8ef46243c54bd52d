/*
 * storage - files: upload, download by key.
 */
#include "app.h"
#include "assignment.h"
#include "link.h"
#include "upload.h"

static const char *const folders[] = { "public", "private", NULL };

static const struct shape upload_fields = { .name = "UploadFileDto", .fields = FIELDS(
	{ "folder", ENUM, .oneof = folders, .optional = true, .note = "who may read it: public anyone (admins only put files there); "
	  "private, which is the default, its owner and admins" }) };

static const struct shape upload_response = { .name = "UploadFileResponseDto", .fields = FIELDS(
	{ "id", ID },
	{ "key", TEXT, 1, 200, .note = "the last segment of its address", .example = "\"019bf1c3a0e4d1f2a3b4c5d6.pdf\"" },
	{ "url", URL, .note = "of a private file it is signed and lives 15 minutes" },
	{ "fileName", TEXT, 1, 255, .example = "\"Ders notları.pdf\"" },
	{ "mimeType", TEXT, 3, 127, .note = "what the bytes say, not what the sender says", .example = "\"application/pdf\"" },
	{ "size", INT, .note = "bytes" },
	{ "sha256", TEXT, 64, 64, .note = "of the bytes, as hexadecimal digits" },
	{ "isPublic", BOOL }) };

static const struct shape download_query = { .name = "DownloadQuery", .fields = FIELDS(
	{ "expires", INT, .optional = true, .note = "of a signed address: seconds since 1970" },
	{ "user", ID, .optional = true, .note = "of the address of an assigned material: whom it was given to" },
	{ "signature", TEXT, 64, 64, .optional = true, .note = "of a signed address" }) };

enum { BY_KEY };

static const char *const sql[] = {
	[BY_KEY] = "SELECT sha256, mime, name, owner, is_public FROM file WHERE key = ?1",
};
enum { SHA256, MIME, NAME, OWNER, IS_PUBLIC };

static struct reply may_upload(struct request *rq);
static struct reply post_upload(struct request *rq);
static struct reply get_file(struct request *rq);

static const struct upload_rule one_file = { .part = "file", .max = 1, .required = true, .may = may_upload };

static const struct route routes[] = {
	{ POST, "/storage/upload", USER, post_upload, .in = &upload_fields, .upload = &one_file, .out = &upload_response, .status = 201,
	  .writes = true, .errors = STATUSES(409), .title = "Upload a file to storage",
	  .note = "Takes png, jpeg, webp, gif, pdf, mp4, webm and mp3, as told by the bytes. 409 when the quota of the user is "
	  "reached." },
	{ GET, "/storage/files/{key}", PUBLIC, get_file, .query = &download_query, .own_query = true,
	  .more_by_token = true, .out_type = "*/*", .errors = STATUSES(401, 403), .title = "(ours) download",
	  .note = "The bytes, with ETag, Range (206) and Content-Disposition. A private file takes a signed address, or the token of its "
	  "owner or an admin. The first GET of an address that names a user sets openedAt of their assignment." },
};

/* ---- upload */

static bool
is_for_all(const struct request *rq)
{
	const char *folder = field_text(rq->body, "folder");

	return folder && strcmp(folder, "public") == 0;
}

static struct reply
may_upload(struct request *rq)
{
	return is_for_all(rq) && !is_admin(rq) ? reply_error(rq, ROLE_TOO_LOW) : upload_fits(rq);
}

static struct reply
post_upload(struct request *rq)
{
	const struct upload *upload = &rq->uploads[0];
	struct file_row file = { .owner = rq->user->pk, .is_public = is_for_all(rq) };

	if (file.is_public && !is_admin(rq))
		return reply_error(rq, ROLE_TOO_LOW);
	struct reply reply = upload_add(rq, upload, &file);
	if (reply.error)
		return reply;
	reply_begin(rq);
	put_text(rq, "id", file.id);
	put_text(rq, "key", file.key);
	put_text(rq, "url", link_url(rq->arena, rq->conf, file.key, file.is_public, rq->now));
	put_text(rq, "fileName", file.name);
	put_text(rq, "mimeType", media_info(file.type)->mime);
	put_int(rq, "size", upload->draft.size);
	put_text(rq, "sha256", upload->draft.sha256);
	put_bool(rq, "isPublic", file.is_public);
	return reply_done(rq);
}

/* ---- download */

/* Whether the token of the caller opens a private file. Who has asked to be deleted still gets what is theirs. */
static bool
is_theirs(const struct request *rq, const struct db_rows *file)
{
	const struct user *user = rq->user;

	if (!user)
		return false;
	return is_admin(rq) || (!db_is_null(file, OWNER) && db_int(file, OWNER) == user->pk);
}

static enum error
may_read(const struct request *rq, const struct db_rows *file, enum link_state link)
{
	if (db_flag(file, IS_PUBLIC) || link == LINK_GOOD || is_theirs(rq, file))
		return NO_ERROR;
	if (link == LINK_BAD)
		return BAD_LINK;
	return rq->user ? NOT_FOUND : rq->http.authorization ? BAD_TOKEN : NO_TOKEN;
}

/* In the sandbox that every upload is put into, a browser's viewer of PDFs does not start: they are saved. */
static bool
is_inline(const char *mime)
{
	for (int type = MEDIA_NONE + 1; type < MEDIA_TYPES; type++)
		if (strcmp(media_info((enum media_type)type)->mime, mime) == 0)
			return media_info((enum media_type)type)->is_inline;
	return false;
}

static struct reply
send_file(struct request *rq, const struct db_rows *file)
{
	const char *mime = db_text(file, MIME);
	struct buf disposition = { .arena = rq->arena };

	buf_disposition(&disposition, is_inline(mime), db_text(file, NAME));
	return reply_download(rq, file_path(rq->arena, rq->conf, db_text(file, SHA256)), arena_string(rq->arena, mime),
		disposition.s, db_flag(file, IS_PUBLIC));
}

/*
 * What is sent lies in the arena by now. Nobody opens a file for another: an address in the hands of somebody whose token
 * says so counts for nothing.
 */
static void
note_opening(struct request *rq, const char *user)
{
	const char *key = rq->params[0];

	if (rq->http.method != GET || (rq->user && strcmp(rq->user->id, user) != 0) ||
	    !assignment_unopened(rq->db, key, user) || !late_begin(rq))
		return;
	assignment_open(rq->db, key, user, rq->now);
	late_end(rq);
}

static struct reply
get_file(struct request *rq)
{
	const char *name, *key = rq->params[0];
	enum link_state link = link_check(rq->arena, rq->conf, key, rq->http.query, rq->now, &name);
	struct db_rows *file;

	if (link == LINK_UNKNOWN) {
		faults_add(&rq->faults, text_clip(rq->arena, name, 40), S_F_UNKNOWN_PARAMETER, NULL);
		return reply_error(rq, BAD_FIELDS);
	}
	if (db_one(rq->db, &file, sql[BY_KEY], ARGS(key)) != DB_ROW)
		return reply_error(rq, NOT_FOUND);
	enum error error = may_read(rq, file, link);
	struct reply reply = error ? reply_error(rq, error) : send_file(rq, file);
	db_end(file);
	if (!reply.error && name)
		note_opening(rq, name);
	return reply;
}

static const struct section storage = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "storage", "Files: upload and download", SECTIONS(&storage) };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
