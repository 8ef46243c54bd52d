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
