/* storage - files: upload, download by key, list and delete. */
#include "app.h"
#include "assignment.h"
#include "audit.h"
#include "file.h"
#include "fold.h"
#include "limit.h"
#include "link.h"
#include "session.h"
#include "sql.h"
#include "token.h"
#include "upload.h"
#include "utf8.h"

/* clang-format off */
enum { IN_PUBLIC, IN_PRIVATE };
static const char *const folders[] = { [IN_PUBLIC] = "public", [IN_PRIVATE] = "private", NULL };
static const char *const sorts[] = { "-createdAt", "createdAt", "name", "-name", "size", "-size", NULL };
#define SORTS (COUNT(sorts) - 1)

enum { FOLDER };

static const struct shape upload_fields = { .name = "UploadFileDto", .fields = FIELDS(
	[FOLDER] = { "folder", FIELD_ENUM, .oneof = folders, .optional = true,
	  .note = "who may read it: public anyone (admins only put files there); private, which is the default, its owner and admins" }) };

static const struct shape upload_response = { .name = "UploadFileResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "key", FIELD_TEXT, 1, 200, .note = "the last segment of its address", .example = "\"019bf1c3a0e4d1f2a3b4c5d6.pdf\"" },
	{ "url", FIELD_URL, .note = "of a private file it is signed and lives 15 minutes" },
	{ "fileName", FIELD_TEXT, 1, 255, .example = "\"Ders notları.pdf\"" },
	{ "mimeType", FIELD_TEXT, 3, 127, .note = "what the bytes say, not what the sender says", .example = "\"application/pdf\"" },
	{ "size", FIELD_INT, .note = "bytes" },
	{ "sha256", FIELD_TEXT, 64, 64, .note = "of the bytes, as hexadecimal digits" },
	{ "isPublic", FIELD_BOOL }) };

