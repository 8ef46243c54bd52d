/* proficiency - the results of the caller and of all users. */
#include "proficiency.h"
#include "json_write.h"
#include "audit.h"
#include "fold.h"
#include "sql.h"

/* clang-format off */
static const char *const sorts[] = { "-completedAt", "completedAt", "-totalScore", "totalScore", NULL };
#define SORTS 4
#define SEEK 10	/* the cost of a seek in an index, in entries read in order */

static const struct shape page_only = { .name = "ResultPageQuery", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &page_query }) };

enum { FOR_WORDS = PAGE_FIELDS, FOR_TEST, FOR_LEVEL, FOR_LANGUAGE, FROM, TO, SORT, FORMAT };

static const struct shape list_query = { .name = "ResultListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_WORDS] = PAGE_SEARCH("parts of the user's name or address, or of the test's title"),
	[FOR_TEST] = { "testId", FIELD_ID, .optional = true },
	[FOR_LEVEL] = { "level", FIELD_ENUM, .oneof = level_enum, .optional = true },
	[FOR_LANGUAGE] = { "targetLanguage", FIELD_TEXT, 2, 8, .optional = true, .example = "\"en\"" },
	[FROM] = { "from", FIELD_TIME, .or_date = true, .optional = true, .note = "a time, or a date: its midnight where the school is" },
	[TO] = { "to", FIELD_TIME, .or_date = true, .optional = true, .example = "\"2026-02-01\"", .note = "until just before it" },
	[SORT] = { "sort", FIELD_ENUM, .oneof = sorts, .optional = true, .note = "newest first unless given" },
	PAGE_FORMAT_AT(FORMAT)) };

static const struct shape user_summary = { .name = "UserTestResultUserSummaryDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "email", FIELD_EMAIL },
	{ "name", FIELD_TEXT, 0, 100, .nullable = true },
	{ "surname", FIELD_TEXT, 0, 100, .nullable = true }) };

static const struct shape test_summary = { .name = "UserTestResultTestSummaryDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "title", FIELD_TEXT, 1, 200 },
	{ "targetLanguage", FIELD_TEXT, 2, 8 }) };

static const struct shape result_list = { .name = "UserTestResultListResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "user", FIELD_OBJECT, .of = &user_summary },
	{ "test", FIELD_OBJECT, .of = &test_summary, .note = "as it was when the result came about" },
	{ "attempt", FIELD_INT, 1 },
	{ "totalScore", FIELD_NUMBER },
	{ "correctCount", FIELD_INT, 0 },
	{ "questionCount", FIELD_INT, 1 },
	{ "level", FIELD_ENUM, .oneof = level_enum },
	{ "completedAt", FIELD_TIME }) };

static const struct shape result_answer = { .name = "UserTestAnswerResponseDto", .fields = FIELDS(
	{ "questionId", FIELD_ID },
	{ "questionText", FIELD_TEXT, 1, 4000 },
	{ "optionId", FIELD_ID },
	{ "optionText", FIELD_TEXT, 1, 1000 },
	{ "isCorrect", FIELD_BOOL },
	{ "points", FIELD_NUMBER, .note = "won" }) };

const struct shape proficiency_result = { .name = "UserTestResultResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &result_list },
	{ "answers", FIELD_LIST, .of = &result_answer, .note = "those that were given, in the order of the test" }) };

/* The same for CSV, without objects. */
static const struct shape result_line = { .name = "ResultLine", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "userId", FIELD_ID },
	{ "email", FIELD_EMAIL },
	{ "name", FIELD_TEXT },
	{ "surname", FIELD_TEXT },
	{ "testId", FIELD_ID },
	{ "testTitle", FIELD_TEXT },
	{ "targetLanguage", FIELD_TEXT },
	{ "attempt", FIELD_INT },
	{ "totalScore", FIELD_NUMBER },
	{ "correctCount", FIELD_INT },
	{ "questionCount", FIELD_INT },
	{ "level", FIELD_TEXT },
	{ "completedAt", FIELD_TIME }) };

