#include "otp.h"

#include "audit.h"
#include "clock.h"
#include "limit.h"
#include "log.h"
#include "mail.h"

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
	 * The network's own first, then the newest. One that was made later than now is of a clock that was
	 * set back since.
	 */
	[LIVE_CODES] =
		"SELECT network, mac, language, tries, strange_tries FROM login_code WHERE email = ?1 AND digits = ?2 AND NOT used"
		" AND expires_at > ?3 AND created_at <= ?4 ORDER BY network = ?5 DESC, created_at DESC LIMIT ?6",
	[COUNT_TRY] = "UPDATE login_code SET tries = tries + 1 WHERE email = ?1 AND network = ?2",
	[COUNT_STRANGE_TRY] = "UPDATE login_code SET strange_tries = strange_tries + 1 WHERE email = ?1 AND network = ?2",
	[USE_CODE] = "UPDATE login_code SET used = TRUE WHERE email = ?1 AND network = ?2 AND NOT used",
	[KNOW] =
		"INSERT INTO known_network (mac, user_pk, seen_at) VALUES (?1, ?2, ?3)"
		" ON CONFLICT (mac) DO UPDATE SET seen_at = excluded.seen_at",
	/* the codes of a day, for an operator */
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

/* By mailbox, and by client network. */
static const char code_email[] = "code-email", wrong_email[] = "wrong-email", wrong_short[] = "wrong-short";
static const char code_client[] = "code-client", wrong_client[] = "wrong-client";

/* ---- the caller */

/* Under one key: the first part of a network's MAC, which is no address, keeps it apart from the codes. */
static void
compute_macs(const struct conf *conf, struct otp_caller *caller)
{
	const struct part code[] = { PART(caller->email), PART(caller->code) };
	const struct part network[] = { PART("known network"), PART(caller->user_id), PART(caller->network) };

	secret_mac(caller->code_mac, conf->code_key, code, COUNT(code));
	secret_mac(caller->network_mac, conf->code_key, network, COUNT(network));
}

static void
find_user(struct db *db, struct otp_caller *caller)
{
	struct db_rows *row;

	caller->user = 0;
	caller->active = true;
	caller->role = USER;
	caller->language = EN;
	if (db_one(db, &row, otp_sql[FIND_USER], ARGS(caller->email)) == DB_ROW) {
		caller->user = db_int(row, 0);
		snprintf(caller->user_id, sizeof(caller->user_id), "%s", db_text(row, 1));
		caller->active = db_flag(row, 2);
		caller->role = role_of(db_text(row, 3));
		(void)!language_of(db_text(row, 4), &caller->language);
	}
	db_end(row);
}

void
otp_prepare(struct db *db, const struct conf *conf, const char *email, const char *client, const char *code,
	struct otp_caller *caller)
{
	*caller = (struct otp_caller){ .email = email, .client = client, .code = code, .digits = strlen(code) };
	network_of(caller->network, client);
	email_mailbox(caller->mailbox, email);
	random_id(caller->user_id);
	find_user(db, caller);
	compute_macs(conf, caller);
}

struct outbox_new
otp_mail(const struct conf *conf, struct arena *arena, int64_t now, const struct otp_caller *caller, enum language language)
{
	const char *minutes = arena_format(arena, "%lld", (long long)(conf->code_life / 60));
	const struct mail_value values[] = { { "code", caller->code }, { "minutes", minutes }, { "school", conf->mail_name } };

	return mail_seal(conf, arena, now, now + conf->code_life * SECOND, caller->email, language, "login-code", values, COUNT(values));
}

bool
otp_find(struct db *db, const struct conf *conf, int64_t now, struct otp_caller *caller)
{
	const struct otp_caller prepared = *caller;
	uint64_t mark;
	struct db_rows *row;

	find_user(db, caller);
	caller->known = db_one(db, &row, otp_sql[IS_KNOWN], ARGS(value_blob(caller->network_mac, MAC_BYTES),
		now - conf->known_days * DAY)) == DB_ROW;
	db_end(row);
	memcpy(&mark, caller->network_mac, sizeof(mark));
	snprintf(caller->own, sizeof(caller->own), "%s", caller->mailbox);
	if (caller->known)
		snprintf(caller->own, sizeof(caller->own), "%s %016llx", caller->mailbox, (unsigned long long)mark);
	return caller->user == prepared.user && strcmp(caller->user_id, prepared.user_id) == 0 && caller->language == prepared.language;
}

/* ---- limits */

/* Why somebody has to wait, and how long: of several limits the one that lasts longest. */
struct refusal {
	enum error error;
	int64_t wait;
};

static void
refuse(struct refusal *refusal, enum error error, int64_t wait)
{
	if (wait > refusal->wait)
		*refusal = (struct refusal){ error, wait };
}

