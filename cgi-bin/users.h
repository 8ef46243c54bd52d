/*
 * users - what the files of the group share.
 */
#ifndef OKUL_USERS_H
#define OKUL_USERS_H

#include "app.h"

extern const struct section users_me, users_admin, users_deletion, users_export, users_audit;

/* A username is free to be set the first time, and rests for 30 days after each change. */
bool users_name_rests(struct request *rq, int64_t pk, const char *username);

#endif
