#include "otp.h"

#include "audit.h"
#include "clock.h"
#include "limit.h"
#include "log.h"
#include "mail.h"

/* clang-format off */
enum { FIND_USER, IS_KNOWN, STORE_CODE, LIVE_CODES, COUNT_TRY, COUNT_STRANGE_TRY, USE_CODE, KNOW, FORGET_TRIES, CODES, DROP_CODES,
	NETWORKS, DROP_NETWORKS };

#define LIVE_MAX 16		/* codes that a try is compared with; more than can be live under the limits of conf by default */

static const char *const otp_sql[] = {
	[FIND_USER] = "SELECT pk, id, is_active, role, language FROM users WHERE email = ?1",
	[IS_KNOWN] = "SELECT 1 FROM known_network WHERE mac = ?1 AND seen_at > ?2",
	[STORE_CODE] =
		"INSERT INTO login_code (email, network, digits, mac, language, created_at, expires_at)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
		" ON CONFLICT (email, network) DO UPDATE SET digits = excluded.digits, mac = excluded.mac,"
		" language = excluded.language, created_at = excluded.created_at, expires_at = excluded.expires_at, tries = 0,"
		" strange_tries = 0, used = FALSE",
	/*
	 * The network's own first, then the newest. One that was created in the future is of a clock that was set
	 * back since.
	 */
	[LIVE_CODES] =
		"SELECT network, mac, language, network = ?5, CASE WHEN network = ?5 THEN tries ELSE strange_tries END"
		" FROM login_code WHERE email = ?1 AND digits = ?2 AND NOT used AND expires_at > ?3 AND created_at <= ?4"
		" ORDER BY network = ?5 DESC, created_at DESC LIMIT ?6",
	[COUNT_TRY] = "UPDATE login_code SET tries = tries + 1 WHERE email = ?1 AND network = ?2",
	[COUNT_STRANGE_TRY] = "UPDATE login_code SET strange_tries = strange_tries + 1 WHERE email = ?1 AND network = ?2",
	[USE_CODE] = "UPDATE login_code SET used = TRUE WHERE email = ?1 AND network = ?2 AND NOT used",
	[KNOW] =
		"INSERT INTO known_network (mac, user_pk, seen_at) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (mac) DO UPDATE SET seen_at = excluded.seen_at",
	/* The table holds the codes of a day, and only an operator runs this. */
	[FORGET_TRIES] =
		"UPDATE login_code /* scans: login_code */ SET tries = 0, strange_tries = 0 WHERE okul_mailbox(email) = ?1",
	[CODES] = "SELECT count(*) FROM login_code WHERE " EXPIRY_OVER("expires_at"),
	[DROP_CODES] =
		"DELETE FROM login_code WHERE (email, network) IN"
		" (SELECT email, network FROM login_code WHERE " EXPIRY_OVER("expires_at") " LIMIT ?2)",
	[NETWORKS] = "SELECT count(*) FROM known_network WHERE seen_at <= ?1",
	[DROP_NETWORKS] =
		"DELETE FROM known_network WHERE mac IN (SELECT mac FROM known_network WHERE seen_at <= ?1 LIMIT ?2)",
};
const struct db_statements otp_statements = { otp_sql, COUNT(otp_sql) };
const expiry otp_expiry_codes = otp_sql + CODES;
const expiry otp_expiry_networks = otp_sql + NETWORKS;

/* Kinds of events: the subject is a mailbox, or a client network. */
static const char code_email[] = "code-email", wrong_email[] = "wrong-email", wrong_short[] = "wrong-short";
static const char code_client[] = "code-client", wrong_client[] = "wrong-client";
/* clang-format on */

/* ---- the caller, before the transaction and inside it */

/* Both under one key: the first part of a network's MAC is no address, so it cannot be a code's. */
static void
compute_macs(struct otp_caller *c)
{
	const struct part code[] = { PART(c->email), PART(c->code) };
	const struct part network[] = { PART("known network"), PART(c->user_id), PART(c->network) };

	secret_mac(c->code_mac, c->conf->code_key, code, COUNT(code));
	secret_mac(c->network_mac, c->conf->code_key, network, COUNT(network));
}

static void
find_user(struct otp_caller *c)
{
	struct db_rows *row;

	c->user = 0;
	c->active = true;
	c->role = USER;
	c->language = EN;
	if (db_one(c->db, &row, otp_sql[FIND_USER], ARGS(c->email)) == DB_ROW) {
		c->user = db_int(row, 0);
		snprintf(c->user_id, sizeof(c->user_id), "%s", db_text(row, 1));
		c->active = db_flag(row, 2);
		c->role = role_of(db_text(row, 3));
		(void)!language_of(db_text(row, 4), &c->language);
	}
	db_end(row);
}

void
otp_prepare(struct otp_caller *c)
{
	c->digits = strlen(c->code);
	network_of(c->network, c->client);
	email_mailbox(c->mailbox, c->email);
	random_id(c->user_id);
	find_user(c);
	compute_macs(c);
}

