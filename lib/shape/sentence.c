#include "sentence.h"

#include <strings.h>

/* Weights run from 0 to 1000, being the three decimals of RFC 9110 section 12.4.2. */
#define WEIGHT_MAX 1000
#define UNNAMED (-1)

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

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alphanum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static const char *
skip_blank(const char *s)
{
	return s + strspn(s, " \t");
}

/*
 * language-range = (1*8ALPHA *("-" 1*8alphanum)) / "*" (RFC 4647 section 2.1); digits in the first subtag pass, and make
 * it no language of ours. Gives its end, NULL when malformed.
 */
static const char *
read_range(const char *s, struct range *range)
{
	const char *tag = s;

	range->s = s;
	if (*s == '*') {
		range->length = 1;
		return s + 1;
	}
	for (;; tag = ++s) {
		while (is_alphanum(*s))
			s++;
		if (s == tag || s - tag > 8)
			return NULL;
		if (*s != '-')
			break;
	}
	range->length = (size_t)(s - range->s);
	return s;
}

/* weight = OWS ";" OWS "q=" qvalue (RFC 9110 section 12.4.2), or nothing. Gives its end, NULL when malformed. */
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
		for (int worth = 100; is_digit(*s) && worth > 0; worth /= 10)
			*weight += (*s++ - '0') * worth;
	}
	return *weight > WEIGHT_MAX ? NULL : skip_blank(s);
}

/* The language whose code is the first subtag of the range. */
static bool
range_language(const struct range *range, enum language *out)
{
	if (range->length < 2 || (range->length > 2 && range->s[2] != '-'))
		return false;
	for (enum language l = TR; l <= DE; l++) {
		if (strncasecmp(range->s, language_codes[l], 2) == 0) {
			*out = l;
			return true;
		}
	}
	return false;
}

/* What the header says of each language: its weight, 0 where it is excluded, UNNAMED where it is not named. */
struct wishes {
	int weight[LANGUAGES];
	int rank[LANGUAGES];	/* place in the header, which decides between equal weights */
	int others;		/* the weight of "*" */
};

static void
note(struct wishes *wishes, const struct range *range, int place)
{
	enum language l;

	if (*range->s == '*') {
		wishes->others = range->weight;
		return;
	}
	/* A region that is not wanted says nothing about the language; ours have no region. */
	if (!range_language(range, &l) || (range->weight == 0 && range->length > 2))
		return;
	if (range->weight == 0)
		wishes->weight[l] = 0;
	else if (wishes->weight[l] != 0 && range->weight > wishes->weight[l]) {
		wishes->weight[l] = range->weight;
		wishes->rank[l] = place;
	}
}

bool
language_negotiate(const char *header, enum language *out)
{
	static const enum language order[LANGUAGES] = { EN, TR, ES, DE };
	struct wishes wishes = { .weight = { UNNAMED, UNNAMED, UNNAMED, UNNAMED }, .others = UNNAMED };
	int best = 0, best_rank = 0, place = 0;

	for (const char *s = header ? header : ""; *s; s += strcspn(s, ","), s += *s == ',') {
		struct range range;
		const char *end = read_range(skip_blank(s), &range);

		if (end)
			end = read_weight(end, &range.weight);
		if (end && (*end == ',' || *end == '\0'))
			note(&wishes, &range, ++place);
	}
	for (size_t i = 0; i < LANGUAGES; i++) {
		enum language l = order[i];
		bool named = wishes.weight[l] != UNNAMED;
		int weight = named ? wishes.weight[l] : wishes.others;
		int rank = named ? wishes.rank[l] : place + 1;

		if (weight > best || (weight == best && weight > 0 && rank < best_rank)) {
			best = weight;
			best_rank = rank;
			*out = l;
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
