/* users - the list of users, and what admins and superadmins change on others. */
#include "audit.h"
#include "fold.h"
#include "log.h"
#include "mail.h"
#include "session.h"
#include "sql.h"
#include "user.h"
#include "users.h"

/* Deleting a user with many results may take so long, while other writers wait; the watchdog ends it after 15 s. */
#define DELETE_TIMEOUT (10 * SECOND)
#define USER_COLUMNS USER_PROFILE_COLUMNS ", users.is_active, users.deletion_status AS account_deletion_status"

/* clang-format off */
static const char *const sorts[] = { "-createdAt", "createdAt", "email", "-email", "name", "-name", NULL };

static const struct shape user_response = { .name = "UserResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &user_profile },
	{ "isActive", FIELD_BOOL },
	{ "accountDeletionStatus", FIELD_ENUM, .oneof = user_deletion_states }) };

enum { FOR_WORDS = PAGE_FIELDS, FOR_ROLE, SORT, FORMAT };

static const struct shape list_query = { .name = "UserListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_WORDS] = PAGE_SEARCH("parts of name, surname, user name or address"),
	[FOR_ROLE] = { "role", FIELD_ENUM, .oneof = role_enum, .optional = true },
	[SORT] = { "sort", FIELD_ENUM, .oneof = sorts, .optional = true, .note = "newest first unless given" },
	PAGE_FORMAT_AT(FORMAT)) };

enum { IS_ACTIVE = USER_FIELDS, PROFILE_FIELDS };

static const struct shape update_profile = { .name = "AdminUpdateUserProfileDto", .all_optional = true, .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &user_update_me },
	[IS_ACTIVE] = { "isActive", FIELD_BOOL }) };

enum { EMAIL };

static const struct shape update_email = { .name = "AdminUpdateUserEmailDto", .fields = FIELDS(
	[EMAIL] = { "email", FIELD_EMAIL, .example = "\"new@example.com\"" }) };

enum { ROLE };

static const struct shape update_role = { .name = "UpdateUserRoleDto", .fields = FIELDS(
	[ROLE] = { "role", FIELD_ENUM, .oneof = role_enum, .example = "\"admin\"" }) };

/*
 * The page is found first and then joined with its rows: skipping 40,000 entries of a narrow index is cheap, skipping
 * as many rows is not. Keys grow with time, so their order is that of creation. ?1 role, ?2 search, ?3 limit, ?4
 * offset.
 */
#define PAGE(source, where, order, offset) \
	"SELECT " USER_COLUMNS " FROM (SELECT users.pk AS found FROM " source " WHERE " where \
	" ORDER BY " order " LIMIT ?3 OFFSET " offset ") AS page" SQL_JOIN "users ON users.pk = found ORDER BY "

/* All users by creation: whole blocks of them are skipped by their counts, and rows only within one block. */
#define BY_BLOCK(direction, inside) \
	"WITH block AS (SELECT block, n, CAST(sum(n) OVER (ORDER BY block " direction ") AS BIGINT) AS upto" \
	" FROM user_block /* scans: user_block */), start AS (SELECT block, upto - n AS passed FROM block WHERE upto > ?4 ORDER BY upto LIMIT 1) " \
	PAGE("users", SQL_UNSET("?1") " AND " SQL_UNSET("?2") " AND users.pk " inside, "users.pk " direction, \
		"coalesce(?4 - (SELECT passed FROM start), 0)") "users.pk " direction

#define BY_TEXT "user_text" SQL_JOIN "users ON users.pk = " SQL_USER_TEXT_PK
/* Words of one or two letters have no trigrams: this scans all rows. ?2 are the words. */
#define BY_SHORT SQL_HAS_WORDS("users.folded", "?2") " /* scans: users */"

#define FILTERED(index, order, text_order) \
	[LIST_ROLE + index] = PAGE("users", "role = ?1 AND " SQL_UNSET("?2"), order, "?4") order, \
	[LIST_TEXT + index] = PAGE(BY_TEXT, SQL_USER_TEXT_HAS("?2") " AND (" SQL_UNSET("?1") " OR role = ?1)", text_order, \
		"?4") order, \
	[LIST_SHORT + index] = PAGE("users", "(" SQL_UNSET("?1") " OR role = ?1) AND " BY_SHORT, order, "?4") order
