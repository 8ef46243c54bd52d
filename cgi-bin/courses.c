/* courses - what the school offers: a public list, and what admins do with it. */
#include "app.h"
#include "audit.h"
#include "copy.h"
#include "course.h"
#include "fold.h"
#include "random.h"
#include "session.h"
#include "sql.h"
#include "token.h"

#define TITLE_POINTS 200

/* clang-format off */
static const char *const sorts[] = {
	"-createdAt", "createdAt", "title", "-title", "price", "-price", "order", "-order", NULL
};

static const struct field course_fields[] = {
	[COURSE_TITLE] = { "title", FIELD_TEXT, 1, TITLE_POINTS, .example = "\"Türkçe A1\"" },
	[COURSE_DESCRIPTION] = { "description", FIELD_TEXT, 0, 20000, .lines = true, .optional = true, .example = "\"Günlük konuşma için\"" },
	[COURSE_LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes },
	[COURSE_LEVEL] = { "level", FIELD_ENUM, .oneof = level_enum, .optional = true, .nullable = true, .example = "\"A1\"" },
	[COURSE_PRICE] = { "price", FIELD_NUMBER, 0, 1e9, .optional = true, .note = "0 unless given", .example = "1999.99" },
	[COURSE_CURRENCY] = { "currency", FIELD_TEXT, 3, 3, .optional = true, .letters = true, .example = "\"TRY\"",
	  .note = "three letters (ISO 4217), folded to upper case; TRY unless given" },
	[COURSE_DURATION] = { "durationWeeks", FIELD_INT, 1, 520, .optional = true, .nullable = true, .example = "12" },
	[COURSE_IMAGE] = { "imageUrl", FIELD_URL, .optional = true, .nullable = true, .example = "\"https://example.com/a1.jpg\"" },
	[COURSE_ORDER] = { "order", FIELD_INT, 0, 1000000, .optional = true, .note = "0 unless given; the list can be sorted by it",
	  .example = "1" },
	[COURSE_PUBLISHED] = { "isPublished", FIELD_BOOL, .optional = true, .note = "true unless given; only admins see a draft",
	  .example = "true" },
	[COURSE_FIELDS] = FIELDS_END,
};

static const struct shape create_course = { .name = "CreateCourseDto", .fields = course_fields };
static const struct shape update_course = { .name = "UpdateCourseDto", .all_optional = true, .fields = course_fields };

static const struct shape course_response = { .name = "CourseResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "title", FIELD_TEXT, 1, TITLE_POINTS, .example = "\"Türkçe A1\"" },
	{ "description", FIELD_TEXT, 0, 20000, .example = "\"Günlük konuşma için\"" },
	{ "language", FIELD_ENUM, .oneof = language_codes },
	{ "level", FIELD_ENUM, .oneof = level_enum, .nullable = true },
	{ "price", FIELD_NUMBER, 0, 1e9, .example = "1999.99" },
	{ "currency", FIELD_TEXT, 3, 3, .letters = true, .example = "\"TRY\"" },
	{ "durationWeeks", FIELD_INT, 1, 520, .nullable = true },
	{ "imageUrl", FIELD_URL, .nullable = true, .example = "\"https://example.com/a1.jpg\"" },
	{ "order", FIELD_INT, 0, 1000000 },
	{ "isPublished", FIELD_BOOL },
	{ "createdAt", FIELD_TIME },
	{ "updatedAt", FIELD_TIME }) };

enum { FOR_WORDS = PAGE_FIELDS, FOR_LANGUAGE, FOR_LEVEL, SORT };

static const struct shape list_query = { .name = "CourseListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_WORDS] = PAGE_SEARCH("parts of words of title or description; all must be there"),
	[FOR_LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes, .optional = true },
	[FOR_LEVEL] = { "level", FIELD_ENUM, .oneof = level_enum, .optional = true },
	[SORT] = { "sort", FIELD_ENUM, .oneof = sorts, .optional = true, .note = "newest first unless given" }) };

