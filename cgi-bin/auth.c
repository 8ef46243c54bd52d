/*
 * auth - login by a code from an e-mail, sessions, registration; and what both surfaces share.
 */
#include "auth.h"
#include "audit.h"
#include "limit.h"
#include "log.h"
#include "mail.h"
#include "otp.h"
#include "outbox.h"
#include "session.h"
#include "sql.h"
#include "token.h"
#include "user.h"
#include "utf8.h"

static const struct shape request_otp = { .name = "RequestOtpUnifiedDto", .fields = FIELDS(
	[AUTH_EMAIL] = { "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	[AUTH_LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes, .optional = true, .example = "\"tr\"", .note = "of the mail" }) };

static const struct shape otp_response = { .name = "OtpResponseDto", .fields = FIELDS(
	{ "message", FIELD_TEXT, 1, 200, .example = "\"Verification code has been sent to your email address\"" },
	{ "email", FIELD_EMAIL, .example = "\"user@example.com\"" }) };

static const struct shape verify_otp = { .name = "VerifyOtpUnifiedDto", .fields = FIELDS(
	[AUTH_EMAIL] = { "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	[AUTH_CODE] = { "code", FIELD_TEXT, 6, 6, .digits = true, .example = "\"123456\"" }) };


const struct shape auth_refresh_token = { .name = "RefreshTokenDto", .fields = FIELDS(
	[AUTH_REFRESH] = { "refreshToken", FIELD_TEXT, 16, 512, .example = "\"kq3Tn0V9x2yYb1rW5sZc8uLd4eMf7gHjAiPoQvXwBtE\"" }) };

static const struct shape auth_response = { .name = "AuthResponseDto", .fields = FIELDS(
	{ "accessToken", FIELD_TEXT, 20, 4096 },
	{ "refreshToken", FIELD_TEXT, 16, 512, .example = "\"kq3Tn0V9x2yYb1rW5sZc8uLd4eMf7gHjAiPoQvXwBtE\"" },
	{ "expiresIn", FIELD_INT, 1, .example = "3600" },
	{ "refreshExpiresIn", FIELD_INT, 1, .example = "2592000" },
	{ "isNewUser", FIELD_BOOL },
	{ "isRegistrationComplete", FIELD_BOOL },
	{ "user", FIELD_OBJECT, .of = &user_profile }) };

const struct shape auth_logout_response = { .name = "LogoutResponseDto", .fields = FIELDS(
	{ "message", FIELD_TEXT, 1, 200, .example = "\"You have been logged out\"" }) };

const struct shape auth_session_response = { .name = "SessionResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "createdAt", FIELD_TIME },
	{ "lastUsedAt", FIELD_TIME },
	{ "expiresAt", FIELD_TIME },
	{ "ip", FIELD_TEXT, 0, 45, .nullable = true, .example = "\"127.0.0.1\"" },
	{ "userAgent", FIELD_TEXT, 0, 256, .nullable = true, .example = "\"curl/7.88.1\"" },
	{ "isCurrent", FIELD_BOOL }) };

enum { NAME, SURNAME, COUNTRY_CODE, PHONE_NUMBER, BIRTH_DATE, LANGUAGE, PRIVACY_POLICY, TERMS_OF_USE, CONSENT_FORM };

static const struct shape complete_registration = { .name = "CompleteRegistrationDto", .fields = FIELDS(
	[NAME] = { "name", FIELD_TEXT, 1, 100, .example = "\"Ayşe\"" },
	[SURNAME] = { "surname", FIELD_TEXT, 1, 100, .example = "\"Yılmaz\"" },
	[COUNTRY_CODE] = { "countryCode", FIELD_TEXT, 1, 4, .digits = true, .optional = true, .example = "\"90\"" },
	[PHONE_NUMBER] = { "phoneNumber", FIELD_TEXT, 4, 15, .digits = true, .optional = true, .example = "\"5372505890\"" },
	[BIRTH_DATE] = { "birthDate", FIELD_DATE, .birth = true, .optional = true, .example = "\"1998-04-23\"" },
	[LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes, .optional = true, .example = "\"tr\"" },
	[PRIVACY_POLICY] = { "privacyPolicyAccepted", FIELD_BOOL, .must_be_true = true, .example = "true" },
	[TERMS_OF_USE] = { "termsOfUseAccepted", FIELD_BOOL, .must_be_true = true, .example = "true" },
	[CONSENT_FORM] = { "consentFormAccepted", FIELD_BOOL, .optional = true, .example = "true" }) };

