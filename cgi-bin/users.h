/*
 * users - what the files of the group share.
 */
#ifndef OKUL_USERS_H
#define OKUL_USERS_H

#include "app.h"

extern const struct section users_me, users_admin, users_deletion, users_export;

/* A column keeps its value unless the body (?1) names the field; null in the body is NULL in the column. */
#define CHANGED(column, field) \
	column " = CASE WHEN json_type(?1, '$." field "') IS NULL THEN " column " ELSE ?1 ->> '$." field "' END, "

/* UPDATE of a profile: the body ?1, the time ?2, the user ?3. */
#define UPDATE_PROFILE(more) \
	"UPDATE user SET " \
	CHANGED("name", "name") CHANGED("surname", "surname") CHANGED("username", "username") \
	CHANGED("language", "language") CHANGED("country_code", "countryCode") CHANGED("phone_number", "phoneNumber") \
	CHANGED("profile_photo", "profilePhoto") CHANGED("availability", "availabilityStatus") \
	CHANGED("birth_date", "birthDate") CHANGED("gender", "gender") CHANGED("interests", "interests") \
	CHANGED("expertise", "expertise") CHANGED("bio", "bio") CHANGED("instagram", "instagram") CHANGED("x", "x") \
	CHANGED("tiktok", "tiktok") CHANGED("snapchat", "snapchat") CHANGED("facebook", "facebook") \
	CHANGED("timezone", "timezone") more \
	"username_changed_at = CASE WHEN json_type(?1, '$.username') IS NULL OR username IS ?1 ->> '$.username'" \
	" THEN username_changed_at ELSE ?2 END, " \
	"updated_at = ?2 WHERE pk = ?3"

/* A username is free to be set the first time, and rests for 30 days after each change. */
bool users_name_rests(struct request *rq, int64_t pk, const char *username);

#endif
