#include "openapi.h"
#include "route_print.h"
#include "unit.h"
#include "upload.h"

/* ---- a program that has one of everything */

static const char *const genders[] = { "female", "male", "other", NULL };
static const char *const colours[] = { "red", "green", NULL };
static const struct shape leaf = { .name = "LeafDto", .fields = FIELDS(
	{ "size", FIELD_NUMBER, 0, 100 },
	{ "hidden", FIELD_BOOL, .admin_only = true }) };
static const struct shape base = { .name = "BaseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "name", FIELD_TEXT, 1, 80, .nullable = true, .note = "as in the passport", .example = "\"Ayşe\"" }) };
static const struct shape tree = { .name = "TreeDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &base },
	{ "gender", FIELD_ENUM, .oneof = genders, .nullable = true },
	{ "sex", FIELD_ENUM, .oneof = genders },
	{ "first", FIELD_OBJECT, .of = &leaf, .nullable = true },
	{ "leaves", FIELD_LIST, 1, 9, .of = &leaf },
	{ "born", FIELD_DATE },
	{ "at", FIELD_TIME },
	{ "delta", FIELD_NUMBER, -10, 10 },
	{ "free", FIELD_NUMBER },
	{ "any", FIELD_JSON }) };
/* BaseDto by another name. */
static const struct shape bush = { .name = "BushResponseDto", .fields = FIELDS({ "", FIELD_PLUS, .of = &base }) };
static const struct shape make = { .name = "MakeTreeDto", .fields = FIELDS(
	{ "email", FIELD_EMAIL },
	{ "code", FIELD_TEXT, 6, 6, .digits = true },
	{ "agreed", FIELD_BOOL, .must_be_true = true },
	{ "tags", FIELD_LIST, 0, 20, .item = FIELD_TEXT, .item_min = 1, .item_max = 50, .optional = true },
	{ "count", FIELD_INT, .optional = true }) };
static const struct shape change = { .name = "ChangeTreeDto", .all_optional = true, .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &make }) };
static const struct shape search = { .name = "SearchQuery", .fields = FIELDS(
	{ "q", FIELD_TEXT, 1, 80 },
	{ "colour", FIELD_ENUM, .oneof = colours, .optional = true },
	{ "page", FIELD_INT, 1, 1000, .optional = true }) };

static const struct shape leaf_form = { .name = "LeafFormDto", .fields = FIELDS(
	{ "title", FIELD_TEXT, 1, 80 },
	{ "notes", FIELD_LIST, 0, 3, .of = &leaf, .optional = true }) };
static const enum media_type pictures[] = { MEDIA_PNG, MEDIA_GIF, MEDIA_NONE };
static const struct upload_rule one_picture = { .reader = &upload_reader, .part = "picture", .max = 1, .required = true, .types = pictures };
static const struct upload_rule some_files = { .reader = &upload_reader, .part = "files", .max = 9, .json_too = true };

static struct response
never(struct request *rq)
{
	(void)rq;
	fail();
	return (struct response){ 0 };
}

static const struct shape as_table = { .name = "AsTable", .fields = FIELDS(PAGE_FORMAT_AT(0)) };

static const struct route routes[] = {
	{ GET, "/", PUBLIC, never, .out_type = "text/html", .title = "Page" },
	{ GET, "/trees", OPTIONAL, never, .query = &search, .out = &tree, .out_list = true, .title = "List" },
	{ GET, "/trees/{id}", USER, never, .out = &tree, .title = "Show" },
	{ GET, "/bushes", USER, never, .query = &as_table, .out = &bush, .out_page = true, .title = "Bushes" },
	{ GET, "/bushes/{id}", USER, never, .out = &bush, .title = "Bush" },
	{ GET, "/trees/{id}/leaf", USER, never, .out = &leaf, .no_store = true, .title = "Now" },
	{ POST, "/trees", ADMIN, never, .in = &make, .out = &tree, .status = 201, .writes = true, .client_limit = true,
	  .errors = STATUSES(409), .title = "Make", .note = "Slow.", .example = "{\"email\":\"a@b.example\"}" },
	{ PATCH, "/trees/{id}", USER, never, .in = &change, .out = &tree, .writes = true, .shows = never, .title = "Prune" },
	{ DELETE, "/trees/{id}", USER, never, .out = &tree, .writes = true, .shows = never, .title = "Fell" },
	{ PATCH, "/trees/{id}/x-y/{key}", USER, never, .in = &change, .out = &tree, .writes = true, .unregistered = true,
	  .title = "Change" },
	{ POST, "/leaves", USER, never, .in = &leaf_form, .upload = &one_picture, .writes = true, .title = "Put" },
	{ PATCH, "/leaves", USER, never, .in = &change, .upload = &some_files, .writes = true, .title = "Fix" },
	{ GET, "/leaves/{key}", PUBLIC, never, .query = &search, .own_query = true, .more_by_token = true, .out_type = "*/*",
	  .title = "Fetch" },
};
static const struct section section = { routes, COUNT(routes), NULL, 0 };
static const struct program program = { "trees", "All about trees", SECTIONS(&section) };

