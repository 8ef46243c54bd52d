#include "expiry.h"

enum db_rc
expiry_run(struct db *db, const char *const sql[2], int64_t until, int64_t limit, int64_t *count)
{
	*count = 0;
	if (limit > 0)
		return db_run(db, sql[1], ARGS(until, limit), count);
	enum db_rc rc = db_number(db, count, sql[0], ARGS(until));
	return rc == DB_ROW ? DB_DONE : rc;
}
