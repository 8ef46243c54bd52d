#include "reference.h"

#include "encode.h"
#include "schema.h"
#include "text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>

#define BASE "http://127.0.0.1:8080" /* what `make run` listens on */
#define BODY_WIDTH 60		     /* characters of a body that stays on one line */

/* HTML in which each %s stands for an argument, which is escaped. No other conversion is known. */
static void printf_like(2, 3) page_put(const struct page *page, const char *html, ...)
{
	const char *place;
	va_list args;

	va_start(args, html);
	for (; (place = strstr(html, "%s")); html = place + 2) {
		buf_put(page->out, html, (size_t)(place - html));
		encode_html(page->out, va_arg(args, const char *));
	}
	va_end(args);
	buf_puts(page->out, html);
}

/* JSON on several lines. cJSON indents by tabs, which a shell could take for a request to complete a name. */
static const char *
pretty(struct arena *arena, const cJSON *item)
{
	struct buf text = { .arena = arena };

	for (const char *s = cJSON_Print(item); *s; s++) {
		if (*s != '\t')
			buf_putc(&text, *s);
		else
			buf_puts(&text, s[-1] == ':' ? " " : "  ");
	}
	return text.s;
}

/* ---- a table of fields */

static void
put_bounds(const struct page *page, const cJSON *schema, const char *least, const char *most, const char *unit)
{
	double min = cJSON_GetNumberValue(json_get(schema, least)), max = cJSON_GetNumberValue(json_get(schema, most));

	if (isnan(min) && isnan(max))
		return;
	if (isnan(max))
		buf_printf(page->out, ", at least %.15g%s", min, unit);
	else if (isnan(min))
		buf_printf(page->out, ", at most %.15g%s", max, unit);
	else if (min == max)
		buf_printf(page->out, ", %.15g%s", min, unit);
	else
		buf_printf(page->out, ", %.15g to %.15g%s", min, max, unit);
}

static void
put_page_values(const struct page *page, const cJSON *values)
{
	const cJSON *value;

	cJSON_ArrayForEach(value, values) if (cJSON_IsString(value))
		page_put(page, value == values->child ? "<code>%s</code>" : " <code>%s</code>", value->valuestring);
}

static void
put_page_type(const struct page *page, const cJSON *schema)
{
	const cJSON *plain = schema_without_null(schema), *values = json_get(schema_resolve(page, plain), "enum");
	const struct schema_kind *kind = schema_kind(plain);
	const char *type = schema_type(plain);

	if (values) {
		put_page_values(page, values);
	} else if (json_get(plain, "$ref")) {
		page_put(page, "%s", schema_ref_name(plain));
	} else if (strcmp(type, "array") == 0) {
		page_put(page, "list of ");
		put_page_type(page, json_get(plain, "items"));
		put_bounds(page, plain, "minItems", "maxItems", " elements");
	} else if (kind) {
		page_put(page, "%s", kind->text);
	} else if (strcmp(type, "string") == 0) {
		page_put(page, schema_is_digits(plain) ? "digits" : "text");
		put_bounds(page, plain, "minLength", "maxLength", " characters");
	} else if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0) {
		page_put(page, "%s", type);
		put_bounds(page, plain, "minimum", "maximum", "");
	} else if (strcmp(type, "boolean") == 0) {
		page_put(page, json_get(plain, "const") ? "<code>true</code>" : "<code>true</code> <code>false</code>");
	} else {
		page_put(page, strcmp(type, "null") == 0 ? "nothing" : "any JSON");
	}
	if (schema_is_nullable(schema))
		page_put(page, " or <code>null</code>");
}

static void
put_field(const struct page *page, const char *prefix, const char *name, bool required, const cJSON *schema,
	const char *description)
{
	page_put(page, required ? "<tr><td><code>%s<b>%s</b></code><td>" : "<tr><td><code>%s%s</code> <i>optional</i><td>",
		prefix, name);
	put_page_type(page, schema);
	if (description[0])
		page_put(page, "<br><i>%s</i>", description);
	page_put(page, "\n");
}

/* The fields of a shape, and of those within it as list[].field or object.field. */
static void
put_fields(const struct page *page, const char *prefix, const cJSON *shape, int depth)
{
	const cJSON *field;

	shape = schema_resolve(page, shape);
	cJSON_ArrayForEach(field, json_get(shape, "properties"))
	{
		const cJSON *plain = schema_without_null(field), *items = json_get(plain, "items");
		put_field(page, prefix, field->string, schema_is_required(shape, field->string), field,
			schema_string(field, "description"));
		if (depth > 0 && (json_get(plain, "$ref") || json_get(items, "$ref")))
			put_fields(page, arena_format(page->arena, "%s%s%s.", prefix, field->string, items ? "[]" : ""),
				items ? items : plain, depth - 1);
	}
}

