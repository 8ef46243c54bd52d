/*
 * contact - questions of visitors: the rows of table `contact`. All calls run inside a write transaction; a failure sticks to db.
 */
#ifndef OKUL_CONTACT_H
#define OKUL_CONTACT_H

#include "base.h"
#include "db.h"

extern const struct db_statements contact_statements;

/* Texts are borrowed; NULL is what was not said. Times are milliseconds. */
struct contact_new {
	const char *id, *full_name, *email, *phone_number, *subject, *message, *source, *language;
	int64_t created_at;
	const char *reply;		/* NULL: none yet */
	int64_t replied_at;		/* of a reply */
};

void contact_add(struct db *db, const struct contact_new *contact);

/* Stores the reply; false when there is no such question or it has a reply already. */
must_use bool contact_reply(struct db *db, const char *id, const char *reply, int64_t now);

/* The status REPLIED has a time, `now` unless there is one; others have none. */
void contact_set_status(struct db *db, const char *id, const char *status, int64_t now);

/* False when there is none. */
must_use bool contact_delete(struct db *db, const char *id);

#endif
