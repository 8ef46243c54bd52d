/*
 * audit - who changed what on whom. Written in the transaction of the change, so that one is never there without the other.
 */
#ifndef OKUL_AUDIT_H
#define OKUL_AUDIT_H

#include "base.h"
#include "db.h"
#include "expiry.h"

extern const struct db_statements audit_statements;

struct audit {
	const char *actor_id, *actor_email;	/* NULL: the operator */
	const char *action;			/* "user.role" */
	const char *subject_id, *subject;	/* id and address or key */
	const char *before, *after;		/* NULL where there is none */
};

/* Inside a write transaction; a failure sticks to db. */
void audit_add(struct db *db, int64_t now, const struct audit *entry);

/* Logins up to `until`: they come without end, where the rest of the audit stays. */
expiry_call audit_expire_logins;

#endif
