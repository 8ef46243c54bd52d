#include "value.h"

struct args
args_changes(struct arena *arena, struct args first, const struct value *in, size_t count)
{
	struct value *values = arena_alloc(arena, (first.count + 2 * count) * sizeof(*values));
	size_t n = first.count;

	memcpy(values, first.values, first.count * sizeof(*values));
	for (size_t i = 0; i < count; i++) {
		values[n++] = VALUE(in[i].named != 0);
		values[n++] = in[i];
	}
	return (struct args){ values, n };
}