static const struct shape complete_registration_response = { .name = "CompleteRegistrationResponseDto", .fields = FIELDS(
	{ "message", FIELD_TEXT, 1, 200, .example = "\"Your registration is complete\"" },
	{ "user", FIELD_OBJECT, .of = &user_profile }) };

static const struct shape registration_status = { .name = "RegistrationStatusResponseDto", .fields = FIELDS(
	{ "isRegistrationComplete", FIELD_BOOL },
	{ "missingFields", FIELD_LIST, .item = FIELD_TEXT, .example = "[\"name\",\"surname\"]" }) };

enum { USER_BY_PK, FIND_SESSION, SESSIONS, MISSING };

static const char *const sql[] = {
	[USER_BY_PK] = "SELECT " USER_PROFILE_COLUMNS " FROM users WHERE pk = ?1",
	/*
	 * ?2 now, ?3 the milliseconds of a session's life, ?4 of the grace. Where the clock was set back, by more than the second
	 * that clocks may differ, the grace is over.
	 */
	[FIND_SESSION] =
		"SELECT session.pk, session.user_pk, users.id, session.seed, session.counter,"
		" " SQL_LEAST("session.expires_at", "session.created_at + ?3") ","
		" CASE WHEN session.rotated_at <= ?2 + 1000 THEN"
		" (SELECT count(*) FROM " SQL_JSON_NUMBERS("session.recent") " WHERE value >= ?2 - ?4) ELSE 0 END, users.email"
		" FROM session JOIN users ON users.pk = session.user_pk"
		" WHERE session.id = ?1 AND session.expires_at > ?2 AND session.created_at + ?3 > ?2 AND users.is_active",
	[SESSIONS] =
		"SELECT id, created_at, last_used_at, " SQL_LEAST("expires_at", "created_at + ?4") " AS expires_at, ip,"
		" user_agent, pk = ?2 AS is_current FROM session WHERE user_pk = ?1 AND expires_at > ?3"
		" AND created_at + ?4 > ?3"
		" ORDER BY created_at DESC, pk DESC",
	[MISSING] =
		"SELECT registered_at IS NOT NULL, name IS NULL, surname IS NULL, privacy_policy_at IS NULL, terms_of_use_at IS NULL"
		" FROM users WHERE pk = ?1",
};

static struct response post_otp_request(struct request *rq);
static struct response post_otp_verify(struct request *rq);
static struct response post_refresh(struct request *rq);
static struct response post_logout(struct request *rq);
static struct response delete_session(struct request *rq);
static struct response post_registration(struct request *rq);
static struct response show_profile(struct request *rq);
static struct response get_registration(struct request *rq);

static const struct route routes[] = {
	{ POST, "/auth/otp/request", PUBLIC, post_otp_request, .in = &request_otp, .out = &otp_response, .writes = true,
	  .client_limit = true, .title = "Request OTP (Login or Register)",
	  .note = "Mails a 6-digit code. Known and unknown addresses get the same answer.",
	  .example = "{\"email\":\"user@example.com\",\"language\":\"tr\"}" },
	{ POST, "/auth/otp/verify", PUBLIC, post_otp_verify, .in = &verify_otp, .out = &auth_response, .writes = true,
	  .client_limit = true, .errors = STATUSES(403), .title = "Verify OTP (Login or Register)",
	  .note = "Gives the tokens, and makes the user when the address is new." },
	{ POST, "/auth/refresh", PUBLIC, post_refresh, .in = &auth_refresh_token, .out = &auth_response, .writes = true,
	  .errors = STATUSES(401), .title = "Token yenileme",
	  .note = "Replaces the refresh token. One that was replaced works 10 more seconds, and the last one until its successor is used: "
	  "each gives the same successor. Used later it ends the session." },
	{ POST, "/auth/logout", USER, post_logout, .out = &auth_logout_response, .writes = true, .makes_room = true, .unregistered = true,
	  .being_deleted = true, .title = "Kullanıcı çıkışı", .note = "Ends the session of the token." },
	{ GET, "/auth/sessions", USER, auth_get_sessions, .out = &auth_session_response, .out_list = true, .unregistered = true,
	  .title = "The caller's live sessions" },
	{ DELETE, "/auth/sessions/{id}", USER, delete_session, .out = &delete_response, .writes = true,
	  .unregistered = true, .title = "End one session" },
	{ POST, "/auth/registration/complete", USER, post_registration, .in = &complete_registration,
	  .out = &complete_registration_response, .writes = true, .shows = show_profile, .unregistered = true,
	  .errors = STATUSES(409), .title = "Complete registration", .note = "If-Match takes the tag of GET /me." },
	{ GET, "/auth/registration/status", USER, get_registration, .out = &registration_status, .unregistered = true,
	  .title = "Get registration status" },
};