/* ---- one route */

struct operation {
	const char *path, *method;
	const cJSON *json, *body; /* body: the first that the route takes; NULL: none */
};

/* The first media type of a body or a response; NULL when it has none. */
static const cJSON *
first_media(const cJSON *content_of)
{
	const cJSON *content = json_get(content_of, "content");

	return content ? content->child : NULL;
}

/* Ids and keys in a path become variables of the shell: /users/{id} becomes /users/$ID. */
static void
put_url(struct buf *line, const char *path)
{
	bool variable = false;

	for (; *path; path++) {
		if (*path == '{')
			buf_putc(line, '$');
		else if (*path != '}')
			buf_putc(line, variable ? (char)toupper(*path) : *path);
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
	const cJSON *body = json_get(operation->body, "example");
	const char *text = cJSON_PrintUnformatted(body);

	buf_puts(line, " \\\n  -H 'Content-Type: application/json' \\\n  -d '");
	put_quoted(line, strlen(text) > BODY_WIDTH ? pretty(page->arena, body) : text);
}

/* A form: files by their name, everything else as text. */
static void
put_curl_form(const struct page *page, const struct operation *operation, struct buf *line)
{
	const cJSON *fields = json_get(schema_resolve(page, json_get(operation->body, "schema")), "properties"), *value;

	cJSON_ArrayForEach(value, json_get(operation->body, "example"))
	{
		bool file = schema_is_file(json_get(fields, value->string));
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
	char *method = arena_string(page->arena, operation->method);

	text_upper(method);
	buf_puts(&line, "curl -s ");
	if (strcmp(method, "GET") != 0)
		buf_printf(&line, "-X %s ", method);
	buf_puts(&line, variable ? "\"" BASE : BASE);
	put_url(&line, operation->path);
	buf_puts(&line, variable ? "\"" : "");
	if (cJSON_GetArraySize(json_get(operation->json, "security")) > 0)
		buf_puts(&line, " \\\n  -H \"Authorization: Bearer $TOKEN\"");
	if (operation->body && strcmp(operation->body->string, "multipart/form-data") == 0)
		put_curl_form(page, operation, &line);
	else if (operation->body)
		put_curl_body(page, operation, &line);
	page_put(page, "<pre class=\"curl\">%s</pre>\n", line.s);
}

static void
put_input(const struct page *page, const struct operation *operation)
{
	const cJSON *parameters = json_get(operation->json, "parameters"), *parameter;

	if (!operation->body && !cJSON_GetArraySize(parameters))
		return;
	page_put(page, "<table>\n");
	cJSON_ArrayForEach(parameter, parameters)
	{
		const cJSON *plain = schema_resolve(page, parameter);
		const char *in = schema_string(plain, "in");
		const char *form = strcmp(in, "query") == 0 ? "?%s" : strcmp(in, "header") == 0 ? "%s:" : "{%s}";
		put_field(page, "", arena_format(page->arena, form, schema_string(plain, "name")), json_get(plain, "required"),
			json_get(plain, "schema"), schema_string(plain, "description"));
	}
	if (operation->body)
		put_fields(page, "", json_get(operation->body, "schema"), SCHEMA_DEPTH);
	page_put(page, "</table>\n");
}

/* The data of an envelope; NULL when the schema is not an envelope. */
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

	cJSON_ArrayForEach(header, json_get(response, "headers")) if (strcmp(header->string, "X-Request-Id") != 0 &&
		strcmp(header->string, "Content-Language") != 0)
		page_put(page, "%s<code>%s</code>", count++ ? ", " : before, header->string);
	page_put(page, "%s", count ? after : "");
}

static void
put_page_success(const struct page *page, const cJSON *response)
{
	const cJSON *body = first_media(response), *schema = json_get(body, "schema"), *data = envelope_data(page, schema);

	page_put(page, "<p class=\"status\"><b>%s</b> ", response->string);
	if (data)
		put_page_type(page, data);
	else
		page_put(page, "%s", body ? body->string : "");
	put_page_headers(page, response, " with ", "");
	page_put(page, "</p>\n");
	if (!data)
		return;
	cJSON *example = schema_example(page, schema, "", false, SCHEMA_DEPTH);
	cJSON_ReplaceItemInObjectCaseSensitive(example, "statusCode", cJSON_CreateNumber(strtol(response->string, NULL, 10)));
	cJSON_ReplaceItemInObjectCaseSensitive(example, "errors", cJSON_CreateArray());
	page_put(page, "<pre>%s</pre>\n", pretty(page->arena, example));
}

static void
put_page_failures(const struct page *page, const cJSON *responses)
{
	const cJSON *response;

	page_put(page, "<p class=\"errors\">");
	cJSON_ArrayForEach(response, responses) if (response->string[0] >= '4')
		page_put(page, "<a href=\"#e%s\" title=\"%s\">%s</a> ", response->string,
			schema_string(schema_resolve(page, response), "description"), response->string);
	page_put(page, "</p>\n");
}

static void
put_article(const struct page *page, const struct operation *operation)
{
	const cJSON *json = operation->json, *responses = json_get(json, "responses");

	page_put(page, "<article id=\"%s\">\n<h3><b class=\"%s\">%s</b> <code>%s</code> <span class=\"role\">%s</span></h3>\n",
		schema_string(json, "operationId"), operation->method, operation->method, operation->path,
		schema_string(json, "x-role"));
	page_put(page, "<p class=\"title\">%s</p>\n", schema_string(json, "summary"));
	if (json_get(json, "description"))
		page_put(page, "<p>%s</p>\n", schema_string(json, "description"));
	page_put(page, "<div class=\"two\"><div>\n");
	put_curl(page, operation);
	put_input(page, operation);
	page_put(page, "</div><div>\n");
	put_page_success(page, responses->child);
	put_page_failures(page, responses);
	page_put(page, "</div></div>\n</article>\n");
}

static void
put_page_link(const struct page *page, const struct operation *operation)
{
	page_put(page, "<a href=\"#%s\" title=\"%s\"><b class=\"%s\">%s</b> <span>%s</span></a>\n",
		schema_string(operation->json, "operationId"), schema_string(operation->json, "summary"), operation->method,
		operation->method, operation->path);
}

/* ---- the page */

static void
each_operation(const struct page *page, const char *tag, void (*show)(const struct page *, const struct operation *))
{
	const cJSON *path, *method;

	cJSON_ArrayForEach(path, json_get(page->document, "paths")) cJSON_ArrayForEach(
		method, path) if (strcmp(json_get(method, "tags")->child->valuestring, tag) == 0) show(page,
		&(struct operation){ path->string, method->string, method, first_media(json_get(method, "requestBody")) });
}

static void
put_version(const struct page *page)
{
	page_put(page, "%s", schema_string(json_get(page->document, "info"), "version"));
}

static void
put_navigation(const struct page *page)
{
	const cJSON *tag;

	cJSON_ArrayForEach(tag, json_get(page->document, "tags"))
	{
		const char *name = schema_string(tag, "name");
		page_put(page, "<div><a class=\"group\" href=\"#group-%s\">%s</a>\n", name, name);
		each_operation(page, name, put_page_link);
		page_put(page, "</div>\n");
	}
}

static void
put_routes(const struct page *page)
{
	const cJSON *tag;

	cJSON_ArrayForEach(tag, json_get(page->document, "tags"))
	{
		const char *name = schema_string(tag, "name");
		page_put(page, "<section id=\"group-%s\">\n<h2>%s</h2>\n<p>%s</p>\n", name, name,
			schema_string(tag, "description"));
		each_operation(page, name, put_article);
		page_put(page, "</section>\n");
	}
}

/* The shared response of a status, as the first route that has it refers to it; NULL when none has. */
static const cJSON *
find_response(const struct page *page, const char *status)
{
	const cJSON *path, *method;

	cJSON_ArrayForEach(path, json_get(page->document, "paths"))
		cJSON_ArrayForEach(method, path) if (json_get(json_get(method, "responses"), status)) return schema_resolve(
			page, json_get(json_get(method, "responses"), status));
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
		page_put(page, "<tr id=\"e%s\"><td><b>%s</b><td>%s", status, status, schema_string(response, "description"));
		put_page_headers(page, response, " With ", ".");
		page_put(page, "\n");
	}
}

void
reference_page(struct buf *out, struct arena *arena, const char *template, const cJSON *document)
{
	static const struct {
		const char *name;
		void (*put)(const struct page *);
	} places[] = {
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
