#include "late.h"

static bool
late_gives(struct request *rq, enum db_rc rc)
{
	if (rc != DB_DONE)
		db_release(rq->db);
	return rc == DB_DONE;
}

bool
late_begin(struct request *rq)
{
	if (!db_writable(rq->db))
		return false;
	db_only_deletes(rq->db, false);
	request_detach_user(rq);
	return late_gives(rq, db_write_begin(rq->db));
}

bool
late_end(struct request *rq)
{
	return late_gives(rq, db_write_commit(rq->db));
}
