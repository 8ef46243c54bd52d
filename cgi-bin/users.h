/*
 * users - what the files of the group share.
 */
#ifndef OKUL_USERS_H
#define OKUL_USERS_H

#include "app.h"

extern const struct section users_me, users_admin, users_deletion, users_export, users_audit;

/* UPDATE of a profile: the body ?1, the time ?2, the user ?3. */
#define UPDATE_PROFILE(more) \
	"UPDATE user SET " \
	FIELD_CHANGED("name", "name") FIELD_CHANGED("surname", "surname") FIELD_CHANGED("username", "username") \
	FIELD_CHANGED("language", "language") FIELD_CHANGED("country_code", "countryCode") \
	FIELD_CHANGED("phone_number", "phoneNumber") FIELD_CHANGED("profile_photo", "profilePhoto") \
	FIELD_CHANGED("availability", "availabilityStatus") FIELD_CHANGED("birth_date", "birthDate") \
	FIELD_CHANGED("gender", "gender") FIELD_CHANGED("interests", "interests") \
	FIELD_CHANGED("expertise", "expertise") FIELD_CHANGED("bio", "bio") FIELD_CHANGED("instagram", "instagram") \
	FIELD_CHANGED("x", "x") FIELD_CHANGED("tiktok", "tiktok") FIELD_CHANGED("snapchat", "snapchat") \
	FIELD_CHANGED("facebook", "facebook") FIELD_CHANGED("timezone", "timezone") more \
	"username_changed_at = CASE WHEN json_type(?1, '$.username') IS NULL OR username IS ?1 ->> '$.username'" \
	" THEN username_changed_at ELSE ?2 END, " \
	"updated_at = ?2 WHERE pk = ?3"

/* A username is free to be set the first time, and rests for 30 days after each change. */
bool users_name_rests(struct request *rq, int64_t pk, const char *username);

#endif
