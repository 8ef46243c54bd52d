/*
 * users - a copy of all data about the caller. It selects from the tables of other groups itself; their code is not linked.
 */
#include "link.h"
#include "quiz.h"
#include "session.h"
#include "users.h"

/* clang-format off */
static const char *const request_states[] = { "PENDING", "REPLIED", NULL };

/* All fields of a user that clients of the second seed know. */
static const struct shape user_document = { .name = "UserDocument", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &user_v1 }) };

/* The part of a shape that is read from columns. */
static const struct shape result_columns = { .name = "ResultColumns", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "testId", FIELD_ID },
	{ "testTitle", FIELD_TEXT, 1, 200 },
	{ "targetLanguage", FIELD_TEXT, 2, 8 },
	{ "attempt", FIELD_INT, 1 },
	{ "totalScore", FIELD_NUMBER },
	{ "correctCount", FIELD_INT },
	{ "questionCount", FIELD_INT, 1 },
	{ "level", FIELD_ENUM, .oneof = level_enum },
	{ "completedAt", FIELD_TIME }) };

static const struct shape attempt_columns = { .name = "AttemptColumns", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "testId", FIELD_ID },
	{ "testTitle", FIELD_TEXT, 1, 200 },
	{ "startedAt", FIELD_TIME },
	{ "deadline", FIELD_TIME, .nullable = true }) };

static const struct shape export_event = { .name = "AccountEventDto", .fields = FIELDS(
	{ "kind", FIELD_TEXT, 1, 100, .example = "\"code-email\"", .note = "what was counted towards a limit" },
	{ "at", FIELD_TIME }) };

static const struct shape export_change = { .name = "AccountChangeDto", .fields = FIELDS(
	{ "at", FIELD_TIME },
	{ "action", FIELD_TEXT, 1, 100, .example = "\"user.role\"" },
	{ "before", FIELD_TEXT, .nullable = true },
	{ "after", FIELD_TEXT, .nullable = true }) };

static const struct shape export_session = { .name = "AccountSessionDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "createdAt", FIELD_TIME },
	{ "lastUsedAt", FIELD_TIME },
	{ "expiresAt", FIELD_TIME },
	{ "ip", FIELD_TEXT, 0, 45, .nullable = true, .example = "\"127.0.0.1\"" },
	{ "userAgent", FIELD_TEXT, 0, 256, .nullable = true, .example = "\"curl/7.88.1\"" }) };

static const struct shape export_mail = { .name = "AccountMailDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "template", FIELD_TEXT, 1, 100, .example = "\"login-code\"" },
	{ "createdAt", FIELD_TIME },
	{ "attempts", FIELD_INT }) };

static const struct shape export_consent = { .name = "AccountConsentDto", .fields = FIELDS(
	{ "text", FIELD_TEXT, 1, 100, .example = "\"privacyPolicy\"" },
	{ "version", FIELD_TEXT, 0, 20, .nullable = true, .example = "\"1.2.0\"" },
	{ "acceptedAt", FIELD_TIME }) };

static const struct shape export_code = { .name = "AccountCodeDto", .fields = FIELDS(
	{ "createdAt", FIELD_TIME },
	{ "expiresAt", FIELD_TIME },
	{ "language", FIELD_ENUM, .oneof = language_codes },
	{ "tries", FIELD_INT, .note = "wrong ones" },
	{ "isUsed", FIELD_BOOL }) };

static const struct shape export_choice = { .name = "AccountChoiceDto", .fields = FIELDS(
	{ "questionId", FIELD_ID },
	{ "questionText", FIELD_TEXT, 1, 4000 },
	{ "optionId", FIELD_ID },
	{ "optionText", FIELD_TEXT, 1, 1000 }) };

static const struct shape export_answer = { .name = "AccountAnswerDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &export_choice },
	{ "isCorrect", FIELD_BOOL },
	{ "points", FIELD_NUMBER, .note = "won" }) };

static const struct shape export_result = { .name = "AccountResultDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &result_columns },
	{ "answers", FIELD_LIST, .of = &export_answer, .note = "those that were given, in the order of the test" }) };

