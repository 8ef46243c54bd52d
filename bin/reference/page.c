#include "reference.h"

#define BASE "http://127.0.0.1:8080"	/* what `make run` listens on */
#define DEPTH 8				/* of shapes within shapes that are shown */
#define BODY_WIDTH 60			/* characters of a body that stays on one line */

struct page {
	struct buf *out;
	struct arena *arena;
	const cJSON *document;
};

static const char *
string(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(json_get(object, name));

	return text ? text : "";
}

static void
put(const struct page *page, const char *html)
{
	buf_puts(page->out, html);
}

static void
put_text(const struct page *page, const char *text)
{
	buf_html(page->out, text);
}

static void
put_paragraph(const struct page *page, const char *attributes, const char *text)
{
	if (!text[0])
		return;
	buf_printf(page->out, "<p%s>", attributes);
	put_text(page, text);
	put(page, "</p>\n");
}

/* ---- schemas */

/* Where "#/components/schemas/X" points, and where that points; the thing itself when it is no reference. */
static const cJSON *
resolve(const struct page *page, const cJSON *thing)
{
	for (int hops = 0; hops < DEPTH; hops++) {
		const char *ref = cJSON_GetStringValue(json_get(thing, "$ref"));
		const cJSON *at = page->document;
		if (!ref || ref[0] != '#')
			break;
		for (ref++; *ref == '/'; ) {
			size_t length = strcspn(++ref, "/");
			at = json_get(at, arena_copy(page->arena, ref, length));
			ref += length;
		}
		thing = at;
	}
	return thing;
}

static const char *
ref_name(const cJSON *thing)
{
	const char *slash = strrchr(string(thing, "$ref"), '/');

	return slash ? slash + 1 : "";
}

/* The type of a schema without the "null" that may stand beside it. */
static const char *
type_of(const cJSON *schema)
{
	const cJSON *type = json_get(schema, "type");

	return cJSON_IsArray(type) ? type->child->valuestring : string(schema, "type");
}

static bool
is_nullable(const cJSON *schema)
{
	return cJSON_IsArray(json_get(schema, "type")) || json_get(schema, "anyOf");
}

/* A nullable object is written as anyOf [it, null]. */
static const cJSON *
without_null(const cJSON *schema)
{
	const cJSON *any = json_get(schema, "anyOf");

	return any ? any->child : schema;
}

static bool
is_required(const cJSON *shape, const char *name)
{
	const cJSON *word;

	cJSON_ArrayForEach(word, json_get(shape, "required"))
		if (strcmp(word->valuestring, name) == 0)
			return true;
	return false;
}

/* ---- examples made from schemas */

static cJSON *example(const struct page *page, const cJSON *schema, const char *name, bool request, int depth);

/* The name of the field, again and again until it is long enough. */
static cJSON *
example_filler(const struct page *page, const cJSON *schema, const char *name)
{
	double min = cJSON_IsNumber(json_get(schema, "minLength")) ? json_get(schema, "minLength")->valuedouble : 0;
	double max = cJSON_IsNumber(json_get(schema, "maxLength")) ? json_get(schema, "maxLength")->valuedouble : 1024;
	const char *seed = strncmp(string(schema, "pattern"), "^[0-9]", 6) == 0 ? "123456" : name;
	struct buf text = { .arena = page->arena };

	buf_puts(&text, seed);
	while ((double)text.length < min)
		buf_puts(&text, seed);
	if ((double)text.length > max)
		text.s[(size_t)max] = '\0';
	return cJSON_CreateString(text.s);
}

static cJSON *
example_string(const struct page *page, const cJSON *schema, const char *name)
{
	static const struct { const char *member, *value, *example; } known[] = {
		{ "format", "date-time", "2026-01-15T10:30:00.000Z" },
		{ "format", "date", "1990-04-23" },
		{ "format", "email", "user@example.com" },
		{ "format", "uri-reference", "https://example.com/a.png" },
		{ "pattern", "^[0-9a-f]{24}$", "019bc1a5e0c8f3d27b6a4e15" },
		{ "pattern", "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z)?$", "2026-01-15" },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(string(schema, known[i].member), known[i].value) == 0)
			return cJSON_CreateString(known[i].example);
	return example_filler(page, schema, name);
}

