/* auth - the second surface, /api/v1: the same users and sessions under its own field names, with 4-digit codes. */
#include "auth.h"
#include "session.h"
#include "user.h"

/* clang-format off */
static const struct shape request_otp = { .name = "RequestOtpDto", .fields = FIELDS(
	[AUTH_EMAIL] = { "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	[AUTH_LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes, .optional = true, .example = "\"tr\"",
		.note = "of the mail" }) };

static const struct shape otp_response = { .name = "EmailOtpV1ResponseDto", .fields = FIELDS(
	{ "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	{ "code", FIELD_TEXT, 4, 4, .optional = true, .example = "\"1234\"",
	  .note = "only in development (OKUL_ENV=development)" }) };

enum { SIGNUP_SOURCE = AUTH_CODE + 1, SIGNUP_CAMPAIGN };

static const struct shape verify_otp = { .name = "VerifyOtpDto", .fields = FIELDS(
	[AUTH_EMAIL] = { "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	[AUTH_CODE] = { "code", FIELD_TEXT, 4, 4, .digits = true, .example = "\"1234\"" },
	[SIGNUP_SOURCE] = { "signupSource", FIELD_TEXT, 0, 64, .optional = true, .example = "\"instagram_ads\"" },
	[SIGNUP_CAMPAIGN] = { "signupCampaign", FIELD_TEXT, 0, 64, .optional = true, .example = "\"spring_launch_2026\"" }) };

static const struct shape auth_response = { .name = "AuthV1ResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &auth_tokens },
	{ "user", FIELD_OBJECT, .of = &user_v1 },
	{ "isRegistrationComplete", FIELD_BOOL }) };

static const struct shape validity = { .name = "TokenValidityV1ResponseDto", .fields = FIELDS(
	{ "isValid", FIELD_BOOL, .example = "true" },
	{ "expiresAt", FIELD_TIME }) };

enum { USER_V1 };

static const char *const sql[] = {
	[USER_V1] = "SELECT registered_at IS NOT NULL, " USER_V1_COLUMNS " FROM users WHERE pk = ?1",
};

static void check_send(struct request *rq, struct faults *faults);
static response_handler post_send, post_verify, post_refresh, post_logout, post_revoke, get_validity;

static const struct route routes[] = {
	{ POST, "/api/v1/auth/send-otp-email", PUBLIC, post_send, .check = check_send, .in = &request_otp,
	  .out = &otp_response, .status = 201, .writes = true, .client_limit = true,
	  .title = "Email ile doğrulama kodu gönder",
	  .example = "{\"email\":\"user@example.com\",\"language\":\"tr\"}" },
	{ POST, "/api/v1/auth/verify-otp-email", PUBLIC, post_verify, .check = auth_check_login, .in = &verify_otp,
	  .out = &auth_response, .writes = true, .client_limit = true, .errors = STATUSES(403),
	  .title = "Email doğrulama kodu ile giriş yap",
	  .example = "{\"email\":\"user@example.com\",\"code\":\"1234\"}" },
	{ POST, "/api/v1/auth/refresh", PUBLIC, post_refresh, .check = auth_check_refresh, .in = &auth_refresh_token,
	  .out = &auth_tokens, .writes = true, .errors = STATUSES(401), .title = "Access token yenile" },
	{ POST, "/api/v1/auth/logout", USER, post_logout, .out = &auth_logout_response, .writes = true,
	  .makes_room = true, .unregistered = true, .being_deleted = true,
	  .title = "Çıkış yap", .note = "Ends every session of the caller." },
	{ POST, "/api/v1/auth/revoke-token", USER, post_revoke, .check = auth_check_refresh, .in = &auth_refresh_token,
	  .out = &delete_response, .writes = true, .makes_room = true, .unregistered = true, .errors = STATUSES(404),
	  .title = "Refresh token iptal et",
	  .note = "Ends the session of a refresh token of the caller." },
	{ GET, "/api/v1/auth/sessions", USER, auth_get_sessions, .out = &auth_session_response, .out_list = true,
	  .unregistered = true, .title = "Aktif oturumları listele" },
	{ GET, "/api/v1/auth/validate-token", USER, get_validity, .out = &validity, .unregistered = true,
	  .title = "Validity of the access token" },
};

const struct section auth_v1 = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

static struct response
code_response(struct request *rq, const char *code)
{
	response_begin(rq);
	data_text(rq, "email", value_string(rq->in[AUTH_EMAIL]));
	if (rq->conf->development)
		data_text(rq, "code", code);
	return response_done(rq);
}

static void
check_send(struct request *rq, struct faults *faults)
{
	(void)faults;
	auth_prepare_code(rq, 4);
}

static struct response
post_send(struct request *rq)
{
	return auth_request_code(rq, code_response);
}

static struct response
login_response(struct request *rq, const struct login *login)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[USER_V1], ARGS(login->user)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	auth_put_tokens(rq, login);
	response_put_row_object(rq, "user", &user_v1, row, 1);
	data_bool(rq, "isRegistrationComplete", db_flag(row, 0));
	db_end(row);
	return response_done(rq);
}

static struct response
post_verify(struct request *rq)
{
	return auth_login(rq, value_string(rq->in[SIGNUP_SOURCE]), value_string(rq->in[SIGNUP_CAMPAIGN]), login_response);
}

static struct response
tokens_response(struct request *rq, const struct login *login)
{
	response_begin(rq);
	auth_put_tokens(rq, login);
	return response_done(rq);
}

static struct response
post_refresh(struct request *rq)
{
	return auth_refresh(rq, tokens_response);
}

static struct response
post_logout(struct request *rq)
{
	session_end_all(rq->db, rq->user->pk);
	return response_message(rq, S_LOGGED_OUT_EVERYWHERE);
}

static struct response
post_revoke(struct request *rq)
{
	enum token_state state = auth_find_token(rq);
	const struct login *login = rq->prepared;

	if ((state != CURRENT && state != REPLACED) || login->user != rq->user->pk)
		return response_error(rq, ERROR_NOT_FOUND);
	session_end(rq->db, login->pk);
	return response_deleted(rq, S_SESSION_ENDED, login->session);
}

static struct response
get_validity(struct request *rq)
{
	response_begin(rq);
	data_bool(rq, "isValid", true);
	data_time(rq, "expiresAt", rq->user->token_expires);
	return response_done(rq);
}
