/*
 * materials - education materials: PDFs and videos that admins put together.
 *
 * A PDF is a file of the school, private and without owner: it stays when the account of the admin who uploaded it is
 * deleted. Its address is signed again in each response.
 */
#include "materials.h"
#include "assignment.h"
#include "audit.h"
#include "file.h"
#include "fold.h"
#include "json_write.h"
#include "limit.h"
#include "link.h"
#include "mail.h"
#include "material.h"
#include "outbox.h"
#include "session.h"
#include "sql.h"
#include "token.h"
#include "upload.h"
#include "utf8.h"

#define TITLE_POINTS 200
#define DESCRIPTION_POINTS 5000
#define VIDEOS_MAX 50
#define PDFS_MAX 20 /* in one request */

static bool
start(const struct conf *conf, char *why, size_t room)
{
	return token_init(conf, why, room) && blob_init(conf, why, room);
}

/* clang-format off */
static const char *const sorts[] = { "-createdAt", "createdAt", "title", "-title", NULL };
static const enum media_type pdf_only[] = { MEDIA_PDF, MEDIA_NONE };

/* ---- shapes */

enum { VIDEO_TITLE, VIDEO_URL };

static const struct shape video = { .name = "MaterialVideoDto", .fields = FIELDS(
	[VIDEO_TITLE] = { "title", FIELD_TEXT, 1, TITLE_POINTS, .example = "\"Greetings\"" },
	[VIDEO_URL] = { "url", FIELD_URL, .example = "\"https://example.com/greetings.mp4\"" }) };

enum { TITLE, DESCRIPTION, LOCALE, LEVEL, VIDEOS, MATERIAL_FIELDS, REMOVE_PDFS = MATERIAL_FIELDS };

static const struct shape create_material = { .name = "CreateEducationMaterialDto", .fields = FIELDS(
	[TITLE] = { "title", FIELD_TEXT, 1, TITLE_POINTS, .example = "\"First words\"" },
	[DESCRIPTION] = { "description", FIELD_TEXT, 0, DESCRIPTION_POINTS, .lines = true, .optional = true, .example = "\"To be read before the first lesson\"" },
	[LOCALE] = { "locale", FIELD_ENUM, .oneof = language_codes, .example = "\"en\"" },
	[LEVEL] = { "level", FIELD_ENUM, .oneof = level_enum, .optional = true, .nullable = true, .example = "\"A1\"" },
	[VIDEOS] = { "videos", FIELD_LIST, 0, VIDEOS_MAX, .of = &video, .optional = true, .note = "in a form a JSON text" }) };

static const struct shape update_material = { .name = "UpdateEducationMaterialDto", .all_optional = true, .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &create_material },
	[REMOVE_PDFS] = { "removePdfIds", FIELD_LIST, 0, 50, .item = FIELD_ID, .optional = true, .note = "PDFs that go; in a form a JSON text" }) };

static const struct shape pdf_response = { .name = "MaterialPdfResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "title", FIELD_TEXT, 1, TITLE_POINTS, .note = "the name of the file, without its ending", .example = "\"Unit 1\"" },
	{ "fileName", FIELD_TEXT, 1, 255, .example = "\"Unit 1.pdf\"" },
	{ "size", FIELD_INT, 1, .note = "bytes", .example = "48213" },
	{ "url", FIELD_URL, .note = "signed; lives 15 minutes" }) };

static const struct shape video_response = { .name = "MaterialVideoResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "", FIELD_PLUS, .of = &video }) };

static const struct shape head = { .name = "MaterialHead", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "title", FIELD_TEXT, 1, TITLE_POINTS, .example = "\"First words\"" },
	{ "description", FIELD_TEXT, 0, DESCRIPTION_POINTS, .example = "\"To be read before the first lesson\"" },
	{ "locale", FIELD_ENUM, .oneof = language_codes, .example = "\"en\"" },
	{ "level", FIELD_ENUM, .oneof = level_enum, .nullable = true }) };

static const struct shape tail = { .name = "MaterialTail", .fields = FIELDS(
	{ "videos", FIELD_LIST, .of = &video_response },
	{ "createdAt", FIELD_TIME },
	{ "updatedAt", FIELD_TIME }) };

