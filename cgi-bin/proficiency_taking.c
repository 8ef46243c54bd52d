/*
 * proficiency - open attempts, their answers, and submitting them.
 *
 * A learner does not see here which option is right: that comes with the result. Answers are read and graded before
 * the write transaction, which checks that they are still for the current version of the test.
 */
#include "proficiency.h"
#include "json_write.h"
#include "limit.h"
#include "random.h"
#include "sql.h"

/* clang-format off */
enum { ANSWERS };

static const struct shape submit_test = { .name = "SubmitTestDto", .fields = FIELDS(
	[ANSWERS] = { "answers", FIELD_LIST, 1, QUIZ_QUESTIONS_MAX, .of = &quiz_answer, .note = "a question at most once" }) };

static const struct shape attempt_response = { .name = "AttemptResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID, .note = "its result will have the same" },
	{ "testId", FIELD_ID },
	{ "startedAt", FIELD_TIME },
	{ "deadline", FIELD_TIME, .nullable = true, .note = "null: no limit of time" },
	{ "answers", FIELD_LIST, .of = &quiz_answer, .note = "those that are saved" }) };

static const struct shape started_attempt = { .name = "StartedAttemptResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &attempt_response },
	{ "questions", FIELD_LIST, .of = &proficiency_question, .note = "in the order of this attempt, options too" }) };

static const struct shape status_result = { .name = "UserTestStatusSummaryDto", .fields = FIELDS(
	{ "resultId", FIELD_ID },
	{ "totalScore", FIELD_NUMBER },
	{ "level", FIELD_ENUM, .oneof = level_enum },
	{ "completedAt", FIELD_TIME }) };

static const struct shape status_response = { .name = "UserTestStatusResponseDto", .fields = FIELDS(
	{ "hasCompleted", FIELD_BOOL },
	{ "attempts", FIELD_INT, 0, .note = "results; an open attempt is none yet" },
	{ "attemptsLeft", FIELD_INT, 0, .nullable = true, .note = "null: no limit" },
	{ "result", FIELD_OBJECT, .of = &status_result, .nullable = true, .note = "the last one" }) };

/*
 * Results of a test without limit of attempts are permanent rows, so their number is limited. An attempt counts
 * when it begins: deleting a result does not reduce the count, and a user who has begun may finish.
 */
#define DAILY_MOST 20
#define DAILY_KIND "submit"		/* subject: "USER-ID TEST-ID"; schema.sql deletes them with the user */

/* ---- statements */

/*
 * A test (?1) that the user (?2) may see, an admin (?3) also as a draft, and the user's open attempt at it, which
 * may be finished also when the test is unpublished meanwhile.
 */
#define OPEN_TEST "test LEFT JOIN attempt ON attempt.user_pk = ?2 AND attempt.test = test.pk"
#define SEEN "test.id = ?1 AND (test.is_published OR ?3)"
#define SEEN_OR_OPEN "test.id = ?1 AND (test.is_published OR ?3 OR attempt.pk IS NOT NULL)"

#define OWN_ATTEMPT "attempt" SQL_JOIN "test ON test.pk = attempt.test WHERE attempt.id = ?1 AND attempt.user_pk = ?2"

#define ATTEMPT "coalesce(attempt.pk, 0), attempt.id, attempt.started_at, attempt.deadline, attempt.chosen, attempt.seed"

enum { PREPARE, PREPARE_OWN, STATE, OWN_STATE, IS_RESULT, STATUS };

