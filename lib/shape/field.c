#include "field.h"

#include "clock.h"
#include "email.h"
#include "role.h"
#include "text.h"
#include "url.h"
#include "utf8.h"

#include <math.h>

const char *const role_enum[] = { "user", "admin", "superadmin", NULL };
const char *const level_enum[] = { "A1", "A2", "B1", "B2", "C1", "C2", NULL };	/* CEFR */

void
faults_init(struct faults *faults, struct arena *arena, enum language language)
{
	*faults = (struct faults){ .arena = arena, .language = language };
	faults->last = &faults->first;
}

void
faults_add(struct faults *faults, const char *name, enum sentence which, const char *argument)
{
	struct buf text = { .arena = faults->arena };

	if (faults->count >= FAULTS_TOLD) {
		faults->count = FAULTS_TOLD + 1;
		return;
	}
	struct fault *fault = arena_alloc(faults->arena, sizeof(*fault));
	buf_puts(&text, name);
	buf_puts(&text, ": ");
	buf_sentence(&text, which, faults->language, argument);
	fault->text = text.s;
	*faults->last = fault;
	faults->last = &fault->next;
	faults->count++;
}

bool
faults_name(const struct faults *faults, const char *name)
{
	size_t length = strlen(name);

	for (const struct fault *fault = faults->first; fault; fault = fault->next)
		if (strncmp(fault->text, name, length) == 0 && strchr(".[:", fault->text[length]))
			return true;
	return false;
}

/* ---- walking a shape */

static size_t
field_count(const struct shape *shape)
{
	struct field_walk walk = { 0 };
	size_t count = 0;

	while (field_next(&walk, shape))
		count++;
	return count;
}

/* At an end or at the fields of another shape. */
static const struct field *
next_across(struct field_walk *walk)
{
	for (;;) {
		const struct field *field = walk->at[walk->depth]++;
		if (field->type == FIELD_END) {
			if (walk->depth-- == 0)
				return NULL;
		} else if (field->type == FIELD_PLUS || field->type == FIELD_HEAD) {
			if (field->type == FIELD_HEAD)
				walk->at[walk->depth] += field_count(field->of) - 1;
			walk->at[++walk->depth] = field->of->fields;
		} else {
			return field;
		}
	}
}

const struct field *
field_next(struct field_walk *walk, const struct shape *shape)
{
	if (!walk->started) {
		walk->started = true;
		walk->at[0] = shape->fields;
	}
	const struct field *field = walk->at[walk->depth];
	if (field->type == FIELD_END || field->type == FIELD_PLUS || field->type == FIELD_HEAD)
		return next_across(walk);
	walk->at[walk->depth]++;
	return field;
}

const struct field *
field_find(const struct shape *shape, const char *name)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, shape)))
		if (strcmp(field->name, name) == 0)
			return field;
	return NULL;
}

/* ---- two lists of faults in one order */

/* Where a fault belongs: the field of the shape, and the element of it when that is a list. */
struct place {
	int field;	/* from 0; unknown ones behind all others */
	long element;	/* -1: the field as a whole */
};

static struct place
place_of(const struct shape *shape, const struct fault *fault)
{
	struct place place = { 0, -1 };
	size_t length = strcspn(fault->text, ".[:");
	struct field_walk walk = { 0 };
	const struct field *field;

	while ((field = field_next(&walk, shape)) &&
	       (strncmp(field->name, fault->text, length) != 0 || field->name[length] != '\0'))
		place.field++;
	if (fault->text[length] == '[')
		place.element = strtol(fault->text + length + 1, NULL, 10);
	return place;
}

static bool
is_behind(struct place a, struct place b)
{
	return a.field != b.field ? a.field > b.field : a.element > b.element;
}

void
faults_merge(struct faults *faults, size_t from, const struct faults *more, const struct shape *shape)
{
	struct fault **link = &faults->first, *next;
	struct place at, passed = { -1, -1 };
	int whole = -1;		/* a field that has a fault as a whole */

	while (from-- > 0 && *link)	/* the last of more than FAULTS_TOLD is only counted */
		link = &(*link)->next;
	for (struct fault *fault = more->first; fault; fault = next) {
		const struct place own = place_of(shape, fault);
		next = fault->next;
		while (*link && !is_behind(at = place_of(shape, *link), own)) {
			passed = at;
			whole = at.element < 0 ? at.field : whole;
			link = &(*link)->next;
		}
		if (own.field == whole || (own.field == passed.field && own.element == passed.element))
			continue;
		fault->next = *link;
		*link = fault;
		link = &fault->next;
		faults->count++;
	}
	while (*faults->last)
		faults->last = &(*faults->last)->next;
	if (faults_enough(more))
		faults->count = FAULTS_TOLD + 1;
}

