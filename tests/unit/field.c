#include "field.h"
#include "unit.h"

static const struct shape element = { .name = "ElementDto", .fields = FIELDS(
	{ "text", FIELD_TEXT, 1, 9 },
	{ "size", FIELD_NUMBER, 0, 9 }) };
static const struct shape base = { .name = "BaseDto", .fields = FIELDS(
	{ "name", FIELD_TEXT, 1, 9 },
	{ "list", FIELD_LIST, 1, 20, .of = &element }) };
static const struct shape shape = { .name = "ShapeDto", .fields = FIELDS(
	{ "first", FIELD_TEXT, 1, 9 },
	{ "", FIELD_PLUS, .of = &base },
	{ "names", FIELD_INT, 1, 9 }) };

/* Names, separated by spaces: what there is, how many of it precede the body, what is added, and what comes of it. */
static const struct {
	const char *there;
	size_t from;
	const char *more, *merged;
} merges[] = {
	{ "", 0, "", "" },
	{ "", 0, "first names", "first names" },
	{ "first names", 0, "", "first names" },
	{ "first names", 0, "name list[3].size list[4]", "first name list[3].size list[4] names" },
	{ "names", 0, "first", "first names" },
	{ "first", 0, "names", "first names" },
	{ "list[2].text list[10].text", 0, "list[0] list[3].size list[11]",
	  "list[0] list[2].text list[3].size list[10].text list[11]" },
	/* what the shape faults already */
	{ "name", 0, "name", "name" },
	{ "list[2].text", 0, "list[1] list[2].size list[2] list[3]", "list[1] list[2].text list[3]" },
	{ "list", 0, "name list[0] list[7].size names", "name list names" },
	/* what was added is no reason to drop what is added next */
	{ "", 0, "list[2].text list[2].size", "list[2].text list[2].size" },
	{ "list[1]", 0, "list[2].text list[2].size", "list[1] list[2].text list[2].size" },
	/* path and query stay in front, unknown fields behind */
	{ "id names extra", 1, "first names", "id first names extra" },
	{ "id names", 2, "first names", "id names first names" },
	{ "extra", 0, "names", "names extra" },
};

static void
add_all(struct faults *faults, struct arena *arena, const char *names)
{
	faults_init(faults, arena, EN);
	while (*names) {
		size_t length = strcspn(names, " ");
		faults_add(faults, arena_copy(arena, names, length), S_F_EMPTY, NULL);
		names += length + (names[length] == ' ');
	}
}

static void
faults_stand_in_the_order_of_the_shape(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(merges); i++) {
		struct faults there, more;
		struct buf names = { .arena = arena };
		size_t count = 0;

		add_all(&there, arena, merges[i].there);
		add_all(&more, arena, merges[i].more);
		faults_merge(&there, merges[i].from, &more, &shape);
		for (const struct fault *fault = there.first; fault; fault = fault->next, count++) {
			buf_puts(&names, count ? " " : "");
			buf_put(&names, fault->text, strcspn(fault->text, ":"));
		}
		assert_string_equal(names.s ? names.s : "", merges[i].merged);
		assert_int_equal(count, there.count);
		/* one that is added afterwards is the last */
		faults_add(&there, "last", S_F_EMPTY, NULL);
		assert_null((*there.last));
		assert_int_equal(there.count, count + 1);
	}
	arena_free(arena);
}

static void
a_fault_names_its_field(void **state)
{
	struct arena *arena = arena_new(4096);
	struct faults faults;

	(void)state;
	add_all(&faults, arena, "first list[2].text deep.er");
	assert_true(faults_name(&faults, "first"));
	assert_true(faults_name(&faults, "list"));
	assert_true(faults_name(&faults, "deep"));
	assert_false(faults_name(&faults, "fir"));
	assert_false(faults_name(&faults, "firsts"));
	assert_false(faults_name(&faults, "text"));
	arena_free(arena);
}

static struct arena *form_arena;

/* ---- the fields of a form: texts that stand for values */

