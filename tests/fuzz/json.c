/*
 * Whatever the check lets pass, cJSON reads; and what it reads is what the check promises. A member that is cut out reads as
 * it does in its place.
 */
#include "json.h"

#include "fuzz.h"
#include "utf8.h"

#include <math.h>

static void
check_tree(const cJSON *item, int depth)
{
	const cJSON *child;

	must(!item->valuestring || utf8_is_valid(item->valuestring, strlen(item->valuestring)));
	must(!cJSON_IsNumber(item) || isfinite(item->valuedouble));
	must(depth <= JSON_DEPTH || !(cJSON_IsObject(item) || cJSON_IsArray(item)));
	cJSON_ArrayForEach(child, item) {
		/* the first of its name, and so the only one */
		must(!cJSON_IsObject(item) || cJSON_GetObjectItemCaseSensitive(item, child->string) == child);
		check_tree(child, depth + 1);
	}
}

static void
check_members(struct arena *arena, const char *text, size_t size, const cJSON *root)
{
	const cJSON *child;
	enum json_fault fault;
	size_t length;

	cJSON_ArrayForEach(child, root) {
		const char *member = json_member(arena, text, size, child->string, &length);
		must(member && member >= text && length > 0 && member + length <= text + size);
		must(!strchr(" \t\r\n", member[0]) && !strchr(" \t\r\n", member[length - 1]));
		const cJSON *alone = json_parse(arena, member, length, JSON_DEPTH - 1, &fault);
		must(alone && cJSON_Compare(alone, child, true));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	enum json_fault fault, again;
	size_t at = SIZE_MAX;
	cJSON *root;

	if (!arena)
		arena = arena_new(4096);
	arena_reset(arena);
	json_use(arena);
	fault = json_check(arena, (const char *)data, size, JSON_DEPTH, &at);
	must(fault ? at <= size : at == SIZE_MAX);
	root = json_parse(arena, (const char *)data, size, JSON_DEPTH, &again);
	must(again == fault);
	must((root != NULL) == (fault == JSON_GOOD));
	if (root) {
		must(utf8_is_valid((const char *)data, size));
		check_tree(root, 1);
		if (cJSON_IsObject(root))
			check_members(arena, (const char *)data, size, root);
	}
	return 0;
}
