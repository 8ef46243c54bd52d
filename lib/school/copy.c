#include "copy.h"

#include "fold.h"
#include "text.h"
#include "utf8.h"

#include <strings.h>

/* The number of an ending "(word)" or "(word n)", or 0. [s, s + length) is the text between the parentheses. */
static int64_t
number_of(const char *s, size_t length)
{
	int64_t number;

	for (enum language language = 0; language < LANGUAGES; language++) {
		const char *word = sentence(S_COPY, language);
		size_t word_length = strlen(word);
		char digits[8] = "";

		if (length < word_length || strncasecmp(s, word, word_length) != 0)
			continue;
		if (length == word_length)
			return 1;
		size_t rest = length - word_length - 1;
		if (s[word_length] != ' ' || rest == 0 || rest >= sizeof(digits) || s[word_length + 1] == '0')
			continue;
		memcpy(digits, s + word_length + 1, rest);
		if (text_is_digits(digits) && text_to_int(digits, 1, COPY_MAX, &number))
			return number;
	}
	return 0;
}

struct copy
copy_of(const char *title)
{
	size_t length = strlen(title);
	const char *open = strrchr(title, '(');
	int64_t number = 0;

	/* Before the parenthesis there must be a stem and a space. */
	if (open && open > title + 1 && open[-1] == ' ' && title[length - 1] == ')')
		number = number_of(open + 1, (size_t)(title + length - 1 - (open + 1)));
	return (struct copy){ title, number > 0 ? (size_t)(open - 1 - title) : length, number };
}

const char *
copy_title(struct arena *arena, const struct copy *copy, enum language language, size_t points)
{
	const char *word = sentence(S_COPY, language);
	const char *ending = copy->number > 1 ? arena_format(arena, " (%s %lld)", word, (long long)copy->number)
					      : arena_format(arena, " (%s)", word);
	const char *stem = arena_copy(arena, copy->stem, copy->length);

	stem = utf8_clip(arena, stem, points - utf8_points(ending, strlen(ending)));
	size_t length = strlen(stem);
	utf8_trim(&stem, &length); /* the cut may end with a space */
	return arena_format(arena, "%.*s%s", (int)length, stem, ending);
}

static bool
is_taken(struct arena *arena, struct db *db, const char *sql, const struct copy *copy, size_t points)
{
	struct value values[LANGUAGES];

	for (enum language language = 0; language < LANGUAGES; language++) {
		const char *title = copy_title(arena, copy, language, points);
		struct buf folded = { .arena = arena };
		fold_text(&folded, title, strlen(title));
		values[language] = value_text(folded.s);
	}
	return db_number(db, NULL, sql, (struct args){ values, LANGUAGES }) == DB_ROW;
}

const char *
copy_next_title(struct arena *arena, struct db *db, const char *taken, const char *title, enum language language, size_t points)
{
	const struct copy own = copy_of(title);
	struct copy last = own, free = own; /* the highest known taken number, and a free one above it */

	for (int64_t step = 1;; step *= 2) {
		free.number = last.number + step < COPY_MAX ? last.number + step : COPY_MAX;
		if (free.number == COPY_MAX || !is_taken(arena, db, taken, &free, points))
			break;
		last = free;
	}
	while (free.number - last.number > 1) {
		struct copy middle = own;
		middle.number = (last.number + free.number) / 2;
		*(is_taken(arena, db, taken, &middle, points) ? &last : &free) = middle;
	}
	return copy_title(arena, &free, language, points);
}
