#include "request.h"

void
request_detach_user(struct request *rq)
{
	struct caller *user = rq->user;

	if (!user || !user->row)
		return;
	user->id = arena_string(rq->arena, user->id);
	user->email = arena_string(rq->arena, user->email);
	user->session_id = arena_string(rq->arena, user->session_id);
	db_end(user->row);
	user->row = NULL;
}

static bool
release_unless_done(struct request *rq, enum db_rc rc)
{
	if (rc != DB_DONE)
		db_release(rq->db);
	return rc == DB_DONE;
}

bool
request_late_write(struct request *rq)
{
	if (!db_writable(rq->db))
		return false;
	db_only_deletes(rq->db, false);
	request_detach_user(rq);
	return release_unless_done(rq, db_write_begin(rq->db));
}

bool
request_late_commit(struct request *rq)
{
	return release_unless_done(rq, db_write_commit(rq->db));
}
