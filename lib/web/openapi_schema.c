#include "openapi_part.h"

#include <stdarg.h>

/*
 * The enumerations of bodies and responses by name, so that a client has one type for each and not one for each field.
 * They are recognized by their values: two tables with the same values are one type.
 */
static const struct enumeration {
	const char *name, *values[7]; /* NULL behind the last */
} enumerations[] = {
	{ "Language", { "tr", "en", "es", "de" } },
	{ "Level", { "A1", "A2", "B1", "B2", "C1", "C2" } },
	{ "Role", { "user", "admin", "superadmin" } },
	{ "Gender", { "female", "male", "other" } },
	{ "AvailabilityStatus", { "available", "busy", "offline" } },
	{ "AccountDeletionStatus", { "none", "pending", "cancelled", "finalized" } },
	{ "ContactStatus", { "PENDING", "REPLIED" } },
	{ "StorageFolder", { "public", "private" } },
	{ "HealthStatus", { "ok", "degraded" } },
	{ "DatabaseStatus", { "ok", "unavailable" } },
	{ "ListFormat", { "json", "csv" } },
	{ "CsvSeparator", { "comma", "semicolon" } },
};

void
openapi_put(struct buf *out, const char *name, const char *format, ...)
{
	va_list args;

	json_put_raw(out, name, "");
	va_start(args, format);
	for (const char *s = format; *s; s++) {
		if (*s == '\'') {
			buf_putc(out, '"');
		} else if (*s == '%') {
			buf_puts(out, va_arg(args, const char *));
			s++;
		} else {
			buf_putc(out, *s);
		}
	}
	va_end(args);
}

/* ---- fields as JSON Schema, each as the members of an object that the caller opens and closes */

static void
put_schema_type(struct buf *out, const struct field *field, const char *type)
{
	openapi_put(out, "type", field->nullable ? "['%s','null']" : "'%s'", type);
}

static const char *
text_pattern(const struct field *field)
{
	if (field->digits)
		return field->min > 0 ? "^[0-9]+$" : "^[0-9]*$";
	if (field->letters)
		return field->min > 0 ? "^[A-Za-z]+$" : "^[A-Za-z]*$";
	if (field->username)
		return "^[a-z0-9_.]+$";
	return field->key ? "^(?!\\.{1,2}$)[A-Za-z0-9._-]+$" : NULL;
}

static void
put_string_schema(struct buf *out, const struct field *field)
{
	static const struct {
		const char *pattern, *format;
		double min, max;
	} types[] = {
		[FIELD_TIME] = { "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$", "date-time" },
		[FIELD_DATE] = { "^\\d{4}-\\d\\d-\\d\\d$", "date" },
		[FIELD_ID] = { "^[0-9a-f]{24}$" },
		[FIELD_EMAIL] = { .format = "email", .max = 254 }, /* RFC 5321 section 4.5.3.1.3, less the angle brackets */
		[FIELD_URL] = { .format = "uri-reference", .min = 1, .max = FIELD_URL_MAX },
	};
	bool text = field->type == FIELD_TEXT;
	double min = text ? field->min : types[field->type].min, max = text ? field->max : types[field->type].max;

	put_schema_type(out, field, "string");
	if (field->or_date) {
		json_put_text(out, "pattern", "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z)?$");
		return;
	}
	if (types[field->type].pattern)
		json_put_text(out, "pattern", types[field->type].pattern);
	if (types[field->type].format)
		json_put_text(out, "format", types[field->type].format);
	if (min > 0)
		json_put_number(out, "minLength", min);
	if (max > 0)
		json_put_number(out, "maxLength", max);
	if (text && text_pattern(field))
		json_put_text(out, "pattern", text_pattern(field));
}

static void
put_number_schema(struct buf *out, const struct field *field)
{
	bool integer = field->type == FIELD_INT;
	bool bounded = field->max > 0 || field->min < 0;

	put_schema_type(out, field, integer ? "integer" : "number");
	if (integer || bounded || field->min > 0)
		json_put_number(out, field->above_min ? "exclusiveMinimum" : "minimum", field->min);
	if (bounded)
		json_put_number(out, "maximum", field->max);
}

static void
put_ref_schema(struct buf *out, const struct field *field, const char *component)
{
	if (field->nullable)
		openapi_put(out, "anyOf", "[{'$ref':'#/components/schemas/%s'},{'type':'null'}]", component);
	else
		openapi_put(out, "$ref", "'#/components/schemas/%s'", component);
}

/* The enumeration with these values; NULL when none has a name. */
static const struct enumeration *
enumeration_of(const char *const *values)
{
	for (size_t i = 0; i < COUNT(enumerations); i++) {
		const char *const *named = enumerations[i].values, *const *value = values;
		while (*value && *named && strcmp(*value, *named) == 0) {
			value++;
			named++;
		}
		if (!*value && !*named)
			return &enumerations[i];
	}
	return NULL;
}

static void
put_enum_values(struct buf *out, const char *const *values, bool nullable)
{
	json_put_list(out, "enum");
	for (; *values; values++)
		json_put_text(out, NULL, *values);
	if (nullable)
		json_put_null(out, NULL);
	json_put_end_list(out);
}

static void
put_enum_schema(struct buf *out, const struct field *field)
{
	const struct enumeration *named = enumeration_of(field->oneof);

	if (named) {
		put_ref_schema(out, field, named->name);
		return;
	}
	put_schema_type(out, field, "string");
	put_enum_values(out, field->oneof, field->nullable);
}

static void
put_list_schema(struct buf *out, const struct field *field)
{
	put_schema_type(out, field, "array");
	openapi_put_schema(out, "items",
		&(struct field){ .type = field->item ? field->item : FIELD_OBJECT,
			.of = field->of,
			.min = field->item_min,
			.max = field->item_max,
			.oneof = field->item_oneof });
	if (field->min > 0)
		json_put_number(out, "minItems", field->min);
	if (field->max > 0)
		json_put_number(out, "maxItems", field->max);
}