/* ---- codes */

/* Asked for by name, else by Accept-Language, else the user's own. */
static enum language
mail_language(struct request *rq, const struct otp_caller *caller)
{
	enum language language = rq->language_asked || !caller->user ? rq->language : caller->language;

	(void)!language_of(value_string(rq->in[AUTH_LANGUAGE]), &language);
	return language;
}

struct response
auth_request_code(struct request *rq, unsigned digits, struct response (*response)(struct request *rq, const char *code))
{
	struct otp_caller caller;
	char code[10];
	int64_t wait;

	otp_caller(rq->db, rq->conf, rq->now, value_string(rq->in[AUTH_EMAIL]), rq->http.client, digits, &caller);
	enum error error = otp_request(rq->db, rq->conf, rq->arena, rq->now, &caller, mail_language(rq, &caller), code, &wait);
	if (error)
		return response_wait(rq, error, wait);
	rq->mail_queued = true;
	struct response good = response(rq, code);
	secret_wipe(code, sizeof(code));
	return good;
}

static struct response
reply_code_sent(struct request *rq, const char *code)
{
	(void)code;
	response_begin(rq);
	data_text(rq, "message", sentence(S_CODE_SENT, rq->language));
	data_text(rq, "email", value_string(rq->in[AUTH_EMAIL]));
	return response_done(rq);
}

static struct response
post_otp_request(struct request *rq)
{
	return auth_request_code(rq, 6, reply_code_sent);
}

/* ---- login */

static const char user_client[] = "user-client";

bool
auth_put_tokens(struct request *rq, const struct login *login)
{
	struct buf access = { .arena = rq->arena }, refresh = { .arena = rq->arena };

	if (!token_issue(&access, login->user_id, login->session, rq->now))
		return false;
	refresh_issue(&refresh, login->seed, login->session, login->counter);
	if (refresh.failed)
		return false;
	data_text(rq, "accessToken", access.s);
	data_text(rq, "refreshToken", refresh.s);
	data_int(rq, "expiresIn", rq->conf->access_life);
	data_int(rq, "refreshExpiresIn", (login->expires - rq->now + SECOND - 1) / SECOND);
	return true;
}

static struct response
reply_login(struct request *rq, const struct login *login)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[USER_BY_PK], ARGS(login->user)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	if (!auth_put_tokens(rq, login))
		return response_error(rq, ERROR_INTERNAL);
	data_bool(rq, "isNewUser", login->is_new);
	data_bool(rq, "isRegistrationComplete", db_flag(row, USER_COLUMN_REGISTERED));
	response_put_row_object(rq, "user", &user_profile, row, 0);
	db_end(row);
	return response_done(rq);
}

static void
open_session(struct request *rq, struct login *login)
{
	const char *agent = rq->http.user_agent;
	const struct conf *conf = rq->conf;

	if (agent && !utf8_is_valid(agent, strlen(agent)))
		agent = NULL;
	random_id(login->session);
	random_bytes(login->seed, sizeof(login->seed));
	login->expires = rq->now + SECOND * (conf->refresh_life < conf->session_life ? conf->refresh_life : conf->session_life);
	session_add(rq->db, &(struct session_new){ login->session, login->user, login->seed, login->expires, rq->http.client,
		utf8_clip(rq->arena, agent, 256) }, rq->now);
	user_set_last_login(rq->db, login->user, rq->now);
}

