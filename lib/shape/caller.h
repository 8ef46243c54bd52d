/* caller - the user who sends a request, as the rights of a route see them. */
#ifndef OKUL_CALLER_H
#define OKUL_CALLER_H

#include "base.h"
#include "role.h"
#include "sentence.h"

struct db_rows;

/* Texts are borrowed from `row`, which stays open until the end of the request, or are copies where `row` is NULL. */
struct caller {
	int64_t pk;
	const char *id, *email;
	enum role role;
	enum language language;
	bool registered;
	bool being_deleted;		/* the deletion is requested and can still be cancelled */
	int64_t session;		/* pk of the session */
	const char *session_id;
	int64_t token_expires;		/* milliseconds */
	struct db_rows *row;		/* the row that the caller was read from; the authenticator knows its columns */
};

/*
 * The role whose rights the caller has: an admin or superadmin whose deletion is pending has those of a user until
 * they cancel it; NULL (anonymous) has those of PUBLIC.
 */
enum role caller_rights(const struct caller *caller);

#endif
