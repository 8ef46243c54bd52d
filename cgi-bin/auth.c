/* auth - login by a code from an e-mail, sessions, registration; and what both surfaces share. */
#include "auth.h"
#include "audit.h"
#include "limit.h"
#include "log.h"
#include "mail.h"
#include "session.h"
#include "setup.h"
#include "sql.h"
#include "user.h"
#include "utf8.h"

/* clang-format off */
static const struct shape request_otp = { .name = "RequestOtpUnifiedDto", .fields = FIELDS(
	[AUTH_EMAIL] = { "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	[AUTH_LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes, .optional = true, .example = "\"tr\"",
		.note = "of the mail" }) };

static const struct shape otp_response = { .name = "OtpResponseDto", .fields = FIELDS(
	{ "message", FIELD_TEXT, 1, 200, .example = "\"Verification code has been sent to your email address\"" },
	{ "email", FIELD_EMAIL, .example = "\"user@example.com\"" }) };

static const struct shape verify_otp = { .name = "VerifyOtpUnifiedDto", .fields = FIELDS(
	[AUTH_EMAIL] = { "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	[AUTH_CODE] = { "code", FIELD_TEXT, 6, 6, .digits = true, .example = "\"123456\"" }) };

const struct shape auth_refresh_token = { .name = "RefreshTokenDto", .fields = FIELDS(
	[AUTH_REFRESH] = { "refreshToken", FIELD_TEXT, 16, 512, .example = "\"kq3Tn0V9x2yYb1rW5sZc8uLd4eMf7gHjAiPoQvXwBtE\"" }) };

const struct shape auth_tokens = { .name = "TokensV1ResponseDto", .fields = FIELDS(
	{ "accessToken", FIELD_TEXT, 20, 4096 },
	{ "refreshToken", FIELD_TEXT, 16, 512, .example = "\"kq3Tn0V9x2yYb1rW5sZc8uLd4eMf7gHjAiPoQvXwBtE\"" },
	{ "expiresIn", FIELD_INT, 1, .example = "3600" },
	{ "refreshExpiresIn", FIELD_INT, 1, .example = "2592000" }) };

const struct shape auth_login_response = { .name = "AuthResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &auth_tokens },
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
	/* ?2 now, ?3 a session's life, ?4 the grace period, which is over where the clock was set back by more than 1 s. */
	[FIND_SESSION] =
		"SELECT session.pk, session.user_pk, users.id, session.seed, session.counter,"
		" " SQL_LEAST("session.expires_at", "session.created_at + ?3") ","
		" CASE WHEN session.rotated_at <= CAST(?2 AS BIGINT) + 1000 THEN"
		" (SELECT count(*) FROM " SQL_JSON_NUMBERS("session.recent") " WHERE value >= CAST(?2 AS BIGINT) - CAST(?4 AS BIGINT)) ELSE 0 END, users.email"
		" FROM session JOIN users ON users.pk = session.user_pk"
		" WHERE session.id = ?1 AND session.expires_at > ?2 AND session.created_at + ?3 > ?2 AND users.is_active",
	[SESSIONS] =
		"SELECT id, created_at, last_used_at, " SQL_LEAST("expires_at", "created_at + ?4") " AS expires_at, ip,"
		" user_agent, pk = ?2 AS is_current FROM session WHERE user_pk = ?1 AND expires_at > ?3"
		" AND created_at + ?4 > ?3"
		" ORDER BY created_at DESC, pk DESC",
	[MISSING] =
		"SELECT registered_at IS NOT NULL, name IS NULL, surname IS NULL, privacy_policy_at IS NULL,"
		" terms_of_use_at IS NULL FROM users WHERE pk = ?1",
};

static void check_otp_request(struct request *rq, struct faults *faults);
static response_handler post_otp_request, post_otp_verify, post_refresh, post_logout, delete_session,
	post_registration, show_profile, get_registration;

