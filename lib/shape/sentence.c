#include "sentence.h"

#include "text.h"

#include <strings.h>

#define WEIGHT_MAX 1000 /* a weight of 1: they have three decimals (RFC 9110 section 12.4.2) */
#define UNNAMED (-1)
#define ANY LANGUAGES /* the index of "*", behind the languages */

static const char *const texts[][LANGUAGES] = {
#define SENTENCE(name, tr, en, es, de) [name] = { tr, en, es, de },
#include "sentences.def"
#undef SENTENCE
};

const char *const language_codes[] = { [TR] = "tr", [EN] = "en", [ES] = "es", [DE] = "de", NULL };

/* One element of the header: the range [s, s + length) and its weight. */
struct range {
	const char *s;
	size_t length;
	int weight;
};

const char *
language_code(enum language language)
{
	return language_codes[language];
}

bool
language_of(const char *code, enum language *out)
{
	for (enum language l = TR; code && l <= DE; l++) {
		if (strcmp(code, language_codes[l]) == 0) {
			*out = l;
			return true;
		}
	}
	return false;
}

const char *
sentence(enum sentence which, enum language language)
{
	return texts[which][language];
}

static const char *
skip_blank(const char *s)
{
	return s + strspn(s, " \t");
}

/*
 * language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*" (RFC 4647 section 2.1). Digits in the first subtag are
 * accepted: it then names none of our languages. Returns its end, NULL when malformed.
 */
static const char *
read_range(const char *s, struct range *range)
{
	const char *subtag;

	range->s = s;
	if (*s == '*') {
		range->length = 1;
		return s + 1;
	}
	do {
		subtag = s;
		while (text_is_alpha(*s) || text_is_digit(*s))
			s++;
		if (s == subtag || s - subtag > 8)
			return NULL;
	} while (*s++ == '-');
	range->length = (size_t)(--s - range->s);
	return s;
}

/* weight = OWS ";" OWS "q=" qvalue (RFC 9110 section 12.4.2), or nothing. Returns its end, NULL when malformed. */
static const char *
read_weight(const char *s, int *weight)
{
	*weight = WEIGHT_MAX;
	s = skip_blank(s);
	if (*s != ';')
		return s;
	s = skip_blank(s + 1);
	if ((*s != 'q' && *s != 'Q') || s[1] != '=' || (s[2] != '0' && s[2] != '1'))
		return NULL;
	*weight = (s[2] - '0') * WEIGHT_MAX;
	s += 3;
	if (*s == '.') {
		s++;
		for (int unit = 100; text_is_digit(*s) && unit > 0; unit /= 10)
			*weight += (*s++ - '0') * unit;
	}
	return *weight > WEIGHT_MAX ? NULL : skip_blank(s);
}

/* The language of the first subtag, or ANY; UNNAMED when it is none of ours. */
static int
range_language(const struct range *range)
{
	if (*range->s == '*')
		return ANY;
	for (int l = TR; l <= DE; l++)
		if (strncasecmp(range->s, language_codes[l], 2) == 0 && (range->length == 2 || range->s[2] == '-'))
			return l;
	return UNNAMED;
}

/* The preferences of the header, by language, and of ANY. */
struct preferences {
	int weight[LANGUAGES + 1]; /* 0: excluded */
	int rank[LANGUAGES + 1];   /* position in the header, which decides between equal weights */
};

static void
add_preference(struct preferences *preferences, const struct range *range, int rank)
{
	int l = range_language(range);

	/* The exclusion of a region does not exclude the language; ours have no region. */
	if (l == UNNAMED || (range->weight == 0 && range->length > 2))
		return;
	if (range->weight == 0) {
		preferences->weight[l] = 0;
	} else if (preferences->weight[l] != 0 && range->weight > preferences->weight[l]) {
		preferences->weight[l] = range->weight;
		preferences->rank[l] = rank;
	}
}

bool
language_negotiate(const char *header, enum language *out)
{
	static const enum language order[LANGUAGES] = { EN, TR, ES, DE };
	struct preferences preferences = { .weight = { UNNAMED, UNNAMED, UNNAMED, UNNAMED, UNNAMED } };
	int best = 0, best_rank = 0, ranks = 0;

	for (const char *s = header ? header : ""; *s; s += strcspn(s, ","), s += *s == ',') {
		struct range range;
		const char *end = read_range(skip_blank(s), &range);

		if (end)
			end = read_weight(end, &range.weight);
		if (end && (*end == ',' || *end == '\0'))
			add_preference(&preferences, &range, ++ranks);
	}
	preferences.rank[ANY] = ranks + 1; /* languages that are named come before others of the same weight */
	for (size_t i = 0; i < LANGUAGES; i++) {
		int l = preferences.weight[order[i]] != UNNAMED ? (int)order[i] : ANY;
		int weight = preferences.weight[l], rank = preferences.rank[l];

		if (weight > best || (weight == best && weight > 0 && rank < best_rank)) {
			best = weight;
			best_rank = rank;
			*out = order[i];
		}
	}
	return best > 0;
}

void
buf_sentence(struct buf *buf, enum sentence which, enum language language, const char *argument)
{
	const char *text = sentence(which, language);
	const char *place = argument ? strstr(text, "%s") : NULL;

	if (place) {
		buf_put(buf, text, (size_t)(place - text));
		buf_puts(buf, argument);
		text = place + 2;
	}
	buf_puts(buf, text);
}
