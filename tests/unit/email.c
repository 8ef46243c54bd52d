#include "email.h"

#include "text.h"
#include "unit.h"

static void
domains_are_kept_in_ascii(void **state)
{
	static const struct { const char *s, *kept; } cases[] = {
		{ "Ada@Example.COM", "ada@example.com" },
		{ "ada@örnek.com.tr", "ada@xn--rnek-4qa.com.tr" }, { "ADA@ÖRNEK.COM.TR", "ada@xn--rnek-4qa.com.tr" },
		{ "ada@o\xcc\x88rnek.com.tr", "ada@xn--rnek-4qa.com.tr" },	/* o and its dots apart */
		{ "ada@ışık.com.tr", "ada@xn--k-ekaa7p.com.tr" },
		/* IDNA2008 keeps what IDNA2003 mapped away: another domain than strasse.de */
		{ "a@straße.de", "a@xn--strae-oqa.de" }, { "a@STRASSE.de", "a@strasse.de" },
		{ "a@bücher.de", "a@xn--bcher-kva.de" }, { "a@XN--BCHER-KVA.de", "a@xn--bcher-kva.de" }, { "a@españa.es", "a@xn--espaa-rta.es" },
		{ "a@пример.рф", "a@xn--e1afmkfd.xn--p1ai" }, { "a@例え.jp", "a@xn--r8jz45g.jp" }, { "a@例え。jp", "a@xn--r8jz45g.jp" },
		{ "a@ｅｘａｍｐｌｅ.com", "a@example.com" },
		/* scripts may mix; what only looks like another domain is another one, and is seen to be */
		{ "a@p\xd0\xb0ypal.com", "a@xn--pypal-4ve.com" },
	};
	struct arena *arena = arena_new(1024);
	const char *kept;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (email_keep(arena, cases[i].s, &kept) != EMAIL_GOOD)
			fail_msg("%s is refused", cases[i].s);
		assert_string_equal(kept, cases[i].kept);
	}
	arena_free(arena);
}

static void
what_is_no_address_is_told_from_what_is_no_domain(void **state)
{
	static const char *const none[] = {
		"", "@", "a", "ü@example.com", "ü@bücher.de", "a b@bücher.de", ".a@bücher.de", "a@b", "bücher.de", "@bücher.de",
	};
	static const char *const domains[] = {
		"a@bü cher.de", "a@bücher..de", "a@-bücher.de", "a@bücher-.de", "a@bü_cher.de", "a@♥.de", "a@\xe2\x80\xae" "b.de", "a@ü.de\n",
		"a@ü\xcc\xb8" "/.de", "a@\xd7\x90" "a1b.de", "a@xn--a.bücher.de", "a@bücher.de@b.de", "a@a\xe2\x80\x8d" "b.de",
	};
	struct arena *arena = arena_new(1024);
	struct buf large = { .arena = arena };
	const char *kept;

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++)
		if (email_keep(arena, none[i], &kept) != EMAIL_NONE)
			fail_msg("%s", none[i]);
	for (size_t i = 0; i < COUNT(domains); i++)
		if (email_keep(arena, domains[i], &kept) != EMAIL_DOMAIN)
			fail_msg("%s", domains[i]);
	buf_puts(&large, "a@");
	for (int i = 0; i < 5000; i++)
		buf_puts(&large, "ü.");
	assert_int_equal(email_keep(arena, large.s, &kept), EMAIL_DOMAIN);
	/* as ASCII the address is longer than one may be */
	buf_reset(&large, SIZE_MAX);
	buf_puts(&large, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@");
	for (int i = 0; i < 24; i++)
		buf_puts(&large, "ü.");
	buf_puts(&large, "de");
	assert_int_equal(email_keep(arena, large.s, &kept), EMAIL_GOOD);
	assert_int_equal(strlen(kept), 31 + 24 * 8 + 2);
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_kept_in_ascii),
		cmocka_unit_test(what_is_no_address_is_told_from_what_is_no_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
