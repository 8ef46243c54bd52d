#include "user.h"

static const char *const availability[] = { "available", "busy", "offline", NULL };
static const char *const genders[] = { "female", "male", "other", NULL };

/* What people say of themselves is limited alike in every shape that shows or takes it. */
static const struct shape handles = { .name = "Handles", .fields = FIELDS(
	{ "instagram", TEXT, 0, 64, .nullable = true },
	{ "x", TEXT, 0, 64, .nullable = true },
	{ "tiktok", TEXT, 0, 64, .nullable = true },
	{ "snapchat", TEXT, 0, 64, .nullable = true },
	{ "facebook", TEXT, 0, 64, .nullable = true }) };

static const struct shape about = { .name = "About", .fields = FIELDS(
	{ "expertise", TEXT, 0, 64, .nullable = true },
	{ "bio", TEXT, 0, 500, .lines = true, .nullable = true },
	{ "", PLUS, .of = &handles }) };

const struct shape user_profile = { .name = "UserProfileDto", .fields = FIELDS(
	{ "id", ID },
	{ "email", EMAIL, .example = "\"user@example.com\"" },
	{ "role", ENUM, .oneof = role_enum },
	{ "name", TEXT, 0, 100, .nullable = true, .example = "\"Ayşe\"" },
	{ "surname", TEXT, 0, 100, .nullable = true, .example = "\"Yılmaz\"" },
	{ "username", TEXT, 3, 30, .nullable = true, .example = "\"ayse.yilmaz\"" },
	{ "language", ENUM, .oneof = language_codes },
	{ "countryCode", TEXT, 0, 4, .nullable = true, .example = "\"90\"" },
	{ "phoneNumber", TEXT, 0, 15, .nullable = true, .example = "\"5372505890\"" },
	{ "profilePhoto", TEXT, 0, 512, .nullable = true, .example = "null" },
	{ "availabilityStatus", ENUM, .oneof = availability },
	{ "birthDate", DATE, .nullable = true, .example = "\"1998-04-23\"" },
	{ "gender", ENUM, .oneof = genders, .nullable = true },
	{ "interests", LIST, .item = TEXT, .example = "[\"music\"]" },
	{ "", PLUS, .of = &about },
	{ "timezone", TEXT, 1, 64, .example = "\"Europe/Istanbul\"" },
	{ "privacyPolicyAccepted", BOOL },
	{ "termsOfUseAccepted", BOOL },
	{ "consentFormAccepted", BOOL },
	{ "isRegistrationComplete", BOOL },
	{ "lastLogin", TIME, .nullable = true },
	{ "createdAt", TIME },
	{ "updatedAt", TIME }) };

const struct shape user_profile_response = { .name = "UserProfileResponseDto", .fields = FIELDS(
	{ "", PLUS, .of = &user_profile }) };

/* What a person may change of themself; a registered name cannot be taken back, only changed. */
const struct shape user_update_me = { .name = "UpdateMeProfileDto", .all_optional = true, .fields = FIELDS(
	{ "name", TEXT, 1, 100, .example = "\"Ayşe\"" },
	{ "surname", TEXT, 1, 100, .example = "\"Yılmaz\"" },
	{ "username", TEXT, 3, 30, .username = true, .example = "\"ayse.yilmaz\"", .note = "unique (409); changes once in 30 days (409)" },
	{ "language", ENUM, .oneof = language_codes },
	{ "countryCode", TEXT, 1, 4, .digits = true, .nullable = true, .example = "\"90\"" },
	{ "phoneNumber", TEXT, 4, 15, .digits = true, .nullable = true, .example = "\"5372505890\"" },
	{ "profilePhoto", TEXT, 0, 512, .link = true, .nullable = true, .note = "a file name, a path, or an http or https address" },
	{ "availabilityStatus", ENUM, .oneof = availability },
	{ "birthDate", DATE, .birth = true, .nullable = true, .example = "\"1998-04-23\"" },
	{ "gender", ENUM, .oneof = genders, .nullable = true },
	{ "interests", LIST, 0, 20, .item = TEXT, .item_min = 1, .item_max = 50, .example = "[\"music\"]" },
	{ "", PLUS, .of = &about },
	{ "timezone", TEXT, 1, 64, .zone = true, .example = "\"Europe/Istanbul\"" }) };

