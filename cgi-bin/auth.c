/*
 * auth - login by a code from an e-mail, sessions, registration.
 */
#include "app.h"
#include "otp.h"
#include "random.h"
#include "token.h"

#include <time.h>

static const struct shape request_otp = { .name = "RequestOtpUnifiedDto", .fields = FIELDS(
	{ "email", EMAIL, .example = "\"user@example.com\"" },
	{ "language", ENUM, .oneof = language_codes, .optional = true, .example = "\"tr\"", .note = "of the mail" }) };

static const struct shape otp_response = { .name = "OtpResponseDto", .fields = FIELDS(
	{ "message", TEXT, 1, 200, .example = "\"Verification code has been sent to your email address\"" },
	{ "email", EMAIL, .example = "\"user@example.com\"" }) };

static const struct shape verify_otp = { .name = "VerifyOtpUnifiedDto", .fields = FIELDS(
	{ "email", EMAIL, .example = "\"user@example.com\"" },
	{ "code", TEXT, 6, 6, .digits = true, .example = "\"123456\"" }) };

static const struct shape refresh_token = { .name = "RefreshTokenDto", .fields = FIELDS(
	{ "refreshToken", TEXT, 16, 512 }) };

static const struct shape auth_response = { .name = "AuthResponseDto", .fields = FIELDS(
	{ "accessToken", TEXT, 20, 4096 },
	{ "refreshToken", TEXT, 16, 512 },
	{ "expiresIn", INT, 1, .example = "3600" },
	{ "refreshExpiresIn", INT, 1, .example = "2592000" },
	{ "isNewUser", BOOL },
	{ "isRegistrationComplete", BOOL },
	{ "user", OBJECT, .of = &user_profile }) };

static const struct shape logout_response = { .name = "LogoutResponseDto", .fields = FIELDS(
	{ "message", TEXT, 1, 200, .example = "\"You have been logged out\"" }) };

static const struct shape complete_registration = { .name = "CompleteRegistrationDto", .fields = FIELDS(
	{ "name", TEXT, 1, 100, .example = "\"Ayşe\"" },
	{ "surname", TEXT, 1, 100, .example = "\"Yılmaz\"" },
	{ "countryCode", TEXT, 1, 4, .digits = true, .optional = true, .example = "\"90\"" },
	{ "phoneNumber", TEXT, 4, 15, .digits = true, .optional = true, .example = "\"5372505890\"" },
	{ "birthDate", DATE, .optional = true, .example = "\"1998-04-23\"" },
	{ "language", ENUM, .oneof = language_codes, .optional = true, .example = "\"tr\"" },
	{ "privacyPolicyAccepted", BOOL, .must_be_true = true, .example = "true" },
	{ "termsOfUseAccepted", BOOL, .must_be_true = true, .example = "true" },
	{ "consentFormAccepted", BOOL, .optional = true, .example = "true" }) };

static const struct shape complete_registration_response = { .name = "CompleteRegistrationResponseDto", .fields = FIELDS(
	{ "message", TEXT, 1, 200, .example = "\"Your registration is complete\"" },
	{ "user", OBJECT, .of = &user_profile }) };

static const struct shape registration_status = { .name = "RegistrationStatusResponseDto", .fields = FIELDS(
	{ "isRegistrationComplete", BOOL },
	{ "missingFields", LIST, .item = TEXT, .example = "[\"name\",\"surname\"]" }) };

enum { LANGUAGE, FIND_USER, ADD_USER, ADD_SESSION, TOUCH_LOGIN, USER_BY_PK, FIND_SESSION, ROTATE, END_SESSION, REGISTER, MISSING };