static const char *const words[] = { "A1", "A2", NULL };
static const struct shape video = { .name = "VideoDto", .fields = FIELDS({ "title", FIELD_TEXT, 1, 20 }) };
static const struct shape course = { .name = "CourseFormDto", .fields = FIELDS(
	{ "title", FIELD_TEXT, 1, 20 },
	{ "level", FIELD_ENUM, .oneof = words, .optional = true, .nullable = true },
	{ "weeks", FIELD_INT, 1, 99, .optional = true },
	{ "open", FIELD_BOOL, .optional = true },
	{ "note", FIELD_TEXT, 0, 20, .optional = true, .nullable = true },
	{ "videos", FIELD_LIST, 0, 2, .of = &video, .optional = true }) };

static const char *
text_of(struct value value)
{
	switch (value.type) {
	case VALUE_NULL: return "null";
	case VALUE_BOOL: return value.truth ? "true" : "false";
	case VALUE_INT: return arena_format(form_arena, "%lld", (long long)value.integer);
	case VALUE_TEXT: return arena_format(form_arena, "\"%s\"", (const char *)value.bytes);
	case VALUE_LIST: return value.count ? arena_format(form_arena, "[%s]", text_of(value.items[0])) : "[]";
	case VALUE_OBJECT: return arena_format(form_arena, "{%s}", text_of(value.items[0]));
	default: return "";
	}
}

/* Whether a text is accepted for the field, and as which value. */
static void
form_values(void **state)
{
	static const struct { const char *name, *text, *value; } cases[] = {
		{ "title", "  a title ", "\"a title\"" }, { "title", "[1]", "\"[1]\"" }, { "title", "7", "\"7\"" }, { "title", "", NULL },
		{ "level", "A2", "\"A2\"" }, { "level", "", "null" }, { "level", "null", NULL }, { "level", "A3", NULL },
		{ "weeks", "12", "12" }, { "weeks", "0", NULL }, { "weeks", "", NULL }, { "weeks", "1e1", NULL }, { "weeks", "x", NULL },
		{ "open", "true", "true" }, { "open", "false", "false" }, { "open", "1", NULL }, { "note", "", "\"\"" },
		{ "videos", "[]", "[]" }, { "videos", "[{\"title\":\"x\"}]", "[{\"x\"}]" }, { "videos", "", NULL },
		{ "videos", "[{\"title\":\"x\"}", NULL }, { "videos", "{}", NULL }, { "videos", "[{}]", NULL },
		{ "videos", "[{\"title\":\"x\",\"title\":\"y\"}]", NULL }, { "videos", "[{\"title\":\"x\"}] x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct field *field = field_find(&course, cases[i].name);
		cJSON *object = cJSON_CreateObject();
		struct faults faults;

		faults_init(&faults, form_arena, EN);
		check(field, cases[i].name);
		if (strcmp(cases[i].name, "title") != 0)
			field_add(form_arena, object, field_find(&course, "title"), "x");
		field_add(form_arena, object, field, cases[i].text);
		const struct value *in = field_read(&course, object, NULL, &faults);
		check((faults.count == 0) == (cases[i].value != NULL), cases[i].text);
		if (cases[i].value)
			assert_string_equal(text_of(in[field - course.fields]), cases[i].value);
	}
	assert_null(field_find(&course, "titl"));
}

static void
a_second_text_of_a_field_is_the_only_fault_of_it(void **state)
{
	cJSON *object = cJSON_CreateObject();
	struct faults faults;

	(void)state;
	faults_init(&faults, form_arena, EN);
	for (int i = 0; i < 3; i++)
		field_add(form_arena, object, field_find(&course, "title"), i ? "x" : "");
	assert_int_equal(field_read(&course, object, NULL, &faults)[0].type, VALUE_NULL);
	assert_int_equal(faults.count, 1);
	assert_string_equal(faults.first->text, "title: may be given only once");
}

static void
any_json_is_its_text(void **state)
{
	const struct shape any = { .name = "AnyDto", .fields = FIELDS({ "a", FIELD_INT }, { "b", FIELD_JSON, .max = 9 }) };
	static const char text[] = "{\"a\":1,\"b\": [1.10, 2] }";
	const struct json_text *members;
	enum json_fault fault;
	struct faults faults;

	(void)state;
	faults_init(&faults, form_arena, EN);
	cJSON *object = json_parse_members(form_arena, text, sizeof(text) - 1, JSON_DEPTH, &fault, &members);
	assert_string_equal(value_string(field_read(&any, object, members, &faults)[1]), "[1.10, 2]");
	assert_int_equal(faults.count, 0);
}

static void
the_first_fifty_are_kept(void **state)
{
	struct arena *arena = arena_new(4096);
	struct faults there, more;
	size_t kept = 0;

	(void)state;
	faults_init(&there, arena, EN);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(faults_enough(&there), i > FAULTS_TOLD);
		faults_add(&there, "id", S_F_EMPTY, NULL);
	}
	for (const struct fault *fault = there.first; fault; fault = fault->next)
		kept++;
	assert_int_equal(kept, FAULTS_TOLD);
	assert_int_equal(there.count, FAULTS_TOLD + 1);
	/* all of them are of the query, and so stand before what is found of the body */
	add_all(&more, arena, "first names");
	faults_merge(&there, there.count, &more, &shape);
	assert_int_equal(there.count, FAULTS_TOLD + 3);
	assert_int_equal(strncmp(there.first->text, "id:", 3), 0);
	arena_free(arena);
}

