/* If-Match and If-None-Match: a value that matches a tag is "*" or contains it, and matches with other tags added. */
#include "fuzz.h"
#include "tag.h"
#include "buf.h"

#define TAG "\"0123456789abcdef\""
#define OTHER "\"fedcba9876543210\""

static bool
named_in(const char *before, const char *value, const char *behind, const char *etag)
{
	struct buf list = { 0 };

	buf_printf(&list, "%s%s%s", before, value, behind);
	bool found = tag_listed(list.s, etag, TAG_RECODED, 0);
	buf_clear(&list);
	return found;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *value = string_of(data, size);
	bool found = tag_listed(value, TAG, TAG_RECODED, 0), any = tag_listed(value, "", TAG_RECODED, 0);
	bool list = named_in(OTHER ",", value, "", OTHER);

	must(!any || (found && !list && value[strspn(value, " \t*")] == '\0'));
	must(!found || any || (list && strstr(value, "\"0123456789abcdef")));
	must(named_in("", value, "," TAG, TAG) == list);
	must(named_in(OTHER ", W/", value, "", TAG) == (found && !any && *value == '"'));
	free(value);
	return 0;
}
