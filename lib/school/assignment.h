/*
 * assignment - the materials that users have been assigned, and when each of them first opened a PDF of one. What changes rows
 * runs inside a write transaction.
 */
#ifndef OKUL_ASSIGNMENT_H
#define OKUL_ASSIGNMENT_H

#include "base.h"
#include "db.h"

extern const struct db_statements assignment_statements;

/* Whether the file with that key is of a material that this user (id) has been assigned, and has opened no PDF of. Reads only. */
must_use bool assignment_unopened(struct db *db, const char *key, const char *user);
/* Notes that they have, inside a write transaction; a failure sticks to db. */
void assignment_open(struct db *db, const char *key, const char *user, int64_t now);

struct assignment {
	int64_t material, user, assigned_by;	/* pk */
	int64_t assigned_at, opened_at;		/* milliseconds; opened_at 0: not yet */
	const char *note;			/* NULL: none */
};

/* DB_DONE or a failure. `*added` is false when the user has been assigned that material already: nothing changes then. */
must_use enum db_rc assignment_add(struct db *db, const struct assignment *assignment, bool *added);
/* By ids. DB_ROW and a row with the user's address and the material's title, or DB_DONE when there is no such assignment. */
must_use enum db_rc assignment_remove(struct db *db, struct db_rows **row, const char *material, const char *user);

#endif