static const char *const sql[] = {
	[PREPARE] =
		"SELECT coalesce(attempt.version, test.version), users.name, users.surname, attempt.deadline FROM " OPEN_TEST
		SQL_JOIN "users ON users.pk = ?2 WHERE " SEEN_OR_OPEN,
	[PREPARE_OWN] = "SELECT attempt.version, NULL, NULL, attempt.deadline FROM " OWN_ATTEMPT,
	[STATE] = "SELECT test.pk, coalesce(attempt.version, test.version), test.id, " ATTEMPT ", test.duration_minutes, test.shuffle,"
		" CASE test.max_attempts WHEN 0 THEN FALSE ELSE (SELECT count(*) FROM result WHERE result.user_pk = ?2"
		" AND result.test = test.pk) >= test.max_attempts END, test.max_attempts = 0 FROM " OPEN_TEST " WHERE " SEEN_OR_OPEN,
	[OWN_STATE] = "SELECT test.pk, attempt.version, test.id, " ATTEMPT ", 0, 0, 0, 0 FROM " OWN_ATTEMPT,
	[IS_RESULT] = "SELECT 1 FROM result WHERE id = ?1 AND user_pk = ?2",
	[STATUS] = "SELECT test.max_attempts, (SELECT count(*) FROM result WHERE result.user_pk = ?2 AND result.test = test.pk),"
		" last.id AS resultId, last.total_score AS totalScore, last.level AS level, last.completed_at AS completedAt"
		" FROM test LEFT JOIN result AS last ON last.pk ="
		" (SELECT pk FROM result WHERE result.user_pk = ?2 AND result.test = test.pk ORDER BY attempt DESC LIMIT 1) WHERE " SEEN,
};

/* ---- routes */

static void check_start(struct request *rq, struct faults *faults);
static void check_submit(struct request *rq, struct faults *faults);
static void check_save(struct request *rq, struct faults *faults);
static response_handler post_start, post_submit, patch_attempt, get_status;

static const struct route routes[] = {
	{ POST, "/proficiency-tests/{id}/start", USER, post_start, .check = check_start, .out = &started_attempt, .status = 201,
	  .writes = true, .errors = STATUSES(409), .client_limit = true, .title = "Start an attempt",
	  .note = "A test with a limit of time must be started; others may be, to save answers on the way. While the attempt is "
	  "open this returns it again, with the same order and the answers saved so far. When its time runs out, the test counts "
	  "as taken: what was saved is graded." },
	{ PATCH, "/proficiency-tests/attempts/{id}", USER, patch_attempt, .check = check_save, .in = &submit_test,
	  .out = &attempt_response, .writes = true, .errors = STATUSES(409), .title = "Save answers of an open attempt",
	  .note = "Adds to what is saved; a question that was answered before gets the new answer." },
	{ POST, "/proficiency-tests/{id}/submit", USER, post_submit, .check = check_submit, .in = &submit_test,
	  .out = &proficiency_result, .status = 201, .writes = true, .errors = STATUSES(409), .client_limit = true,
	  .title = "Submit a proficiency test",
	  .note = "These are the answers: what was saved on the way no longer counts. It ends an open attempt. A test without limit "
	  "of attempts may be begun 20 times in 24 hours; what was begun may be submitted." },
	{ GET, "/proficiency-tests/{id}/status", USER, get_status, .out = &status_response,
	  .title = "Check if user has completed the test" },
};

const struct section proficiency_taking = { routes, COUNT(routes), sql, COUNT(sql) };

/* ---- before the transaction */

/* What is read and graded before the transaction. */
struct prepared {
	const struct test_version *version;
	const char *name, *surname;	/* of the user */
	bool over;			/* the time of the open attempt has run out */
	unsigned char chosen[QUIZ_QUESTIONS_MAX];	/* in the request */
	int count;			/* of the questions */
	struct quiz_grade grade;	/* of what is submitted */
	struct buf answers;		/* the same as JSON: as values to keep until the commit it is hundreds */
};
/* clang-format on */

static const char *
copy(struct arena *arena, const char *text)
{
	return text ? arena_string(arena, text) : NULL;
}

/* Sets rq->prepared; NULL when the user may not see a test or attempt with that id. */
static void
prepare(struct request *rq, const char *statement, struct args args, struct faults *faults)
{
	struct prepared *prepared = arena_alloc(rq->arena, sizeof(*prepared));
	const struct test_version *version = NULL;
	struct db_rows *row;

	if (rq->faults.count > 0)
		return;
	if (db_one(rq->db, &row, statement, args) == DB_ROW) {
		prepared->version = version = attempt_version(rq->db, rq->arena, db_int(row, 0));
		prepared->name = copy(rq->arena, db_text(row, 1));
		prepared->surname = copy(rq->arena, db_text(row, 2));
		prepared->over = attempt_is_over(db_int(row, 3), rq->now);
	}
	db_end(row);
	rq->prepared = version ? prepared : NULL;
	if (version && rq->route->in)
		prepared->count = quiz_read(version->key, rq->in[ANSWERS], prepared->chosen, faults);
	if (prepared->over)
		proficiency_close_due(rq, rq->user->pk);
}

