#include "origin.h"
#include "unit.h"

static void
origins_are_normalized_to_what_browsers_send(void **state)
{
	static const struct { const char *written, *sent; } good[] = {
		{ "https://okul.example", "https://okul.example" },
		{ "HTTPS://Okul.Example", "https://okul.example" },
		{ "https://okul.example/", "https://okul.example" },
		{ "https://okul.example:443", "https://okul.example" },
		{ "https://okul.example:443/", "https://okul.example" },
		{ "http://okul.example:80", "http://okul.example" },
		{ "http://okul.example:443", "http://okul.example:443" },
		{ "https://okul.example:80", "https://okul.example:80" },
		{ "http://localhost:05173", "http://localhost:5173" },
		{ "http://127.0.0.1:3000/", "http://127.0.0.1:3000" },
		{ "http://[2001:DB8::1]:8080", "http://[2001:db8::1]:8080" },
		{ "https://xn--krs-1na.example", "https://xn--krs-1na.example" },
		{ "capacitor://localhost", "capacitor://localhost" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct buf out = { 0 };
		assert_null(origin_put(&out, good[i].written, strlen(good[i].written)));
		assert_string_equal(out.s, good[i].sent);
		buf_clear(&out);
	}
}

static void
what_no_browser_sends_is_rejected(void **state)
{
	static const char *const bad[] = {
		"", "*", "null", "okul.example", "www.okul.example/", "//okul.example", "https:okul.example", "https://", "https:///",
		"https://okul.example/app", "https://okul.example//", "https://okul.example?", "https://okul.example#x", "https://*.okul.example",
		"https://user@okul.example", "https://okul.example:", "https://okul.example:0", "https://okul.example:65536",
		"https://okul.example:123456789012", "https://okul.example:80x", "https://örnek.example", "https://[::1", "https://[]",
		"https://[::1]x", "1http://okul.example", "https://okul.example;", "https://okul.example\"", "https://okul\\.example",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf out = { 0 };
		const char *why = origin_put(&out, bad[i], strlen(bad[i]));
		if (!why)
			fail_msg("%s passes as %s", bad[i], out.s);
		assert_true(strlen(why) > 20 && out.length == 0);
		buf_clear(&out);
	}
}

static void
a_list_has_each_valid_origin_once(void **state)
{
	struct buf out = { 0 }, none = { 0 };

	(void)state;
	origin_list(&out, " https://a.example,HTTPS://b.example/ ,, *\thttps://a.example:443  http://a.example ");
	assert_string_equal(out.s, "https://a.example https://b.example http://a.example");
	assert_true(origin_in(out.s, "https://a.example") && origin_in(out.s, "https://b.example") && origin_in(out.s, "http://a.example"));
	static const char *const others[] = { "", " ", "https://a.exampl", "https://a.example ", "ttps://a.example", "HTTPS://a.example",
		"https://a.example https://b.example", "*", "https://c.example" };
	for (size_t i = 0; i < COUNT(others); i++)
		assert_false(origin_in(out.s, others[i]));
	origin_list(&none, " , *");
	assert_string_equal(none.s, "");
	assert_false(origin_in(none.s, ""));
	buf_clear(&out);
	buf_clear(&none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(origins_are_normalized_to_what_browsers_send),
		cmocka_unit_test(what_no_browser_sends_is_rejected),
		cmocka_unit_test(a_list_has_each_valid_origin_once),
	};

	return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