/*
 * A page is found in the index of its order, which holds all columns of the filters, and then joined with its rows. Keys grow
 * with time: they are the order of creation, and the tie-breaker of the other orders. ?1 drafts too, ?2 language, ?3 level,
 * ?4 the words of a search (fold_words()); each statement takes the first of them that it needs, then limit and offset.
 */
#define FILTERS "(?1 OR is_published) AND (CAST(?2 AS TEXT) IS NULL OR language = ?2) AND (CAST(?3 AS TEXT) IS NULL OR level = ?3)"
#define FILTERS_AND_SEARCH FILTERS " AND " SQL_HAS_WORDS("folded", "?4")
#define PAGE(source, where, order, limit, offset) \
	"SELECT " COURSE_COLUMNS " FROM (SELECT pk AS found FROM " source " WHERE " where " ORDER BY " order \
	" LIMIT " limit " OFFSET " offset ") AS page" SQL_JOIN "course ON pk = found ORDER BY " order \
	" /* scans: course */"
#define SORTED(i, by, order) \
	[PAGE_OF(OF_ALL, i)] = PAGE("course" SQL_BY_INDEX("course_" by), "TRUE", order, "?1", "?2"), \
	[PAGE_OF(OF_PUBLIC, i)] = PAGE("course" SQL_BY_INDEX("course_public_" by), "is_published", order, "?1", "?2"), \
	[PAGE_OF(OF_FILTERED, i)] = PAGE("course" SQL_BY_INDEX("course_" by), FILTERS, order, "?4", "?5"), \
	[PAGE_OF(OF_SEARCHED, i)] = PAGE("course", FILTERS_AND_SEARCH, order, "?5", "?6")

#define SORTS (COUNT(sorts) - 1)
/* Which courses a list has: of each kind there are the pages, one for each order, and the count. */
enum { OF_ALL, OF_PUBLIC, OF_FILTERED, OF_SEARCHED, KINDS };
#define PAGE_OF(kind, sort) ((kind) * SORTS + (sort))
#define COUNT_OF(kind) (PAGE_OF(KINDS, 0) + (kind))
enum { ONE = COUNT_OF(KINDS), TAKEN };

static const char *const sql[] = {
	SORTED(0, "newest", "pk DESC"),
	SORTED(1, "newest", "pk"),
	SORTED(2, "title", "sort_title, pk"),
	SORTED(3, "title", "sort_title DESC, pk DESC"),
	SORTED(4, "price", "price, pk"),
	SORTED(5, "price", "price DESC, pk DESC"),
	SORTED(6, "position", "position, pk"),
	SORTED(7, "position", "position DESC, pk DESC"),
	[COUNT_OF(OF_ALL)] = "SELECT n FROM tally WHERE name = 'course'",
	[COUNT_OF(OF_PUBLIC)] = "SELECT n FROM tally WHERE name = 'course:published'",
	[COUNT_OF(OF_FILTERED)] =
		"SELECT count(*) FROM course" SQL_BY_INDEX("course_newest") " WHERE " FILTERS " /* scans: course */",
	[COUNT_OF(OF_SEARCHED)] = "SELECT count(*) FROM course WHERE " FILTERS_AND_SEARCH " /* scans: course */",
	[ONE] = "SELECT " COURSE_COLUMNS " FROM course WHERE id = ?1 AND (?2 OR is_published)",
	[TAKEN] = "SELECT 1 FROM course WHERE sort_title IN (?1, ?2, ?3, ?4)",
};

static response_handler get_courses, get_course, post_course, patch_course, delete_course, duplicate_course;

