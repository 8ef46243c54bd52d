#include "openapi.h"

#include "field.h"
#include "text.h"
#include "upload.h"

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

/*
 * The enumerations of bodies and answers by name, so that a client has one type for each and not one for each field.
 * They are known by their words: two tables with the same words are one type.
 */
static const struct enumeration {
	const char *name, *words;
} enumerations[] = {
	{ "Language", "tr en es de" },
	{ "Level", "A1 A2 B1 B2 C1 C2" },
	{ "Role", "user admin superadmin" },
	{ "Gender", "female male other" },
	{ "AvailabilityStatus", "available busy offline" },
	{ "AccountDeletionStatus", "none pending cancelled finalized" },
	{ "ContactStatus", "PENDING REPLIED" },
	{ "StorageFolder", "public private" },
	{ "HealthStatus", "ok degraded" },
	{ "DatabaseStatus", "ok unavailable" },
	{ "ListFormat", "json csv" },
	{ "CsvSeparator", "comma semicolon" },
};

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

static int
success_status(const struct route *route)
{
	return route->status ? route->status : 200;
}

/* What is sent by the web server, with a tag of its own and in parts. */
static bool
is_file(const struct route *route)
{
	return route->out_type;
}

/* What somebody uploaded, which has a name to save it under. */
static bool
is_upload(const struct route *route)
{
	return is_file(route) && strcmp(route->out_type, "*/*") == 0;
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
		if (route_is_guarded(route) || is_file(route))
			return true;
		break;
	case 413:
	case 415:
		if (route->in || route->upload)
			return true;
		break;
	case 416:
		if (is_file(route))
			return true;
		break;
	}
	return lists(route, status);
}

/* ---- --routes */

static void
print_flags(const struct route *route, FILE *out)
{
	const char *const names[] = { "writes", "unregistered", "leaving", "limit" };
	const bool set[] = { route->writes, route->unregistered, route->being_deleted, route->client_limit };
	bool any = false;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (set[i])
			fprintf(out, "%s%s", any ? "," : "", names[i]);
		any |= set[i];
	}
	fputs(any ? "\t" : "-\t", out);
}

static void
print_in(const struct route *route, FILE *out)
{
	struct field_walk walk = { 0 };
	const struct field *field;
	char before = '?';

	if (route->in)
		fputs(route->in->name, out);
	if (route->upload)
		fprintf(out, "+%s", route->upload->part);
	while (route->query && (field = field_next(&walk, route->query))) {
		fprintf(out, "%c%s", before, field->name);
		before = '&';
	}
	fputs(route->in || route->query || route->upload ? "\t" : "-\t", out);
}

static void
print_out(const struct route *route, FILE *out)
{
	if (route->out_type)
		fprintf(out, "(%s)\t", route->out_type);
	else
		fprintf(out, route->out_page ? "{items: %s[], pagination}\t" : route->out_list ? "%s[]\t" : "%s\t",
			route->out ? route->out->name : "-");
}

void
route_print(const struct program *program, FILE *out)
{
	const struct route *route;

	fputs("program\tmethod\tpath\trole\tstatus\tflags\tin\tout\ttitle\n", out);
	for (size_t i = 0; (route = route_at(program, i)); i++) {
		fprintf(out, "%s\t%s\t%s\t%s\t%d\t", program->name, http_method_name(route->method), route->path,
			role_name(route->role), success_status(route));
		print_flags(route, out);
		print_in(route, out);
		print_out(route, out);
		fprintf(out, "%s\n", route->title);
	}
}

/* ---- writing JSON: `name` NULL inside a list; the comma before a member is set by what stands before it */

static void
put_name(struct buf *out, const char *name)
{
	if (out->length > 0 && !strchr("{[:", out->s[out->length - 1]))
		buf_putc(out, ',');
	if (name) {
		buf_json(out, name, strlen(name));
		buf_putc(out, ':');
	}
}

static void
put_string(struct buf *out, const char *name, const char *string)
{
	put_name(out, name);
	buf_json(out, string, strlen(string));
}

static void
put_double(struct buf *out, const char *name, double number)
{
	put_name(out, name);
	buf_number(out, number);
}

