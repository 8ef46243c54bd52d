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