struct outbox_new
otp_mail(const struct otp_caller *c, struct arena *arena, enum language language)
{
	const struct conf *conf = c->conf;
	const char *minutes = arena_format(arena, "%lld", (long long)(conf->code_life / 60));
	const struct mail_value values[] = { { "code", c->code }, { "minutes", minutes }, { "school", conf->mail_name } };

	return mail_seal(
		conf, arena, c->now, c->now + conf->code_life * SECOND, c->email, language, "login-code", values, COUNT(values));
}

bool
otp_find(struct otp_caller *c)
{
	const struct otp_caller prepared = *c;
	uint64_t mark;

	find_user(c);
	c->known = db_number(c->db, NULL, otp_sql[IS_KNOWN],
			   ARGS(value_blob(c->network_mac, MAC_BYTES), c->now - c->conf->known_days * DAY)) == DB_ROW;
	memcpy(&mark, c->network_mac, sizeof(mark));
	snprintf(c->own, sizeof(c->own), "%s", c->mailbox);
	if (c->known)
		snprintf(c->own, sizeof(c->own), "%s %016llx", c->mailbox, (unsigned long long)mark);
	return c->user == prepared.user && strcmp(c->user_id, prepared.user_id) == 0 && c->language == prepared.language;
}

/* ---- limits */

/* Of several limits the one that lasts longest counts. */
static void
refuse(struct otp_result *result, enum error error, int64_t wait)
{
	if (wait > result->wait)
		*result = (struct otp_result){ error, wait };
}

static int64_t
client_wait(const struct otp_caller *c, const char *kind, int64_t window, int64_t most)
{
	return limit_client(c->db, c->conf, kind, c->client, c->now, window, most);
}

/* For new codes. */
static struct otp_result
request_limits(const struct otp_caller *c)
{
	const struct conf *conf = c->conf;
	const char *own = c->own;
	int64_t now = c->now;
	struct otp_result result = { ERROR_NONE, 0 };

	refuse(&result, ERROR_TOO_SOON, limit_wait(c->db, code_email, own, now, conf->code_pause * SECOND, 1));
	refuse(&result, c->known ? ERROR_TOO_MANY_CODES : ERROR_TOO_MANY_STRANGE_CODES,
		limit_wait(c->db, code_email, own, now, HOUR, conf->code_hourly));
	if (!c->known)
		refuse(&result, ERROR_TOO_MANY_STRANGE_CODES, limit_wait(c->db, code_email, own, now, DAY, conf->code_daily_new));
	refuse(&result, ERROR_TOO_MANY_CODES, limit_wait_all(c->db, code_email, c->mailbox, now, DAY, conf->code_daily));
	if (!c->known)
		refuse(&result, ERROR_TOO_MANY_CLIENT_CODES, client_wait(c, code_client, HOUR, conf->client_hourly));
	return result;
}

static const char *
wrong_kind(const struct otp_caller *c)
{
	return c->digits < 6 ? wrong_short : wrong_email;
}

/* Until the next wrong try of a subject, a mailbox or a known network of it, is allowed. */
static int64_t
wrong_wait(const struct otp_caller *c, const char *subject)
{
	return limit_wait(
		c->db, wrong_kind(c), subject, c->now, DAY, c->digits < 6 ? c->conf->daily_wrong_short : c->conf->daily_wrong);
}

/* Operators read of a lockout in the log, and admins in the audit trail where the address has a user. */
static void
count_wrong(const struct otp_caller *c, const char *subject)
{
	const char *what = subject == c->mailbox ? "wrong codes, networks that are not known" : "wrong codes, a known network";

	limit_count(c->db, wrong_kind(c), subject, c->now, DAY);
	if (!wrong_wait(c, subject))
		return;
	log_change(LOG_NOTE, "login_locked user=%s client=%s by=\"%s\"", c->user ? c->user_id : "-", c->client, what);
	if (c->user)
		audit_add(c->db, c->now,
			&(struct audit){ c->user_id, c->email, "session.locked", c->user_id, c->email, .after = what });
}

static struct otp_result
client_limits(const struct otp_caller *c)
{
	struct otp_result result = { ERROR_NONE, 0 };

	refuse(&result, ERROR_TOO_MANY_CLIENT_TRIES, client_wait(c, wrong_client, HOUR, c->conf->client_wrong_hourly));
	refuse(&result, ERROR_TOO_MANY_CLIENT_TRIES, client_wait(c, wrong_client, DAY, c->conf->client_wrong_daily));
	return result;
}

/* ---- a new code */

struct otp_result
otp_request(const struct otp_caller *c, const struct outbox_new *mail)
{
	struct otp_result result = request_limits(c);

	if (result.error)
		return result;
	/* A failure of any of these sticks to db, and so to the response. */
	limit_count(c->db, code_email, c->own, c->now, DAY);
	if (!c->known)
		limit_count_client(c->db, c->conf, code_client, c->client, c->now, HOUR);
	db_send(c->db, otp_sql[STORE_CODE],
		ARGS(c->email, c->network, (int64_t)c->digits, value_blob(c->code_mac, MAC_BYTES), mail->language, mail->created,
			mail->expires));
	outbox_add(c->db, mail);
	return result;
}

/* ---- a try */