static void
put_raw(struct buf *out, const char *name, const char *json)
{
	put_name(out, name);
	buf_puts(out, json);
}

static void
put_open(struct buf *out, const char *name, char bracket)
{
	put_name(out, name);
	buf_putc(out, bracket);
}

static void
put_close(struct buf *out, char bracket)
{
	buf_putc(out, bracket);
}

static void
put_ref(struct buf *out, const char *kind, const char *name)
{
	put_name(out, "$ref");
	buf_printf(out, "\"#/components/%s/%s\"", kind, name);
}

/* ---- fields as JSON Schema, each as the members of an object that the caller opens and closes */

static void put_schema(struct buf *out, const struct field *field);

static void
put_type(struct buf *out, const struct field *field, const char *type)
{
	if (!field->nullable) {
		put_string(out, "type", type);
		return;
	}
	put_open(out, "type", '[');
	put_string(out, NULL, type);
	put_string(out, NULL, "null");
	put_close(out, ']');
}

static void
put_pattern(struct buf *out, const struct field *field, const char *pattern)
{
	put_type(out, field, "string");
	put_string(out, "pattern", pattern);
}

static void
put_text_schema(struct buf *out, const struct field *field)
{
	put_type(out, field, "string");
	if (field->min > 0)
		put_double(out, "minLength", field->min);
	if (field->max > 0)
		put_double(out, "maxLength", field->max);
	if (field->digits)
		put_string(out, "pattern", field->min > 0 ? "^[0-9]+$" : "^[0-9]*$");
	if (field->letters)
		put_string(out, "pattern", field->min > 0 ? "^[A-Za-z]+$" : "^[A-Za-z]*$");
	if (field->username)
		put_string(out, "pattern", "^[a-z0-9_.]+$");
	if (field->key)
		put_string(out, "pattern", "^(?!\\.{1,2}$)[A-Za-z0-9._-]+$");
}

static void
put_number_schema(struct buf *out, const struct field *field)
{
	bool integer = field->type == FIELD_INT;
	bool bounded = field->max > 0 || field->min < 0;

	put_type(out, field, integer ? "integer" : "number");
	if (integer || bounded || field->min > 0)
		put_double(out, field->above_min ? "exclusiveMinimum" : "minimum", field->min);
	if (bounded)
		put_double(out, "maximum", field->max);
}

/* The enumeration with these words; NULL when none has a name. */
static const struct enumeration *
enumeration_of(const char *const *words)
{
	for (size_t i = 0; i < COUNT(enumerations); i++) {
		const char *at = enumerations[i].words;
		size_t word = 0;
		for (; words[word]; word++) {
			size_t length = strcspn(at, " ");
			if (strlen(words[word]) != length || memcmp(words[word], at, length) != 0)
				break;
			at += length + (at[length] == ' ');
		}
		if (!words[word] && !*at)
			return &enumerations[i];
	}
	return NULL;
}

/* What a component says, or null. */
static void
put_ref_schema(struct buf *out, const char *name, bool nullable)
{
	if (!nullable) {
		put_ref(out, "schemas", name);
		return;
	}
	put_open(out, "anyOf", '[');
	put_open(out, NULL, '{');
	put_ref(out, "schemas", name);
	put_close(out, '}');
	put_raw(out, NULL, "{\"type\":\"null\"}");
	put_close(out, ']');
}

static void
put_enum_schema(struct buf *out, const struct field *field)
{
	const struct enumeration *named = enumeration_of(field->oneof);

	if (named) {
		put_ref_schema(out, named->name, field->nullable);
		return;
	}
	put_type(out, field, "string");
	put_open(out, "enum", '[');
	for (const char *const *word = field->oneof; *word; word++)
		put_string(out, NULL, *word);
	if (field->nullable)
		put_raw(out, NULL, "null");
	put_close(out, ']');
}

static void
put_list_schema(struct buf *out, const struct field *field)
{
	struct field element = { .type = field->item ? field->item : FIELD_OBJECT, .of = field->of, .min = field->item_min,
		.max = field->item_max, .oneof = field->item_oneof };

	put_type(out, field, "array");
	put_open(out, "items", '{');
	put_schema(out, &element);
	put_close(out, '}');
	if (field->min > 0)
		put_double(out, "minItems", field->min);
	if (field->max > 0)
		put_double(out, "maxItems", field->max);
}

