#include "otp.h"

#include "clock.h"
#include "limit.h"
#include "mail.h"
#include "random.h"

enum { STORE_CODE, FIND_CODE, COUNT_TRY, USE_CODE };

const char *const otp_sql[] = {
	[STORE_CODE] =
		"INSERT INTO login_code (email, mac, language, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)"
		" ON CONFLICT (email) DO UPDATE SET mac = excluded.mac, language = excluded.language,"
		" created_at = excluded.created_at, expires_at = excluded.expires_at, tries = 0, used = 0",
	[FIND_CODE] = "SELECT expires_at, tries, used FROM login_code WHERE email = ?1",
	[COUNT_TRY] =
		"UPDATE login_code SET tries = tries + 1"
		" WHERE email = ?1 AND used = 0 AND tries < ?2 AND expires_at > ?3 RETURNING mac, language",
	[USE_CODE] = "UPDATE login_code SET used = 1 WHERE email = ?1 AND used = 0",
};
const size_t otp_sql_count = COUNT(otp_sql);

static const char by_email[] = "code-email", by_client[] = "code-client", wrong[] = "wrong-email";

static void
code_mac(unsigned char mac[static MAC_BYTES], const struct conf *conf, const char *email, const char *code)
{
	const struct part parts[] = { PART(email), PART(code) };

	secret_mac(mac, conf->code_key, parts, COUNT(parts));
}

/* In *wait how long until this address may ask for a code again; 0 for NO_ERROR. */
static enum error
email_limits(struct db *db, const struct conf *conf, int64_t now, const char *email, int64_t *wait)
{
	struct limit_state hour = limit_look(db, by_email, email, now, HOUR, conf->code_hourly);
	int64_t pause = hour.newest ? hour.newest + conf->code_pause * SECOND - now : 0;

	*wait = hour.wait > pause ? hour.wait : pause > 0 ? pause : 0;
	return *wait == 0 ? NO_ERROR : hour.wait > pause ? TOO_MANY_CODES : TOO_SOON;
}

enum error
otp_request(struct db *db, const struct conf *conf, struct arena *arena, int64_t now, const struct otp_request *request,
	char *code, int64_t *wait)
{
	unsigned char mac[MAC_BYTES];
	char minutes[24];
	int64_t expires = now + conf->code_life * SECOND;

	*wait = limit_client(db, conf, by_client, request->client, now, HOUR, conf->client_hourly);
	enum error error = *wait ? TOO_MANY_REQUESTS : email_limits(db, conf, now, request->email, wait);
	if (error)
		return error;
	random_digits(code, request->digits);
	code_mac(mac, conf, request->email, code);
	snprintf(minutes, sizeof(minutes), "%lld", (long long)(conf->code_life / 60));
	const struct mail_value values[] = { { "code", code }, { "minutes", minutes }, { "school", conf->mail_name } };

	/* A failure of any of these sticks to db, and so to the answer. */
	limit_count(db, by_email, request->email, now, HOUR);
	limit_count_client(db, conf, by_client, request->client, now, HOUR);
	(void)!db_run(db, otp_sql[STORE_CODE], ARGS(request->email, value_blob(mac, sizeof(mac)),
		language_code(request->language), now, expires), NULL);
	(void)!mail_queue(db, conf, arena, now, expires, request->email, request->language, "login-code", values, COUNT(values));
	return NO_ERROR;
}

enum error
otp_verify(struct db *db, const struct conf *conf, int64_t now, const char *email, const char *code,
	enum language *language, int64_t *wait)
{
	unsigned char given[MAC_BYTES];
	struct db_rows *row;

	code_mac(given, conf, email, code);
	*wait = limit_look(db, wrong, email, now, DAY, conf->daily_wrong).wait;
	if (*wait)
		return TOO_MANY_TRIES;
	enum db_rc rc = db_one(db, &row, otp_sql[FIND_CODE], ARGS(email));
	bool spent = rc == DB_ROW && db_int(row, 0) > now && !db_flag(row, 2) && db_int(row, 1) >= conf->code_tries;
	db_end(row);
	if (spent) {
		(void)email_limits(db, conf, now, email, wait);
		return TOO_MANY_TRIES;
	}
	rc = db_one(db, &row, otp_sql[COUNT_TRY], ARGS(email, conf->code_tries, now));
	bool right = rc == DB_ROW && db_size(row, 0) == MAC_BYTES && secret_equal(db_blob(row, 0), given, MAC_BYTES) &&
		language_of(db_text(row, 1), language);
	db_end(row);
	if (right)
		return db_run(db, otp_sql[USE_CODE], ARGS(email), NULL) == DB_DONE ? NO_ERROR : WRONG_CODE;
	if (rc == DB_ROW)
		limit_count(db, wrong, email, now, DAY);
	return WRONG_CODE;
}