static cJSON *
example_list(const struct page *page, const cJSON *schema, const char *name, bool request, int depth)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *least = json_get(schema, "minItems");

	for (int i = 0; i == 0 || (cJSON_IsNumber(least) && i < least->valuedouble); i++)
		cJSON_AddItemToArray(list, example(page, json_get(schema, "items"), name, request, depth));
	return list;
}

/* An answer shows every field. A request shows those that it must have, and those with an example of their own. */
static cJSON *
example_object(const struct page *page, const cJSON *schema, bool request, int depth)
{
	cJSON *object = cJSON_CreateObject();
	const cJSON *field;

	cJSON_ArrayForEach(field, json_get(schema, "properties"))
		if (!request || is_required(schema, field->string) || json_get(field, "examples"))
			cJSON_AddItemToObject(object, field->string, example(page, field, field->string, request, depth));
	return object;
}

static cJSON *
example(const struct page *page, const cJSON *schema, const char *name, bool request, int depth)
{
	const cJSON *beside = json_get(schema, "examples");	/* of this use of a component */

	schema = resolve(page, schema);
	const cJSON *given = beside ? beside : json_get(schema, "examples");
	const cJSON *words = json_get(schema, "enum"), *least = json_get(schema, "minimum");
	const char *type = type_of(schema);

	if (given || words)
		return cJSON_Duplicate(given ? given->child : words->child, true);
	if (json_get(schema, "const"))
		return cJSON_Duplicate(json_get(schema, "const"), true);
	if (is_nullable(schema) || strcmp(type, "null") == 0 || depth == 0)
		return cJSON_CreateNull();
	if (strcmp(type, "object") == 0)
		return example_object(page, schema, request, depth - 1);
	if (strcmp(type, "array") == 0)
		return example_list(page, schema, name, request, depth - 1);
	if (strcmp(type, "string") == 0)
		return example_string(page, schema, name);
	if (strcmp(type, "boolean") == 0)
		return cJSON_CreateTrue();
	return cJSON_CreateNumber(cJSON_IsNumber(least) ? least->valuedouble : 0);
}

/* ---- JSON for people: two spaces a level, lists of plain values on one line */

static void
indent(struct buf *out, int level)
{
	buf_putc(out, '\n');
	for (int i = 0; i < level; i++)
		buf_puts(out, "  ");
}

static void
pretty(struct buf *out, const cJSON *item, int level)
{
	bool object = cJSON_IsObject(item);

	if (!item->child) {
		char *text = cJSON_PrintUnformatted(item);
		buf_puts(out, text ? text : "null");
		return;
	}
	bool inlined = !object && !item->child->child;
	buf_putc(out, object ? '{' : '[');
	for (const cJSON *at = item->child; at; at = at->next) {
		if (!inlined)
			indent(out, level + 1);
		if (object) {
			buf_json(out, at->string, strlen(at->string));
			buf_puts(out, ": ");
		}
		pretty(out, at, level + 1);
		if (at->next)
			buf_puts(out, inlined ? ", " : ",");
	}
	if (!inlined)
		indent(out, level);
	buf_putc(out, object ? '}' : ']');
}

static void
put_json(const struct page *page, const cJSON *item)
{
	struct buf text = { .arena = page->arena };

	pretty(&text, item, 0);
	put_text(page, text.s);
}

/* ---- a table of fields */

static void
put_bounds(const struct page *page, const cJSON *schema, const char *least, const char *most, const char *unit)
{
	const cJSON *min = json_get(schema, least), *max = json_get(schema, most);

	if (!min && !max)
		return;
	buf_puts(page->out, ", ");
	if (min && max && min->valuedouble == max->valuedouble) {
		buf_number(page->out, min->valuedouble);
	} else {
		if (!min || !max)
			put(page, max ? "at most " : "at least ");
		if (min)
			buf_number(page->out, min->valuedouble);
		if (min && max)
			put(page, " to ");
		if (max)
			buf_number(page->out, max->valuedouble);
	}
	put(page, unit);
}

static void
put_words(const struct page *page, const cJSON *words)
{
	const cJSON *word;

	cJSON_ArrayForEach(word, words) {
		if (!cJSON_IsString(word))
			continue;
		put(page, word == words->child ? "<code>" : " <code>");
		put_text(page, word->valuestring);
		put(page, "</code>");
	}
}