static void
put_schema(struct buf *out, const struct field *field)
{
	switch (field->type) {
	case FIELD_TEXT:
		put_text_schema(out, field);
		break;
	case FIELD_INT:
	case FIELD_NUMBER:
		put_number_schema(out, field);
		break;
	case FIELD_BOOL:
		put_type(out, field, "boolean");
		if (field->must_be_true)
			put_raw(out, "const", "true");
		break;
	case FIELD_TIME:
		if (field->or_date) {
			put_pattern(out, field, "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z)?$");
			break;
		}
		put_pattern(out, field, "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$");
		put_string(out, "format", "date-time");
		break;
	case FIELD_DATE:
		put_pattern(out, field, "^\\d{4}-\\d\\d-\\d\\d$");
		put_string(out, "format", "date");
		break;
	case FIELD_ID:
		put_pattern(out, field, "^[0-9a-f]{24}$");
		break;
	case FIELD_EMAIL:
		put_type(out, field, "string");
		put_string(out, "format", "email");
		put_double(out, "maxLength", 254);	/* RFC 5321 section 4.5.3.1.3, less the angle brackets */
		break;
	case FIELD_URL:
		put_type(out, field, "string");
		put_string(out, "format", "uri-reference");
		put_double(out, "minLength", 1);
		put_double(out, "maxLength", FIELD_URL_MAX);
		break;
	case FIELD_ENUM:
		put_enum_schema(out, field);
		break;
	case FIELD_OBJECT:
		put_ref_schema(out, field->of->name, field->nullable);
		break;
	case FIELD_LIST:
		put_list_schema(out, field);
		break;
	case FIELD_JSON:	/* anything */
	case FIELD_END:
	case FIELD_PLUS:
	case FIELD_HEAD:
		break;
	}
	if (field->example) {
		put_open(out, "examples", '[');
		put_raw(out, NULL, field->example);
		put_close(out, ']');
	}
}

static void
put_description(struct buf *out, const struct field *field)
{
	if (field->note)
		put_string(out, "description", field->note);
	else if (field->admin_only)
		put_string(out, "description", "for admins only");
	else if (field->zone)
		put_string(out, "description", "name of a time zone, like Europe/Istanbul");
}

/* ---- shapes as components */

struct shapes {
	const struct shape *list[256];
	size_t count;
	bool failed;
};

static void shapes_add_inner(struct shapes *shapes, const struct shape *shape);

/* The shape that this one is by another name; NULL when it is one of its own. */
static const struct shape *
alias_of(const struct shape *shape)
{
	const struct field *first = shape->fields;

	bool alone = first->type == FIELD_PLUS && first[1].type == FIELD_END;

	return alone && !shape->all_optional && !shape->note ? first->of : NULL;
}

/* Takes in a shape, and what it holds. */
static void
shapes_add(struct shapes *shapes, const struct shape *shape)
{
	for (size_t i = 0; i < shapes->count; i++)
		if (shapes->list[i] == shape)
			return;
	if (shapes->count == COUNT(shapes->list)) {
		shapes->failed = true;
		return;
	}
	shapes->list[shapes->count++] = shape;
	shapes_add_inner(shapes, shape);
}

/* Only what it holds: a form is no shape by itself, its files belong to it. */
static void
shapes_add_inner(struct shapes *shapes, const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	if (alias_of(shape))
		shapes_add(shapes, alias_of(shape));
	while ((field = field_next(&walk, shape)))
		if (field->of)
			shapes_add(shapes, field->of);
}

static void
put_required(struct buf *out, const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	put_open(out, "required", '[');
	while ((field = field_next(&walk, shape)))
		if (!field->optional && !field->admin_only && !shape->all_optional)
			put_string(out, NULL, field->name);
	put_close(out, ']');
}