static void
check_start(struct request *rq, struct faults *faults)
{
	proficiency_close_due(rq, rq->user->pk);
	prepare(rq, sql[PREPARE], ARGS(rq->id, rq->user->pk, request_is_admin(rq)), faults);
}

static void
check_save(struct request *rq, struct faults *faults)
{
	prepare(rq, sql[PREPARE_OWN], ARGS(rq->id, rq->user->pk), faults);
}

static void
check_submit(struct request *rq, struct faults *faults)
{
	prepare(rq, sql[PREPARE], ARGS(rq->id, rq->user->pk, request_is_admin(rq)), faults);
	struct prepared *prepared = rq->prepared;
	if (!prepared)
		return;
	prepared->grade = quiz_grade(prepared->version->key, prepared->chosen, prepared->version->ranges);
	prepared->answers = (struct buf){ .arena = rq->arena };
	json_put_list(&prepared->answers, NULL);
	for (int i = 0; i < prepared->count && i < prepared->version->count; i++)
		quiz_put_answer(&prepared->answers, &prepared->version->questions[i], prepared->chosen[i], true);
	json_put_end_list(&prepared->answers);
}

/* ---- the state inside the transaction */

struct state {
	int64_t test, version, attempt; /* 0: none is open */
	const char *test_id, *attempt_id;
	int64_t started, deadline;		  /* 0: no limit */
	unsigned char chosen[QUIZ_QUESTIONS_MAX]; /* what is saved */
	struct value seed;
	int64_t minutes;
	bool shuffle, used_up, unlimited;
};

static bool
read_state(struct request *rq, const char *statement, struct args args, struct state *state)
{
	struct db_rows *row;
	bool there = db_one(rq->db, &row, statement, args) == DB_ROW;

	if (there) {
		*state = (struct state){ db_int(row, 0), db_int(row, 1), db_int(row, 3), arena_string(rq->arena, db_text(row, 2)),
			copy(rq->arena, db_text(row, 4)), db_int(row, 5), db_int(row, 6), .seed = db_value(row, 8),
			.minutes = db_int(row, 9), .shuffle = db_flag(row, 10), .used_up = db_flag(row, 11),
			.unlimited = db_flag(row, 12) };
		if (db_size(row, 7) > 0 && db_size(row, 7) <= sizeof(state->chosen))
			memcpy(state->chosen, db_blob(row, 7), db_size(row, 7));
	}
	db_end(row);
	return there;
}

/* The state of the user with a test. An error where there is none, or where what was prepared is of another version. */
static struct response
read_current(struct request *rq, struct state *state)
{
	const struct prepared *prepared = rq->prepared;

	if (!read_state(rq, sql[STATE], ARGS(rq->id, rq->user->pk, request_is_admin(rq)), state))
		return response_error(rq, ERROR_NOT_FOUND);
	if (!prepared || prepared->version->pk != state->version)
		return response_again(rq);
	return response_passed();
}

/* Milliseconds until the user may take that test again. */
static int64_t
daily_wait(struct request *rq, const struct state *state)
{
	const char *subject = arena_format(rq->arena, "%s %s", rq->user->id, state->test_id);

	return state->unlimited ? limit_wait(rq->db, DAILY_KIND, subject, rq->now, DAY, DAILY_MOST) : 0;
}

static void
count_daily(struct request *rq, const struct state *state)
{
	if (state->unlimited)
		limit_count(rq->db, DAILY_KIND, arena_format(rq->arena, "%s %s", rq->user->id, state->test_id), rq->now, DAY);
}

/* ---- questions without the right answers */

/* 0 to count - 1 in the next order of `seed`; in rising order without one. */
static void
order_of(uint64_t *seed, int count, unsigned char *order)
{
	if (seed) {
		quiz_shuffle(seed, count, order);
		return;
	}
	for (int i = 0; i < count; i++)
		order[i] = (unsigned char)i;
}

static void
put_raw(struct request *rq, const char *name, struct json_text text)
{
	data_raw(rq, name, text.s, text.length);
}