static void
a_fault_behind_fifty_is_no_reason_to_look(void **state)
{
	struct arena *arena = arena_new(4096);
	struct faults faults;
	char name[16];

	(void)state;
	json_use(arena);
	cJSON *object = cJSON_CreateObject();
	for (int i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		cJSON_AddItemToObject(object, name, cJSON_CreateTrue());
	}
	faults_init(&faults, arena, EN);
	size_t before = arena_used(arena);
	field_read(&shape, object, NULL, &faults);
	assert_true(faults_enough(&faults));
	assert_true(arena_used(arena) - before < 32768);
	json_use(NULL);
	arena_free(arena);
}

static void
elements_behind_fifty_faults_are_not_checked(void **state)
{
	const struct shape sizes = { .name = "SizesDto",
		.fields = FIELDS({ "sizes", FIELD_LIST, .item = FIELD_NUMBER, .item_max = 1 }) };
	struct arena *arena = arena_new(4096);
	const size_t count = 10000;
	struct faults faults;

	(void)state;
	json_use(arena);
	cJSON *object = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(object, "sizes");
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, cJSON_CreateNumber(2));
	faults_init(&faults, arena, EN);
	size_t before = arena_used(arena);
	field_read(&sizes, object, NULL, &faults);
	assert_true(faults_enough(&faults));
	assert_true(arena_used(arena) - before < count * sizeof(struct value) + 65536);
	json_use(NULL);
	arena_free(arena);
}

/* What is stored was checked by the rules of its day: more than fifty faults by those of today lose no element. */
static void
a_value_without_faults_is_read_whole(void **state)
{
	const struct field sizes = { .type = FIELD_LIST, .item = FIELD_NUMBER, .item_max = 1 };
	struct arena *arena = arena_new(4096);

	(void)state;
	json_use(arena);
	cJSON *list = cJSON_CreateArray();
	for (int i = 0; i < 200; i++)
		cJSON_AddItemToArray(list, cJSON_CreateNumber(2));
	struct value read = field_value(arena, &sizes, list);
	assert_int_equal(read.count, 200);
	assert_true(read.items[199].real == 2);
	json_use(NULL);
	arena_free(arena);
}

/* ---- values by enumerators */

enum { TREE_NAME, TREE_HEIGHT, TREE_FIELDS };
enum { GROVE_OPEN = TREE_FIELDS, GROVE_TREES, GROVE_TAGS, GROVE_SINCE, GROVE_KIND, GROVE_FIELDS };

static const char *const kinds[] = { "oak", "beech", NULL };
static const struct shape tree = { .name = "TreeDto", .fields = FIELDS(
	[TREE_NAME] = { "name", FIELD_TEXT, 1, 9 },
	[TREE_HEIGHT] = { "height", FIELD_NUMBER, 0, 99, .optional = true }) };
static const struct shape grove = { .name = "GroveDto", .all_optional = true, .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &tree },
	[GROVE_OPEN] = { "open", FIELD_BOOL },
	[GROVE_TREES] = { "trees", FIELD_LIST, .of = &tree },
	[GROVE_TAGS] = { "tags", FIELD_LIST, .item = FIELD_INT },
	[GROVE_SINCE] = { "since", FIELD_INT, .nullable = true },
	[GROVE_KIND] = { "kind", FIELD_ENUM, .oneof = kinds }) };

static const struct value *
values_of(const char *json)
{
	enum json_fault fault;
	struct faults faults;

	json_use(form_arena);
	faults_init(&faults, form_arena, EN);
	return field_read(&grove, json_parse(form_arena, json, strlen(json), JSON_DEPTH, &fault), NULL, &faults);
}