static void
put_schema_members(struct buf *out, const struct field *field)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_TIME:
	case FIELD_DATE:
	case FIELD_ID:
	case FIELD_EMAIL:
	case FIELD_URL: put_string_schema(out, field); break;
	case FIELD_INT:
	case FIELD_NUMBER: put_number_schema(out, field); break;
	case FIELD_BOOL:
		put_schema_type(out, field, "boolean");
		if (field->must_be_true)
			json_put_bool(out, "const", true);
		break;
	case FIELD_ENUM: put_enum_schema(out, field); break;
	case FIELD_OBJECT: put_ref_schema(out, field, field->of->name); break;
	case FIELD_LIST: put_list_schema(out, field); break;
	case FIELD_JSON: /* anything */
	case FIELD_END:
	case FIELD_PLUS:
	case FIELD_HEAD: break;
	}
	if (field->example)
		openapi_put(out, "examples", "[%s]", field->example);
}

void
openapi_put_schema(struct buf *out, const char *name, const struct field *field)
{
	json_put_object(out, name);
	put_schema_members(out, field);
	json_put_end_object(out);
}

void
openapi_put_description(struct buf *out, const struct field *field)
{
	if (field->note)
		json_put_text(out, "description", field->note);
	else if (field->admin_only)
		json_put_text(out, "description", "for admins only");
	else if (field->zone)
		json_put_text(out, "description", "name of a time zone, like Europe/Istanbul");
}

/* True when a field of the shape has this enumeration; NULL: one without a name. */
static bool
shape_has(const struct shape *shape, const struct enumeration *wanted)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while (shape && (field = field_next(&walk, shape)))
		if ((field->oneof && enumeration_of(field->oneof) == wanted) ||
			(field->item_oneof && enumeration_of(field->item_oneof) == wanted))
			return true;
	return false;
}

/* ---- shapes as components */

/* The shape that this one is another name of; NULL when it has fields itself. */
static const struct shape *
alias_of(const struct shape *shape)
{
	const struct field *first = shape->fields;
	bool alone = first->type == FIELD_PLUS && first[1].type == FIELD_END;

	return alone && !shape->all_optional && !shape->note ? first->of : NULL;
}

void
openapi_shapes_add(struct openapi_shapes *shapes, const struct shape *shape)
{
	for (size_t i = 0; i < shapes->count; i++)
		if (shapes->list[i] == shape)
			return;
	shapes->failed |= shapes->count == COUNT(shapes->list) || shape_has(shape, NULL);
	if (shapes->failed)
		return;
	shapes->list[shapes->count++] = shape;
	openapi_shapes_add_inner(shapes, shape);
}

void
openapi_shapes_add_inner(struct openapi_shapes *shapes, const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	if (alias_of(shape))
		openapi_shapes_add(shapes, alias_of(shape));
	while ((field = field_next(&walk, shape)))
		if (field->of)
			openapi_shapes_add(shapes, field->of);
}

/* The files of a form: one, or a list of them. */
static void
put_form_files(struct buf *out, const struct upload_rule *rule)
{
	char max[12];

	snprintf(max, sizeof(max), "%d", rule->max);
	if (rule->max > 1)
		openapi_put(out, rule->part, "{'type':'array','maxItems':%s,'items':{'type':'string','format':'binary'}}", max);
	else
		openapi_put(out, rule->part, "{'type':'string','format':'binary'}");
}

void
openapi_put_form(struct buf *out, const char *name, const struct shape *shape, const struct upload_rule *upload)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	json_put_object(out, name);
	json_put_text(out, "type", "object");
	if (shape && shape->note)
		json_put_text(out, "description", shape->note);
	json_put_object(out, "properties");
	if (upload)
		put_form_files(out, upload);
	while (shape && (field = field_next(&walk, shape))) {
		json_put_object(out, field->name);
		put_schema_members(out, field);
		openapi_put_description(out, field);
		json_put_end_object(out);
	}
	json_put_end_object(out);
	json_put_list(out, "required");
	if (upload && upload->required)
		json_put_text(out, NULL, upload->part);
	walk = (struct field_walk){ 0 };
	while (shape && (field = field_next(&walk, shape)))
		if (!field->optional && !field->admin_only && !shape->all_optional)
			json_put_text(out, NULL, field->name);
	json_put_end_list(out);
	if (!upload && shape->all_optional)
		json_put_int(out, "minProperties", 1);
	json_put_bool(out, "additionalProperties", false);
	json_put_end_object(out);
}

void
openapi_put_shape(struct buf *out, const struct shape *shape)
{
	if (alias_of(shape))
		openapi_put(out, shape->name, "{'$ref':'#/components/schemas/%s'}", alias_of(shape)->name);
	else
		openapi_put_form(out, shape->name, shape, NULL);
}

/* ---- enumerations as components */

void
openapi_put_enumerations(struct buf *out, const struct program *program, const struct openapi_shapes *shapes)
{
	const struct route *route;

	for (size_t i = 0; i < COUNT(enumerations); i++) {
		bool used = false;
		for (size_t s = 0; s < shapes->count && !used; s++)
			used = shape_has(shapes->list[s], &enumerations[i]);
		for (size_t r = 0; (route = route_at(program, r)) && !used; r++)
			used = shape_has(route->in, &enumerations[i]) || shape_has(route->query, &enumerations[i]);
		if (!used)
			continue;
		json_put_object(out, enumerations[i].name);
		json_put_text(out, "type", "string");
		put_enum_values(out, enumerations[i].values, false);
		json_put_end_object(out);
	}
}