/* The codes that the caller may try. */
struct codes {
	struct live_code {
		char network[NETWORK_TEXT]; /* that requested it */
		unsigned char mac[MAC_BYTES];
		enum language language;
		bool own;      /* of the caller's network: at most the first */
		int64_t tries; /* wrong ones: from its own network if that is the caller's, else from others */
	} list[LIVE_MAX];
	size_t count;
	bool own; /* the first is */
};

static void
read_codes(const struct otp_caller *c, struct codes *codes)
{
	struct db_rows *row;

	codes->count = 0;
	for (enum db_rc rc = db_one(c->db, &row, otp_sql[LIVE_CODES],
		     ARGS(c->email, (int64_t)c->digits, c->now, c->now + CLOCK_SLACK, c->network, LIVE_MAX));
		rc == DB_ROW && codes->count < LIVE_MAX; rc = db_next(row)) {
		struct live_code *code = &codes->list[codes->count];
		if (db_size(row, 1) != MAC_BYTES || !language_of(db_text(row, 2), &code->language))
			continue;
		snprintf(code->network, sizeof(code->network), "%s", db_text(row, 0));
		memcpy(code->mac, db_blob(row, 1), MAC_BYTES);
		code->own = db_flag(row, 3);
		code->tries = db_int(row, 4);
		codes->count++;
	}
	db_end(row);
	codes->own = codes->count > 0 && codes->list[0].own;
}

/* For tries. A spent code is replaced by a new one as soon as that may be requested. */
static struct otp_result
try_limits(const struct otp_caller *c, const struct codes *codes)
{
	struct otp_result result = client_limits(c);
	size_t usable = codes->own ? 1 : codes->count, spent = 0;

	if (codes->own || !c->known)
		refuse(&result, c->known ? ERROR_TOO_MANY_OWN_TRIES : ERROR_TOO_MANY_TRIES, wrong_wait(c, c->own));
	else if (codes->count > 0)
		refuse(&result, ERROR_TOO_MANY_TRIES, wrong_wait(c, c->mailbox));
	if (result.error)
		return result;
	for (size_t i = 0; i < usable; i++)
		spent += codes->list[i].tries >= c->conf->code_tries;
	if (usable > 0 && spent == usable)
		result = (struct otp_result){ ERROR_CODE_SPENT, request_limits(c).wait };
	return result;
}

/*
 * Returns the code that was typed; NULL where it is none of them. Each other one that it was compared with counts a
 * wrong try.
 */
static const struct live_code *
compare(const struct otp_caller *c, const struct codes *codes)
{
	for (size_t i = 0; i < codes->count; i++) {
		const struct live_code *code = &codes->list[i];
		if (!code->own && (code->tries >= c->conf->code_tries || wrong_wait(c, c->mailbox)))
			continue;
		if (secret_equal(code->mac, c->code_mac, MAC_BYTES))
			return code;
		db_send(c->db, otp_sql[code->own ? COUNT_TRY : COUNT_STRANGE_TRY], ARGS(c->email, code->network));
		count_wrong(c, code->own && c->known ? c->own : c->mailbox);
	}
	return NULL;
}

struct otp_result
otp_verify(struct otp_caller *c)
{
	struct codes codes;

	read_codes(c, &codes);
	struct otp_result result = try_limits(c, &codes);
	if (result.error)
		return result;
	const struct live_code *right = compare(c, &codes);
	if (right && db_change(c->db, otp_sql[USE_CODE], ARGS(c->email, right->network)) > 0) {
		c->language = c->user ? c->language : right->language;
		return result;
	}
	if (!right) {
		limit_count_client(c->db, c->conf, wrong_client, c->client, c->now, DAY);
		log_change(LOG_NOTE, "login_wrong user=%s client=%s", c->user ? c->user_id : "-", c->client);
		if (client_limits(c).error)
			log_change(LOG_NOTE, "login_locked user=- client=%s by=\"wrong codes, this network\"", c->client);
	}
	return (struct otp_result){ ERROR_WRONG_CODE, 0 };
}

/* ---- after the login */

void
otp_login(const struct otp_caller *c)
{
	db_send(c->db, otp_sql[KNOW], ARGS(value_blob(c->network_mac, MAC_BYTES), c->user, c->now));
	/* A class that logs in for the first time is no crowd of strangers. */
	if (!c->known)
		limit_uncount_client(c->db, c->conf, code_client, c->client);
	log_change(LOG_NOTE, "login user=%s client=%s", c->user_id, c->client);
	audit_add(c->db, c->now,
		&(struct audit){ c->user_id, c->email, "session.login", c->user_id, c->email,
			.after = c->known ? NULL : "from a network that was not known" });
}

void
otp_unlock(struct db *db, const char *email, int64_t *events)
{
	char mailbox[EMAIL_TEXT];

	email_mailbox(mailbox, email);
	*events = limit_forget_all(db, code_email, mailbox) + limit_forget_all(db, wrong_email, mailbox) +
		limit_forget_all(db, wrong_short, mailbox);
	db_send(db, otp_sql[FORGET_TRIES], ARGS(mailbox));
}
