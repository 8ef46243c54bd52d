/*
 * users - the caller's own profile.
 */
#include "app.h"

static const struct shape optional_auth = { .name = "OptionalAuthResponseDto", .fields = FIELDS(
	{ "isAuthenticated", BOOL },
	{ "message", TEXT, 1, 200, .example = "\"You are logged in\"" },
	{ "user", OBJECT, .of = &user_profile, .nullable = true }) };

enum { PROFILE, USERNAME, UPDATE_ME };

/* A column keeps its value unless the body names the field; null in the body is NULL in the column. */
#define CHANGED(column, field) \
	column " = CASE WHEN json_type(?1, '$." field "') IS NULL THEN " column " ELSE ?1 ->> '$." field "' END, "

static const char *const sql[] = {
	[PROFILE] = "SELECT " USER_PROFILE_COLUMNS " FROM user WHERE pk = ?1",
	[USERNAME] = "SELECT username, username_changed_at FROM user WHERE pk = ?1",
	[UPDATE_ME] =
		"UPDATE user SET "
		CHANGED("name", "name") CHANGED("surname", "surname") CHANGED("username", "username")
		CHANGED("language", "language") CHANGED("country_code", "countryCode") CHANGED("phone_number", "phoneNumber")
		CHANGED("profile_photo", "profilePhoto") CHANGED("availability", "availabilityStatus")
		CHANGED("birth_date", "birthDate") CHANGED("gender", "gender") CHANGED("interests", "interests")
		CHANGED("expertise", "expertise") CHANGED("bio", "bio") CHANGED("instagram", "instagram") CHANGED("x", "x")
		CHANGED("tiktok", "tiktok") CHANGED("snapchat", "snapchat") CHANGED("facebook", "facebook")
		CHANGED("timezone", "timezone")
		"username_changed_at = CASE WHEN json_type(?1, '$.username') IS NULL OR username IS ?1 ->> '$.username'"
		" THEN username_changed_at ELSE ?2 END, "
		"updated_at = ?2 WHERE pk = ?3",
};

static struct reply get_me(struct request *rq);
static struct reply patch_me(struct request *rq);
static struct reply get_me_optional(struct request *rq);

static const struct route routes[] = {
	{ GET, "/me", USER, get_me, .out = &user_profile_response, .unregistered = true, .title = "Kullanıcı profili",
	  .note = "The caller's own profile." },
	{ PATCH, "/me", USER, patch_me, .in = &user_update_me, .out = &user_profile_response, .writes = true,
	  .unregistered = true, .errors = STATUSES(409), .title = "Update current user profile",
	  .note = "Changes the fields that are named and no others.", .example = "{\"name\":\"Ayşe\",\"language\":\"tr\"}" },
	{ GET, "/me/optional", OPTIONAL, get_me_optional, .out = &optional_auth, .title = "Opsiyonel kimlik doğrulama",
	  .note = "Always 200: with a good token the user, else isAuthenticated false." },
};

#define USERNAME_REST (30 * DAY)

static struct reply
get_me(struct request *rq)
{
	reply_begin(rq);
	put_row(rq, &user_profile, rq->user->row, USER_ROW_PROFILE);
	return reply_done(rq);
}

/* A username is free to be set the first time, and rests for 30 days after each change. */
static bool
username_rests(struct request *rq, const char *username)
{
	struct db_rows *row;
	bool rests = db_one(rq->db, &row, sql[USERNAME], ARGS(rq->user->pk)) == DB_ROW && db_text(row, 0) &&
		strcmp(db_text(row, 0), username) != 0 && db_int(row, 1) + USERNAME_REST > rq->now;

	db_end(row);
	return rests;
}

static struct reply
patch_me(struct request *rq)
{
	const char *username = field_text(rq->body, "username");
	const char *body = cJSON_PrintUnformatted(rq->body);

	if (username && username_rests(rq, username))
		return reply_error(rq, USERNAME_RECENT);
	if (db_run(rq->db, sql[UPDATE_ME], ARGS(body, rq->now, rq->user->pk), NULL) == DB_TAKEN)
		return reply_error(rq, USERNAME_TAKEN);
	return reply_row(rq, sql[PROFILE], ARGS(rq->user->pk), &user_profile);
}

static struct reply
get_me_optional(struct request *rq)
{
	reply_begin(rq);
	put_bool(rq, "isAuthenticated", rq->user);
	put_text(rq, "message", sentence(rq->user ? S_AUTHENTICATED : S_NOT_AUTHENTICATED, rq->language));
	if (rq->user) {
		put_object(rq, "user");
		put_row(rq, &user_profile, rq->user->row, USER_ROW_PROFILE);
		put_end(rq);
	} else {
		put_null(rq, "user");
	}
	return reply_done(rq);
}

static const struct section section = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "users", "Profiles", SECTIONS(&section) };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
