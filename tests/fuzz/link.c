/* Signed URLs and file names: only the right signature is valid, and no name ends its header. */
#include "fuzz.h"
#include "link.h"
#include "random.h"
#include "url.h"
#include "utf8.h"

#define KEY "0123456789abcdef01234567.png"
#define NOW INT64_C(1767225600000)

static void
name(struct arena *arena, const char *text)
{
	struct buf out = { .arena = arena };
	const char *star, *end;

	if (!utf8_is_valid(text, strlen(text)))
		return;
	link_put_disposition(&out, false, text);
	for (size_t i = 0; i < out.length; i++)
		must(out.s[i] >= ' ' && out.s[i] < 0x7F);
	must(strncmp(out.s, "attachment; filename=\"", 22) == 0);
	end = strchr(out.s + 22, '"');
	must(end && !memchr(out.s + 22, '\\', (size_t)(end - out.s - 22)));
	star = strstr(end, "filename*=UTF-8''");
	if (star) {
		const char *back = url_decode(arena, star + 17, strlen(star + 17), false);
		must(back && strcmp(back, text) == 0);
	} else {
		must(end[1] == '\0' && strncmp(out.s + 22, text, (size_t)(end - out.s - 22)) == 0);
	}
}

static void
file_name(struct arena *arena, const char *text, enum media_type type)
{
	const char *kept = link_file_name(arena, text, type);
	size_t length = strlen(kept);

	must(length > 0 && utf8_is_valid(kept, length) && utf8_points(kept, length) <= LINK_NAME_MAX);
	must(!strpbrk(kept, "/\\") && kept[0] != '.' && kept[0] != ' ' && !strstr(kept, "\u202e"));
	for (const char *s = kept; *s; s++)
		must((unsigned char)*s >= ' ' && *s != 0x7f);
	must(strcmp(link_file_name(arena, kept, type), kept) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf conf = { .base_url = "", .link_key = "0123456789abcdef0123456789abcde" };
	static struct arena *arena;
	char *text = string_of(data, size);
	const char *unknown = NULL;

	if (!arena) {
		random_init();
		arena = arena_new(4096);
	}
	arena_reset(arena);
	enum link_state state = link_check(arena, &conf, KEY, text, NOW, &unknown);
	must((state == LINK_UNKNOWN) == (unknown != NULL));
	/* only the signature from link_url() is valid; the corpus has it */
	const char *right = strstr(link_url(arena, &conf, KEY, false, NULL, NOW), "signature=") + 10;
	must(state != LINK_GOOD || strlen(text) >= strlen(right));
	name(arena, text);
	file_name(arena, text, (enum media_type)(MEDIA_PNG + size % (MEDIA_TYPES - 1)));
	free(text);
	return 0;
}
