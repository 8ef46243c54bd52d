/*
 * assignment - when a user first opened a PDF of a material that is assigned to them.
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

#endif
