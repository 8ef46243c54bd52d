#include "json.h"
#include "buf.h"
#include "json_write.h"
#include "unit.h"

#define CASE(literal, fault) { literal, sizeof(literal) - 1, fault }
#define Y(literal) CASE(literal, JSON_GOOD)	/* yes */
#define S(literal) CASE(literal, JSON_SYNTAX)
#define U(literal) CASE(literal, JSON_UTF8)
#define Z(literal) CASE(literal, JSON_NUL)
#define D(literal) CASE(literal, JSON_DEEP)
#define W(literal) CASE(literal, JSON_TWICE)

#define DEEP4 "[[[["
#define SHUT4 "]]]]"
#define DEEP32 DEEP4 DEEP4 DEEP4 DEEP4 DEEP4 DEEP4 DEEP4 DEEP4
#define SHUT32 SHUT4 SHUT4 SHUT4 SHUT4 SHUT4 SHUT4 SHUT4 SHUT4
#define OPEN4 "{\"a\":{\"a\":{\"a\":{\"a\":"
#define CLOSE4 "}}}}"
#define OPEN32 OPEN4 OPEN4 OPEN4 OPEN4 OPEN4 OPEN4 OPEN4 OPEN4
#define CLOSE32 CLOSE4 CLOSE4 CLOSE4 CLOSE4 CLOSE4 CLOSE4 CLOSE4 CLOSE4
#define ZEROS60 "000000000000000000000000000000000000000000000000000000000000"
#define NINES60 "999999999999999999999999999999999999999999999999999999999999"

