/* proficiency - placement tests for their authors, and main(). */
#include "proficiency.h"
#include "audit.h"
#include "copy.h"
#include "fold.h"
#include "limit.h"
#include "session.h"

/* clang-format off */
static const char *const sorts[] = { "-createdAt", "createdAt", "title", "-title", NULL };

enum { FOR_WORDS = PAGE_FIELDS, FOR_LANGUAGE, SORT };

static const struct shape list_query = { .name = "ProficiencyTestListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_WORDS] = PAGE_SEARCH("parts of title or description"),
	[FOR_LANGUAGE] = { "targetLanguage", FIELD_TEXT, 2, 8, .optional = true, .example = "\"en\"" },
	[SORT] = { "sort", FIELD_ENUM, .oneof = sorts, .optional = true, .note = "newest first unless given" }) };

/* ---- what comes in */

enum { QUESTIONS = PLACEMENT_FIELDS, RANGES };

static const struct shape create_test = { .name = "CreateProficiencyTestDto", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &placement_head },
	[QUESTIONS] = { "questions", FIELD_LIST, 1, QUIZ_QUESTIONS_MAX, .of = &quiz_question },
	[RANGES] = { "", FIELD_PLUS, .of = &placement_ranges }) };

static const struct shape update_test = { .name = "UpdateProficiencyTestDto", .all_optional = true, .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &create_test }) };

/* ---- what goes out */

static const struct shape option_response = { .name = "ProficiencyOptionResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "text", FIELD_TEXT, 1, 1000 },
	{ "isCorrect", FIELD_BOOL, .admin_only = true }) };

const struct shape proficiency_question = { .name = "ProficiencyQuestionResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "text", FIELD_TEXT, 1, 4000 },
	{ "points", FIELD_NUMBER },
	{ "mediaUrl", FIELD_URL, .nullable = true },
	{ "order", FIELD_INT, 0 },
	{ "options", FIELD_LIST, .of = &option_response }) };

static const struct shape range_response = { .name = "LevelRangeResponseDto", .fields = FIELDS(
	{ "level", FIELD_ENUM, .oneof = level_enum },
	{ "minScore", FIELD_NUMBER },
	{ "maxScore", FIELD_NUMBER }) };

static const struct shape test_list = { .name = "ProficiencyTestListResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "title", FIELD_TEXT, 1, PLACEMENT_TITLE_MAX },
	{ "description", FIELD_TEXT, 0, 5000 },
	{ "targetLanguage", FIELD_TEXT, 2, 8 },
	{ "durationMinutes", FIELD_INT, 1, 600, .nullable = true },
	{ "maxAttempts", FIELD_INT, 0, 100 },
	{ "shuffle", FIELD_BOOL },
	{ "isPublished", FIELD_BOOL },
	{ "questionCount", FIELD_INT, 0 },
	{ "createdAt", FIELD_TIME },
	{ "updatedAt", FIELD_TIME }) };

const struct shape proficiency_detail = { .name = "ProficiencyTestDetailResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &test_list },
	{ "questions", FIELD_LIST, .of = &proficiency_question },
	{ "levelRanges", FIELD_LIST, .of = &range_response }) };

static const struct shape target_languages = { .name = "TargetLanguagesResponseDto", .fields = FIELDS(
	{ "languages", FIELD_LIST, .item = FIELD_TEXT }) };

