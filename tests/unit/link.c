#include "clock.h"
#include "link.h"
#include "random.h"
#include "unit.h"

static struct arena *arena;
static const struct conf conf = { .base_url = "https://okul.example", .link_key = "0123456789abcdef0123456789abcde" };
static const struct conf other = { .base_url = "https://okul.example", .link_key = "1123456789abcdef0123456789abcde" };

#define NOW INT64_C(1767225600000)
#define KEY "0123456789abcdef01234567.png"

static enum link_state
state_of(const char *query, int64_t now)
{
	const char *unknown;

	return link_check(arena, &conf, KEY, query, now, &unknown);
}

static const char *
query_of(const struct conf *of, const char *key)
{
	return strchr(link_url(arena, of, key, false, NOW), '?') + 1;
}

static void
addresses(void **state)
{
	const char *url = link_url(arena, &conf, KEY, false, NOW);

	(void)state;
	assert_string_equal(link_url(arena, &conf, KEY, true, NOW), "https://okul.example/storage/files/" KEY);
	assert_memory_equal(url, "https://okul.example/storage/files/" KEY "?expires=1767226500&signature=", 93);
	assert_int_equal(strlen(url), 93 + 64);
}

/* HMAC-SHA-256 over "storage file", the key and the time, each behind its length: made with Python's hmac. */
static void
a_signature_is_what_it_was(void **state)
{
	(void)state;
	assert_string_equal(query_of(&conf, KEY), "expires=1767226500&signature="
		"ba5b4e3b5ddb181905a05176fdfb2b1ce99f2d8b7a39929a0feea5cc3ead11f1");
}

static void
signatures_live_their_time_and_are_for_one_key(void **state)
{
	const char *query = query_of(&conf, KEY);

	(void)state;
	assert_int_equal(state_of(query, NOW), LINK_GOOD);
	assert_int_equal(state_of(query, NOW + LINK_LIFE * SECOND - 1), LINK_GOOD);
	assert_int_equal(state_of(query, NOW + LINK_LIFE * SECOND), LINK_BAD);
	assert_int_equal(state_of(query_of(&other, KEY), NOW), LINK_BAD);
	assert_int_equal(state_of(query_of(&conf, "0123456789abcdef01234568.png"), NOW), LINK_BAD);
}

static void
every_bit_of_a_signature_counts(void **state)
{
	char *query = arena_string(arena, query_of(&conf, KEY));
	char *signature = strstr(query, "signature=") + 10;

	(void)state;
	for (int i = 0; i < 64; i++) {
		for (int bit = 1; bit < 16; bit <<= 1) {
			char was = signature[i];
			int digit = was <= '9' ? was - '0' : was - 'a' + 10;
			signature[i] = "0123456789abcdef"[digit ^ bit];
			assert_int_equal(state_of(query, NOW), LINK_BAD);
			signature[i] = was;
		}
	}
	assert_int_equal(state_of(query, NOW), LINK_GOOD);
}

static void
queries(void **state)
{
	const char *good = query_of(&conf, KEY);
	const char *signature = strchr(good, '&') + 1, *unknown = NULL;
	const struct { const char *query; enum link_state state; } cases[] = {
		{ NULL, LINK_NONE }, { "", LINK_NONE }, { "&&", LINK_NONE },
		{ arena_format(arena, "&%s&", good), LINK_GOOD },
		{ arena_format(arena, "%s&expires=1767226500", signature), LINK_GOOD },
		{ arena_format(arena, "%s&%%65xpires=17672265%%30%%30", signature), LINK_GOOD },
		{ signature, LINK_BAD }, { "expires=1767226500", LINK_BAD }, { "expires", LINK_BAD }, { "signature", LINK_BAD },
		{ arena_format(arena, "%s&%s", good, signature), LINK_BAD },
		{ arena_format(arena, "%s&expires=1767226500", good), LINK_BAD },
		{ arena_format(arena, "%s&expires=%%zz", signature), LINK_BAD },
		{ arena_format(arena, "%s&expires=", signature), LINK_BAD },
		{ arena_format(arena, "%s&expires=01767226500", signature), LINK_BAD },
		{ arena_format(arena, "%s&expires=+1767226500", signature), LINK_BAD },
		{ arena_format(arena, "%s&expires=-1767226500", signature), LINK_BAD },
		{ arena_format(arena, "%s&expires=99999999999999999999", signature), LINK_BAD },
		{ arena_format(arena, "%s0", good), LINK_BAD },
		{ arena_format(arena, "%s&x=1", good), LINK_UNKNOWN }, { "x", LINK_UNKNOWN }, { "=1", LINK_UNKNOWN },
		{ "Expires=1", LINK_UNKNOWN }, { "%zz=1", LINK_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (state_of(cases[i].query, NOW) != cases[i].state)
			fail_msg("%s is not %d", cases[i].query, cases[i].state);
	assert_int_equal(link_check(arena, &conf, KEY, "a%20b=1", NOW, &unknown), LINK_UNKNOWN);
	assert_string_equal(unknown, "a b");
	assert_int_equal(link_check(arena, &conf, KEY, "%zz=1", NOW, &unknown), LINK_UNKNOWN);
	assert_string_equal(unknown, "?");
}

static void
dispositions(void **state)
{
	static const struct { bool is_inline; const char *name, *wanted; } cases[] = {
		{ true, "a.png", "inline; filename=\"a.png\"" },
		{ false, "ders 1.pdf", "attachment; filename=\"ders 1.pdf\"" },
		{ false, "şık.pdf", "attachment; filename=\"__k.pdf\"; filename*=UTF-8''%C5%9F%C4%B1k.pdf" },
		{ false, "a\"b\\c.pdf", "attachment; filename=\"a_b_c.pdf\"; filename*=UTF-8''a%22b%5Cc.pdf" },
		{ false, "100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf" },
		{ false, "a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y" },
		{ false, "😀", "attachment; filename=\"_\"; filename*=UTF-8''%F0%9F%98%80" },
		{ false, "\x7f", "attachment; filename=\"_\"; filename*=UTF-8''%7F" },
		{ true, "ü!#$&+-.^_`|~'()*", "inline; filename=\"_!#$&+-.^_`|~'()*\"; filename*=UTF-8''%C3%BC!#$&+-.^_`|~%27%28%29%2A" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = { .arena = arena };
		buf_disposition(&out, cases[i].is_inline, cases[i].name);
		assert_string_equal(out.s, cases[i].wanted);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(a_signature_is_what_it_was),
		cmocka_unit_test(signatures_live_their_time_and_are_for_one_key),
		cmocka_unit_test(every_bit_of_a_signature_counts),
		cmocka_unit_test(queries),
		cmocka_unit_test(dispositions),
	};

	random_init();
	arena = arena_new(65536);
	int failed = cmocka_run_group_tests_name("link", tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