static const struct shape download_query = { .name = "DownloadQuery", .fields = FIELDS(
	{ "expires", FIELD_INT, .optional = true, .example = "1767225600", .note = "of a signed address: seconds since 1970" },
	{ "user", FIELD_ID, .optional = true, .note = "of the address of an assigned material: whom it was given to" },
	{ "signature", FIELD_TEXT, 64, 64, .optional = true,
	  .example = "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"", .note = "of a signed address" }) };

enum { FOR_WORDS = PAGE_FIELDS, FOR_OWNER, FOR_FOLDER, SORT };

static const struct shape list_query = { .name = "FileListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_WORDS] = PAGE_SEARCH("parts of words of the name; all must be there"),
	[FOR_OWNER] = { "owner", FIELD_ID, .optional = true, .note = "whose; only admins may name somebody else" },
	[FOR_FOLDER] = { "folder", FIELD_ENUM, .oneof = folders, .optional = true },
	[SORT] = { "sort", FIELD_ENUM, .oneof = sorts, .optional = true, .note = "newest first unless given" }) };

/* ?1 id of the owner (NULL: all), ?2 a folder, ?3 the words of a search. A user's files are bounded by their quota. */
#define MATCHING \
	"(CAST(?2 AS TEXT) IS NULL OR is_public = (?2 = 'public')) AND (CAST(?3 AS TEXT) IS NULL OR " \
	SQL_HAS_WORDS(SQL_FOLD("name"), "?3") ")"
#define OF_ONE "file" SQL_BY_INDEX("file_owner") " WHERE owner = (SELECT pk FROM users WHERE users.id = ?1) AND " MATCHING
#define OF_ALL "file WHERE CAST(?1 AS TEXT) IS NULL AND " MATCHING
#define COLUMNS "id, key, name, mime, size, sha256, is_public, owner, pk, created_at"
enum { ID, KEY, NAME, MIME, SIZE, SHA256, IS_PUBLIC, OWNER, FILE_PK, CREATED_AT };
#define PAGE(files, order) \
	"SELECT " COLUMNS " FROM (SELECT pk AS found FROM " files " ORDER BY " order " LIMIT ?4 OFFSET ?5) AS page" \
	SQL_JOIN "file ON pk = found ORDER BY " order " /* scans: file */"
#define SORTED(i, order) [PAGE_ONE + i] = PAGE(OF_ONE, order), [PAGE_ALL + i] = PAGE(OF_ALL, order)

enum { PAGE_ONE = 0, PAGE_ALL = PAGE_ONE + SORTS, COUNT_ONE = PAGE_ALL + SORTS, COUNT_ALL, BY_KEY };

static const char *const sql[] = {
	SORTED(0, "pk DESC"),
	SORTED(1, "pk"),
	SORTED(2, SQL_FOLD("name") ", pk"),
	SORTED(3, SQL_FOLD("name") " DESC, pk DESC"),
	SORTED(4, "size, pk"),
	SORTED(5, "size DESC, pk DESC"),
	[COUNT_ONE] = "SELECT count(*) FROM " OF_ONE,
	[COUNT_ALL] = "SELECT count(*) FROM " OF_ALL " /* scans: file */",
	[BY_KEY] = "SELECT " COLUMNS " FROM file WHERE key = ?1",
};

static response_handler may_upload, post_upload, get_file, get_files, delete_file;

static const struct upload_rule one_file = { .reader = &upload_reader, .part = "file", .max = 1, .required = true,
	.may = may_upload, .fits = file_fits };

static const struct route routes[] = {
	{ POST, "/storage/upload", USER, post_upload, .in = &upload_fields, .upload = &one_file, .out = &upload_response, .status = 201,
	  .writes = true, .errors = STATUSES(409), .title = "Upload a file to storage",
	  .note = "Takes png, jpeg, webp, gif, avif, heic, pdf, mp4, mov, webm, mp3 and m4a, as told by the bytes, which are kept "
	  "as they came. The name gets an extension of that type. 409 when the quota of the user is reached." },
	{ GET, "/storage/files", USER, get_files, .query = &list_query, .out = &upload_response, .out_page = true,
	  .title = "(ours) the caller's uploads; an admin sees all" },
	{ GET, "/storage/files/{key}", PUBLIC, get_file, .query = &download_query, .own_query = true,
	  .more_by_token = true, .out_type = "*/*", .errors = STATUSES(401, 403), .title = "(ours) download",
	  .note = "The bytes, with ETag, Range (206) and Content-Disposition. A private file takes a signed address, or the token of its "
	  "owner or an admin. The first GET of an address that names a user sets openedAt of their assignment." },
	{ DELETE, "/storage/files/{key}", USER, delete_file, .out = &delete_response, .writes = true, .shows = get_file,
	  .errors = STATUSES(409),
	  .title = "(ours) delete an upload: its owner or an admin; 409 while a material holds it" },
};
/* clang-format on */

/* Puts the fields of upload_response. */
static void
put_file(struct request *rq, const struct db_rows *file)
{
	enum media_type type = media_of_mime(db_text(file, MIME));

	data_text(rq, "id", db_text(file, ID));
	data_text(rq, "key", db_text(file, KEY));
	link_put(rq, "url", db_text(file, KEY), db_flag(file, IS_PUBLIC), NULL);
	data_text(rq, "fileName", link_file_name(rq->arena, db_text(file, NAME), type));
	data_text(rq, "mimeType", db_text(file, MIME));
	data_int(rq, "size", db_int(file, SIZE));
	data_text(rq, "sha256", db_text(file, SHA256));
	data_bool(rq, "isPublic", db_flag(file, IS_PUBLIC));
}

/* ---- upload */

static bool
is_for_all(const struct request *rq)
{
	return rq->in[FOLDER].named && value_choice(rq->in[FOLDER], folders) == IN_PUBLIC;
}

static struct response
may_upload(struct request *rq)
{
	return is_for_all(rq) && !request_is_admin(rq) ? response_error(rq, ERROR_ROLE_TOO_LOW) : upload_fits(rq);
}

static struct response
post_upload(struct request *rq)
{
	const struct upload *upload = &rq->uploads[0];
	struct file_row file = { .type = upload->type, .name = upload->name, .owner = rq->user->pk, .is_public = is_for_all(rq) };
	struct db_rows *row;

	if (file.is_public && !request_is_admin(rq))
		return response_error(rq, ERROR_ROLE_TOO_LOW);
	enum error error = file_take(rq->db, rq->conf, &upload->blob, &file, upload_quota_user(rq, file.owner), rq->now);
	if (error)
		return upload_error(rq, error);
	if (db_one(rq->db, &row, sql[BY_KEY], ARGS(file.key)) != DB_ROW)
		return response_error(rq, ERROR_INTERNAL);
	response_begin(rq);
	put_file(rq, row);
	db_end(row);
	return response_done(rq);
}

/* ---- download */

/* Also while the deletion of their account is pending. */
static bool
is_own(const struct request *rq, const struct db_rows *file)
{
	return rq->user && !db_is_null(file, OWNER) && db_int(file, OWNER) == rq->user->pk;
}

static enum error
may_read(const struct request *rq, const struct db_rows *file, enum link_state link)
{
	if (db_flag(file, IS_PUBLIC) || link == LINK_GOOD || is_own(rq, file) || request_is_admin(rq))
		return ERROR_NONE;
	if (link == LINK_BAD)
		return ERROR_BAD_LINK;
	return rq->user ? ERROR_NOT_FOUND : rq->http.authorization ? ERROR_BAD_TOKEN : ERROR_NO_TOKEN;
}

static struct response
send_file(struct request *rq, const struct db_rows *file)
{
	const char *mime = db_text(file, MIME);
	enum media_type type = media_of_mime(mime);
	struct buf disposition = { .arena = rq->arena };

	/* a type that is not accepted any more is never shown inline */
	link_put_disposition(&disposition, type != MEDIA_NONE && media_info(type)->is_inline,
		link_file_name(rq->arena, db_text(file, NAME), type));
	struct response response = response_download(rq, blob_path(rq->arena, rq->conf, db_text(file, SHA256)),
		arena_string(rq->arena, mime), disposition.s, db_flag(file, IS_PUBLIC));
	if (blob_is_remote(rq->conf)) {
		response.file_object = arena_string(rq->arena, db_text(file, SHA256));
		response.file_size = db_int(file, SIZE);
		response.file_changed = db_int(file, CREATED_AT);
	}
	return response;
}

/*
 * The row of the file has ended, what is sent is in the arena. An address used with the token of another user is no opening
 * of theirs.
 */
static void
note_opening(struct request *rq, const char *user)
{
	const char *key = rq->params[0];

	if (rq->http.method != GET || (rq->user && strcmp(rq->user->id, user) != 0) || !assignment_unopened(rq->db, key, user) ||
		!request_late_write(rq))
		return;
	assignment_open(rq->db, key, user, rq->now);
	request_late_commit(rq);
}

/* Whether the path is that of link_url(), without percent escapes: a signature is for one spelling. */
static bool
is_spelled_plainly(const struct request *rq, const char *key)
{
	const char *path = arena_format(rq->arena, "/storage/files/%s", key);

	return rq->http.path_length == strlen(path) && memcmp(rq->http.target, path, rq->http.path_length) == 0;
}

static struct response
get_file(struct request *rq)
{
	const char *name, *key = rq->params[0];
	enum link_state link = link_check(rq->arena, rq->conf, key, rq->http.query, rq->now, &name);
	struct db_rows *file;

	if (link == LINK_GOOD && !is_spelled_plainly(rq, key)) {
		link = LINK_BAD;
		name = NULL;
	}
	if (link == LINK_UNKNOWN) {
		faults_add(&rq->faults, utf8_clip(rq->arena, name, 40), S_F_UNKNOWN_PARAMETER, NULL);
		return response_error(rq, ERROR_BAD_FIELDS);
	}
	if (db_one(rq->db, &file, sql[BY_KEY], ARGS(key)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	enum error error = may_read(rq, file, link);
	struct response response = error ? response_error(rq, error) : send_file(rq, file);
	db_end(file);
	if (!response.error && name)
		note_opening(rq, name);
	return response;
}

/* ---- list */

static struct response
get_files(struct request *rq)
{
	const struct value *in = rq->in;
	const char *words = fold_words(rq->arena, value_string(in[FOR_WORDS])), *owner = value_string(in[FOR_OWNER]);
	int sort = value_choice(in[SORT], sorts);

	if (!owner && !request_is_admin(rq))
		owner = rq->user->id;
	if (owner && !request_is_admin(rq) && strcmp(owner, rq->user->id) != 0)
		return response_error(rq, ERROR_ROLE_TOO_LOW);
	return response_list_by(rq, sql[owner ? COUNT_ONE : COUNT_ALL], sql[(owner ? PAGE_ONE : PAGE_ALL) + sort],
		ARGS(owner, in[FOR_FOLDER], words), put_file);
}

/* ---- delete */

static struct response
delete_file(struct request *rq)
{
	const char *key = rq->params[0];
	struct db_rows *file;

	if (db_one(rq->db, &file, sql[BY_KEY], ARGS(key)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	bool own = is_own(rq, file), is_public = db_flag(file, IS_PUBLIC);
	const char *id = arena_string(rq->arena, db_text(file, ID)), *name = arena_string(rq->arena, db_text(file, NAME));
	int64_t pk = db_int(file, FILE_PK);
	db_end(file);
	if (!own && !request_is_admin(rq))
		return response_error(rq, is_public ? ERROR_ROLE_TOO_LOW : ERROR_NOT_FOUND);
	if (!file_remove(rq->db, pk, rq->now))
		return response_error(rq, ERROR_FILE_IN_USE);
	if (!own)
		audit_add(rq->db, rq->now, &(struct audit){ rq->user->id, rq->user->email, "file.deleted", id, name });
	return response_deleted(rq, S_FILE_DELETED, id);
}

static bool
start(const struct conf *conf, char *why, size_t room)
{
	return token_init(conf, why, room) && blob_init(conf, why, room);
}

static const struct section storage = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "storage", "Files: upload, download, list and delete", SECTIONS(&storage),
	.statements = STATEMENTS(
		&assignment_statements, &audit_statements, &file_statements, &limit_statements, &session_statements),
	.start = start, .authenticate = session_authenticate };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