static const struct shape export_attempt = { .name = "AccountAttemptDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &attempt_columns },
	{ "answers", FIELD_LIST, .of = &export_choice, .note = "those that were saved" }) };

static const struct shape export_file = { .name = "AccountFileDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "key", FIELD_TEXT, 1, 200 },
	{ "fileName", FIELD_TEXT, 1, 255 },
	{ "mimeType", FIELD_TEXT, 3, 127 },
	{ "size", FIELD_INT },
	{ "sha256", FIELD_TEXT, 64, 64 },
	{ "isPublic", FIELD_BOOL },
	{ "createdAt", FIELD_TIME },
	{ "url", FIELD_URL, .note = "of a private file good for 15 minutes" }) };

static const struct shape export_material = { .name = "AccountMaterialDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "title", FIELD_TEXT, 1, 200 },
	{ "assignedAt", FIELD_TIME },
	{ "openedAt", FIELD_TIME, .nullable = true },
	{ "note", FIELD_TEXT, 0, 1000, .nullable = true }) };

static const struct shape export_assignment = { .name = "AccountAssignmentDto", .fields = FIELDS(
	{ "materialId", FIELD_ID },
	{ "title", FIELD_TEXT, 1, 200 },
	{ "assignedAt", FIELD_TIME },
	{ "note", FIELD_TEXT, 0, 1000, .nullable = true },
	{ "users", FIELD_INT, 1, .note = "to how many" }) };

static const struct shape export_request = { .name = "AccountRequestDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "fullName", FIELD_TEXT, 1, 200 },
	{ "phoneNumber", FIELD_TEXT, 0, 20, .nullable = true },
	{ "subject", FIELD_TEXT, 0, 200, .nullable = true },
	{ "message", FIELD_TEXT, 1, 5000 },
	{ "source", FIELD_TEXT, 0, 64, .nullable = true },
	{ "language", FIELD_ENUM, .oneof = language_codes },
	{ "status", FIELD_ENUM, .oneof = request_states },
	{ "reply", FIELD_TEXT, 1, 10000, .nullable = true },
	{ "repliedAt", FIELD_TIME, .nullable = true },
	{ "createdAt", FIELD_TIME }) };

static const struct shape export = { .name = "AccountExportDto", .fields = FIELDS(
	{ "generatedAt", FIELD_TIME },
	{ "profile", FIELD_OBJECT, .of = &user_profile },
	{ "account", FIELD_OBJECT, .of = &user_document },
	{ "registeredAt", FIELD_TIME, .nullable = true },
	{ "consents", FIELD_LIST, .of = &export_consent },
	{ "sessions", FIELD_LIST, .of = &export_session },
	{ "changes", FIELD_LIST, .of = &export_change, .note = "what was changed on the account, and by the account on others" },
	{ "events", FIELD_LIST, .of = &export_event },
	{ "loginCodes", FIELD_LIST, .of = &export_code },
	{ "waitingMails", FIELD_LIST, .of = &export_mail },
	{ "results", FIELD_LIST, .of = &export_result },
	{ "attempts", FIELD_LIST, .of = &export_attempt, .note = "open ones" },
	{ "files", FIELD_LIST, .of = &export_file },
	{ "materials", FIELD_LIST, .of = &export_material, .note = "that were assigned to the account" },
	{ "assignments", FIELD_LIST, .of = &export_assignment, .note = "that the account made" },
	{ "contactRequests", FIELD_LIST, .of = &export_request, .note = "that came from the account's address" }) };

enum { ACCOUNT, CONSENTS, SESSIONS, CHANGES, EVENTS, CODES, MAILS, RESULTS, ATTEMPTS, FILES, MATERIALS, ASSIGNMENTS, REQUESTS };

#define CONSENT(text, column) \
	"SELECT '" text "' AS text, " column "_version AS version, " column "_at AS accepted_at" \
	" FROM users WHERE pk = ?1 AND " column "_at IS NOT NULL"