/* Until the caller may ask for a code. */
static struct refusal
request_limits(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller)
{
	struct refusal r = { ERROR_NONE, 0 };

	refuse(&r, ERROR_TOO_SOON, limit_wait(db, code_email, caller->own, now, conf->code_pause * SECOND, 1));
	refuse(&r, caller->known ? ERROR_TOO_MANY_CODES : ERROR_TOO_MANY_STRANGE_CODES,
		limit_wait(db, code_email, caller->own, now, HOUR, conf->code_hourly));
	if (!caller->known)
		refuse(&r, ERROR_TOO_MANY_STRANGE_CODES, limit_wait(db, code_email, caller->own, now, DAY, conf->code_daily_new));
	refuse(&r, ERROR_TOO_MANY_CODES, limit_wait_all(db, code_email, caller->mailbox, now, DAY, conf->code_daily));
	if (!caller->known)
		refuse(&r, ERROR_TOO_MANY_CLIENT_CODES,
			limit_client(db, conf, code_client, caller->client, now, HOUR, conf->client_hourly));
	return r;
}

/* Wrong tries for one mailbox. */
struct budget {
	const char *kind;
	int64_t daily;
};

static struct budget
wrong_budget(const struct conf *conf, const struct otp_caller *caller)
{
	return caller->digits < 6 ? (struct budget){ wrong_short, conf->daily_wrong_short } :
		(struct budget){ wrong_email, conf->daily_wrong };
}

static int64_t
wrong_wait(struct db *db, const struct budget *budget, const char *subject, int64_t now)
{
	return limit_wait(db, budget->kind, subject, now, DAY, budget->daily);
}

/*
 * Tells the operator, and those who look at the account. One to whom no account belongs is named by
 * nothing.
 */
static void
note_lock(struct db *db, int64_t now, const struct otp_caller *caller, const char *what)
{
	log_line(LOG_NOTE, "login_locked user=%s client=%s by=\"%s\"", caller->user ? caller->user_id : "-", caller->client, what);
	if (caller->user)
		audit_add(db, now, &(struct audit){ caller->user_id, caller->email, "session.locked", caller->user_id, caller->email,
			.after = what });
}

static void
count_wrong(struct db *db, const struct budget *budget, int64_t now, const struct otp_caller *caller, const char *subject)
{
	limit_count(db, budget->kind, subject, now, DAY);
	if (wrong_wait(db, budget, subject, now))
		note_lock(db, now, caller, subject == caller->mailbox ? "wrong codes, networks that are not known" :
			"wrong codes, a known network");
}

static struct refusal
client_limits(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller)
{
	struct refusal r = { ERROR_NONE, 0 };

	refuse(&r, ERROR_TOO_MANY_CLIENT_TRIES, limit_client(db, conf, wrong_client, caller->client, now, HOUR, conf->client_wrong_hourly));
	refuse(&r, ERROR_TOO_MANY_CLIENT_TRIES, limit_client(db, conf, wrong_client, caller->client, now, DAY, conf->client_wrong_daily));
	return r;
}

/* ---- a new code */

enum error
otp_request(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller, const struct outbox_new *mail,
	int64_t *wait)
{
	struct refusal r = request_limits(db, conf, now, caller);

	*wait = r.wait;
	if (r.error)
		return r.error;
	/* A failure of any of these sticks to db, and so to the response. */
	limit_count(db, code_email, caller->own, now, DAY);
	if (!caller->known)
		limit_count_client(db, conf, code_client, caller->client, now, HOUR);
	(void)!db_run(db, otp_sql[STORE_CODE], ARGS(caller->email, caller->network, (int64_t)caller->digits,
		value_blob(caller->code_mac, MAC_BYTES), mail->language, now, mail->expires), NULL);
	outbox_add(db, mail);
	return ERROR_NONE;
}

/* ---- trying */

struct live_code {
	char network[NETWORK_TEXT];	/* that asked for it */
	unsigned char mac[MAC_BYTES];
	enum language language;
	int64_t tries, strange_tries;	/* wrong ones, from that network and from others */
};

static size_t
live_codes(struct db *db, int64_t now, const struct otp_caller *caller, struct live_code codes[static LIVE_MAX])
{
	struct db_rows *row;
	size_t count = 0;

	for (enum db_rc rc = db_one(db, &row, otp_sql[LIVE_CODES], ARGS(caller->email, (int64_t)caller->digits, now, now + CLOCK_SLACK,
	     caller->network, LIVE_MAX)); rc == DB_ROW && count < LIVE_MAX; rc = db_next(row)) {
		struct live_code *code = &codes[count];
		if (db_size(row, 1) != MAC_BYTES || !language_of(db_text(row, 2), &code->language))
			continue;
		snprintf(code->network, sizeof(code->network), "%s", db_text(row, 0));
		memcpy(code->mac, db_blob(row, 1), MAC_BYTES);
		code->tries = db_int(row, 3);
		code->strange_tries = db_int(row, 4);
		count++;
	}
	db_end(row);
	return count;
}

