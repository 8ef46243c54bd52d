#include "late.h"

static bool
release_unless_done(struct request *rq, enum db_rc rc)
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
	return release_unless_done(rq, db_write_begin(rq->db));
}

bool
late_end(struct request *rq)
{
	return release_unless_done(rq, db_write_commit(rq->db));
}
