/* Origins: a valid one needs no escaping in a header or in nginx's configuration, and parsing it again is lossless. */
#include "fuzz.h"
#include "origin.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *list = string_of(data, size);
	struct buf all = { 0 }, again = { 0 };
	const char *rest, *entry;
	size_t length, count = 0;

	origin_list(&all, list);
	must(all.s && !all.failed);
	rest = all.s;
	while ((entry = origin_next(&rest, &length))) {
		char *one = strndup(entry, length);

		must(one && origin_in(all.s, one));
		must(strstr(one, "://") > one && one[length - 1] != '/');
		must(strspn(one, "abcdefghijklmnopqrstuvwxyz0123456789+-._:/[]") == length);
		free(one);
		count++;
	}
	must((count == 0) == (all.length == 0));
	origin_list(&again, all.s);
	must(again.length == all.length && memcmp(again.s, all.s, all.length) == 0);
	buf_clear(&all);
	buf_clear(&again);
	free(list);
	return 0;
}