static void
put_string_type(const struct page *page, const cJSON *schema)
{
	static const struct { const char *member, *value, *words; } known[] = {
		{ "format", "date-time", "time" },
		{ "format", "date", "date" },
		{ "format", "email", "e-mail address" },
		{ "format", "uri-reference", "URL" },
		{ "format", "binary", "a file" },
		{ "pattern", "^[0-9a-f]{24}$", "id" },
	};

	for (size_t i = 0; i < COUNT(known); i++) {
		if (strcmp(string(schema, known[i].member), known[i].value) == 0) {
			put(page, known[i].words);
			return;
		}
	}
	put(page, strncmp(string(schema, "pattern"), "^[0-9]", 6) == 0 ? "digits" : "text");
	put_bounds(page, schema, "minLength", "maxLength", " characters");
}

static void
put_type(const struct page *page, const cJSON *schema)
{
	const cJSON *plain = without_null(schema);
	const char *type = type_of(plain);

	if (json_get(resolve(page, plain), "enum")) {
		put_words(page, json_get(resolve(page, plain), "enum"));
	} else if (json_get(plain, "$ref")) {
		put_text(page, ref_name(plain));
	} else if (strcmp(type, "array") == 0) {
		put(page, "list of ");
		put_type(page, json_get(plain, "items"));
		put_bounds(page, plain, "minItems", "maxItems", " elements");
	} else if (strcmp(type, "string") == 0) {
		put_string_type(page, plain);
	} else if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
		put(page, type);
		put_bounds(page, plain, "minimum", "maximum", "");
	} else if (strcmp(type, "boolean") == 0) {
		put(page, json_get(plain, "const") ? "<code>true</code>" : "<code>true</code> <code>false</code>");
	} else {
		put(page, strcmp(type, "null") == 0 ? "nothing" : "any JSON");
	}
	if (is_nullable(schema))
		put(page, " or <code>null</code>");
}

static void
put_field(const struct page *page, const char *prefix, const char *name, bool required, const cJSON *schema,
	const char *description)
{
	put(page, "<tr><td><code>");
	put_text(page, prefix);
	put(page, required ? "<b>" : "");
	put_text(page, name);
	put(page, required ? "</b>" : "");
	put(page, "</code>");
	put(page, required ? "" : " <i>optional</i>");
	put(page, "<td>");
	put_type(page, schema);
	if (description[0]) {
		put(page, "<br><i>");
		put_text(page, description);
		put(page, "</i>");
	}
	put(page, "\n");
}

/* The fields of a shape, and of those within it as list[].field or object.field. */
static void
put_fields(const struct page *page, const char *prefix, const cJSON *shape, int depth)
{
	const cJSON *field;

	shape = resolve(page, shape);
	cJSON_ArrayForEach(field, json_get(shape, "properties")) {
		const cJSON *plain = without_null(field), *items = json_get(plain, "items");
		put_field(page, prefix, field->string, is_required(shape, field->string), field, string(field, "description"));
		if (depth > 0 && (json_get(plain, "$ref") || json_get(items, "$ref")))
			put_fields(page, arena_format(page->arena, "%s%s%s.", prefix, field->string, items ? "[]" : ""),
				items ? items : plain, depth - 1);
	}
}

/* ---- one route */

struct operation {
	const char *path, *method;
	const cJSON *json, *schema;	/* the body's schema; NULL where the route takes none */
};

static const cJSON *
media(const cJSON *content_of)
{
	const cJSON *content = json_get(content_of, "content");

	return content ? content->child : NULL;
}

/* The field of a form that holds a file, or a list of files. */
static bool
is_file(const cJSON *field)
{
	const cJSON *items = json_get(field, "items");

	return strcmp(string(items ? items : field, "format"), "binary") == 0;
}

static bool
is_form(const struct operation *operation)
{
	const cJSON *body = media(json_get(operation->json, "requestBody"));

	return body && strcmp(body->string, "multipart/form-data") == 0;
}

/* Ids and keys of a path are left to the shell: /users/{id} becomes /users/$ID. */
static void
put_url(struct buf *line, const char *path)
{
	bool variable = false;

	for (; *path; path++) {
		if (*path == '{')
			buf_putc(line, '$');
		else if (*path != '}')
			buf_putc(line, variable && *path >= 'a' && *path <= 'z' ? (char)(*path & ~0x20) : *path);
		variable = *path == '{' || (variable && *path != '}');
	}
}

