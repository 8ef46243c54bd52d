/* settings - what the school's web site reads: a key and any JSON. */
#include "app.h"
#include "audit.h"
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

enum { VALUE_OF, ONE };

static const char *const sql[] = {
	[VALUE_OF] = "SELECT key, value FROM setting WHERE key = ?1 AND (is_public OR ?2)",
	[ONE] = "SELECT id, key, value, description, is_public, created_at, updated_at"
		" FROM setting WHERE key = ?1",
};

static response_handler get_setting, post_setting, show_posted;

static const struct route routes[] = {
	{ GET, "/settings/{key}", PUBLIC, get_setting, .out = &setting_value, .title = "Get setting by key",
	  .more_by_token = true, .note = "A setting that is not public is 404 for all but admins." },
	{ POST, "/settings", ADMIN, post_setting, .in = &upsert_setting, .out = &setting_response, .writes = true,
	  .shows = show_posted, .title = "Create or update a setting (Admin)",
	  .note = "Adds the setting, or changes the one of that key; updatedAt moves only where something changed. If-Match takes the "
	  "tag of GET /settings/{key}; where there is no setting of that key yet, the response is 412.",
	  .example = "{\"key\":\"home.title\",\"value\":{\"tr\":\"Hoş geldiniz\",\"en\":\"Welcome\"}}" },
};
/* clang-format on */

static struct response
get_setting(struct request *rq)
{
	if (strlen(rq->id) > SETTING_KEY_MAX)
		faults_add(&rq->faults, "key", S_F_LONG, "100");
	else if (!text_is_key(rq->id))
		faults_add(&rq->faults, "key", S_F_KEY, NULL);
	if (rq->faults.count > 0)
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

static const struct section own = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "settings", "What the web site reads", SECTIONS(&own),
	.statements = STATEMENTS(&audit_statements, &session_statements, &setting_statements), .start = token_init,
	.authenticate = session_authenticate };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
