/*
 * assignment - the materials assigned to users, and when a user first opened a PDF of one. Functions that change rows
 * run inside a write transaction.
 */
#ifndef OKUL_ASSIGNMENT_H
#define OKUL_ASSIGNMENT_H

#include "db.h"

extern const struct db_statements assignment_statements;

/* True when the file is a PDF of a material that is assigned to the user (id), who has not opened any PDF of it. */
must_use bool assignment_unopened(struct db *db, const char *key, const char *user);
/* Notes that the user has. A failure sticks to db. */
void assignment_open(struct db *db, const char *key, const char *user, int64_t now);

struct assignment {
	int64_t material, user, assigned_by;	/* pk */
	int64_t assigned_at, opened_at;		/* milliseconds; opened_at 0: not yet */
	const char *note;			/* NULL: none */
};

/* Returns false, without a change, when the material is assigned to the user already. A failure sticks to db. */
must_use bool assignment_add(struct db *db, const struct assignment *assignment);
/*
 * By ids. Returns DB_ROW and a row with the user's address and the material's title, or DB_DONE without such an
 * assignment.
 */
must_use enum db_rc assignment_remove(struct db *db, struct db_rows **row, const char *material, const char *user);

#endif
