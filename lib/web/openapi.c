#include "openapi.h"

#include "openapi_part.h"
#include "text.h"

/* clang-format off */
static const struct shape envelope = {
	"BaseResponseDto",
	FIELDS(
		{ "isSuccess", FIELD_BOOL },
		{ "statusCode", FIELD_INT, .min = 100, .max = 599, .note = "the HTTP status" },
		{ "data", FIELD_JSON, .note = "null in an error" },
		{ "errors", FIELD_LIST, .item = FIELD_TEXT, .note = "sentences for people; empty in a success" },
		{ "timestamp", FIELD_TIME }
	),
	.note = "Every JSON response has exactly these five fields, in this order."
};
/* clang-format on */

/* True for uploaded files, which have a name to save them under. */
static bool
is_upload(const struct route *route)
{
	return route->out_type && strcmp(route->out_type, "*/*") == 0;
}

/* ---- routes as operations */

/* POST /auth/otp/request is postAuthOtpRequest. */
static void
put_operation_id(struct buf *out, const char *method, const char *path)
{
	char id[128];
	size_t length = (size_t)snprintf(id, sizeof(id), "%s", method);
	bool upper = false;

	for (const char *s = path[1] ? path : "/root"; *s && length < sizeof(id) - 1; s++) {
		if (text_is_alpha(*s) || text_is_digit(*s))
			id[length++] = (char)(upper && text_is_alpha(*s) ? *s & ~0x20 : *s);
		upper = !text_is_alpha(*s);
	}
	id[length] = '\0';
	json_put_text(out, "operationId", id);
}

static void
put_path_parameters(struct buf *out, const char *path)
{
	while ((path = strchr(path, '{'))) {
		size_t length = strcspn(++path, "}");
		json_put_object(out, NULL);
		json_put_text_of(out, "name", path, length);
		openapi_put(out, "in", "'path'");
		json_put_bool(out, "required", true);
		struct field field = { .type = route_is_id(path, length) ? FIELD_ID : FIELD_TEXT, .min = 1 };
		openapi_put_schema(out, "schema", &field);
		json_put_end_object(out);
	}
}

static void
put_query_parameters(struct buf *out, const struct shape *query)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while (query && (field = field_next(&walk, query))) {
		json_put_object(out, NULL);
		json_put_text(out, "name", field->name);
		openapi_put(out, "in", "'query'");
		if (!field->optional && !query->all_optional)
			json_put_bool(out, "required", true);
		openapi_put_description(out, field);
		openapi_put_schema(out, "schema", field);
		json_put_end_object(out);
	}
}

/* `encoding` has the media type of each part that is not plain text. */
static void
put_form_body(struct buf *out, const struct route *route)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	json_put_object(out, "multipart/form-data");
	openapi_put(out, "schema", "{'$ref':'#/components/schemas/%s'}", openapi_form_name(route).text);
	json_put_object(out, "encoding");
	openapi_put(out, route->upload->part, "{'contentType':'");
	route->upload->reader->types(out, route->upload);
	buf_puts(out, "\"}");
	while (route->in && (field = field_next(&walk, route->in)))
		if (field->type == FIELD_LIST || field->type == FIELD_OBJECT || field->type == FIELD_JSON)
			openapi_put(out, field->name, "{'contentType':'application/json'}");
	json_put_end_object(out);
	json_put_end_object(out);
}

static void
put_body(struct buf *out, const struct route *route)
{
	json_put_object(out, "requestBody");
	if (route->role < USER)
		json_put_text(out, "description", "At most 64 KiB.");
	json_put_bool(out, "required", true);
	json_put_object(out, "content");
	if (route->upload)
		put_form_body(out, route); /* first: the page shows the first one */
	if (openapi_takes_json(route)) {
		json_put_object(out, "application/json");
		openapi_put(out, "schema", "{'$ref':'#/components/schemas/%s'}", route->in->name);
		if (route->example)
			json_put_raw(out, "example", route->example);
		json_put_end_object(out);
	}
	json_put_end_object(out);
	json_put_end_object(out);
}

/* True for a list that may be had as CSV. */
static bool
may_be_table(const struct route *route)
{
	const struct field *format = route->query ? field_find(route->query, "format") : NULL;

	return format && format->oneof == page_formats;
}

static void
put_success(struct buf *out, const struct route *route)
{
	bool tagged = openapi_is_cacheable(route) || (route->method == PATCH && route->shows);
	bool created = route_success(route) == 201;
	char status[12];

	snprintf(status, sizeof(status), "%d", route_success(route));
	openapi_put_response(out, status, created ? "Created" : "OK",
		(const char *const[4]){ tagged ? "ETag" : NULL,
			may_be_table(route) || is_upload(route) ? "Content-Disposition" : NULL, "X-Request-Id",
			route->out_type ? NULL : "Content-Language" });
	json_put_object(out, "content");
	if (is_upload(route))
		openapi_put(out, route->out_type, "{'schema':{'type':'string','format':'binary'}}");
	else if (route->out_type)
		openapi_put(out, route->out_type, "{'schema':{'type':'%s'}}",
			strcmp(route->out_type, "application/json") == 0 ? "object" : "string");
	else
		openapi_put(out, "application/json", "{'schema':{'$ref':'#/components/schemas/%s'}}",
			openapi_envelope_name(route).text);
	if (may_be_table(route))
		openapi_put(out, "text/csv", "{'schema':{'type':'string'}}");
	json_put_end_object(out);
	json_put_end_object(out);
}