static void
put_shape(struct buf *out, const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	put_open(out, shape->name, '{');
	if (alias_of(shape)) {
		put_ref(out, "schemas", alias_of(shape)->name);
		put_close(out, '}');
		return;
	}
	put_string(out, "type", "object");
	if (shape->note)
		put_string(out, "description", shape->note);
	put_open(out, "properties", '{');
	while ((field = field_next(&walk, shape))) {
		put_open(out, field->name, '{');
		put_schema(out, field);
		put_description(out, field);
		put_close(out, '}');
	}
	put_close(out, '}');
	put_required(out, shape);
	if (shape->all_optional)
		put_double(out, "minProperties", 1);
	put_raw(out, "additionalProperties", "false");
	put_close(out, '}');
}

/* ---- forms */

/* True when the body may be JSON. */
static bool
takes_json(const struct route *route)
{
	return route->in && (!route->upload || route->upload->json_too);
}

/*
 * The component that a form is: named like the shape of its fields where that is no body by itself, else with Form in
 * the place of Dto.
 */
struct name { char text[128]; };

static struct name
form_name(const struct route *route)
{
	struct name name;
	const char *shape = route->in ? route->in->name : "FileDto";
	size_t length = strlen(shape);

	if (route->in && !takes_json(route))
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
	put_open(out, rule->part, '{');
	if (rule->max > 1) {
		put_string(out, "type", "array");
		put_double(out, "maxItems", rule->max);
		put_open(out, "items", '{');
	}
	put_string(out, "type", "string");
	put_string(out, "format", "binary");
	if (rule->max > 1)
		put_close(out, '}');
	put_close(out, '}');
}

static void
put_form_fields(struct buf *out, const struct route *route)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	put_open(out, "properties", '{');
	put_file_field(out, route->upload);
	while (route->in && (field = field_next(&walk, route->in))) {
		put_open(out, field->name, '{');
		put_schema(out, field);
		put_description(out, field);
		put_close(out, '}');
	}
	put_close(out, '}');
	put_open(out, "required", '[');
	if (route->upload->required)
		put_string(out, NULL, route->upload->part);
	walk = (struct field_walk){ 0 };
	while (route->in && (field = field_next(&walk, route->in)))
		if (!field->optional && !route->in->all_optional)
			put_string(out, NULL, field->name);
	put_close(out, ']');
}

static void
put_form(struct buf *out, const char *name, const struct route *route)
{
	put_open(out, name, '{');
	put_string(out, "type", "object");
	put_form_fields(out, route);
	put_raw(out, "additionalProperties", "false");
	put_close(out, '}');
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
			put_form(out, form_name(route).text, route);
	}
}

/* ---- envelopes: BaseResponseDto as each route has it. Whole objects: of an allOf generators make optional fields */

