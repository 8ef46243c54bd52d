/* user - users, table `users`: the shapes and columns of a profile, changes, and the search index. */
#ifndef OKUL_USER_H
#define OKUL_USER_H

#include "db.h"
#include "field.h"
#include "random.h"
#include "role.h"
#include "sql.h"

extern const struct db_statements user_statements;

extern const struct shape user_profile;			/* UserProfileDto */
extern const struct shape user_profile_response;	/* UserProfileResponseDto */
/* UpdateMeProfileDto: what users can change of their own profile */
enum { USER_NAME, USER_SURNAME, USER_USERNAME, USER_LANGUAGE, USER_COUNTRY_CODE, USER_PHONE_NUMBER, USER_PHOTO, USER_AVAILABILITY,
	USER_BIRTH_DATE, USER_GENDER, USER_INTERESTS, USER_EXPERTISE, USER_BIO, USER_INSTAGRAM, USER_X, USER_TIKTOK, USER_SNAPCHAT,
	USER_FACEBOOK, USER_TIMEZONE, USER_FIELDS };
extern const struct shape user_update_me;

/* The columns of user_profile in order, for use in other statements. */
#define USER_PROFILE_COLUMNS \
	"users.id, users.email, users.role, users.name, users.surname, users.username, users.language," \
	" users.country_code, users.phone_number, users.profile_photo, users.availability AS availability_status," \
	" users.birth_date, users.gender, users.interests, users.expertise, users.bio, users.instagram, users.x," \
	" users.tiktok, users.snapchat, users.facebook, users.timezone," \
	" users.privacy_policy_at IS NOT NULL AS privacy_policy_accepted," \
	" users.terms_of_use_at IS NOT NULL AS terms_of_use_accepted," \
	" users.consent_form_at IS NOT NULL AS consent_form_accepted," \
	" users.registered_at IS NOT NULL AS is_registration_complete, users.last_login_at AS last_login," \
	" users.created_at, users.updated_at"

extern const struct shape user_v1;			/* UserV1Dto */
extern const char *const user_deletion_states[];	/* ends with NULL */

/* The columns of user_v1 in order. Fields without a feature in okul are 0. */
#define USER_V1_COLUMNS \
	"users.name, users.surname, users.username, users.country_code, users.phone_number, users.signup_source," \
	" users.signup_campaign, users.profile_photo, users.availability AS availability_status, " \
	SQL_DATE_TIME("users.birth_date") " AS birth_date, users.gender, users.interests, users.expertise," \
	" users.email, users.bio, users.instagram, users.x, users.tiktok, users.snapchat, users.facebook," \
	" users.privacy_policy_at IS NOT NULL AS privacy_policy_accepted, users.privacy_policy_version," \
	" users.terms_of_use_at IS NOT NULL AS terms_of_use_accepted, users.terms_of_use_version," \
	" users.consent_form_at IS NOT NULL AS consent_form_accepted, users.consent_form_version," \
	" users.registered_at IS NOT NULL AS is_registration_complete," \
	" CASE users.role WHEN 'superadmin' THEN '[\"superadmin\",\"admin\",\"user\"]'" \
	" WHEN 'admin' THEN '[\"admin\",\"user\"]' ELSE '[\"user\"]' END AS roles, 0 AS followers_count," \
	" 0 AS following_count, 0 AS minute_price_in_live_stream, 0 AS credit_balance," \
	" users.last_login_at AS last_login, users.timezone," \
	" users.username_changed_at AS last_username_change_date, users.deletion_status AS account_deletion_status," \
	" users.deletion_requested_at AS account_deletion_requested_at," \
	" users.deletion_scheduled_for AS account_deletion_scheduled_for," \
	" users.deletion_cancelled_at AS account_deletion_cancelled_at, NULL AS account_deletion_finalized_at"

/*
 * In SQL: the user may be demoted, deactivated or deleted, since another superadmin remains, who is active and not
 * about to be deleted.
 */
#define USER_MAY_GO \
	"(users.role <> 'superadmin' OR EXISTS (SELECT 1 FROM users AS other WHERE other.role = 'superadmin'" \
	" AND other.is_active AND other.deletion_status <> 'pending' AND other.pk <> users.pk))"

#define USER_COLUMN_REGISTERED 25	/* position of isRegistrationComplete in user_profile */

/*
 * ---- Changes. All of these run inside a write transaction; a failure other than those named sticks to db. The
 * search index is updated before the commit.
 */

/* Texts are borrowed; NULL or 0 where there is none. */
struct user_new {
	const char *id, *email, *role;		/* role NULL: "user" */
	/* Converted by user_changes(). Null: English, offline, no interests; else no value. The time zone is required. */
	struct value profile[USER_FIELDS];
	const char *signup_source, *signup_campaign;
	const char *privacy_policy_version, *terms_of_use_version;	/* accepted at registered_at */
	const char *consent_form_version;				/* NULL: no consent */
	bool is_deactivated;
	int64_t created_at, registered_at, last_login_at;	/* milliseconds; 0: not yet, except for created_at */
	int64_t deletion_due;			/* when a deletion that was requested at created_at is due; 0: none */
};

/* `*pk` (may be NULL) gets the key. Returns DB_DONE, or DB_TAKEN when id, address or user name exist. */
must_use enum db_rc user_add(struct db *db, const struct user_new *user, int64_t *pk);

/* Before the transaction: converts the first `count` fields of a request for user_change(). In the arena. */
struct value *user_changes(struct arena *arena, const struct value *in, size_t count);
/*
 * Changes the named fields of user_update_me and, with `by_admin`, of isActive, the value after them. Returns
 * DB_DONE, or DB_TAKEN when another user has the user name.
 */
must_use enum db_rc user_change(struct db *db, struct arena *arena, int64_t pk, const struct value *changes, bool by_admin,
	int64_t now);

/* Returns DB_DONE, or DB_TAKEN when another user has the address. */
must_use enum db_rc user_change_email(struct db *db, int64_t pk, const char *email, int64_t now);

/* Returns false, without a change, for the last active superadmin (USER_MAY_GO), unless the role stays the same. */
must_use bool user_change_role(struct db *db, int64_t pk, const char *role, int64_t now);

/*
 * A checked registration. NULL leaves a column unchanged, except for consent_form_version, where it means no consent.
 */
struct user_registration {
	const char *name, *surname, *country_code, *phone_number, *birth_date, *language;
	const char *privacy_policy_version, *terms_of_use_version, *consent_form_version;
};

/* Returns false, without a change, when the user is registered already. */
must_use bool user_register(struct db *db, int64_t pk, const struct user_registration *registration, int64_t now);

/* Sets the time of the last login. A failure sticks to db. */
void user_set_last_login(struct db *db, int64_t pk, int64_t at);

/*
 * Requests the deletion of the account at `due`, or cancels it. Return false, without a change, when that is the
 * state already.
 */
must_use bool user_ask_deletion(struct db *db, int64_t pk, int64_t due, int64_t now);
must_use bool user_cancel_deletion(struct db *db, int64_t pk, int64_t now);

/*
 * Deletes a user with all dependent rows. Returns false, without a change, for the last active superadmin
 * (USER_MAY_GO).
 */
must_use bool user_delete(struct db *db, int64_t pk);

/* Updates only the search index, after other changes of the table (`okulctl sql`). */
void user_reindex(struct db *db);

#endif