static const char *const sql[] = {
	[LANGUAGE] = "SELECT language FROM user WHERE email = ?1",
	[FIND_USER] = "SELECT pk, is_active FROM user WHERE email = ?1",
	[ADD_USER] =
		"INSERT INTO user (id, email, language, timezone, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)"
		" RETURNING pk",
	[ADD_SESSION] =
		"INSERT INTO session (id, user, seed, rotated_at, created_at, last_used_at, expires_at, ip, user_agent)"
		" VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?5, ?6, ?7)",
	[TOUCH_LOGIN] = "UPDATE user SET last_login_at = ?2 WHERE pk = ?1",
	[USER_BY_PK] = "SELECT " USER_PROFILE_COLUMNS " FROM user WHERE pk = ?1",
	[FIND_SESSION] =
		"SELECT session.pk, session.user, session.seed, session.counter, session.rotated_at"
		" FROM session JOIN user ON user.pk = session.user"
		" WHERE session.id = ?1 AND session.expires_at > ?2 AND user.is_active",
	[ROTATE] =
		"UPDATE session SET counter = counter + 1, rotated_at = ?3, last_used_at = ?3, expires_at = ?4"
		" WHERE pk = ?1 AND counter = ?2",
	[END_SESSION] = "DELETE FROM session WHERE pk = ?1",
	[REGISTER] =
		"UPDATE user SET name = ?1 ->> '$.name', surname = ?1 ->> '$.surname',"
		" country_code = coalesce(?1 ->> '$.countryCode', country_code),"
		" phone_number = coalesce(?1 ->> '$.phoneNumber', phone_number),"
		" birth_date = coalesce(?1 ->> '$.birthDate', birth_date), language = coalesce(?1 ->> '$.language', language),"
		" privacy_policy_at = ?2, terms_of_use_at = ?2, consent_form_at = CASE WHEN ?1 ->> '$.consentFormAccepted' THEN ?2 END,"
		" registered_at = ?2, updated_at = ?2 WHERE pk = ?3 AND registered_at IS NULL",
	[MISSING] =
		"SELECT registered_at IS NOT NULL, name IS NULL, surname IS NULL, privacy_policy_at IS NULL, terms_of_use_at IS NULL"
		" FROM user WHERE pk = ?1",
};

static struct reply post_otp_request(struct request *rq);
static struct reply post_otp_verify(struct request *rq);
static struct reply post_refresh(struct request *rq);
static struct reply post_logout(struct request *rq);
static struct reply post_registration(struct request *rq);
static struct reply get_registration(struct request *rq);

static const struct route routes[] = {
	{ POST, "/auth/otp/request", PUBLIC, post_otp_request, .in = &request_otp, .out = &otp_response, .writes = true,
	  .client_limit = true, .title = "Request OTP (Login or Register)",
	  .note = "Mails a 6-digit code. Known and unknown addresses get the same answer.",
	  .example = "{\"email\":\"user@example.com\",\"language\":\"tr\"}" },
	{ POST, "/auth/otp/verify", PUBLIC, post_otp_verify, .in = &verify_otp, .out = &auth_response, .writes = true,
	  .client_limit = true, .errors = STATUSES(403), .title = "Verify OTP (Login or Register)",
	  .note = "Gives the tokens, and makes the user when the address is new." },
	{ POST, "/auth/refresh", PUBLIC, post_refresh, .in = &refresh_token, .out = &auth_response, .writes = true,
	  .errors = STATUSES(401), .title = "Token yenileme",
	  .note = "Replaces the refresh token. The one replaced works 10 more seconds; used later it ends the session." },
	{ POST, "/auth/logout", USER, post_logout, .out = &logout_response, .writes = true, .unregistered = true,
	  .title = "Kullanıcı çıkışı", .note = "Ends the session of the token." },
	{ POST, "/auth/registration/complete", USER, post_registration, .in = &complete_registration,
	  .out = &complete_registration_response, .writes = true, .unregistered = true, .errors = STATUSES(409),
	  .title = "Complete registration" },
	{ GET, "/auth/registration/status", USER, get_registration, .out = &registration_status, .unregistered = true,
	  .title = "Get registration status" },
};

/* ---- codes */