static const struct shape delete_test_response = { .name = "DeleteProficiencyTestResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &delete_response }) };

/* ---- statements */

#define TEST_COLUMNS \
	"test.id, test.title, test.description, test.target_language, test.duration_minutes, test.max_attempts," \
	" test.shuffle, test.is_published, test.question_count, test.created_at, test.updated_at"

/* ?1 whether the caller is an admin, ?2 words of a search, ?3 a language. Reads all tests: some dozens. */
#define MATCHING \
	" FROM test WHERE (is_published OR ?1) AND (CAST(?2 AS TEXT) IS NULL OR " SQL_HAS_WORDS("folded", "?2") ")" \
	" AND (CAST(?3 AS TEXT) IS NULL OR " SQL_LOWER("target_language") " = " SQL_LOWER("?3") ") /* scans: test */"
#define LISTED(order) "SELECT " TEST_COLUMNS MATCHING " ORDER BY " order " LIMIT ?4 OFFSET ?5"

#define CURRENT " FROM test JOIN test_version AS now ON now.pk = test.version"

enum {
	LIST_TESTS, COUNT_TESTS = LIST_TESTS + 4, ONE, PUBLISHED, TARGET_LANGUAGES, SOURCE, TITLE_TAKEN, ASKED,
};

static const char *const sql[] = {
	[LIST_TESTS + 0] = LISTED("pk DESC"),
	[LIST_TESTS + 1] = LISTED("pk"),
	[LIST_TESTS + 2] = LISTED(SQL_FOLD("title") ", pk"),
	[LIST_TESTS + 3] = LISTED(SQL_FOLD("title") " DESC, pk DESC"),
	[COUNT_TESTS] = "SELECT count(*)" MATCHING,
	[ONE] = "SELECT " TEST_COLUMNS ", questions, level_ranges" CURRENT " WHERE test.id = ?1",
	[PUBLISHED] = "SELECT " TEST_COLUMNS ", questions, level_ranges, shuffle" CURRENT " WHERE test.id = ?1 AND is_published",
	[TARGET_LANGUAGES] = "SELECT " SQL_JSON_LIST("language") " AS languages FROM (SELECT min(target_language) AS language"
		" FROM test WHERE is_published OR ?1 GROUP BY " SQL_LOWER("target_language") " ORDER BY 1) AS spoken /* scans: test */",
	[SOURCE] = "SELECT version, title, description, target_language, duration_minutes, max_attempts, shuffle,"
		" (SELECT level_ranges FROM test_version WHERE pk = version) FROM test WHERE id = ?1",
	[TITLE_TAKEN] = "SELECT 1 FROM test WHERE " SQL_FOLD("title") " IN (?1, ?2, ?3, ?4) LIMIT 1 /* scans: test */",
	[ASKED] = "SELECT now.pk, questions" CURRENT " WHERE test.id = ?1",
};

/* ---- routes */

/* Grows with every change of a test. */
#define LIST_VERSION "SELECT n FROM tally WHERE name = 'test:version'"

static void check_test(struct request *rq, struct faults *faults);
static void check_change(struct request *rq, struct faults *faults);
static void check_source(struct request *rq, struct faults *faults);
static void check_delete(struct request *rq, struct faults *faults);
static response_handler get_tests, post_duplicate, patch_test, get_test, delete_test, get_target_languages;

static const struct route routes[] = {
	{ POST, "/proficiency-tests", ADMIN, proficiency_add, .check = check_test, .in = &create_test, .out = &proficiency_detail,
	  .status = 201, .writes = true, .title = "Create a new proficiency test", .example = "{\"title\":\"Placement test\","
	  "\"targetLanguage\":\"en\",\"questions\":[{\"text\":\"Yesterday I ___ home.\",\"options\":[{\"text\":\"went\","
	  "\"isCorrect\":true},{\"text\":\"goed\",\"isCorrect\":false}]}],\"levelRanges\":[{\"level\":\"A1\",\"minScore\":0,"
	  "\"maxScore\":50},{\"level\":\"A2\",\"minScore\":50,\"maxScore\":100}]}" },
	{ GET, "/proficiency-tests", PUBLIC, get_tests, .query = &list_query, .out = &test_list, .out_page = true,
	  .more_by_token = true, .version = LIST_VERSION, .title = "List available proficiency tests",
	  .note = "Drafts are listed for admins only." },
	{ POST, "/proficiency-tests/{id}/duplicate", ADMIN, post_duplicate, .check = check_source, .out = &proficiency_detail,
	  .status = 201, .writes = true, .title = "Duplicate an existing proficiency test",
	  .note = "The copy is a draft, whose questions have ids of their own." },
	{ PATCH, "/proficiency-tests/{id}", ADMIN, patch_test, .check = check_change, .in = &update_test,
	  .out = &proficiency_detail, .writes = true, .shows = get_test, .title = "Update an existing proficiency test",
	  .note = "Questions and level ranges are replaced as a whole. Questions of which anything changes all get new ids. What "
	  "was answered already keeps its wording.", .example = "{\"isPublished\":false}" },
	{ GET, "/proficiency-tests/{id}", PUBLIC, get_test, .out = &proficiency_detail, .title = "Get test details",
	  .more_by_token = true, .note = "Drafts and right answers are for admins only. Of a test with `shuffle` others see "
	  "options in another order than its author gave them." },
	{ DELETE, "/proficiency-tests/{id}", ADMIN, delete_test, .check = check_delete, .out = &delete_test_response,
	  .writes = true, .shows = get_test, .title = "Delete proficiency test (Admin)",
	  .note = "Open attempts go with it, results stay." },
	{ GET, "/proficiency-tests/target-languages", PUBLIC, get_target_languages, .out = &target_languages,
	  .more_by_token = true, .version = LIST_VERSION, .title = "Get available target languages",
	  .note = "Those of published tests; for admins those of drafts too." },
};

const struct section proficiency_authoring = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "proficiency", "Placement tests, attempts and results", SECTIONS(
	&proficiency_authoring, &proficiency_gift, &proficiency_taking, &proficiency_results, &proficiency_statistics),
	.statements = STATEMENTS(&attempt_statements, &audit_statements, &limit_statements, &placement_statements, &session_statements),
	.start = token_init, .authenticate = session_authenticate };