/* ---- the printed document */

static cJSON *
printed(const struct program *of)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	assert_true(openapi_print(of, out));
	fclose(out);
	cJSON *json = cJSON_Parse(text);
	free(text);
	assert_non_null(json);
	return json;
}

/* The node at a path of names, with "/" between them and "~" for a slash within a name: "paths/~trees/get". */
static cJSON *
at(cJSON *json, const char *path)
{
	char name[128];

	while (json && *path) {
		size_t length = strcspn(path, "/");
		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		for (char *c = name; *c; c++)
			*c = *c == '~' ? '/' : *c;
		json = cJSON_GetObjectItemCaseSensitive(json, name);
		path += length + (path[length] == '/');
	}
	return json;
}

/* Fails unless the JSON at the path is exactly `wanted`; "" when there is none. */
static void
expect(cJSON *json, const char *path, const char *wanted)
{
	char *found = at(json, path) ? cJSON_PrintUnformatted(at(json, path)) : NULL;

	if (strcmp(found ? found : "", wanted) != 0)
		fail_msg("%s is %s, not %s", path, found, wanted);
	free(found);
}

static void
expect_names(cJSON *json, const char *path, const char *wanted)
{
	char names[1024] = "";
	const cJSON *item;

	cJSON_ArrayForEach(item, at(json, path))
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s ", item->string);
	if (strcmp(names, wanted) != 0)
		fail_msg("%s has %s, not %s", path, names, wanted);
}

