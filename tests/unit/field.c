#include "field.h"
#include "unit.h"

static const struct shape element = { .name = "ElementDto", .fields = FIELDS(
	{ "text", TEXT, 1, 9 },
	{ "size", NUMBER, 0, 9 }) };
static const struct shape base = { .name = "BaseDto", .fields = FIELDS(
	{ "name", TEXT, 1, 9 },
	{ "list", LIST, 1, 20, .of = &element }) };
static const struct shape shape = { .name = "ShapeDto", .fields = FIELDS(
	{ "first", TEXT, 1, 9 },
	{ "", PLUS, .of = &base },
	{ "names", INT, 1, 9 }) };

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_stand_in_the_order_of_the_shape),
		cmocka_unit_test(a_fault_names_its_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