static void
values_stand_at_their_enumerators(void **state)
{
	const struct value *in = values_of("{\"kind\":\"beech\",\"trees\":[{\"name\":\"a\"},{\"height\":2.5,\"name\":\"b\"}],"
		"\"open\":false,\"tags\":[7,8],\"since\":null,\"height\":1.1,\"name\":\"wood\"}");

	(void)state;
	assert_string_equal(value_string(in[TREE_NAME]), "wood");
	assert_true(value_number(in[TREE_HEIGHT], 0) == 1.1);
	assert_false(value_truth(in[GROVE_OPEN], true));
	assert_int_equal(value_choice(in[GROVE_KIND], kinds), 1);
	assert_int_equal(in[GROVE_TREES].count, 2);
	assert_string_equal(value_string(in[GROVE_TREES].items[1].items[TREE_NAME]), "b");
	assert_true(value_number(in[GROVE_TREES].items[1].items[TREE_HEIGHT], 0) == 2.5);
	assert_int_equal(in[GROVE_TREES].items[0].items[TREE_HEIGHT].type, VALUE_NULL);
	assert_int_equal(in[GROVE_TAGS].count, 2);
	assert_int_equal(value_integer(in[GROVE_TAGS].items[1], 0), 8);
	/* null is named, and each name knows its place */
	assert_int_equal(in[GROVE_SINCE].type, VALUE_NULL);
	assert_int_equal(in[GROVE_SINCE].named, 5);
	assert_int_equal(in[GROVE_KIND].named, 1);
	assert_int_equal(in[TREE_NAME].named, 7);
}

static void
what_is_missing_or_of_a_wrong_type_is_null(void **state)
{
	const struct value *in = values_of("{\"name\":1,\"since\":1e300,\"tags\":{},\"open\":\"yes\",\"kind\":\"elm\"}");

	(void)state;
	for (int i = 0; i < GROVE_KIND; i++)
		assert_int_equal(in[i].type, VALUE_NULL);
	assert_int_equal(in[TREE_HEIGHT].named, 0);
	assert_int_equal(in[GROVE_SINCE].named, 2);
	assert_int_equal(value_integer(in[GROVE_SINCE], 41), 41);
	assert_null(value_string(in[GROVE_TREES]));
	assert_int_equal(value_choice(in[GROVE_KIND], kinds), 0);
}

static void
a_change_binds_two_for_each_field(void **state)
{
	const struct value *in = values_of("{\"height\":3,\"since\":null}");
	const struct args args = args_changes(form_arena, ARGS("id"), in, GROVE_FIELDS);

	(void)state;
	assert_int_equal(args.count, 1 + 2 * GROVE_FIELDS);
	assert_string_equal(value_string(args.values[0]), "id");
	for (int i = 0; i < GROVE_FIELDS; i++)
		assert_int_equal(value_truth(args.values[1 + 2 * i], false), i == TREE_HEIGHT || i == GROVE_SINCE);
	assert_true(value_number(args.values[2 + 2 * TREE_HEIGHT], 0) == 3);
	assert_int_equal(args.values[2 + 2 * GROVE_SINCE].type, VALUE_NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_stand_in_the_order_of_the_shape),
		cmocka_unit_test(a_fault_names_its_field),
		cmocka_unit_test(form_values),
		cmocka_unit_test(a_second_text_of_a_field_is_the_only_fault_of_it),
		cmocka_unit_test(any_json_is_its_text),
		cmocka_unit_test(the_first_fifty_are_kept),
		cmocka_unit_test(a_fault_behind_fifty_is_no_reason_to_look),
		cmocka_unit_test(elements_behind_fifty_faults_are_not_checked),
		cmocka_unit_test(a_value_without_faults_is_read_whole),
		cmocka_unit_test(values_stand_at_their_enumerators),
		cmocka_unit_test(what_is_missing_or_of_a_wrong_type_is_null),
		cmocka_unit_test(a_change_binds_two_for_each_field),
	};

	form_arena = arena_new(65536);
	json_use(form_arena);
	int failed = cmocka_run_group_tests_name("field", tests, NULL, NULL);
	json_use(NULL);
	arena_free(form_arena);
	return failed;
}
