/* users - the caller's own profile, and main(). */
#include "audit.h"
#include "users.h"
#include "mail.h"
#include "outbox.h"
#include "session.h"
#include "token.h"
#include "user.h"
#include "user_import.h"

/* clang-format off */
static const struct shape optional_auth = { .name = "OptionalAuthResponseDto", .fields = FIELDS(
	{ "isAuthenticated", FIELD_BOOL },
	{ "message", FIELD_TEXT, 1, 200, .example = "\"You are logged in\"" },
	{ "user", FIELD_OBJECT, .of = &user_profile, .nullable = true }) };

enum { PROFILE, USERNAME };

static const char *const sql[] = {
	[PROFILE] = "SELECT " USER_PROFILE_COLUMNS " FROM users WHERE pk = ?1",
	[USERNAME] = "SELECT username, username_changed_at FROM users WHERE pk = ?1",
};

static response_handler get_me, patch_me, show_me, get_me_optional;
static void check_me(struct request *rq, struct faults *faults);

static const struct route routes[] = {
	{ GET, "/me", USER, get_me, .out = &user_profile_response, .unregistered = true, .title = "Kullanıcı profili",
	  .note = "The caller's own profile." },
	{ PATCH, "/me", USER, patch_me, .check = check_me, .in = &user_update_me, .out = &user_profile_response, .writes = true,
	  .shows = show_me, .unregistered = true, .errors = STATUSES(409), .title = "Update current user profile",
	  .note = "Changes the fields that are named and no others.", .example = "{\"name\":\"Ayşe\",\"language\":\"tr\"}" },
	{ GET, "/me/optional", OPTIONAL, get_me_optional, .out = &optional_auth, .title = "Opsiyonel kimlik doğrulama",
	  .note = "Always 200: with a good token the user, else isAuthenticated false." },
};

#define USERNAME_PAUSE (30 * DAY)
/* clang-format on */

static struct response
get_me(struct request *rq)
{
	response_begin(rq);
	response_put_row(rq, &user_profile, rq->user->row, SESSION_ROW_PROFILE);
	return response_done(rq);
}

/* The same inside a write transaction, where the caller's row is gone. */
static struct response
show_me(struct request *rq)
{
	return response_row(rq, sql[PROFILE], ARGS(rq->user->pk), &user_profile);
}

/* A change in the future was made while the clock was ahead: it does not count. */
bool
users_name_recent(struct request *rq, int64_t pk, const char *username)
{
	struct db_rows *row;
	bool recent = db_one(rq->db, &row, sql[USERNAME], ARGS(pk)) == DB_ROW && db_text(row, 0) &&
		strcmp(db_text(row, 0), username) != 0 && db_int(row, 1) + USERNAME_PAUSE > rq->now &&
		db_int(row, 1) <= rq->now + CLOCK_SLACK;

	db_end(row);
	return recent;
}

static void
check_me(struct request *rq, struct faults *faults)
{
	(void)faults;
	rq->prepared = user_changes(rq->arena, rq->in, USER_FIELDS);
}

static struct response
patch_me(struct request *rq)
{
	const struct value *changes = rq->prepared;
	const char *username = value_string(changes[USER_USERNAME]);

	if (username && users_name_recent(rq, rq->user->pk, username))
		return response_error(rq, ERROR_USERNAME_RECENT);
	if (user_change(rq->db, rq->arena, rq->user->pk, changes, false, rq->now) == DB_TAKEN)
		return response_error(rq, ERROR_USERNAME_TAKEN);
	return show_me(rq);
}

static struct response
get_me_optional(struct request *rq)
{
	response_begin(rq);
	data_bool(rq, "isAuthenticated", rq->user);
	data_text(rq, "message", sentence(rq->user ? S_AUTHENTICATED : S_NOT_AUTHENTICATED, rq->language));
	if (rq->user)
		response_put_row_object(rq, "user", &user_profile, rq->user->row, SESSION_ROW_PROFILE);
	else
		data_null(rq, "user");
	return response_done(rq);
}

const struct section users_me = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "users", "Profiles, roles, account deletion",
	SECTIONS(&users_me, &users_admin, &users_import, &users_deletion, &users_export, &users_audit),
	.statements = STATEMENTS(
		&audit_statements, &outbox_statements, &session_statements, &user_import_statements, &user_statements),
	.start = token_init, .authenticate = session_authenticate, .mail_wake = mail_wake };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