static const struct route routes[] = {
	{ POST, "/auth/otp/request", PUBLIC, post_otp_request, .check = check_otp_request, .in = &request_otp,
	  .out = &otp_response, .writes = true, .client_limit = true, .title = "Request OTP (Login or Register)",
	  .note = "Mails a 6-digit code. Known and unknown addresses get the same response.",
	  .example = "{\"email\":\"user@example.com\",\"language\":\"tr\"}" },
	{ POST, "/auth/otp/verify", PUBLIC, post_otp_verify, .check = auth_check_login, .in = &verify_otp,
	  .out = &auth_login_response, .writes = true, .client_limit = true, .errors = STATUSES(403),
	  .title = "Verify OTP (Login or Register)",
	  .note = "Returns the tokens, and creates the user when the address is new." },
	{ POST, "/auth/refresh", PUBLIC, post_refresh, .check = auth_check_refresh, .in = &auth_refresh_token,
	  .out = &auth_login_response, .writes = true, .errors = STATUSES(401), .title = "Token yenileme",
	  .note = "Replaces the refresh token. One that was replaced works 10 more seconds, and the last one until its "
	  "successor is used: each returns the same successor. Used later it ends the session." },
	{ POST, "/auth/logout", USER, post_logout, .out = &auth_logout_response, .writes = true, .makes_room = true,
	  .unregistered = true, .being_deleted = true, .title = "Kullanıcı çıkışı", .note = "Ends the session of the token." },
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
/* clang-format on */

/* ---- codes: .check draws a code, computes its MAC and seals its mail */

/* The language of the body, else of Accept-Language, else the user's own. */
static enum language
mail_language(struct request *rq, const struct otp_caller *caller)
{
	enum language language = rq->language_asked || !caller->user ? rq->language : caller->language;

	(void)!language_of(value_string(rq->in[AUTH_LANGUAGE]), &language);
	return language;
}

static void
prepare_caller(struct request *rq, struct otp_caller *caller, const char *code)
{
	*caller = (struct otp_caller){ rq->db, rq->conf, rq->now, value_string(rq->in[AUTH_EMAIL]), rq->http.client, code };
	otp_prepare(caller);
}

void
auth_prepare_code(struct request *rq, unsigned digits)
{
	struct login *login = rq->prepared = arena_alloc(rq->arena, sizeof(*login));

	if (rq->faults.count > 0)
		return;
	random_digits(login->code, digits);
	prepare_caller(rq, &login->caller, login->code);
	login->mail = otp_mail(&login->caller, rq->arena, mail_language(rq, &login->caller));
}

struct response
auth_request_code(struct request *rq, struct response (*respond)(struct request *rq, const char *code))
{
	struct login *login = rq->prepared;

	if (!otp_find(&login->caller))
		return response_again(rq);
	struct otp_result result = otp_request(&login->caller, &login->mail);
	rq->mail_queued = !result.error;
	struct response response = result.error ? response_wait(rq, result.error, result.wait) : respond(rq, login->code);
	secret_wipe(login->code, sizeof(login->code));
	return response;
}

static struct response
code_response(struct request *rq, const char *code)
{
	(void)code;
	response_begin(rq);
	data_text(rq, "message", sentence(S_CODE_SENT, rq->language));
	data_text(rq, "email", value_string(rq->in[AUTH_EMAIL]));
	return response_done(rq);
}

static void
check_otp_request(struct request *rq, struct faults *faults)
{
	(void)faults;
	auth_prepare_code(rq, 6);
}

static struct response
post_otp_request(struct request *rq)
{
	return auth_request_code(rq, code_response);
}

/* ---- login */

static const char user_client[] = "user-client";

static void
write_refresh_token(struct request *rq, const char *name, const void *facts)
{
	const struct login *login = *(const struct login *const *)facts;
	char token[REFRESH_TEXT];

	refresh_issue(token, login->seed, login->session, login->counter);
	data_text(rq, name, token);
	secret_wipe(token, sizeof(token));
}

void
auth_put_tokens(struct request *rq, const struct login *login)
{
	data_text(rq, "accessToken", login->access_token);
	data_later(rq, "refreshToken", write_refresh_token, &login, sizeof(login), REFRESH_TEXT);
	data_int(rq, "expiresIn", rq->conf->access_life);
	data_int(rq, "refreshExpiresIn", (login->expires - rq->now + SECOND - 1) / SECOND);
}

struct response
auth_response_login(struct request *rq, const struct login *login)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[USER_BY_PK], ARGS(login->user)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	auth_put_tokens(rq, login);
	data_bool(rq, "isNewUser", login->is_new);
	data_bool(rq, "isRegistrationComplete", db_flag(row, USER_COLUMN_REGISTERED));
	response_put_row_object(rq, "user", &user_profile, row, 0);
	db_end(row);
	return response_done(rq);
}

