/* users - requesting the deletion of one's own account, and cancelling that. */
#include "audit.h"
#include "user.h"
#include "users.h"

/* clang-format off */
static const struct shape deletion = { .name = "AccountDeletionV1ResponseDto", .fields = FIELDS(
	{ "status", FIELD_ENUM, .oneof = user_deletion_states, .example = "\"pending\"" },
	{ "requestedAt", FIELD_TIME, .nullable = true },
	{ "scheduledFor", FIELD_TIME, .nullable = true },
	{ "cancelledAt", FIELD_TIME, .nullable = true }) };

#define REQUESTS_DAILY 10	/* each request adds a row to the audit trail, and needs no completed registration */

enum { SHOW, MAY_GO, REQUESTS };

static const char *const sql[] = {
	[SHOW] =
		"SELECT deletion_status AS status, deletion_requested_at AS requested_at,"
		" deletion_scheduled_for AS scheduled_for, deletion_cancelled_at AS cancelled_at FROM users WHERE pk = ?1",
	[MAY_GO] = "SELECT 1 FROM users WHERE pk = ?1 AND " USER_MAY_GO,
	[REQUESTS] = "SELECT count(*), min(at) FROM audit WHERE subject_id = ?1 AND action = 'user.deletion-requested'"
		" AND at > ?2 AND at <= ?3",
};

static response_handler post_deletion, delete_deletion;

static const struct route routes[] = {
	{ POST, "/api/v1/users/me/account-deletion", USER, post_deletion, .out = &deletion, .status = 201, .writes = true,
	  .unregistered = true, .being_deleted = true, .errors = STATUSES(409, 429), .title = "Ask for the deletion of one's account",
	  .note = "Done after 28 days. Until then the account can log in, but only to cancel." },
	{ DELETE, "/api/v1/users/me/account-deletion", USER, delete_deletion, .out = &deletion, .writes = true,
	  .unregistered = true, .being_deleted = true, .errors = STATUSES(409), .title = "Cancel it within the grace period" },
};

const struct section users_deletion = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

static struct response
record_change(struct request *rq, const char *action)
{
	audit_add(rq->db, rq->now, &(struct audit){ rq->user->id, rq->user->email, action, rq->user->id, rq->user->email });
	return response_row(rq, sql[SHOW], ARGS(rq->user->pk), &deletion);
}

/* Milliseconds until the caller may request it again; 0: now. */
static int64_t
request_wait(struct request *rq)
{
	struct db_rows *row;
	int64_t wait = 0;

	if (db_one(rq->db, &row, sql[REQUESTS], ARGS(rq->user->id, rq->now - DAY, rq->now + CLOCK_SLACK)) == DB_ROW &&
		db_int(row, 0) >= REQUESTS_DAILY)
		wait = db_int(row, 1) + DAY - rq->now;
	db_end(row);
	return wait < DAY ? wait : DAY;
}

static struct response
post_deletion(struct request *rq)
{
	int64_t wait = request_wait(rq);

	if (wait > 0)
		return response_wait(rq, ERROR_TOO_MANY_REQUESTS, wait);
	if (db_number(rq->db, NULL, sql[MAY_GO], ARGS(rq->user->pk)) != DB_ROW)
		return response_error(rq, ERROR_LAST_SUPERADMIN);
	if (!user_ask_deletion(rq->db, rq->user->pk, rq->now + rq->conf->deletion_grace * DAY, rq->now))
		return response_error(rq, ERROR_DELETION_PENDING);
	return record_change(rq, "user.deletion-requested");
}

static struct response
delete_deletion(struct request *rq)
{
	if (!user_cancel_deletion(rq->db, rq->user->pk, rq->now))
		return response_error(rq, ERROR_NO_DELETION);
	return record_change(rq, "user.deletion-cancelled");
}
