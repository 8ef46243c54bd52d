#include "openapi_part.h"

/* What can go wrong with a route, by status. Every row is one shared response of the document. */
static const struct failure {
	int status;
	const char *name, *description;
	const char *header;	/* of its own; NULL: none */
} failures[] = {
	{ 400, "BadRequest", "The request is malformed: one sentence for each fault.", NULL },
	{ 401, "Unauthorized", "No token, or one that is not valid (any more).", "WWW-Authenticate" },
	{ 403, "Forbidden", "The caller's role is too low, the registration is not complete, or the account is off.",
		NULL },
	{ 404, "NotFound", "There is nothing with that id or key.", NULL },
	{ 409, "Conflict", "The state of things forbids it.", NULL },
	{ 412, "PreconditionFailed", "A condition of the request does not hold; where something is changed, it was changed meanwhile, and "
		"nothing was done.", NULL },
	{ 413, "TooLarge", "The body is larger than the server takes.", NULL },
	{ 415, "WrongType", "The body is of another media type than this route takes.", NULL },
	{ 416, "NoSuchRange", "The file does not have the range that was asked for.", "Content-Range" },
	{ 429, "TooMany", "A limit is reached, one of the web server's among them.", "Retry-After" },
	{ 500, "Internal", "Something went wrong on the server's side.", NULL },
	{ 503, "Unavailable", "The database is busy, full or read-only. Nothing is half-done.", "Retry-After" },
};

/* Headers of answers. Every answer has the first, and each in the envelope the second. */
static const struct header {
	const char *name, *description, *type;
} headers[] = {
	{ "X-Request-Id", "Names the request in the server's log; the caller's own, if it sent a sane one.", "string" },
	{ "Content-Language", "The language of the sentences: tr, en, es or de.", "string" },
	{ "ETag", "Names this state of the data.", "string" },
	{ "Retry-After", "Seconds to wait.", "integer" },
	{ "WWW-Authenticate", "Bearer, and why a token was refused.", "string" },
	{ "Content-Range", "Which part it is, and the size of all.", "string" },
	{ "Content-Disposition", "The name under which to save it.", "string" },
};

/* ---- what a route takes and answers */

/* What is sent by the web server, with a tag of its own and in parts. */
bool
openapi_is_file(const struct route *route)
{
	return route->out_type;
}

static bool
lists(const struct route *route, int status)
{
	for (const int *at = route->errors; at && *at; at++)
		if (*at == status)
			return true;
	return false;
}

/* True when a request to the route may be answered with the status. */
static bool
may_answer(const struct route *route, int status)
{
	switch (status) {
	case 400:	/* at the least a query parameter that it does not know */
	case 429:	/* at the least of the web server */
	case 500:
	case 503:
		return true;
	case 401:
		if (route->role >= USER)
			return true;
		break;
	case 403:
		if (route->role >= ADMIN || (route->role == USER && !(route->unregistered && route->being_deleted)))
			return true;
		break;
	case 404:
		if (strchr(route->path, '{'))
			return true;
		break;
	case 412:
		if (route_is_guarded(route) || openapi_is_file(route))
			return true;
		break;
	case 413:
	case 415:
		if (route->in || route->upload)
			return true;
		break;
	case 416:
		if (openapi_is_file(route))
			return true;
		break;
	}
	return lists(route, status);
}

bool
openapi_may_be_kept(const struct route *route)
{
	return route_is_tagged(route) || openapi_is_file(route);
}

bool
openapi_shows_tag(const struct route *route)
{
	return openapi_may_be_kept(route) || (route->method == PATCH && route->shows);
}

bool
openapi_takes_if_match(const struct route *route)
{
	return route->shows;
}

/* True when there are words for every status that a row lists. */
bool
openapi_knows_errors(const struct route *route)
{
	for (const int *status = route->errors; status && *status; status++) {
		bool found = false;
		for (size_t i = 0; i < COUNT(failures) && !found; i++)
			found = failures[i].status == *status;
		if (!found)
			return false;
	}
	return true;
}

/* ---- forms */

/* True when the body may be JSON. */
bool
openapi_takes_json(const struct route *route)
{
	return route->in && (!route->upload || route->upload->json_too);
}

/*
 * The component that a form is: named like the shape of its fields where that is no body by itself, else with Form in
 * the place of Dto.
 */
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

/* The files of a form: one, or a list of them. */
static void
put_file_field(struct buf *out, const struct upload_rule *rule)
{
	json_put_object(out, rule->part);
	if (rule->max > 1) {
		json_put_text(out, "type", "array");
		json_put_number(out, "maxItems", rule->max);
		json_put_object(out, "items");
	}
	json_put_text(out, "type", "string");
	json_put_text(out, "format", "binary");
	if (rule->max > 1)
		json_put_end_object(out);
	json_put_end_object(out);
}

