#include "email.h"

#include "buf.h"
#include "unit.h"

#define A10 "aaaaaaaaaa"

#define A60 A10 A10 A10 A10 A10 A10

#define LABEL63 A60 "aaa"

static void
addresses(void **state)
{
	static const char *const good[] = {
		"a@b.co", "user@example.com", "User.Name+tag@Example.COM", "x_y-z@sub.domain.example",
		"o'brien@example.ie", "!#$%&'*+-/=?^_`{|}~@example.org", "1@2.de", "a@xn--mnchen-3ya.de",
		"a@b-c.d-e.fr", "a@1.2.3.c4", A60 "aaaa@example.com", "a@" LABEL63 ".com",
		A60 "@" LABEL63 "." LABEL63 "." A60 "aaa.a",
	};
	static const char *const bad[] = {
		"", "@", "a", "a@", "@b.co", "a@b", "a@b.", "a@.b", "a@b..co", "a@b.co.", ".a@b.co", "a.@b.co",
		"a..b@c.de", "a b@c.de", " a@b.co", "a@b.co ", "a@b.co\n", "a@b.co\r\nBcc: x@y.de", "a@b@c.de",
		"a\tb@c.de", "\"quoted\"@example.com", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]", "a@192.0.2.1",
		"a@-b.co", "a@b-.co", "a@b.-co", "a@b_c.de", "a@b,c.de", "a,b@c.de", "<a@b.co>", "Name <a@b.co>",
		"a(b)@c.de", "a;b@c.de", "a:b@c.de", "a\\b@c.de", "ü@example.com", "a@bücher.de", "a@b.co\x7f",
		"a@b.123", "mailto:a@b.co?x@y", A60 "aaaaa@example.com", "a@" LABEL63 "a.com",
		A60 "@" LABEL63 "." LABEL63 "." A60 "aaa.aa",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check(email_is_good(good[i]), good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		check(!email_is_good(bad[i]), bad[i]);
	assert_int_equal(strlen(good[COUNT(good) - 1]), 254);
	assert_int_equal(strlen(bad[COUNT(bad) - 1]), 255);
}

static void
addresses_of_one_mailbox(void **state)
{
	static const struct { const char *email, *mailbox; } cases[] = {
		{ "ada@example.com", "ada@example.com" }, { "ada+1@example.com", "ada@example.com" },
		{ "ada+a+b@example.com", "ada@example.com" }, { "ada+@example.com", "ada@example.com" },
		{ "a.d.a@example.com", "a.d.a@example.com" }, { "ada-1@example.com", "ada-1@example.com" },
		{ "+ada@example.com", "+ada@example.com" }, { "ada@gmail.com", "ada@gmail.com" },
		{ "a.d.a@gmail.com", "ada@gmail.com" }, { "a.da+x.y@gmail.com", "ada@gmail.com" },
		{ "a.da@googlemail.com", "ada@gmail.com" }, { "ada@googlemail.com.tr", "ada@googlemail.com.tr" },
		{ "a.da@mail.gmail.com", "a.da@mail.gmail.com" }, { "", "" },
	};
	char mailbox[EMAIL_TEXT], longest[300];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		email_mailbox(mailbox, cases[i].email);
		if (strcmp(mailbox, cases[i].mailbox) != 0)
			fail_msg("%s: %s instead of %s", cases[i].email, mailbox, cases[i].mailbox);
	}
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	email_mailbox(mailbox, longest);
	assert_int_equal(strlen(mailbox), EMAIL_TEXT - 1);
}

static void
domains_are_stored_in_ascii(void **state)
{
	static const struct { const char *s, *kept; } cases[] = {
		{ "Ada@Example.COM", "ada@example.com" },
		{ "ada@örnek.com.tr", "ada@xn--rnek-4qa.com.tr" }, { "ADA@ÖRNEK.COM.TR", "ada@xn--rnek-4qa.com.tr" },
		{ "ada@o\xcc\x88rnek.com.tr", "ada@xn--rnek-4qa.com.tr" },	/* o and a combining diaeresis */
		{ "ada@ışık.com.tr", "ada@xn--k-ekaa7p.com.tr" },
		/* IDNA2003 mapped this to strasse.de, IDNA2008 does not */
		{ "a@straße.de", "a@xn--strae-oqa.de" }, { "a@STRASSE.de", "a@strasse.de" },
		{ "a@bücher.de", "a@xn--bcher-kva.de" }, { "a@XN--BCHER-KVA.de", "a@xn--bcher-kva.de" }, { "a@españa.es", "a@xn--espaa-rta.es" },
		{ "a@пример.рф", "a@xn--e1afmkfd.xn--p1ai" }, { "a@例え.jp", "a@xn--r8jz45g.jp" }, { "a@例え。jp", "a@xn--r8jz45g.jp" },
		{ "a@ｅｘａｍｐｌｅ.com", "a@example.com" },
		/* mixed scripts are allowed; a look-alike of another domain differs from it, visibly in ASCII */
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
a_bad_address_differs_from_a_bad_domain(void **state)
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
	/* in ASCII, the address is too long */
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
		cmocka_unit_test(addresses),
		cmocka_unit_test(addresses_of_one_mailbox),
		cmocka_unit_test(domains_are_stored_in_ascii),
		cmocka_unit_test(a_bad_address_differs_from_a_bad_domain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
