/*
 * Folding of any bytes: folding is idempotent, and the folded text contains the words of the text. Also tests the other
 * normalizations of stored texts.
 */
#include "text.h"

#include "buf.h"
#include "fold.h"
#include "fuzz.h"
#include "utf8.h"

static const char *
folded(struct arena *arena, const char *s, size_t length)
{
	struct buf out = { .arena = arena };

	buf_puts(&out, "");
	fold_text(&out, s, length);
	return out.s;
}

static void
check_kept(struct arena *arena, const char *text)
{
	char *line = arena_string(arena, text), *lines = arena_string(arena, text);

	utf8_drop_directions(line);
	text_unify_lines(lines);
	must(strlen(line) <= strlen(text) && strlen(lines) <= strlen(text));
	must(!utf8_is_valid(text, strlen(text)) || utf8_is_valid(line, strlen(line)));
	must(utf8_has_control(text, "\t\n") || !utf8_has_control(text, "\t\n\r"));
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
	const char *once = folded(arena, text, length), *words = fold_words(arena, text), *match = fold_match(arena, text);

	must(utf8_is_valid(once, strlen(once)) && strcmp(folded(arena, once, strlen(once)), once) == 0);
	must(!words || (words[0] && fold_has_words(once, words, NULL)));
	must(!match || (words && match[0] == '"'));
	utf8_trim(&trimmed, &length);
	again = trimmed;
	size_t rest = length;
	utf8_trim(&again, &rest);
	must(again == trimmed && rest == length);
	must(length > 0 || !words);
	check_kept(arena, text);
	return 0;
}