/* UserProfileResponseDto is enveloped as UserProfileResponse; a list of SessionResponseDto as SessionListResponse. */
static struct name
name_from(const char *shape, const char *ending)
{
	static const char *const tails[] = { "Dto", "Response", "List" };
	struct name name;
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

static struct name
page_name(const struct route *route)
{
	return name_from(route->out->name, "Page");
}

static struct name
envelope_name(const struct route *route)
{
	return name_from(route->out ? route->out->name : "Empty",
		route->out_page ? "PageResponse" : route->out_list ? "ListResponse" : "Response");
}

/* The envelope's other fields; the caller puts the schema of data between the two. */
static void
put_enveloped(struct buf *out, const char *name, bool success)
{
	put_open(out, name, '{');
	put_string(out, "type", "object");
	put_open(out, "properties", '{');
	put_open(out, "isSuccess", '{');
	put_string(out, "type", "boolean");
	put_raw(out, "const", success ? "true" : "false");
	put_close(out, '}');
	put_raw(out, "statusCode", "{\"type\":\"integer\"}");
	put_open(out, "data", '{');
}

static void
put_enveloped_end(struct buf *out)
{
	put_close(out, '}');
	put_raw(out, "errors", "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
	put_raw(out, "timestamp", "{\"type\":\"string\",\"format\":\"date-time\"}");
	put_close(out, '}');
	put_raw(out, "required", "[\"isSuccess\",\"statusCode\",\"data\",\"errors\",\"timestamp\"]");
	put_raw(out, "additionalProperties", "false");
	put_close(out, '}');
}

static void
put_error_shape(struct buf *out)
{
	put_enveloped(out, "ErrorResponse", false);
	put_string(out, "type", "null");
	put_enveloped_end(out);
}

static void
put_page_shape(struct buf *out, const struct route *route)
{
	put_open(out, page_name(route).text, '{');
	put_string(out, "type", "object");
	put_open(out, "properties", '{');
	put_open(out, "items", '{');
	put_schema(out, &(struct field){ .type = FIELD_LIST, .of = route->out });
	put_close(out, '}');
	put_open(out, "pagination", '{');
	put_ref(out, "schemas", pagination.name);
	put_close(out, '}');
	put_close(out, '}');
	put_raw(out, "required", "[\"items\",\"pagination\"]");
	put_raw(out, "additionalProperties", "false");
	put_close(out, '}');
}

static void
put_success_shape(struct buf *out, const struct route *route)
{
	if (route->out_page)
		put_page_shape(out, route);
	put_enveloped(out, envelope_name(route).text, true);
	if (!route->out)
		put_string(out, "type", "null");
	else if (route->out_page)
		put_ref(out, "schemas", page_name(route).text);
	else
		put_schema(out, &(struct field){ .type = route->out_list ? FIELD_LIST : FIELD_OBJECT, .of = route->out });
	put_enveloped_end(out);
}

/* Each once, whichever routes answer so. */
static void
put_success_shapes(struct buf *out, const struct program *program)
{
	const struct route *route, *other;

	for (size_t i = 0; (route = route_at(program, i)); i++) {
		bool seen = is_file(route);
		for (size_t before = 0; before < i && !seen; before++) {
			other = route_at(program, before);
			seen = !is_file(other) && strcmp(envelope_name(other).text, envelope_name(route).text) == 0;
		}
		if (!seen)
			put_success_shape(out, route);
	}
}

/* ---- answers that several routes share, and headers */

static void
put_header_ref(struct buf *out, const char *name)
{
	put_open(out, name, '{');
	put_ref(out, "headers", name);
	put_close(out, '}');
}

static void
put_failure(struct buf *out, const struct failure *failure)
{
	put_open(out, failure->name, '{');
	put_string(out, "description", failure->description);
	put_open(out, "headers", '{');
	if (failure->header)
		put_header_ref(out, failure->header);
	put_header_ref(out, "X-Request-Id");
	put_header_ref(out, "Content-Language");
	put_close(out, '}');
	put_raw(out, "content", "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/ErrorResponse\"}}}");
	put_close(out, '}');
}

/* ---- conditional requests: what is the same for every route that takes part */

static bool
may_be_kept(const struct route *route)
{
	return route_is_tagged(route) || is_file(route);
}

static bool
shows_tag(const struct route *route)
{
	return may_be_kept(route) || (route->method == PATCH && route->shows);
}

static bool
takes_if_match(const struct route *route)
{
	return route->shows;
}

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
	put_open(out, component, '{');
	put_string(out, "name", header);
	put_string(out, "in", "header");
	put_string(out, "description", description);
	put_raw(out, "schema", "{\"type\":\"string\"}");
	put_raw(out, "example", "\"\\\"5d41402abc4b2a76\\\"\"");
	put_close(out, '}');
}

static void
put_headers(struct buf *out)
{
	put_open(out, "headers", '{');
	for (size_t i = 0; i < COUNT(headers); i++) {
		put_open(out, headers[i].name, '{');
		put_string(out, "description", headers[i].description);
		put_open(out, "schema", '{');
		put_string(out, "type", headers[i].type);
		put_close(out, '}');
		put_close(out, '}');
	}
	put_close(out, '}');
}

static void
put_conditions(struct buf *out, const struct program *program)
{
	put_open(out, "parameters", '{');
	if (any_route(program, may_be_kept))
		put_condition(out, "IfNoneMatch", "If-None-Match", "ETag of the answer that you have: 304 while it is still good");
	if (any_route(program, takes_if_match))
		put_condition(out, "IfMatch", "If-Match", "ETag of what you have seen: 412 when it was changed meanwhile");
	put_close(out, '}');
}

static bool
shape_has(const struct shape *shape, const struct enumeration *wanted)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, shape)))
		if ((field->oneof && enumeration_of(field->oneof) == wanted) ||
		    (field->item_oneof && enumeration_of(field->item_oneof) == wanted))
			return true;
	return false;
}