const struct shape material_response = { .name = "EducationMaterialResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &head },
	{ "pdfs", FIELD_LIST, .of = &pdf_response },
	{ "", FIELD_PLUS, .of = &tail }) };

static const struct shape delete_material_response = { .name = "DeleteEducationMaterialResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &delete_response }) };

enum { FOR_WORDS = PAGE_FIELDS, FOR_LOCALE, SORT };

static const struct shape list_query = { .name = "EducationMaterialListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_WORDS] = PAGE_SEARCH("parts of words of title or description; all must be there"),
	[FOR_LOCALE] = { "locale", FIELD_ENUM, .oneof = language_codes, .optional = true },
	[SORT] = { "sort", FIELD_ENUM, .oneof = sorts, .optional = true, .note = "newest first unless given" }) };

/* ---- statements */

/* ?1 a locale, ?2 words of a search. A school has some hundred materials: all keys are scanned, then the page is read. */
#define MATCHING \
	" FROM material WHERE (CAST(?1 AS TEXT) IS NULL OR locale = ?1) AND (CAST(?2 AS TEXT) IS NULL OR " SQL_HAS_WORDS("folded", "?2") ")"
#define LISTED(order) \
	"SELECT " MATERIAL_COLUMNS " FROM (SELECT pk AS found" MATCHING " ORDER BY " order " LIMIT ?3 OFFSET ?4) AS page" \
	SQL_JOIN "material ON material.pk = found ORDER BY " order " /* scans: material */"

enum { LIST_MATERIALS, COUNT_MATERIALS = LIST_MATERIALS + 4, ONE, IS_THERE, PDFS };

static const char *const sql[] = {
	[LIST_MATERIALS + 0] = LISTED("material.pk DESC"),
	[LIST_MATERIALS + 1] = LISTED("material.pk"),
	[LIST_MATERIALS + 2] = LISTED(SQL_FOLD("material.title") ", material.pk"),
	[LIST_MATERIALS + 3] = LISTED(SQL_FOLD("material.title") " DESC, material.pk DESC"),
	[COUNT_MATERIALS] = "SELECT count(*)" MATCHING " /* scans: material */",
	/* ?2 whether the caller is an admin, ?3 pk of the caller; the last column is whether it is assigned to them */
	[ONE] = "SELECT " MATERIAL_COLUMNS ", assignment.pk IS NOT NULL FROM material LEFT JOIN assignment"
		" ON assignment.user_pk = ?3 AND assignment.material = material.pk"
		" WHERE material.id = ?1 AND (?2 OR assignment.pk IS NOT NULL)",
	[IS_THERE] = "SELECT 1 FROM material WHERE id = ?1",
	[PDFS] = "SELECT file.key, material_pdf.id, material_pdf.title, file.name AS file_name, file.size"
		" FROM material_pdf" SQL_JOIN "file ON file.pk = material_pdf.file WHERE material = ?1 ORDER BY material_pdf.pk",
};

/* ---- routes */

static response_handler may_change, post_material, get_materials, get_material, patch_material, delete_material;
static void check_material(struct request *rq, struct faults *faults);

#define TAKES_PDFS(asked) { .reader = &upload_reader, .part = "pdfs", .max = PDFS_MAX, .types = pdf_only, \
	.json_too = true, .may = asked, .fits = file_fits }
static const struct upload_rule new_pdfs = TAKES_PDFS(upload_fits), more_pdfs = TAKES_PDFS(may_change);

