#include "sentence.h"
#include "unit.h"
#include "utf8.h"

enum { ALL_SENTENCES = 0
#define SENTENCE(name, tr, en, es, de) + 1
#include "sentences.def"
#undef SENTENCE
};

static void
the_best_language_is_chosen(void **state)
{
	static const struct { const char *header, *code; } cases[] = {
		/* no preference */
		{ NULL, NULL }, { "", NULL }, { " ", NULL }, { ",", NULL }, { " , ,, ", NULL },
		/* one language, in upper or lower case, with a region */
		{ "tr", "tr" }, { "en", "en" }, { "es", "es" }, { "de", "de" }, { "DE", "de" }, { "de-AT", "de" },
		{ "tr-Latn-TR", "tr" }, { "es-419", "es" }, { " de ", "de" }, { "\tde", "de" },
		/* no supported language */
		{ "fr", NULL }, { "fr-FR, it;q=0.9", NULL }, { "deu", NULL }, { "d", NULL }, { "trx", NULL },
		{ "eng-GB", NULL },
		/* weights, and the order of the header where they are equal */
		{ "de, en", "de" }, { "en, de", "en" }, { "fr, es", "es" }, { "de;q=0.5, tr;q=0.6", "tr" },
		{ "de;q=0.5, tr", "tr" }, { "tr;q=0.001, es;q=0.002", "es" }, { "de;q=1.0,en;q=0.999", "de" },
		{ "en;q=0.5, de;q=0.5", "en" }, { "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", "en" },
		{ "de-AT;q=0.3, en;q=0.4, de;q=0.9", "de" }, { "de;q=0.9, en;q=0.4, de-AT;q=0.3", "de" },
		{ "de ; q=0.5 , tr ;q=0.6", "tr" }, { "de;Q=0.5, tr;Q=0.6", "tr" }, { "de;q=1.000", "de" },
		{ "de;q=0., tr;q=0.1", "tr" },
		/* q=0 excludes */
		{ "de;q=0", NULL }, { "de;q=0.000", NULL }, { "de;q=0, tr", "tr" }, { "de, de;q=0", NULL },
		{ "de;q=0, de", NULL }, { "de;q=0, de-AT", NULL }, { "de-AT;q=0, de", "de" }, { "de-AT;q=0", NULL },
		/* the asterisk */
		{ "*", "en" }, { "*;q=0", NULL }, { "*;q=0.1", "en" }, { "en;q=0, *", "tr" },
		{ "en;q=0, tr;q=0, *", "es" }, { "en;q=0, tr;q=0, es;q=0, *", "de" },
		{ "en;q=0, tr;q=0, es;q=0, de;q=0, *", NULL }, { "de, *", "de" }, { "*, de", "de" },
		{ "*;q=0.9, de;q=0.1", "en" }, { "en;q=0.1, *;q=0.9", "tr" }, { "fr, *;q=0.1", "en" },
		{ "*;q=0, de", "de" },
		/* malformed elements are skipped */
		{ "de;q=2", NULL }, { "de;q=1.001", NULL }, { "de;q=-1", NULL }, { "de;q=a", NULL }, { "de;q", NULL },
		{ "de;", NULL }, { "de;q=0.1234", NULL }, { "de;x=1", NULL }, { "de;q=0.5;x", NULL },
		{ "de_AT", NULL }, { "de tr", NULL }, { "de-", NULL }, { "-de", NULL }, { "de-verylongsubtag", NULL },
		{ "verylongtag", NULL }, { "*-de", NULL }, { "1de", NULL }, { "de;q=2, tr;q=0.1", "tr" },
		{ "de\xc3\xbc, es", "es" }, { "de;q =0.5", NULL }, { "de;q=.5", NULL },
		{ "de;q=1.5, es;q=0.1", "es" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *name = cases[i].header ? cases[i].header : "NULL";
		enum language language = LANGUAGES;

		check(language_negotiate(cases[i].header, &language) == (cases[i].code != NULL), name);
		if (cases[i].code)
			check(strcmp(language_code(language), cases[i].code) == 0, name);
		else
			check(language == LANGUAGES, name);
	}
}

static void
codes_and_languages(void **state)
{
	enum language language = LANGUAGES;

	(void)state;
	assert_true(language_of("tr", &language) && language == TR);
	assert_true(language_of("en", &language) && language == EN);
	assert_true(language_of("es", &language) && language == ES);
	assert_true(language_of("de", &language) && language == DE);
	assert_false(language_of("DE", &language) || language_of("", &language) || language_of("fr", &language));
	assert_false(language_of("de-AT", &language) || language_of(NULL, &language));
	assert_int_equal(language, DE);
	for (enum language l = TR; l <= DE; l++)
		assert_ptr_equal(language_codes[l], language_code(l));
	assert_null(language_codes[LANGUAGES]);
}

/* The count of "%s"; -1 where there is any other '%'. */
static int
places(const char *text)
{
	int count = 0;

	for (; (text = strchr(text, '%')); text += 2, count++)
		if (text[1] != 's')
			return -1;
	return count;
}

static void
sentences_are_complete_in_every_language(void **state)
{
	(void)state;
	assert_true(ALL_SENTENCES > 50);
	for (enum sentence which = 0; which < (enum sentence)ALL_SENTENCES; which++) {
		int count = places(sentence(which, EN));

		for (enum language l = TR; l <= DE; l++) {
			const char *text = sentence(which, l);

			assert_non_null(text);
			check(*text && utf8_is_valid(text, strlen(text)), sentence(which, EN));
			check(places(text) == count && count >= 0 && count <= 1, text);
		}
	}
	assert_string_equal(sentence(S_NOT_FOUND, DE), "Unter dieser Kennung wurde nichts gefunden");
	assert_string_equal(sentence(S_NOT_FOUND, TR), "Kayıt bulunamadı");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_language_is_chosen),
		cmocka_unit_test(codes_and_languages),
		cmocka_unit_test(sentences_are_complete_in_every_language),
	};

	return cmocka_run_group_tests_name("sentence", tests, NULL, NULL);
}
