#include "openapi_part.h"

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

/* ---- references */

void
openapi_put_ref(struct buf *out, const char *kind, const char *name)
{
	json_put_raw(out, "$ref", "");
	buf_printf(out, "\"#/components/%s/%s\"", kind, name);
}

/* ---- fields as JSON Schema, each as the members of an object that the caller opens and closes */

static void
put_type(struct buf *out, const struct field *field, const char *type)
{
	if (!field->nullable) {
		json_put_text(out, "type", type);
		return;
	}
	json_put_list(out, "type");
	json_put_text(out, NULL, type);
	json_put_text(out, NULL, "null");
	json_put_end_list(out);
}

static void
put_pattern(struct buf *out, const struct field *field, const char *pattern)
{
	put_type(out, field, "string");
	json_put_text(out, "pattern", pattern);
}

static void
put_text_schema(struct buf *out, const struct field *field)
{
	put_type(out, field, "string");
	if (field->min > 0)
		json_put_number(out, "minLength", field->min);
	if (field->max > 0)
		json_put_number(out, "maxLength", field->max);
	if (field->digits)
		json_put_text(out, "pattern", field->min > 0 ? "^[0-9]+$" : "^[0-9]*$");
	if (field->letters)
		json_put_text(out, "pattern", field->min > 0 ? "^[A-Za-z]+$" : "^[A-Za-z]*$");
	if (field->username)
		json_put_text(out, "pattern", "^[a-z0-9_.]+$");
	if (field->key)
		json_put_text(out, "pattern", "^(?!\\.{1,2}$)[A-Za-z0-9._-]+$");
}

static void
put_number_schema(struct buf *out, const struct field *field)
{
	bool integer = field->type == FIELD_INT;
	bool bounded = field->max > 0 || field->min < 0;

	put_type(out, field, integer ? "integer" : "number");
	if (integer || bounded || field->min > 0)
		json_put_number(out, field->above_min ? "exclusiveMinimum" : "minimum", field->min);
	if (bounded)
		json_put_number(out, "maximum", field->max);
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
		openapi_put_ref(out, "schemas", name);
		return;
	}
	json_put_list(out, "anyOf");
	json_put_object(out, NULL);
	openapi_put_ref(out, "schemas", name);
	json_put_end_object(out);
	json_put_raw(out, NULL, "{\"type\":\"null\"}");
	json_put_end_list(out);
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
	json_put_list(out, "enum");
	for (const char *const *word = field->oneof; *word; word++)
		json_put_text(out, NULL, *word);
	if (field->nullable)
		json_put_raw(out, NULL, "null");
	json_put_end_list(out);
}

static void
put_list_schema(struct buf *out, const struct field *field)
{
	struct field element = { .type = field->item ? field->item : FIELD_OBJECT, .of = field->of, .min = field->item_min,
		.max = field->item_max, .oneof = field->item_oneof };

	put_type(out, field, "array");
	json_put_object(out, "items");
	openapi_put_schema(out, &element);
	json_put_end_object(out);
	if (field->min > 0)
		json_put_number(out, "minItems", field->min);
	if (field->max > 0)
		json_put_number(out, "maxItems", field->max);
}

void
openapi_put_schema(struct buf *out, const struct field *field)
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
			json_put_raw(out, "const", "true");
		break;
	case FIELD_TIME:
		if (field->or_date) {
			put_pattern(out, field, "^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z)?$");
			break;
		}
		put_pattern(out, field, "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$");
		json_put_text(out, "format", "date-time");
		break;
	case FIELD_DATE:
		put_pattern(out, field, "^\\d{4}-\\d\\d-\\d\\d$");
		json_put_text(out, "format", "date");
		break;
	case FIELD_ID:
		put_pattern(out, field, "^[0-9a-f]{24}$");
		break;
	case FIELD_EMAIL:
		put_type(out, field, "string");
		json_put_text(out, "format", "email");
		json_put_number(out, "maxLength", 254);	/* RFC 5321 section 4.5.3.1.3, less the angle brackets */
		break;
	case FIELD_URL:
		put_type(out, field, "string");
		json_put_text(out, "format", "uri-reference");
		json_put_number(out, "minLength", 1);
		json_put_number(out, "maxLength", FIELD_URL_MAX);
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
		json_put_list(out, "examples");
		json_put_raw(out, NULL, field->example);
		json_put_end_list(out);
	}
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

/* ---- shapes as components */

/* The shape that this one is by another name; NULL when it is one of its own. */
static const struct shape *
alias_of(const struct shape *shape)
{
	const struct field *first = shape->fields;

	bool alone = first->type == FIELD_PLUS && first[1].type == FIELD_END;

	return alone && !shape->all_optional && !shape->note ? first->of : NULL;
}

/* Takes in a shape, and what it holds. */
void
openapi_shapes_add(struct openapi_shapes *shapes, const struct shape *shape)
{
	for (size_t i = 0; i < shapes->count; i++)
		if (shapes->list[i] == shape)
			return;
	if (shapes->count == COUNT(shapes->list)) {
		shapes->failed = true;
		return;
	}
	shapes->list[shapes->count++] = shape;
	openapi_shapes_add_inner(shapes, shape);
}

/* Only what it holds: a form is no shape by itself, its files belong to it. */
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

static void
put_required(struct buf *out, const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	json_put_list(out, "required");
	while ((field = field_next(&walk, shape)))
		if (!field->optional && !field->admin_only && !shape->all_optional)
			json_put_text(out, NULL, field->name);
	json_put_end_list(out);
}

void
openapi_put_shape(struct buf *out, const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	json_put_object(out, shape->name);
	if (alias_of(shape)) {
		openapi_put_ref(out, "schemas", alias_of(shape)->name);
		json_put_end_object(out);
		return;
	}
	json_put_text(out, "type", "object");
	if (shape->note)
		json_put_text(out, "description", shape->note);
	json_put_object(out, "properties");
	while ((field = field_next(&walk, shape))) {
		json_put_object(out, field->name);
		openapi_put_schema(out, field);
		openapi_put_description(out, field);
		json_put_end_object(out);
	}
	json_put_end_object(out);
	put_required(out, shape);
	if (shape->all_optional)
		json_put_number(out, "minProperties", 1);
	json_put_raw(out, "additionalProperties", "false");
	json_put_end_object(out);
}

/* ---- enumerations as components */

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
void
openapi_put_enumerations(struct buf *out, const struct program *program, const struct openapi_shapes *shapes)
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
		json_put_object(out, enumerations[i].name);
		json_put_text(out, "type", "string");
		json_put_list(out, "enum");
		for (const char *word = enumerations[i].words; *word; word += strcspn(word, " "), word += *word == ' ')
			json_put_text_of(out, NULL, word, strcspn(word, " "));
		json_put_end_list(out);
		json_put_end_object(out);
	}
}

/* True when all words that its fields choose from have a name. */
bool
openapi_names_enumerations(const struct shape *shape)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, shape)))
		if ((field->oneof && !enumeration_of(field->oneof)) ||
		    (field->item_oneof && !enumeration_of(field->item_oneof)))
			return false;
	return true;
}