static const struct {
	const char *text;
	size_t length;
	enum json_fault fault;
} cases[] = {
	/* ---- values and white space */
	Y("{}"), Y("[]"), Y("null"), Y("true"), Y("false"), Y("0"), Y("\"\""), Y("\"a\""),
	Y(" \t\n\r[ \t\n\r] \t\n\r"), Y("{\"a\":1}"), Y(" { \"a\" : 1 , \"b\" : [ 2 , 3 ] } "),
	Y("[null,true,false,0,\"\",{},[]]"), Y("[[],[[]],{\"\":{}}]"), S(""), S(" "), S("\n"), S("\0"), S("{}\0"),
	Y("\xef\xbb\xbf{}"), Y("\xef\xbb\xbf \"\xef\xbb\xbf\""), S("\xef\xbb\xbf"), S("\xef\xbb\xbf\xef\xbb\xbf{}"),
	S(" \xef\xbb\xbf{}"), S("{}\xef\xbb\xbf"), U("\xef\xbb{}"), S("\v{}"), S("\f[]"), S("[\xc2\xa0]"), S("\xe2\x81\xa0[]"), S("nul"), S("nulll"),
	S("nULL"), S("True"), S("tru"), S("truee"), S("fals"), S("FALSE"), S("undefined"), S("NaN"), S("Infinity"),
	S("-Infinity"), S("a"), S("*"), U("\xff"), S("\xc3\xa9"), S("<json/>"), S("{}{}"), S("{} x"), S("[]]"),
	S("{}}"), S("1 2"), S("[1]x"), S("\"a\"\"b\""), S("/* a */ {}"), S("{} // a"), S("# a\n{}"), S("{/**/}"),
	S("\\u007b\\u007d"), S("(1)"),

	/* ---- lists */
	Y("[1]"), Y("[1,2]"), Y("[ 1 ]"), Y("[\"\"]"), Y("[[[[[]]]]]"),
	S("["), S("]"), S("[1"), S("[1,"), S("[1,]"),
	S("[,1]"), S("[,]"), S("[1,,2]"), S("[1 2]"), S("[1;2]"),
	S("[1:2]"), S("[\"a\":1]"), S("[}"), S("[1}"), S("[[]"),
	S("[\"a\""), S("[a]"), S("[nul]"), S("[1\0]"), S("[*]"),
	S("[\"\",]"), S("[1\f]"), U("[\xff]"), S("[\"a"), S("x]"),

	/* ---- objects */
	Y("{\"a\":{}}"), Y("{\"\":0}"), Y("{\"a\":1,\"b\":2}"), Y("{\"a\":{\"a\":{\"a\":1}}}"),
	Y("[{\"a\":1},{\"a\":1}]"), Y("{\"\\u0061\":1,\"b\":2}"), Y("{\"\\\"\":1,\"\\\\\":2}"),
	Y("{\"a\":1,\"A\":2}"), Y("{\"a\":1,\"a \":2,\"aa\":3}"), Y("{\"\xc3\xa9\":1,\"e\xcc\x81\":2}"), S("{"),
	S("}"), S("{\"a\""), S("{\"a\":"), S("{\"a\":1"), S("{\"a\"}"), S("{\"a\":}"), S("{:1}"), S("{\"a\":1,}"),
	S("{,\"a\":1}"), S("{\"a\":1,,\"b\":2}"), S("{\"a\":1 \"b\":2}"), S("{\"a\" 1}"), S("{\"a\"::1}"),
	S("{\"a\",1}"), S("{\"a\"=1}"), S("{a:1}"), S("{'a':1}"), S("{1:1}"), S("{null:1}"), S("{[]:1}"), S("{{}:1}"),
	S("{\"a\":1]"), S("{\"a\":[}"), S("{\"a\":1 1}"), S("{\"a\":1}#"), S("{\"a\":\"b\"/**/}"), S("{\"a\":/}"),
	S("{\"a:1}"), S("{\"a\\\":1}"), S("{\"a\n\":1}"), S("{[\"a\"]:1}"),

	/* ---- a key twice, as bytes and after its escapes */
	W("{\"a\":1,\"a\":1}"), W("{\"\":1,\"\":2}"), W("{\"a\":1,\"b\":2,\"a\":3}"),
	W("{\"a\":1,\"\\u0061\":2}"), W("{\"\\u0061\":1,\"a\":2}"), W("[{\"a\":{\"b\":1,\"b\":1}}]"),
	W("{\"\\/\":1,\"/\":2}"), W("{\"\\n\":1,\"\\u000A\":2}"), W("{\"\\u00e9\":1,\"\xc3\xa9\":2}"),
	W("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"), W("{\"\\u20AC\":1,\"\xe2\x82\xac\":2}"),
	W("{\"c\":0,\"b\":0,\"a\":0,\"e\":0,\"d\":0,\"b\":0}"),

	/* ---- depth */
	Y(DEEP32 SHUT32), Y(OPEN32 "1" CLOSE32), Y("[" OPEN4 "[]" CLOSE4 "," OPEN4 "[]" CLOSE4 "]"),
	D(DEEP32 "[]" SHUT32), D(OPEN32 "{}" CLOSE32), D(DEEP32 "{}" SHUT32),
	D(DEEP32 DEEP32 DEEP32), S(DEEP32), S(OPEN32), S(DEEP32 SHUT32 "]"),

	/* ---- numbers */
	Y("-0"), Y("-1"), Y("10"), Y("0.5"), Y("-0.0"), Y("1e1"), Y("1E1"), Y("1e+1"), Y("1e-1"), Y("0e0"), Y("0E+1"),
	Y("1.5e10"), Y("123456789012345678901234567890"), Y("1e308"), Y("-1.7976931348623157e308"), Y("5e-324"),
	Y("1e-400"), Y("1e0000000000001"), Y(NINES60 "999"), Y("0." NINES60 "9"),
	Y("[-9223372036854775808,18446744073709551616]"), S("-"), S("+1"), S("--1"), S("01"), S("-01"), S("00"),
	S("1."), S(".1"), S("-.1"), S("1.e1"), S("0.e1"), S("1e"), S("1e+"), S("1eE1"), S("1e1.5"), S("0e"),
	S("1.2.3"), S("1 000"), S("1_000"), S("0x1F"), S("1f"), S("- 1"), S("1+2"), S("-a"), S("1,5"),
	S("\xef\xbc\x91"), S("-NaN"), S("2.e+3"), S("[1e]"), S("[-]"),
	/* longer than cJSON reads */
	Y(NINES60 "9999"), Y("0." NINES60 "99"), Y("-0." ZEROS60 "000000000000000001"), Y("[0." NINES60 NINES60 "e-9,1]"),
	Y(NINES60 NINES60 NINES60 NINES60 NINES60), Y("{\"a\":-" NINES60 "0000 ,\"b\":[1." ZEROS60 "01]}"), S("0" NINES60 "99"),
	S("0." NINES60 "999.1"), S("0." NINES60 "999e"),
	/* more than a double holds */
	S("1e309"), S("-1e309"), S("[1e999999]"), S("1." NINES60 NINES60 "e309"), S(NINES60 NINES60 NINES60 NINES60 NINES60 NINES60),

	/* ---- strings */
	Y("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), Y("\"\\u0041\\u00e9\\u20AC\""), Y("\"\\ud83d\\ude00\""),
	Y("\"\\uDBFF\\uDFFF\""), Y("\"\\ud800\\udc00\""), Y("\"\\u0001\\u001f\""), Y("\"\x7f\""),
	Y("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), Y("\"\xef\xbf\xbf\""), Y("\"\xf4\x8f\xbf\xbf\""),
	Y("\"\\uffff\\ufffe\""), Y("\"\\\\u0000\""), Y("\"/*\""), Y("\" \""), Y("\"\xe2\x80\xa8\xe2\x80\xa9\""),
	Y("\"\xef\xbb\xbf\""), Y("\"\\ud7ff\\ue000\""), Y("\"eight by eight bytes, more\""), S("\""), S("\"a"),
	S("\"\\\""), S("\"\\"), S("'a'"), S("\"\n\""), S("\"\t\""), S("\"\x1f\""), S("\"\0\""), S("\"\\a\""),
	S("\"\\v\""), S("\"\\0\""), S("\"\\x41\""), S("\"\\'\""), S("\"\\U0041\""), S("\"\\ \""), S("\"\\\n\""),
	S("\"\\\0\""), S("\"\\\xc3\xa9\""), S("\"\\u\""), S("\"\\u1\""), S("\"\\u123\""), S("\"\\u123g\""),
	S("\"\\u 123\""), S("\"\\u-123\""), S("\"\\u12"), S("\"\\u00\0001\""), S("\"\\ud83d\\u12\""), S("\"a\"b\""),
	/* not UTF-8, in bytes or in escapes */
	U("\"\xff\""), U("\"\xc3\""), U("\"\x80\""), U("\"\xc0\xaf\""),
	U("\"\xe0\x80\xaf\""), U("\"\xed\xa0\x80\""), U("\"\xf4\x90\x80\x80\""),
	U("\"\xf8\x88\x80\x80\x80\""), U("\"\xe2\x82\""), U("\"\xf0\x9f\x98"),
	U("{\"\xff\":1}"), U("[\"a\",\"\xfe\"]"), U("\"\\ud800\""), U("\"\\udc00\""),
	U("\"\\ud800a\""), U("\"\\ud800\\n\""), U("\"\\ud800\\u0041\""),
	U("\"\\ud800\\ud800\""), U("\"\\udc00\\ud800\""), U("\"\\udc00\\udc00\""), U("\"\\udfff\\udbff\""),
	U("{\"\\ud800\":1}"), U("\"\\uDBFF\\uE000\""), U("\"\\ud83d"),
	/* NUL */
	Z("\"\\u0000\""), Z("{\"a\\u0000b\":1}"), Z("[\"a\\u0000\"]"), Z("{\"\\u0000\":1}"),
};