static void
add_user(struct request *rq, struct login *login, const char *email, enum language language)
{
	limit_count_client(rq->db, rq->conf, user_client, rq->http.client, rq->now, DAY);
	login->is_new = true;
	random_id(login->user_id);
	(void)!user_add(rq->db, &(struct user_new){ .id = login->user_id, .email = email, .language = language_code(language),
		.timezone = rq->conf->time_zone, .signup_source = value_string(login->source),
		.signup_campaign = value_string(login->campaign), .created_at = rq->now }, &login->user);
}

/* What still keeps out who has a right code. Not told to others: it says what is behind an address. */
static enum error
judge_login(struct request *rq, const struct otp_caller *caller, int64_t *wait)
{
	if (!caller->active)
		return ERROR_DEACTIVATED;
	if (caller->role >= ADMIN && caller->digits < 6)
		return ERROR_STAFF_CODE;
	*wait = caller->user ? 0 :
		limit_client(rq->db, rq->conf, user_client, rq->http.client, rq->now, DAY, rq->conf->client_users_daily);
	return *wait ? ERROR_TOO_MANY_CLIENT_USERS : ERROR_NONE;
}

bool
auth_login(struct request *rq, unsigned digits, struct login *login, struct response *refusal)
{
	enum language language = EN;
	int64_t wait = 0;
	struct otp_caller caller;

	otp_caller(rq->db, rq->conf, rq->now, value_string(rq->in[AUTH_EMAIL]), rq->http.client, digits, &caller);
	enum error error = otp_verify(rq->db, rq->conf, rq->now, &caller, value_string(rq->in[AUTH_CODE]), &language, &wait);
	if (!error)
		error = judge_login(rq, &caller, &wait);
	login->user = caller.user;
	if (error) {
		/* A try counts also where it is refused; where it has to wait nothing was written, or the code is to stay good. */
		*refusal = error_status(error) == 429 ? response_wait(rq, error, wait) : response_error_keep(rq, error);
		return false;
	}
	memcpy(login->user_id, caller.user_id, sizeof(login->user_id));
	if (!caller.user)
		add_user(rq, login, caller.email, language);
	caller.user = login->user;
	memcpy(caller.user_id, login->user_id, sizeof(caller.user_id));
	open_session(rq, login);
	otp_login(rq->db, rq->conf, rq->now, &caller);
	return true;
}

static struct response
post_otp_verify(struct request *rq)
{
	struct login login = { 0 };
	struct response refusal;

	return auth_login(rq, 6, &login, &refusal) ? reply_login(rq, &login) : refusal;
}

/* ---- refresh tokens */

enum shown_token
auth_find_token(struct request *rq, const char *token, struct login *login)
{
	unsigned char secret[MAC_BYTES];
	uint32_t shown;
	struct db_rows *row;

	rq->now = clock_now();	/* who came later may have been served first, while this request waited to write */
	*login = (struct login){ 0 };
	if (!refresh_parse(token, login->session, &shown, secret) || db_one(rq->db, &row, sql[FIND_SESSION],
	    ARGS(login->session, rq->now, rq->conf->session_life * SECOND, rq->conf->refresh_grace * SECOND)) != DB_ROW)
		return NOT_OURS;
	login->pk = db_int(row, 0);
	login->user = db_int(row, 1);
	snprintf(login->user_id, sizeof(login->user_id), "%s", db_text(row, 2));
	memcpy(login->seed, db_blob(row, 3), sizeof(login->seed));
	login->counter = (uint32_t)db_int(row, 4);
	login->expires = db_int(row, 5);
	/* The last one that was replaced always works: had its successor been used, it would not be the last one. */
	int64_t working = db_int(row, 6) > 1 ? db_int(row, 6) : 1;
	login->email = arena_string(rq->arena, db_text(row, 7));
	db_end(row);

	if (shown > login->counter || !refresh_check(login->seed, login->session, shown, secret))
		return NOT_OURS;
	if (shown == login->counter)
		return CURRENT;
	return login->counter - shown <= working ? REPLACED : SPENT;
}