/* The rest of a word of the shell that was begun with a single quote. */
static void
put_quoted(struct buf *line, const char *text)
{
	for (const char *s = text; *s; s++)
		buf_puts(line, *s == '\'' ? "'\\''" : (const char[]){ *s, '\0' });
	buf_puts(line, "'");
}

static void
put_curl_body(const struct page *page, const struct operation *operation, struct buf *line)
{
	const cJSON *body = json_get(media(json_get(operation->json, "requestBody")), "example");
	char *compact = cJSON_PrintUnformatted(body);
	struct buf text = { .arena = page->arena };

	if (compact && strlen(compact) <= BODY_WIDTH)
		buf_puts(&text, compact);
	else
		pretty(&text, body, 1);
	buf_puts(line, " \\\n  -H 'Content-Type: application/json' \\\n  -d '");
	put_quoted(line, text.s);
}

/* A form: files by their name, everything else as text. */
static void
put_curl_form(const struct page *page, const struct operation *operation, struct buf *line)
{
	const cJSON *fields = json_get(resolve(page, operation->schema), "properties"), *value;

	cJSON_ArrayForEach(value, json_get(media(json_get(operation->json, "requestBody")), "example")) {
		bool file = is_file(json_get(fields, value->string));
		const cJSON *first = file && cJSON_IsArray(value) ? value->child : value;
		buf_printf(line, " \\\n  -F '%s=%s", value->string, file ? "@" : "");
		put_quoted(line, cJSON_IsString(first) ? first->valuestring : cJSON_PrintUnformatted(value));
	}
}

static void
put_curl(const struct page *page, const struct operation *operation)
{
	struct buf line = { .arena = page->arena };
	bool variable = strchr(operation->path, '{');

	buf_puts(&line, "curl -s ");
	if (strcmp(operation->method, "get") != 0) {
		buf_puts(&line, "-X ");
		for (const char *s = operation->method; *s; s++)
			buf_putc(&line, (char)(*s & ~0x20));
		buf_putc(&line, ' ');
	}
	buf_puts(&line, variable ? "\"" BASE : BASE);
	put_url(&line, operation->path);
	buf_puts(&line, variable ? "\"" : "");
	if (cJSON_GetArraySize(json_get(operation->json, "security")) > 0)
		buf_puts(&line, " \\\n  -H \"Authorization: Bearer $TOKEN\"");
	if (operation->schema && is_form(operation))
		put_curl_form(page, operation, &line);
	else if (operation->schema)
		put_curl_body(page, operation, &line);
	put(page, "<pre class=\"curl\">");
	put_text(page, line.s);
	put(page, "</pre>\n");
}

static void
put_input(const struct page *page, const struct operation *operation)
{
	const cJSON *parameters = json_get(operation->json, "parameters"), *parameter;

	if (!operation->schema && !cJSON_GetArraySize(parameters))
		return;
	put(page, "<table>\n");
	cJSON_ArrayForEach(parameter, parameters) {
		const cJSON *plain = resolve(page, parameter);
		const char *in = string(plain, "in");
		const char *form = strcmp(in, "query") == 0 ? "?%s" : strcmp(in, "header") == 0 ? "%s:" : "{%s}";
		put_field(page, "", arena_format(page->arena, form, string(plain, "name")), json_get(plain, "required"),
			json_get(plain, "schema"), string(plain, "description"));
	}
	if (operation->schema)
		put_fields(page, "", operation->schema, DEPTH);
	put(page, "</table>\n");
}

/* What an envelope holds; NULL where the schema is none. */
static const cJSON *
envelope_data(const struct page *page, const cJSON *schema)
{
	const cJSON *fields = json_get(resolve(page, schema), "properties");

	return json_get(fields, "isSuccess") ? json_get(fields, "data") : NULL;
}

/* The headers of an answer that are more than what all answers have. */
static void
put_headers(const struct page *page, const cJSON *response, const char *before, const char *after)
{
	const cJSON *header;
	int count = 0;

	cJSON_ArrayForEach(header, json_get(response, "headers")) {
		if (strcmp(header->string, "X-Request-Id") == 0 || strcmp(header->string, "Content-Language") == 0)
			continue;
		buf_printf(page->out, "%s<code>%s</code>", count++ ? ", " : before, header->string);
	}
	put(page, count ? after : "");
}

