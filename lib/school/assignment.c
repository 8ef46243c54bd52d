#include "assignment.h"

enum { UNOPENED, OPEN };

#define UNOPENED_OF(key, user) \
	"SELECT assignment.pk FROM file CROSS JOIN material_pdf ON material_pdf.file = file.pk CROSS JOIN user ON user.id = " user \
	" CROSS JOIN assignment ON assignment.user = user.pk AND assignment.material = material_pdf.material" \
	" WHERE file.key = " key " AND assignment.opened_at IS NULL"

static const char *const assignment_sql[] = {
	[UNOPENED] = UNOPENED_OF("?1", "?2"),
	[OPEN] = "UPDATE assignment SET opened_at = ?3 WHERE pk = (" UNOPENED_OF("?1", "?2") ")",
};
const struct db_statements assignment_statements = { assignment_sql, COUNT(assignment_sql) };

bool
assignment_unopened(struct db *db, const char *key, const char *user)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, assignment_sql[UNOPENED], ARGS(key, user));

	db_end(row);
	return rc == DB_ROW;
}

void
assignment_open(struct db *db, const char *key, const char *user, int64_t now)
{
	(void)!db_run(db, assignment_sql[OPEN], ARGS(key, user, now), NULL);
}