/* Asked for by name, else by Accept-Language, else the user's own. */
static enum language
mail_language(struct request *rq, const char *email)
{
	enum language language = rq->language;
	struct db_rows *row;

	/* Looked up in any case: a known address must not take longer than an unknown one. */
	if (db_one(rq->db, &row, sql[LANGUAGE], ARGS(email)) == DB_ROW && !rq->language_asked)
		(void)!language_of(db_text(row, 0), &language);
	db_end(row);
	(void)!language_of(field_text(rq->body, "language"), &language);
	return language;
}

static struct reply
post_otp_request(struct request *rq)
{
	const char *email = field_text(rq->body, "email");
	struct otp_request request = { email, rq->http.client, mail_language(rq, email), 6 };
	char code[10];
	int64_t wait;
	enum error error = otp_request(rq->db, rq->conf, rq->arena, rq->now, &request, code, &wait);

	if (error)
		return reply_wait(rq, error, wait);
	secret_wipe(code, sizeof(code));
	rq->mail_queued = true;
	reply_begin(rq);
	put_text(rq, "message", sentence(S_CODE_SENT, rq->language));
	put_text(rq, "email", email);
	return reply_done(rq);
}

/* ---- tokens */

struct session {
	char id[ID_TEXT];
	int64_t user;
	unsigned char seed[REFRESH_SEED];
	uint32_t counter;
};

/* The AuthResponseDto of a session; an error when the token cannot be made. */
static struct reply
reply_tokens(struct request *rq, const struct session *session, bool is_new)
{
	struct buf access = { .arena = rq->arena }, refresh = { .arena = rq->arena };
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[USER_BY_PK], ARGS(session->user)) != DB_ROW ||
	    !token_issue(&access, db_text(row, 0), session->id, rq->now))
		return reply_error(rq, INTERNAL);
	refresh_issue(&refresh, session->seed, session->id, session->counter);
	reply_begin(rq);
	put_text(rq, "accessToken", access.s);
	put_text(rq, "refreshToken", refresh.s);
	put_int(rq, "expiresIn", rq->conf->access_life);
	put_int(rq, "refreshExpiresIn", rq->conf->refresh_life);
	put_bool(rq, "isNewUser", is_new);
	put_bool(rq, "isRegistrationComplete", db_flag(row, USER_COLUMN_REGISTERED));
	put_object(rq, "user");
	put_row(rq, &user_profile, row, 0);
	put_end(rq);
	db_end(row);
	return reply_done(rq);
}

static struct reply
open_session(struct request *rq, int64_t user, bool is_new)
{
	struct session session = { .user = user };
	const char *agent = rq->http.user_agent;

	if (agent && !text_is_utf8(agent, strlen(agent)))
		agent = NULL;
	random_id(session.id);
	random_bytes(session.seed, sizeof(session.seed));
	if (db_run(rq->db, sql[ADD_SESSION], ARGS(session.id, user, value_blob(session.seed, sizeof(session.seed)), rq->now,
	    rq->now + rq->conf->refresh_life * SECOND, rq->http.client, text_clip(rq->arena, agent, 256)), NULL) != DB_DONE)
		return reply_error(rq, INTERNAL);
	(void)!db_run(rq->db, sql[TOUCH_LOGIN], ARGS(user, rq->now), NULL);
	return reply_tokens(rq, &session, is_new);
}

static struct reply
post_otp_verify(struct request *rq)
{
	const char *email = field_text(rq->body, "email");
	enum language language = EN;
	int64_t wait = 0, user = 0;
	struct db_rows *row;
	enum error error = otp_verify(rq->db, rq->conf, rq->now, email, field_text(rq->body, "code"), &language, &wait);

	if (error == TOO_MANY_TRIES)
		return reply_wait(rq, error, wait);
	if (error)
		return reply_error_keep(rq, error);
	bool known = db_one(rq->db, &row, sql[FIND_USER], ARGS(email)) == DB_ROW;
	bool active = !known || db_flag(row, 1);
	user = known ? db_int(row, 0) : 0;
	db_end(row);
	if (!active)
		return reply_error_keep(rq, DEACTIVATED);
	if (!known) {
		char id[ID_TEXT];
		random_id(id);
		if (db_one(rq->db, &row, sql[ADD_USER], ARGS(id, email, language_code(language), rq->conf->time_zone, rq->now)) != DB_ROW)
			return reply_error(rq, INTERNAL);
		user = db_int(row, 0);
		db_end(row);
		user_reindex(rq->db);
	}
	return open_session(rq, user, !known);
}