#define SORTED(index, order) \
	[LIST_ALL + index] = PAGE("users", SQL_UNSET("?1") " AND " SQL_UNSET("?2"), order, "?4") order " /* scans: users */", \
	FILTERED(index, order, order)

#define SORTS 6
enum {
	LIST_ALL = 0, LIST_ROLE = LIST_ALL + SORTS, LIST_TEXT = LIST_ROLE + SORTS, LIST_SHORT = LIST_TEXT + SORTS,
	COUNT_TALLY = LIST_SHORT + SORTS, COUNT_TEXT, COUNT_SHORT,
	ONE, TARGET,
};

static const char *const sql[] = {
	[LIST_ALL + 0] = BY_BLOCK("DESC", "< (SELECT block + 1 FROM start) << 10"),
	FILTERED(0, "users.pk DESC", SQL_USER_TEXT_PK " DESC"),
	[LIST_ALL + 1] = BY_BLOCK("ASC", ">= (SELECT block FROM start) << 10"),
	FILTERED(1, "users.pk", SQL_USER_TEXT_PK),
	SORTED(2, "users.email"),
	SORTED(3, "users.email DESC"),
	SORTED(4, "users.sort_name, users.pk"),
	SORTED(5, "users.sort_name DESC, users.pk DESC"),
	[COUNT_TALLY] = "SELECT n FROM tally WHERE name = coalesce('user:' || ?1, 'user') AND " SQL_UNSET("?2"),
	[COUNT_TEXT] =
		"SELECT CASE WHEN " SQL_UNSET("?1") " THEN (SELECT count(*) FROM user_text WHERE " SQL_USER_TEXT_HAS("?2") ")"
		" ELSE (SELECT count(*) FROM " BY_TEXT " WHERE " SQL_USER_TEXT_HAS("?2") " AND role = ?1) END",
	[COUNT_SHORT] = "SELECT count(*) FROM users WHERE (" SQL_UNSET("?1") " OR role = ?1) AND " BY_SHORT,
	[ONE] = "SELECT " USER_COLUMNS " FROM users WHERE id = ?1",
	[TARGET] = "SELECT pk, email, role, is_active, NOT " USER_MAY_GO ", language FROM users WHERE id = ?1",
};

static response_handler get_users, get_user, show_target, delete_user, patch_profile, patch_email, patch_role;
static void check_profile(struct request *rq, struct faults *faults);
static void check_email(struct request *rq, struct faults *faults);

static const struct route routes[] = {
	{ GET, "/users", ADMIN, get_users, .query = &list_query, .out = &user_response, .out_page = true,
	  .title = "Tüm kullanıcıları listele", .note = "A page of the users, or with format=csv all of them as a file." },
	{ GET, "/users/{id}", ADMIN, get_user, .out = &user_response, .title = "Get user by id (Admin)" },
	{ DELETE, "/users/{id}", ADMIN, delete_user, .out = &delete_response, .writes = true, .shows = show_target,
	  .errors = STATUSES(409), .title = "Kullanıcı sil",
	  .note = "With profile and sessions. Only a superadmin deletes an admin; nobody themself." },
	{ PATCH, "/admin/users/{id}/profile", ADMIN, patch_profile, .check = check_profile, .in = &update_profile,
	  .out = &user_response, .writes = true, .shows = show_target, .errors = STATUSES(409),
	  .title = "Update user profile by id (Admin)",
	  .note = "isActive false ends the sessions of that user for good.",
	  .example = "{\"isActive\":false}" },
	{ PATCH, "/admin/users/{id}/email", ADMIN, patch_email, .check = check_email, .in = &update_email,
	  .out = &user_response, .writes = true, .shows = show_target, .errors = STATUSES(409),
	  .title = "Update user email by id (Admin)",
	  .note = "Ends the sessions of that user, and sends a notice to the previous address." },
	{ PATCH, "/admin/users/{id}/role", SUPERADMIN, patch_role, .in = &update_role, .out = &user_response, .writes = true,
	  .shows = show_target, .errors = STATUSES(409), .title = "Update user role by id (Superadmin)" },
};