/* ---- checking values */

/* What is looked at, and where it stands. Most of it is good: only a fault puts its name together. */
struct check {
	struct faults *faults;
	const struct check *within;	/* NULL: the object as a whole */
	const char *name;		/* of a member; NULL: an element of a list */
	int index;
};

/* "questions[199].options[9].isCorrect" and the like. */
static void
put_name(struct buf *out, const struct check *check)
{
	if (check->within)
		put_name(out, check->within);
	if (!check->name) {
		buf_putc(out, '[');
		buf_int(out, check->index);
		buf_putc(out, ']');
		return;
	}
	if (out->length > 0)
		buf_putc(out, '.');
	buf_puts(out, check->name);
}

static const char *
name_of(const struct check *check)
{
	struct buf name = { .arena = check->faults->arena };

	put_name(&name, check);
	return name.s;
}

static void
bad(const struct check *check, enum sentence which, const char *argument)
{
	faults_add(check->faults, faults_enough(check->faults) ? "" : name_of(check), which, argument);
}

static void
bad_number(const struct check *check, enum sentence which, double number)
{
	struct buf text = { .arena = check->faults->arena };

	buf_number(&text, number);
	bad(check, which, text.s);
}

static void
set_string(struct arena *arena, cJSON *item, const char *text, size_t length)
{
	/* The old text is in the arena too: nothing to free. */
	item->valuestring = arena_copy(arena, text, length);
}

static void
check_length(const struct check *check, const char *text, double min, double max)
{
	double points = (double)utf8_points(text, strlen(text));

	if (points < min && points == 0)
		bad(check, S_F_EMPTY, NULL);
	else if (min == max && points != min && max > 0)
		bad_number(check, S_F_EXACT, min);
	else if (points < min)
		bad_number(check, S_F_SHORT, min);
	else if (max > 0 && points > max)
		bad_number(check, S_F_LONG, max);
}

static void
check_oneof(const struct check *check, const char *text, const char *const *oneof)
{
	struct buf all = { .arena = check->faults->arena };

	for (int i = 0; oneof[i]; i++) {
		if (strcmp(oneof[i], text) == 0)
			return;
		buf_puts(&all, i ? ", " : "");
		buf_puts(&all, oneof[i]);
	}
	bad(check, S_F_ONE_OF, all.s);
}

static bool
is_birth(const char *date)
{
	char today[11];

	clock_date_text(clock_now(), today);
	return strcmp(date, FIELD_BIRTH_FIRST) >= 0 && strcmp(date, today) <= 0;
}

static void
check_email(const struct check *check, cJSON *item)
{
	const char *kept;

	switch (email_keep(check->faults->arena, item->valuestring, &kept)) {
	case EMAIL_GOOD:
		set_string(check->faults->arena, item, kept, strlen(kept));
		break;
	case EMAIL_NONE:
		bad(check, S_F_EMAIL, NULL);
		break;
	case EMAIL_DOMAIN:
		bad(check, S_F_EMAIL_DOMAIN, NULL);
		break;
	}
}

/* Brings a FIELD_TEXT into the form that is kept. True where it holds a control character that it may not hold. */
static bool
is_unclean(const struct field *field, char *text)
{
	if (field->raw)
		return utf8_has_control(text, "\t\n\r");
	if (field->lines) {
		text_unify_lines(text);
		return utf8_has_control(text, "\t\n");
	}
	utf8_drop_directions(text);
	return utf8_has_control(text, "");
}