static const struct shape delete_result_response = { .name = "DeleteUserTestResultResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &delete_response }) };

/* ---- statements */

#define JSON_USER \
	SQL_JSON_OBJECT(SQL_JSON_MEMBER("id", "users.id") ", " SQL_JSON_MEMBER("email", "users.email") ", " \
		SQL_JSON_MEMBER("name", "users.name") ", " SQL_JSON_MEMBER("surname", "users.surname"))
#define JSON_TEST \
	SQL_JSON_OBJECT(SQL_JSON_MEMBER("id", "version.test_id") ", " SQL_JSON_MEMBER("title", "version.title") ", " \
		SQL_JSON_MEMBER("targetLanguage", "version.target_language"))
#define COLUMNS \
	"SELECT result.id, " JSON_USER " AS user, " JSON_TEST " AS test," \
	" result.attempt, result.total_score, result.correct_count, result.question_count, result.level," \
	" result.completed_at"
#define LINE \
	"SELECT result.id, users.id AS user_id, users.email, users.name, users.surname, version.test_id," \
	" version.title AS test_title, version.target_language, result.attempt, result.total_score," \
	" result.correct_count, result.question_count, result.level, result.completed_at"
#define JOINED \
	SQL_JOIN "users ON users.pk = result.user_pk" SQL_JOIN "test_version AS version ON version.pk = result.version"

/* Finds the page in an index first, and then joins its rows. */
#define PAGE(source, order, limit, offset) \
	COLUMNS " FROM (SELECT result.pk AS found FROM " source " ORDER BY " order " LIMIT " limit " OFFSET " offset \
	") AS page" SQL_JOIN "result ON result.pk = found" JOINED " ORDER BY " order

/* ?1 test, ?2 level, ?3 target language, ?4 from, ?5 to */
#define FILTER \
	"(CAST(?1 AS BIGINT) IS NULL OR result.test = ?1) AND (CAST(?2 AS TEXT) IS NULL OR result.level = ?2)" \
	" AND (CAST(?3 AS TEXT) IS NULL OR " SQL_LOWER("result.target_language") " = " SQL_LOWER("?3") ") AND result.completed_at >= ?4 AND result.completed_at < ?5"

#define KINDS \
	"(CAST(?1 AS BIGINT) IS NULL OR kind.test = ?1) AND (CAST(?2 AS TEXT) IS NULL OR kind.level = ?2)" \
	" AND (CAST(?3 AS TEXT) IS NULL OR " SQL_LOWER("kind.target_language") " = " SQL_LOWER("?3") ")"

/* Access paths to the results that match a filter: in the order of an index, or by their kinds. */
#define ALONG_TIME "result" SQL_BY_INDEX("result_time") " WHERE " FILTER
#define ALONG_SCORE "result" SQL_BY_INDEX("result_score") " /* scans: result */ WHERE " FILTER
#define OF_KINDS \
	"result_tally AS kind /* scans: kind */" SQL_JOIN "result" SQL_BY_INDEX("result_kind") " ON result.version = kind.version" \
	" AND result.level = kind.level WHERE " KINDS " AND result.completed_at >= ?4 AND result.completed_at < ?5"

/*
 * ?6 a query of the trigram index of users, ?7 the words. Words of one or two letters have no trigrams: then ?6 is
 * NULL and all users are read. A school has some dozens of tests.
 */
#define FOUND_BY(match, words) \
	"(SELECT " SQL_USER_TEXT_PK " FROM user_text WHERE CAST(" match " AS TEXT) IS NOT NULL AND " SQL_USER_TEXT_HAS(match) \
	" UNION ALL SELECT pk FROM users /* scans: users */ WHERE CAST(" match " AS TEXT) IS NULL AND " \
	SQL_HAS_WORDS("folded", words) ")"
#define FOUND_USERS FOUND_BY("?6", "?7")
#define FOUND_VERSIONS "(SELECT pk FROM test_version /* scans: test_version */ WHERE " SQL_HAS_WORDS(SQL_FOLD("title"), "?7") ")"
/*
 * The words that a title has need not match the user: first the few users who have the words that any title leaves,
 * then of them those who have the words that this title leaves.
 */
#define LEFT SQL_WORDS_LEFT(SQL_FOLD("title"), "?7")
#define HALF_FOUND "test_version /* scans: test_version */ WHERE " LEFT " NOT IN ('', ?7)"
#define HALF_FOUND_USERS \
	"(SELECT users.pk FROM (SELECT DISTINCT " LEFT " AS words FROM " HALF_FOUND ") AS half" \
	SQL_JOIN "users /* scans: users */ ON " SQL_HAS_WORDS("users.folded", "half.words") ")"
#define FOUND_TOGETHER \
	"(result.version IN (SELECT pk FROM " HALF_FOUND ") AND result.user_pk IN " HALF_FOUND_USERS " AND " \
	SQL_HAS_WORDS("(SELECT folded FROM users WHERE pk = result.user_pk)", \
		"(SELECT " LEFT " FROM test_version WHERE pk = result.version)") ")"
#define FOUND \
	" AND (result.user_pk IN " FOUND_USERS " OR result.version IN " FOUND_VERSIONS " OR " FOUND_TOGETHER ")"
#define OF_USERS "result" SQL_BY_INDEX("result_user") " WHERE result.user_pk IN " FOUND_USERS " AND " FILTER

#define NEWEST "result.completed_at DESC, result.pk DESC"
#define OLDEST "result.completed_at, result.pk"
#define HIGHEST "result.total_score DESC, result.pk DESC"
#define LOWEST "result.total_score, result.pk"

#define IN_ORDERS(first, by_time, by_score, limit, offset) \
	[first] = PAGE(by_time, NEWEST, limit, offset), [first + 1] = PAGE(by_time, OLDEST, limit, offset), \
	[first + 2] = PAGE(by_score, HIGHEST, limit, offset), [first + 3] = PAGE(by_score, LOWEST, limit, offset)
/* JOINED is between the table and its WHERE. */
#define TABLE(index, more, order, limit, offset) \
	LINE " FROM result" SQL_BY_INDEX(index) JOINED " WHERE " FILTER more " ORDER BY " order " LIMIT " limit " OFFSET " offset

enum {
	ALONG, BY_KIND = ALONG + SORTS, SEARCHED = BY_KIND + SORTS, BY_USERS = SEARCHED + SORTS,
	TABLE_ALL = BY_USERS + SORTS, TABLE_SEARCHED = TABLE_ALL + SORTS,
	COUNT_TALLY = TABLE_SEARCHED + SORTS, COUNT_ALONG, COUNT_KIND, COUNT_SEARCHED, COUNT_USERS,
	TALLIES, FEW_USERS, TEST_PK, OF_USER, COUNT_OF_USER, USER_PK, ONE,
};

static const char *const sql[] = {
	IN_ORDERS(ALONG, ALONG_TIME, ALONG_SCORE, "?6", "?7"),
	IN_ORDERS(BY_KIND, OF_KINDS, OF_KINDS, "?6", "?7"),
	IN_ORDERS(SEARCHED, ALONG_TIME FOUND, ALONG_SCORE FOUND, "?8", "?9"),
	IN_ORDERS(BY_USERS, OF_USERS, OF_USERS, "?8", "?9"),
	[TABLE_ALL + 0] = TABLE("result_time", "", NEWEST, "?6", "?7"),
	[TABLE_ALL + 1] = TABLE("result_time", "", OLDEST, "?6", "?7"),
	[TABLE_ALL + 2] = TABLE("result_score /* scans: result */", "", HIGHEST, "?6", "?7"),
	[TABLE_ALL + 3] = TABLE("result_score /* scans: result */", "", LOWEST, "?6", "?7"),
	[TABLE_SEARCHED + 0] = TABLE("result_time", FOUND, NEWEST, "?8", "?9"),
	[TABLE_SEARCHED + 1] = TABLE("result_time", FOUND, OLDEST, "?8", "?9"),
	[TABLE_SEARCHED + 2] = TABLE("result_score /* scans: result */", FOUND, HIGHEST, "?8", "?9"),
	[TABLE_SEARCHED + 3] = TABLE("result_score /* scans: result */", FOUND, LOWEST, "?8", "?9"),
	[COUNT_TALLY] = "SELECT coalesce(sum(n), 0) FROM result_tally AS kind /* scans: kind */ WHERE " KINDS " AND ?4 < ?5",
	[COUNT_ALONG] = "SELECT count(*) FROM " ALONG_TIME,
	[COUNT_KIND] = "SELECT count(*) FROM " OF_KINDS,
	[COUNT_SEARCHED] = "SELECT count(*) FROM " ALONG_TIME FOUND,
	[COUNT_USERS] = "SELECT count(*) FROM " OF_USERS,
	/* the number of all, of those that match the filters without the times, and of the kinds of the latter */
	[TALLIES] = "SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (WHERE " KINDS "), 0), count(*) FILTER (WHERE " KINDS ")"
		" FROM result_tally AS kind /* scans: kind */",
	/* whether a search finds few users, and nothing in a test */
	[FEW_USERS] = "SELECT (SELECT count(*) FROM (SELECT 1 FROM " FOUND_BY("?1", "?2") " AS one LIMIT 1000) AS few) < 1000"
		" AND NOT EXISTS (SELECT 1 FROM test_version /* scans: test_version */"
		" WHERE " SQL_WORDS_LEFT(SQL_FOLD("title"), "?2") " <> ?2)",
	[TEST_PK] = "SELECT pk FROM test WHERE id = ?1 UNION ALL SELECT test FROM test_version /* scans: test_version */ WHERE test_id = ?1 LIMIT 1",
	[OF_USER] = PAGE("result" SQL_BY_INDEX("result_user") " WHERE user_pk = ?1", NEWEST, "?2", "?3"),
	[COUNT_OF_USER] = "SELECT count(*) FROM result WHERE user_pk = ?1",
	[USER_PK] = "SELECT pk FROM users WHERE id = ?1",
	[ONE] = COLUMNS ", version.questions, result.chosen FROM result" JOINED " WHERE result.id = ?1 AND (result.user_pk = ?2 OR ?3)",
};

/* ---- routes */

static response_handler get_results, get_user_results, get_own_results, get_result, delete_result;

static const struct route routes[] = {
	{ GET, "/proficiency-tests/admin/results/{id}", ADMIN, get_result, .out = &proficiency_result,
	  .title = "Get detailed test result (Admin)" },
	{ DELETE, "/proficiency-tests/admin/results/{id}", ADMIN, delete_result, .out = &delete_result_response, .writes = true,
	  .shows = get_result, .title = "Delete test result (Admin)", .note = "Gives the attempt back to its user." },
	{ GET, "/proficiency-tests/admin/results", ADMIN, get_results, .query = &list_query, .out = &result_list,
	  .out_page = true, .title = "Get all test results (Admin)",
	  .note = "A page of the results, or with format=csv all of them as a file." },
	{ GET, "/proficiency-tests/admin/users/{userId}/results", ADMIN, get_user_results, .query = &page_only,
	  .out = &result_list, .out_page = true, .title = "Get test results for a specific user (Admin)" },
	{ GET, "/proficiency-tests/results/me", USER, get_own_results, .query = &page_only, .out = &result_list,
	  .out_page = true, .title = "Get current user results" },
	{ GET, "/proficiency-tests/results/{id}", USER, get_result, .out = &proficiency_result,
	  .title = "Get detailed test result", .note = "One's own; for admins anybody's." },
};

const struct section proficiency_results = { routes, COUNT(routes), sql, COUNT(sql) };

/* ---- attempts whose time has run out */

#define BATCH 200	/* attempts in a transaction */
#define BATCHES 50
/* clang-format on */

void
proficiency_close_due(struct request *rq, int64_t user)
{
	const struct attempt_due *due;
	int64_t found = BATCH;

	/* Inside a transaction a GET is only compared with what it showed before. */
	for (int i = 0; i < BATCHES && found == BATCH && !db_writing(rq->db); i++) {
		found = attempt_read_due(rq->db, rq->arena, rq->now, user, BATCH, &due);
		if (found == 0 || !request_late_write(rq))
			break;
		attempt_close(rq->db, due);
		if (!request_late_commit(rq))
			break;
	}
}

/* ---- all results */

/* The key of a test or user; 0 where there is none. */
static int64_t
find_pk(struct request *rq, const char *statement, struct value id)
{
	struct db_rows *row;
	int64_t pk = db_one(rq->db, &row, statement, ARGS(id)) == DB_ROW ? db_int(row, 0) : 0;

	db_end(row);
	return pk;
}

/*
 * The cheaper access path. In the order of an index the share of matching entries is that of the filters. By kind
 * all entries match, but all of them are read and sorted, which costs about as much as reading them three times.
 */
static int
path_of(struct request *rq, struct args args)
{
	struct page page = page_of(rq->in);
	double all = 0, left = 0, kinds = 0, end = (double)(page.offset + page.limit);
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[TALLIES], (struct args){ args.values, 3 }) == DB_ROW) {
		all = (double)db_int(row, 0);
		left = (double)db_int(row, 1);
		kinds = (double)db_int(row, 2);
	}
	db_end(row);
	return 3 * left + SEEK * kinds < (left > end ? end * all / left : all) ? BY_KIND : ALONG;
}