static void
shapes_become_schemas(void **state)
{
	cJSON *json = printed(&program);
	static const struct { const char *path, *wanted; } cases[] = {
		{ "TreeDto/required", "[\"id\",\"name\",\"gender\",\"sex\",\"first\",\"leaves\",\"born\",\"at\",\"delta\",\"free\",\"any\"]" },
		{ "TreeDto/additionalProperties", "false" },
		{ "TreeDto/properties/id", "{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{24}$\"}" },
		{ "TreeDto/properties/name", "{\"type\":[\"string\",\"null\"],\"minLength\":1,\"maxLength\":80,"
		  "\"examples\":[\"Ayşe\"],\"description\":\"as in the passport\"}" },
		{ "TreeDto/properties/gender", "{\"anyOf\":[{\"$ref\":\"#/components/schemas/Gender\"},{\"type\":\"null\"}]}" },
		{ "TreeDto/properties/sex", "{\"$ref\":\"#/components/schemas/Gender\"}" },
		{ "Gender", "{\"type\":\"string\",\"enum\":[\"female\",\"male\",\"other\"]}" },
		{ "BushResponseDto", "{\"$ref\":\"#/components/schemas/BaseDto\"}" },
		{ "TreeDto/properties/first", "{\"anyOf\":[{\"$ref\":\"#/components/schemas/LeafDto\"},{\"type\":\"null\"}]}" },
		{ "TreeDto/properties/leaves", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/LeafDto\"},"
		  "\"minItems\":1,\"maxItems\":9}" },
		{ "TreeDto/properties/born", "{\"type\":\"string\",\"pattern\":\"^\\\\d{4}-\\\\d\\\\d-\\\\d\\\\d$\",\"format\":\"date\"}" },
		{ "TreeDto/properties/at/format", "\"date-time\"" },
		{ "TreeDto/properties/delta", "{\"type\":\"number\",\"minimum\":-10,\"maximum\":10}" },
		{ "TreeDto/properties/free", "{\"type\":\"number\"}" },
		{ "TreeDto/properties/any", "{}" },
		{ "LeafDto/required", "[\"size\"]" },
		{ "MakeTreeDto/required", "[\"email\",\"code\",\"agreed\"]" },
		{ "MakeTreeDto/minProperties", "" },
		{ "MakeTreeDto/properties/email", "{\"type\":\"string\",\"format\":\"email\",\"maxLength\":254}" },
		{ "MakeTreeDto/properties/code", "{\"type\":\"string\",\"minLength\":6,\"maxLength\":6,\"pattern\":\"^[0-9]+$\"}" },
		{ "MakeTreeDto/properties/agreed", "{\"type\":\"boolean\",\"const\":true}" },
		{ "MakeTreeDto/properties/tags", "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":50},"
		  "\"maxItems\":20}" },
		{ "MakeTreeDto/properties/count", "{\"type\":\"integer\",\"minimum\":0}" },
		{ "ChangeTreeDto/required", "[]" },
		{ "ChangeTreeDto/minProperties", "1" },
		{ "LeafFormDto", "{\"type\":\"object\",\"properties\":{\"picture\":{\"type\":\"string\",\"format\":\"binary\"},"
		  "\"title\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":80},\"notes\":{\"type\":\"array\","
		  "\"items\":{\"$ref\":\"#/components/schemas/LeafDto\"},\"maxItems\":3}},\"required\":[\"picture\",\"title\"],"
		  "\"additionalProperties\":false}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(at(json, "components/schemas"), cases[i].path, cases[i].wanted);
	expect_names(json, "components/schemas/TreeDto/properties", "id name gender sex first leaves born at delta free any ");
	expect_names(json, "components/schemas", "BaseResponseDto TreeDto LeafDto BushResponseDto BaseDto PaginationDto MakeTreeDto "
		"ChangeTreeDto LeafFormDto ChangeTreeForm Gender ListFormat CsvSeparator TreeListResponse TreeResponse BushPage BushPageResponse "
		"BushResponse LeafResponse EmptyResponse ErrorResponse ");
	expect(json, "components/schemas/LeafFormDto", "{\"type\":\"object\",\"properties\":{\"picture\":{\"type\":\"string\",\"format\":\"binary\"},"
		"\"title\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":80},\"notes\":{\"type\":\"array\","
		"\"items\":{\"$ref\":\"#/components/schemas/LeafDto\"},\"maxItems\":3}},\"required\":[\"picture\",\"title\"],"
		"\"additionalProperties\":false}");
	cJSON_Delete(json);
}

#define LAST_HEADER(name) "\"" name "\":{\"$ref\":\"#/components/headers/" name "\"}"
#define HEADER(name) LAST_HEADER(name) ","
#define HEADERS(more) "{" more HEADER("X-Request-Id") LAST_HEADER("Content-Language") "}"

