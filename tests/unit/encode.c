#include "encode.h"
#include "unit.h"

static void
html_is_escaped(void **state)
{
	struct buf buf = { 0 };

	(void)state;
	encode_html(&buf, "<a href=\"x\">Tom & 'Ayşe'</a>");
	assert_string_equal(buf.s, "&lt;a href=&quot;x&quot;&gt;Tom &amp; &#39;Ayşe&#39;&lt;/a&gt;");
	buf_clear(&buf);
}

static void
base64url_round_trip(void **state)
{
	/* RFC 4648 section 10, and the two characters in which base64url differs */
	static const struct { const char *bytes, *text; } cases[] = {
		{ "", "" }, { "f", "Zg" }, { "fo", "Zm8" }, { "foo", "Zm9v" }, { "foob", "Zm9vYg" },
		{ "fooba", "Zm9vYmE" }, { "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "-_-_" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf buf = { 0 };
		char bytes[16];
		size_t length = strlen(cases[i].bytes);

		encode_base64url(&buf, cases[i].bytes, length);
		assert_string_equal(buf.s, cases[i].text);
		assert_int_equal(decode_base64url(bytes, sizeof(bytes), buf.s, buf.length), length);
		assert_memory_equal(bytes, cases[i].bytes, length);
		if (length > 0)
			assert_int_equal(decode_base64url(bytes, length - 1, buf.s, buf.length), -1);
		buf_clear(&buf);
	}
}

static void
malformed_base64url_is_rejected(void **state)
{
	static const char *const bad[] = {
		"A", "AAAAA", "Zg==", "Zg=", "Zm8=", "Zh", "Zn", "Zm9", "Zm+v", "Zm/v", "Zm 9v", "Zm9v\n", "Zm.v",
		"Zm\xc3v", "****",
	};
	char bytes[16];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		check(decode_base64url(bytes, sizeof(bytes), bad[i], strlen(bad[i])) == -1, bad[i]);
}

static void
hex_round_trip(void **state)
{
	struct buf buf = { 0 };
	unsigned char bytes[4] = { 0 };

	(void)state;
	encode_hex(&buf, "\x00\x9a\xff\x10", 4);
	assert_string_equal(buf.s, "009aff10");
	assert_true(decode_hex(bytes, 4, buf.s));
	assert_memory_equal(bytes, "\x00\x9a\xff\x10", 4);
	assert_true(decode_hex(bytes, 2, "Ab9F"));
	assert_memory_equal(bytes, "\xab\x9f", 2);
	assert_false(decode_hex(bytes, 2, "") || decode_hex(bytes, 2, "ab9"));
	assert_false(decode_hex(bytes, 2, "ab9f0") || decode_hex(bytes, 2, "ab9g"));
	assert_false(decode_hex(bytes, 2, "ab 9f") || decode_hex(bytes, 2, "zb9f"));
	assert_true(decode_hex(bytes, 0, ""));
	buf_clear(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_is_escaped),
		cmocka_unit_test(base64url_round_trip),
		cmocka_unit_test(malformed_base64url_is_rejected),
		cmocka_unit_test(hex_round_trip),
	};

	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