static const struct route routes[] = {
	{ POST, "/education-materials", ADMIN, post_material, .check = check_material, .in = &create_material, .upload = &new_pdfs,
	  .out = &material_response, .status = 201, .writes = true,
	  .title = "Create a new education material with multiple PDFs and videos",
	  .note = "A form with up to 20 PDFs, or JSON without any.",
	  .example = "{\"title\":\"First words\",\"locale\":\"en\"}" },
	{ GET, "/education-materials", ADMIN, get_materials, .query = &list_query, .out = &material_response, .out_page = true,
	  .title = "List all education materials with optional locale filtering" },
	{ GET, "/education-materials/{id}", USER, get_material, .out = &material_response,
	  .title = "Get detailed information about a specific education material",
	  .note = "For admins, and the users it is assigned to." },
	{ PATCH, "/education-materials/{id}", ADMIN, patch_material, .check = check_material, .in = &update_material,
	  .upload = &more_pdfs, .out = &material_response, .writes = true, .shows = get_material,
	  .title = "Update education material details and/or add new PDFs",
	  .note = "Changes the fields that are named and no others. Up to 20 PDFs are added; videos are replaced as a whole, and have "
	  "new ids. Files without any field are a change too.",
	  .example = "{\"title\":\"First words and numbers\"}" },
	{ DELETE, "/education-materials/{id}", ADMIN, delete_material, .out = &delete_material_response, .writes = true,
	  .shows = get_material, .title = "Delete an education material", .note = "Its PDFs and assignments go with it." },
};

static const struct section authoring = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "materials", "Education materials, and whom they are assigned to",
	SECTIONS(&authoring, &materials_assigning),
	.statements = STATEMENTS(&assignment_statements, &audit_statements, &file_statements, &limit_statements,
		&material_statements, &outbox_statements, &session_statements),
	.start = start, .authenticate = session_authenticate, .mail_wake = mail_wake };
/* clang-format on */

/* ---- before the transaction */

/* Quadratic: less than a millisecond for MATERIAL_IDS_MAX ids, minutes for the 300,000 that a body may hold. */
void
materials_check_twice(const struct request *rq, const struct value *list, const char *name, struct faults *faults)
{
	const struct value *id = list->items;

	if (list->type != VALUE_LIST || list->count > MATERIAL_IDS_MAX)
		return;
	for (size_t i = 0, before; i < list->count; i++) {
		for (before = 0; before < i; before++)
			if (value_string(id[i]) && value_string(id[before]) && strcmp(id[i].bytes, id[before].bytes) == 0)
				break;
		if (before < i)
			faults_add(faults, arena_format(rq->arena, "%s[%zu]", name, i), S_F_TWICE, NULL);
	}
}

/* The JSON text that is stored: with ids. */
static const char *
videos_text(struct arena *arena, struct value videos)
{
	struct buf text = { .arena = arena };
	char id[ID_TEXT];

	json_put_list(&text, NULL);
	for (size_t i = 0; i < videos.count; i++) {
		const struct value *one = videos.items[i].items;
		random_id(id);
		json_put_object(&text, NULL);
		json_put_text(&text, "id", id);
		json_put_text_of(&text, "title", one[VIDEO_TITLE].bytes, one[VIDEO_TITLE].length);
		json_put_text_of(&text, "url", one[VIDEO_URL].bytes, one[VIDEO_URL].length);
		json_put_end_object(&text);
	}
	json_put_end_list(&text);
	return text.s;
}

static void
check_material(struct request *rq, struct faults *faults)
{
	if (rq->route->method == PATCH)
		materials_check_twice(rq, &rq->in[REMOVE_PDFS], "removePdfIds", faults);
	if (rq->faults.count + faults->count == 0 && rq->in[VIDEOS].named)
		rq->prepared = (void *)videos_text(rq->arena, rq->in[VIDEOS]);
}

/* ---- responses */

static void
put_pdfs(struct request *rq, int64_t material, const char *user)
{
	struct db_rows *pdf;

	data_list(rq, "pdfs");
	for (enum db_rc rc = db_one(rq->db, &pdf, sql[PDFS], ARGS(material)); rc == DB_ROW; rc = db_next(pdf)) {
		data_object(rq, NULL);
		data_text(rq, "id", db_text(pdf, 1));
		data_text(rq, "title", db_text(pdf, 2));
		data_text(rq, "fileName", link_file_name(rq->arena, db_text(pdf, 3), MEDIA_PDF));
		data_int(rq, "size", db_int(pdf, 4));
		link_put(rq, "url", db_text(pdf, 0), false, user);
		data_end_object(rq);
	}
	db_end(pdf);
	data_end_list(rq);
}

void
materials_put(struct request *rq, const struct db_rows *row, const char *user)
{
	int column = response_put_row(rq, &head, row, 1);

	put_pdfs(rq, db_int(row, 0), user);
	response_put_row(rq, &tail, row, column);
}