static void
put_question(struct request *rq, const struct quiz_question *question, int order, const unsigned char *options)
{
	data_object(rq, NULL);
	put_raw(rq, "id", question->id);
	put_raw(rq, "text", question->text);
	put_raw(rq, "points", question->points);
	put_raw(rq, "mediaUrl", question->media);
	data_int(rq, "order", order);
	data_list(rq, "options");
	for (int i = 0; i < question->options; i++) {
		data_object(rq, NULL);
		put_raw(rq, "id", question->option[options[i]].id);
		put_raw(rq, "text", question->option[options[i]].text);
		data_end_object(rq);
	}
	data_end_list(rq);
	data_end_object(rq);
}

/* 0 to count - 1, by the ids of the options. */
static void
order_by_id(const struct quiz_question *question, unsigned char *order)
{
	for (int i = 0; i < question->options; i++) {
		struct json_text id = question->option[i].id;
		int at = i;
		for (; at > 0 && memcmp(question->option[order[at - 1]].id.s, id.s, id.length) > 0; at--)
			order[at] = order[at - 1];
		order[at] = (unsigned char)i;
	}
}

void
proficiency_put_questions(struct request *rq, const char *questions, bool shuffle)
{
	unsigned char options[QUIZ_OPTIONS_MAX];
	struct quiz_question question;

	data_list(rq, "questions");
	for (int i = 0; quiz_next(&questions, &question); i++) {
		if (shuffle)
			order_by_id(&question, options);
		else
			order_of(NULL, question.options, options);
		put_question(rq, &question, i, options);
	}
	data_end_list(rq);
}

static struct response
response_attempt(struct request *rq, const struct state *state, bool with_questions)
{
	const struct test_version *version = ((const struct prepared *)rq->prepared)->version;
	const struct quiz_question *questions = version->questions;
	int count = version->count;
	uint64_t seed = (uint64_t)state->seed.integer, *shuffled = state->seed.type == VALUE_NULL ? NULL : &seed;
	unsigned char order[QUIZ_QUESTIONS_MAX], options[QUIZ_OPTIONS_MAX];

	order_of(shuffled, count, order);
	response_begin(rq);
	data_text(rq, "id", state->attempt_id);
	data_text(rq, "testId", state->test_id);
	data_time(rq, "startedAt", state->started);
	if (state->deadline)
		data_time(rq, "deadline", state->deadline);
	else
		data_null(rq, "deadline");
	data_list(rq, "answers");
	for (int i = 0; i < count; i++) {
		const struct quiz_question *question = &questions[order[i]];
		int chosen = state->chosen[order[i]];
		if (chosen == 0 || chosen > question->options)
			continue;
		data_object(rq, NULL);
		put_raw(rq, "questionId", question->id);
		put_raw(rq, "optionId", question->option[chosen - 1].id);
		data_end_object(rq);
	}
	data_end_list(rq);
	if (with_questions) {
		data_list(rq, "questions");
		for (int i = 0; i < count; i++) {
			order_of(shuffled, questions[order[i]].options, options);
			put_question(rq, &questions[order[i]], i, options);
		}
		data_end_list(rq);
	}
	return response_done(rq);
}

/* ---- starting and saving */

static void
begin_attempt(struct request *rq, struct state *state)
{
	char *id = arena_alloc(rq->arena, ID_TEXT);
	int64_t seed;

	random_id(id);
	random_bytes(&seed, sizeof(seed));
	state->attempt_id = id;
	state->started = rq->now;
	state->deadline = state->minutes ? rq->now + state->minutes * MINUTE : 0;
	state->seed = state->shuffle ? value_int(seed) : value_null();
	attempt_begin(rq->db,
		&(struct attempt){ id, rq->user->pk, state->test, state->version, rq->now, state->deadline, state->seed });
}

static struct response
post_start(struct request *rq)
{
	struct state state;
	struct response response = read_current(rq, &state);
	int64_t wait;

	if (response.error)
		return response;
	if (state.attempt && attempt_is_over(state.deadline, rq->now))
		return response_again(rq); /* check_start() closes it */
	if (!state.attempt && state.used_up)
		return response_error(rq, ERROR_ATTEMPTS_USED);
	if (!state.attempt && (wait = daily_wait(rq, &state)) > 0)
		return response_wait(rq, ERROR_TOO_MANY_SUBMISSIONS, wait);
	if (!state.attempt) {
		begin_attempt(rq, &state);
		count_daily(rq, &state);
	}
	return response_attempt(rq, &state, true);
}

