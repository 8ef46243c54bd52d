#include "user.h"

static const char *const availability[] = { "available", "busy", "offline", NULL };
static const char *const genders[] = { "female", "male", "other", NULL };

/* What people say of themselves is limited alike in every shape that shows or takes it. */
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

/* What a person may change of themself; a registered name cannot be taken back, only changed. */
const struct shape user_update_me = { .name = "UpdateMeProfileDto", .all_optional = true, .fields = FIELDS(
	{ "name", FIELD_TEXT, 1, 100, .example = "\"Ayşe\"" },
	{ "surname", FIELD_TEXT, 1, 100, .example = "\"Yılmaz\"" },
	{ "username", FIELD_TEXT, 3, 30, .username = true, .example = "\"ayse.yilmaz\"", .note = "unique (409); changes once in 30 days (409)" },
	{ "language", FIELD_ENUM, .oneof = language_codes },
	{ "countryCode", FIELD_TEXT, 1, 4, .digits = true, .nullable = true, .example = "\"90\"" },
	{ "phoneNumber", FIELD_TEXT, 4, 15, .digits = true, .nullable = true, .example = "\"5372505890\"" },
	{ "profilePhoto", FIELD_TEXT, 0, 512, .link = true, .nullable = true, .note = "a file name, a path, or an http or https address" },
	{ "availabilityStatus", FIELD_ENUM, .oneof = availability },
	{ "birthDate", FIELD_DATE, .birth = true, .nullable = true, .example = "\"1998-04-23\"" },
	{ "gender", FIELD_ENUM, .oneof = genders, .nullable = true },
	{ "interests", FIELD_LIST, 0, 20, .item = FIELD_TEXT, .item_min = 1, .item_max = 50, .example = "[\"music\"]" },
	{ "", FIELD_PLUS, .of = &about },
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

enum { UNINDEX, INDEX, INDEXED };

static const char *const user_sql[] = {
	/* only the rows that this transaction changed */
	[UNINDEX] = "INSERT INTO user_text (user_text, rowid, folded) SELECT 'delete', pk, old FROM user_reindex /* scans: user_reindex */"
		" WHERE old IS NOT NULL",
	[INDEX] = "INSERT INTO user_text (rowid, folded) SELECT user.pk, user.folded"
		" FROM user_reindex /* scans: user_reindex */ CROSS JOIN user ON user.pk = user_reindex.pk",
	[INDEXED] = "DELETE FROM user_reindex",
};
const struct db_statements user_statements = { user_sql, COUNT(user_sql) };

void
user_reindex(struct db *db)
{
	for (int i = UNINDEX; i <= INDEXED; i++)
		(void)!db_run(db, user_sql[i], NO_ARGS, NULL);
}
