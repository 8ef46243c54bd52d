/* Percent-decoding: the result is UTF-8 without NUL, and encoding and decoding it again returns the same. */
#include "fuzz.h"
#include "buf.h"
#include "encode.h"
#include "url.h"
#include "utf8.h"

static void
check(struct arena *arena, const char *s, size_t size, bool plus)
{
	char *decoded = url_decode(arena, s, size, plus), *again;
	struct buf hex = { .arena = arena }, encoded = { .arena = arena };
	size_t length;

	if (!decoded)
		return;
	length = strlen(decoded);
	must(length <= size);
	must(utf8_is_valid(decoded, length));
	must(utf8_points(decoded, length) <= length);
	encode_hex(&hex, decoded, length);
	for (size_t i = 0; i < length; i++)
		buf_printf(&encoded, "%%%.2s", hex.s + 2 * i);
	again = url_decode(arena, encoded.s ? encoded.s : "", encoded.length, plus);
	must(again && strcmp(again, decoded) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;

	if (!arena)
		arena = arena_new(4096);
	arena_reset(arena);
	check(arena, (const char *)data, size, false);
	check(arena, (const char *)data, size, true);
	return 0;
}