static void
put_success(const struct page *page, const cJSON *response)
{
	const cJSON *body = media(response), *schema = json_get(body, "schema");
	bool enveloped = envelope_data(page, schema);

	put(page, "<p class=\"status\"><b>");
	put_text(page, response->string);
	put(page, "</b> ");
	if (enveloped)
		put_type(page, envelope_data(page, schema));
	else
		put_text(page, body ? body->string : "");
	put_headers(page, response, " with ", "");
	put(page, "</p>\n");
	if (!enveloped)
		return;
	cJSON *answer = example(page, schema, "", false, DEPTH);
	cJSON_ReplaceItemInObjectCaseSensitive(answer, "statusCode", cJSON_CreateNumber(strtol(response->string, NULL, 10)));
	cJSON_ReplaceItemInObjectCaseSensitive(answer, "errors", cJSON_CreateArray());
	put(page, "<pre>");
	put_json(page, answer);
	put(page, "</pre>\n");
}

static void
put_failures(const struct page *page, const cJSON *responses)
{
	const cJSON *response;

	put(page, "<p class=\"errors\">");
	cJSON_ArrayForEach(response, responses) {
		if (response->string[0] < '4')
			continue;
		buf_printf(page->out, "<a href=\"#e%s\" title=\"", response->string);
		put_text(page, string(resolve(page, response), "description"));
		buf_printf(page->out, "\">%s</a> ", response->string);
	}
	put(page, "</p>\n");
}

static void
put_operation(const struct page *page, const struct operation *operation)
{
	const cJSON *json = operation->json, *responses = json_get(json, "responses");

	buf_printf(page->out, "<article id=\"%s\">\n<h3><b class=\"%s\">%s</b> <code>", string(json, "operationId"),
		operation->method, operation->method);
	put_text(page, operation->path);
	buf_printf(page->out, "</code> <span class=\"role\">%s</span></h3>\n", string(json, "x-role"));
	put_paragraph(page, " class=\"title\"", string(json, "summary"));
	put_paragraph(page, "", string(json, "description"));
	put(page, "<div class=\"two\"><div>\n");
	put_curl(page, operation);
	put_input(page, operation);
	put(page, "</div><div>\n");
	put_success(page, responses->child);
	put_failures(page, responses);
	put(page, "</div></div>\n</article>\n");
}

static void
put_link(const struct page *page, const struct operation *operation)
{
	buf_printf(page->out, "<a href=\"#%s\" title=\"", string(operation->json, "operationId"));
	put_text(page, string(operation->json, "summary"));
	buf_printf(page->out, "\"><b class=\"%s\">%s</b> <span>", operation->method, operation->method);
	put_text(page, operation->path);
	put(page, "</span></a>\n");
}

/* ---- the page */

static void
each_operation(const struct page *page, const char *tag, void (*show)(const struct page *, const struct operation *))
{
	const cJSON *path, *method;

	cJSON_ArrayForEach(path, json_get(page->document, "paths")) {
		cJSON_ArrayForEach(method, path) {
			const cJSON *body = media(json_get(method, "requestBody"));
			if (strcmp(json_get(method, "tags")->child->valuestring, tag) == 0)
				show(page, &(struct operation){ path->string, method->string, method, json_get(body, "schema") });
		}
	}
}

static void
put_version(const struct page *page)
{
	put_text(page, string(json_get(page->document, "info"), "version"));
}

static void
put_navigation(const struct page *page)
{
	const cJSON *tag;

	cJSON_ArrayForEach(tag, json_get(page->document, "tags")) {
		const char *name = string(tag, "name");
		buf_printf(page->out, "<div><a class=\"group\" href=\"#group-%s\">%s</a>\n", name, name);
		each_operation(page, name, put_link);
		put(page, "</div>\n");
	}
}

static void
put_routes(const struct page *page)
{
	const cJSON *tag;

	cJSON_ArrayForEach(tag, json_get(page->document, "tags")) {
		const char *name = string(tag, "name");
		buf_printf(page->out, "<section id=\"group-%s\">\n<h2>%s</h2>\n", name, name);
		put_paragraph(page, "", string(tag, "description"));
		each_operation(page, name, put_operation);
		put(page, "</section>\n");
	}
}