/* clang-format on */

/* ---- making tests */

/* Each range is compared with the one before it, so they are only checked when each of them is good. */
void
proficiency_check_ranges(const struct request *rq, struct value ranges, struct faults *faults)
{
	if (!faults_name(&rq->faults, "levelRanges"))
		quiz_check_ranges(ranges, faults);
}

static void
check_test(struct request *rq, struct faults *faults)
{
	const struct value *in = rq->in;
	struct placement *test;

	quiz_check_questions(in[QUESTIONS], faults);
	proficiency_check_ranges(rq, in[RANGES], faults);
	if (rq->faults.count + faults->count > 0)
		return;
	rq->prepared = test = placement_of(rq->arena, in, in[RANGES]);
	if (in[QUESTIONS].named)
		placement_set_questions(test, rq->arena, in[QUESTIONS]);
}

struct response
proficiency_add(struct request *rq)
{
	char *id = arena_alloc(rq->arena, ID_TEXT);

	random_id(id);
	placement_add(rq->db, rq->prepared, id, rq->now);
	return response_row(rq, sql[ONE], ARGS(id), &proficiency_detail);
}

/* Copies the questions here: JSON does not belong into the transaction. */
static void
check_source(struct request *rq, struct faults *faults)
{
	struct db_rows *row;

	(void)faults;
	if (rq->faults.count > 0 || db_one(rq->db, &row, sql[ASKED], ARGS(rq->id)) != DB_ROW)
		return;
	struct placement *test = rq->prepared = arena_alloc(rq->arena, sizeof(*test));
	test->asked_by = db_int(row, 0);
	placement_set_questions(test, rq->arena, quiz_values(rq->arena, db_text(row, 1)));
	db_end(row);
}