static struct response
search_results(struct request *rq, struct args filter, const char *words, int sort)
{
	const char *match = fold_match(rq->arena, value_string(rq->in[FOR_WORDS]));
	const struct value *by = filter.values, *format = &rq->in[FORMAT];
	struct args args = ARGS(by[0], by[1], by[2], by[3], by[4], match, words);
	struct db_rows *row;

	if (page_is_table(format))
		return response_csv(rq, "results", sql[TABLE_SEARCHED + sort], args, &result_line, page_separator(format), true);
	bool few = db_one(rq->db, &row, sql[FEW_USERS], ARGS(match, words)) == DB_ROW && db_flag(row, 0);
	db_end(row);
	return response_list(
		rq, sql[few ? COUNT_USERS : COUNT_SEARCHED], sql[(few ? BY_USERS : SEARCHED) + sort], args, &result_list);
}

static struct response
get_results(struct request *rq)
{
	const struct value *in = rq->in;
	const char *zone = rq->conf->time_zone, *words = fold_words(rq->arena, value_string(in[FOR_WORDS]));
	bool times = in[FROM].named || in[TO].named;
	bool kind = in[FOR_TEST].named || in[FOR_LEVEL].named || in[FOR_LANGUAGE].named;
	int sort = value_choice(in[SORT], sorts);

	proficiency_close_due(rq, 0);
	struct value test = in[FOR_TEST].named ? value_int(find_pk(rq, sql[TEST_PK], in[FOR_TEST])) : value_null();
	struct args args = ARGS(test, in[FOR_LEVEL], in[FOR_LANGUAGE], field_time(in[FROM], zone, INT64_MIN),
		field_time(in[TO], zone, INT64_MAX));
	if (words)
		return search_results(rq, args, words, sort);
	if (page_is_table(&in[FORMAT]))
		return response_csv(rq, "results", sql[TABLE_ALL + sort], args, &result_line, page_separator(&in[FORMAT]), true);
	int count = !times ? COUNT_TALLY : kind ? COUNT_KIND : COUNT_ALONG;
	return response_list(rq, sql[count], sql[path_of(rq, args) + sort], args, &result_list);
}

