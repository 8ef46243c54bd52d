#include "data.h"
#include "json_write.h"
#include "unit.h"

#include <float.h>
#include <math.h>

/* A response with its buffers. `out` has no arena, as that of a program. */
struct fixture {
	struct arena *arena;
	struct buf out;
	struct request rq;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = arena_new(1 << 16);
	f->rq = (struct request){ .arena = f->arena, .out = &f->out, .success = 201 };
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	buf_clear(&f->out);
	arena_free(f->arena);
	free(f);
	return 0;
}

typedef void handler(struct request *rq);

/* The JSON that a handler writes; valid until the next call. */
static const char *
written(struct fixture *f, handler *put)
{
	f->rq.keeps = false;
	put(&f->rq);
	assert_false(f->out.failed);
	return f->out.s;
}

/* The same by keeping the values as inside a write transaction. Checks that no more memory is needed after data_reserve(). */
static const char *
kept(struct fixture *f, handler *put)
{
	data_keep(&f->rq);
	put(&f->rq);
	assert_true(f->rq.keeps);
	buf_clear(&f->out);
	assert_true(data_reserve(&f->rq));
	const char *s = f->out.s;
	size_t room = f->out.room;
	data_write(&f->rq);
	assert_false(f->rq.keeps || f->out.failed);
	json_put_list(&f->out, "errors");	/* as send.c ends the envelope */
	json_put_end_list(&f->out);
	json_put_time(&f->out, "timestamp", INT64_MAX);
	json_put_end_object(&f->out);
	assert_ptr_equal(f->out.s, s);
	assert_int_equal(f->out.room, room);
	assert_true(f->out.length <= f->rq.kept_room);
	f->out.length = (size_t)(strstr(s, ",\"errors\":") - s);
	f->out.s[f->out.length] = '\0';
	return s;
}

static void
same(struct fixture *f, handler *put)
{
	char *direct = strdup(written(f, put));

	assert_string_equal(kept(f, put), direct);
	free(direct);
}

/* ---- values */

static void
put_texts(struct request *rq)
{
	static const char *const texts[] = {
		"", "plain", "a \"quoted\" word", "back\\slash", "\b\t\n\v\f\r\x01\x1f\x7f", "Günaydın 😀 / </script>", "1234567", "12345678",
		"{\"a\":[1]}", ",", "[",
	};

	data_text(rq, "null", NULL);
	for (size_t i = 0; i < COUNT(texts); i++)
		data_text(rq, "text", texts[i]);
	data_text(rq, "a name that is longer than any number or time could ever be written", "");
}

static void
put_numbers(struct request *rq)
{
	static const int64_t numbers[] = { 0, 1, -1, 42, INT64_MAX, INT64_MIN };
	static const double reals[] = { 0, -0.0, 0.1, 1.0 / 3, -4.17, 5e-324, -DBL_MAX, DBL_MIN, 1e21, 1e9 };

	for (size_t i = 0; i < COUNT(numbers); i++)
		data_int(rq, "int", numbers[i]);
	for (size_t i = 0; i < COUNT(reals); i++)
		data_number(rq, "number", reals[i]);
	data_bool(rq, "yes", true);
	data_bool(rq, "no", false);
	data_bool(rq, "pointer", rq);
	data_null(rq, "null");
	data_time(rq, "time", INT64_C(1767225600123));
	data_time(rq, "epoch", 0);
	data_raw(rq, "raw", "{\"a\":[1, 2.50]} cut", 15);
	data_raw(rq, "text", "\"\\u0001\"", 8);
}

static void
put_values(struct request *rq)
{
	static const struct field fields[] = {
		{ "text", FIELD_TEXT }, { "int", FIELD_INT }, { "number", FIELD_NUMBER }, { "bool", FIELD_BOOL }, { "time", FIELD_TIME },
		{ "id", FIELD_ID }, { "json", FIELD_JSON }, { "object", FIELD_OBJECT }, { "list", FIELD_LIST },
	};
	const struct value values[] = { value_null(), value_bool(true), value_bool(false), value_int(0), value_int(7), value_real(2.5),
		value_text("[\"x\"]"), value_blob("[1]..", 3) };

	for (size_t i = 0; i < COUNT(fields); i++)
		for (size_t k = 0; k < COUNT(values); k++)
			data_value(rq, &fields[i], &values[k]);
}

/* What is made later: the facts, of any size, as a text, or as an object around it. */
struct facts { unsigned char length; char text[300]; bool nested; };

static void
write_later(struct request *rq, const char *name, const void *of)
{
	struct facts facts = { 0 };

	memcpy(&facts, of, *(const unsigned char *)of + sizeof(facts.length));
	if (facts.length % 2) {
		data_text(rq, name, facts.text);
		return;
	}
	data_object(rq, name);
	data_text(rq, "text", facts.text);
	data_list(rq, "list");
	data_int(rq, NULL, facts.length);
	data_end_list(rq);
	data_end_object(rq);
}