/* Those that the program's shapes, forms and queries name. */
static void
put_enumerations(struct buf *out, const struct program *program, const struct shapes *shapes)
{
	const struct route *route;

	for (size_t i = 0; i < COUNT(enumerations); i++) {
		bool used = false;
		for (size_t s = 0; s < shapes->count && !used; s++)
			used = shape_has(shapes->list[s], &enumerations[i]);
		for (size_t r = 0; (route = route_at(program, r)) && !used; r++)
			used = (route->in && shape_has(route->in, &enumerations[i])) ||
				(route->query && shape_has(route->query, &enumerations[i]));
		if (!used)
			continue;
		put_open(out, enumerations[i].name, '{');
		put_string(out, "type", "string");
		put_open(out, "enum", '[');
		for (const char *word = enumerations[i].words; *word; word += strcspn(word, " "), word += *word == ' ') {
			put_name(out, NULL);
			buf_json(out, word, strcspn(word, " "));
		}
		put_close(out, ']');
		put_close(out, '}');
	}
}

static void
put_components(struct buf *out, const struct program *program, const struct shapes *shapes)
{
	const struct route *route;

	put_open(out, "components", '{');
	put_open(out, "schemas", '{');
	for (size_t i = 0; i < shapes->count; i++)
		put_shape(out, shapes->list[i]);
	put_named_forms(out, program);
	put_enumerations(out, program, shapes);
	put_success_shapes(out, program);
	put_error_shape(out);
	put_close(out, '}');
	put_headers(out);
	put_conditions(out, program);
	put_open(out, "responses", '{');
	if (any_route(program, may_be_kept))
		put_raw(out, "NotModified", "{\"description\":\"What you have is still good.\",\"headers\":{"
			"\"ETag\":{\"$ref\":\"#/components/headers/ETag\"},"
			"\"X-Request-Id\":{\"$ref\":\"#/components/headers/X-Request-Id\"}}}");
	for (size_t i = 0; i < COUNT(failures); i++) {
		bool used = false;
		for (size_t r = 0; (route = route_at(program, r)) && !used; r++)
			used = may_answer(route, failures[i].status);
		if (used)
			put_failure(out, &failures[i]);
	}
	put_close(out, '}');
	put_close(out, '}');
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
	put_string(out, "operationId", id);
}

static void
put_security(struct buf *out, const struct route *route)
{
	bool may = route->role == OPTIONAL || route->more_by_token;

	put_open(out, "security", '[');
	if (may)
		put_raw(out, NULL, "{}");
	if (may || route->role >= USER)
		put_raw(out, NULL, "{\"bearer\":[]}");
	put_close(out, ']');
}

static void
put_path_parameters(struct buf *out, const char *path)
{
	while ((path = strchr(path, '{'))) {
		size_t length = strcspn(++path, "}");
		put_open(out, NULL, '{');
		put_name(out, "name");
		buf_json(out, path, length);
		put_string(out, "in", "path");
		put_raw(out, "required", "true");
		put_open(out, "schema", '{');
		put_schema(out, &(struct field){ .type = route_is_id(path, length) ? FIELD_ID : FIELD_TEXT, .min = 1 });
		put_close(out, '}');
		put_close(out, '}');
	}
}

static void
put_query_parameters(struct buf *out, const struct shape *query)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, query))) {
		put_open(out, NULL, '{');
		put_string(out, "name", field->name);
		put_string(out, "in", "query");
		if (!field->optional && !query->all_optional)
			put_raw(out, "required", "true");
		put_description(out, field);
		put_open(out, "schema", '{');
		put_schema(out, field);
		put_close(out, '}');
		put_close(out, '}');
	}
}

static void
put_json_body(struct buf *out, const struct route *route)
{
	put_open(out, "application/json", '{');
	put_open(out, "schema", '{');
	put_ref(out, "schemas", route->in->name);
	put_close(out, '}');
	if (route->example)
		put_raw(out, "example", route->example);
	put_close(out, '}');
}

static void
put_types(struct buf *out, const struct upload_rule *rule)
{
	struct buf all = { 0 };

	rule->reader->types(&all, rule);
	out->failed |= all.failed;
	put_open(out, rule->part, '{');
	put_string(out, "contentType", all.s ? all.s : "");
	put_close(out, '}');
	buf_clear(&all);
}