/* Two parties seem to hold the tokens of the session. */
static void
end_reused(struct request *rq, const struct login *login)
{
	session_end(rq->db, login->pk);
	log_line(LOG_WARN, "session_reuse user=%s session=%s client=%s", login->user_id, login->session, rq->http.client);
	audit_add(rq->db, rq->now, &(struct audit){ login->user_id, login->email, "session.reuse", login->user_id, login->email,
		.before = login->session });
}

/* The current token is replaced; one replaced before that still works gives the same successor again. */
bool
auth_refresh(struct request *rq, struct login *login, struct response *refusal)
{
	*refusal = response_error(rq, ERROR_BAD_REFRESH);
	switch (auth_find_token(rq, value_string(rq->in[AUTH_REFRESH]), login)) {
	case CURRENT:
		return session_rotate(rq->db, rq->conf, login->pk, &login->counter, &login->expires, rq->now);
	case REPLACED:
		return true;
	case SPENT:
		end_reused(rq, login);
		refusal->commit = true;
		return false;
	case NOT_OURS:
		break;
	}
	return false;
}

static struct response
post_refresh(struct request *rq)
{
	struct login login;
	struct response refusal;

	return auth_refresh(rq, &login, &refusal) ? reply_login(rq, &login) : refusal;
}

/* ---- sessions */

static struct response
post_logout(struct request *rq)
{
	session_end(rq->db, rq->user->session);
	return response_message(rq, S_LOGGED_OUT);
}

struct response
auth_get_sessions(struct request *rq)
{
	return response_rows(rq, sql[SESSIONS], ARGS(rq->user->pk, rq->user->session, rq->now,
		rq->conf->session_life * SECOND), &auth_session_response);
}

static struct response
delete_session(struct request *rq)
{
	if (!session_end_own(rq->db, rq->user->pk, rq->id, rq->now))
		return response_error(rq, ERROR_NOT_FOUND);
	return response_deleted(rq, S_SESSION_ENDED, rq->id);
}

/* ---- registration */

static struct response
show_profile(struct request *rq)
{
	return response_row(rq, sql[USER_BY_PK], ARGS(rq->user->pk), &user_profile);
}

static struct response
post_registration(struct request *rq)
{
	const struct value *in = rq->in;
	const struct user_registration registration = {
		value_string(in[NAME]), value_string(in[SURNAME]), value_string(in[COUNTRY_CODE]), value_string(in[PHONE_NUMBER]),
		value_string(in[BIRTH_DATE]), value_string(in[LANGUAGE]),
		rq->conf->privacy_policy_version, rq->conf->terms_of_use_version,
		value_truth(in[CONSENT_FORM], false) ? rq->conf->consent_form_version : NULL };
	struct db_rows *row;

	if (!user_register(rq->db, rq->user->pk, &registration, rq->now))
		return response_error(rq, ERROR_ALREADY_REGISTERED);
	if (db_one(rq->db, &row, sql[USER_BY_PK], ARGS(rq->user->pk)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	data_text(rq, "message", sentence(S_REGISTERED, rq->language));
	response_put_row_object(rq, "user", &user_profile, row, 0);
	db_end(row);
	return response_done(rq);
}

static struct response
get_registration(struct request *rq)
{
	static const char *const fields[] = { "name", "surname", "privacyPolicyAccepted", "termsOfUseAccepted" };
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[MISSING], ARGS(rq->user->pk)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	data_bool(rq, "isRegistrationComplete", db_flag(row, 0));
	data_list(rq, "missingFields");
	for (int i = 0; i < (int)COUNT(fields) && !db_flag(row, 0); i++)
		if (db_flag(row, i + 1))
			data_text(rq, NULL, fields[i]);
	data_end_list(rq);
	db_end(row);
	return response_done(rq);
}

const struct section auth_unified = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = {
	"auth", "Login by a code from an e-mail, sessions, registration", SECTIONS(&auth_unified, &auth_v1),
	.statements = STATEMENTS(&audit_statements, &limit_statements, &otp_statements, &outbox_statements,
		&session_statements, &user_statements),
	.start = token_init, .authenticate = session_authenticate, .mail_wake = mail_wake };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
