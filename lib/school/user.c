#include "user.h"

#include "json_write.h"

/* clang-format off */
static const char *const availability[] = { "available", "busy", "offline", NULL };
static const char *const genders[] = { "female", "male", "other", NULL };

static const struct shape handles = { .name = "Handles", .fields = FIELDS(
	{ "instagram", FIELD_TEXT, 0, 64, .nullable = true },
	{ "x", FIELD_TEXT, 0, 64, .nullable = true },
	{ "tiktok", FIELD_TEXT, 0, 64, .nullable = true },
	{ "snapchat", FIELD_TEXT, 0, 64, .nullable = true },
	{ "facebook", FIELD_TEXT, 0, 64, .nullable = true }) };

static const struct shape about = { .name = "About", .fields = FIELDS(
	{ "expertise", FIELD_TEXT, 0, 64, .nullable = true },
	{ "bio", FIELD_TEXT, 0, 500, .lines = true, .nullable = true },
	{ "", FIELD_PLUS, .of = &handles }) };

const struct shape user_profile = { .name = "UserProfileDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	{ "role", FIELD_ENUM, .oneof = role_enum },
	{ "name", FIELD_TEXT, 0, 100, .nullable = true, .example = "\"Ayşe\"" },
	{ "surname", FIELD_TEXT, 0, 100, .nullable = true, .example = "\"Yılmaz\"" },
	{ "username", FIELD_TEXT, 3, 30, .nullable = true, .example = "\"ayse.yilmaz\"" },
	{ "language", FIELD_ENUM, .oneof = language_codes },
	{ "countryCode", FIELD_TEXT, 0, 4, .nullable = true, .example = "\"90\"" },
	{ "phoneNumber", FIELD_TEXT, 0, 15, .nullable = true, .example = "\"5372505890\"" },
	{ "profilePhoto", FIELD_TEXT, 0, 512, .nullable = true, .example = "null" },
	{ "availabilityStatus", FIELD_ENUM, .oneof = availability },
	{ "birthDate", FIELD_DATE, .nullable = true, .example = "\"1998-04-23\"" },
	{ "gender", FIELD_ENUM, .oneof = genders, .nullable = true },
	{ "interests", FIELD_LIST, .item = FIELD_TEXT, .example = "[\"music\"]" },
	{ "", FIELD_PLUS, .of = &about },
	{ "timezone", FIELD_TEXT, 1, 64, .example = "\"Europe/Istanbul\"" },
	{ "privacyPolicyAccepted", FIELD_BOOL },
	{ "termsOfUseAccepted", FIELD_BOOL },
	{ "consentFormAccepted", FIELD_BOOL },
	{ "isRegistrationComplete", FIELD_BOOL },
	{ "lastLogin", FIELD_TIME, .nullable = true },
	{ "createdAt", FIELD_TIME },
	{ "updatedAt", FIELD_TIME }) };

