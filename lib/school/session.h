/*
 * session - turns the access token of a request into its user.
 */
#ifndef OKUL_SESSION_H
#define OKUL_SESSION_H

#include "base.h"
#include "caller.h"
#include "db.h"
#include "error.h"
#include "user.h"

extern const struct db_statements session_statements;

/*
 * The user of an Authorization header ("Bearer TOKEN") at `now`, when the token is good, its session lives and the user is active.
 * One statement; `caller` borrows from its row, of which the columns from SESSION_ROW_PROFILE on are those of user_profile.
 * Returns NO_ERROR, BAD_TOKEN, or BUSY where nobody can tell: memory is short, or the read failed, which sticks to db.
 */
must_use enum error session_authenticate(struct db *db, const char *authorization, int64_t now, struct caller *caller);

#define SESSION_ROW_PROFILE 5

#endif