void
auth_check_login(struct request *rq, struct faults *faults)
{
	struct login *login = rq->prepared = arena_alloc(rq->arena, sizeof(*login));

	(void)faults;
	if (rq->faults.count > 0)
		return;
	prepare_caller(rq, &login->caller, value_string(rq->in[AUTH_CODE]));
	memcpy(login->user_id, login->caller.user_id, sizeof(login->user_id));
	auth_prepare_session(rq, login);
}

void
auth_prepare_session(struct request *rq, struct login *login)
{
	random_id(login->session);
	random_bytes(login->seed, sizeof(login->seed));
	login->access_token = token_issue(rq->arena, login->user_id, login->session, rq->now);
}

void
auth_open_session(struct request *rq, struct login *login)
{
	const char *agent = rq->http.user_agent;
	const struct conf *conf = rq->conf;

	if (agent && !utf8_is_valid(agent, strlen(agent)))
		agent = NULL;
	login->expires = rq->now + SECOND * (conf->refresh_life < conf->session_life ? conf->refresh_life : conf->session_life);
	session_add(rq->db,
		&(struct session_new){ login->session, login->user, login->seed, login->expires, rq->http.client,
			utf8_clip(rq->arena, agent, 256) },
		rq->now);
	user_set_last_login(rq->db, login->user, rq->now);
}

static int64_t
add_user(struct request *rq, const struct otp_caller *caller, const char *source, const char *campaign)
{
	int64_t pk = 0;

	limit_count_client(rq->db, rq->conf, user_client, rq->http.client, rq->now, DAY);
	struct user_new user = { .id = caller->user_id,
		.email = caller->email,
		.signup_source = source,
		.signup_campaign = campaign,
		.created_at = rq->now };
	user.profile[USER_LANGUAGE] = value_text(language_code(caller->language));
	user.profile[USER_TIMEZONE] = value_text(rq->conf->time_zone);
	(void)!user_add(rq->db, &user, &pk);
	return pk;
}

/* Why the owner of a right code may not log in. Decided after the code, since it reveals the account of an address. */
static struct otp_result
judge_login(struct request *rq, const struct otp_caller *caller)
{
	struct otp_result result = { ERROR_NONE, 0 };

	if (!caller->active)
		result.error = ERROR_DEACTIVATED;
	else if (caller->role >= ADMIN && caller->digits < 6)
		result.error = ERROR_STAFF_CODE;
	else if (!caller->user)
		result.wait = limit_client(
			rq->db, rq->conf, user_client, rq->http.client, rq->now, DAY, rq->conf->client_users_daily);
	if (result.wait)
		result.error = ERROR_TOO_MANY_CLIENT_USERS;
	return result;
}

struct response
auth_login(struct request *rq, const char *source, const char *campaign, auth_respond *respond)
{
	struct login *login = rq->prepared;
	struct otp_caller *caller = &login->caller;

	if (!otp_find(caller))
		return response_again(rq);
	struct otp_result result = otp_verify(caller);
	if (!result.error)
		result = judge_login(rq, caller);
	/* A try counts also where it is refused; on 429 nothing was written, or the code is to stay valid. */
	if (result.error)
		return error_status(result.error) == 429 ? response_wait(rq, result.error, result.wait)
							 : response_error_keep(rq, result.error);
	if (!login->access_token)
		return response_error(rq, ERROR_INTERNAL);
	login->is_new = !caller->user;
	if (login->is_new)
		caller->user = add_user(rq, caller, source, campaign);
	login->user = caller->user;
	auth_open_session(rq, login);
	otp_login(caller);
	return respond(rq, login);
}

static struct response
post_otp_verify(struct request *rq)
{
	return auth_login(rq, NULL, NULL, auth_response_login);
}

/* ---- refresh tokens */