static struct response
post_duplicate(struct request *rq)
{
	struct placement *test = rq->prepared;
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[SOURCE], ARGS(rq->id)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	if (!test || test->asked_by != db_int(row, 0)) {
		db_end(row);
		return response_again(rq);
	}
	test->head[PLACEMENT_TITLE] = value_text(
		copy_next_title(rq->arena, rq->db, sql[TITLE_TAKEN], db_text(row, 1), rq->language, PLACEMENT_TITLE_MAX));
	test->head[PLACEMENT_DESCRIPTION] = value_text(arena_string(rq->arena, db_text(row, 2)));
	test->head[PLACEMENT_LANGUAGE] = value_text(arena_string(rq->arena, db_text(row, 3)));
	test->head[PLACEMENT_MINUTES] = db_value(row, 4);
	test->head[PLACEMENT_ATTEMPTS] = db_value(row, 5);
	test->head[PLACEMENT_SHUFFLE] = value_bool(db_flag(row, 6));
	test->head[PLACEMENT_PUBLISHED] = value_bool(false);
	test->ranges = arena_string(rq->arena, db_text(row, 7));
	db_end(row);
	return proficiency_add(rq);
}

/* ---- changing them */

/* A client may send all fields: questions that stay as they were keep their ids. */
static void
check_change(struct request *rq, struct faults *faults)
{
	struct placement *test;
	struct db_rows *row;

	check_test(rq, faults);
	test = rq->prepared;
	if (!test || !test->questions || db_one(rq->db, &row, sql[ASKED], ARGS(rq->id)) != DB_ROW)
		return;
	if (placement_asks_same(rq->arena, db_text(row, 1), rq->in[QUESTIONS]))
		test->asked_by = db_int(row, 0);
	db_end(row);
}

static struct response
patch_test(struct request *rq)
{
	if (!placement_change(rq->db, rq->prepared, rq->id, rq->now))
		return response_error(rq, ERROR_NOT_FOUND);
	return response_row(rq, sql[ONE], ARGS(rq->id), &proficiency_detail);
}

/* ---- deleting them */

#define CLOSED_MAX 10000 /* half a second */

struct due {
	const struct attempt_due *first;
	int64_t count;
};

/* Attempts whose time has run out count as taken, and results stay. */
static void
check_delete(struct request *rq, struct faults *faults)
{
	struct due *due = rq->prepared = arena_alloc(rq->arena, sizeof(*due));

	(void)faults;
	due->count = attempt_read_due(rq->db, rq->arena, rq->now, 0, CLOSED_MAX, &due->first);
}

static struct response
delete_test(struct request *rq)
{
	const struct due *due = rq->prepared;

	if (attempt_close(rq->db, due->first) < due->count)
		return response_again(rq);
	const char *title = placement_delete(rq->db, rq->arena, rq->id);
	if (!title)
		return response_error(rq, ERROR_NOT_FOUND);
	audit_add(rq->db, rq->now, &(struct audit){ rq->user->id, rq->user->email, "test.deleted", rq->id, title });
	return response_deleted(rq, S_TEST_DELETED, rq->id);
}

/* ---- reading them */

static struct response
get_tests(struct request *rq)
{
	const struct value *in = rq->in;
	const char *words = fold_words(rq->arena, value_string(in[FOR_WORDS]));

	return response_list(rq, sql[COUNT_TESTS], sql[LIST_TESTS + value_choice(in[SORT], sorts)],
		ARGS(request_is_admin(rq), words, in[FOR_LANGUAGE]), &test_list);
}

static struct response
get_test(struct request *rq)
{
	struct db_rows *row;

	if (request_is_admin(rq))
		return response_row(rq, sql[ONE], ARGS(rq->id), &proficiency_detail);
	if (db_one(rq->db, &row, sql[PUBLISHED], ARGS(rq->id)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	int next = response_put_row(rq, &test_list, row, 0);
	proficiency_put_questions(rq, db_text(row, next), db_flag(row, next + 2));
	data_raw(rq, "levelRanges", db_text(row, next + 1), strlen(db_text(row, next + 1)));
	db_end(row);
	return response_done(rq);
}

static struct response
get_target_languages(struct request *rq)
{
	return response_row(rq, sql[TARGET_LANGUAGES], ARGS(request_is_admin(rq)), &target_languages);
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
