/* role - the roles of callers. A higher role has all rights of a lower one. */
#ifndef OKUL_ROLE_H
#define OKUL_ROLE_H

#include "base.h"

/* OPTIONAL is PUBLIC for a route that also uses a token. In both, a bad token makes the caller anonymous. */
enum role { PUBLIC, OPTIONAL, USER, ADMIN, SUPERADMIN };

/* "public", "optional", "user", "admin", "superadmin". */
const char *role_name(enum role role);
/* The role of a user row ("user", "admin" or "superadmin"); PUBLIC when it is none of them. */
enum role role_of(const char *name);

#endif