/* The text stands alone in its memory, so that AddressSanitizer sees a look past its end. */
static enum json_fault
check_alone(struct arena *arena, const char *text, size_t length, size_t *at)
{
	char *copy = malloc(length ? length : 1);
	enum json_fault fault;

	memcpy(copy, text, length);
	fault = json_check(arena, copy, length, JSON_DEPTH, at);
	free(copy);
	return fault;
}

static void
texts_are_taken_and_refused(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t at = SIZE_MAX;
		enum json_fault fault = check_alone(arena, cases[i].text, cases[i].length, &at);

		if (fault != cases[i].fault)
			fail_msg("case %zu: %s: fault %d instead of %d", i, cases[i].text, fault, cases[i].fault);
		check(fault ? at <= cases[i].length : at == SIZE_MAX, cases[i].text);
		arena_reset(arena);
	}
	arena_free(arena);
}

/* cJSON must read whatever the check lets pass, and see the same in it. */
static void
cjson_takes_what_the_check_takes(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	json_use(arena);
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum json_fault fault = JSON_DEEP;
		cJSON *root = json_parse(arena, cases[i].text, cases[i].length, JSON_DEPTH, &fault);

		check(fault == cases[i].fault, cases[i].text);
		check((root != NULL) == (fault == JSON_GOOD), cases[i].text);
		arena_reset(arena);
	}
	json_use(NULL);
	arena_free(arena);
}