/* Reads the live session of login->refresh; false where there is none. */
static bool
find_session(struct request *rq, struct login *login)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[FIND_SESSION],
		    ARGS(login->refresh.session, rq->now, rq->conf->session_life * SECOND, rq->conf->refresh_grace * SECOND)) !=
		DB_ROW)
		return false;
	login->pk = db_int(row, 0);
	login->user = db_int(row, 1);
	snprintf(login->user_id, sizeof(login->user_id), "%s", db_text(row, 2));
	memcpy(login->session, login->refresh.session, sizeof(login->session));
	memcpy(login->seed, db_blob(row, 3), sizeof(login->seed));
	login->counter = (uint32_t)db_int(row, 4);
	login->expires = db_int(row, 5);
	/* The last one that was replaced always works: once its successor is used, another one is the last. */
	login->working = db_int(row, 6) > 1 ? db_int(row, 6) : 1;
	login->email = arena_string(rq->arena, db_text(row, 7));
	db_end(row);
	return true;
}

/* The seed of a session never changes, so its tokens can be verified before the transaction. */
void
auth_check_refresh(struct request *rq, struct faults *faults)
{
	struct login *login = rq->prepared = arena_alloc(rq->arena, sizeof(*login));

	(void)faults;
	login->is_ours = rq->faults.count == 0 && refresh_parse(&login->refresh, value_string(rq->in[AUTH_REFRESH])) &&
		find_session(rq, login) && refresh_check(&login->refresh, login->seed);
	if (login->is_ours)
		login->access_token = token_issue(rq->arena, login->user_id, login->session, rq->now);
}

enum token_state
auth_find_token(struct request *rq)
{
	struct login *login = rq->prepared;

	rq->now = clock_now(); /* while this request waited for the writer lock, a later one may have been served */
	if (!login->is_ours || !find_session(rq, login) || login->refresh.counter > login->counter)
		return NOT_OURS;
	int64_t age = login->counter - login->refresh.counter;
	return age == 0 ? CURRENT : age <= login->working ? REPLACED : SPENT;
}

/* Somebody else seems to have a copy of the session's tokens (RFC 9700 section 4.14.2). */
static void
end_reused(struct request *rq, const struct login *login)
{
	session_end(rq->db, login->pk);
	log_change(LOG_WARN, "session_reuse user=%s session=%s client=%s", login->user_id, login->session, rq->http.client);
	audit_add(rq->db, rq->now,
		&(struct audit){
			login->user_id, login->email, "session.reuse", login->user_id, login->email, .before = login->session });
}

/* Replaces the current token; one that was replaced before and is still accepted gets the same successor again. */
struct response
auth_refresh(struct request *rq, auth_respond *respond)
{
	struct login *login = rq->prepared;
	enum token_state state = auth_find_token(rq);

	if (state == SPENT) {
		end_reused(rq, login);
		return response_error_keep(rq, ERROR_BAD_REFRESH);
	}
	if (state == NOT_OURS)
		return response_error(rq, ERROR_BAD_REFRESH);
	if (!login->access_token)
		return response_error(rq, ERROR_INTERNAL);
	if (state == CURRENT && !session_rotate(rq->db, rq->conf, login->pk, &login->counter, &login->expires, rq->now))
		return response_error(rq, ERROR_BAD_REFRESH);
	return respond(rq, login);
}

static struct response
post_refresh(struct request *rq)
{
	return auth_refresh(rq, auth_response_login);
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
	return response_rows(rq, sql[SESSIONS], ARGS(rq->user->pk, rq->user->session, rq->now, rq->conf->session_life * SECOND),
		&auth_session_response);
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
	const struct user_registration registration = { value_string(in[NAME]), value_string(in[SURNAME]),
		value_string(in[COUNTRY_CODE]), value_string(in[PHONE_NUMBER]), value_string(in[BIRTH_DATE]),
		value_string(in[LANGUAGE]), rq->conf->privacy_policy_version, rq->conf->terms_of_use_version,
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
static const struct program program = { "auth", "Login by a code from an e-mail, sessions, registration",
	SECTIONS(&auth_unified, &auth_setup, &auth_v1),
	.statements = STATEMENTS(&audit_statements, &limit_statements, &otp_statements, &outbox_statements, &session_statements,
		&setup_statements, &user_statements),
	.start = token_init, .authenticate = session_authenticate, .mail_wake = mail_wake };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