/* How a part stands for its field, where that is not plain text. */
static void
put_encoding(struct buf *out, const struct route *route)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	put_open(out, "encoding", '{');
	put_types(out, route->upload);
	while (route->in && (field = field_next(&walk, route->in)))
		if (field->type == FIELD_LIST || field->type == FIELD_OBJECT || field->type == FIELD_JSON)
			put_raw(out, field->name, "{\"contentType\":\"application/json\"}");
	put_close(out, '}');
}

static void
put_form_body(struct buf *out, const struct route *route)
{
	put_open(out, "multipart/form-data", '{');
	put_open(out, "schema", '{');
	put_ref(out, "schemas", form_name(route).text);
	put_close(out, '}');
	put_encoding(out, route);
	put_close(out, '}');
}

static void
put_body(struct buf *out, const struct route *route)
{
	put_open(out, "requestBody", '{');
	if (route->role < USER)
		put_string(out, "description", "At most 64 KiB.");
	put_raw(out, "required", "true");
	put_open(out, "content", '{');
	if (route->upload)
		put_form_body(out, route);	/* first: what comes first is shown by the page */
	if (takes_json(route))
		put_json_body(out, route);
	put_close(out, '}');
	put_close(out, '}');
}

static void
put_file(struct buf *out, const struct route *route)
{
	put_open(out, "content", '{');
	put_open(out, route->out_type, '{');
	put_open(out, "schema", '{');
	put_string(out, "type", strcmp(route->out_type, "application/json") == 0 ? "object" : "string");
	if (strcmp(route->out_type, "*/*") == 0)
		put_string(out, "format", "binary");
	put_close(out, '}');
	put_close(out, '}');
	put_close(out, '}');
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
	put_open(out, "content", '{');
	put_open(out, "application/json", '{');
	put_open(out, "schema", '{');
	put_ref(out, "schemas", envelope_name(route).text);
	put_close(out, '}');
	put_close(out, '}');
	if (may_be_table(route))
		put_raw(out, "text/csv", "{\"schema\":{\"type\":\"string\"}}");
	put_close(out, '}');
}

static void
put_success(struct buf *out, const struct route *route)
{
	char status[12];

	snprintf(status, sizeof(status), "%d", success_status(route));
	put_open(out, status, '{');
	put_string(out, "description", success_status(route) == 201 ? "Created" : "OK");
	put_open(out, "headers", '{');
	if (shows_tag(route))
		put_header_ref(out, "ETag");
	if (may_be_table(route) || is_upload(route))
		put_header_ref(out, "Content-Disposition");
	put_header_ref(out, "X-Request-Id");
	if (!is_file(route))
		put_header_ref(out, "Content-Language");
	put_close(out, '}');
	if (is_file(route))
		put_file(out, route);
	else
		put_answer(out, route);
	put_close(out, '}');
}

/* A part of a text or of JSON is any bytes. */
static void
put_part(struct buf *out, const struct route *route)
{
	put_open(out, "206", '{');
	put_string(out, "description", "The part that the header Range asks for.");
	put_open(out, "headers", '{');
	put_header_ref(out, "ETag");
	put_header_ref(out, "Content-Range");
	if (is_upload(route))
		put_header_ref(out, "Content-Disposition");
	put_header_ref(out, "X-Request-Id");
	put_close(out, '}');
	put_open(out, "content", '{');
	put_raw(out, route->out_type, "{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}");
	put_close(out, '}');
	put_close(out, '}');
}

static void
put_responses(struct buf *out, const struct route *route)
{
	char status[12];

	put_open(out, "responses", '{');
	put_success(out, route);
	if (is_file(route))
		put_part(out, route);
	if (is_upload(route))
		put_raw(out, "304", "{\"description\":\"What you have is still good.\",\"headers\":{"
			"\"ETag\":{\"$ref\":\"#/components/headers/ETag\"},"
			"\"Content-Disposition\":{\"$ref\":\"#/components/headers/Content-Disposition\"},"
			"\"X-Request-Id\":{\"$ref\":\"#/components/headers/X-Request-Id\"}}}");
	else if (may_be_kept(route))
		put_raw(out, "304", "{\"$ref\":\"#/components/responses/NotModified\"}");
	for (size_t i = 0; i < COUNT(failures); i++) {
		if (!may_answer(route, failures[i].status))
			continue;
		snprintf(status, sizeof(status), "%d", failures[i].status);
		put_open(out, status, '{');
		put_ref(out, "responses", failures[i].name);
		put_close(out, '}');
	}
	put_close(out, '}');
}

