/* settings - what the school's web site reads: a key and any JSON. */
#include "app.h"
#include "audit.h"
#include "page.h"
#include "session.h"
#include "setting.h"
#include "text.h"
#include "token.h"

/* clang-format off */
enum { KEY, CONTENT, DESCRIPTION, VISIBLE };

static const struct shape upsert_setting = { .name = "UpsertSettingDto", .fields = FIELDS(
	[KEY] = { "key", FIELD_TEXT, 1, SETTING_KEY_MAX, .key = true, .example = "\"home.title\"" },
	[CONTENT] = { "value", FIELD_JSON, .max = SETTING_VALUE_MAX, .note = "any JSON, null too, kept as it comes; at most 64 KiB as text",
	  .example = "{\"tr\":\"Hoş geldiniz\",\"en\":\"Welcome\"}" },
	[DESCRIPTION] = { "description", FIELD_TEXT, 0, SETTING_DESCRIPTION_MAX, .lines = true, .optional = true, .nullable = true,
	  .note = "stays as it is where it is left out", .example = "\"Title of the home page\"" },
	[VISIBLE] = { "isPublic", FIELD_BOOL, .optional = true, .note = "stays as it is where it is left out; true for a new setting" }) };

static const struct shape setting_value = { .name = "SettingValueResponseDto", .fields = FIELDS(
	{ "key", FIELD_TEXT, 1, SETTING_KEY_MAX, .key = true, .example = "\"home.title\"" },
	{ "value", FIELD_JSON, .example = "{\"tr\":\"Hoş geldiniz\",\"en\":\"Welcome\"}" }) };

static const struct shape setting_response = { .name = "SettingResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "key", FIELD_TEXT, 1, SETTING_KEY_MAX, .key = true, .example = "\"home.title\"" },
	{ "value", FIELD_JSON, .example = "{\"tr\":\"Hoş geldiniz\",\"en\":\"Welcome\"}" },
	{ "description", FIELD_TEXT, 0, SETTING_DESCRIPTION_MAX, .nullable = true },
	{ "isPublic", FIELD_BOOL },
	{ "createdAt", FIELD_TIME },
	{ "updatedAt", FIELD_TIME }) };

static const struct shape setting_version = { .name = "SettingVersionResponseDto", .fields = FIELDS(
	{ "version", FIELD_INT, 1, .note = "counts up for each setting" },
	{ "value", FIELD_JSON, .example = "{\"tr\":\"Hoş geldiniz\",\"en\":\"Welcome\"}" },
	{ "description", FIELD_TEXT, 0, SETTING_DESCRIPTION_MAX, .nullable = true },
	{ "isPublic", FIELD_BOOL },
	{ "changedAt", FIELD_TIME },
	{ "actorId", FIELD_ID, .nullable = true, .note = "null: the operator, by okulctl" },
	{ "actorEmail", FIELD_EMAIL, .nullable = true, .note = "as it was then" }) };

enum { VALUE_OF, ONE, LIST, LIST_COUNT, VERSIONS, VERSION_COUNT };

static const char *const sql[] = {
	[VALUE_OF] = "SELECT key, value FROM setting WHERE key = ?1 AND (is_public OR ?2)",
	[ONE] = "SELECT id, key, value, description, is_public, created_at, updated_at"
		" FROM setting WHERE key = ?1",
	[LIST] = "SELECT id, key, value, description, is_public, created_at, updated_at FROM setting ORDER BY key LIMIT ?1 OFFSET ?2"
		" /* scans: setting */",
	[LIST_COUNT] = "SELECT count(*) FROM setting /* scans: setting */",
	[VERSIONS] = "SELECT version, value, description, is_public, at AS changed_at, actor_id, actor_email FROM setting_version WHERE key = ?1"
		" ORDER BY version DESC LIMIT ?2 OFFSET ?3",
	[VERSION_COUNT] = "SELECT count(*) FROM setting_version WHERE key = ?1",
};

static response_handler get_setting, post_setting, show_posted, get_settings, get_history;

static const struct route routes[] = {
	{ GET, "/settings/{key}", PUBLIC, get_setting, .out = &setting_value, .title = "Get setting by key",
	  .more_by_token = true, .note = "A setting that is not public is 404 for all but admins." },
	{ POST, "/settings", ADMIN, post_setting, .in = &upsert_setting, .out = &setting_response, .writes = true,
	  .shows = show_posted, .title = "Create or update a setting (Admin)",
	  .note = "Adds the setting, or changes the one of that key; updatedAt moves only where something changed. If-Match takes the "
	  "tag of GET /settings/{key}; where there is no setting of that key yet, the response is 412.",
	  .example = "{\"key\":\"home.title\",\"value\":{\"tr\":\"Hoş geldiniz\",\"en\":\"Welcome\"}}" },
	{ GET, "/settings", ADMIN, get_settings, .query = &page_query, .out = &setting_response, .out_page = true,
	  .title = "List settings (Admin)", .note = "By key." },
	{ GET, "/settings/{key}/history", ADMIN, get_history, .query = &page_query, .out = &setting_version, .out_page = true,
	  .title = "All versions of a setting (Admin)", .note = "The current one first. To restore one, send it with POST /settings." },
};
/* clang-format on */

/* Adds what is wrong with the key in the path. */
static bool
is_good_key(struct request *rq)
{
	if (strlen(rq->id) > SETTING_KEY_MAX)
		faults_add(&rq->faults, "key", S_F_LONG, "100");
	else if (!text_is_key(rq->id))
		faults_add(&rq->faults, "key", S_F_KEY, NULL);
	return rq->faults.count == 0;
}

static struct response
get_setting(struct request *rq)
{
	if (!is_good_key(rq))
		return response_error(rq, ERROR_BAD_FIELDS);
	return response_row(rq, sql[VALUE_OF], ARGS(rq->id, request_is_admin(rq)), &setting_value);
}

static struct response
show_posted(struct request *rq)
{
	return response_row(rq, sql[VALUE_OF], ARGS(rq->in[KEY], true), &setting_value);
}

static struct response
post_setting(struct request *rq)
{
	const struct value *in = rq->in;
	const struct setting setting = {
		.key = value_string(in[KEY]),
		.value = value_string(in[CONTENT]),
		.describes = in[DESCRIPTION].named,
		.description = value_string(in[DESCRIPTION]),
		.access = !in[VISIBLE].named		 ? AS_IT_IS
			: value_truth(in[VISIBLE], true) ? IS_PUBLIC
							 : IS_PRIVATE,
		.actor_id = rq->user->id,
		.actor_email = rq->user->email,
	};

	setting_put(rq->db, rq->now, &setting);
	return response_row(rq, sql[ONE], ARGS(setting.key), &setting_response);
}

static struct response
get_settings(struct request *rq)
{
	return response_list(rq, sql[LIST_COUNT], sql[LIST], NO_ARGS, &setting_response);
}

static struct response
get_history(struct request *rq)
{
	struct db_rows *row;

	if (!is_good_key(rq))
		return response_error(rq, ERROR_BAD_FIELDS);
	bool there = db_one(rq->db, &row, sql[ONE], ARGS(rq->id)) == DB_ROW;
	db_end(row);
	if (!there)
		return response_error(rq, ERROR_NOT_FOUND);
	return response_list(rq, sql[VERSION_COUNT], sql[VERSIONS], ARGS(rq->id), &setting_version);
}

static const struct section own = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "settings", "What the web site reads", SECTIONS(&own),
	.statements = STATEMENTS(&audit_statements, &session_statements, &setting_statements), .start = token_init,
	.authenticate = session_authenticate };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
