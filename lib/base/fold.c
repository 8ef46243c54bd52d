#include "fold.h"

#include "utf8.h"

#include <utf8proc.h>

/* Letters that Unicode does not decompose, as typed on a keyboard without them; and punctuation of phones. */
static const char *
plain_letter(int32_t point)
{
	switch (point) {
	case 0x131: return "i";		/* dotless i */
	case 0x237: return "j";
	case 0xE6: return "ae";
	case 0x153: return "oe";
	case 0xF8: return "o";
	case 0xFE: return "th";
	case 0xF0:
	case 0x111:
	case 0x257: return "d";
	case 0x127: return "h";
	case 0x142: return "l";
	case 0x14B: return "n";
	case 0x167: return "t";
	case 0x138: return "k";
	case 0x199: return "k";		/* with a hook: Hausa, as b, d and y */
	case 0x253: return "b";
	case 0x1B4: return "y";
	case 0x1B6: return "z";
	case 0x2BC:
	case 0x2018:
	case 0x2019: return "'";
	case 0x2010:
	case 0x2011:
	case 0x2013: return "-";
	default: return NULL;
	}
}

/*
 * True for marks that people omit: accents, and the vowel points of Hebrew and Arabic. By canonical combining class:
 * vowels and tones of Indic scripts and Thai, and the voicing marks of kana, have others.
 */
static bool
is_accent(int32_t point)
{
	unsigned class = (unsigned)utf8proc_get_property(point)->combining_class;

	return class >= 200 || class == 1 || (class >= 10 && class <= 36);
}

static void
fold_letter(struct buf *buf, int32_t letter)
{
	utf8proc_int32_t lower[4];
	int boundary = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char(letter, lower, COUNT(lower), UTF8PROC_CASEFOLD, &boundary);

	for (utf8proc_ssize_t i = 0; i < count && count <= (utf8proc_ssize_t)COUNT(lower); i++) {
		const char *plain = plain_letter(lower[i]);
		char utf8[4];

		if (plain)
			buf_puts(buf, plain);
		else
			buf_put(buf, utf8, (size_t)utf8proc_encode_char(lower[i], (utf8proc_uint8_t *)utf8));
	}
}

static void
fold_point(struct buf *buf, int32_t point)
{
	utf8proc_int32_t parts[18];	/* no compatibility decomposition is longer (U+FDFA) */
	int boundary = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char(point, parts, COUNT(parts),
		UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_IGNORE, &boundary);

	for (utf8proc_ssize_t i = 0; i < count && count <= (utf8proc_ssize_t)COUNT(parts); i++) {
		if (utf8_is_blank(parts[i]))
			buf_putc(buf, ' ');
		else if (!is_accent(parts[i]))
			fold_letter(buf, parts[i]);
	}
}

void
fold_text(struct buf *buf, const char *s, size_t length)
{
	for (size_t i = 0, bytes = 1; i < length; i += bytes) {
		int32_t point = (unsigned char)s[i];

		bytes = 1;
		if (point >= 0x80)
			point = utf8_first(s + i, length - i, &bytes);
		if (point >= 0x80)
			fold_point(buf, point);
		else if (point >= 0)
			buf_putc(buf, point == ' ' || (point >= '\t' && point <= '\r') ? ' ' :
				point >= 'A' && point <= 'Z' ? (char)(point | 0x20) : (char)point);
	}
}

/* ---- searching */

struct word {
	struct word *next;
	const char *s;		/* folded, not terminated */
	size_t length;
};

/* Removes from a list the words that `word` contains; false when a word of the list contains `word`. */
static bool
adds_to(struct word **list, const struct word *word)
{
	for (struct word **link = list; *link;) {
		if (memmem((*link)->s, (*link)->length, word->s, word->length))
			return false;
		if (memmem(word->s, word->length, (*link)->s, (*link)->length))
			*link = (*link)->next;
		else
			link = &(*link)->next;
	}
	return true;
}

/* The words of a text, folded, in order; not those that another word contains: it cannot be found without them. */
static struct word *
words_of(struct arena *arena, const char *s)
{
	struct word *list = NULL, **end;
	struct buf folded = { .arena = arena };

	if (s)
		fold_text(&folded, s, strlen(s));
	for (s = folded.s; s && *(s += strspn(s, " "));) {
		struct word word = { NULL, s, strcspn(s, " ") };

		s += word.length;
		if (!adds_to(&list, &word))
			continue;
		for (end = &list; *end; end = &(*end)->next)
			;
		*end = arena_alloc(arena, sizeof(word));
		**end = word;
	}
	return list;
}

const char *
fold_words(struct arena *arena, const char *s)
{
	struct buf words = { .arena = arena };

	for (const struct word *word = words_of(arena, s); word; word = word->next) {
		if (words.length)
			buf_putc(&words, ' ');
		buf_put(&words, word->s, word->length);
	}
	return words.s;
}

const char *
fold_match(struct arena *arena, const char *s)
{
	struct buf match = { .arena = arena };

	for (const struct word *word = words_of(arena, s); word; word = word->next) {
		if (utf8_points(word->s, word->length) < 3)
			return NULL;
		buf_puts(&match, match.length ? " \"" : "\"");
		for (size_t i = 0; i < word->length; i++) {
			buf_putc(&match, word->s[i]);
			if (word->s[i] == '"')
				buf_putc(&match, '"');
		}
		buf_putc(&match, '"');
	}
	return match.s;
}

bool
fold_has_words(const char *text, const char *words, struct buf *left)
{
	size_t length = strlen(text), word;
	bool has_all = true;

	for (; *words && (has_all || left); words += word + (words[word] == ' ')) {
		word = strcspn(words, " ");
		if (memmem(text, length, words, word))
			continue;
		has_all = false;
		if (left && left->length > 0)
			buf_putc(left, ' ');
		if (left)
			buf_put(left, words, word);
	}
	return has_all;
}
