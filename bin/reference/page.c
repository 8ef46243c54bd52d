#include "reference.h"

#include "encode.h"
#include "json_write.h"
#include "schema.h"

#define BASE "http://127.0.0.1:8080"	/* what `make run` listens on */
#define BODY_WIDTH 60			/* characters of a body that stays on one line */

static void
page_raw(const struct page *page, const char *html)
{
	buf_puts(page->out, html);
}

static void
page_escaped(const struct page *page, const char *text)
{
	encode_html(page->out, text);
}

static void
put_paragraph(const struct page *page, const char *attributes, const char *text)
{
	if (!text[0])
		return;
	buf_printf(page->out, "<p%s>", attributes);
	page_escaped(page, text);
	page_raw(page, "</p>\n");
}

/* ---- JSON for people: two spaces a level, lists of plain values on one line */

static void
indent(struct buf *out, int level)
{
	buf_putc(out, '\n');
	for (int i = 0; i < level; i++)
		buf_puts(out, "  ");
}

/* Without spaces; in the arena. */
static const char *
compact(struct arena *arena, const cJSON *item)
{
	struct buf text = { .arena = arena };

	json_put_tree(&text, NULL, item);
	return text.s;
}

static void
pretty(struct buf *out, const cJSON *item, int level)
{
	bool object = cJSON_IsObject(item);

	if (!item->child) {
		buf_puts(out, compact(out->arena, item));
		return;
	}
	bool inlined = !object && !item->child->child;
	buf_putc(out, object ? '{' : '[');
	for (const cJSON *at = item->child; at; at = at->next) {
		if (!inlined)
			indent(out, level + 1);
		if (object)
			buf_printf(out, "\"%s\": ", at->string);
		pretty(out, at, level + 1);
		if (at->next)
			buf_puts(out, inlined ? ", " : ",");
	}
	if (!inlined)
		indent(out, level);
	buf_putc(out, object ? '}' : ']');
}

static void
put_pretty(const struct page *page, const cJSON *item)
{
	struct buf text = { .arena = page->arena };

	pretty(&text, item, 0);
	page_escaped(page, text.s);
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
			page_raw(page, max ? "at most " : "at least ");
		if (min)
			buf_number(page->out, min->valuedouble);
		if (min && max)
			page_raw(page, " to ");
		if (max)
			buf_number(page->out, max->valuedouble);
	}
	page_raw(page, unit);
}

static void
put_page_words(const struct page *page, const cJSON *words)
{
	const cJSON *word;

	cJSON_ArrayForEach(word, words) {
		if (!cJSON_IsString(word))
			continue;
		page_raw(page, word == words->child ? "<code>" : " <code>");
		page_escaped(page, word->valuestring);
		page_raw(page, "</code>");
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
		if (strcmp(schema_string(schema, known[i].member), known[i].value) == 0) {
			page_raw(page, known[i].words);
			return;
		}
	}
	page_raw(page, strncmp(schema_string(schema, "pattern"), "^[0-9]", 6) == 0 ? "digits" : "text");
	put_bounds(page, schema, "minLength", "maxLength", " characters");
}

static void
put_page_type(const struct page *page, const cJSON *schema)
{
	const cJSON *plain = schema_without_null(schema);
	const char *type = schema_type(plain);

	if (json_get(schema_resolve(page, plain), "enum")) {
		put_page_words(page, json_get(schema_resolve(page, plain), "enum"));
	} else if (json_get(plain, "$ref")) {
		page_escaped(page, schema_ref_name(plain));
	} else if (strcmp(type, "array") == 0) {
		page_raw(page, "list of ");
		put_page_type(page, json_get(plain, "items"));
		put_bounds(page, plain, "minItems", "maxItems", " elements");
	} else if (strcmp(type, "string") == 0) {
		put_string_type(page, plain);
	} else if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
		page_raw(page, type);
		put_bounds(page, plain, "minimum", "maximum", "");
	} else if (strcmp(type, "boolean") == 0) {
		page_raw(page, json_get(plain, "const") ? "<code>true</code>" : "<code>true</code> <code>false</code>");
	} else {
		page_raw(page, strcmp(type, "null") == 0 ? "nothing" : "any JSON");
	}
	if (schema_is_nullable(schema))
		page_raw(page, " or <code>null</code>");
}