static const char *const sql[] = {
	[ACCOUNT] = "SELECT registered_at, " USER_V1_COLUMNS " FROM users WHERE pk = ?1",
	[CONSENTS] =
		CONSENT("privacyPolicy", "privacy_policy") " UNION ALL " CONSENT("termsOfUse", "terms_of_use") " UNION ALL "
		CONSENT("consentForm", "consent_form"),
	[SESSIONS] =
		"SELECT id, created_at, last_used_at, expires_at, ip, user_agent FROM session"
		" WHERE user_pk = ?1 ORDER BY pk",
	[CHANGES] =
		"SELECT at, action, before, after FROM (SELECT pk, at, action, before, after FROM audit WHERE subject_id = ?1"
		" UNION ALL SELECT pk, at, action, NULL, NULL FROM audit WHERE actor_id = ?1 AND subject_id <> ?1) AS change"
		" ORDER BY at, pk",
	[EVENTS] =
		"SELECT kind, at FROM event WHERE (kind IN ('code-email', 'wrong-email', 'wrong-short')"
		" AND subject >= okul_mailbox(?1) AND subject < okul_mailbox(?1) || '!')"
		" OR (kind IN ('submit', 'file-gone') AND subject BETWEEN ?2 AND ?2 || '~') ORDER BY at, kind",
	[MAILS] = "SELECT id, template, created_at, attempts FROM outbox WHERE recipient = ?1 ORDER BY pk",
	[CODES] =
		"SELECT created_at, expires_at, language, tries + strange_tries AS tries, used AS is_used"
		" FROM login_code WHERE email = ?1 ORDER BY created_at, network",
	/* Ordered before the join: sorting the questions of all results might not fit into memory. */
	[RESULTS] =
		"SELECT result.id, version.test_id, version.title AS test_title, result.target_language,"
		" result.attempt, result.total_score, result.correct_count, result.question_count, result.level,"
		" result.completed_at, version.questions, result.chosen FROM (SELECT pk AS found FROM result"
		" WHERE user_pk = ?1 ORDER BY pk LIMIT 9223372036854775807) AS page"
		SQL_JOIN "result ON result.pk = found" SQL_JOIN "test_version AS version ON version.pk = result.version"
		SQL_KEEP_ORDER("found"),
	[ATTEMPTS] =
		"SELECT attempt.id, version.test_id, version.title AS test_title, attempt.started_at, attempt.deadline,"
		" version.questions, attempt.chosen FROM attempt"
		SQL_JOIN "test_version AS version ON version.pk = attempt.version WHERE attempt.user_pk = ?1 ORDER BY attempt.pk",
	[FILES] =
		"SELECT id, key, name AS file_name, mime AS mime_type, size, sha256, is_public, created_at"
		" FROM file WHERE owner = ?1 ORDER BY pk",
	[MATERIALS] =
		"SELECT material.id, material.title, assignment.assigned_at, assignment.opened_at, assignment.note"
		" FROM assignment"
		SQL_JOIN "material ON material.pk = assignment.material WHERE assignment.user_pk = ?1 ORDER BY assignment.pk",
	[ASSIGNMENTS] =
		"SELECT material.id AS material_id, material.title, assignment.assigned_at, assignment.note,"
		" count(*) AS users FROM assignment"
		SQL_JOIN "material ON material.pk = assignment.material WHERE assignment.assigned_by = ?1"
		" GROUP BY assignment.assigned_at, assignment.material, assignment.note, material.id, material.title"
		" ORDER BY assignment.assigned_at, assignment.material, coalesce(assignment.note, '')",
	[REQUESTS] =
		"SELECT id, full_name, phone_number, subject, message, source, language, status, reply, replied_at,"
		" created_at FROM contact WHERE email = ?1 ORDER BY pk",
};

static const char *const formats[] = { "json", NULL };

static const struct shape export_query = { .name = "AccountExportQuery", .fields = FIELDS(
	{ "format", FIELD_ENUM, .oneof = formats, .optional = true, .note = "the one that there is" }) };

static struct response get_export(struct request *rq);

static const struct route routes[] = {
	{ GET, "/me/export", USER, get_export, .query = &export_query, .out = &export, .no_store = true, .unregistered = true, .being_deleted = true,
	  .title = "Everything stored about the caller",
	  .note = "A copy of one's data (GDPR, article 15): account, sessions, results, files, materials, questions." },
};

