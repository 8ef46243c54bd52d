#include "clock.h"
#include "link.h"
#include "random.h"
#include "text.h"
#include "unit.h"

static struct arena *arena;
static const struct conf conf = { .base_url = "https://okul.example", .link_key = "0123456789abcdef0123456789abcde" };
static const struct conf other = { .base_url = "https://okul.example", .link_key = "1123456789abcdef0123456789abcde" };

#define NOW INT64_C(1767225600000)
#define USER_ID "00112233445566778899aabb"
#define USER "user=" USER_ID
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
	return strchr(link_url(arena, of, key, false, NULL, NOW), '?') + 1;
}

static void
addresses(void **state)
{
	const char *url = link_url(arena, &conf, KEY, false, NULL, NOW);

	(void)state;
	assert_string_equal(link_url(arena, &conf, KEY, true, NULL, NOW), "https://okul.example/storage/files/" KEY);
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

/* Signed by a clock that was ahead: it does not live until then. */
static void
a_clock_that_was_set_back_prolongs_no_address(void **state)
{
	const char *query = query_of(&conf, KEY);

	(void)state;
	assert_int_equal(state_of(query, NOW - 30 * SECOND), LINK_GOOD);
	assert_int_equal(state_of(query, NOW - 2 * MINUTE), LINK_BAD);
	assert_int_equal(state_of(query, NOW - 400 * DAY), LINK_BAD);
}

static void
queries(void **state)
{
	const char *good = query_of(&conf, KEY);
	const char *signature = strchr(good, '&') + 1, *unknown = NULL;
	const char *named = strchr(link_url(arena, &conf, KEY, false, USER_ID, NOW), '?') + 1;
	char *upper = arena_string(arena, strchr(signature, '=') + 1);
	text_upper(upper);
	const struct { const char *query; enum link_state state; } cases[] = {
		{ NULL, LINK_NONE }, { "", LINK_NONE }, { "&&", LINK_NONE },
		/* one spelling is good */
		{ good, LINK_GOOD }, { named, LINK_GOOD },
		{ arena_format(arena, "&%s", good), LINK_BAD }, { arena_format(arena, "%s&", good), LINK_BAD },
		{ arena_format(arena, "%s&expires=1767226500", signature), LINK_BAD },
		{ arena_format(arena, "%%65xpires=1767226500&%s", signature), LINK_BAD },
		{ arena_format(arena, "expires=17672265%%30%%30&%s", signature), LINK_BAD },
		{ arena_format(arena, "expires=01767226500&%s", signature), LINK_BAD },
		{ arena_format(arena, "expires=+1767226500&%s", signature), LINK_BAD },
		{ arena_format(arena, "expires=1767226500%%20&%s", signature), LINK_BAD },
		{ arena_format(arena, "expires=1767226500&&%s", signature), LINK_BAD },
		{ arena_format(arena, "expires=1767226500&signature=%s", upper), LINK_BAD },
		{ arena_format(arena, "Expires=1767226500&%s", signature), LINK_BAD },
		{ arena_format(arena, "%s#", good), LINK_BAD }, { arena_format(arena, "%s%%00", good), LINK_BAD },
		{ arena_format(arena, "user=&%s", good), LINK_BAD }, { arena_format(arena, "%s&user=", good), LINK_BAD },
		{ arena_format(arena, "%s&%s", strchr(named, '&') + 1, USER), LINK_BAD },
		{ arena_format(arena, "x=1&%s", good), LINK_BAD }, { arena_format(arena, "%s&x=1", good), LINK_BAD },
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
		{ "x", LINK_UNKNOWN }, { "=1", LINK_UNKNOWN },
		{ "Expires=1", LINK_UNKNOWN }, { "%zz=1", LINK_UNKNOWN },
	};

	(void)state;
	assert_int_equal(link_check(arena, &conf, KEY, named, NOW, &unknown), LINK_GOOD);
	assert_string_equal(unknown, USER_ID);
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
		link_put_disposition(&out, cases[i].is_inline, cases[i].name);
		assert_string_equal(out.s, cases[i].wanted);
	}
}

