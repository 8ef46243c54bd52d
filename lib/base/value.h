/*
 * value - one value with its type: a field of a request, a column of a row, or what is bound to a statement.
 *
 *	db_one(db, sql[FIND], ARGS(id, now, true, in[TITLE]))
 */
#ifndef OKUL_VALUE_H
#define OKUL_VALUE_H

#include "arena.h"
#include "base.h"

enum value_type {
	VALUE_NULL, VALUE_BOOL, VALUE_INT, VALUE_REAL, VALUE_TEXT, VALUE_BLOB,
	VALUE_LIST,		/* its elements */
	VALUE_OBJECT,		/* the values of a shape, by enumerator */
};

/* Borrowed: bytes must stay valid until the statement is reset. */
struct value {
	enum value_type type;
	unsigned named;		/* its place in the request, from 1, also when null; 0: not in the request */
	union {
		bool truth;
		int64_t integer;
		double real;
		struct {
			const void *bytes;
			size_t length;
		};
		struct {
			const struct value *items;
			size_t count;
		};
	};
};

#define ARGS_MAX 16

struct args {
	const struct value *values;
	size_t count;
};

static inline struct value value_null(void) { return (struct value){ .type = VALUE_NULL }; }
static inline struct value value_bool(bool b) { return (struct value){ .type = VALUE_BOOL, .truth = b }; }
static inline struct value value_int(int64_t i) { return (struct value){ .type = VALUE_INT, .integer = i }; }
static inline struct value value_real(double r) { return (struct value){ .type = VALUE_REAL, .real = r }; }
static inline struct value value_same(struct value v) { return v; }

/* NULL becomes SQL's NULL. */
static inline struct value value_text(const char *s)
{
	return s ? (struct value){ .type = VALUE_TEXT, .bytes = s, .length = strlen(s) } : value_null();
}

static inline struct value value_blob(const void *bytes, size_t length)
{
	return (struct value){ .type = VALUE_BLOB, .bytes = bytes, .length = length };
}

static inline struct value value_list(const struct value *items, size_t count)
{
	return (struct value){ .type = VALUE_LIST, .items = items, .count = count };
}

static inline struct value value_object(const struct value *items, size_t count)
{
	return (struct value){ .type = VALUE_OBJECT, .items = items, .count = count };
}

/* What a value holds; the fallback where it is null or of another type. Text ends with NUL. */
static inline const char *value_string(struct value v) { return v.type == VALUE_TEXT ? v.bytes : NULL; }
static inline int64_t value_integer(struct value v, int64_t fallback) { return v.type == VALUE_INT ? v.integer : fallback; }
static inline double value_number(struct value v, double fallback) { return v.type == VALUE_REAL ? v.real : fallback; }
static inline bool value_truth(struct value v, bool fallback) { return v.type == VALUE_BOOL ? v.truth : fallback; }
/* True for the same type and the same contents, that of elements too; whether they are named does not matter. */
bool value_equal(struct value a, struct value b);
/* The position of a text in a list that ends with NULL; 0, the first, where it is not in it. */
static inline int value_choice(struct value v, const char *const *choices)
{
	for (int i = 0; v.type == VALUE_TEXT && choices[i]; i++)
		if (strcmp(choices[i], v.bytes) == 0)
			return i;
	return 0;
}

/* A comparison or a negation is an int in C: use value_bool() for it. */
#define VALUE(x) _Generic((x), \
	bool: value_bool, \
	char *: value_text, const char *: value_text, \
	float: value_real, double: value_real, \
	struct value: value_same, \
	default: value_int)(x)

/* A list of up to ARGS_MAX arguments; NO_ARGS where there are none. Lives as long as the enclosing block. */
#define ARGS(...) ((struct args){ (const struct value[]){ VALUES(__VA_ARGS__) }, \
	sizeof((const struct value[]){ VALUES(__VA_ARGS__) }) / sizeof(struct value) })
#define NO_ARGS ((struct args){ (const struct value[]){ { VALUE_NULL } }, 0 })	/* not NULL: memcpy() takes none */

#define VALUES(...) VALUES_PICK(__VA_ARGS__, V16, V15, V14, V13, V12, V11, V10, V9, V8, V7, V6, V5, V4, V3, V2, V1, )(__VA_ARGS__)
#define VALUES_PICK(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, name, ...) name
#define V1(x) VALUE(x)
#define V2(x, ...) VALUE(x), V1(__VA_ARGS__)
#define V3(x, ...) VALUE(x), V2(__VA_ARGS__)
#define V4(x, ...) VALUE(x), V3(__VA_ARGS__)
#define V5(x, ...) VALUE(x), V4(__VA_ARGS__)
#define V6(x, ...) VALUE(x), V5(__VA_ARGS__)
#define V7(x, ...) VALUE(x), V6(__VA_ARGS__)
#define V8(x, ...) VALUE(x), V7(__VA_ARGS__)
#define V9(x, ...) VALUE(x), V8(__VA_ARGS__)
#define V10(x, ...) VALUE(x), V9(__VA_ARGS__)
#define V11(x, ...) VALUE(x), V10(__VA_ARGS__)
#define V12(x, ...) VALUE(x), V11(__VA_ARGS__)
#define V13(x, ...) VALUE(x), V12(__VA_ARGS__)
#define V14(x, ...) VALUE(x), V13(__VA_ARGS__)
#define V15(x, ...) VALUE(x), V14(__VA_ARGS__)
#define V16(x, ...) VALUE(x), V15(__VA_ARGS__)

/*
 * The arguments of a PATCH for SQL_CHANGED() of lib/store/sql.h, in the arena: `first`, and then for each of the
 * first `count` fields of the request whether it is named, and its value.
 */
struct args args_changes(struct arena *arena, struct args first, const struct value *in, size_t count);

#endif