static void
long_numbers_keep_their_value_and_their_text(void **state)
{
	static const char text[] = "\xef\xbb\xbf{\"a\":0." ZEROS60 ZEROS60 "25,\"b\":[-" NINES60 "9999 ,7],\"c\":\"" NINES60 "9999\"}";
	struct arena *arena = arena_new(4096);
	enum json_fault fault;
	const struct json_text *members;

	(void)state;
	json_use(arena);
	cJSON *root = json_parse_members(arena, text, sizeof(text) - 1, JSON_DEPTH, &fault, &members);
	assert_non_null(root);
	assert_true(json_get(root, "a")->valuedouble == 25e-122);
	assert_true(cJSON_GetArrayItem(json_get(root, "b"), 0)->valuedouble == -1e64);
	assert_true(cJSON_GetArrayItem(json_get(root, "b"), 1)->valuedouble == 7);
	assert_string_equal(json_get(root, "c")->valuestring, NINES60 "9999");
	assert_string_equal(arena_copy(arena, members[1].s, members[1].length), "[-" NINES60 "9999 ,7]");
	json_use(NULL);
	arena_free(arena);
}

/* What is cut off anywhere is no longer good (numbers aside, which have good beginnings). */
static void
beginnings_are_refused(void **state)
{
	static const char text[] =
		"{\"name\":[1,-2.5e3,true,false,null,\"\\u0041\\ud83d\\ude00\xc3\xa9\"],\"b\":{\"c\":\"d\"}}";
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++)
		assert_int_not_equal(check_alone(arena, text, length, NULL), JSON_GOOD);
	assert_int_equal(check_alone(arena, text, sizeof(text) - 1, NULL), JSON_GOOD);
	arena_free(arena);
}

static void
faults_have_a_place(void **state)
{
	static const struct { const char *text; size_t at; } places[] = {
		{ "", 0 }, { "[1,x]", 3 }, { "[1] x", 4 }, { "{\"a\":01}", 6 }, { "[\"ab\xff\"]", 4 },
		{ "{\"a\":1, \"b\":2, \"a\":3}", 15 }, { "{\"b\":{\"x\":1,\"x\":2}}", 12 }, { "[[[\n\"", 5 },
	};
	struct arena *arena = arena_new(4096);

	(void)state;
	for (size_t i = 0; i < COUNT(places); i++) {
		size_t at = SIZE_MAX;

		check(check_alone(arena, places[i].text, strlen(places[i].text), &at) != JSON_GOOD, places[i].text);
		check(at == places[i].at, places[i].text);
	}
	arena_free(arena);
}

static void
the_caller_sets_the_depth(void **state)
{
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_int_equal(json_check(arena, "1", 1, 0, NULL), JSON_GOOD);
	assert_int_equal(json_check(arena, "[]", 2, 0, NULL), JSON_DEEP);
	assert_int_equal(json_check(arena, "{}", 2, 1, NULL), JSON_GOOD);
	assert_int_equal(json_check(arena, "[{}]", 4, 1, NULL), JSON_DEEP);
	assert_int_equal(json_check(arena, "[{},[]]", 7, 2, NULL), JSON_GOOD);
	arena_free(arena);
}

/* Whether the n names of an object, the last of which is `last`, are all different. */
static enum json_fault
check_many(struct arena *arena, int n, int last)
{
	struct buf text = { 0 };
	enum json_fault fault;

	for (int i = 0; i < n - 1; i++)
		buf_printf(&text, "%c\"k%d\":0", i ? ',' : '{', i * 7919 % n);
	buf_printf(&text, ",\"k%d\":0}", last);
	fault = json_check(arena, text.s, text.length, JSON_DEPTH, NULL);
	arena_reset(arena);
	buf_clear(&text);
	return fault;
}

/* So many that comparing each with each would take minutes. */
static void
doubles_are_found_among_many_names(void **state)
{
	enum { N = 100000 };
	struct arena *arena = arena_new(4096);

	(void)state;
	assert_int_equal(check_many(arena, N, N), JSON_GOOD);
	for (int last = 0; last < N; last += 9973)
		assert_int_equal(check_many(arena, N, last * 7919ll % N), JSON_TWICE);
	for (int n = 2; n < 40; n++)
		assert_int_equal(check_many(arena, n, 0), JSON_TWICE);
	arena_free(arena);
}

