#include "openapi.h"

#include "openapi_part.h"

static const struct shape envelope = {
	"BaseResponseDto",
	FIELDS(
		{ "isSuccess", FIELD_BOOL },
		{ "statusCode", FIELD_INT, .min = 100, .max = 599, .note = "the HTTP status" },
		{ "data", FIELD_JSON, .note = "null in an error" },
		{ "errors", FIELD_LIST, .item = FIELD_TEXT, .note = "sentences for people; empty in a success" },
		{ "timestamp", FIELD_TIME }
	),
	.note = "Every JSON answer is exactly these five fields, in this order."
};

/* What somebody uploaded, which has a name to save it under. */
static bool
is_upload(const struct route *route)
{
	return openapi_is_file(route) && strcmp(route->out_type, "*/*") == 0;
}

/* ---- routes as operations */

/* POST /auth/otp/request is postAuthOtpRequest. */
static void
put_operation_id(struct buf *out, const struct route *route)
{
	char id[128];
	size_t length = 0;
	bool upper = false;

	for (const char *s = http_method_name(route->method); *s && length < sizeof(id) - 1; s++)
		id[length++] = (char)(*s | 0x20);
	for (const char *s = route->path[1] ? route->path : "/root"; *s && length < sizeof(id) - 1; s++) {
		bool letter = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
		if (letter || (*s >= '0' && *s <= '9'))
			id[length++] = (char)(upper && letter ? *s & ~0x20 : *s);
		upper = !letter;
	}
	id[length] = '\0';
	json_put_text(out, "operationId", id);
}

static void
put_security(struct buf *out, const struct route *route)
{
	bool may = route->role == OPTIONAL || route->more_by_token;

	json_put_list(out, "security");
	if (may)
		json_put_raw(out, NULL, "{}");
	if (may || route->role >= USER)
		json_put_raw(out, NULL, "{\"bearer\":[]}");
	json_put_end_list(out);
}

static void
put_path_parameters(struct buf *out, const char *path)
{
	while ((path = strchr(path, '{'))) {
		size_t length = strcspn(++path, "}");
		json_put_object(out, NULL);
		json_put_text_of(out, "name", path, length);
		json_put_text(out, "in", "path");
		json_put_raw(out, "required", "true");
		json_put_object(out, "schema");
		openapi_put_schema(out, &(struct field){ .type = route_is_id(path, length) ? FIELD_ID : FIELD_TEXT, .min = 1 });
		json_put_end_object(out);
		json_put_end_object(out);
	}
}

static void
put_query_parameters(struct buf *out, const struct shape *query)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, query))) {
		json_put_object(out, NULL);
		json_put_text(out, "name", field->name);
		json_put_text(out, "in", "query");
		if (!field->optional && !query->all_optional)
			json_put_raw(out, "required", "true");
		openapi_put_description(out, field);
		json_put_object(out, "schema");
		openapi_put_schema(out, field);
		json_put_end_object(out);
		json_put_end_object(out);
	}
}

static void
put_json_body(struct buf *out, const struct route *route)
{
	json_put_object(out, "application/json");
	json_put_object(out, "schema");
	openapi_put_ref(out, "schemas", route->in->name);
	json_put_end_object(out);
	if (route->example)
		json_put_raw(out, "example", route->example);
	json_put_end_object(out);
}

static void
put_types(struct buf *out, const struct upload_rule *rule)
{
	struct buf all = { 0 };

	rule->reader->types(&all, rule);
	out->failed |= all.failed;
	json_put_object(out, rule->part);
	json_put_text(out, "contentType", all.s ? all.s : "");
	json_put_end_object(out);
	buf_clear(&all);
}

/* How a part stands for its field, where that is not plain text. */
static void
put_encoding(struct buf *out, const struct route *route)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	json_put_object(out, "encoding");
	put_types(out, route->upload);
	while (route->in && (field = field_next(&walk, route->in)))
		if (field->type == FIELD_LIST || field->type == FIELD_OBJECT || field->type == FIELD_JSON)
			json_put_raw(out, field->name, "{\"contentType\":\"application/json\"}");
	json_put_end_object(out);
}

static void
put_form_body(struct buf *out, const struct route *route)
{
	json_put_object(out, "multipart/form-data");
	json_put_object(out, "schema");
	openapi_put_ref(out, "schemas", openapi_form_name(route).text);
	json_put_end_object(out);
	put_encoding(out, route);
	json_put_end_object(out);
}

static void
put_body(struct buf *out, const struct route *route)
{
	json_put_object(out, "requestBody");
	if (route->role < USER)
		json_put_text(out, "description", "At most 64 KiB.");
	json_put_raw(out, "required", "true");
	json_put_object(out, "content");
	if (route->upload)
		put_form_body(out, route);	/* first: what comes first is shown by the page */
	if (openapi_takes_json(route))
		put_json_body(out, route);
	json_put_end_object(out);
	json_put_end_object(out);
}