/* The shared response behind a status, as the first route that has it refers to it; NULL when none has. */
static const cJSON *
find_response(const struct page *page, const char *status)
{
	const cJSON *path, *method;

	cJSON_ArrayForEach(path, json_get(page->document, "paths"))
		cJSON_ArrayForEach(method, path)
			if (json_get(json_get(method, "responses"), status))
				return resolve(page, json_get(json_get(method, "responses"), status));
	return NULL;
}

static void
put_error_table(const struct page *page)
{
	char status[12];

	for (int number = 400; number < 600; number++) {
		snprintf(status, sizeof(status), "%d", number);
		const cJSON *response = find_response(page, status);
		if (!response)
			continue;
		buf_printf(page->out, "<tr id=\"e%s\"><td><b>%s</b><td>", status, status);
		put_text(page, string(response, "description"));
		put_headers(page, response, " With ", ".");
		put(page, "\n");
	}
}

/* ---- examples in the document itself, for what has none yet */

/* Names of files that are taken. */
static cJSON *
example_file(const cJSON *body, const cJSON *field)
{
	const char *types = string(json_get(json_get(body, "encoding"), field->string), "contentType");
	cJSON *name = cJSON_CreateString(strcmp(types, "application/pdf") == 0 ? "lesson.pdf" : "photo.png");

	if (!json_get(field, "items"))
		return name;
	cJSON *list = cJSON_CreateArray();
	cJSON_AddItemToArray(list, name);
	return list;
}

static cJSON *
example_body(const struct page *page, const cJSON *body)
{
	const cJSON *schema = resolve(page, json_get(body, "schema")), *fields = json_get(schema, "properties");
	const cJSON *field, *first = fields ? fields->child : NULL;
	cJSON *object = cJSON_CreateObject();
	bool form = strcmp(body->string, "multipart/form-data") == 0;

	cJSON_ArrayForEach(field, fields) {
		if (is_file(field))
			cJSON_AddItemToObject(object, field->string, example_file(body, field));
		else if (is_required(schema, field->string) || (json_get(field, "examples") && !form))
			cJSON_AddItemToObject(object, field->string, example(page, field, field->string, true, DEPTH));
	}
	/* A change needs at least one field, though no particular one. */
	if (!object->child && first)
		cJSON_AddItemToObject(object, first->string, example(page, first, first->string, true, DEPTH));
	return object;
}

void
reference_examples(struct arena *arena, cJSON *document)
{
	struct page page = { NULL, arena, document };
	cJSON *path, *method, *thing;

	cJSON_ArrayForEach(path, json_get(document, "paths")) {
		cJSON_ArrayForEach(method, path) {
			cJSON_ArrayForEach(thing, json_get(method, "parameters"))
				if (json_get(thing, "schema") && !json_get(thing, "example"))
					cJSON_AddItemToObject(thing, "example",
						example(&page, json_get(thing, "schema"), string(thing, "name"), true, DEPTH));
			cJSON_ArrayForEach(thing, json_get(json_get(method, "requestBody"), "content"))
				if (!json_get(thing, "example"))
					cJSON_AddItemToObject(thing, "example", example_body(&page, thing));
		}
	}
}

void
reference_page(struct buf *out, struct arena *arena, const char *template, const cJSON *document)
{
	static const struct { const char *name; void (*put)(const struct page *); } places[] = {
		{ "{{version}}", put_version },
		{ "{{navigation}}", put_navigation },
		{ "{{errors}}", put_error_table },
		{ "{{routes}}", put_routes },
	};
	struct page page = { out, arena, document };
	const char *brace;

	while ((brace = strstr(template, "{{"))) {
		size_t i = 0, length = 2;
		buf_put(out, template, (size_t)(brace - template));
		while (i < COUNT(places) && strncmp(brace, places[i].name, strlen(places[i].name)) != 0)
			i++;
		if (i < COUNT(places)) {
			places[i].put(&page);
			length = strlen(places[i].name);
		} else {
			buf_put(out, brace, length);
		}
		template = brace + length;
	}
	buf_puts(out, template);
}
