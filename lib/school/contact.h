/*
 * contact - questions of visitors, table `contact`. All calls run inside a write transaction; a failure sticks to db.
 */
#ifndef OKUL_CONTACT_H
#define OKUL_CONTACT_H

#include "db.h"

extern const struct db_statements contact_statements;

/* Texts are borrowed, and NULL where there is none. Times are milliseconds. */
struct contact_new {
	const char *id, *full_name, *email, *phone_number, *subject, *message, *source, *language;
	int64_t created_at;
	const char *reply;		/* NULL: none yet */
	int64_t replied_at;		/* with a reply */
};

/* Adds a question, and its reply if there is one. */
void contact_add(struct db *db, const struct contact_new *contact);

/* Stores the reply; false when there is no such question or it has a reply already. */
must_use bool contact_reply(struct db *db, const char *id, const char *reply, int64_t now);

/* The status REPLIED sets the time of the reply to `now` unless it has one; another status clears it. */
void contact_set_status(struct db *db, const char *id, const char *status, int64_t now);

/* Returns false when there is none. */
must_use bool contact_delete(struct db *db, const char *id);

#endif