static void
put_item(struct request *rq, const struct db_rows *row)
{
	materials_put(rq, row, NULL);
}

static struct response
show(struct request *rq, const char *id)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[ONE], ARGS(id, request_is_admin(rq), rq->user->pk)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	materials_put(rq, row, db_flag(row, MATERIAL_COLUMN_COUNT) ? rq->user->id : NULL);
	db_end(row);
	return response_done(rq);
}

static struct response
get_material(struct request *rq)
{
	return show(rq, rq->id);
}

static struct response
get_materials(struct request *rq)
{
	const struct value *in = rq->in;
	int sort = value_choice(in[SORT], sorts);

	return response_list_by(rq, sql[COUNT_MATERIALS], sql[LIST_MATERIALS + sort],
		ARGS(in[FOR_LOCALE], fold_words(rq->arena, value_string(in[FOR_WORDS]))), put_item);
}

/* ---- changes */

/* The name of the file without its extension, unless nothing is left. */
static const char *
pdf_title(struct arena *arena, const char *name)
{
	size_t length = strlen(name), extension = strlen(".pdf");
	const char *title = name;

	if (length > extension && strcasecmp(name + length - extension, ".pdf") == 0)
		length -= extension;
	utf8_trim(&title, &length);
	return utf8_clip(arena, length > 0 ? arena_copy(arena, title, length) : name, TITLE_POINTS);
}

static struct response
add_pdfs(struct request *rq, int64_t material)
{
	char id[ID_TEXT];

	for (const struct upload *upload = rq->uploads; upload < rq->uploads + rq->upload_count; upload++) {
		struct file_row file = { .type = upload->type, .name = upload->name };
		enum error error = file_take(rq->db, rq->conf, &upload->blob, &file, 0, rq->now);
		if (error)
			return upload_error(rq, error);
		random_id(id);
		material_add_pdf(rq->db, id, material, file.key, pdf_title(rq->arena, file.name));
	}
	return (struct response){ .error = ERROR_NONE };
}

static struct material
material_of(const struct request *rq)
{
	const struct value *in = rq->in;

	return (struct material){ value_string(in[TITLE]), value_string(in[DESCRIPTION]), value_string(in[LOCALE]), rq->prepared,
		in[LEVEL].named, value_string(in[LEVEL]) };
}

static struct response
post_material(struct request *rq)
{
	const struct material material = material_of(rq);
	char id[ID_TEXT];
	int64_t pk;

	random_id(id);
	if (!material_add(rq->db, id, &material, rq->now, &pk))
		return response_error(rq, ERROR_INTERNAL);
	struct response response = add_pdfs(rq, pk);
	return response.error ? response : show(rq, id);
}

/* Before the files of a PATCH are kept. */
static struct response
may_change(struct request *rq)
{
	enum db_rc rc = db_number(rq->db, NULL, sql[IS_THERE], ARGS(rq->id));

	return rc == DB_ROW ? upload_fits(rq) : response_error(rq, ERROR_NOT_FOUND);
}

/* False when one of them is not this material's. */
static bool
drop_pdfs(struct request *rq, int64_t material)
{
	const struct value ids = rq->in[REMOVE_PDFS];

	for (size_t i = 0; i < ids.count; i++)
		if (!material_remove_pdf(rq->db, value_string(ids.items[i]), material))
			return false;
	return true;
}

static struct response
patch_material(struct request *rq)
{
	const struct material material = material_of(rq);
	int64_t pk;

	if (!material_change(rq->db, rq->id, &material, rq->now, &pk) || !drop_pdfs(rq, pk))
		return response_error(rq, ERROR_NOT_FOUND);
	struct response response = add_pdfs(rq, pk);
	return response.error ? response : show(rq, rq->id);
}

static struct response
delete_material(struct request *rq)
{
	struct db_rows *row;

	if (material_delete(rq->db, &row, rq->id) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	audit_add(rq->db, rq->now, &(struct audit){ rq->user->id, rq->user->email, "material.deleted", rq->id, db_text(row, 0) });
	db_end(row);
	return response_deleted(rq, S_MATERIAL_DELETED, rq->id);
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
