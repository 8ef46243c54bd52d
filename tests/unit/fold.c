#include "fold.h"
#include "unit.h"
#include "utf8.h"

#include <utf8proc.h>

/* The folded text, malloc'd. */
static char *
folded(const char *text)
{
	struct buf buf = { 0 };

	buf_puts(&buf, "");
	fold_text(&buf, text, strlen(text));
	return buf.s;
}

static size_t
put_point(char *out, int32_t point)
{
	size_t length = (size_t)utf8proc_encode_char(point, (utf8proc_uint8_t *)out);

	out[length] = '\0';
	return length;
}

/* True where two characters are equal for a search. */
static bool
folds_alike(int32_t a, int32_t b)
{
	char texts[2][5], *forms[2];

	put_point(texts[0], a);
	put_point(texts[1], b);
	forms[0] = folded(texts[0]);
	forms[1] = folded(texts[1]);
	bool alike = strcmp(forms[0], forms[1]) == 0;
	free(forms[0]);
	free(forms[1]);
	return alike;
}

static void
texts_are_folded_for_search(void **state)
{
	static const struct { const char *text, *folded; } cases[] = {
		{ "", "" }, { "Plain ASCII 09 [@`{", "plain ascii 09 [@`{" }, { "Iİıi", "iiii" }, { "Isparta ISPARTA", "isparta isparta" },
		{ "ŞşĞğÜüÖöÇç", "ssgguuoocc" }, { "Straße STRASSE", "strasse strasse" }, { "\xe1\xba\x9e", "ss" },
		{ "Ñandú Ángel", "nandu angel" }, { "ÆæŒœ", "aeaeoeoe" }, { "e\xcc\x81" "a", "ea" }, { "ΕΛΛ", "ελλ" },
		{ "МОСКВА Ёж", "москва еж" }, { "日本 😀", "日本 😀" }, { "a\xc3", "a" }, { "a\xc3\xff" "b", "ab" },
		/* Azerbaijani, Romanian with comma and cedilla, Polish, Czech, Croatian, Icelandic, Danish, Maltese, Hausa */
		{ "Əliyev ƏLİYEV əliyev", "əliyev əliyev əliyev" }, { "Șerban ŞERBAN Țurcanu Ţ", "serban serban turcanu t" },
		{ "Łódź ŻÓŁĆ", "lodz zolc" }, { "ČŘĎŤŇŮ", "crdtnu" }, { "Đorđe", "dorde" }, { "Þór Ðað", "thor dad" },
		{ "Søren Ågård", "soren agard" }, { "Ħamrun", "hamrun" }, { "Ɗanladi Ƙofar Ɓ Ƴ", "danladi kofar b y" },
		/* Vietnamese, as one character and as several */
		{ "Nguyễn NGUYỄN Đặng Thị Ướt", "nguyen nguyen dang thi uot" }, { "Nguye\u0302\u0303n", "nguyen" },
		/* Greek with accents, final sigma, and the breathings and the iota of old texts */
		{ "Οδυσσέας ΟΔΥΣΣΕΑΣ", "οδυσσεασ οδυσσεασ" }, { "Ϊΰ ϊ", "ιυ ι" }, { "ᾳ ᾼ Ἀθῆναι", "α α αθηναι" },
		/* Cyrillic of Ukraine, Serbia, Kazakhstan; Armenian, Georgian, Cherokee's two cases */
		{ "Її Ґ Є Ў", "іі ґ є у" }, { "ЂЋЉЊЏ", "ђћљњџ" }, { "ӘҒҚҢӨҰҮҺ", "әғқңөұүһ" }, { "ԵՐԵՎԱՆ", "երեվան" },
		{ "ՍԵՎ և", "սեվ եւ" }, { "Თბილისი", "თბილისი" },
		/* variants of one letter, fullwidth letters, ligatures, symbols */
		{ "ﬁﬀ ＡＢｃ Ⅷ", "fiff abc viii" }, { "O’Neil O‘Neil Oʼ", "o'neil o'neil o'" }, { "a\u2011b", "a-b" },
		/* marks that are not accents: kana, Devanagari, Thai */
		{ "が", "か\u3099" }, { "कि", "कि" }, { "ที่", "ที่" }, { "שָׁלוֹם", "שלום" }, { "مُحَمَّد", "محمد" },
		/* white space and invisible characters */
		{ "a\u00a0b\u3000c\u2028d\te\xc2\x85" "f", "a b c d e f" }, { "a\u200bb\ufeff\u00adc\u200dd", "abcd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *found = folded(cases[i].text);

		check(strcmp(found, cases[i].folded) == 0, cases[i].text);
		free(found);
	}
}

static void
every_letter_is_found_in_either_case(void **state)
{
	(void)state;
	for (int32_t point = 0; point <= 0x10FFFF; point++) {
		char name[16];

		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		snprintf(name, sizeof(name), "U+%04X", (unsigned)point);
		check(folds_alike(point, utf8proc_tolower(point)), name);
		/* except for the iota subscript, an accent whose upper case is a letter */
		check(point == 0x345 || folds_alike(point, utf8proc_toupper(point)), name);
	}
}

static void
folding_is_idempotent(void **state)
{
	(void)state;
	for (int32_t point = 1; point <= 0x10FFFF; point++) {
		char text[5], name[16], *once, *twice;

		if (point >= 0xD800 && point <= 0xDFFF)
			continue;
		put_point(text, point);
		once = folded(text);
		twice = folded(once);
		snprintf(name, sizeof(name), "U+%04X", (unsigned)point);
		check(strcmp(once, twice) == 0 && utf8_is_valid(once, strlen(once)), name);
		free(once);
		free(twice);
	}
}

static void
the_words_of_a_search(void **state)
{
	static const struct { const char *text, *words, *match; } cases[] = {
		{ NULL, NULL, NULL }, { "", NULL, NULL }, { " \t\r\n ", NULL, NULL }, { "\u0301", NULL, NULL }, { "\u200b", NULL, NULL },
		{ "a", "a", NULL }, { " Ömer\tÇELİK \n", "omer celik", "\"omer\" \"celik\"" },
		{ "Straße", "strasse", "\"strasse\"" }, { "a  b a", "a b", NULL },
		{ "abc de", "abc de", NULL }, { "日本語", "日本語", "\"日本語\"" }, { "日本", "日本", NULL },
		{ "d\"Arc \\", "d\"arc \\", NULL }, { "d\"Arc", "d\"arc", "\"d\"\"arc\"" },
		{ "abc OR def*", "abc or def*", NULL }, { "abc NOT", "abc not", "\"abc\" \"not\"" },
		{ "a\u00a0b", "a b", NULL }, { "Ömer omer ÖMER", "omer", "\"omer\"" },
		/* a word that another contains is omitted */
		{ "a ankara ank kara x", "ankara x", NULL }, { "an ank ankara", "ankara", "\"ankara\"" }, { "ab ba aba", "aba", "\"aba\"" },
		{ "x ab y abc", "x y abc", NULL },
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *words = fold_words(arena, cases[i].text);
		const char *match = fold_match(arena, cases[i].text), *name = cases[i].text ? cases[i].text : "NULL";
		check(cases[i].words ? words && strcmp(words, cases[i].words) == 0 : !words, name);
		check(cases[i].match ? match && strcmp(match, cases[i].match) == 0 : !match, name);
	}
	arena_free(arena);
}

static void
words_are_found_in_a_text(void **state)
{
	static const struct { const char *text, *words; bool found; } cases[] = {
		{ "ada lovelace", "ada", true }, { "ada lovelace", "a", true }, { "ada lovelace", "love da", true },
		{ "ada lovelace", "da love x", false }, { "ada lovelace", "lovelaces", false }, { "ada lovelace", "a l", true },
		{ "", "a", false }, { "a", "", true }, { "50%_off", "%_", true }, { "50% off", "%_", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(fold_has_words(cases[i].text, cases[i].words, NULL) ==
			cases[i].found, cases[i].words);
}

static void
words_that_are_not_in_a_text_are_returned(void **state)
{
	static const struct { const char *text, *words, *left; } cases[] = {
		{ "ada lovelace", "ada", "" }, { "ada lovelace", "x", "x" }, { "ada lovelace", "x love y", "x y" },
		{ "", "a b", "a b" }, { "b", "a b c", "a c" }, { "a", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf left = { 0 };

		buf_puts(&left, "");
		fold_has_words(cases[i].text, cases[i].words, &left);
		check(strcmp(left.s, cases[i].left) == 0, cases[i].words);
		buf_clear(&left);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_folded_for_search),
		cmocka_unit_test(every_letter_is_found_in_either_case),
		cmocka_unit_test(folding_is_idempotent),
		cmocka_unit_test(the_words_of_a_search),
		cmocka_unit_test(words_are_found_in_a_text),
		cmocka_unit_test(words_that_are_not_in_a_text_are_returned),
	};

	return cmocka_run_group_tests_name("fold", tests, NULL, NULL);
}