/*
 * The token of the current counter is replaced; the one before it gives the same successor again for some seconds (an
 * answer that got lost, two tabs); any other that was ours ends the session, since two parties seem to hold it.
 */
static struct reply
post_refresh(struct request *rq)
{
	struct session session = { 0 };
	unsigned char secret[MAC_BYTES];
	uint32_t shown;
	struct db_rows *row;

	if (!refresh_parse(field_text(rq->body, "refreshToken"), session.id, &shown, secret) ||
	    db_one(rq->db, &row, sql[FIND_SESSION], ARGS(session.id, rq->now)) != DB_ROW)
		return reply_error(rq, BAD_REFRESH);
	int64_t pk = db_int(row, 0), rotated = db_int(row, 4);
	session.user = db_int(row, 1);
	memcpy(session.seed, db_blob(row, 2), sizeof(session.seed));
	session.counter = (uint32_t)db_int(row, 3);
	db_end(row);

	if (shown > session.counter || !refresh_check(session.seed, session.id, shown, secret))
		return reply_error(rq, BAD_REFRESH);
	if (shown == session.counter) {
		(void)!db_run(rq->db, sql[ROTATE], ARGS(pk, session.counter, rq->now, rq->now + rq->conf->refresh_life * SECOND), NULL);
		session.counter++;
	} else if (shown + 1 < session.counter || rotated + rq->conf->refresh_grace * SECOND < rq->now) {
		(void)!db_run(rq->db, sql[END_SESSION], ARGS(pk), NULL);
		return reply_error_keep(rq, BAD_REFRESH);
	}
	return reply_tokens(rq, &session, false);
}

static struct reply
post_logout(struct request *rq)
{
	(void)!db_run(rq->db, sql[END_SESSION], ARGS(rq->user->session), NULL);
	return reply_message(rq, S_LOGGED_OUT);
}

/* ---- registration */

static struct reply
post_registration(struct request *rq)
{
	int64_t changed = 0;
	struct db_rows *row;

	(void)!db_run(rq->db, sql[REGISTER], ARGS(cJSON_PrintUnformatted(rq->body), rq->now, rq->user->pk), &changed);
	if (changed == 0)
		return reply_error(rq, ALREADY_REGISTERED);
	user_reindex(rq->db);
	if (db_one(rq->db, &row, sql[USER_BY_PK], ARGS(rq->user->pk)) != DB_ROW)
		return reply_error(rq, NOT_FOUND);
	reply_begin(rq);
	put_text(rq, "message", sentence(S_REGISTERED, rq->language));
	put_object(rq, "user");
	put_row(rq, &user_profile, row, 0);
	put_end(rq);
	db_end(row);
	return reply_done(rq);
}

static struct reply
get_registration(struct request *rq)
{
	static const char *const fields[] = { "name", "surname", "privacyPolicyAccepted", "termsOfUseAccepted" };
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[MISSING], ARGS(rq->user->pk)) != DB_ROW)
		return reply_error(rq, NOT_FOUND);
	reply_begin(rq);
	put_bool(rq, "isRegistrationComplete", db_flag(row, 0));
	put_list(rq, "missingFields");
	for (int i = 0; i < (int)COUNT(fields) && !db_flag(row, 0); i++)
		if (db_flag(row, i + 1))
			put_text(rq, NULL, fields[i]);
	put_end_list(rq);
	db_end(row);
	return reply_done(rq);
}

static const struct section section = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "auth", "Login by a code from an e-mail, sessions, registration", SECTIONS(&section) };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