/* What the codes of an address let the caller try. */
struct codes {
	struct live_code list[LIVE_MAX];
	size_t count;
	bool own;		/* the first is of the caller's network */
};

/* Until the caller may try: a spent code is replaced by a new one as soon as that may be asked for. */
static struct refusal
try_limits(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller, const struct codes *codes)
{
	const struct budget budget = wrong_budget(conf, caller);
	struct refusal r = client_limits(db, conf, now, caller);
	bool spent = codes->count > 0;

	if (codes->own || !caller->known)
		refuse(&r, caller->known ? ERROR_TOO_MANY_OWN_TRIES : ERROR_TOO_MANY_TRIES, wrong_wait(db, &budget, caller->own, now));
	else if (codes->count > 0)
		refuse(&r, ERROR_TOO_MANY_TRIES, wrong_wait(db, &budget, caller->mailbox, now));
	if (r.error)
		return r;
	if (codes->own)
		spent = codes->list[0].tries >= conf->code_tries;
	for (size_t i = 0; i < codes->count && !codes->own; i++)
		spent &= codes->list[i].strange_tries >= conf->code_tries;
	if (spent) {
		r = request_limits(db, conf, now, caller);
		r.error = ERROR_CODE_SPENT;
	}
	return r;
}

/* The code that is given; NULL when none of them is. What was compared in vain is counted. */
static const struct live_code *
compare(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller, const struct codes *codes)
{
	const struct budget budget = wrong_budget(conf, caller);

	for (size_t i = 0; i < codes->count; i++) {
		const struct live_code *code = &codes->list[i];
		bool own = codes->own && i == 0;

		if (!own && (code->strange_tries >= conf->code_tries || wrong_wait(db, &budget, caller->mailbox, now)))
			continue;
		if (secret_equal(code->mac, caller->code_mac, MAC_BYTES))
			return code;
		(void)!db_run(db, otp_sql[own ? COUNT_TRY : COUNT_STRANGE_TRY], ARGS(caller->email, code->network), NULL);
		count_wrong(db, &budget, now, caller, own && caller->known ? caller->own : caller->mailbox);
	}
	return NULL;
}

enum error
otp_verify(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller, enum language *language,
	int64_t *wait)
{
	struct codes codes;

	codes.count = live_codes(db, now, caller, codes.list);
	codes.own = codes.count > 0 && strcmp(codes.list[0].network, caller->network) == 0;
	struct refusal r = try_limits(db, conf, now, caller, &codes);
	*wait = r.wait;
	if (r.error)
		return r.error;

	const struct live_code *right = compare(db, conf, now, caller, &codes);
	if (right) {
		*language = right->language;
		return db_run(db, otp_sql[USE_CODE], ARGS(caller->email, right->network), NULL) == DB_DONE ? ERROR_NONE : ERROR_WRONG_CODE;
	}
	limit_count_client(db, conf, wrong_client, caller->client, now, DAY);
	log_line(LOG_NOTE, "login_wrong user=%s client=%s", caller->user ? caller->user_id : "-", caller->client);
	if (client_limits(db, conf, now, caller).error)
		log_line(LOG_NOTE, "login_locked user=- client=%s by=\"wrong codes, this network\"", caller->client);
	return ERROR_WRONG_CODE;
}

/* ---- afterwards */

void
otp_login(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller)
{
	(void)!db_run(db, otp_sql[KNOW], ARGS(value_blob(caller->network_mac, MAC_BYTES), caller->user, now), NULL);
	/* A class that logs in for the first time is no crowd of strangers. */
	if (!caller->known)
		limit_uncount_client(db, conf, code_client, caller->client);
	log_line(LOG_NOTE, "login user=%s client=%s", caller->user_id, caller->client);
	audit_add(db, now, &(struct audit){ caller->user_id, caller->email, "session.login", caller->user_id, caller->email,
		.after = caller->known ? NULL : "from a network that was not known" });
}

void
otp_unlock(struct db *db, const char *email, int64_t *events)
{
	char mailbox[EMAIL_TEXT];

	email_mailbox(mailbox, email);
	*events = limit_forget_all(db, code_email, mailbox) + limit_forget_all(db, wrong_email, mailbox) +
		limit_forget_all(db, wrong_short, mailbox);
	(void)!db_run(db, otp_sql[FORGET_TRIES], ARGS(mailbox), NULL);
}

enum db_rc
otp_expire_codes(struct db *db, int64_t until, int64_t limit, int64_t *count)
{
	return expiry_run(db, otp_sql + CODES, until, limit, count);
}

enum db_rc
otp_expire_networks(struct db *db, int64_t until, int64_t limit, int64_t *count)
{
	return expiry_run(db, otp_sql + NETWORKS, until, limit, count);
}