static void
put_later(struct request *rq)
{
	struct facts facts = { 0 };

	for (size_t length = 0; length < 160; length++) {
		facts.length = (unsigned char)length;
		data_later(rq, "later", write_later, &facts, sizeof(facts.length) + length, 1024);
		facts.text[length] = "\x01x\"\\"[length % 4];
	}
	memset(&facts, 'x', sizeof(facts));	/* what was kept is a copy */
}

static void
put_everything(struct request *rq)
{
	data_begin(rq, '{');
	put_texts(rq);
	data_object(rq, "empty");
	data_end_object(rq);
	put_numbers(rq);
	data_list(rq, "empty");
	data_end_list(rq);
	put_values(rq);
	put_later(rq);
	for (int depth = 0; depth < 50; depth++) {
		data_list(rq, "list");
		data_int(rq, NULL, depth);
		data_object(rq, NULL);
		data_text(rq, "text", "a");
	}
	for (int depth = 0; depth < 50; depth++) {
		data_end_object(rq);
		data_text(rq, NULL, "behind");
		data_end_list(rq);
	}
	data_end_object(rq);
}

static void
put_empty_list(struct request *rq)
{
	data_begin(rq, '[');
	data_end_list(rq);
}

/* Of 0 to 100,000 bytes; around the sizes of the words that the writer and the records are made of, each. */
static void
put_long_texts(struct request *rq)
{
	static char text[100001];

	memset(text, 'x', sizeof(text));
	data_begin(rq, '[');
	for (size_t length = 0; length < sizeof(text); length += length < 40 ? 1 : length) {
		text[length] = '\0';
		data_text(rq, NULL, text);
		text[length] = length % 3 ? 'y' : '"';
	}
	data_end_list(rq);
}

static void
kept_values_are_written_as_others_are(void **state)
{
	same(*state, put_everything);
	same(*state, put_empty_list);
	same(*state, put_long_texts);
}

/* ---- memory */

static char control[400];
static size_t control_length;

/* As little as there can be around what takes the most. */
static void
put_controls(struct request *rq)
{
	data_begin(rq, '[');
	data_text(rq, NULL, control);
	data_end_list(rq);
}

static void
put_many_controls(struct request *rq)
{
	data_begin(rq, '{');
	for (size_t i = 0; i < 200; i++)
		data_text(rq, "t", control);
	data_end_object(rq);
}

static void
put_times(struct request *rq)
{
	data_begin(rq, '[');
	for (size_t i = 0; i < 200; i++) {
		data_number(rq, NULL, -DBL_MAX / 3);
		data_int(rq, NULL, INT64_MIN);
		data_time(rq, NULL, INT64_C(1767225600123));
	}
	data_end_list(rq);
}

static void
reserved_memory_is_enough(void **state)
{
	for (control_length = 0; control_length < sizeof(control) - 1; control_length++) {
		memset(control, '\x1f', control_length);
		control[control_length] = '\0';
		same(*state, put_controls);
		same(*state, put_many_controls);
	}
	same(*state, put_times);
}

static void
too_little_memory_is_found_before_the_commit(void **state)
{
	struct fixture *f = *state;

	data_keep(&f->rq);
	put_empty_list(&f->rq);
	f->rq.kept_room = SIZE_MAX / 2;
	assert_false(data_reserve(&f->rq));
	data_keep(&f->rq);
	put_empty_list(&f->rq);
	f->rq.kept.failed = true;
	assert_false(data_reserve(&f->rq));
}

/* ---- the whole */

static void
put_twice(struct request *rq)
{
	put_everything(rq);
	put_empty_list(rq);
}

static void
put_after_half(struct request *rq)
{
	data_begin(rq, '{');
	data_list(rq, "half");
	data_text(rq, NULL, "dropped");
	put_empty_list(rq);
}

static void
beginning_again_drops_what_was_there(void **state)
{
	static const char empty[] = "{\"isSuccess\":true,\"statusCode\":201,\"data\":[]";

	assert_string_equal(written(*state, put_twice), empty);
	assert_string_equal(written(*state, put_after_half), empty);
	assert_string_equal(kept(*state, put_twice), empty);
	assert_string_equal(kept(*state, put_after_half), empty);
	assert_string_equal(written(*state, put_empty_list), empty);
}

/* As etag_guard_again() compares them: whatever lay in memory before. */
static void
equal_values_are_kept_as_equal_bytes(void **state)
{
	struct fixture *f = *state;
	struct buf first;

	memset(arena_alloc(f->arena, 1 << 15), 0xa5, 1 << 15);
	data_keep(&f->rq);
	put_everything(&f->rq);
	first = f->rq.kept;
	data_keep(&f->rq);
	put_everything(&f->rq);
	assert_int_equal(f->rq.kept.length, first.length);
	assert_ptr_not_equal(f->rq.kept.s, first.s);
	assert_memory_equal(f->rq.kept.s, first.s, first.length);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kept_values_are_written_as_others_are, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reserved_memory_is_enough, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_little_memory_is_found_before_the_commit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(beginning_again_drops_what_was_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(equal_values_are_kept_as_equal_bytes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
