#include "openapi_part.h"

/* clang-format off */
/* The errors that a route may return, by status. Each row is a response that routes share. */
static const struct failure {
	int status;
	const char *name, *description;
	const char *header;	/* beyond those of every error; NULL: none */
} failures[] = {
	{ 400, "BadRequest", "The request is malformed: one sentence for each fault.", NULL },
	{ 401, "Unauthorized", "No token, or one that is not valid (any more).", "WWW-Authenticate" },
	{ 403, "Forbidden", "The caller's role is too low, the registration is not complete, or the account is off.",
		NULL },
	{ 404, "NotFound", "There is nothing with that id or key.", NULL },
	{ 409, "Conflict", "The current state of the data does not allow it.", NULL },
	{ 412, "PreconditionFailed", "A condition of the request does not hold; where something is changed, it was changed "
		"meanwhile, and nothing was done.", NULL },
	{ 413, "TooLarge", "The body is larger than the server accepts.", NULL },
	{ 415, "WrongType", "The body has another media type than this route accepts.", NULL },
	{ 416, "NoSuchRange", "The file does not have the range that was asked for.", "Content-Range" },
	{ 429, "TooMany", "A limit is reached, one of the web server's among them.", "Retry-After" },
	{ 500, "Internal", "Something went wrong on the server's side.", NULL },
	{ 503, "Unavailable", "The database is busy, full or read-only. Nothing is half-done.", "Retry-After" },
};

/* Headers of responses. Every response has the first, and each with an envelope the second. */
static const struct header {
	const char *name, *description, *type;
} headers[] = {
	{ "X-Request-Id", "Names the request in the server's log; the caller's own if it is well-formed.", "string" },
	{ "Content-Language", "The language of the sentences: tr, en, es or de.", "string" },
	{ "ETag", "Identifies this state of the data.", "string" },
	{ "Retry-After", "Seconds to wait.", "integer" },
	{ "WWW-Authenticate", "Bearer, and why a token was refused.", "string" },
	{ "Content-Range", "The range of the part, and the size of the file.", "string" },
	{ "Content-Disposition", "The name to save it under.", "string" },
};
/* clang-format on */

/* ---- errors */

/* True when the row lists the status, or the rest of the row implies it. */
static bool
may_return(const struct route *route, int status)
{
	for (const int *listed = route->errors; listed && *listed; listed++)
		if (*listed == status)
			return true;
	switch (status) {
	case 400: /* at least for an unknown query parameter */
	case 429: /* at least from the web server */
	case 500:
	case 503: return true;
	case 401: return route->role >= USER;
	case 403: return route->role >= ADMIN || (route->role == USER && !(route->unregistered && route->being_deleted));
	case 404: return strchr(route->path, '{');
	case 412: return route_is_guarded(route) || route->out_type;
	case 413:
	case 415: return route->in || route->upload;
	case 416: return route->out_type;
	}
	return false;
}

bool
openapi_knows_errors(const struct route *route)
{
	for (const int *status = route->errors; status && *status; status++) {
		size_t i = 0;
		while (i < COUNT(failures) && failures[i].status != *status)
			i++;
		if (i == COUNT(failures))
			return false;
	}
	return true;
}

void
openapi_put_failures(struct buf *out, const struct route *route)
{
	char status[12];

	for (size_t i = 0; i < COUNT(failures); i++) {
		if (!may_return(route, failures[i].status))
			continue;
		snprintf(status, sizeof(status), "%d", failures[i].status);
		openapi_put(out, status, "{'$ref':'#/components/responses/%s'}", failures[i].name);
	}
}

static void
put_failure(struct buf *out, const struct failure *failure)
{
	openapi_put_response(out, failure->name, failure->description,
		(const char *const[4]){ failure->header, "X-Request-Id", "Content-Language" });
	openapi_put(out, "content", "{'application/json':{'schema':{'$ref':'#/components/schemas/ErrorResponse'}}}");
	json_put_end_object(out);
}

/* ---- forms */

/* Named like the shape of its fields where that is not a body itself, else with Form in place of Dto. */
struct openapi_name
openapi_form_name(const struct route *route)
{
	struct openapi_name name;
	const char *shape = route->in ? route->in->name : "FileDto";
	size_t length = strlen(shape);

	if (route->in && !openapi_takes_json(route))
		snprintf(name.text, sizeof(name.text), "%s", shape);
	else
		snprintf(name.text, sizeof(name.text), "%.*sForm",
			(int)(length > 3 && strcmp(shape + length - 3, "Dto") == 0 ? length - 3 : length), shape);
	return name;
}

/* Each form once, however many routes take it. */
static void
put_forms(struct buf *out, const struct program *program)
{
	const struct route *route;

	for (size_t i = 0; (route = route_at(program, i)); i++) {
		bool seen = !route->upload;
		for (size_t before = 0; before < i && !seen; before++)
			seen = route_at(program, before)->upload && route_at(program, before)->in == route->in;
		if (!seen)
			openapi_put_form(out, openapi_form_name(route).text, route->in, route->upload);
	}
}

/* ---- envelopes: BaseResponseDto with the data of a route. No allOf: generators would make its fields optional */

/* UserProfileResponseDto is enveloped as UserProfileResponse; a list of SessionResponseDto as SessionListResponse. */
static struct openapi_name
name_from(const char *shape, const char *ending)
{
	static const char *const tails[] = { "Dto", "Response", "List" };
	struct openapi_name name;
	size_t length = strlen(shape);

	/* "List" is only removed before another ending: a page of UserTestResultListResponseDto is one of results. */
	for (size_t i = 0; i < COUNT(tails) - (strcmp(ending, "Response") == 0); i++) {
		size_t tail = strlen(tails[i]);
		if (length > tail && memcmp(shape + length - tail, tails[i], tail) == 0)
			length -= tail;
	}
	snprintf(name.text, sizeof(name.text), "%.*s%s", (int)length, shape, ending);
	return name;
}