static void
rows_become_operations(void **state)
{
	cJSON *json = printed(&program);
	static const struct { const char *path, *wanted; } cases[] = {
		{ "~/get/operationId", "\"getRoot\"" },
		{ "~/get/security", "[]" },
		{ "~/get/responses/200/content", "{\"text/html\":{\"schema\":{\"type\":\"string\"}}}" },
		{ "~trees/get/security", "[{},{\"bearer\":[]}]" },
		{ "~trees/get/tags", "[\"trees\"]" },
		{ "~trees/get/summary", "\"List\"" },
		{ "~trees/get/x-role", "\"optional\"" },
		{ "~trees/get/requestBody", "" },
		{ "~trees/get/parameters", "[{\"name\":\"q\",\"in\":\"query\",\"required\":true,"
		  "\"schema\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":80}},{\"name\":\"colour\",\"in\":\"query\",\"schema\":"
		  "{\"type\":\"string\",\"enum\":[\"red\",\"green\"]}},{\"name\":\"page\",\"in\":\"query\","
		  "\"schema\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}},{\"$ref\":\"#/components/parameters/IfNoneMatch\"}]" },
		{ "~trees/get/responses/304", "{\"$ref\":\"#/components/responses/NotModified\"}" },
		{ "~trees/get/responses/200/headers", HEADERS(HEADER("ETag")) },
		{ "~trees/get/responses/200/content",
		  "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/TreeListResponse\"}}}" },
		{ "~bushes/get/responses/200/content", "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/"
		  "BushPageResponse\"}},\"text/csv\":{\"schema\":{\"type\":\"string\"}}}" },
		{ "~bushes/get/responses/200/headers", HEADERS(HEADER("ETag") HEADER("Content-Disposition")) },
		{ "~/get/parameters", "[{\"$ref\":\"#/components/parameters/IfNoneMatch\"}]" },
		{ "~/get/responses/200/headers", "{" HEADER("ETag") LAST_HEADER("X-Request-Id") "}" },
		{ "~trees~{id}~leaf/get/responses/304", "" },
		{ "~trees~{id}~leaf/get/responses/200/headers", HEADERS("") },
		{ "~trees/post/responses/201/headers", HEADERS("") },
		{ "~trees/post/description", "\"Slow.\"" },
		{ "~trees/post/security", "[{\"bearer\":[]}]" },
		{ "~trees/post/requestBody", "{\"required\":true,\"content\":{\"application/json\":{"
		  "\"schema\":{\"$ref\":\"#/components/schemas/MakeTreeDto\"},\"example\":{\"email\":\"a@b.example\"}}}}" },
		{ "~trees/post/responses/409", "{\"$ref\":\"#/components/responses/Conflict\"}" },
		{ "~trees~{id}~x-y~{key}/patch/operationId", "\"patchTreesIdXYKey\"" },
		{ "~trees~{id}~x-y~{key}/patch/parameters", "[{\"name\":\"id\",\"in\":\"path\",\"required\":true,"
		  "\"schema\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{24}$\"}},{\"name\":\"key\",\"in\":\"path\","
		  "\"required\":true,\"schema\":{\"type\":\"string\",\"minLength\":1}}]" },
		{ "~trees~{id}~x-y~{key}/patch/responses/200/headers", HEADERS("") },
		{ "~trees~{id}/patch/responses/200/headers", HEADERS(HEADER("ETag")) },
		{ "~trees~{id}/delete/responses/200/headers", HEADERS("") },
		{ "~leaves/post/requestBody", "{\"required\":true,\"content\":{\"multipart/form-data\":{"
		  "\"schema\":{\"$ref\":\"#/components/schemas/LeafFormDto\"},"
		  "\"encoding\":{\"picture\":{\"contentType\":\"image/png, image/gif\"},"
		  "\"notes\":{\"contentType\":\"application/json\"}}}}}" },
		{ "~leaves/patch/requestBody/content/application~json",
		  "{\"schema\":{\"$ref\":\"#/components/schemas/ChangeTreeDto\"}}" },
		{ "~leaves/patch/requestBody/content/multipart~form-data/schema",
		  "{\"$ref\":\"#/components/schemas/ChangeTreeForm\"}" },
		{ "~leaves/post/responses/200/content/application~json/schema", "{\"$ref\":\"#/components/schemas/EmptyResponse\"}" },
		{ "~leaves~{key}/get/responses/200/content",
		  "{\"*/*\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}}" },
		{ "~leaves~{key}/get/security", "[{},{\"bearer\":[]}]" },
		{ "~leaves~{key}/get/responses/200/headers",
		  "{" HEADER("ETag") HEADER("Content-Disposition") LAST_HEADER("X-Request-Id") "}" },
		{ "~/get/responses/206/content", "{\"text/html\":{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(at(json, "paths"), cases[i].path, cases[i].wanted);
	expect(json, "tags", "[{\"name\":\"trees\",\"description\":\"All about trees\"}]");
	const cJSON *last = at(json, "paths/~trees~{id}/patch/parameters")->child->next;
	expect((cJSON *)last, "$ref", "\"#/components/parameters/IfMatch\"");
	expect(json, "components/schemas/ChangeTreeForm/properties/files",
		"{\"type\":\"array\",\"maxItems\":9,\"items\":{\"type\":\"string\",\"format\":\"binary\"}}");
	expect(json, "components/schemas/ChangeTreeForm/required", "[]");
	expect_names(json, "paths/~leaves~{key}/get/responses/206/headers", "ETag Content-Range Content-Disposition X-Request-Id ");
	expect_names(json, "paths/~/get/responses/206/headers", "ETag Content-Range X-Request-Id ");
	expect_names(json, "paths", "/ /trees /trees/{id} /bushes /bushes/{id} /trees/{id}/leaf /trees/{id}/x-y/{key} /leaves /leaves/{key} ");
	expect_names(json, "paths/~trees", "get post ");
	cJSON_Delete(json);
}

static void
the_row_implies_errors(void **state)
{
	cJSON *json = printed(&program);

	(void)state;
	expect_names(json, "paths/~/get/responses", "200 206 304 400 412 416 429 500 503 ");
	expect_names(json, "paths/~trees/get/responses", "200 304 400 429 500 503 ");
	expect_names(json, "paths/~trees~{id}/get/responses", "200 304 400 401 403 404 429 500 503 ");
	expect_names(json, "paths/~trees/post/responses", "201 400 401 403 409 413 415 429 500 503 ");
	expect_names(json, "paths/~trees~{id}~x-y~{key}/patch/responses", "200 400 401 403 404 412 413 415 429 500 503 ");
	expect_names(json, "paths/~leaves/post/responses", "200 400 401 403 413 415 429 500 503 ");
	expect_names(json, "paths/~leaves~{key}/get/responses", "200 206 302 304 400 404 412 416 429 500 503 ");
	expect_names(json, "components/responses", "NotModified BadRequest Unauthorized Forbidden NotFound Conflict PreconditionFailed "
		"TooLarge WrongType NoSuchRange TooMany Internal Unavailable ");
	expect_names(json, "paths/~trees~{id}/delete/responses", "200 400 401 403 404 412 429 500 503 ");
	expect_names(json, "components/parameters", "IfNoneMatch IfMatch ");
	expect_names(json, "components/headers", "X-Request-Id Content-Language ETag Retry-After WWW-Authenticate Content-Range "
		"Content-Disposition ");
	expect_names(json, "components/responses/TooMany/headers", "Retry-After X-Request-Id Content-Language ");
	expect_names(json, "components/responses/Unauthorized/headers", "WWW-Authenticate X-Request-Id Content-Language ");
	expect_names(json, "components/responses/NotFound/headers", "X-Request-Id Content-Language ");
	expect_names(json, "components/responses/NotModified/headers", "ETag X-Request-Id ");
	expect_names(json, "paths/~leaves~{key}/get/responses/304/headers", "ETag Content-Disposition X-Request-Id ");
	cJSON_Delete(json);
}

static void
responses_have_envelopes(void **state)
{
	cJSON *json = printed(&program);
	static const char *const typed[] = { "TreeResponse", "TreeListResponse", "BushPageResponse", "EmptyResponse", "ErrorResponse" };
	char path[128];

	(void)state;
	expect_names(json, "components/schemas/BaseResponseDto/properties", "isSuccess statusCode data errors timestamp ");
	expect(json, "components/schemas/BaseResponseDto/required",
		"[\"isSuccess\",\"statusCode\",\"data\",\"errors\",\"timestamp\"]");
	/* All fields in each, so that generators make none of them optional. */
	for (size_t i = 0; i < COUNT(typed); i++) {
		snprintf(path, sizeof(path), "components/schemas/%s/properties", typed[i]);
		expect_names(json, path, "isSuccess statusCode data errors timestamp ");
		expect(at(json, path), "isSuccess", strcmp(typed[i], "ErrorResponse") == 0 ?
			"{\"type\":\"boolean\",\"const\":false}" : "{\"type\":\"boolean\",\"const\":true}");
		snprintf(path, sizeof(path), "components/schemas/%s/required", typed[i]);
		expect(json, path, "[\"isSuccess\",\"statusCode\",\"data\",\"errors\",\"timestamp\"]");
	}
	expect(json, "components/schemas/TreeListResponse/properties/data",
		"{\"type\":\"array\",\"items\":{\"$ref\":\"#/components/schemas/TreeDto\"}}");
	expect(json, "components/schemas/TreeResponse/properties/data", "{\"$ref\":\"#/components/schemas/TreeDto\"}");
	expect(json, "components/schemas/BushPageResponse/properties/data", "{\"$ref\":\"#/components/schemas/BushPage\"}");
	expect(json, "components/schemas/BushPage/properties", "{\"items\":{\"type\":\"array\",\"items\":{\"$ref\":"
		"\"#/components/schemas/BushResponseDto\"}},\"pagination\":{\"$ref\":\"#/components/schemas/PaginationDto\"}}");
	expect(json, "components/schemas/ErrorResponse/properties/data", "{\"type\":\"null\"}");
	expect(json, "components/schemas/EmptyResponse/properties/data", "{\"type\":\"null\"}");
	cJSON_Delete(json);
}

static void
an_undescribed_status_is_refused(void **state)
{
	const struct route odd[] = {
		{ GET, "/", PUBLIC, never, .out = &tree, .errors = STATUSES(418), .title = "Tea" },
	};
	const struct section odd_section = { odd, COUNT(odd), NULL, 0 };
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	assert_false(openapi_print(&(struct program){ "odd", "Odd", SECTIONS(&odd_section) }, out));
	fclose(out);
}

static void
an_unnamed_enumeration_is_refused(void **state)
{
	const struct shape paint = { .name = "PaintDto", .fields = FIELDS({ "colour", FIELD_ENUM, .oneof = colours }) };
	const struct route odd[] = { { GET, "/", PUBLIC, never, .out = &paint, .title = "Paint" } };
	const struct section odd_section = { odd, COUNT(odd), NULL, 0 };
	FILE *out = fopen("/dev/null", "w");

	(void)state;
	assert_false(openapi_print(&(struct program){ "odd", "Odd", SECTIONS(&odd_section) }, out));
	fclose(out);
}

static void
a_full_disk_is_reported(void **state)
{
	static char room[1 << 16];
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	/* The buffer holds everything, so that nothing is written before the flush at the end. */
	assert_int_equal(setvbuf(out, room, _IOFBF, sizeof(room)), 0);
	assert_false(openapi_print(&program, out));
	fclose(out);
}

static void
routes_are_listed_for_people(void **state)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	route_print(&program, out);
	fclose(out);
	assert_string_equal(text,
		"program\tmethod\tpath\trole\tstatus\tflags\tin\tout\ttitle\n"
		"trees\tGET\t/\tpublic\t200\t-\t-\t(text/html)\tPage\n"
		"trees\tGET\t/trees\toptional\t200\t-\t?q&colour&page\tTreeDto[]\tList\n"
		"trees\tGET\t/trees/{id}\tuser\t200\t-\t-\tTreeDto\tShow\n"
		"trees\tGET\t/bushes\tuser\t200\t-\t?format&separator\t{items: BushResponseDto[], pagination}\tBushes\n"
		"trees\tGET\t/bushes/{id}\tuser\t200\t-\t-\tBushResponseDto\tBush\n"
		"trees\tGET\t/trees/{id}/leaf\tuser\t200\t-\t-\tLeafDto\tNow\n"
		"trees\tPOST\t/trees\tadmin\t201\twrites,limit\tMakeTreeDto\tTreeDto\tMake\n"
		"trees\tPATCH\t/trees/{id}\tuser\t200\twrites\tChangeTreeDto\tTreeDto\tPrune\n"
		"trees\tDELETE\t/trees/{id}\tuser\t200\twrites\t-\tTreeDto\tFell\n"
		"trees\tPATCH\t/trees/{id}/x-y/{key}\tuser\t200\twrites,unregistered\tChangeTreeDto\tTreeDto\tChange\n"
		"trees\tPOST\t/leaves\tuser\t200\twrites\tLeafFormDto+picture\t-\tPut\n"
		"trees\tPATCH\t/leaves\tuser\t200\twrites\tChangeTreeDto+files\t-\tFix\n"
		"trees\tGET\t/leaves/{key}\tpublic\t200\t-\t?q&colour&page\t(*/*)\tFetch\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shapes_become_schemas),
		cmocka_unit_test(rows_become_operations),
		cmocka_unit_test(the_row_implies_errors),
		cmocka_unit_test(responses_have_envelopes),
		cmocka_unit_test(an_undescribed_status_is_refused),
		cmocka_unit_test(an_unnamed_enumeration_is_refused),
		cmocka_unit_test(a_full_disk_is_reported),
		cmocka_unit_test(routes_are_listed_for_people),
	};

	return cmocka_run_group_tests_name("openapi", tests, NULL, NULL);
}
