/*
 * users - a person's own account: asking for its deletion, taking that back, and a copy of all that is stored.
 */
#include "audit.h"
#include "users.h"

static const struct shape deletion = { .name = "AccountDeletionV1ResponseDto", .fields = FIELDS(
	{ "status", ENUM, .oneof = user_deletion_states, .example = "\"pending\"" },
	{ "requestedAt", TIME, .nullable = true },
	{ "scheduledFor", TIME, .nullable = true },
	{ "cancelledAt", TIME, .nullable = true }) };

static const struct shape export_event = { .name = "AccountEventDto", .fields = FIELDS(
	{ "kind", TEXT, 1, 100, .example = "\"code-email\"", .note = "what was counted towards a limit" },
	{ "at", TIME }) };

static const struct shape export_change = { .name = "AccountChangeDto", .fields = FIELDS(
	{ "at", TIME },
	{ "action", TEXT, 1, 100, .example = "\"user.role\"" },
	{ "before", TEXT, .nullable = true },
	{ "after", TEXT, .nullable = true }) };

static const struct shape export_session = { .name = "AccountSessionDto", .fields = FIELDS(
	{ "id", ID },
	{ "createdAt", TIME },
	{ "lastUsedAt", TIME },
	{ "expiresAt", TIME },
	{ "ip", TEXT, 0, 45, .nullable = true, .example = "\"127.0.0.1\"" },
	{ "userAgent", TEXT, 0, 256, .nullable = true, .example = "\"curl/7.88.1\"" }) };

static const struct shape export_mail = { .name = "AccountMailDto", .fields = FIELDS(
	{ "id", ID },
	{ "template", TEXT, 1, 100, .example = "\"login-code\"" },
	{ "createdAt", TIME },
	{ "attempts", INT }) };

static const struct shape export_consent = { .name = "AccountConsentDto", .fields = FIELDS(
	{ "text", TEXT, 1, 100, .example = "\"privacyPolicy\"" },
	{ "version", TEXT, 0, 20, .nullable = true, .example = "\"1.2.0\"" },
	{ "acceptedAt", TIME }) };

static const struct shape export = { .name = "AccountExportDto", .fields = FIELDS(
	{ "generatedAt", TIME },
	{ "profile", OBJECT, .of = &user_profile },
	{ "account", OBJECT, .of = &user_v1 },
	{ "registeredAt", TIME, .nullable = true },
	{ "consents", LIST, .of = &export_consent },
	{ "sessions", LIST, .of = &export_session },
	{ "changes", LIST, .of = &export_change, .note = "what was changed on the account, and by the account on others" },
	{ "events", LIST, .of = &export_event },
	{ "waitingMails", LIST, .of = &export_mail }) };

enum { SHOW, ASK, CANCEL, MAY_GO, ACCOUNT, CONSENTS, SESSIONS, CHANGES, EVENTS, MAILS };

#define CONSENT(text, column) \
	"SELECT '" text "' AS text, " column "_version AS version, " column "_at AS acceptedAt" \
	" FROM user WHERE pk = ?1 AND " column "_at IS NOT NULL"

static const char *const sql[] = {
	[SHOW] =
		"SELECT deletion_status AS status, deletion_requested_at AS requestedAt, deletion_scheduled_for AS scheduledFor,"
		" deletion_cancelled_at AS cancelledAt FROM user WHERE pk = ?1",
	[ASK] =
		"UPDATE user SET deletion_status = 'pending', deletion_requested_at = ?2, deletion_scheduled_for = ?3,"
		" deletion_cancelled_at = NULL, updated_at = ?2 WHERE pk = ?1 AND deletion_status <> 'pending'",
	[CANCEL] =
		"UPDATE user SET deletion_status = 'cancelled', deletion_cancelled_at = ?2, deletion_scheduled_for = NULL,"
		" updated_at = ?2 WHERE pk = ?1 AND deletion_status = 'pending'",
	[MAY_GO] = "SELECT 1 FROM user WHERE pk = ?1 AND " USER_MAY_GO,
	[ACCOUNT] = "SELECT registered_at, " USER_V1_COLUMNS " FROM user WHERE pk = ?1",
	[CONSENTS] =
		CONSENT("privacyPolicy", "privacy_policy") " UNION ALL " CONSENT("termsOfUse", "terms_of_use") " UNION ALL "
		CONSENT("consentForm", "consent_form"),
	[SESSIONS] =
		"SELECT id, created_at AS createdAt, last_used_at AS lastUsedAt, expires_at AS expiresAt, ip,"
		" user_agent AS userAgent FROM session WHERE user = ?1 ORDER BY pk",
	[CHANGES] =
		"SELECT at, action, before, after FROM audit WHERE subject_id = ?1 UNION ALL"
		" SELECT at, action, NULL, NULL FROM audit WHERE actor_id = ?1 AND subject_id <> ?1 ORDER BY at",
	[EVENTS] = "SELECT kind, at FROM event WHERE kind IN ('code-email', 'wrong-email') AND subject = ?1 ORDER BY at",
	[MAILS] = "SELECT id, template, created_at AS createdAt, attempts FROM outbox WHERE recipient = ?1 ORDER BY pk",
};

