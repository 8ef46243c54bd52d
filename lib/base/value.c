#include "value.h"

struct args
args_changes(struct arena *arena, struct args first, const struct value *in, size_t count)
{
	struct value *values = arena_alloc(arena, (first.count + 2 * count) * sizeof(*values));
	size_t n = first.count;

	memcpy(values, first.values, first.count * sizeof(*values));
	for (size_t i = 0; i < count; i++) {
		values[n++] = value_bool(in[i].named);
		values[n++] = in[i];
	}
	return (struct args){ values, n };
}

bool
value_equal(struct value a, struct value b)
{
	if (a.type != b.type)
		return false;
	switch (a.type) {
	case VALUE_NULL: return true;
	case VALUE_BOOL: return a.truth == b.truth;
	case VALUE_INT: return a.integer == b.integer;
	case VALUE_REAL: return a.real == b.real;
	case VALUE_TEXT:
	case VALUE_BLOB: return a.length == b.length && memcmp(a.bytes, b.bytes, a.length) == 0;
	default:
		for (size_t i = 0; a.count == b.count && i < a.count; i++)
			if (!value_equal(a.items[i], b.items[i]))
				return false;
		return a.count == b.count;
	}
}
