#include "contact.h"

#include "sql.h"

enum { ADD, REPLY, SET_STATUS, REMOVE };

static const char *const contact_sql[] = {
	[ADD] = "INSERT INTO contact (id, full_name, email, phone_number, subject, message, source, language, created_at, status,"
		" replied_at, reply, sort_name, folded) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
		" CASE WHEN CAST(?11 AS TEXT) IS NULL THEN 'PENDING' ELSE 'REPLIED' END, ?10, ?11, " SQL_FOLD("?2") ", " SQL_FOLD(
			"?2, ?3, ?5, ?6") ")",
	[REPLY] = "UPDATE contact SET reply = ?2, status = 'REPLIED', replied_at = ?3 WHERE id = ?1 AND reply IS NULL",
	[SET_STATUS] =
		"UPDATE contact SET status = ?2, replied_at = CASE ?2 WHEN 'REPLIED' THEN coalesce(replied_at, ?3) END WHERE id = ?1",
	[REMOVE] = "DELETE FROM contact WHERE id = ?1",
};
const struct db_statements contact_statements = { contact_sql, COUNT(contact_sql) };

void
contact_add(struct db *db, const struct contact_new *c)
{
	struct value replied_at = c->reply ? value_int(c->replied_at) : value_null();

	db_send(db, contact_sql[ADD],
		ARGS(c->id, c->full_name, c->email, c->phone_number, c->subject, c->message, c->source, c->language,
			c->created_at, replied_at, c->reply));
}

bool
contact_reply(struct db *db, const char *id, const char *reply, int64_t now)
{
	return db_change(db, contact_sql[REPLY], ARGS(id, reply, now)) > 0;
}

void
contact_set_status(struct db *db, const char *id, const char *status, int64_t now)
{
	db_send(db, contact_sql[SET_STATUS], ARGS(id, status, now));
}

bool
contact_delete(struct db *db, const char *id)
{
	return db_change(db, contact_sql[REMOVE], ARGS(id)) > 0;
}
