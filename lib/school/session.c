#include "session.h"

#include "token.h"

enum { OF_SESSION };

/* Session, role and the whole profile in one look: two b-tree descents, and GET /me needs no further statement. */
static const char *const session_sql[] = {
	[OF_SESSION] =
		"SELECT session.pk, session.id, user.pk, user.is_active, user.deletion_status = 'pending', " USER_PROFILE_COLUMNS
		" FROM session JOIN user ON user.pk = session.user"
		" WHERE session.id = ?1 AND session.expires_at > ?2",
};
const struct db_statements session_statements = { session_sql, COUNT(session_sql) };

/* Positions in user_profile. */
enum { COLUMN_ID = SESSION_ROW_PROFILE, COLUMN_EMAIL, COLUMN_ROLE, COLUMN_LANGUAGE = SESSION_ROW_PROFILE + 6,
	COLUMN_REGISTERED = SESSION_ROW_PROFILE + USER_COLUMN_REGISTERED };

/* The active user of a session that lives at `now`; false when there is none. */
static bool
user_of_session(struct db *db, const struct claims *claims, int64_t now, struct caller *caller)
{
	struct db_rows *row;

	if (db_one(db, &row, session_sql[OF_SESSION], ARGS(claims->session, now)) != DB_ROW)
		return false;
	if (!db_flag(row, 3) || strcmp(db_text(row, COLUMN_ID), claims->user) != 0)
		return false;
	*caller = (struct caller){
		.pk = db_int(row, 2),
		.id = db_text(row, COLUMN_ID),
		.email = db_text(row, COLUMN_EMAIL),
		.role = role_of(db_text(row, COLUMN_ROLE)),
		.registered = db_flag(row, COLUMN_REGISTERED),
		.being_deleted = db_flag(row, 4),
		.session = db_int(row, 0),
		.session_id = db_text(row, 1),
		.token_expires = claims->expires,
		.row = row,
	};
	return language_of(db_text(row, COLUMN_LANGUAGE), &caller->language);
}

enum error
session_authenticate(struct db *db, const char *authorization, int64_t now, struct caller *caller)
{
	size_t length;
	const char *token = token_bearer(authorization, &length);
	struct claims claims;

	switch (token ? token_check(token, length, now, &claims) : TOKEN_BAD) {
	case TOKEN_NO_MEMORY:
		return BUSY;
	case TOKEN_GOOD:
		return user_of_session(db, &claims, now, caller) ? NO_ERROR : BAD_TOKEN;
	default:
		return BAD_TOKEN;
	}
}