static const struct route routes[] = {
	{ GET, "/courses", PUBLIC, get_courses, .query = &list_query, .out = &course_response, .out_page = true,
	  .more_by_token = true, .version = "SELECT n FROM tally WHERE name = 'course:version'", .title = "Get all courses",
	  .note = "A page of the courses that are published; an admin sees the drafts too." },
	{ POST, "/courses", ADMIN, post_course, .in = &create_course, .out = &course_response, .status = 201, .writes = true,
	  .title = "Create a new course (Admin only)" },
	{ GET, "/courses/{id}", PUBLIC, get_course, .out = &course_response, .title = "Kurs detayını görüntüle",
	  .more_by_token = true, .note = "A draft is there for admins only." },
	{ PATCH, "/courses/{id}", ADMIN, patch_course, .in = &update_course, .out = &course_response, .writes = true,
	  .shows = get_course, .title = "Update an existing course (Admin only)",
	  .note = "Changes the fields that are named and no others.",
	  .example = "{\"price\":2499.5,\"isPublished\":true}" },
	{ DELETE, "/courses/{id}", ADMIN, delete_course, .out = &delete_response, .writes = true,
	  .shows = get_course, .title = "Delete a course (Admin only)" },
	{ POST, "/courses/{id}/duplicate", ADMIN, duplicate_course, .out = &course_response, .status = 201, .writes = true,
	  .title = "Duplicate an existing course (Admin only)",
	  .note = "The duplicate is a draft. Its title ends in (copy), or a further one's in (copy 2), in the caller's"
	  " language." },
};
/* clang-format on */

static struct response
get_courses(struct request *rq)
{
	const struct value *in = rq->in;
	const char *words = fold_words(rq->arena, value_string(in[FOR_WORDS]));
	struct args args = ARGS(request_is_admin(rq), in[FOR_LANGUAGE], in[FOR_LEVEL], words);
	int kind = request_is_admin(rq) ? OF_ALL : OF_PUBLIC, sort = value_choice(in[SORT], sorts);

	if (words)
		kind = OF_SEARCHED;
	else if (in[FOR_LANGUAGE].named || in[FOR_LEVEL].named)
		kind = OF_FILTERED;
	args.count = kind == OF_SEARCHED ? 4 : kind == OF_FILTERED ? 3 : 0;
	return response_list(rq, sql[COUNT_OF(kind)], sql[PAGE_OF(kind, sort)], args, &course_response);
}

static struct response
get_course(struct request *rq)
{
	return response_row(rq, sql[ONE], ARGS(rq->id, request_is_admin(rq)), &course_response);
}

static struct response
post_course(struct request *rq)
{
	struct db_rows *row;
	char id[ID_TEXT];

	random_id(id);
	enum db_rc rc = course_add(rq->db, &row, id, rq->in, rq->now, rq->now);
	return response_of_row(rq, rc, row, &course_response);
}

static struct response
patch_course(struct request *rq)
{
	struct db_rows *row;
	enum db_rc rc = course_change(rq->db, rq->arena, &row, rq->id, rq->in, rq->now);

	return response_of_row(rq, rc, row, &course_response);
}

static struct response
delete_course(struct request *rq)
{
	struct db_rows *row;

	if (course_delete(rq->db, &row, rq->id) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	audit_add(rq->db, rq->now, &(struct audit){ rq->user->id, rq->user->email, "course.deleted", rq->id, db_text(row, 0) });
	db_end(row);
	return response_deleted(rq, S_COURSE_DELETED, rq->id);
}

static struct response
duplicate_course(struct request *rq)
{
	struct db_rows *row;
	char id[ID_TEXT];

	if (db_one(rq->db, &row, sql[ONE], ARGS(rq->id, true)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	const char *title = copy_next_title(rq->arena, rq->db, sql[TAKEN], db_text(row, 1), rq->language, TITLE_POINTS);
	db_end(row);
	random_id(id);
	enum db_rc rc = course_copy(rq->db, &row, rq->id, id, title, rq->now);
	return response_of_row(rq, rc, row, &course_response);
}

static const struct section courses = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "courses", "Courses that the school offers", SECTIONS(&courses),
	.statements = STATEMENTS(&audit_statements, &course_statements, &session_statements), .start = token_init,
	.authenticate = session_authenticate };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
