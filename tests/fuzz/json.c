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
check_members(struct arena *arena, const char *text, size_t size, const cJSON *root, const struct json_text *member)
{
	const cJSON *child;
	enum json_fault fault;

	cJSON_ArrayForEach(child, root) {
		must(member->s >= text && member->length > 0 && member->s + member->length <= text + size);
		must(!strchr(" \t\r\n", member->s[0]) && !strchr(" \t\r\n", member->s[member->length - 1]));
		const cJSON *alone = json_parse(arena, member->s, member->length, JSON_DEPTH - 1, &fault);
		must(alone && cJSON_Compare(alone, child, true));
		member++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	const struct json_text *members = NULL;
	enum json_fault fault, again;
	size_t at = SIZE_MAX;
	cJSON *root;

	if (!arena)
		arena = arena_new(4096);
	arena_reset(arena);
	json_use(arena);
	fault = json_check(arena, (const char *)data, size, JSON_DEPTH, &at);
	must(fault ? at <= size : at == SIZE_MAX);
	root = json_parse_members(arena, (const char *)data, size, JSON_DEPTH, &again, &members);
	must(again == fault);
	must((root != NULL) == (fault == JSON_GOOD));
	if (root) {
		must(utf8_is_valid((const char *)data, size));
		check_tree(root, 1);
		if (cJSON_IsObject(root))
			check_members(arena, (const char *)data, size, root, members);
	}
	return 0;
}
