#include "assignment.h"

#include "sql.h"

enum { UNOPENED, OPEN, ADD, REMOVE };

#define UNOPENED_OF(key, user) \
	"SELECT assignment.pk FROM file" SQL_JOIN "material_pdf ON material_pdf.file = file.pk" SQL_JOIN \
	"users ON users.id = " user SQL_JOIN \
	"assignment ON assignment.user_pk = users.pk AND assignment.material = material_pdf.material" \
	" WHERE file.key = " key " AND assignment.opened_at IS NULL"

static const char *const assignment_sql[] = {
	[UNOPENED] = UNOPENED_OF("?1", "?2"),
	[OPEN] = "UPDATE assignment SET opened_at = ?3 WHERE pk = (" UNOPENED_OF("?1", "?2") ")",
	[ADD] = "INSERT INTO assignment (material, user_pk, assigned_at, assigned_by, opened_at, note)"
		" VALUES (?1, ?2, ?3, ?4, nullif(CAST(?5 AS BIGINT), 0), ?6) ON CONFLICT DO NOTHING",
	[REMOVE] = "DELETE FROM assignment WHERE material = (SELECT pk FROM material WHERE id = ?1)"
		   " AND user_pk = (SELECT pk FROM users WHERE id = ?2) RETURNING (SELECT email FROM users WHERE id = ?2),"
		   " (SELECT title FROM material WHERE id = ?1)",
};
const struct db_statements assignment_statements = { assignment_sql, COUNT(assignment_sql) };

bool
assignment_unopened(struct db *db, const char *key, const char *user)
{
	return db_number(db, NULL, assignment_sql[UNOPENED], ARGS(key, user)) == DB_ROW;
}

void
assignment_open(struct db *db, const char *key, const char *user, int64_t now)
{
	db_send(db, assignment_sql[OPEN], ARGS(key, user, now));
}

bool
assignment_add(struct db *db, const struct assignment *a)
{
	return db_change(db, assignment_sql[ADD],
		       ARGS(a->material, a->user, a->assigned_at, a->assigned_by, a->opened_at, a->note)) > 0;
}

enum db_rc
assignment_remove(struct db *db, struct db_rows **row, const char *material, const char *user)
{
	return db_one(db, row, assignment_sql[REMOVE], ARGS(material, user));
}
