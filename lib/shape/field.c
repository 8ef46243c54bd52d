#include "field.h"

#include "clock.h"
#include "email.h"
#include "text.h"
#include "url.h"
#include "utf8.h"

#include <math.h>

const char *const role_enum[] = { "user", "admin", "superadmin", NULL };
const char *const level_enum[] = { "A1", "A2", "B1", "B2", "C1", "C2", NULL }; /* CEFR */

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

/* The next field behind one that is the end of its table or stands for others. */
static __attribute__((noinline)) const struct field *
next_table(struct field_walk *walk, const struct field *field)
{
	for (; field->type == FIELD_END || field->type >= FIELD_PLUS; field = walk->at[walk->depth]++) {
		if (field->type == FIELD_END) {
			if (walk->depth-- == 0)
				return NULL;
			continue;
		}
		if (field->type == FIELD_HEAD)
			walk->at[walk->depth] += field_count(field->of) - 1;
		walk->at[++walk->depth] = field->of->fields;
	}
	return field;
}

/* Small, since it runs for each field of a response. */
const struct field *
field_next(struct field_walk *walk, const struct shape *shape)
{
	if (!walk->started) {
		walk->started = true;
		walk->at[0] = shape->fields;
	}
	const struct field *field = walk->at[walk->depth]++;
	return field->type == FIELD_END || field->type >= FIELD_PLUS ? next_table(walk, field) : field;
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

/* The place of a fault: the field of the shape, and its element when that is a list. */
struct place {
	int field;    /* from 0; unknown ones come last */
	long element; /* -1: the field as a whole */
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
	int whole = -1; /* a field that has a fault as a whole */

	while (from-- > 0 && *link) /* the last of more than FAULTS_TOLD is only counted */
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

/* Where the value stands that is checked. Its name is put together for a fault only. */
struct check {
	struct faults *faults;
	const struct check *within; /* NULL: the root object */
	const char *name;	    /* of a member; NULL: an element of a list */
	int index;
	const struct json_text *text; /* of a member of a body; NULL: not known */
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
	if (!check->faults->ignored)
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

	for (int i = 0; oneof[i]; i++)
		if (strcmp(oneof[i], text) == 0)
			return;
	for (int i = 0; oneof[i]; i++) {
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

static struct value
check_email(const struct check *check, const char *text)
{
	const char *kept;

	switch (email_keep(check->faults->arena, text, &kept)) {
	case EMAIL_GOOD: return value_text(kept);
	case EMAIL_NONE: bad(check, S_F_EMAIL, NULL); break;
	case EMAIL_DOMAIN: bad(check, S_F_EMAIL_DOMAIN, NULL); break;
	}
	return value_text(text);
}

/* Brings a FIELD_TEXT into the form that is kept. False when it has a control character that it may not have. */
static bool
clean_text(const struct field *field, char *text)
{
	if (field->raw)
		return !utf8_has_control(text, "\t\n\r");
	if (field->lines) {
		text_unify_lines(text);
		return !utf8_has_control(text, "\t\n");
	}
	utf8_drop_directions(text);
	return !utf8_has_control(text, "");
}

static void
check_text(const struct check *check, const struct field *field, char *text)
{
	const size_t faults = check->faults->count;

	if (!clean_text(field, text)) {
		bad(check, field->lines || field->raw ? S_F_CONTROL_LINES : S_F_CONTROL, NULL);
		return;
	}
	check_length(check, text, field->min, field->max);
	if (check->faults->count != faults)
		return;
	if (field->digits && text[0] && !text_is_digits(text))
		bad(check, S_F_DIGITS, NULL);
	else if (field->username && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.") != strlen(text))
		bad(check, S_F_USERNAME, NULL);
	else if (field->letters && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(text))
		bad(check, S_F_LETTERS, NULL);
	else if (field->link &&
		((text[strcspn(text, ":/?#")] == ':' && !url_is_good(text)) || strncmp(text, "//", 2) == 0 || strchr(text, '\\')))
		bad(check, S_F_URL, NULL);
	else if (field->zone && !clock_is_zone(text))
		bad(check, S_F_ZONE, NULL);
	else if (field->key && !text_is_key(text))
		bad(check, S_F_KEY, NULL);
}

/* A string is trimmed and folded in place, and then checked. That of an enum is neither. */
static struct value
check_string(const struct check *check, const struct field *field, char *text)
{
	const char *start = text;
	size_t length = strlen(text);

	if (field->type == FIELD_ENUM) {
		check_oneof(check, text, field->oneof);
		return value_text(text);
	}
	if (!field->raw) {
		utf8_trim(&start, &length);
		text += start - text;
		text[length] = '\0';
	}
	if (field->type == FIELD_ID || field->username)
		text_lower(text);
	else if (field->letters)
		text_upper(text);
	switch (field->type) {
	case FIELD_EMAIL: return check_email(check, text);
	case FIELD_ID:
		if (!text_is_id(text))
			bad(check, S_F_ID, NULL);
		break;
	case FIELD_DATE:
		if (!clock_is_date(text))
			bad(check, S_F_DATE, NULL);
		else if (field->birth && !is_birth(text))
			bad(check, S_F_BIRTH, FIELD_BIRTH_FIRST);
		break;
	case FIELD_TIME:
		if (!clock_is_time(text) && !(field->or_date && clock_is_date(text)))
			bad(check, field->or_date ? S_F_TIME_OR_DATE : S_F_TIME, NULL);
		break;
	case FIELD_URL:
		if (length > FIELD_URL_MAX)
			bad_number(check, S_F_LONG, FIELD_URL_MAX);
		else if (!url_is_good(text))
			bad(check, S_F_URL, NULL);
		break;
	default: check_text(check, field, text);
	}
	return value_text(text);
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

static const struct value *check_object(const struct shape *shape, const cJSON *object, const struct json_text *members,
	struct faults *faults, const struct check *within);
static struct value check_value(const struct check *check, const struct field *field, const cJSON *item);

static struct value
check_list(const struct check *check, const struct field *field, const cJSON *list)
{
	const struct field element = { .type = field->item ? field->item : FIELD_OBJECT,
		.of = field->of,
		.min = field->item_min,
		.max = field->item_max,
		.oneof = field->item_oneof };
	const int count = cJSON_GetArraySize(list);
	struct value *values, *next;
	const cJSON *item;

	if (count == 0 && field->min == 1)
		bad(check, S_F_EMPTY, NULL); /* "at least 1 elements" is no English */
	else if (count < field->min)
		bad_number(check, S_F_FEW, field->min);
	else if (field->max > 0 && count > field->max)
		bad_number(check, S_F_MANY, field->max);
	if (count < field->min || (field->max > 0 && count > field->max))
		return value_null();
	values = next = arena_alloc(check->faults->arena, ((size_t)count + 1) * sizeof(*values));
	cJSON_ArrayForEach(item, list)
	{
		if (faults_enough(check->faults))
			break;
		const struct check place = { check->faults, check, .index = (int)(next - values) };
		*next++ = check_value(&place, &element, item);
	}
	return value_list(values, (size_t)(next - values));
}

static struct value
refuse(const struct check *check, enum sentence which)
{
	bad(check, which, NULL);
	return value_null();
}

/* Any JSON is kept as its text. */
static struct value
check_json(const struct check *check, const struct field *field)
{
	if (!check->text)
		return value_null();
	if (field->max > 0 && (double)check->text->length > field->max)
		bad_number(check, S_F_JSON_LONG, field->max);
	return value_text(arena_copy(check->faults->arena, check->text->s, check->text->length));
}

/* Up to 2^53: not every integer beyond it is a double (RFC 8259 section 6). */
static bool
is_integer(const cJSON *item)
{
	return cJSON_IsNumber(item) && floor(item->valuedouble) == item->valuedouble &&
		fabs(item->valuedouble) <= 9007199254740992.0;
}

static struct value
check_typed(const struct check *check, const struct field *field, const cJSON *item)
{
	switch (field->type) {
	case FIELD_INT:
		if (!is_integer(item))
			return refuse(check, S_F_INT);
		check_number(check, field, item->valuedouble);
		return value_int((int64_t)item->valuedouble);
	case FIELD_NUMBER:
		if (!cJSON_IsNumber(item))
			return refuse(check, S_F_NUMBER);
		check_number(check, field, item->valuedouble);
		return value_real(item->valuedouble);
	case FIELD_BOOL:
		if (!cJSON_IsBool(item))
			return refuse(check, S_F_BOOL);
		if (field->must_be_true && !cJSON_IsTrue(item))
			bad(check, S_F_ACCEPT, NULL);
		return value_bool(cJSON_IsTrue(item));
	case FIELD_OBJECT:
		if (!cJSON_IsObject(item))
			return refuse(check, S_F_OBJECT);
		return value_object(check_object(field->of, item, NULL, check->faults, check), field_count(field->of));
	case FIELD_LIST: return cJSON_IsArray(item) ? check_list(check, field, item) : refuse(check, S_F_LIST);
	case FIELD_JSON: return check_json(check, field);
	default: return cJSON_IsString(item) ? check_string(check, field, item->valuestring) : refuse(check, S_F_TEXT);
	}
}

static struct value
check_value(const struct check *check, const struct field *field, const cJSON *item)
{
	if (cJSON_IsInvalid(item)) /* see field_add() */
		return refuse(check, S_F_TWICE);
	if (cJSON_IsNull(item) && field->type != FIELD_JSON)
		return field->nullable ? value_null() : refuse(check, S_F_NOT_NULL);
	return check_typed(check, field, item);
}

static void
check_unknown(const struct shape *shape, const cJSON *object, struct faults *faults, const struct check *within)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object)
	{
		if (faults_enough(faults))
			break;
		if (!field_find(shape, item->string))
			bad(&(struct check){ faults, within, utf8_clip(faults->arena, item->string, 40) }, S_F_UNKNOWN, NULL);
	}
}

static const struct value *
check_object(const struct shape *shape, const cJSON *object, const struct json_text *members, struct faults *faults,
	const struct check *within)
{
	struct value *values = arena_alloc(faults->arena, (field_count(shape) + 1) * sizeof(*values)), *next = values;
	struct field_walk walk = { 0 };
	const struct field *field;
	int found = 0;

	for (; (field = field_next(&walk, shape)); next++) {
		const cJSON *item = object ? object->child : NULL;
		struct check check = { faults, within, field->name };
		unsigned place = 1;

		while (item && strcmp(item->string, field->name) != 0) {
			item = item->next;
			place++;
		}
		if (!item && !field->optional && !shape->all_optional)
			bad(&check, S_F_REQUIRED, NULL);
		if (!item)
			continue;
		check.text = members ? &members[place - 1] : NULL;
		*next = check_value(&check, field, item);
		next->named = place;
		found++;
	}
	if (found < cJSON_GetArraySize(object))
		check_unknown(shape, object, faults, within);
	return values;
}

const struct value *
field_read(const struct shape *shape, const cJSON *object, const struct json_text *members, struct faults *faults)
{
	return check_object(shape, object, members, faults, NULL);
}

struct value
field_value(struct arena *arena, const struct field *field, const cJSON *item)
{
	struct faults ignored;

	faults_init(&ignored, arena, EN);
	ignored.ignored = true;
	return check_value(&(struct check){ &ignored, NULL, "" }, field, item);
}

/* ---- fields that come as texts */

/* The JSON value that a text stands for. A text that is no number stays a text, which is a fault of its type. */
static cJSON *
text_value(struct arena *arena, const struct field *field, const char *text)
{
	enum json_fault fault;
	cJSON *value = NULL;
	char *end;

	if (field->nullable && field->type != FIELD_TEXT && !text[0])
		return cJSON_CreateNull();
	if ((field->type == FIELD_INT || field->type == FIELD_NUMBER) && (text[0] == '-' || (text[0] >= '0' && text[0] <= '9'))) {
		double number = strtod(text, &end);
		if (*end == '\0' && isfinite(number) && text[strspn(text, "-0123456789.")] == '\0')
			return cJSON_CreateNumber(number);
	}
	if (field->type == FIELD_BOOL && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		return cJSON_CreateBool(text[0] == 't');
	/* One level less than in a body: the form stands for the object around it. */
	if (field->type == FIELD_LIST || field->type == FIELD_OBJECT)
		value = json_parse(arena, text, strlen(text), JSON_DEPTH - 1, &fault);
	return value ? value : cJSON_CreateString(text);
}

void
field_add(struct arena *arena, cJSON *object, const struct field *field, const char *text)
{
	cJSON *item = json_get(object, field->name);

	if (item)
		item->type = cJSON_Invalid;
	else
		cJSON_AddItemToObject(object, field->name, text_value(arena, field, text));
}

static void
query_pair(const struct shape *shape, cJSON *object, const char *pair, size_t length, struct faults *faults)
{
	const char *equals = memchr(pair, '=', length);
	size_t name_length = equals ? (size_t)(equals - pair) : length;
	const char *name = url_decode(faults->arena, pair, name_length, true);
	const char *text = equals ? url_decode(faults->arena, equals + 1, length - name_length - 1, true) : "";
	const struct field *field = name && shape ? field_find(shape, name) : NULL;

	if (!name || !text)
		faults_add(faults, name ? name : "?", S_F_ENCODING, NULL);
	else if (!field)
		faults_add(faults, utf8_clip(faults->arena, name, 40), S_F_UNKNOWN_PARAMETER, NULL);
	else
		field_add(faults->arena, object, field, text);
}

const struct value *
field_query(const struct shape *shape, const char *query, struct faults *faults)
{
	cJSON *object = cJSON_CreateObject();

	while (query && *query) {
		size_t length = strcspn(query, "&");
		if (length > 0)
			query_pair(shape, object, query, length, faults);
		query += length + (query[length] == '&');
	}
	return shape ? check_object(shape, object, NULL, faults, NULL) : NULL;
}

/* ---- times */

int64_t
field_time(struct value value, const char *zone, int64_t fallback)
{
	const char *text = value_string(value);

	if (!text)
		return fallback;
	return clock_is_date(text) ? clock_midnight(text, zone) : clock_time(text);
}
