/*
 * user - users: the shapes and columns of their profile, and their place in the search.
 */
#ifndef OKUL_USER_H
#define OKUL_USER_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "field.h"
#include "random.h"
#include "role.h"
#include "sql.h"

extern const struct db_statements user_statements;

extern const struct shape user_profile;			/* UserProfileDto */
extern const struct shape user_profile_response;	/* UserProfileResponseDto */
/* UpdateMeProfileDto, what a person may change of themself */
enum { USER_NAME, USER_SURNAME, USER_USERNAME, USER_LANGUAGE, USER_COUNTRY_CODE, USER_PHONE_NUMBER, USER_PHOTO, USER_AVAILABILITY,
	USER_BIRTH_DATE, USER_GENDER, USER_INTERESTS, USER_EXPERTISE, USER_BIO, USER_INSTAGRAM, USER_X, USER_TIKTOK, USER_SNAPCHAT,
	USER_FACEBOOK, USER_TIMEZONE, USER_FIELDS };
extern const struct shape user_update_me;

/* The columns of user_profile in order, from table `user`, for use in other statements. */
#define USER_PROFILE_COLUMNS \
	"users.id AS id, users.email AS email, users.role AS role, users.name AS name, users.surname AS surname, " \
	"users.username AS username, users.language AS language, users.country_code AS countryCode, " \
	"users.phone_number AS phoneNumber, users.profile_photo AS profilePhoto, " \
	"users.availability AS availabilityStatus, users.birth_date AS birthDate, users.gender AS gender, " \
	"users.interests AS interests, users.expertise AS expertise, users.bio AS bio, users.instagram AS instagram, " \
	"users.x AS x, users.tiktok AS tiktok, users.snapchat AS snapchat, users.facebook AS facebook, " \
	"users.timezone AS timezone, users.privacy_policy_at IS NOT NULL AS privacyPolicyAccepted, " \
	"users.terms_of_use_at IS NOT NULL AS termsOfUseAccepted, users.consent_form_at IS NOT NULL AS consentFormAccepted, " \
	"users.registered_at IS NOT NULL AS isRegistrationComplete, users.last_login_at AS lastLogin, " \
	"users.created_at AS createdAt, users.updated_at AS updatedAt"

extern const struct shape user_v1;			/* UserV1Dto */
extern const char *const user_deletion_states[];	/* NULL behind the last */

/* The columns of user_v1 in order. What okul has no feature for is 0. */
#define USER_V1_COLUMNS \
	"users.name AS name, users.surname AS surname, users.username AS username, users.country_code AS countryCode, " \
	"users.phone_number AS phoneNumber, users.signup_source AS signupSource, users.signup_campaign AS signupCampaign, " \
	"users.profile_photo AS profilePhoto, users.availability AS availabilityStatus, " \
	SQL_DATE_TIME("users.birth_date") " AS birthDate, users.gender AS gender, " \
	"users.interests AS interests, users.expertise AS expertise, users.email AS email, users.bio AS bio, " \
	"users.instagram AS instagram, users.x AS x, users.tiktok AS tiktok, users.snapchat AS snapchat, " \
	"users.facebook AS facebook, users.privacy_policy_at IS NOT NULL AS privacyPolicyAccepted, " \
	"users.privacy_policy_version AS privacyPolicyVersion, users.terms_of_use_at IS NOT NULL AS termsOfUseAccepted, " \
	"users.terms_of_use_version AS termsOfUseVersion, users.consent_form_at IS NOT NULL AS consentFormAccepted, " \
	"users.consent_form_version AS consentFormVersion, users.registered_at IS NOT NULL AS isRegistrationComplete, " \
	"CASE users.role WHEN 'superadmin' THEN '[\"superadmin\",\"admin\",\"user\"]' WHEN 'admin' THEN '[\"admin\",\"user\"]'" \
	" ELSE '[\"user\"]' END AS roles, 0 AS followersCount, 0 AS followingCount, 0 AS minutePriceInLiveStream, " \
	"0 AS creditBalance, users.last_login_at AS lastLogin, users.timezone AS timezone, " \
	"users.username_changed_at AS lastUsernameChangeDate, users.deletion_status AS accountDeletionStatus, " \
	"users.deletion_requested_at AS accountDeletionRequestedAt, users.deletion_scheduled_for AS accountDeletionScheduledFor, " \
	"users.deletion_cancelled_at AS accountDeletionCancelledAt, NULL AS accountDeletionFinalizedAt"