const char *const user_deletion_states[] = { "none", "pending", "cancelled", "finalized", NULL };

const struct shape user_v1 = { .name = "UserV1Dto", .fields = FIELDS(
	{ "name", TEXT, 0, 100, .nullable = true, .example = "\"John\"" },
	{ "surname", TEXT, 0, 100, .nullable = true, .example = "\"Doe\"" },
	{ "username", TEXT, 3, 30, .nullable = true, .example = "\"johndoe123\"" },
	{ "countryCode", TEXT, 0, 4, .nullable = true, .example = "\"90\"" },
	{ "phoneNumber", TEXT, 0, 15, .nullable = true, .example = "\"5372505890\"" },
	{ "signupSource", TEXT, 0, 64, .nullable = true, .example = "\"instagram_ads\"" },
	{ "signupCampaign", TEXT, 0, 64, .nullable = true, .example = "\"spring_launch_2026\"" },
	{ "profilePhoto", TEXT, 0, 512, .nullable = true, .example = "\"sample.jpg\"" },
	{ "availabilityStatus", ENUM, .oneof = availability },
	{ "birthDate", TIME, .nullable = true },
	{ "gender", ENUM, .oneof = genders, .nullable = true },
	{ "interests", LIST, .item = TEXT, .example = "[\"music\"]" },
	{ "expertise", TEXT, 0, 64, .nullable = true, .example = "\"designer\"" },
	{ "email", EMAIL, .example = "\"user@example.com\"" },
	{ "bio", TEXT, 0, 500, .nullable = true },
	{ "", PLUS, .of = &handles },
	{ "privacyPolicyAccepted", BOOL },
	{ "privacyPolicyVersion", TEXT, 0, 20, .nullable = true, .example = "\"1.2.0\"" },
	{ "termsOfUseAccepted", BOOL },
	{ "termsOfUseVersion", TEXT, 0, 20, .nullable = true, .example = "\"1.1.0\"" },
	{ "consentFormAccepted", BOOL },
	{ "consentFormVersion", TEXT, 0, 20, .nullable = true, .example = "\"1.0.0\"" },
	{ "isRegistrationComplete", BOOL },
	{ "roles", LIST, .item = TEXT, .example = "[\"user\"]" },
	{ "followersCount", INT },
	{ "followingCount", INT },
	{ "minutePriceInLiveStream", NUMBER },
	{ "creditBalance", NUMBER },
	{ "lastLogin", TIME, .nullable = true },
	{ "timezone", TEXT, 1, 64, .example = "\"Europe/Istanbul\"" },
	{ "lastUsernameChangeDate", TIME, .nullable = true },
	{ "accountDeletionStatus", ENUM, .oneof = user_deletion_states },
	{ "accountDeletionRequestedAt", TIME, .nullable = true },
	{ "accountDeletionScheduledFor", TIME, .nullable = true },
	{ "accountDeletionCancelledAt", TIME, .nullable = true },
	{ "accountDeletionFinalizedAt", TIME, .nullable = true }) };

enum { UNINDEX, INDEX, INDEXED };

static const char *const user_sql[] = {
	/* scan is meant, of the rows that this transaction changed */
	[UNINDEX] = "INSERT INTO user_text (user_text, rowid, folded) SELECT 'delete', pk, old FROM user_reindex /* scan is meant */"
		" WHERE old IS NOT NULL",
	[INDEX] = "INSERT INTO user_text (rowid, folded) SELECT user.pk, user.folded"
		" FROM user_reindex /* scan is meant */ CROSS JOIN user ON user.pk = user_reindex.pk",
	[INDEXED] = "DELETE FROM user_reindex /* scan is meant */",
};
const struct db_statements user_statements = { user_sql, COUNT(user_sql) };

void
user_reindex(struct db *db)
{
	for (int i = UNINDEX; i <= INDEXED; i++)
		(void)!db_run(db, user_sql[i], NO_ARGS, NULL);
}
