#include "schema.h"

#include "reference.h"

#include <math.h>

const char *
schema_string(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(json_get(object, name));

	return text ? text : "";
}

const struct schema_kind *
schema_kind(const cJSON *schema)
{
	static const struct schema_kind kinds[] = {
		{ "format", "date-time", "time", "2026-01-15T10:30:00.000Z" },
		{ "format", "date", "date", "1990-04-23" },
		{ "format", "email", "e-mail address", "user@example.com" },
		{ "format", "uri-reference", "URL", "https://example.com/a.png" },
		{ "format", "binary", "a file", "photo.png" },
		{ "pattern", "^[0-9a-f]{24}$", "id", "019bc1a5e0c8f3d27b6a4e15" },
		{ "pattern", "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z)?$", "text", "2026-01-15" },
	};

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(schema_string(schema, kinds[i].member), kinds[i].value) == 0)
			return &kinds[i];
	return NULL;
}

bool
schema_is_digits(const cJSON *schema)
{
	return strncmp(schema_string(schema, "pattern"), "^[0-9]", 6) == 0;
}

bool
schema_is_file(const cJSON *field)
{
	const cJSON *items = json_get(field, "items");

	return strcmp(schema_string(items ? items : field, "format"), "binary") == 0;
}

/* ---- schemas */

const char *
schema_ref_name(const cJSON *node)
{
	const char *slash = strrchr(schema_string(node, "$ref"), '/');

	return slash ? slash + 1 : "";
}

const cJSON *
schema_resolve(const struct page *page, const cJSON *node)
{
	char kind[32], name[128];

	for (int hops = 0; hops < SCHEMA_DEPTH; hops++) {
		if (sscanf(schema_string(node, "$ref"), "#/components/%31[^/]/%127s", kind, name) != 2)
			break;
		node = json_get(json_get(json_get(page->document, "components"), kind), name);
	}
	return node;
}

const char *
schema_type(const cJSON *schema)
{
	const cJSON *type = json_get(schema, "type");

	return cJSON_IsArray(type) ? type->child->valuestring : schema_string(schema, "type");
}

bool
schema_is_nullable(const cJSON *schema)
{
	return cJSON_IsArray(json_get(schema, "type")) || json_get(schema, "anyOf");
}

const cJSON *
schema_without_null(const cJSON *schema)
{
	const cJSON *any = json_get(schema, "anyOf");

	return any ? any->child : schema;
}

bool
schema_is_required(const cJSON *shape, const char *name)
{
	const cJSON *required;

	cJSON_ArrayForEach(required, json_get(shape, "required")) if (strcmp(required->valuestring, name) == 0) return true;
	return false;
}

/* ---- examples made from schemas */

/* The name of the field, repeated until it is long enough. A missing bound is NAN: every comparison with it is false. */
static cJSON *
example_text(const struct page *page, const cJSON *schema, const char *name)
{
	double min = cJSON_GetNumberValue(json_get(schema, "minLength"));
	double max = cJSON_GetNumberValue(json_get(schema, "maxLength"));
	const char *seed = schema_is_digits(schema) ? "123456" : name;
	struct buf text = { .arena = page->arena };

	do
		buf_puts(&text, seed);
	while ((double)text.length < min);
	if ((double)text.length > max)
		text.s[(size_t)max] = '\0';
	return cJSON_CreateString(text.s);
}

static cJSON *
example_list(const struct page *page, const cJSON *schema, const char *name, bool request, int depth)
{
	double min = cJSON_GetNumberValue(json_get(schema, "minItems"));
	cJSON *list = cJSON_CreateArray();

	for (int i = 0; i == 0 || i < min; i++)
		cJSON_AddItemToArray(list, schema_example(page, json_get(schema, "items"), name, request, depth));
	return list;
}

/* A response shows every field; a request only those that are required or have examples. */
static cJSON *
example_object(const struct page *page, const cJSON *schema, bool request, int depth)
{
	cJSON *object = cJSON_CreateObject();
	const cJSON *field;

	cJSON_ArrayForEach(field, json_get(schema, "properties")) if (!request || schema_is_required(schema, field->string) ||
		json_get(field, "examples"))
		cJSON_AddItemToObject(object, field->string, schema_example(page, field, field->string, request, depth));
	return object;
}

cJSON *
schema_example(const struct page *page, const cJSON *schema, const char *name, bool request, int depth)
{
	const cJSON *beside = json_get(schema, "examples"); /* of this use of a component */

	schema = schema_resolve(page, schema);
	const cJSON *given = beside ? beside : json_get(schema, "examples");
	const cJSON *values = json_get(schema, "enum");
	const struct schema_kind *kind = schema_kind(schema);
	const char *type = schema_type(schema);
	double min = cJSON_GetNumberValue(json_get(schema, "minimum"));

	if (given || values)
		return cJSON_Duplicate(given ? given->child : values->child, true);
	if (json_get(schema, "const"))
		return cJSON_Duplicate(json_get(schema, "const"), true);
	if (schema_is_nullable(schema) || strcmp(type, "null") == 0 || depth == 0)
		return cJSON_CreateNull();
	if (strcmp(type, "object") == 0)
		return example_object(page, schema, request, depth - 1);
	if (strcmp(type, "array") == 0)
		return example_list(page, schema, name, request, depth - 1);
	if (strcmp(type, "string") == 0)
		return kind ? cJSON_CreateString(kind->example) : example_text(page, schema, name);
	if (strcmp(type, "boolean") == 0)
		return cJSON_CreateTrue();
	return cJSON_CreateNumber(isnan(min) ? 0 : min);
}

/* ---- examples for parameters and bodies that have none */

/* The name of a file of an accepted type. */
static cJSON *
example_file(const cJSON *body, const cJSON *field)
{
	const char *types = schema_string(json_get(json_get(body, "encoding"), field->string), "contentType");
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
	const cJSON *schema = schema_resolve(page, json_get(body, "schema")), *fields = json_get(schema, "properties");
	const cJSON *field, *first = fields ? fields->child : NULL;
	cJSON *object = cJSON_CreateObject();
	bool form = strcmp(body->string, "multipart/form-data") == 0;

	cJSON_ArrayForEach(field, fields)
	{
		if (schema_is_file(field))
			cJSON_AddItemToObject(object, field->string, example_file(body, field));
		else if (schema_is_required(schema, field->string) || (json_get(field, "examples") && !form))
			cJSON_AddItemToObject(
				object, field->string, schema_example(page, field, field->string, true, SCHEMA_DEPTH));
	}
	/* A change needs at least one field, though no particular one. */
	if (!object->child && first)
		cJSON_AddItemToObject(object, first->string, schema_example(page, first, first->string, true, SCHEMA_DEPTH));
	return object;
}

void
reference_examples(struct arena *arena, cJSON *document)
{
	struct page page = { NULL, arena, document };
	cJSON *path, *method, *item;

	cJSON_ArrayForEach(path, json_get(document, "paths"))
	{
		cJSON_ArrayForEach(method, path)
		{
			cJSON_ArrayForEach(item, json_get(method, "parameters"))
			{
				const cJSON *schema = json_get(item, "schema");
				if (schema && !json_get(item, "example"))
					cJSON_AddItemToObject(item, "example",
						schema_example(&page, schema, schema_string(item, "name"), true, SCHEMA_DEPTH));
			}
			cJSON_ArrayForEach(
				item, json_get(json_get(method, "requestBody"), "content")) if (!json_get(item, "example"))
				cJSON_AddItemToObject(item, "example", example_body(&page, item));
		}
	}
}
