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

extern const struct db_statements user_statements;

extern const struct shape user_profile;			/* UserProfileDto */
extern const struct shape user_profile_response;	/* UserProfileResponseDto */
extern const struct shape user_update_me;		/* UpdateMeProfileDto */

/* The columns of user_profile in order, from table `user`, for use in other statements. */
#define USER_PROFILE_COLUMNS \
	"user.id AS id, user.email AS email, user.role AS role, user.name AS name, user.surname AS surname, " \
	"user.username AS username, user.language AS language, user.country_code AS countryCode, " \
	"user.phone_number AS phoneNumber, user.profile_photo AS profilePhoto, " \
	"user.availability AS availabilityStatus, user.birth_date AS birthDate, user.gender AS gender, " \
	"user.interests AS interests, user.expertise AS expertise, user.bio AS bio, user.instagram AS instagram, " \
	"user.x AS x, user.tiktok AS tiktok, user.snapchat AS snapchat, user.facebook AS facebook, " \
	"user.timezone AS timezone, user.privacy_policy_at IS NOT NULL AS privacyPolicyAccepted, " \
	"user.terms_of_use_at IS NOT NULL AS termsOfUseAccepted, user.consent_form_at IS NOT NULL AS consentFormAccepted, " \
	"user.registered_at IS NOT NULL AS isRegistrationComplete, user.last_login_at AS lastLogin, " \
	"user.created_at AS createdAt, user.updated_at AS updatedAt"

extern const struct shape user_v1;			/* UserV1Dto */
extern const char *const user_deletion_states[];	/* NULL behind the last */

/* The columns of user_v1 in order. What okul has no feature for is 0. */
#define USER_V1_COLUMNS \
	"user.name AS name, user.surname AS surname, user.username AS username, user.country_code AS countryCode, " \
	"user.phone_number AS phoneNumber, user.signup_source AS signupSource, user.signup_campaign AS signupCampaign, " \
	"user.profile_photo AS profilePhoto, user.availability AS availabilityStatus, " \
	"CAST(strftime('%s', user.birth_date) AS INTEGER) * 1000 AS birthDate, user.gender AS gender, " \
	"user.interests AS interests, user.expertise AS expertise, user.email AS email, user.bio AS bio, " \
	"user.instagram AS instagram, user.x AS x, user.tiktok AS tiktok, user.snapchat AS snapchat, " \
	"user.facebook AS facebook, user.privacy_policy_at IS NOT NULL AS privacyPolicyAccepted, " \
	"user.privacy_policy_version AS privacyPolicyVersion, user.terms_of_use_at IS NOT NULL AS termsOfUseAccepted, " \
	"user.terms_of_use_version AS termsOfUseVersion, user.consent_form_at IS NOT NULL AS consentFormAccepted, " \
	"user.consent_form_version AS consentFormVersion, user.registered_at IS NOT NULL AS isRegistrationComplete, " \
	"CASE user.role WHEN 'superadmin' THEN '[\"superadmin\",\"admin\",\"user\"]' WHEN 'admin' THEN '[\"admin\",\"user\"]'" \
	" ELSE '[\"user\"]' END AS roles, 0 AS followersCount, 0 AS followingCount, 0 AS minutePriceInLiveStream, " \
	"0 AS creditBalance, user.last_login_at AS lastLogin, user.timezone AS timezone, " \
	"user.username_changed_at AS lastUsernameChangeDate, user.deletion_status AS accountDeletionStatus, " \
	"user.deletion_requested_at AS accountDeletionRequestedAt, user.deletion_scheduled_for AS accountDeletionScheduledFor, " \
	"user.deletion_cancelled_at AS accountDeletionCancelledAt, NULL AS accountDeletionFinalizedAt"

/*
 * True in SQL for a row of table `user` that may lose role, activity or life: the last superadmin stays. Whoever is inactive
 * or has asked for deletion does not count as one who stays.
 */
#define USER_MAY_GO \
	"(user.role <> 'superadmin' OR EXISTS (SELECT 1 FROM user AS other WHERE other.role = 'superadmin'" \
	" AND other.is_active AND other.deletion_status <> 'pending' AND other.pk <> user.pk))"

#define USER_COLUMN_REGISTERED 25	/* position of isRegistrationComplete in user_profile */

/*
 * Brings the search index up to date with the users whose name, user name or address changed. Call it in each write
 * transaction that makes, renames or deletes users; a failure sticks to db.
 */
void user_reindex(struct db *db);

#endif
