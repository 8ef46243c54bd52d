#include "json_write.h"
#include "unit.h"

/* A text that may hold NUL bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void
json_strings_are_escaped(void **state)
{
	static const struct { const char *text; size_t length; const char *json; } cases[] = {
		{ BYTES(""), "\"\"" },
		{ BYTES("plain"), "\"plain\"" },
		{ BYTES("a \"quoted\" word"), "\"a \\\"quoted\\\" word\"" },
		{ BYTES("back\\slash"), "\"back\\\\slash\"" },
		{ BYTES("\b\t\n\v\f\r"), "\"\\b\\t\\n\\u000b\\f\\r\"" },
		{ BYTES("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
		{ BYTES("Günaydın 😀 / </script>"), "\"Günaydın 😀 / </script>\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf buf = { 0 };

		json_put_text_of(&buf, NULL, cases[i].text, cases[i].length);
		assert_string_equal(buf.s, cases[i].json);
		buf_clear(&buf);
	}
}

/* The fast look at eight bytes at a time must see each special byte in each place of a word. */
static void
json_escapes_are_seen_in_every_place(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		for (size_t at = 0; at < 24; at++) {
			char text[24];
			struct buf buf = { 0 };
			bool escaped = byte < 0x20 || byte == '"' || byte == '\\';

			memset(text, 'x', sizeof(text));
			text[at] = (char)byte;
			json_put_text_of(&buf, NULL, text, sizeof(text));
			assert_int_equal(buf.length > 26, escaped);
			assert_int_equal(buf.s[1 + at], escaped ? '\\' : (char)byte);
			buf_clear(&buf);
		}
	}
}

/* Brackets, quotes and commas at the ends of texts do not decide where a comma goes. */
static void
commas_stand_between_values(void **state)
{
	struct arena *arena = arena_new(1024);
	struct buf out = { .arena = arena };

	(void)state;
	json_put_object(&out, NULL);
	json_put_text(&out, "text", "[{,");
	json_put_text(&out, "none", NULL);
	json_put_text_of(&out, "part", "abc", 2);
	json_put_list(&out, "list");
	json_put_int(&out, NULL, -7);
	json_put_number(&out, NULL, 0.5);
	json_put_object(&out, NULL);
	json_put_end_object(&out);
	json_put_bool(&out, NULL, true);
	json_put_end_list(&out);
	json_put_time(&out, "at", 0);
	json_put_null(&out, "null");
	json_put_raw(&out, "raw", "[1]");
	json_put_raw_of(&out, "some", "{}x", 2);
	json_put_end_object(&out);
	assert_string_equal(out.s, "{\"text\":\"[{,\",\"none\":null,\"part\":\"ab\",\"list\":[-7,0.5,{},true],"
		"\"at\":\"1970-01-01T00:00:00.000Z\",\"null\":null,\"raw\":[1],\"some\":{}}");
	arena_free(arena);
}

static void
a_tree_is_written_as_it_was_read(void **state)
{
	static const char text[] = "{\"a \\\"key\\\"\":[1,-2.5,\"x\\n\",true,false,null,{},[]],\"\":{\"b\":{\"c\":0}}}";
	struct arena *arena = arena_new(4096);
	struct buf out = { .arena = arena };
	enum json_fault fault;

	(void)state;
	json_use(arena);
	json_put_tree(&out, NULL, json_parse(arena, text, strlen(text), JSON_DEPTH, &fault));
	assert_string_equal(out.s, text);
	json_use(NULL);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_strings_are_escaped),
		cmocka_unit_test(json_escapes_are_seen_in_every_place),
		cmocka_unit_test(commas_stand_between_values),
		cmocka_unit_test(a_tree_is_written_as_it_was_read),
	};

	return cmocka_run_group_tests_name("json_write", tests, NULL, NULL);
}