const struct section users_admin = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

/* ---- the list */

static struct response
get_users(struct request *rq)
{
	const struct value *in = rq->in;
	const char *search = value_string(in[FOR_WORDS]);
	const char *match = fold_match(rq->arena, search), *words = fold_words(rq->arena, search);
	int sort = value_choice(in[SORT], sorts);
	int count = match ? COUNT_TEXT : words ? COUNT_SHORT : COUNT_TALLY;
	int list = match ? LIST_TEXT : words ? LIST_SHORT : in[FOR_ROLE].named ? LIST_ROLE : LIST_ALL;
	struct args args = ARGS(in[FOR_ROLE], match ? match : words);

	if (page_is_table(&in[FORMAT]))
		return response_csv(rq, "users", sql[list + sort], args, &user_response, page_separator(&in[FORMAT]), false);
	return response_list(rq, sql[count], sql[list + sort], args, &user_response);
}

static struct response
get_user(struct request *rq)
{
	return response_row(rq, sql[ONE], ARGS(rq->id), &user_response);
}

/* ---- changes of others */

struct target {
	int64_t pk;
	const char *email;
	enum role role;
	bool active;
	bool last_superadmin;
	enum language language;
};

/*
 * Only a superadmin may change an admin or a superadmin. Checked inside the transaction, so that of two superadmins
 * who demote each other at the same time one remains.
 */
static enum error
find_target(struct request *rq, struct target *target)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[TARGET], ARGS(rq->id)) != DB_ROW)
		return ERROR_NOT_FOUND;
	*target = (struct target){ db_int(row, 0), arena_string(rq->arena, db_text(row, 1)), role_of(db_text(row, 2)),
		db_flag(row, 3), db_flag(row, 4), EN };
	(void)!language_of(db_text(row, 5), &target->language);
	db_end(row);
	return target->role > USER && caller_rights(rq->user) < SUPERADMIN && target->pk != rq->user->pk ? ERROR_ROLE_TOO_LOW
													 : ERROR_NONE;
}

/* For If-Match. A caller who may not change the user gets that error first, whatever tag they sent. */
static struct response
show_target(struct request *rq)
{
	struct target target;
	enum error error = find_target(rq, &target);

	return error ? response_error(rq, error) : get_user(rq);
}

static void
note(struct request *rq, const struct target *target, const char *action, const char *before, const char *after)
{
	audit_add(
		rq->db, rq->now, &(struct audit){ rq->user->id, rq->user->email, action, rq->id, target->email, before, after });
}

static struct response
delete_user(struct request *rq)
{
	struct target target;
	enum error error = find_target(rq, &target);

	if (error)
		return response_error(rq, error);
	if (target.pk == rq->user->pk)
		return response_error(rq, ERROR_NOT_YOURSELF);
	if (target.last_superadmin)
		return response_error(rq, ERROR_LAST_SUPERADMIN);
	note(rq, &target, "user.deleted", role_name(target.role), NULL);
	db_timeout(rq->db, DELETE_TIMEOUT);
	if (!user_delete(rq->db, target.pk))
		return response_error(rq, ERROR_LAST_SUPERADMIN);
	return response_deleted(rq, S_USER_DELETED, rq->id);
}

/* The audit trail outlives the user: it names the fields that were changed, not their values. */
static const char *
names_of(struct request *rq)
{
	struct buf names = { .arena = rq->arena };
	const struct field *field;

	for (unsigned place = 1; place <= PROFILE_FIELDS; place++) {
		struct field_walk walk = { 0 };
		for (const struct value *in = rq->in; (field = field_next(&walk, &update_profile)); in++) {
			if (in->named != place)
				continue;
			buf_puts(&names, names.length ? ", " : "");
			buf_puts(&names, field->name);
		}
	}
	return names.s;
}

static void
check_profile(struct request *rq, struct faults *faults)
{
	(void)faults;
	rq->prepared = user_changes(rq->arena, rq->in, PROFILE_FIELDS);
}