/* Strings of every kind: trimmed and folded in place first, then held against their limits. */
static void
check_string(const struct check *check, const struct field *field, enum field_type type, cJSON *item, double min, double max)
{
	const char *text = item->valuestring;
	size_t length = strlen(text);

	if (!field->raw)
		utf8_trim(&text, &length);
	set_string(check->faults->arena, item, text, length);
	if (type == FIELD_ID || field->username)
		text_lower(item->valuestring);
	else if (field->letters)
		text_upper(item->valuestring);
	text = item->valuestring;
	switch (type) {
	case FIELD_EMAIL:
		check_email(check, item);
		return;
	case FIELD_ID:
		if (!text_is_id(text))
			bad(check, S_F_ID, NULL);
		return;
	case FIELD_DATE:
		if (!clock_is_date(text))
			bad(check, S_F_DATE, NULL);
		else if (field->birth && !is_birth(text))
			bad(check, S_F_BIRTH, FIELD_BIRTH_FIRST);
		return;
	case FIELD_TIME:
		if (!clock_is_time(text) && !(field->or_date && clock_is_date(text)))
			bad(check, field->or_date ? S_F_TIME_OR_DATE : S_F_TIME, NULL);
		return;
	case FIELD_URL:
		if (strlen(text) > FIELD_URL_MAX)
			bad_number(check, S_F_LONG, FIELD_URL_MAX);
		else if (!url_is_good(text))
			bad(check, S_F_URL, NULL);
		return;
	default:
		break;
	}
	if (is_unclean(field, item->valuestring)) {
		bad(check, field->lines || field->raw ? S_F_CONTROL_LINES : S_F_CONTROL, NULL);
		return;
	}
	size_t faults = check->faults->count;
	check_length(check, text, min, max);
	if (check->faults->count != faults)
		return;
	if (field->digits && text[0] && !text_is_digits(text))
		bad(check, S_F_DIGITS, NULL);
	else if (field->username && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.") != strlen(text))
		bad(check, S_F_USERNAME, NULL);
	else if (field->letters && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(text))
		bad(check, S_F_LETTERS, NULL);
	else if (field->link && ((text[strcspn(text, ":/?#")] == ':' && !url_is_good(text)) || strncmp(text, "//", 2) == 0 ||
			strchr(text, '\\')))
		bad(check, S_F_URL, NULL);
	else if (field->zone && !clock_is_zone(text))
		bad(check, S_F_ZONE, NULL);
	else if (field->key && !text_is_key(text))
		bad(check, S_F_KEY, NULL);
}

static void
check_number(const struct check *check, const struct field *field, double number)
{
	if (field->above_min && number <= field->min)
		bad_number(check, S_F_ABOVE, field->min);
	else if (number < field->min)
		bad_number(check, S_F_LOW, field->min);
	else if ((field->max > 0 || field->min < 0) && number > field->max)
		bad_number(check, S_F_HIGH, field->max);
}

static void check_object(const struct shape *shape, cJSON *object, struct faults *faults, const struct check *within);
static void check_value(const struct check *check, const struct field *field, cJSON *item);

static void
check_list(const struct check *check, const struct field *field, cJSON *list)
{
	struct field element = { .type = field->item ? field->item : FIELD_OBJECT, .of = field->of, .min = field->item_min,
		.max = field->item_max, .oneof = field->item_oneof };
	int count = cJSON_GetArraySize(list), i = 0;
	cJSON *item;

	if (count == 0 && field->min == 1) {
		bad(check, S_F_EMPTY, NULL);	/* "at least 1 elements" is no language */
		return;
	}
	if (count < field->min) {
		bad_number(check, S_F_FEW, field->min);
		return;
	}
	if (field->max > 0 && count > field->max) {
		bad_number(check, S_F_MANY, field->max);
		return;
	}
	cJSON_ArrayForEach(item, list) {
		if (faults_enough(check->faults))
			break;
		check_value(&(struct check){ check->faults, check, .index = i++ }, &element, item);
	}
}

static enum sentence
type_sentence(enum field_type type)
{
	switch (type) {
	case FIELD_INT: return S_F_INT;
	case FIELD_NUMBER: return S_F_NUMBER;
	case FIELD_BOOL: return S_F_BOOL;
	case FIELD_OBJECT: return S_F_OBJECT;
	case FIELD_LIST: return S_F_LIST;
	default: return S_F_TEXT;
	}
}

static bool
has_type(enum field_type type, const cJSON *item)
{
	switch (type) {
	case FIELD_JSON: return true;
	/* 2^53: beyond it a double is no longer every integer (RFC 8259 section 6). */
	case FIELD_INT: return cJSON_IsNumber(item) && floor(item->valuedouble) == item->valuedouble && fabs(item->valuedouble) <= 9007199254740992.0;
	case FIELD_NUMBER: return cJSON_IsNumber(item);
	case FIELD_BOOL: return cJSON_IsBool(item);
	case FIELD_OBJECT: return cJSON_IsObject(item);
	case FIELD_LIST: return cJSON_IsArray(item);
	default: return cJSON_IsString(item);
	}
}

static void
check_value(const struct check *check, const struct field *field, cJSON *item)
{
	if (cJSON_IsInvalid(item)) {
		bad(check, S_F_TWICE, NULL);	/* see field_twice() */
		return;
	}
	if (cJSON_IsNull(item) && field->type != FIELD_JSON) {
		if (!field->nullable)
			bad(check, S_F_NOT_NULL, NULL);
		return;
	}
	if (!has_type(field->type, item)) {
		bad(check, type_sentence(field->type), NULL);
		return;
	}
	switch (field->type) {
	case FIELD_INT:
	case FIELD_NUMBER:
		check_number(check, field, item->valuedouble);
		break;
	case FIELD_BOOL:
		if (field->must_be_true && !cJSON_IsTrue(item))
			bad(check, S_F_ACCEPT, NULL);
		break;
	case FIELD_ENUM:
		check_oneof(check, item->valuestring, field->oneof);
		break;
	case FIELD_OBJECT:
		check_object(field->of, item, check->faults, check);
		break;
	case FIELD_LIST:
		check_list(check, field, item);
		break;
	case FIELD_JSON:
		if (field->max > 0 && cJSON_IsRaw(item) && (double)strlen(item->valuestring) > field->max)
			bad_number(check, S_F_JSON_LONG, field->max);
		break;
	default:
		check_string(check, field, field->type, item, field->min, field->max);
	}
}

static void
check_object(const struct shape *shape, cJSON *object, struct faults *faults, const struct check *within)
{
	struct field_walk walk = { 0 };
	const struct field *field;
	cJSON *item;

	while ((field = field_next(&walk, shape))) {
		const struct check check = { faults, within, field->name };
		item = json_get(object, field->name);
		if (item)
			check_value(&check, field, item);
		else if (!field->optional && !shape->all_optional)
			bad(&check, S_F_REQUIRED, NULL);
	}
	cJSON_ArrayForEach(item, object) {
		if (faults_enough(faults))
			break;
		if (!field_find(shape, item->string))
			bad(&(struct check){ faults, within, utf8_clip(faults->arena, item->string, 40) }, S_F_UNKNOWN, NULL);
	}
}

bool
field_check(const struct shape *shape, cJSON *object, struct faults *faults)
{
	check_object(shape, object, faults, NULL);
	return faults->count == 0;
}

/* ---- query strings */

/* The JSON value that a parameter's text stands for; text that is no number stays text, and is a fault by its type. */
static cJSON *
query_value(const struct field *field, const char *text)
{
	char *end;

	if ((field->type == FIELD_INT || field->type == FIELD_NUMBER) && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'))) {
		double number = strtod(text, &end);
		if (*end == '\0' && isfinite(number) && text[strspn(text, "-0123456789.")] == '\0')
			return cJSON_CreateNumber(number);
	}
	if (field->type == FIELD_BOOL && strcmp(text, "true") == 0)
		return cJSON_CreateTrue();
	if (field->type == FIELD_BOOL && strcmp(text, "false") == 0)
		return cJSON_CreateFalse();
	return cJSON_CreateString(text);
}

cJSON *
field_form_value(struct arena *arena, const struct field *field, const char *text)
{
	enum json_fault fault;
	cJSON *value;

	if (field->nullable && field->type != FIELD_TEXT && !text[0])
		return cJSON_CreateNull();
	if (field->type != FIELD_LIST && field->type != FIELD_OBJECT && field->type != FIELD_JSON)
		return query_value(field, text);
	/* A level less than a body has: the form stands for the object around it. */
	value = json_parse(arena, text, strlen(text), JSON_DEPTH - 1, &fault);
	return value ? value : cJSON_CreateString(text);
}

bool
field_twice(cJSON *object, const char *name)
{
	cJSON *item = json_get(object, name);

	if (item)
		item->type = cJSON_Invalid;
	return item;
}

static void
query_pair(const struct shape *shape, cJSON *object, const char *pair, size_t length, struct faults *faults)
{
	const char *equals = memchr(pair, '=', length);
	size_t name_length = equals ? (size_t)(equals - pair) : length;
	const char *name = url_decode(faults->arena, pair, name_length, true);
	const char *text = equals ? url_decode(faults->arena, equals + 1, length - name_length - 1, true) : "";
	const struct field *field;

	if (!name || !text)
		faults_add(faults, name ? name : "?", S_F_ENCODING, NULL);
	else if (!shape || !(field = field_find(shape, name)))
		faults_add(faults, utf8_clip(faults->arena, name, 40), S_F_UNKNOWN_PARAMETER, NULL);
	else if (!field_twice(object, name) && !cJSON_AddItemToObject(object, name, query_value(field, text)))
		faults_add(faults, name, S_F_TEXT, NULL);
}

cJSON *
field_query(const struct shape *shape, const char *query, struct faults *faults)
{
	cJSON *object = cJSON_CreateObject();
	size_t before = faults->count;

	while (query && *query) {
		size_t length = strcspn(query, "&");
		if (length > 0)
			query_pair(shape, object, query, length, faults);
		query += length + (query[length] == '&');
	}
	if (shape)
		check_object(shape, object, faults, NULL);
	return faults->count == before ? object : NULL;
}

/* ---- values */

struct value
field_value(struct arena *arena, const struct field *field, const cJSON *item)
{
	if (!item || cJSON_IsNull(item) || !has_type(field->type, item))
		return value_null();
	if (cJSON_IsNumber(item))
		return field->type == FIELD_INT ? value_int((int64_t)item->valuedouble) : value_real(item->valuedouble);
	if (cJSON_IsBool(item))
		return value_bool(cJSON_IsTrue(item));
	if (cJSON_IsString(item) || cJSON_IsRaw(item))
		return value_text(item->valuestring);
	if (cJSON_IsObject(item))
		return (struct value){ .type = VALUE_OBJECT, .items = field_values(arena, field->of, item), .count = field_count(field->of) };
	if (!cJSON_IsArray(item))
		return value_null();
	const struct field element = { .type = field->item ? field->item : FIELD_OBJECT, .of = field->of };
	struct value list = { .type = VALUE_LIST, .count = (size_t)cJSON_GetArraySize(item) };
	struct value *values = arena_alloc(arena, (list.count + 1) * sizeof(*values));
	const cJSON *child;
	size_t i = 0;

	list.items = values;
	cJSON_ArrayForEach(child, item)
		values[i++] = field_value(arena, &element, child);
	return list;
}

const struct value *
field_values(struct arena *arena, const struct shape *shape, const cJSON *object)
{
	struct value *values = shape ? arena_alloc(arena, (field_count(shape) + 1) * sizeof(*values)) : NULL;
	struct field_walk walk = { 0 };
	const struct field *field;

	for (size_t i = 0; shape && (field = field_next(&walk, shape)); i++) {
		unsigned place = 1;
		const cJSON *item = object ? object->child : NULL;
		while (item && strcmp(item->string, field->name) != 0) {
			item = item->next;
			place++;
		}
		values[i] = field_value(arena, field, item);
		values[i].named = item ? place : 0;
	}
	return values;
}

/* ---- reading a checked object */

const char *
field_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(json_get(object, name));
}

int64_t
field_int(const cJSON *object, const char *name, int64_t fallback)
{
	const cJSON *item = json_get(object, name);

	return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : fallback;
}

double
field_number(const cJSON *object, const char *name, double fallback)
{
	const cJSON *item = json_get(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool
field_bool(const cJSON *object, const char *name, bool fallback)
{
	const cJSON *item = json_get(object, name);

	return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

int64_t
field_time(struct value value, const char *zone, int64_t fallback)
{
	const char *text = value_string(value);

	if (!text)
		return fallback;
	return clock_is_date(text) ? clock_midnight(text, zone) : clock_time(text);
}

bool
field_has(const cJSON *object, const char *name)
{
	return json_get(object, name) != NULL;
}
