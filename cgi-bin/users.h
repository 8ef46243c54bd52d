/* users - what the files of the group share. */
#ifndef OKUL_USERS_H
#define OKUL_USERS_H

#include "app.h"

extern const struct section users_me, users_admin, users_import, users_deletion, users_export, users_audit;

/* True while the user may not change their username to this one: for 30 days after a change. The first one is free. */
bool users_name_recent(struct request *rq, int64_t pk, const char *username);

#endif
