/* session - the logins of users: finds the user of an access token, and owns the rows of the table. */
#ifndef OKUL_SESSION_H
#define OKUL_SESSION_H

#include "base.h"
#include "caller.h"
#include "conf.h"
#include "db.h"
#include "error.h"
#include "expiry.h"
#include "token.h"
#include "user.h"

extern const struct db_statements session_statements;

/*
 * The user of an Authorization header ("Bearer TOKEN") at `now`, when the token is valid, its session is live and the
 * user is active. `caller` borrows from its row, of which the columns from SESSION_ROW_PROFILE on are those of
 * user_profile. With `authorization` NULL reads the user of `caller`, whom it found earlier, again. Returns
 * ERROR_NONE, ERROR_BAD_TOKEN, or ERROR_BUSY when memory is short; a failure of the database sticks to db.
 */
must_use enum error session_authenticate(struct db *db, const char *authorization, int64_t now, struct caller *caller);

#define SESSION_ROW_PROFILE 5

/* ---- Rows. Inside a write transaction; a failure sticks to db. */

struct session_new {
	const char *id;
	int64_t user;			/* pk */
	const unsigned char *seed;	/* REFRESH_SEED bytes, from which its refresh tokens are derived */
	int64_t expires;		/* milliseconds */
	const char *client, *user_agent;	/* address and program of the client; NULL: unknown */
};

/* Adds a session. */
void session_add(struct db *db, const struct session_new *session, int64_t now);
/* Replaces the refresh token of that counter; sets counter and expiry of its successor. False when it is not current. */
must_use bool session_rotate(struct db *db, const struct conf *conf, int64_t pk, uint32_t *counter, int64_t *expires,
	int64_t now);
void session_end(struct db *db, int64_t pk);
/* Ends the session with that id; false when the user has no such session that is live at `now`. */
must_use bool session_end_own(struct db *db, int64_t user, const char *id, int64_t now);
void session_end_all(struct db *db, int64_t user);

/* Sessions that expired by `until`. */
extern const expiry session_expiry;
/* Sessions that end after `until`, since they were used when the clock was ahead: they end at `until`. */
extern const expiry session_expiry_ahead;

#endif
