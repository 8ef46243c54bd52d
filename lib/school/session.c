#include "session.h"

#include "clock.h"

/* clang-format off */
enum { OF_SESSION, ADD, ROTATE, END, END_OWN, END_ALL, EXPIRED, DROP_EXPIRED, AHEAD, SHORTEN };

/* Of tokens that were replaced within the grace period only so many are accepted. */
#define RECENT_KEPT "63"

/* Session, role and the whole profile in one statement: two b-tree lookups, and GET /me needs no other. */
static const char *const session_sql[] = {
	[OF_SESSION] =
		"SELECT session.pk, session.id, users.pk, users.is_active, users.deletion_status = 'pending', "
		USER_PROFILE_COLUMNS " FROM session JOIN users ON users.pk = session.user_pk"
		" WHERE session.id = ?1 AND session.expires_at > ?2",
	[ADD] =
		"INSERT INTO session (id, user_pk, seed, rotated_at, created_at, last_used_at, expires_at, ip, user_agent)"
		" VALUES (?1, ?2, ?3, ?4, ?4, ?4, ?5, ?6, ?7)",
	/* ?3 now, ?4 a session's life, ?5 the grace period, ?6 its life without use. A login in the future counts as now. */
	[ROTATE] =
		"UPDATE session SET counter = counter + 1, rotated_at = ?3, last_used_at = ?3,"
		" created_at = " SQL_LEAST("created_at", "?3") ","
		" expires_at = " SQL_LEAST("?3 + ?6", SQL_LEAST("created_at", "?3") " + ?4") ","
		" recent = CASE WHEN rotated_at > ?3 + 1000 THEN " SQL_JSON_ONE("?3") " ELSE (SELECT " SQL_JSON_LIST("value")
		" FROM (SELECT ?3 AS value UNION ALL SELECT value FROM (SELECT value FROM " SQL_JSON_NUMBERS("session.recent")
		" WHERE value >= ?3 - ?5 ORDER BY value DESC LIMIT " RECENT_KEPT ") AS earlier) AS kept) END"
		" WHERE pk = ?1 AND counter = ?2 RETURNING counter, expires_at",
	[END] = "DELETE FROM session WHERE pk = ?1",
	[END_OWN] = "DELETE FROM session WHERE user_pk = ?1 AND id = ?2 AND expires_at > ?3",
	[END_ALL] = "DELETE FROM session WHERE user_pk = ?1",
	[EXPIRED] = "SELECT count(*) FROM session WHERE expires_at <= ?1",
	[DROP_EXPIRED] = "DELETE FROM session WHERE pk IN (SELECT pk FROM session WHERE expires_at <= ?1 LIMIT ?2)",
	[AHEAD] = "SELECT count(*) FROM session WHERE expires_at > ?1",
	[SHORTEN] =
		"UPDATE session SET expires_at = ?1 WHERE pk IN (SELECT pk FROM session WHERE expires_at > ?1 LIMIT ?2)",
};
const struct db_statements session_statements = { session_sql, COUNT(session_sql) };
const expiry session_expiry = session_sql + EXPIRED;
const expiry session_expiry_ahead = session_sql + AHEAD;

/* Positions in user_profile. */
enum { COLUMN_ID = SESSION_ROW_PROFILE, COLUMN_EMAIL, COLUMN_ROLE, COLUMN_LANGUAGE = SESSION_ROW_PROFILE + 6,
	COLUMN_REGISTERED = SESSION_ROW_PROFILE + USER_COLUMN_REGISTERED };
/* clang-format on */

/* The active user of a session that is live at `now`; false where there is none. */
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
	struct claims claims;
	enum token_verdict verdict = TOKEN_GOOD;

	if (authorization) {
		const char *token = token_bearer(authorization, &length);
		verdict = token ? token_check(token, length, now, &claims) : TOKEN_BAD;
	} else {
		claims.expires = caller->token_expires;
		memcpy(claims.user, caller->id, sizeof(claims.user));
		memcpy(claims.session, caller->session_id, sizeof(claims.session));
	}
	if (verdict == TOKEN_NO_MEMORY)
		return ERROR_BUSY;
	return verdict == TOKEN_GOOD && user_of_session(db, &claims, now, caller) ? ERROR_NONE : ERROR_BAD_TOKEN;
}

/* ---- rows */

void
session_add(struct db *db, const struct session_new *session, int64_t now)
{
	db_send(db, session_sql[ADD],
		ARGS(session->id, session->user, value_blob(session->seed, REFRESH_SEED), now, session->expires, session->client,
			session->user_agent));
}

bool
session_rotate(struct db *db, const struct conf *conf, int64_t pk, uint32_t *counter, int64_t *expires, int64_t now)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, session_sql[ROTATE],
		ARGS(pk, *counter, now, conf->session_life * SECOND, conf->refresh_grace * SECOND, conf->refresh_life * SECOND));

	if (rc == DB_ROW) {
		*counter = (uint32_t)db_int(row, 0);
		*expires = db_int(row, 1);
	}
	db_end(row);
	return rc == DB_ROW;
}

void
session_end(struct db *db, int64_t pk)
{
	db_send(db, session_sql[END], ARGS(pk));
}

bool
session_end_own(struct db *db, int64_t user, const char *id, int64_t now)
{
	return db_change(db, session_sql[END_OWN], ARGS(user, id, now)) > 0;
}

void
session_end_all(struct db *db, int64_t user)
{
	db_send(db, session_sql[END_ALL], ARGS(user));
}
