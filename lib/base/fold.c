#include "fold.h"

#include "utf8.h"

#include <uchar.h>
#include <utf8proc.h>

/* clang-format off */
/* Letters that Unicode does not decompose, as typed on a keyboard without them; and punctuation of phones. */
static const struct { char16_t point; char plain[3]; } plain_letters[] = {
	{ u'ı', "i" }, { u'ȷ', "j" }, { u'æ', "ae" }, { u'œ', "oe" }, { u'ø', "o" }, { u'þ', "th" }, { u'ð', "d" }, { u'đ', "d" },
	{ u'ħ', "h" }, { u'ł', "l" }, { u'ŋ', "n" }, { u'ŧ', "t" }, { u'ĸ', "k" }, { u'ƶ', "z" },
	{ u'ƙ', "k" }, { u'ɓ', "b" }, { u'ɗ', "d" }, { u'ƴ', "y" },	/* with a hook: Hausa */
	{ 0x2bc, "'" }, { 0x2018, "'" }, { 0x2019, "'" }, { 0x2010, "-" }, { 0x2011, "-" }, { 0x2013, "-" },
};
/* clang-format on */

static const char *
plain_letter(int32_t point)
{
	for (size_t i = 0; i < COUNT(plain_letters); i++)
		if (plain_letters[i].point == point)
			return plain_letters[i].plain;
	return NULL;
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
		char letter_text[4];

		if (plain)
			buf_puts(buf, plain);
		else
			buf_put(buf, letter_text, utf8_encode(lower[i], letter_text));
	}
}

static void
fold_point(struct buf *buf, int32_t point)
{
	utf8proc_int32_t parts[18]; /* no compatibility decomposition is longer (U+FDFA) */
	int boundary = 0;
	utf8proc_ssize_t count = utf8proc_decompose_char(
		point, parts, COUNT(parts), UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_IGNORE, &boundary);

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
			buf_putc(buf,
				point == ' ' || (point >= '\t' && point <= '\r') ? ' '
					: point >= 'A' && point <= 'Z'		 ? (char)(point | 0x20)
										 : (char)point);
	}
}

/* ---- searching */

/* True where another word of the text contains this one, and so implies it, or the same word precedes it. */
static bool
is_redundant(const char *text, const char *word, size_t length)
{
	for (size_t other; *(text += strspn(text, " ")); text += other) {
		other = strcspn(text, " ");
		if (other == length ? text < word && memcmp(text, word, length) == 0 : memmem(text, other, word, length) != NULL)
			return true;
	}
	return false;
}

const char *
fold_words(struct arena *arena, const char *s)
{
	struct buf folded = { .arena = arena }, words = { .arena = arena };

	if (s)
		fold_text(&folded, s, strlen(s));
	const char *word = folded.s;
	for (size_t length; word && *(word += strspn(word, " ")); word += length) {
		length = strcspn(word, " ");
		if (is_redundant(folded.s, word, length))
			continue;
		if (words.length > 0)
			buf_putc(&words, ' ');
		buf_put(&words, word, length);
	}
	return words.s;
}

const char *
fold_match(struct arena *arena, const char *s)
{
	const char *words = fold_words(arena, s);
	struct buf match = { .arena = arena };

	for (size_t length; words && *words; words += length + (words[length] == ' ')) {
		length = strcspn(words, " ");
		if (utf8_points(words, length) < 3)
			return NULL;
		buf_puts(&match, match.length ? " \"" : "\"");
		for (size_t i = 0; i < length; i++) {
			buf_putc(&match, words[i]);
			if (words[i] == '"')
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