static struct response
patch_profile(struct request *rq)
{
	const struct value *changes = rq->prepared;
	const char *username = value_string(changes[USER_USERNAME]);
	struct target target;
	enum error error = find_target(rq, &target);

	if (error)
		return response_error(rq, error);
	bool active = value_truth(changes[IS_ACTIVE], target.active);
	if (!active && target.pk == rq->user->pk)
		return response_error(rq, ERROR_NOT_YOURSELF);
	if (!active && target.last_superadmin)
		return response_error(rq, ERROR_LAST_SUPERADMIN);
	if (username && users_name_recent(rq, target.pk, username))
		return response_error(rq, ERROR_USERNAME_RECENT);
	if (user_change(rq->db, rq->arena, target.pk, changes, true, rq->now) == DB_TAKEN)
		return response_error(rq, ERROR_USERNAME_TAKEN);
	if (target.active != active)
		note(rq, &target, "user.active", target.active ? "true" : "false", active ? "true" : "false");
	note(rq, &target, "user.profile", NULL, names_of(rq));
	return response_row(rq, sql[ONE], ARGS(rq->id), &user_response);
}

/* A notice to the previous address. It does not name the new one: the previous one may have been mistyped. */
static struct outbox_new
mail_changed(struct request *rq, const struct target *target)
{
	char when[CLOCK_TEXT];

	clock_text(rq->now, when);
	const struct mail_value values[] = { { "school", rq->conf->mail_name }, { "email", target->email },
		{ "link", rq->conf->app_url },
		{ "when", arena_format(rq->arena, "%.10s %.5s UTC", when, when + strlen("2026-01-15T")) } };
	return mail_seal(
		rq->conf, rq->arena, rq->now, 0, target->email, target->language, "email-changed", values, COUNT(values));
}

static void
check_email(struct request *rq, struct faults *faults)
{
	struct outbox_new *mail = arena_alloc(rq->arena, sizeof(*mail));
	struct target target;

	(void)faults;
	if (rq->faults.count > 0 || find_target(rq, &target) != ERROR_NONE)
		return;
	*mail = mail_changed(rq, &target);
	rq->prepared = mail;
}

static struct response
patch_email(struct request *rq)
{
	const char *email = rq->in[EMAIL].bytes;
	const struct outbox_new *mail = rq->prepared;
	struct target target;
	enum error error = find_target(rq, &target);

	if (error)
		return response_error(rq, error);
	if (!outbox_fits(mail, target.email, language_code(target.language)))
		return response_again(rq);
	if (strcmp(target.email, email) != 0) {
		if (user_change_email(rq->db, target.pk, email, rq->now) == DB_TAKEN)
			return response_error(rq, ERROR_EMAIL_TAKEN);
		session_end_all(rq->db, target.pk);
		note(rq, &target, "user.email", target.email, email);
		log_change(LOG_NOTE, "user_email user=%s by=%s", rq->id, rq->user->id);
		outbox_add(rq->db, mail);
		rq->mail_queued = true;
	}
	return response_row(rq, sql[ONE], ARGS(rq->id), &user_response);
}

static struct response
patch_role(struct request *rq)
{
	enum role role = role_of(value_string(rq->in[ROLE]));
	struct target target;
	enum error error = find_target(rq, &target);

	if (error)
		return response_error(rq, error);
	if (role < target.role && target.last_superadmin)
		return response_error(rq, ERROR_LAST_SUPERADMIN);
	if (role < target.role && target.pk == rq->user->pk)
		return response_error(rq, ERROR_NOT_YOURSELF);
	if (role != target.role) {
		if (!user_change_role(rq->db, target.pk, role_name(role), rq->now))
			return response_error(rq, ERROR_LAST_SUPERADMIN);
		note(rq, &target, "user.role", role_name(target.role), role_name(role));
		log_change(LOG_NOTE, "user_role user=%s by=%s before=%s after=%s", rq->id, rq->user->id, role_name(target.role),
			role_name(role));
	}
	return response_row(rq, sql[ONE], ARGS(rq->id), &user_response);
}
