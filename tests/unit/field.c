#include "field.h"
#include "unit.h"

static struct arena *arena;

/* ---- the fields of a form: texts that stand for values */

static const char *const words[] = { "A1", "A2", NULL };
static const struct shape video = { .name = "VideoDto", .fields = FIELDS({ "title", TEXT, 1, 20 }) };
static const struct shape course = { .name = "CourseFormDto", .fields = FIELDS(
	{ "title", TEXT, 1, 20 },
	{ "level", ENUM, .oneof = words, .optional = true, .nullable = true },
	{ "weeks", INT, 1, 99, .optional = true },
	{ "open", BOOL, .optional = true },
	{ "note", TEXT, 0, 20, .optional = true, .nullable = true },
	{ "videos", LIST, 0, 2, .of = &video, .optional = true },
	{ "any", JSON, .optional = true }) };

/* Whether a text is taken for the field, and as which JSON. */
static void
form_values(void **state)
{
	static const struct { const char *name, *text, *json; } cases[] = {
		{ "title", "  a title ", "\"a title\"" }, { "title", "[1]", "\"[1]\"" }, { "title", "7", "\"7\"" }, { "title", "", NULL },
		{ "level", "A2", "\"A2\"" }, { "level", "", "null" }, { "level", "null", NULL }, { "level", "A3", NULL },
		{ "weeks", "12", "12" }, { "weeks", "0", NULL }, { "weeks", "", NULL }, { "weeks", "1e1", NULL }, { "weeks", "x", NULL },
		{ "open", "true", "true" }, { "open", "false", "false" }, { "open", "1", NULL }, { "note", "", "\"\"" },
		{ "videos", "[]", "[]" }, { "videos", "[{\"title\":\"x\"}]", "[{\"title\":\"x\"}]" }, { "videos", "", NULL },
		{ "videos", "[{\"title\":\"x\"}", NULL }, { "videos", "{}", NULL }, { "videos", "[{}]", NULL },
		{ "videos", "[{\"title\":\"x\",\"title\":\"y\"}]", NULL }, { "videos", "[{\"title\":\"x\"}] x", NULL },
		{ "any", "{\"a\":[1]}", "{\"a\":[1]}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct field *field = field_find(&course, cases[i].name);
		cJSON *object = cJSON_CreateObject();
		struct faults faults;

		faults_init(&faults, arena, EN);
		check(field, cases[i].name);
		if (strcmp(cases[i].name, "title") != 0)
			cJSON_AddStringToObject(object, "title", "x");
		cJSON_AddItemToObject(object, cases[i].name, field_form_value(arena, field, cases[i].text));
		check(field_check(&course, object, &faults) == (cases[i].json != NULL), cases[i].text);
		if (cases[i].json)
			assert_string_equal(cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(object, cases[i].name)), cases[i].json);
	}
	assert_null(field_find(&course, "titl"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(form_values),
	};

	arena = arena_new(65536);
	json_use(arena);
	int failed = cmocka_run_group_tests_name("field", tests, NULL, NULL);
	json_use(NULL);
	arena_free(arena);
	return failed;
}
