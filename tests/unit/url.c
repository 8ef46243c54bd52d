#include "url.h"
#include "unit.h"

/* A text that may hold NUL bytes. */
#define BYTES(literal) (literal), sizeof(literal) - 1

static void
urls(void **state)
{
	static const char *const good[] = {
		"http://example.com", "https://example.com/", "HTTPS://Example.com:8443/a/b?c=d&e=/?#f", "http://a?b",
		"http://a#b", "http://192.0.2.1/", "http://[2001:db8::1]:80/x", "https://example.com/%C3%BC",
		"http://localhost:8080", "/", "/storage/abc.png", "/a?b=c#d", "/a//b", "/a:b@c",
		"http://example.com:/",
	};
	static const char *const bad[] = {
		"", "a", "example.com", "//example.com", "///", "http:", "http:/a", "http://", "http:///a",
		"http://?a", "https://:80/", "ftp://example.com/", "javascript:alert(1)", "data:text/html,x",
		" http://a", "http://a b", "http://a/ b", "http://user@example.com/", "http://user:pw@example.com/",
		"http://a/\"", "http://a/<b>", "/\\example.com", "/a\\b", "/a b", "/a\nb", "/%", "/%4", "/%4g",
		"/%zz", "http://a:123456/", "http://a:8x/", "http://[::1", "http://[]/", "http://[zz::1]/",
		"http://a/ü", "/{id}", "/a|b", "/a^b", "/a`b", "/a#b#c", "httpx://a", "http//a",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check(url_is_good(good[i]), good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		check(!url_is_good(bad[i]), bad[i]);
}

static void
percent_decoding(void **state)
{
	static const struct { const char *text; size_t length; bool plus; const char *decoded; } cases[] = {
		{ BYTES(""), false, "" }, { BYTES("abc"), false, "abc" }, { BYTES("a%20b"), false, "a b" },
		{ BYTES("a+b"), false, "a+b" }, { BYTES("a+b%2B"), true, "a b+" }, { BYTES("%41%5a%7e"), false, "AZ~" },
		{ BYTES("%c3%BC"), false, "ü" }, { BYTES("%F0%9F%98%80"), false, "😀" }, { BYTES("ü"), false, "ü" },
		{ BYTES("%2e%2E%2f"), false, "../" }, { BYTES("%2541"), false, "%41" }, { BYTES("%25"), false, "%" },
		{ BYTES("%"), false, NULL }, { BYTES("%4"), false, NULL }, { BYTES("a%"), false, NULL },
		{ BYTES("%g1"), false, NULL }, { BYTES("%1g"), false, NULL }, { BYTES("% 41"), false, NULL },
		{ BYTES("%+1"), true, NULL }, { BYTES("%-1"), false, NULL }, { BYTES("%%41"), false, NULL },
		{ BYTES("%u0041"), false, NULL }, { BYTES("%00"), false, NULL }, { BYTES("a%00b"), false, NULL },
		{ BYTES("a\0b"), false, NULL }, { BYTES("%ff"), false, NULL }, { BYTES("%c3"), false, NULL },
		{ BYTES("\xc3"), false, NULL }, { BYTES("%c0%af"), false, NULL }, { BYTES("%ed%a0%80"), false, NULL },
	};
	struct arena *arena = arena_new(1024);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *decoded = url_decode(arena, cases[i].text, cases[i].length, cases[i].plus);

		check(!decoded == !cases[i].decoded, cases[i].text);
		if (decoded)
			assert_string_equal(decoded, cases[i].decoded);
	}
	/* the length counts, not a NUL */
	assert_string_equal(url_decode(arena, "a%20b", 4, false), "a ");
	assert_null(url_decode(arena, "a%20b", 3, false));
	arena_free(arena);
}

static void
passwords_are_hidden(void **state)
{
	static const struct {
		const char *url, *shown;
	} cases[] = {
		{ "postgresql://okul:secret@db/okul", "postgresql://okul:***@db/okul" },
		{ "postgresql://okul:se%40c:r@et@h1:1,h2:2/okul?a=b", "postgresql://okul:***@h1:1,h2:2/okul?a=b" },
		{ "postgresql://okul@db:5432/okul", "postgresql://okul@db:5432/okul" },
		{ "postgresql:///okul?host=/run&password=secret&user=okul", "postgresql:///okul?host=/run&password=***&user=okul" },
		{ "postgresql://db/a@b:c", "postgresql://db/a@b:c" },
		{ "no url", "no url" },
	};
	char shown[200], less[15];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		url_hide_password(shown, sizeof(shown), cases[i].url);
		assert_string_equal(shown, cases[i].shown);
	}
	url_hide_password(less, sizeof(less), cases[0].url);
	assert_string_equal(less, "postgresql://o");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(percent_decoding),
		cmocka_unit_test(passwords_are_hidden),
	};

	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