/* ---- those of a user */

static struct response
get_user_results(struct request *rq)
{
	int64_t pk = find_pk(rq, sql[USER_PK], value_text(rq->id));

	if (pk == 0)
		return response_error(rq, ERROR_NOT_FOUND);
	proficiency_close_due(rq, pk);
	return response_list(rq, sql[COUNT_OF_USER], sql[OF_USER], ARGS(pk), &result_list);
}

static struct response
get_own_results(struct request *rq)
{
	proficiency_close_due(rq, rq->user->pk);
	return response_list(rq, sql[COUNT_OF_USER], sql[OF_USER], ARGS(rq->user->pk), &result_list);
}

/* ---- one */

#define ANSWER_NAMES 128 /* bytes: names, commas and brackets of an answer */

/* What a result answered. */
struct answered {
	size_t count;
	unsigned char chosen[QUIZ_QUESTIONS_MAX];
	char questions[]; /* JSON */
};

static void
write_answers(struct request *rq, const char *name, const void *facts)
{
	const struct answered *answered = facts;
	const char *questions = answered->questions;
	struct quiz_question question;

	json_put_list(rq->out, name);
	for (size_t i = 0; i < answered->count && quiz_next(&questions, &question); i++)
		quiz_put_answer(rq->out, &question, answered->chosen[i], true);
	json_put_end_list(rq->out);
}