static void
what_is_written_is_read_back(void **state)
{
	static const char text[] = "a \"quote\", a \\, \b\t\n\f\r\x01\x1f\x7f, ğüşiöç €, 😀, </script>";
	struct arena *arena = arena_new(4096);
	struct buf json = { .arena = arena };
	enum json_fault fault;
	cJSON *root;

	(void)state;
	json_use(arena);
	json_put_list(&json, NULL);
	json_put_text(&json, NULL, text);
	json_put_number(&json, NULL, 0.1 + 0.2);
	json_put_number(&json, NULL, -1.7976931348623157e308);
	json_put_end_list(&json);
	root = json_parse(arena, json.s, json.length, JSON_DEPTH, &fault);
	assert_non_null(root);
	assert_string_equal(cJSON_GetArrayItem(root, 0)->valuestring, text);
	assert_true(cJSON_GetArrayItem(root, 1)->valuedouble == 0.1 + 0.2);
	assert_true(cJSON_GetArrayItem(root, 2)->valuedouble == -1.7976931348623157e308);
	json_use(NULL);
	arena_free(arena);
}

static void
cjson_lives_in_the_arena(void **state)
{
	struct arena *arena = arena_new(4096);
	enum json_fault fault;
	size_t before;
	cJSON *root;

	(void)state;
	json_use(arena);
	root = json_parse(arena, "[1,2,3]", 7, JSON_DEPTH, &fault);
	before = arena_used(arena);
	assert_true(before >= 4 * sizeof(cJSON));
	cJSON_Delete(root);
	assert_int_equal(arena_used(arena), before);
	assert_string_equal(cJSON_PrintUnformatted(cJSON_CreateString("x")), "\"x\"");
	assert_true(arena_used(arena) > before);
	/* and no longer, afterwards */
	json_use(NULL);
	before = arena_used(arena);
	cJSON_Delete(cJSON_CreateString("x"));
	assert_int_equal(arena_used(arena), before);
	arena_free(arena);
}

static void
a_member_is_cut_out_as_it_stands(void **state)
{
	static const struct { const char *text, *name, *member; } members[] = {
		{ "{\"a\":1.10}", "a", "1.10" }, { "{\"a\":12345678901234567890}", "a", "12345678901234567890" },
		{ " { \"a\" :\n [ 1 , {} ]\t, \"b\" : \" x \" } ", "a", "[ 1 , {} ]" },
		{ " { \"a\" :\n [ 1 , {} ]\t, \"b\" : \" x \" } ", "b", "\" x \"" },
		{ "{\"b\":{\"a\":1},\"a\":2}", "a", "2" }, { "{\"b\":[\"a\",{\"a\":1}],\"a\":null}", "a", "null" },
		{ "{\"b\":\",\\\"a\\\":3,\",\"a\":true}", "a", "true" }, { "{\"\\u0061\":\"\\u0061\"}", "a", "\"\\u0061\"" },
		{ "{\"\":0,\"a\":{}}", "", "0" }, { "{\"\xc3\xa7\":[]}", "\xc3\xa7", "[]" }, { "{\"\\u00e7\":[]}", "\xc3\xa7", "[]" },
		{ "{\"aa\":1}", "a", NULL }, { "{\"a\":1}", "aa", NULL }, { "{\"a\":1}", "A", NULL }, { "{}", "a", NULL },
		{ " { } ", "a", NULL }, { "[{\"a\":1}]", "a", NULL }, { "\"a\"", "a", NULL }, { "1", "a", NULL },
		{ "[{\"a\":1},{\"a\":2,\"b\":3}]", "b", NULL }, { "{\"b\":{\"c\":1,\"d\":2},\"a\":\r\n2 }", "a", "2" },
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	json_use(arena);
	for (size_t i = 0; i < COUNT(members); i++) {
		const struct json_text *text = NULL;
		enum json_fault fault;
		const cJSON *root = json_parse_members(arena, members[i].text, strlen(members[i].text), JSON_DEPTH, &fault,
			&text);
		const cJSON *item = root->child;

		for (; item && (!item->string || strcmp(item->string, members[i].name) != 0); item = item->next)
			text++;
		check((item != NULL) == (members[i].member != NULL), members[i].text);
		if (item)
			assert_string_equal(arena_copy(arena, text->s, text->length), members[i].member);
	}
	json_use(NULL);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_taken_and_refused),
		cmocka_unit_test(cjson_takes_what_the_check_takes),
		cmocka_unit_test(long_numbers_keep_their_value_and_their_text),
		cmocka_unit_test(beginnings_are_refused),
		cmocka_unit_test(faults_have_a_place),
		cmocka_unit_test(the_caller_sets_the_depth),
		cmocka_unit_test(doubles_are_found_among_many_names),
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(cjson_lives_in_the_arena),
		cmocka_unit_test(a_member_is_cut_out_as_it_stands),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