/* A closed attempt has a result with its id, unless that was deleted. */
static struct response
no_attempt(struct request *rq)
{
	struct db_rows *row;
	bool result = db_one(rq->db, &row, sql[IS_RESULT], ARGS(rq->id, rq->user->pk)) == DB_ROW;

	db_end(row);
	return response_error(rq, result ? ERROR_ATTEMPT_OVER : ERROR_NOT_FOUND);
}

static struct response
patch_attempt(struct request *rq)
{
	const struct prepared *prepared = rq->prepared;
	struct state state;

	if (prepared && prepared->over)
		return response_error(rq, ERROR_ATTEMPT_OVER);
	if (!prepared || !read_state(rq, sql[OWN_STATE], ARGS(rq->id, rq->user->pk), &state))
		return no_attempt(rq);
	for (int i = 0; i < prepared->count; i++)
		if (prepared->chosen[i])
			state.chosen[i] = prepared->chosen[i];
	attempt_save(rq->db, state.attempt, state.chosen, prepared->count);
	return response_attempt(rq, &state, false);
}

/* ---- submitting */

static struct response
response_result(struct request *rq, const struct result *result, int64_t number)
{
	const struct prepared *prepared = rq->prepared;
	const struct test_version *version = prepared->version;

	response_begin(rq);
	data_text(rq, "id", result->id);
	data_object(rq, "user");
	data_text(rq, "id", rq->user->id);
	data_text(rq, "email", rq->user->email);
	data_text(rq, "name", prepared->name);
	data_text(rq, "surname", prepared->surname);
	data_end_object(rq);
	data_object(rq, "test");
	data_text(rq, "id", version->test_id);
	data_text(rq, "title", version->title);
	data_text(rq, "targetLanguage", version->language);
	data_end_object(rq);
	data_int(rq, "attempt", number);
	data_number(rq, "totalScore", result->grade.score);
	data_int(rq, "correctCount", result->grade.correct);
	data_int(rq, "questionCount", result->grade.questions);
	data_text(rq, "level", result->grade.level);
	data_time(rq, "completedAt", result->completed_at);
	data_raw(rq, "answers", prepared->answers.s, prepared->answers.length);
	return response_done(rq);
}

static struct response
post_submit(struct request *rq)
{
	const struct prepared *prepared = rq->prepared;
	struct state state;
	char id[ID_TEXT];

	if (prepared && prepared->over)
		return response_error(rq, ERROR_ATTEMPT_OVER);
	struct response response = read_current(rq, &state);
	if (response.error)
		return response;
	if (!state.attempt && (state.used_up || state.minutes))
		return response_error(rq, state.used_up ? ERROR_ATTEMPTS_USED : ERROR_NOT_STARTED);
	int64_t wait = state.attempt ? 0 : daily_wait(rq, &state);
	if (wait > 0)
		return response_wait(rq, ERROR_TOO_MANY_SUBMISSIONS, wait);
	random_id(id);
	const struct result result = { state.attempt ? state.attempt_id : id, rq->user->pk, state.test, state.version,
		prepared->version->language, rq->now, prepared->chosen, prepared->grade };
	int64_t number = attempt_record(rq->db, &result);
	if (state.attempt)
		attempt_remove(rq->db, state.attempt);
	else
		count_daily(rq, &state);
	return response_result(rq, &result, number);
}

/* ---- the status */

static struct response
get_status(struct request *rq)
{
	struct db_rows *row;

	proficiency_close_due(rq, rq->user->pk);
	if (db_one(rq->db, &row, sql[STATUS], ARGS(rq->id, rq->user->pk, request_is_admin(rq))) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	int64_t max = db_int(row, 0), attempts = db_int(row, 1);
	response_begin(rq);
	data_bool(rq, "hasCompleted", attempts > 0);
	data_int(rq, "attempts", attempts);
	if (max == 0)
		data_null(rq, "attemptsLeft");
	else
		data_int(rq, "attemptsLeft", max > attempts ? max - attempts : 0);
	if (db_is_null(row, 2))
		data_null(rq, "result");
	else
		response_put_row_object(rq, "result", &status_result, row, 2);
	db_end(row);
	return response_done(rq);
}
