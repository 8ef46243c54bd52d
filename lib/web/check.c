#include "check.h"

#include "upload.h"

/* ---- the caller */

struct response
check_caller(struct request *rq)
{
	const struct route *route = rq->route;
	enum error error = ERROR_NO_TOKEN;
	struct caller *caller = rq->user;

	if (rq->http.authorization && rq->program->authenticate && (caller || !db_writing(rq->db))) {
		rq->user = caller ? caller : arena_alloc(rq->arena, sizeof(*caller));
		error = rq->program->authenticate(rq->db, caller ? NULL : rq->http.authorization, rq->now, rq->user);
		rq->user = error ? NULL : rq->user;
	}
	if (error && (error == ERROR_BUSY || route->role >= USER))
		return response_error(rq, error);
	if (!rq->user)
		return response_passed();
	if (route->writes)
		request_detach_user(rq);
	if (route->role > rq->user->role)
		return response_error(rq, ERROR_ROLE_TOO_LOW);
	if (route->role >= USER && rq->user->role == USER && !rq->user->registered && !route->unregistered)
		return response_error(rq, ERROR_NOT_REGISTERED);
	if (route->role >= USER && rq->user->being_deleted && (!route->being_deleted || route->role > caller_rights(rq->user)))
		return response_error(rq, ERROR_BEING_DELETED);
	return response_passed();
}

/* ---- the request */

bool
check_is_form(const struct request *rq)
{
	const struct upload_rule *rule = rq->route->upload;

	return rule && (!rule->json_too || http_is_type(rq->http.content_type, "multipart/form-data"));
}

int64_t
check_body_limit(const struct request *rq)
{
	if (check_is_form(rq))
		return rq->conf->upload_request_limit * MIB;
	return rq->route->role < USER && rq->conf->body_limit > PUBLIC_BODY_MAX ? PUBLIC_BODY_MAX : rq->conf->body_limit;
}

static struct response
check_type(struct request *rq)
{
	struct response response = response_passed();

	if (!http_is_type(rq->http.content_type, "application/json")) {
		response = response_error(rq, ERROR_WRONG_TYPE);
		response.argument = rq->route->upload ? "application/json, multipart/form-data" : "application/json";
	}
	return response;
}

/* A body as it was parsed, or put together from the parts of a form. */
struct body {
	cJSON *object;
	const struct json_text *members;
};

static struct response
parse_body(struct request *rq, const char *text, struct body *body)
{
	static const enum error errors[] = { [JSON_GOOD] = ERROR_BAD_JSON,
		[JSON_SYNTAX] = ERROR_BAD_JSON,
		[JSON_UTF8] = ERROR_BAD_UTF8,
		[JSON_NUL] = ERROR_BAD_NUL,
		[JSON_DEEP] = ERROR_BAD_DEPTH,
		[JSON_TWICE] = ERROR_BAD_KEY_TWICE };
	enum json_fault fault = JSON_SYNTAX;

	if (!text && rq->http.content_length != 0 && rq->http.content_length != -1)
		return response_error(rq, ERROR_BAD_BODY_LENGTH);
	if (text)
		body->object = json_parse_members(
			rq->arena, text, (size_t)rq->http.content_length, JSON_DEPTH, &fault, &body->members);
	if (!body->object)
		return response_error(rq, errors[fault]);
	return cJSON_IsObject(body->object) ? response_passed() : response_error(rq, ERROR_BAD_OBJECT);
}

static const struct shape no_body = { .fields = (const struct field[]){ { 0 } } };

/* Adds what route->check finds to what the shapes found. */
static void
check_further(struct request *rq, size_t before_body)
{
	struct faults more;

	faults_init(&more, rq->arena, rq->language);
	rq->route->check(rq, &more);
	faults_merge(&rq->faults, before_body, &more, rq->route->in ? rq->route->in : &no_body);
}

static struct response
check_fields(struct request *rq, const struct body *body)
{
	const struct shape *in = rq->route->in;

	route_params(rq);
	rq->in = rq->route->own_query ? NULL : field_query(rq->route->query, rq->http.query, &rq->faults);
	if (in && in->all_optional && cJSON_GetArraySize(body->object) == 0 && !rq->upload_count && rq->faults.count == 0)
		return response_error(rq, ERROR_EMPTY_CHANGE);
	size_t before_body = rq->faults.count;
	if (in)
		rq->in = field_read(in, body->object, body->members, &rq->faults);
	if (rq->route->check)
		check_further(rq, before_body);
	if (rq->faults.count > 0)
		return response_error(rq, ERROR_BAD_FIELDS);
	return response_passed();
}

struct response
check_head(struct request *rq)
{
	struct response response = check_caller(rq);

	if (!response.error && check_is_form(rq))
		response = rq->route->upload->reader->check(rq);
	else if (!response.error && rq->route->in)
		response = check_type(rq);
	return response;
}

static struct response
keep_uploads(struct request *rq)
{
	return rq->upload_count ? rq->route->upload->reader->keep(rq) : response_passed();
}

struct response
check_again(struct request *rq)
{
	rq->prepared = NULL;
	if (rq->route->check)
		check_further(rq, 0);
	return rq->faults.count > 0 ? response_error(rq, ERROR_BAD_FIELDS) : keep_uploads(rq);
}

struct response
check_body(struct request *rq, const char *text)
{
	struct response response = response_passed();
	struct body body = { 0 };

	if (check_is_form(rq))
		response = rq->route->upload->reader->receive(rq, body.object = cJSON_CreateObject());
	else if (rq->route->in)
		response = parse_body(rq, text, &body);
	if (!response.error)
		response = check_fields(rq, &body);
	return response.error ? response : keep_uploads(rq);
}