const struct shape user_profile_response = { .name = "UserProfileResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &user_profile }) };

/* A name can be changed, but not removed. */
const struct shape user_update_me = { .name = "UpdateMeProfileDto", .all_optional = true, .fields = FIELDS(
	[USER_NAME] = { "name", FIELD_TEXT, 1, 100, .example = "\"Ayşe\"" },
	[USER_SURNAME] = { "surname", FIELD_TEXT, 1, 100, .example = "\"Yılmaz\"" },
	[USER_USERNAME] = { "username", FIELD_TEXT, 3, 30, .username = true, .example = "\"ayse.yilmaz\"",
	  .note = "unique (409); changes once in 30 days (409)" },
	[USER_LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes },
	[USER_COUNTRY_CODE] = { "countryCode", FIELD_TEXT, 1, 4, .digits = true, .nullable = true, .example = "\"90\"" },
	[USER_PHONE_NUMBER] = { "phoneNumber", FIELD_TEXT, 4, 15, .digits = true, .nullable = true, .example = "\"5372505890\"" },
	[USER_PHOTO] = { "profilePhoto", FIELD_TEXT, 0, 512, .link = true, .nullable = true,
	  .note = "a file name, a path, or an http or https address" },
	[USER_AVAILABILITY] = { "availabilityStatus", FIELD_ENUM, .oneof = availability },
	[USER_BIRTH_DATE] = { "birthDate", FIELD_DATE, .birth = true, .nullable = true, .example = "\"1998-04-23\"" },
	[USER_GENDER] = { "gender", FIELD_ENUM, .oneof = genders, .nullable = true },
	[USER_INTERESTS] = { "interests", FIELD_LIST, 0, 20, .item = FIELD_TEXT, .item_min = 1, .item_max = 50, .example = "[\"music\"]" },
	{ "", FIELD_PLUS, .of = &about },	/* USER_EXPERTISE to USER_FACEBOOK */
	{ "timezone", FIELD_TEXT, 1, 64, .zone = true, .example = "\"Europe/Istanbul\"" }) };

const char *const user_deletion_states[] = { "none", "pending", "cancelled", "finalized", NULL };

const struct shape user_v1 = { .name = "UserV1Dto", .fields = FIELDS(
	{ "name", FIELD_TEXT, 0, 100, .nullable = true, .example = "\"John\"" },
	{ "surname", FIELD_TEXT, 0, 100, .nullable = true, .example = "\"Doe\"" },
	{ "username", FIELD_TEXT, 3, 30, .nullable = true, .example = "\"johndoe123\"" },
	{ "countryCode", FIELD_TEXT, 0, 4, .nullable = true, .example = "\"90\"" },
	{ "phoneNumber", FIELD_TEXT, 0, 15, .nullable = true, .example = "\"5372505890\"" },
	{ "signupSource", FIELD_TEXT, 0, 64, .nullable = true, .example = "\"instagram_ads\"" },
	{ "signupCampaign", FIELD_TEXT, 0, 64, .nullable = true, .example = "\"spring_launch_2026\"" },
	{ "profilePhoto", FIELD_TEXT, 0, 512, .nullable = true, .example = "\"sample.jpg\"" },
	{ "availabilityStatus", FIELD_ENUM, .oneof = availability },
	{ "birthDate", FIELD_TIME, .nullable = true },
	{ "gender", FIELD_ENUM, .oneof = genders, .nullable = true },
	{ "interests", FIELD_LIST, .item = FIELD_TEXT, .example = "[\"music\"]" },
	{ "expertise", FIELD_TEXT, 0, 64, .nullable = true, .example = "\"designer\"" },
	{ "email", FIELD_EMAIL, .example = "\"user@example.com\"" },
	{ "bio", FIELD_TEXT, 0, 500, .nullable = true },
	{ "", FIELD_PLUS, .of = &handles },
	{ "privacyPolicyAccepted", FIELD_BOOL },
	{ "privacyPolicyVersion", FIELD_TEXT, 0, 20, .nullable = true, .example = "\"1.2.0\"" },
	{ "termsOfUseAccepted", FIELD_BOOL },
	{ "termsOfUseVersion", FIELD_TEXT, 0, 20, .nullable = true, .example = "\"1.1.0\"" },
	{ "consentFormAccepted", FIELD_BOOL },
	{ "consentFormVersion", FIELD_TEXT, 0, 20, .nullable = true, .example = "\"1.0.0\"" },
	{ "isRegistrationComplete", FIELD_BOOL },
	{ "roles", FIELD_LIST, .item = FIELD_TEXT, .example = "[\"user\"]" },
	{ "followersCount", FIELD_INT },
	{ "followingCount", FIELD_INT },
	{ "minutePriceInLiveStream", FIELD_NUMBER },
	{ "creditBalance", FIELD_NUMBER },
	{ "lastLogin", FIELD_TIME, .nullable = true },
	{ "timezone", FIELD_TEXT, 1, 64, .example = "\"Europe/Istanbul\"" },
	{ "lastUsernameChangeDate", FIELD_TIME, .nullable = true },
	{ "accountDeletionStatus", FIELD_ENUM, .oneof = user_deletion_states },
	{ "accountDeletionRequestedAt", FIELD_TIME, .nullable = true },
	{ "accountDeletionScheduledFor", FIELD_TIME, .nullable = true },
	{ "accountDeletionCancelledAt", FIELD_TIME, .nullable = true },
	{ "accountDeletionFinalizedAt", FIELD_TIME, .nullable = true }) };

enum { ADD, CHANGE, CHANGE_BY_ADMIN, CHANGE_EMAIL, CHANGE_ROLE, REGISTER, SET_LAST_LOGIN, ASK_DELETION, CANCEL_DELETION, REMOVE,
	UNINDEX, INDEX, INDEXED };

/* ?1 is the user, ?2 the time; then args_changes() of the fields of user_update_me, and of isActive for an admin. */
#define UPDATE_PROFILE(more) \
	"UPDATE users SET updated_at = ?2" SQL_CHANGED(3, 4, name) SQL_CHANGED(5, 6, surname) \
	SQL_CHANGED(7, 8, username) SQL_CHANGED(9, 10, language) SQL_CHANGED(11, 12, country_code) \
	SQL_CHANGED(13, 14, phone_number) SQL_CHANGED(15, 16, profile_photo) SQL_CHANGED(17, 18, availability) \
	SQL_CHANGED(19, 20, birth_date) SQL_CHANGED(21, 22, gender) SQL_CHANGED(23, 24, interests) \
	SQL_CHANGED(25, 26, expertise) SQL_CHANGED(27, 28, bio) SQL_CHANGED(29, 30, instagram) SQL_CHANGED(31, 32, x) \
	SQL_CHANGED(33, 34, tiktok) SQL_CHANGED(35, 36, snapchat) SQL_CHANGED(37, 38, facebook) \
	SQL_CHANGED(39, 40, timezone) more ", username_changed_at =" \
	" CASE WHEN ?7 AND username IS DISTINCT FROM ?8 THEN ?2 ELSE username_changed_at END WHERE pk = ?1"

static const char *const user_sql[] = {
	[ADD] =
		"INSERT INTO users (name, surname, username, language, country_code, phone_number, profile_photo, availability,"
		" birth_date, gender, interests, expertise, bio, instagram, x, tiktok, snapchat, facebook, timezone, id, email, role,"
		" is_active, signup_source, signup_campaign, registered_at, privacy_policy_at, terms_of_use_at, consent_form_at,"
		" privacy_policy_version, terms_of_use_version, consent_form_version, last_login_at, deletion_status,"
		" deletion_requested_at, deletion_scheduled_for, created_at, updated_at)"
		" VALUES (?1, ?2, ?3, coalesce(?4, 'en'), ?5, ?6, ?7, coalesce(?8, 'offline'), ?9, ?10, coalesce(?11, '[]'), ?12, ?13,"
		" ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, CAST(?26 AS BIGINT), ?26, ?26, ?27, ?28, ?29, ?30, ?31,"
		" ?32, ?33, ?34, ?35, coalesce(?26, ?35)) RETURNING pk",
	[CHANGE] = UPDATE_PROFILE(""),
	[CHANGE_BY_ADMIN] = UPDATE_PROFILE(SQL_CHANGED(41, 42, is_active)),
	[CHANGE_EMAIL] = "UPDATE users SET email = ?2, updated_at = ?3 WHERE pk = ?1",
	/* Checked in the same statement, so that of two concurrent demotions only one can succeed. */
	[CHANGE_ROLE] = "UPDATE users SET role = ?2, updated_at = ?3 WHERE pk = ?1 AND (?2 = 'superadmin' OR " USER_MAY_GO ")",
	[REGISTER] =
		"UPDATE users SET name = ?2, surname = ?3, country_code = coalesce(?4, country_code),"
		" phone_number = coalesce(?5, phone_number), birth_date = coalesce(?6, birth_date), language = coalesce(?7, language),"
		" privacy_policy_at = ?11, privacy_policy_version = ?8, terms_of_use_at = ?11, terms_of_use_version = ?9,"
		" consent_form_at = CASE WHEN CAST(?10 AS TEXT) IS NOT NULL THEN CAST(?11 AS BIGINT) END, consent_form_version = ?10,"
		" registered_at = ?11, updated_at = ?11 WHERE pk = ?1 AND registered_at IS NULL",
	[SET_LAST_LOGIN] = "UPDATE users SET last_login_at = ?2 WHERE pk = ?1",
	[ASK_DELETION] =
		"UPDATE users SET deletion_status = 'pending', deletion_requested_at = ?2, deletion_scheduled_for = ?3,"
		" deletion_cancelled_at = NULL, updated_at = ?2 WHERE pk = ?1 AND deletion_status <> 'pending'",
	[CANCEL_DELETION] =
		"UPDATE users SET deletion_status = 'cancelled', deletion_cancelled_at = ?2, deletion_scheduled_for = NULL,"
		" updated_at = ?2 WHERE pk = ?1 AND deletion_status = 'pending'",
	[REMOVE] = "DELETE FROM users WHERE pk = ?1 AND " USER_MAY_GO,
	/* for the rows that this transaction changed */
	[UNINDEX] = SQL_USER_TEXT_REMOVE,
	[INDEX] = SQL_USER_TEXT_ADD,
	[INDEXED] = SQL_USER_REINDEX_CLEAR,
};
const struct db_statements user_statements = { user_sql, COUNT(user_sql) };
/* clang-format on */

void
user_reindex(struct db *db)
{
	for (int i = UNINDEX; i <= INDEXED; i++)
		db_change(db, user_sql[i], NO_ARGS);
}

/* ---- rows */

struct value *
user_changes(struct arena *arena, const struct value *in, size_t count)
{
	struct value *changes = arena_alloc(arena, count * sizeof(*changes)), *interests = &changes[USER_INTERESTS];
	const struct value list = in[USER_INTERESTS];
	struct buf text = { .arena = arena };

	memcpy(changes, in, count * sizeof(*changes));
	if (list.type != VALUE_LIST)
		return changes;
	json_put_list(&text, NULL);
	for (size_t i = 0; i < list.count; i++)
		json_put_text_of(&text, NULL, list.items[i].bytes, list.items[i].length);
	json_put_end_list(&text);
	*interests = value_text(text.s);
	interests->named = true;
	return changes;
}

static struct value
user_time(int64_t at)
{
	return at ? value_int(at) : value_null();
}

enum db_rc
user_add(struct db *db, const struct user_new *user, int64_t *pk)
{
	bool deleting = user->deletion_due;
	struct value registered = user_time(user->registered_at);
	struct value values[USER_FIELDS + 16];
	const struct value more[] = {
		value_text(user->id),
		value_text(user->email),
		value_text(user->role ? user->role : "user"),
		value_bool(!user->is_deactivated),
		value_text(user->signup_source),
		value_text(user->signup_campaign),
		registered,
		user->consent_form_version ? registered : value_null(),
		value_text(user->privacy_policy_version),
		value_text(user->terms_of_use_version),
		value_text(user->consent_form_version),
		user_time(user->last_login_at),
		value_text(deleting ? "pending" : "none"),
		deleting ? value_int(user->created_at) : value_null(),
		user_time(user->deletion_due),
		value_int(user->created_at),
	};
	_Static_assert(sizeof(values) == sizeof(user->profile) + sizeof(more), "the arguments of ADD");

	memcpy(values, user->profile, sizeof(user->profile));
	memcpy(values + USER_FIELDS, more, sizeof(more));
	enum db_rc rc = db_number(db, pk, user_sql[ADD], (struct args){ values, COUNT(values) });

	db_before_commit(db, user_reindex);
	return rc == DB_ROW ? DB_DONE : rc;
}

enum db_rc
user_change(struct db *db, struct arena *arena, int64_t pk, const struct value *changes, bool by_admin, int64_t now)
{
	db_before_commit(db, user_reindex);
	return db_run(db, user_sql[by_admin ? CHANGE_BY_ADMIN : CHANGE],
		args_changes(arena, ARGS(pk, now), changes, by_admin ? USER_FIELDS + 1 : USER_FIELDS), NULL);
}

enum db_rc
user_change_email(struct db *db, int64_t pk, const char *email, int64_t now)
{
	db_before_commit(db, user_reindex);
	return db_run(db, user_sql[CHANGE_EMAIL], ARGS(pk, email, now), NULL);
}

bool
user_change_role(struct db *db, int64_t pk, const char *role, int64_t now)
{
	return db_change(db, user_sql[CHANGE_ROLE], ARGS(pk, role, now)) > 0;
}

bool
user_register(struct db *db, int64_t pk, const struct user_registration *r, int64_t now)
{
	db_before_commit(db, user_reindex);
	return db_change(db, user_sql[REGISTER],
		       ARGS(pk, r->name, r->surname, r->country_code, r->phone_number, r->birth_date, r->language,
			       r->privacy_policy_version, r->terms_of_use_version, r->consent_form_version, now)) > 0;
}

void
user_set_last_login(struct db *db, int64_t pk, int64_t at)
{
	db_send(db, user_sql[SET_LAST_LOGIN], ARGS(pk, at));
}

bool
user_ask_deletion(struct db *db, int64_t pk, int64_t due, int64_t now)
{
	return db_change(db, user_sql[ASK_DELETION], ARGS(pk, now, due)) > 0;
}

bool
user_cancel_deletion(struct db *db, int64_t pk, int64_t now)
{
	return db_change(db, user_sql[CANCEL_DELETION], ARGS(pk, now)) > 0;
}

bool
user_delete(struct db *db, int64_t pk)
{
	db_before_commit(db, user_reindex);
	return db_change(db, user_sql[REMOVE], ARGS(pk)) > 0;
}