static void
put_field(const struct page *page, const char *prefix, const char *name, bool required, const cJSON *schema,
	const char *description)
{
	page_raw(page, "<tr><td><code>");
	page_escaped(page, prefix);
	page_raw(page, required ? "<b>" : "");
	page_escaped(page, name);
	page_raw(page, required ? "</b>" : "");
	page_raw(page, "</code>");
	page_raw(page, required ? "" : " <i>optional</i>");
	page_raw(page, "<td>");
	put_page_type(page, schema);
	if (description[0]) {
		page_raw(page, "<br><i>");
		page_escaped(page, description);
		page_raw(page, "</i>");
	}
	page_raw(page, "\n");
}

/* The fields of a shape, and of those within it as list[].field or object.field. */
static void
put_fields(const struct page *page, const char *prefix, const cJSON *shape, int depth)
{
	const cJSON *field;

	shape = schema_resolve(page, shape);
	cJSON_ArrayForEach(field, json_get(shape, "properties")) {
		const cJSON *plain = schema_without_null(field), *items = json_get(plain, "items");
		put_field(page, prefix, field->string, schema_is_required(shape, field->string), field, schema_string(field, "description"));
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

/* The rest of a shell word that began with a single quote. */
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
	struct buf text = { .arena = page->arena };

	json_put_tree(&text, NULL, body);
	if (text.length > BODY_WIDTH) {
		buf_reset(&text, SIZE_MAX);
		pretty(&text, body, 1);
	}
	buf_puts(line, " \\\n  -H 'Content-Type: application/json' \\\n  -d '");
	put_quoted(line, text.s);
}

/* A form: files by their name, everything else as text. */
static void
put_curl_form(const struct page *page, const struct operation *operation, struct buf *line)
{
	const cJSON *fields = json_get(schema_resolve(page, operation->schema), "properties"), *value;

	cJSON_ArrayForEach(value, json_get(media(json_get(operation->json, "requestBody")), "example")) {
		bool file = schema_is_file(json_get(fields, value->string));
		const cJSON *first = file && cJSON_IsArray(value) ? value->child : value;
		buf_printf(line, " \\\n  -F '%s=%s", value->string, file ? "@" : "");
		put_quoted(line, cJSON_IsString(first) ? first->valuestring : compact(page->arena, value));
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
	page_raw(page, "<pre class=\"curl\">");
	page_escaped(page, line.s);
	page_raw(page, "</pre>\n");
}

static void
put_input(const struct page *page, const struct operation *operation)
{
	const cJSON *parameters = json_get(operation->json, "parameters"), *parameter;

	if (!operation->schema && !cJSON_GetArraySize(parameters))
		return;
	page_raw(page, "<table>\n");
	cJSON_ArrayForEach(parameter, parameters) {
		const cJSON *plain = schema_resolve(page, parameter);
		const char *in = schema_string(plain, "in");
		const char *form = strcmp(in, "query") == 0 ? "?%s" : strcmp(in, "header") == 0 ? "%s:" : "{%s}";
		put_field(page, "", arena_format(page->arena, form, schema_string(plain, "name")), json_get(plain, "required"),
			json_get(plain, "schema"), schema_string(plain, "description"));
	}
	if (operation->schema)
		put_fields(page, "", operation->schema, SCHEMA_DEPTH);
	page_raw(page, "</table>\n");
}

/* What an envelope holds; NULL where the schema is none. */
static const cJSON *
envelope_data(const struct page *page, const cJSON *schema)
{
	const cJSON *fields = json_get(schema_resolve(page, schema), "properties");

	return json_get(fields, "isSuccess") ? json_get(fields, "data") : NULL;
}

/* The headers of a response beyond those of all responses. */
static void
put_page_headers(const struct page *page, const cJSON *response, const char *before, const char *after)
{
	const cJSON *header;
	int count = 0;

	cJSON_ArrayForEach(header, json_get(response, "headers")) {
		if (strcmp(header->string, "X-Request-Id") == 0 || strcmp(header->string, "Content-Language") == 0)
			continue;
		buf_printf(page->out, "%s<code>%s</code>", count++ ? ", " : before, header->string);
	}
	page_raw(page, count ? after : "");
}

static void
put_page_success(const struct page *page, const cJSON *response)
{
	const cJSON *body = media(response), *schema = json_get(body, "schema");
	bool enveloped = envelope_data(page, schema);

	page_raw(page, "<p class=\"status\"><b>");
	page_escaped(page, response->string);
	page_raw(page, "</b> ");
	if (enveloped)
		put_page_type(page, envelope_data(page, schema));
	else
		page_escaped(page, body ? body->string : "");
	put_page_headers(page, response, " with ", "");
	page_raw(page, "</p>\n");
	if (!enveloped)
		return;
	cJSON *answer = schema_example(page, schema, "", false, SCHEMA_DEPTH);
	cJSON_ReplaceItemInObjectCaseSensitive(answer, "statusCode", cJSON_CreateNumber(strtol(response->string, NULL, 10)));
	cJSON_ReplaceItemInObjectCaseSensitive(answer, "errors", cJSON_CreateArray());
	page_raw(page, "<pre>");
	put_pretty(page, answer);
	page_raw(page, "</pre>\n");
}

static void
put_failures(const struct page *page, const cJSON *responses)
{
	const cJSON *response;

	page_raw(page, "<p class=\"errors\">");
	cJSON_ArrayForEach(response, responses) {
		if (response->string[0] < '4')
			continue;
		buf_printf(page->out, "<a href=\"#e%s\" title=\"", response->string);
		page_escaped(page, schema_string(schema_resolve(page, response), "description"));
		buf_printf(page->out, "\">%s</a> ", response->string);
	}
	page_raw(page, "</p>\n");
}

static void
put_article(const struct page *page, const struct operation *operation)
{
	const cJSON *json = operation->json, *responses = json_get(json, "responses");

	buf_printf(page->out, "<article id=\"%s\">\n<h3><b class=\"%s\">%s</b> <code>", schema_string(json, "operationId"),
		operation->method, operation->method);
	page_escaped(page, operation->path);
	buf_printf(page->out, "</code> <span class=\"role\">%s</span></h3>\n", schema_string(json, "x-role"));
	put_paragraph(page, " class=\"title\"", schema_string(json, "summary"));
	put_paragraph(page, "", schema_string(json, "description"));
	page_raw(page, "<div class=\"two\"><div>\n");
	put_curl(page, operation);
	put_input(page, operation);
	page_raw(page, "</div><div>\n");
	put_page_success(page, responses->child);
	put_failures(page, responses);
	page_raw(page, "</div></div>\n</article>\n");
}

static void
put_page_link(const struct page *page, const struct operation *operation)
{
	buf_printf(page->out, "<a href=\"#%s\" title=\"", schema_string(operation->json, "operationId"));
	page_escaped(page, schema_string(operation->json, "summary"));
	buf_printf(page->out, "\"><b class=\"%s\">%s</b> <span>", operation->method, operation->method);
	page_escaped(page, operation->path);
	page_raw(page, "</span></a>\n");
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
	page_escaped(page, schema_string(json_get(page->document, "info"), "version"));
}

static void
put_navigation(const struct page *page)
{
	const cJSON *tag;

	cJSON_ArrayForEach(tag, json_get(page->document, "tags")) {
		const char *name = schema_string(tag, "name");
		buf_printf(page->out, "<div><a class=\"group\" href=\"#group-%s\">%s</a>\n", name, name);
		each_operation(page, name, put_page_link);
		page_raw(page, "</div>\n");
	}
}

static void
put_routes(const struct page *page)
{
	const cJSON *tag;

	cJSON_ArrayForEach(tag, json_get(page->document, "tags")) {
		const char *name = schema_string(tag, "name");
		buf_printf(page->out, "<section id=\"group-%s\">\n<h2>%s</h2>\n", name, name);
		put_paragraph(page, "", schema_string(tag, "description"));
		each_operation(page, name, put_article);
		page_raw(page, "</section>\n");
	}
}

/* The shared response of a status, as the first route that has it refers to it; NULL when none has. */
static const cJSON *
find_response(const struct page *page, const char *status)
{
	const cJSON *path, *method;

	cJSON_ArrayForEach(path, json_get(page->document, "paths"))
		cJSON_ArrayForEach(method, path)
			if (json_get(json_get(method, "responses"), status))
				return schema_resolve(page, json_get(json_get(method, "responses"), status));
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
		page_escaped(page, schema_string(response, "description"));
		put_page_headers(page, response, " With ", ".");
		page_raw(page, "\n");
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