static void
put_file(struct buf *out, const struct route *route)
{
	json_put_object(out, "content");
	json_put_object(out, route->out_type);
	json_put_object(out, "schema");
	json_put_text(out, "type", strcmp(route->out_type, "application/json") == 0 ? "object" : "string");
	if (strcmp(route->out_type, "*/*") == 0)
		json_put_text(out, "format", "binary");
	json_put_end_object(out);
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
put_answer(struct buf *out, const struct route *route)
{
	json_put_object(out, "content");
	json_put_object(out, "application/json");
	json_put_object(out, "schema");
	openapi_put_ref(out, "schemas", openapi_envelope_name(route).text);
	json_put_end_object(out);
	json_put_end_object(out);
	if (may_be_table(route))
		json_put_raw(out, "text/csv", "{\"schema\":{\"type\":\"string\"}}");
	json_put_end_object(out);
}

static void
put_success(struct buf *out, const struct route *route)
{
	char status[12];

	snprintf(status, sizeof(status), "%d", route_success(route));
	json_put_object(out, status);
	json_put_text(out, "description", route_success(route) == 201 ? "Created" : "OK");
	json_put_object(out, "headers");
	if (openapi_shows_tag(route))
		openapi_put_header_ref(out, "ETag");
	if (may_be_table(route) || is_upload(route))
		openapi_put_header_ref(out, "Content-Disposition");
	openapi_put_header_ref(out, "X-Request-Id");
	if (!openapi_is_file(route))
		openapi_put_header_ref(out, "Content-Language");
	json_put_end_object(out);
	if (openapi_is_file(route))
		put_file(out, route);
	else
		put_answer(out, route);
	json_put_end_object(out);
}

/* A part of a text or of JSON is any bytes. */
static void
put_part(struct buf *out, const struct route *route)
{
	json_put_object(out, "206");
	json_put_text(out, "description", "The part that the header Range asks for.");
	json_put_object(out, "headers");
	openapi_put_header_ref(out, "ETag");
	openapi_put_header_ref(out, "Content-Range");
	if (is_upload(route))
		openapi_put_header_ref(out, "Content-Disposition");
	openapi_put_header_ref(out, "X-Request-Id");
	json_put_end_object(out);
	json_put_object(out, "content");
	json_put_raw(out, route->out_type, "{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}");
	json_put_end_object(out);
	json_put_end_object(out);
}

static void
put_responses(struct buf *out, const struct route *route)
{
	json_put_object(out, "responses");
	put_success(out, route);
	if (openapi_is_file(route))
		put_part(out, route);
	if (is_upload(route))
		json_put_raw(out, "304", "{\"description\":\"What you have is still good.\",\"headers\":{"
			"\"ETag\":{\"$ref\":\"#/components/headers/ETag\"},"
			"\"Content-Disposition\":{\"$ref\":\"#/components/headers/Content-Disposition\"},"
			"\"X-Request-Id\":{\"$ref\":\"#/components/headers/X-Request-Id\"}}}");
	else if (openapi_may_be_kept(route))
		json_put_raw(out, "304", "{\"$ref\":\"#/components/responses/NotModified\"}");
	openapi_put_failures(out, route);
	json_put_end_object(out);
}

static void
put_operation(struct buf *out, const struct program *program, const struct route *route)
{
	char method[12];
	size_t length = 0;

	for (const char *s = http_method_name(route->method); *s && length < sizeof(method) - 1; s++)
		method[length++] = (char)(*s | 0x20);
	method[length] = '\0';
	json_put_object(out, method);
	json_put_list(out, "tags");
	json_put_text(out, NULL, program->name);
	json_put_end_list(out);
	put_operation_id(out, route);
	json_put_text(out, "summary", route->title);
	if (route->note)
		json_put_text(out, "description", route->note);
	json_put_text(out, "x-role", role_name(route->role));
	put_security(out, route);
	json_put_list(out, "parameters");
	put_path_parameters(out, route->path);
	if (route->query)
		put_query_parameters(out, route->query);
	if (openapi_may_be_kept(route))
		json_put_raw(out, NULL, "{\"$ref\":\"#/components/parameters/IfNoneMatch\"}");
	if (openapi_takes_if_match(route))
		json_put_raw(out, NULL, "{\"$ref\":\"#/components/parameters/IfMatch\"}");
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

static void
put_tags(struct buf *out, const struct program *program)
{
	json_put_list(out, "tags");
	json_put_object(out, NULL);
	json_put_text(out, "name", program->name);
	json_put_text(out, "description", program->title);
	json_put_end_object(out);
	json_put_end_list(out);
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
		/* What takes files ends its read snapshot before it reads them, and the caller's row with it. */
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
	for (size_t i = 0; i < shapes.count; i++)
		good &= openapi_names_enumerations(shapes.list[i]);
	json_put_object(&text, NULL);
	put_tags(&text, program);
	put_paths(&text, program);
	openapi_put_components(&text, program, &shapes);
	json_put_end_object(&text);
	buf_putc(&text, '\n');
	good &= !text.failed && !shapes.failed;
	good = good && fwrite(text.s, 1, text.length, out) == text.length && fflush(out) == 0;
	buf_clear(&text);
	return good;
}