static void
put_operation(struct buf *out, const struct program *program, const struct route *route)
{
	char method[12];
	size_t length = 0;

	for (const char *s = http_method_name(route->method); *s && length < sizeof(method) - 1; s++)
		method[length++] = (char)(*s | 0x20);
	method[length] = '\0';
	put_open(out, method, '{');
	put_open(out, "tags", '[');
	put_string(out, NULL, program->name);
	put_close(out, ']');
	put_operation_id(out, route);
	put_string(out, "summary", route->title);
	if (route->note)
		put_string(out, "description", route->note);
	put_string(out, "x-role", role_name(route->role));
	put_security(out, route);
	put_open(out, "parameters", '[');
	put_path_parameters(out, route->path);
	if (route->query)
		put_query_parameters(out, route->query);
	if (may_be_kept(route))
		put_raw(out, NULL, "{\"$ref\":\"#/components/parameters/IfNoneMatch\"}");
	if (takes_if_match(route))
		put_raw(out, NULL, "{\"$ref\":\"#/components/parameters/IfMatch\"}");
	put_close(out, ']');
	if (route->in || route->upload)
		put_body(out, route);
	put_responses(out, route);
	put_close(out, '}');
}

/* A path once, with all of its methods: rows of one path need not stand together. */
static void
put_paths(struct buf *out, const struct program *program)
{
	const struct route *route, *other;

	put_open(out, "paths", '{');
	for (size_t i = 0; (route = route_at(program, i)); i++) {
		bool seen = false;
		for (size_t before = 0; before < i && !seen; before++)
			seen = strcmp(route_at(program, before)->path, route->path) == 0;
		if (seen)
			continue;
		put_open(out, route->path, '{');
		for (size_t same = i; (other = route_at(program, same)); same++)
			if (strcmp(other->path, route->path) == 0)
				put_operation(out, program, other);
		put_close(out, '}');
	}
	put_close(out, '}');
}

static void
put_tags(struct buf *out, const struct program *program)
{
	put_open(out, "tags", '[');
	put_open(out, NULL, '{');
	put_string(out, "name", program->name);
	put_string(out, "description", program->title);
	put_close(out, '}');
	put_close(out, ']');
}

/* True when there are words for every status that a row lists. */
static bool
has_words(const struct route *route)
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

/* True when all words that its fields choose from have a name. */
static bool
has_named_enumerations(const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, shape)))
		if ((field->oneof && !enumeration_of(field->oneof)) ||
		    (field->item_oneof && !enumeration_of(field->item_oneof)))
			return false;
	return true;
}

bool
route_openapi(const struct program *program, FILE *out)
{
	struct buf text = { 0 };
	struct shapes shapes = { 0 };
	const struct route *route;
	bool good = true;

	shapes_add(&shapes, &envelope);
	for (size_t i = 0; (route = route_at(program, i)); i++) {
		/* What takes files ends its read snapshot before it reads them, and the caller's row with it. */
		good &= has_words(route) && (!route->upload || route->writes);
		if (takes_json(route))
			shapes_add(&shapes, route->in);
		else if (route->in)
			shapes_add_inner(&shapes, route->in);
		if (route->out)
			shapes_add(&shapes, route->out);
		if (route->out_page)
			shapes_add(&shapes, &pagination);
	}
	for (size_t i = 0; i < shapes.count; i++)
		good &= has_named_enumerations(shapes.list[i]);
	put_open(&text, NULL, '{');
	put_tags(&text, program);
	put_paths(&text, program);
	put_components(&text, program, &shapes);
	put_close(&text, '}');
	buf_putc(&text, '\n');
	good &= !text.failed && !shapes.failed;
	good = good && fwrite(text.s, 1, text.length, out) == text.length && fflush(out) == 0;
	buf_clear(&text);
	return good;
}