static struct reply get_export(struct request *rq);
static struct reply post_deletion(struct request *rq);
static struct reply delete_deletion(struct request *rq);

static const struct route routes[] = {
	{ GET, "/me/export", USER, get_export, .out = &export, .no_store = true, .unregistered = true,
	  .being_deleted = true,
	  .title = "Everything stored about the caller", .note = "A copy of one's data (GDPR, article 15)." },
	{ POST, "/api/v1/users/me/account-deletion", USER, post_deletion, .out = &deletion, .status = 201, .writes = true,
	  .unregistered = true, .being_deleted = true, .errors = STATUSES(409), .title = "Ask for the deletion of one's account",
	  .note = "Done after 28 days. Until then the account can log in, but only to cancel." },
	{ DELETE, "/api/v1/users/me/account-deletion", USER, delete_deletion, .out = &deletion, .writes = true,
	  .unregistered = true, .being_deleted = true, .errors = STATUSES(409), .title = "Cancel it within the grace period" },
};

const struct section users_deletion = { routes, COUNT(routes), sql, COUNT(sql) };

static struct reply
reply_changed(struct request *rq, const char *change, struct args args, enum error unchanged, const char *action)
{
	int64_t changed = 0;

	(void)!db_run(rq->db, change, args, &changed);
	if (changed == 0)
		return reply_error(rq, unchanged);
	audit_add(rq->db, rq->now, &(struct audit){ rq->user->id, rq->user->email, action, rq->user->id, rq->user->email, NULL, NULL });
	return reply_row(rq, sql[SHOW], ARGS(rq->user->pk), &deletion);
}

static struct reply
post_deletion(struct request *rq)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[MAY_GO], ARGS(rq->user->pk)) != DB_ROW)
		return reply_error(rq, LAST_SUPERADMIN);
	return reply_changed(rq, sql[ASK], ARGS(rq->user->pk, rq->now, rq->now + rq->conf->deletion_grace * DAY),
		DELETION_PENDING, "user.deletion-requested");
}

static struct reply
delete_deletion(struct request *rq)
{
	return reply_changed(rq, sql[CANCEL], ARGS(rq->user->pk, rq->now), NO_DELETION, "user.deletion-cancelled");
}

/* ---- a copy of everything */

static struct reply
get_export(struct request *rq)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[ACCOUNT], ARGS(rq->user->pk)) != DB_ROW)
		return reply_error(rq, NOT_FOUND);
	reply_begin(rq);
	put_time(rq, "generatedAt", rq->now);
	put_row_object(rq, "profile", &user_profile, rq->user->row, USER_ROW_PROFILE);
	put_row_object(rq, "account", &user_v1, row, 1);
	if (db_is_null(row, 0))
		put_null(rq, "registeredAt");
	else
		put_time(rq, "registeredAt", db_int(row, 0));
	db_end(row);
	put_rows(rq, "consents", sql[CONSENTS], ARGS(rq->user->pk), &export_consent);
	put_rows(rq, "sessions", sql[SESSIONS], ARGS(rq->user->pk), &export_session);
	put_rows(rq, "changes", sql[CHANGES], ARGS(rq->user->id), &export_change);
	put_rows(rq, "events", sql[EVENTS], ARGS(rq->user->email), &export_event);
	put_rows(rq, "waitingMails", sql[MAILS], ARGS(rq->user->email), &export_mail);
	return reply_done(rq);
}
