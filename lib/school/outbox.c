#include "outbox.h"
#include "sql.h"

#include "clock.h"

enum { ADD, DUE, CORRECT_AHEAD, LEASED, TAKE_OVER, LET_GO, CLAIM, DROP, PUT_OFF, GIVE_BACK, EXPIRED, DROP_EXPIRED };

/* At time ?1: waits longer than the lease or the longest pause, ?2 and ?3, allow; so the clock was ahead at its writing. */
#define IS_AHEAD \
	"next_at > ?1 AND next_at > ?1 + CASE WHEN attempts = 0 THEN 0 WHEN attempts < 4 THEN CAST(?2 AS BIGINT) ELSE CAST(?3 AS BIGINT) END"

/* At time ?1: a sender holds the row. One that is put off has a last_error, one that was given back is due. */
#define IS_LEASED "next_at > ?1 AND attempts > 0 AND last_error IS NULL"

static const char *const outbox_sql[] = {
	/* The triggers user_deactivated and user_leaving delete mails that wait already. */
	[ADD] = "INSERT INTO outbox (id, recipient, language, template, sealed, created_at, expires_at, next_at) "
		"SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE ?4 IN ('login-code', 'contact-reply', 'email-changed') OR "
		"NOT EXISTS (SELECT 1 FROM users WHERE email = ?2 AND (NOT is_active OR deletion_status = 'pending'))",
	[DUE] = "SELECT min(next_at), EXISTS (SELECT 1 FROM outbox WHERE " IS_AHEAD ") FROM outbox",
	[CORRECT_AHEAD] = "UPDATE outbox SET next_at = ?1, created_at = " SQL_LEAST(
		"created_at", "?1") ", "
				    "expires_at = " SQL_LEAST("expires_at", "?1 + 86400000") " WHERE " IS_AHEAD,
	[LEASED] = "SELECT 1 FROM outbox WHERE " IS_LEASED " LIMIT 1",
	/* Due again at their outbox_turn(); ?2 is the turn of 0, 0. */
	[TAKE_OVER] = "UPDATE outbox SET next_at = " SQL_LEAST(
		"created_at", "expires_at + ?2") " WHERE " IS_LEASED " AND next_at <= ?3 AND " SQL_IS_LEFT("pk"),
	[LET_GO] = "SELECT " SQL_LET_GO,
	[CLAIM] = "UPDATE outbox SET next_at = ?2, attempts = attempts + 1, last_error = NULL "
		  "WHERE pk IN (SELECT pk FROM outbox WHERE next_at <= ?1 ORDER BY next_at LIMIT ?3" SQL_SKIP_LOCKED ") "
		  "RETURNING id, recipient, language, template, sealed, created_at, expires_at, attempts, " SQL_HOLD("pk"),
	[DROP] = "DELETE FROM outbox WHERE id = ?1",
	[PUT_OFF] = "UPDATE outbox SET next_at = ?3, last_error = ?4 WHERE id = ?1 AND attempts = ?2",
	[GIVE_BACK] = "UPDATE outbox SET next_at = ?3, attempts = attempts - 1 WHERE id = ?1 AND attempts = ?2",
	/* next_at, which has an index, is never later than expires_at. */
	[EXPIRED] = "SELECT count(*) FROM outbox WHERE next_at <= ?1 AND expires_at <= ?1",
	[DROP_EXPIRED] =
		"DELETE FROM outbox WHERE pk IN (SELECT pk FROM outbox WHERE next_at <= ?1 AND expires_at <= ?1 LIMIT ?2)",
};
const struct db_statements outbox_statements = { outbox_sql, COUNT(outbox_sql) };
const expiry outbox_expiry = outbox_sql + EXPIRED;

void
outbox_add(struct db *db, const struct outbox_new *mail)
{
	db_send(db, outbox_sql[ADD],
		ARGS(mail->id, mail->to, mail->language, mail->template, mail->sealed, mail->created, mail->expires,
			outbox_turn(mail->created, mail->expires)));
}

bool
outbox_fits(const struct outbox_new *mail, const char *to, const char *language)
{
	return mail && mail->to && strcmp(mail->to, to) == 0 && strcmp(mail->language, language) == 0;
}

int64_t
outbox_turn(int64_t created, int64_t expires)
{
	return expires - OUTBOX_LIFE < created ? expires - OUTBOX_LIFE : created;
}

enum db_rc
outbox_due(struct db *db, int64_t now, int64_t lease, int64_t pause, int64_t *due, bool *ahead)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, outbox_sql[DUE], ARGS(now, lease, pause));

	*due = rc == DB_ROW && !db_is_null(row, 0) ? db_int(row, 0) : INT64_MAX;
	*ahead = rc == DB_ROW && db_flag(row, 1);
	db_end(row);
	return rc == DB_ROW ? DB_DONE : rc;
}

void
outbox_correct_ahead(struct db *db, int64_t now, int64_t lease, int64_t pause)
{
	db_change(db, outbox_sql[CORRECT_AHEAD], ARGS(now, lease, pause));
}

enum db_rc
outbox_claim(struct db *db, struct db_rows **rows, int64_t now, int64_t until, int64_t limit)
{
	return db_query(db, rows, outbox_sql[CLAIM], ARGS(now, until, limit));
}

enum db_rc
outbox_let_go(struct db *db)
{
	enum db_rc rc = db_number(db, NULL, outbox_sql[LET_GO], NO_ARGS);

	return rc == DB_ROW ? DB_DONE : rc;
}

enum db_rc
outbox_drop(struct db *db, const char *id)
{
	return db_run(db, outbox_sql[DROP], ARGS(id), NULL);
}

enum db_rc
outbox_put_off(struct db *db, const char *id, int64_t attempts, int64_t next, const char *why)
{
	return db_run(db, outbox_sql[PUT_OFF], ARGS(id, attempts, next, why), NULL);
}

enum db_rc
outbox_give_back(struct db *db, const char *id, int64_t attempts, int64_t turn)
{
	return db_run(db, outbox_sql[GIVE_BACK], ARGS(id, attempts, turn), NULL);
}

bool
outbox_leased(struct db *db, int64_t now)
{
	return db_number(db, NULL, outbox_sql[LEASED], ARGS(now)) == DB_ROW;
}

int64_t
outbox_take_over(struct db *db, int64_t now, int64_t until)
{
	return db_change(db, outbox_sql[TAKE_OVER], ARGS(now, outbox_turn(0, 0), until));
}