/* A part of a file is bytes, also where the whole is text or JSON. */
static void
put_part(struct buf *out, const struct route *route)
{
	openapi_put_response(out, "206", "The part that the header Range asks for.",
		(const char *const[4]){
			"ETag", "Content-Range", is_upload(route) ? "Content-Disposition" : NULL, "X-Request-Id" });
	openapi_put(out, "content", "{'%s':{'schema':{'type':'string','format':'binary'}}}", route->out_type);
	json_put_end_object(out);
}

static void
put_responses(struct buf *out, const struct route *route)
{
	json_put_object(out, "responses");
	put_success(out, route);
	if (route->out_type)
		put_part(out, route);
	if (is_upload(route)) {
		openapi_put_response(out, "302",
			"The file is in other storage: Location is its address there, good for a minute.",
			(const char *const[4]){ "X-Request-Id" });
		json_put_end_object(out);
	}
	if (is_upload(route))
		openapi_put_not_modified(out, "304", "Content-Disposition");
	else if (openapi_is_cacheable(route))
		openapi_put(out, "304", "{'$ref':'#/components/responses/NotModified'}");
	openapi_put_failures(out, route);
	json_put_end_object(out);
}

static void
put_operation(struct buf *out, const struct program *program, const struct route *route)
{
	bool may = route->role == OPTIONAL || route->more_by_token;
	char method[12];

	snprintf(method, sizeof(method), "%s", http_method_name(route->method));
	text_lower(method);
	json_put_object(out, method);
	openapi_put(out, "tags", "['%s']", program->name);
	put_operation_id(out, method, route->path);
	json_put_text(out, "summary", route->title);
	if (route->note)
		json_put_text(out, "description", route->note);
	json_put_text(out, "x-role", role_name(route->role));
	openapi_put(out, "security", may ? "[{},{'bearer':[]}]" : route->role >= USER ? "[{'bearer':[]}]" : "[]");
	json_put_list(out, "parameters");
	put_path_parameters(out, route->path);
	put_query_parameters(out, route->query);
	if (openapi_is_cacheable(route))
		openapi_put(out, NULL, "{'$ref':'#/components/parameters/IfNoneMatch'}");
	if (route->shows)
		openapi_put(out, NULL, "{'$ref':'#/components/parameters/IfMatch'}");
	json_put_end_list(out);
	if (route->in || route->upload)
		put_body(out, route);
	put_responses(out, route);
	json_put_end_object(out);
}

/* A path once, with all of its methods: rows of one path need not stand together. */
static void
put_paths(struct buf *out, const struct program *program)
{
	const struct route *route, *other;

	json_put_object(out, "paths");
	for (size_t i = 0; (route = route_at(program, i)); i++) {
		bool seen = false;
		for (size_t before = 0; before < i && !seen; before++)
			seen = strcmp(route_at(program, before)->path, route->path) == 0;
		if (seen)
			continue;
		json_put_object(out, route->path);
		for (size_t same = i; (other = route_at(program, same)); same++)
			if (strcmp(other->path, route->path) == 0)
				put_operation(out, program, other);
		json_put_end_object(out);
	}
	json_put_end_object(out);
}

bool
openapi_print(const struct program *program, FILE *out)
{
	struct buf text = { 0 };
	struct openapi_shapes shapes = { 0 };
	const struct route *route;
	bool good = true;

	openapi_shapes_add(&shapes, &envelope);
	for (size_t i = 0; (route = route_at(program, i)); i++) {
		/* A route that takes files ends its read snapshot, with the caller's row, before it reads them. */
		good &= openapi_knows_errors(route) && (!route->upload || route->writes);
		if (openapi_takes_json(route))
			openapi_shapes_add(&shapes, route->in);
		else if (route->in)
			openapi_shapes_add_inner(&shapes, route->in);
		if (route->out)
			openapi_shapes_add(&shapes, route->out);
		if (route->out_page)
			openapi_shapes_add(&shapes, &pagination);
	}
	json_put_object(&text, NULL);
	json_put_list(&text, "tags");
	json_put_object(&text, NULL);
	json_put_text(&text, "name", program->name);
	json_put_text(&text, "description", program->title);
	json_put_end_object(&text);
	json_put_end_list(&text);
	put_paths(&text, program);
	openapi_put_components(&text, program, &shapes);
	json_put_end_object(&text);
	buf_putc(&text, '\n');
	good &= !text.failed && !shapes.failed;
	good = good && fwrite(text.s, 1, text.length, out) == text.length && fflush(out) == 0;
	buf_clear(&text);
	return good;
}
