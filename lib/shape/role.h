/*
 * role - who may do what. A higher role may do all that a lower one may.
 */
#ifndef OKUL_ROLE_H
#define OKUL_ROLE_H

#include "base.h"

/* OPTIONAL is PUBLIC that likes to know who asks: a bad token makes the caller anonymous in both. */
enum role { PUBLIC, OPTIONAL, USER, ADMIN, SUPERADMIN };

/* "public", "optional", "user", "admin", "superadmin". */
const char *role_name(enum role role);
/* The role of a user row ("user", "admin" or "superadmin"); PUBLIC when it is none of them. */
enum role role_of(const char *name);

#endif