static void
put_form_fields(struct buf *out, const struct route *route)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	json_put_object(out, "properties");
	put_file_field(out, route->upload);
	while (route->in && (field = field_next(&walk, route->in))) {
		json_put_object(out, field->name);
		openapi_put_schema(out, field);
		openapi_put_description(out, field);
		json_put_end_object(out);
	}
	json_put_end_object(out);
	json_put_list(out, "required");
	if (route->upload->required)
		json_put_text(out, NULL, route->upload->part);
	walk = (struct field_walk){ 0 };
	while (route->in && (field = field_next(&walk, route->in)))
		if (!field->optional && !route->in->all_optional)
			json_put_text(out, NULL, field->name);
	json_put_end_list(out);
}

static void
put_form(struct buf *out, const char *name, const struct route *route)
{
	json_put_object(out, name);
	json_put_text(out, "type", "object");
	put_form_fields(out, route);
	json_put_raw(out, "additionalProperties", "false");
	json_put_end_object(out);
}

/* Each once, whichever routes take it. */
static void
put_named_forms(struct buf *out, const struct program *program)
{
	const struct route *route;

	for (size_t i = 0; (route = route_at(program, i)); i++) {
		bool seen = !route->upload;
		for (size_t before = 0; before < i && !seen; before++)
			seen = route_at(program, before)->upload && route_at(program, before)->in == route->in;
		if (!seen)
			put_form(out, openapi_form_name(route).text, route);
	}
}

/* ---- envelopes: BaseResponseDto as each route has it. Whole objects: of an allOf generators make optional fields */

/* UserProfileResponseDto is enveloped as UserProfileResponse; a list of SessionResponseDto as SessionListResponse. */
static struct openapi_name
name_from(const char *shape, const char *ending)
{
	static const char *const tails[] = { "Dto", "Response", "List" };
	struct openapi_name name;
	size_t length = strlen(shape);

	/* "List" is only taken off before another ending: a page of UserTestResultListResponseDto is one of results. */
	for (size_t i = 0; i < COUNT(tails) - (strcmp(ending, "Response") == 0); i++) {
		size_t tail = strlen(tails[i]);
		if (length > tail && memcmp(shape + length - tail, tails[i], tail) == 0)
			length -= tail;
	}
	snprintf(name.text, sizeof(name.text), "%.*s%s", (int)length, shape, ending);
	return name;
}

static struct openapi_name
page_name(const struct route *route)
{
	return name_from(route->out->name, "Page");
}

struct openapi_name
openapi_envelope_name(const struct route *route)
{
	return name_from(route->out ? route->out->name : "Empty",
		route->out_page ? "PageResponse" : route->out_list ? "ListResponse" : "Response");
}

/* The envelope's other fields; the caller puts the schema of data between the two. */
static void
put_enveloped(struct buf *out, const char *name, bool success)
{
	json_put_object(out, name);
	json_put_text(out, "type", "object");
	json_put_object(out, "properties");
	json_put_object(out, "isSuccess");
	json_put_text(out, "type", "boolean");
	json_put_raw(out, "const", success ? "true" : "false");
	json_put_end_object(out);
	json_put_raw(out, "statusCode", "{\"type\":\"integer\"}");
	json_put_object(out, "data");
}

