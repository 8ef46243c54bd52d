#include "audit.h"

enum { ADD, LOGINS, DROP_LOGINS };

#define OLD_LOGIN "at <= ?1 AND action IN ('session.login', 'session.locked')"

static const char *const audit_sql[] = {
	[ADD] = "INSERT INTO audit (at, actor_id, actor_email, action, subject_id, subject, before, after)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[LOGINS] = "SELECT count(*) FROM audit WHERE " OLD_LOGIN,
	[DROP_LOGINS] = "DELETE FROM audit WHERE pk IN (SELECT pk FROM audit WHERE " OLD_LOGIN " LIMIT ?2)",
};
const struct db_statements audit_statements = { audit_sql, COUNT(audit_sql) };
const expiry audit_expiry_logins = audit_sql + LOGINS;

void
audit_add(struct db *db, int64_t now, const struct audit *entry)
{
	db_send(db, audit_sql[ADD],
		ARGS(now, entry->actor_id, entry->actor_email, entry->action, entry->subject_id, entry->subject, entry->before,
			entry->after));
}