static void
put_answers(struct request *rq, const struct db_rows *row, int column)
{
	size_t length = db_size(row, column), size = sizeof(struct answered) + length + 1;
	struct answered *answered = arena_alloc(rq->arena, size);

	memcpy(answered->questions, db_text(row, column), length);
	answered->count = db_size(row, column + 1) < QUIZ_QUESTIONS_MAX ? db_size(row, column + 1) : QUIZ_QUESTIONS_MAX;
	memcpy(answered->chosen, db_blob(row, column + 1), answered->count);
	/* An answer has what its question has, without the other options, under longer names. */
	data_later(rq, "answers", write_answers, answered, size, length + answered->count * ANSWER_NAMES);
}

static struct response
get_result(struct request *rq)
{
	struct db_rows *row;

	proficiency_close_due(rq, request_is_admin(rq) ? 0 : rq->user->pk);
	if (db_one(rq->db, &row, sql[ONE], ARGS(rq->id, rq->user->pk, request_is_admin(rq))) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	int next = response_put_row(rq, &result_list, row, 0);
	put_answers(rq, row, next);
	db_end(row);
	return response_done(rq);
}

static struct response
delete_result(struct request *rq)
{
	struct db_rows *row;

	if (attempt_remove_result(rq->db, &row, rq->id) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	const char *before = arena_format(rq->arena, "%s: %.2f, %s", db_text(row, 1), db_real(row, 2), db_text(row, 3));
	audit_add(rq->db, rq->now,
		&(struct audit){ rq->user->id, rq->user->email, "result.deleted", rq->id, db_text(row, 0), before });
	db_end(row);
	return response_deleted(rq, S_RESULT_DELETED, rq->id);
}