struct openapi_name
openapi_envelope_name(const struct route *route)
{
	return name_from(route->out ? route->out->name : "Empty",
		route->out_page		  ? "PageResponse"
			: route->out_list ? "ListResponse"
					  : "Response");
}

/* `data` NULL: the data is null. */
static void
put_envelope(struct buf *out, const char *name, bool success, const struct field *data)
{
	json_put_object(out, name);
	openapi_put(out, "type", "'object'");
	json_put_object(out, "properties");
	openapi_put(out, "isSuccess", "{'type':'boolean','const':%s}", success ? "true" : "false");
	openapi_put(out, "statusCode", "{'type':'integer'}");
	if (data)
		openapi_put_schema(out, "data", data);
	else
		openapi_put(out, "data", "{'type':'null'}");
	openapi_put(out, "errors", "{'type':'array','items':{'type':'string'}}");
	openapi_put(out, "timestamp", "{'type':'string','format':'date-time'}");
	json_put_end_object(out);
	openapi_put(out, "required", "['isSuccess','statusCode','data','errors','timestamp']");
	json_put_bool(out, "additionalProperties", false);
	json_put_end_object(out);
}

static void
put_success_envelope(struct buf *out, const struct route *route)
{
	struct field data = { .type = route->out_list ? FIELD_LIST : FIELD_OBJECT, .of = route->out };
	struct openapi_name page_name = name_from(route->out ? route->out->name : "", "Page");
	const struct shape page = { .name = page_name.text,
		.fields = FIELDS({ "items", FIELD_LIST, .of = route->out }, { "pagination", FIELD_OBJECT, .of = &pagination }) };

	if (route->out_page) {
		openapi_put_shape(out, &page);
		data.of = &page;
	}
	put_envelope(out, openapi_envelope_name(route).text, true, route->out ? &data : NULL);
}

/* Each envelope once, however many routes return it. */
static void
put_success_envelopes(struct buf *out, const struct program *program)
{
	const struct route *route, *other;

	for (size_t i = 0; (route = route_at(program, i)); i++) {
		struct openapi_name name = openapi_envelope_name(route);
		bool seen = route->out_type;
		for (size_t before = 0; before < i && !seen; before++) {
			other = route_at(program, before);
			seen = !other->out_type && strcmp(openapi_envelope_name(other).text, name.text) == 0;
		}
		if (!seen)
			put_success_envelope(out, route);
	}
}

/* ---- what routes share */

void
openapi_put_response(struct buf *out, const char *name, const char *description, const char *const names[static 4])
{
	json_put_object(out, name);
	json_put_text(out, "description", description);
	json_put_object(out, "headers");
	for (int i = 0; i < 4; i++)
		if (names[i])
			openapi_put(out, names[i], "{'$ref':'#/components/headers/%s'}", names[i]);
	json_put_end_object(out);
}

void
openapi_put_not_modified(struct buf *out, const char *name, const char *header)
{
	openapi_put_response(out, name, "Your copy is still current.", (const char *const[4]){ "ETag", header, "X-Request-Id" });
	json_put_end_object(out);
}

static void
put_condition(struct buf *out, const char *component, const char *header, const char *description)
{
	openapi_put(out, component,
		"{'name':'%s','in':'header','description':'%s','schema':{'type':'string'},"
		"'example':'\\'5d41402abc4b2a76\\''}",
		header, description);
}

void
openapi_put_components(struct buf *out, const struct program *program, const struct openapi_shapes *shapes)
{
	const struct route *route;
	bool cacheable = false, guarded = false, used[COUNT(failures)] = { false };

	for (size_t r = 0; (route = route_at(program, r)); r++) {
		cacheable |= openapi_is_cacheable(route);
		guarded |= route->shows != NULL;
		for (size_t i = 0; i < COUNT(failures); i++)
			used[i] |= may_return(route, failures[i].status);
	}
	json_put_object(out, "components");
	json_put_object(out, "schemas");
	for (size_t i = 0; i < shapes->count; i++)
		openapi_put_shape(out, shapes->list[i]);
	put_forms(out, program);
	openapi_put_enumerations(out, program, shapes);
	put_success_envelopes(out, program);
	put_envelope(out, "ErrorResponse", false, NULL);
	json_put_end_object(out);
	json_put_object(out, "headers");
	for (size_t i = 0; i < COUNT(headers); i++)
		openapi_put(out, headers[i].name, "{'description':'%s','schema':{'type':'%s'}}", headers[i].description,
			headers[i].type);
	json_put_end_object(out);
	json_put_object(out, "parameters");
	if (cacheable)
		put_condition(out, "IfNoneMatch", "If-None-Match", "ETag of your copy: 304 while it is still current");
	if (guarded)
		put_condition(out, "IfMatch", "If-Match", "ETag of your copy: 412 when the data was changed meanwhile");
	json_put_end_object(out);
	json_put_object(out, "responses");
	if (cacheable)
		openapi_put_not_modified(out, "NotModified", NULL);
	for (size_t i = 0; i < COUNT(failures); i++)
		if (used[i])
			put_failure(out, &failures[i]);
	json_put_end_object(out);
	json_put_end_object(out);
}
