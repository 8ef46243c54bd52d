/* audit - the audit trail: who changed what. Written in the transaction of the change. */
#ifndef OKUL_AUDIT_H
#define OKUL_AUDIT_H

#include "db.h"
#include "expiry.h"

extern const struct db_statements audit_statements;

struct audit {
	const char *actor_id, *actor_email;	/* NULL: the operator */
	const char *action;			/* "user.role" */
	const char *subject_id, *subject;	/* id, and address or key */
	const char *before, *after;		/* may be NULL */
};

/* Inside a write transaction; a failure sticks to db. */
void audit_add(struct db *db, int64_t now, const struct audit *entry);

/* Only logins expire. */
extern const expiry audit_expiry_logins;

#endif
