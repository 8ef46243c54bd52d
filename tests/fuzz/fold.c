/*
 * Folding of any bytes: what comes of it is folded for good, whatever stands around it, and holds the words of the text. And
 * the other forms in which texts are kept.
 */
#include "text.h"

#include "fuzz.h"

static const char *
folded(struct arena *arena, const char *s, size_t length)
{
	struct buf out = { .arena = arena };

	buf_puts(&out, "");
	buf_fold(&out, s, length);
	return out.s;
}

static void
check_kept(struct arena *arena, const char *text)
{
	char *line = arena_string(arena, text), *lines = arena_string(arena, text);

	text_drop_directions(line);
	text_unify_lines(lines);
	must(strlen(line) <= strlen(text) && strlen(lines) <= strlen(text));
	must(!text_is_utf8(text, strlen(text)) || text_is_utf8(line, strlen(line)));
	must(text_has_control(text, "\t\n") || !text_has_control(text, "\t\n\r"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;

	if (!arena)
		arena = arena_new(4096);
	arena_reset(arena);
	const char *text = arena_copy(arena, (const char *)data, size), *trimmed = text, *again;
	size_t length = strlen(text);
	const char *once = folded(arena, text, length), *words = text_words(arena, text), *match = text_match(arena, text);

	must(text_is_utf8(once, strlen(once)) && strcmp(folded(arena, once, strlen(once)), once) == 0);
	must(!words || (words[0] && text_has_words(once, strlen(once), words, strlen(words))));
	must(!match || (words && match[0] == '"'));
	text_trim(&trimmed, &length);
	again = trimmed;
	size_t rest = length;
	text_trim(&again, &rest);
	must(again == trimmed && rest == length);
	must(length > 0 || !words);
	check_kept(arena, text);
	return 0;
}