const struct section users_export = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

/* "answers" to stored questions; `chosen` has a byte for each. */
static void
put_answers(struct request *rq, const char *questions, const unsigned char *chosen, size_t length, bool graded)
{
	struct quiz_question question;

	data_list(rq, "answers");
	for (size_t i = 0; i < length && quiz_next(&questions, &question); i++)
		quiz_put_answer(rq->out, &question, chosen[i], graded);
	data_end_list(rq);
}

/* Rows of `shape` with answers: after its columns come the questions and the chosen options. */
static void
put_answered(struct request *rq, const char *name, const char *rows, const struct shape *shape, bool graded)
{
	struct db_rows *row;

	data_list(rq, name);
	for (enum db_rc rc = db_one(rq->db, &row, rows, ARGS(rq->user->pk)); rc == DB_ROW && !rq->out->failed;
		rc = db_next(row)) {
		data_object(rq, NULL);
		int next = response_put_row(rq, shape, row, 0);
		put_answers(rq, db_text(row, next), db_blob(row, next + 1), db_size(row, next + 1), graded);
		data_end_object(rq);
	}
	db_end(row);
	data_end_list(rq);
}

static void
put_files(struct request *rq)
{
	struct db_rows *row;

	data_list(rq, "files");
	for (enum db_rc rc = db_one(rq->db, &row, sql[FILES], ARGS(rq->user->pk)); rc == DB_ROW; rc = db_next(row)) {
		data_object(rq, NULL);
		data_text(rq, "id", db_text(row, 0));
		data_text(rq, "key", db_text(row, 1));
		data_text(rq, "fileName", link_file_name(rq->arena, db_text(row, 2), media_of_mime(db_text(row, 3))));
		data_text(rq, "mimeType", db_text(row, 3));
		data_int(rq, "size", db_int(row, 4));
		data_text(rq, "sha256", db_text(row, 5));
		data_bool(rq, "isPublic", db_flag(row, 6));
		data_time(rq, "createdAt", db_int(row, 7));
		data_text(rq, "url", link_url(rq->arena, rq->conf, db_text(row, 1), db_flag(row, 6), NULL, rq->now));
		data_end_object(rq);
	}
	db_end(row);
	data_end_list(rq);
}

static void
put_account(struct request *rq, const struct db_rows *row)
{
	data_time(rq, "generatedAt", rq->now);
	response_put_row_object(rq, "profile", &user_profile, rq->user->row, SESSION_ROW_PROFILE);
	response_put_row_object(rq, "account", &user_document, row, 1);
	if (db_is_null(row, 0))
		data_null(rq, "registeredAt");
	else
		data_time(rq, "registeredAt", db_int(row, 0));
}

static struct response
get_export(struct request *rq)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[ACCOUNT], ARGS(rq->user->pk)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	put_account(rq, row);
	db_end(row);
	response_put_rows(rq, "consents", sql[CONSENTS], ARGS(rq->user->pk), &export_consent);
	response_put_rows(rq, "sessions", sql[SESSIONS], ARGS(rq->user->pk), &export_session);
	response_put_rows(rq, "changes", sql[CHANGES], ARGS(rq->user->id), &export_change);
	response_put_rows(rq, "events", sql[EVENTS], ARGS(rq->user->email, rq->user->id), &export_event);
	response_put_rows(rq, "loginCodes", sql[CODES], ARGS(rq->user->email), &export_code);
	response_put_rows(rq, "waitingMails", sql[MAILS], ARGS(rq->user->email), &export_mail);
	put_answered(rq, "results", sql[RESULTS], &result_columns, true);
	put_answered(rq, "attempts", sql[ATTEMPTS], &attempt_columns, false);
	put_files(rq);
	response_put_rows(rq, "materials", sql[MATERIALS], ARGS(rq->user->pk), &export_material);
	response_put_rows(rq, "assignments", sql[ASSIGNMENTS], ARGS(rq->user->pk), &export_assignment);
	response_put_rows(rq, "contactRequests", sql[REQUESTS], ARGS(rq->user->email), &export_request);
	return response_done(rq);
}