/* As clients send them, and how they are kept. */
static void
names_of_files(void **state)
{
	static const struct { const char *given; enum media_type type; const char *kept; } cases[] = {
		{ "a.png", MEDIA_PNG, "a.png" }, { "A.PNG", MEDIA_PNG, "A.PNG" }, { "a.Jpeg", MEDIA_JPEG, "a.Jpeg" },
		{ "a.jfif", MEDIA_JPEG, "a.jfif" }, { "a.heif", MEDIA_HEIC, "a.heif" }, { "a.m4v", MEDIA_MP4, "a.m4v" },
		/* the extension is that of the type */
		{ "odev.hta", MEDIA_PDF, "odev.pdf" }, { "a.jpeg", MEDIA_PNG, "a.png" }, { "a", MEDIA_MOV, "a.mov" },
		{ "a.png.exe", MEDIA_PNG, "a.png" }, { "a.exe.png", MEDIA_PNG, "a.exe.png" }, { "a.png", MEDIA_NONE, "a.png" },
		{ "a.tar.gz", MEDIA_PDF, "a.tar.pdf" }, { "a.7z", MEDIA_PDF, "a.pdf" }, { "a.html5", MEDIA_PDF, "a.pdf" },
		{ "Ünite 1.2", MEDIA_PDF, "Ünite 1.2.pdf" }, { "Ders 3. hafta", MEDIA_PDF, "Ders 3. hafta.pdf" },
		{ "a.ğa", MEDIA_PDF, "a.ğa.pdf" }, { "a.extension", MEDIA_PDF, "a.extension.pdf" },
		{ "a.png::$DATA", MEDIA_PNG, "a.png::$DATA.png" },
		/* no folders, and at the ends no dots and spaces, which hide it or get lost */
		{ "C:\\Users\\ada\\ödev.pdf", MEDIA_PDF, "ödev.pdf" }, { "../../etc/passwd", MEDIA_PDF, "passwd.pdf" },
		{ "/", MEDIA_PNG, "file.png" }, { "..", MEDIA_PNG, "file.png" }, { "a/..", MEDIA_PNG, "file.png" },
		{ ".htaccess", MEDIA_PNG, "htaccess.png" }, { " a .png. ", MEDIA_PNG, "a .png" }, { "a...", MEDIA_GIF, "a.gif" },
		{ "", MEDIA_MP3, "file.mp3" }, { ". .", MEDIA_NONE, "file" }, { ".png", MEDIA_PNG, "png.png" },
		/* no invisible characters, and none that change the direction */
		{ "a\r\nX: y\t.pdf", MEDIA_PDF, "aX: y.pdf" }, { "\x1b[2Ja.pdf\x7f", MEDIA_PDF, "[2Ja.pdf" },
		{ "a\u202efdp.exe", MEDIA_PDF, "afdp.pdf" }, { "\u200e\u200f\u061c\u2066a\u2069.pdf", MEDIA_PDF, "a.pdf" },
		{ "a\u200b.pd\u2060f\ufeff", MEDIA_PDF, "a.pdf" }, { "a\xc2\x85\u2028\u2029\u00ad.pdf", MEDIA_PDF, "a.pdf" },
		{ ".\u200b./a.pdf", MEDIA_PDF, "a.pdf" }, { "a/.\u200b.", MEDIA_PDF, "file.pdf" },
		{ "a\U000e0041.pdf", MEDIA_PDF, "a.pdf" },
		{ "👩\u200d🏫 می\u200cخواهم.pdf", MEDIA_PDF, "👩\u200d🏫 می\u200cخواهم.pdf" },
		/* what is no UTF-8 is Windows-1254 */
		{ "\xd6\xf0renci \xfe\xfd\xde\xdd.pdf", MEDIA_PDF, "Öğrenci şıŞİ.pdf" }, { "\x80\x9f\xff.pdf", MEDIA_PDF, "€Ÿÿ.pdf" },
		{ "x\x81\x8d\x8e\x8f\x90\x9d\x9e.pdf", MEDIA_PDF, "x_______.pdf" }, { "\xc5", MEDIA_PDF, "Å.pdf" },
		{ "..\xc0\xaf" "a.pdf", MEDIA_PDF, "À¯a.pdf" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *kept = link_file_name(arena, cases[i].given, cases[i].type);
		if (strcmp(kept, cases[i].kept) != 0)
			fail_msg("%s becomes %s", cases[i].given, kept);
		/* stored names are passed again */
		assert_string_equal(link_file_name(arena, kept, cases[i].type), kept);
	}
	for (size_t n = 200; n < 600; n += 7) {
		struct buf long_name = { .arena = arena }, wanted = { .arena = arena };
		for (size_t k = 0; k < n; k++)
			buf_puts(&long_name, "ş");
		buf_puts(&long_name, ".jpeg");
		buf_put(&wanted, long_name.s, 2 * (n < 250 ? n : 250));
		buf_puts(&wanted, ".jpeg");
		assert_string_equal(link_file_name(arena, long_name.s, MEDIA_JPEG), wanted.s);
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
		cmocka_unit_test(a_clock_that_was_set_back_prolongs_no_address),
		cmocka_unit_test(queries),
		cmocka_unit_test(dispositions),
		cmocka_unit_test(names_of_files),
	};

	random_init();
	arena = arena_new(65536);
	int failed = cmocka_run_group_tests_name("link", tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
