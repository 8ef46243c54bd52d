#include "assignment.h"

enum { UNOPENED, OPEN };

#define UNOPENED_OF(key, user) \
	"SELECT assignment.pk FROM file CROSS JOIN material_pdf ON material_pdf.file = file.pk CROSS JOIN user ON user.id = " user \
	" CROSS JOIN assignment ON assignment.user = user.pk AND assignment.material = material_pdf.material" \
	" WHERE file.key = " key " AND assignment.opened_at IS NULL"

const char *const assignment_sql[] = {
	[UNOPENED] = UNOPENED_OF("?1", "?2"),
	[OPEN] = "UPDATE assignment SET opened_at = ?3 WHERE pk = (" UNOPENED_OF("?1", "?2") ")",
};
const size_t assignment_sql_count = COUNT(assignment_sql);

bool
assignment_unopened(struct db *db, const char *key, const char *user)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, assignment_sql[UNOPENED], ARGS(key, user));

	db_end(row);
	return rc == DB_ROW;
}

void
assignment_note_opening(struct db *db, const char *key, const char *user, int64_t now)
{
	if (!db_writable(db))
		return;
	if (db_write_begin(db) == DB_DONE) {
		if (db_run(db, assignment_sql[OPEN], ARGS(key, user, now), NULL) != DB_DONE)
			db_write_rollback(db);
		else
			(void)!db_write_commit(db);
	}
	if (db_failure(db) != DB_DONE)
		db_release(db);
}