static void
put_enveloped_end(struct buf *out)
{
	json_put_end_object(out);
	json_put_raw(out, "errors", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
	json_put_raw(out, "timestamp", "{\"type\":\"string\",\"format\":\"date-time\"}");
	json_put_end_object(out);
	json_put_raw(out, "required", "[\"isSuccess\",\"statusCode\",\"data\",\"errors\",\"timestamp\"]");
	json_put_raw(out, "additionalProperties", "false");
	json_put_end_object(out);
}

static void
put_error_shape(struct buf *out)
{
	put_enveloped(out, "ErrorResponse", false);
	json_put_text(out, "type", "null");
	put_enveloped_end(out);
}

static void
put_page_shape(struct buf *out, const struct route *route)
{
	json_put_object(out, page_name(route).text);
	json_put_text(out, "type", "object");
	json_put_object(out, "properties");
	json_put_object(out, "items");
	openapi_put_schema(out, &(struct field){ .type = FIELD_LIST, .of = route->out });
	json_put_end_object(out);
	json_put_object(out, "pagination");
	openapi_put_ref(out, "schemas", pagination.name);
	json_put_end_object(out);
	json_put_end_object(out);
	json_put_raw(out, "required", "[\"items\",\"pagination\"]");
	json_put_raw(out, "additionalProperties", "false");
	json_put_end_object(out);
}

static void
put_success_shape(struct buf *out, const struct route *route)
{
	if (route->out_page)
		put_page_shape(out, route);
	put_enveloped(out, openapi_envelope_name(route).text, true);
	if (!route->out)
		json_put_text(out, "type", "null");
	else if (route->out_page)
		openapi_put_ref(out, "schemas", page_name(route).text);
	else
		openapi_put_schema(out, &(struct field){ .type = route->out_list ? FIELD_LIST : FIELD_OBJECT, .of = route->out });
	put_enveloped_end(out);
}

/* Each once, whichever routes answer so. */
static void
put_success_shapes(struct buf *out, const struct program *program)
{
	const struct route *route, *other;

	for (size_t i = 0; (route = route_at(program, i)); i++) {
		bool seen = openapi_is_file(route);
		for (size_t before = 0; before < i && !seen; before++) {
			other = route_at(program, before);
			seen = !openapi_is_file(other) && strcmp(openapi_envelope_name(other).text, openapi_envelope_name(route).text) == 0;
		}
		if (!seen)
			put_success_shape(out, route);
	}
}

/* ---- answers that several routes share, and headers */

void
openapi_put_header_ref(struct buf *out, const char *name)
{
	json_put_object(out, name);
	openapi_put_ref(out, "headers", name);
	json_put_end_object(out);
}

static void
put_failure(struct buf *out, const struct failure *failure)
{
	json_put_object(out, failure->name);
	json_put_text(out, "description", failure->description);
	json_put_object(out, "headers");
	if (failure->header)
		openapi_put_header_ref(out, failure->header);
	openapi_put_header_ref(out, "X-Request-Id");
	openapi_put_header_ref(out, "Content-Language");
	json_put_end_object(out);
	json_put_raw(out, "content", "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/ErrorResponse\"}}}");
	json_put_end_object(out);
}

void
openapi_put_failures(struct buf *out, const struct route *route)
{
	char status[12];

	for (size_t i = 0; i < COUNT(failures); i++) {
		if (!may_answer(route, failures[i].status))
			continue;
		snprintf(status, sizeof(status), "%d", failures[i].status);
		json_put_object(out, status);
		openapi_put_ref(out, "responses", failures[i].name);
		json_put_end_object(out);
	}
}

/* ---- conditional requests: what is the same for every route that takes part */

static bool
any_route(const struct program *program, bool (*is)(const struct route *route))
{
	const struct route *route;

	for (size_t i = 0; (route = route_at(program, i)); i++)
		if (is(route))
			return true;
	return false;
}

static void
put_condition(struct buf *out, const char *component, const char *header, const char *description)
{
	json_put_object(out, component);
	json_put_text(out, "name", header);
	json_put_text(out, "in", "header");
	json_put_text(out, "description", description);
	json_put_raw(out, "schema", "{\"type\":\"string\"}");
	json_put_raw(out, "example", "\"\\\"5d41402abc4b2a76\\\"\"");
	json_put_end_object(out);
}

static void
put_headers(struct buf *out)
{
	json_put_object(out, "headers");
	for (size_t i = 0; i < COUNT(headers); i++) {
		json_put_object(out, headers[i].name);
		json_put_text(out, "description", headers[i].description);
		json_put_object(out, "schema");
		json_put_text(out, "type", headers[i].type);
		json_put_end_object(out);
		json_put_end_object(out);
	}
	json_put_end_object(out);
}

static void
put_conditions(struct buf *out, const struct program *program)
{
	json_put_object(out, "parameters");
	if (any_route(program, openapi_may_be_kept))
		put_condition(out, "IfNoneMatch", "If-None-Match", "ETag of the answer that you have: 304 while it is still good");
	if (any_route(program, openapi_takes_if_match))
		put_condition(out, "IfMatch", "If-Match", "ETag of what you have seen: 412 when it was changed meanwhile");
	json_put_end_object(out);
}

void
openapi_put_components(struct buf *out, const struct program *program, const struct openapi_shapes *shapes)
{
	const struct route *route;

	json_put_object(out, "components");
	json_put_object(out, "schemas");
	for (size_t i = 0; i < shapes->count; i++)
		openapi_put_shape(out, shapes->list[i]);
	put_named_forms(out, program);
	openapi_put_enumerations(out, program, shapes);
	put_success_shapes(out, program);
	put_error_shape(out);
	json_put_end_object(out);
	put_headers(out);
	put_conditions(out, program);
	json_put_object(out, "responses");
	if (any_route(program, openapi_may_be_kept))
		json_put_raw(out, "NotModified", "{\"description\":\"What you have is still good.\",\"headers\":{"
			"\"ETag\":{\"$ref\":\"#/components/headers/ETag\"},"
			"\"X-Request-Id\":{\"$ref\":\"#/components/headers/X-Request-Id\"}}}");
	for (size_t i = 0; i < COUNT(failures); i++) {
		bool used = false;
		for (size_t r = 0; (route = route_at(program, r)) && !used; r++)
			used = may_answer(route, failures[i].status);
		if (used)
			put_failure(out, &failures[i]);
	}
	json_put_end_object(out);
	json_put_end_object(out);
}