/*
 * True in SQL for a row of table `user` that may lose role, activity or life: the last superadmin stays. Whoever is inactive
 * or has asked for deletion does not count as one who stays.
 */
#define USER_MAY_GO \
	"(users.role <> 'superadmin' OR EXISTS (SELECT 1 FROM users AS other WHERE other.role = 'superadmin'" \
	" AND other.is_active AND other.deletion_status <> 'pending' AND other.pk <> users.pk))"

#define USER_COLUMN_REGISTERED 25	/* position of isRegistrationComplete in user_profile */

/*
 * ---- Rows of the table. All of these run inside a write transaction; a failure other than those named sticks to db. The
 * search index is brought up to date before the transaction commits.
 */

/* Texts are borrowed; NULL or 0 is what the row does not have. */
struct user_new {
	const char *id, *email, *timezone;
	const char *role, *language;		/* NULL: "user", "en" */
	const char *name, *surname, *username, *country_code, *phone_number, *birth_date, *gender, *profile_photo;
	const char *availability, *interests;	/* NULL: "offline", "[]"; interests are a JSON list of texts */
	const char *expertise, *bio, *instagram, *x, *tiktok, *snapchat, *facebook;
	const char *signup_source, *signup_campaign;
	const char *privacy_policy_version, *terms_of_use_version;	/* accepted at registered_at */
	const char *consent_form_version;				/* NULL: no consent */
	bool is_deactivated;
	int64_t created_at, registered_at, last_login_at;	/* milliseconds; 0: not yet, but created_at is needed */
	int64_t deletion_due;			/* 0: no deletion was asked for; else it was at created_at, and is due then */
};

/* `*pk` (may be NULL) gets the key. DB_DONE, or DB_TAKEN when id, address or user name belong to somebody already. */
must_use enum db_rc user_add(struct db *db, const struct user_new *user, int64_t *pk);

/* Before the transaction: the first `count` fields of a request as user_change() takes them. In the arena. */
struct value *user_changes(struct arena *arena, const struct value *in, size_t count);
/*
 * Changes what is named of the fields of user_update_me, and where `by_admin` of isActive, which stands behind them. DB_DONE, or
 * DB_TAKEN when the user name belongs to somebody else.
 */
must_use enum db_rc user_change(struct db *db, struct arena *arena, int64_t pk, const struct value *changes, bool by_admin,
	int64_t now);

/* DB_DONE, or DB_TAKEN when the address belongs to somebody else. */
must_use enum db_rc user_change_email(struct db *db, int64_t pk, const char *email, int64_t now);

/* False, and nothing is changed, for the last active superadmin (USER_MAY_GO), unless the role stays. */
must_use bool user_change_role(struct db *db, int64_t pk, const char *role, int64_t now);

/* What completes a registration, a checked body; NULL leaves the column as it is, but consent_form_version: no consent. */
struct user_registration {
	const char *name, *surname, *country_code, *phone_number, *birth_date, *language;
	const char *privacy_policy_version, *terms_of_use_version, *consent_form_version;
};

/* False, and nothing is changed, when the user was registered already. */
must_use bool user_register(struct db *db, int64_t pk, const struct user_registration *registration, int64_t now);

void user_set_last_login(struct db *db, int64_t pk, int64_t at);

/* Asks for the deletion of the account at `due`, or takes that back. False, and nothing is changed, when that was so already. */
must_use bool user_ask_deletion(struct db *db, int64_t pk, int64_t due, int64_t now);
must_use bool user_cancel_deletion(struct db *db, int64_t pk, int64_t now);

/* With all that belongs to the user. False, and nothing is deleted, for the last active superadmin (USER_MAY_GO). */
must_use bool user_delete(struct db *db, int64_t pk);

/* The search index alone, for rows that were changed by no function of this module (`okulctl sql`). */
void user_reindex(struct db *db);

#endif
