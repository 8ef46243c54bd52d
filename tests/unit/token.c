#include "token.h"
#include "clock.h"
#include "encode.h"
#include "unit.h"

#include <malloc.h>
#include <sodium.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define USER_ID "0123456789abcdef01234567"
#define SESSION_ID "89abcdef0123456789abcdef"
#define NOW (INT64_C(1768473000) * SECOND)

static struct conf conf;
static struct arena *arena;
static char why[200];

static int
set_up(void **state)
{
	(void)state;
	conf = (struct conf){ .access_life = 3600, .jwt_count = 2, .jwt = { { .kid = "k2" }, { .kid = "k1" } } };
	memset(conf.jwt[0].key, 2, KEY_BYTES);
	memset(conf.jwt[1].key, 1, KEY_BYTES);
	memset(conf.refresh_key, 3, KEY_BYTES);
	arena = arena ? arena : arena_new(65536);
	return token_init(&conf, why, sizeof(why)) ? 0 : -1;
}

/* Appends a new token. */
static bool
issue(struct buf *token, const char *user, const char *session, int64_t now)
{
	const char *text = token_issue(arena, user, session, now);

	if (text)
		buf_puts(token, text);
	arena_reset(arena);
	return text;
}

static bool
is_good(const char *token, int64_t now)
{
	struct claims claims;
	/* an allocation of exactly this size, without a NUL: AddressSanitizer detects reads past its end */
	size_t length = strlen(token);
	char *copy = malloc(length ? length : 1);
	bool good;

	memcpy(copy, token, length);
	good = token_check(copy, length, now, &claims);
	free(copy);
	return good;
}

/* ---- forging: what an attacker, or another program with our key, may write */

enum signer { HS256, HS512, UNSIGNED };

/* base64url(header).base64url(payload).signature under the first `key_length` bytes of `key` */
static struct buf
forge_with(const char *header, const char *payload, enum signer signer, const unsigned char *key, size_t key_length)
{
	unsigned char mac[crypto_auth_hmacsha512_BYTES];
	struct buf token = { 0 };

	encode_base64url(&token, header, strlen(header));
	buf_putc(&token, '.');
	encode_base64url(&token, payload, strlen(payload));
	if (signer == HS256) {
		crypto_auth_hmacsha256_state hmac;

		crypto_auth_hmacsha256_init(&hmac, key, key_length);
		crypto_auth_hmacsha256_update(&hmac, (unsigned char *)token.s, token.length);
		crypto_auth_hmacsha256_final(&hmac, mac);
	} else {
		crypto_auth_hmacsha512_state hmac;

		crypto_auth_hmacsha512_init(&hmac, key, key_length);
		crypto_auth_hmacsha512_update(&hmac, (unsigned char *)token.s, token.length);
		crypto_auth_hmacsha512_final(&hmac, mac);
	}
	buf_putc(&token, '.');
	if (signer != UNSIGNED)
		encode_base64url(&token, mac, signer == HS256 ? 32 : 64);
	return token;
}

#define OUR_HEADER "{\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"JWT\"}"
#define OLD_HEADER "{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define HS512_HEADER "{\"alg\":\"HS512\",\"kid\":\"k2\",\"typ\":\"JWT\"}"
#define NAMES "\"iss\":\"okul\",\"aud\":\"okul\""
#define IDS "\"sub\":\"" USER_ID "\",\"sid\":\"" SESSION_ID "\",\"jti\":\"aaaaaaaaaaaaaaaaaaaaaaaa\""
#define TIMES "\"iat\":1768473000,\"exp\":1768476600"
#define OUR_PAYLOAD "{" NAMES "," IDS "," TIMES "}"

static bool
forged_is_good(const char *header, const char *payload, enum signer signer, const unsigned char *key, size_t key_length)
{
	struct buf token = forge_with(header, payload, signer, key, key_length);
	bool good = is_good(token.s, NOW);

	buf_clear(&token);
	return good;
}

/* Signed as we sign: with the first key. */
static bool
signed_is_good(const char *header, const char *payload)
{
	return forged_is_good(header, payload, HS256, conf.jwt[0].key, KEY_BYTES);
}

/* ---- valid tokens */

static void
a_token_says_whose_it_is(void **state)
{
	struct buf token = { 0 };
	struct claims claims = { 0 };

	(void)state;
	buf_puts(&token, "x");
	assert_true(issue(&token, USER_ID, SESSION_ID, NOW + 789));
	assert_int_equal(token.s[0], 'x');
	for (int round = 0; round < 2; round++) {
		assert_true(token_check(token.s + 1, token.length - 1, NOW + SECOND, &claims));
		assert_string_equal(claims.user, USER_ID);
		assert_string_equal(claims.session, SESSION_ID);
		assert_int_equal(claims.issued, NOW);
		assert_int_equal(claims.expires, NOW + HOUR);
		memset(&claims, 0, sizeof(claims));
	}
	buf_clear(&token);
}

static void
tokens_differ(void **state)
{
	struct buf a = { 0 }, b = { 0 };

	(void)state;
	assert_true(issue(&a, USER_ID, SESSION_ID, NOW) && issue(&b, USER_ID, SESSION_ID, NOW));
	assert_string_not_equal(a.s, b.s);
	buf_clear(&a);
	buf_clear(&b);
}

/* A token forged with our key is accepted: so the forgeries below are refused for what they change alone. */
static void
the_forger_can_write_good_tokens(void **state)
{
	(void)state;
	assert_true(signed_is_good(OUR_HEADER, OUR_PAYLOAD));
	assert_true(forged_is_good(OLD_HEADER, OUR_PAYLOAD, HS256, conf.jwt[1].key, KEY_BYTES));
	assert_true(signed_is_good(OUR_HEADER, "{" TIMES "," IDS ",\"more\":\"claims\"," NAMES "}"));
}

static void
time_is_looked_at_each_time(void **state)
{
	(void)state;
	for (int order = 0; order < 2; order++) {
		struct buf token = { 0 };

		assert_true(issue(&token, USER_ID, SESSION_ID, NOW));
		/* once uncached, once cached */
		if (order)
			assert_true(is_good(token.s, NOW));
		assert_false(is_good(token.s, NOW + HOUR));
		assert_false(is_good(token.s, NOW + 1000 * DAY));
		assert_false(is_good(token.s, NOW - 60 * SECOND - 1));
		assert_true(is_good(token.s, NOW - 60 * SECOND));
		assert_true(is_good(token.s, NOW + HOUR - 1));
		assert_false(is_good(token.s, NOW + HOUR));
		buf_clear(&token);
	}
}

/* ---- invalid tokens */

static void
foreign_headers_are_refused(void **state)
{
	static const char *const headers[] = {
		"", "{}", "{\"alg\":\"HS256\"}", "{\"alg\":\"HS256\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k3\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"K2\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"../k2\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":null,\"typ\":\"JWT\"}",
		"{\"alg\":\"hs256\",\"kid\":\"k2\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"jwt\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"at+jwt\"}", "{\"alg\":\"HS256\",\"kid\":\"k2\"}",
		"{\"typ\":\"JWT\",\"alg\":\"HS256\",\"kid\":\"k2\"}",
		"{\"alg\": \"HS256\",\"kid\":\"k2\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"JWT\"} ",
		"{\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"JWT\",\"crit\":[\"x\"]}",
		"{\"alg\":\"HS256\",\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"JWT\"}",
		"{\"alg\":\"RS256\",\"kid\":\"k2\",\"typ\":\"JWT\"}",
		"{\"alg\":\"none\",\"kid\":\"k2\",\"typ\":\"JWT\"}",
		"{\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"JWT\",\"jwk\":{\"kty\":\"oct\"}}",
		"{\"alg\":\"HS256\",\"kid\":\"k2\",\"typ\":\"JWT\",\"jku\":\"http://127.0.0.1/\"}", "null", "[]", "x",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++)
		check(!signed_is_good(headers[i], OUR_PAYLOAD), headers[i]);
	/* a right header, but of another key */
	assert_false(forged_is_good(OUR_HEADER, OUR_PAYLOAD, HS256, conf.jwt[1].key, KEY_BYTES));
	assert_false(signed_is_good(OLD_HEADER, OUR_PAYLOAD));
}

static void
no_other_algorithm_is_taken(void **state)
{
	static const char *const none[] = {
		"{\"alg\":\"none\"}", "{\"alg\":\"none\",\"typ\":\"JWT\"}", "{\"alg\":\"None\"}",
		"{\"alg\":\"NONE\"}", "{\"alg\":\"nOnE\"}", "{\"alg\":\"\"}", "{\"alg\":null}",
		"{\"alg\":\"none\",\"kid\":\"k2\",\"typ\":\"JWT\"}", "{\"typ\":\"JWT\"}", OUR_HEADER,
	};
	static const unsigned char zeros[KEY_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(none); i++) {
		check(!forged_is_good(none[i], OUR_PAYLOAD, UNSIGNED, zeros, 0), none[i]);
		check(!forged_is_good(none[i], OUR_PAYLOAD, HS256, zeros, 0), none[i]);
	}
	assert_false(forged_is_good(OUR_HEADER, OUR_PAYLOAD, HS256, zeros, KEY_BYTES));
	assert_false(forged_is_good(OUR_HEADER, OUR_PAYLOAD, HS512, conf.jwt[0].key, KEY_BYTES));
	assert_false(forged_is_good(HS512_HEADER, OUR_PAYLOAD, HS512, conf.jwt[0].key, KEY_BYTES));
	assert_false(forged_is_good("{\"alg\":\"HS512\"}", OUR_PAYLOAD, HS512, conf.jwt[0].key, KEY_BYTES));
	for (size_t length = 1; length < KEY_BYTES; length++)
		assert_false(forged_is_good(OUR_HEADER, OUR_PAYLOAD, HS256, conf.jwt[0].key, length));
}

#define WITH_IDS(ids) "{" NAMES "," ids "," TIMES "}"
#define WITH_TIMES(times) "{" NAMES "," IDS "," times "}"
#define WITH_NAMES(names) "{" names "," IDS "," TIMES "}"
#define SUB "\"sub\":\"" USER_ID "\""
#define SID "\"sid\":\"" SESSION_ID "\""
#define JTI "\"jti\":\"aaaaaaaaaaaaaaaaaaaaaaaa\""

/* All with a valid signature. */
static void
wrong_claims_are_refused(void **state)
{
	static const char *const payloads[] = {
		"", "{}", "null", "[]", "\"\"", "x", "[" OUR_PAYLOAD "]", OUR_PAYLOAD " x", OUR_PAYLOAD OUR_PAYLOAD,
		" " OUR_PAYLOAD,
		/* iss and aud: missing, of others, of another type */
		WITH_NAMES("\"aud\":\"okul\""), WITH_NAMES("\"iss\":\"okul\""),
		WITH_NAMES("\"iss\":\"okul2\",\"aud\":\"okul\""), WITH_NAMES("\"iss\":\"\",\"aud\":\"okul\""),
		WITH_NAMES("\"iss\":\"OKUL\",\"aud\":\"okul\""), WITH_NAMES("\"iss\":null,\"aud\":\"okul\""),
		WITH_NAMES("\"iss\":1,\"aud\":\"okul\""), WITH_NAMES("\"iss\":\"okul\",\"aud\":\"other\""),
		WITH_NAMES("\"iss\":\"okul\",\"aud\":[\"okul\"]"), WITH_NAMES("\"iss\":\"okul\",\"aud\":\"\""),
		WITH_NAMES("\"iss\":{},\"aud\":\"okul\""), WITH_NAMES("\"Iss\":\"okul\",\"aud\":\"okul\""),
		/* ids: missing, of another form */
		WITH_IDS(SID "," JTI), WITH_IDS(SUB "," JTI), WITH_IDS(SUB "," SID),
		WITH_IDS("\"sub\":\"\"," SID "," JTI), WITH_IDS("\"sub\":\"0123456789ABCDEF01234567\"," SID "," JTI),
		WITH_IDS("\"sub\":\"0123456789abcdef0123456\"," SID "," JTI),
		WITH_IDS("\"sub\":\"0123456789abcdef012345678\"," SID "," JTI), WITH_IDS("\"sub\":1," SID "," JTI),
		WITH_IDS("\"sub\":null," SID "," JTI), WITH_IDS("\"sub\":\"' OR 1=1 --\"," SID "," JTI),
		WITH_IDS(SUB ",\"sid\":\"x\"," JTI), WITH_IDS(SUB ",\"sid\":true," JTI),
		WITH_IDS(SUB "," SID ",\"jti\":\"x\""), WITH_IDS(SUB "," SID ",\"jti\":7"),
		/* times: missing, of another type, impossible, over, to come */
		WITH_TIMES("\"iat\":1768473000"), WITH_TIMES("\"exp\":1768476600"),
		WITH_TIMES("\"iat\":\"1768473000\",\"exp\":1768476600"),
		WITH_TIMES("\"iat\":1768473000,\"exp\":\"1768476600\""),
		WITH_TIMES("\"iat\":1768473000,\"exp\":1768476600.5"), WITH_TIMES("\"iat\":1768473000,\"exp\":1e300"),
		WITH_TIMES("\"iat\":1768473000,\"exp\":null"), WITH_TIMES("\"iat\":1768473000,\"exp\":true"),
		WITH_TIMES("\"iat\":1768473000,\"exp\":0"), WITH_TIMES("\"iat\":1768473000,\"exp\":-1"),
		WITH_TIMES("\"iat\":-1,\"exp\":1768476600"),
		WITH_TIMES("\"iat\":1768473000,\"exp\":9223372036854775807"),
		WITH_TIMES("\"iat\":1768473000,\"exp\":253402300800"),
		WITH_TIMES("\"iat\":1768473000,\"exp\":9223372036854775808"),
		WITH_TIMES("\"iat\":1768473000,\"exp\":1768473000"),
		WITH_TIMES("\"iat\":1768469300,\"exp\":1768472999"),
		WITH_TIMES("\"iat\":1768473061,\"exp\":1768476600"),
		WITH_TIMES("\"iat\":1768559400,\"exp\":1768563000"),
		/* a claim twice, in both orders, plainly and by escapes */
		WITH_IDS(SUB "," SUB "," SID "," JTI),
		WITH_IDS("\"sub\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"," SUB "," SID "," JTI),
		WITH_IDS(SUB ",\"sub\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"," SID "," JTI),
		WITH_IDS(SUB ",\"\\u0073ub\":\"aaaaaaaaaaaaaaaaaaaaaaaa\"," SID "," JTI),
		WITH_TIMES(TIMES ",\"exp\":9999999999"), WITH_TIMES("\"exp\":9999999999," TIMES),
		WITH_NAMES("\"iss\":\"okul\"," NAMES),
		/* bad JSON, or deeper than any of ours */
		WITH_TIMES(TIMES ","), WITH_TIMES(TIMES ",\"a\":{}"), WITH_TIMES(TIMES ",\"a\":[]"),
		WITH_TIMES(TIMES ",\"a\":\"\\u0000\""), WITH_TIMES(TIMES ",\"a\":\"\\ud800\""),
		WITH_TIMES(TIMES ",\"a\":\"\xff\""), WITH_TIMES(TIMES ",'a':1"), WITH_TIMES(TIMES ",\"a\":01"),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(payloads); i++)
		check(!signed_is_good(OUR_HEADER, payloads[i]), payloads[i]);
}

/* Up to 512 bytes, repeatedly, so that every entry of the cache gets (or does not get) a long one. */
static void
a_long_payload_is_refused(void **state)
{
	struct buf payload = { 0 };
	const int rest = 512 - (int)strlen(OUR_PAYLOAD) - (int)strlen(",\"a\":\"\"");

	(void)state;
	for (int i = 0; i < 600; i++) {
		buf_printf(&payload, "{%s,%s,%s,\"a\":\"%*d\"}", NAMES, IDS, TIMES, rest, i);
		assert_int_equal(payload.length, 512);
		assert_true(signed_is_good(OUR_HEADER, payload.s));
		buf_reset(&payload, 4096);
	}
	for (int more = 1; more < 3500; more += 498) {
		buf_printf(&payload, "{%s,%s,%s,\"a\":\"%*s\"}", NAMES, IDS, TIMES, rest + more, "");
		assert_false(signed_is_good(OUR_HEADER, payload.s));
		buf_reset(&payload, 4096);
	}
	buf_clear(&payload);
}

/* An unchanged signature with a changed payload. */
static void
a_changed_payload_is_refused(void **state)
{
	struct buf right = forge_with(OUR_HEADER, OUR_PAYLOAD, HS256, conf.jwt[0].key, KEY_BYTES);
	struct buf wrong = forge_with(OUR_HEADER, WITH_IDS("\"sub\":\"ffffffffffffffffffffffff\"," SID "," JTI), HS256,
		conf.jwt[0].key, KEY_BYTES);

	(void)state;
	assert_true(is_good(right.s, NOW) && is_good(wrong.s, NOW));
	assert_int_equal(right.length, wrong.length);
	memcpy(strrchr(wrong.s, '.'), strrchr(right.s, '.'), strlen(strrchr(right.s, '.')));
	assert_false(is_good(wrong.s, NOW));
	buf_clear(&right);
	buf_clear(&wrong);
}

static void
every_flipped_bit_is_detected(void **state)
{
	struct buf token = { 0 };
	struct claims claims;

	(void)state;
	assert_true(issue(&token, USER_ID, SESSION_ID, NOW));
	/* first round: the token is not cached; second: it is */
	for (int round = 0; round < 2; round++) {
		for (size_t bit = 0; bit < token.length * 8; bit++) {
			token.s[bit / 8] ^= (char)(1 << bit % 8);
			assert_false(token_check(token.s, token.length, NOW, &claims));
			token.s[bit / 8] ^= (char)(1 << bit % 8);
		}
		assert_true(token_check(token.s, token.length, NOW, &claims));
	}
	buf_clear(&token);
}

/* Every other character at every position, also those that differ only in unused bits of the last one. */
static void
every_changed_character_is_detected(void **state)
{
	struct buf token = { 0 };
	struct claims claims;

	(void)state;
	assert_true(issue(&token, USER_ID, SESSION_ID, NOW));
	for (size_t at = token.length - 50; at < token.length; at++) {
		const char right = token.s[at];

		for (int c = 0; c < 256; c++) {
			token.s[at] = (char)c;
			assert_int_equal(token_check(token.s, token.length, NOW, &claims), (char)c == right);
		}
		token.s[at] = right;
	}
	buf_clear(&token);
}

static void
parts_cut_off_or_added_are_refused(void **state)
{
	static const char *const tails[] = { "=", "==", ".", "..", "A", "AA", "AAAA", " ", "\n", ".A", "." "eyJ9" };
	struct buf token = { 0 }, longer = { 0 };
	struct claims claims;

	(void)state;
	assert_true(issue(&token, USER_ID, SESSION_ID, NOW));
	for (size_t length = 0; length < token.length; length++) {
		assert_false(token_check(token.s, length, NOW, &claims));
		assert_false(token_check(token.s + token.length - length, length, NOW, &claims));
	}
	assert_false(token_check(token.s, token.length + 1, NOW, &claims));	/* with its NUL */
	for (size_t i = 0; i < COUNT(tails); i++) {
		buf_printf(&longer, "%s%s", token.s, tails[i]);
		assert_false(is_good(longer.s, NOW));
		buf_reset(&longer, 4096);
		buf_printf(&longer, "%s%s", tails[i], token.s);
		assert_false(is_good(longer.s, NOW));
		buf_reset(&longer, 4096);
	}
	assert_true(is_good(token.s, NOW));
	buf_clear(&token);
	buf_clear(&longer);
}

static void
odd_texts_are_refused(void **state)
{
	static const char *const texts[] = {
		"", ".", "..", "...", "a", "a.b", "a.b.c", "a.b.c.d", "null", "Bearer", "undefined", "eyJ.eyJ.",
		"....................", "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsyIiwidHlwIjoiSldUIn0",
		"eyJhbGciOiJIUzI1NiIsImtpZCI6ImsyIiwidHlwIjoiSldUIn0.",
		"eyJhbGciOiJIUzI1NiIsImtpZCI6ImsyIiwidHlwIjoiSldUIn0..",
		"eyJhbGciOiJIUzI1NiIsImtpZCI6ImsyIiwidHlwIjoiSldUIn0.e30.",
		"eyJhbGciOiJIUzI1NiIsImtpZCI6ImsyIiwidHlwIjoiSldUIn0.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		check(!is_good(texts[i], NOW), texts[i]);
}

/* libjwt copies the whole token to the stack: it must never get one like these. */
static void
long_tokens_are_refused(void **state)
{
	const size_t huge = 20 << 20;
	struct buf token = { 0 };
	char *text = malloc(huge);
	struct claims claims;

	(void)state;
	assert_non_null(text);
	memset(text, 'A', huge);
	assert_false(token_check(text, huge, NOW, &claims));
	assert_true(issue(&token, USER_ID, SESSION_ID, NOW));
	memcpy(text, token.s, token.length);
	for (size_t length = token.length + 1; length < huge; length *= 2)
		assert_false(token_check(text, length, NOW, &claims));
	/* dots, and all of them under our header */
	memset(text + 60, '.', huge - 60);
	assert_false(token_check(text, huge, NOW, &claims));
	assert_false(token_check(text, TOKEN_MAX, NOW, &claims));
	free(text);
	/* above the limit no byte is read: these could not be */
	text = mmap(NULL, huge, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(text, MAP_FAILED);
	assert_false(token_check(text, huge, NOW, &claims));
	assert_false(token_check(text, TOKEN_MAX + 1, NOW, &claims));
	munmap(text, huge);
	buf_clear(&token);
}

/* ---- the cache of this process */

/* Changes the key: cached tokens stay valid, others do not. */
static void
a_verified_token_is_cached(void **state)
{
	struct buf cached = { 0 }, uncached = { 0 };

	(void)state;
	assert_true(issue(&cached, USER_ID, SESSION_ID, NOW) && issue(&uncached, USER_ID, SESSION_ID, NOW));
	assert_true(is_good(cached.s, NOW));
	memset(conf.jwt[0].key, 9, KEY_BYTES);
	assert_true(is_good(cached.s, NOW));
	assert_false(is_good(uncached.s, NOW));
	/* token_init() clears the cache */
	assert_true(token_init(&conf, why, sizeof(why)));
	assert_false(is_good(cached.s, NOW));
	buf_clear(&cached);
	buf_clear(&uncached);
}

static void
many_tokens_push_each_other_out(void **state)
{
	enum { N = 2000 };
	static struct buf tokens[N];

	(void)state;
	for (int i = 0; i < N; i++) {
		char user[ID_TEXT];

		snprintf(user, sizeof(user), "%024x", (unsigned)i);
		assert_true(issue(&tokens[i], user, SESSION_ID, NOW));
	}
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < N; i++) {
			struct claims claims;

			assert_true(token_check(tokens[i].s, tokens[i].length, NOW, &claims));
			assert_int_equal(strtoul(claims.user, NULL, 16), i);
		}
	}
	for (int i = 0; i < N; i++)
		buf_clear(&tokens[i]);
}

/* ---- keys */

static void
the_first_key_signs_and_all_verify(void **state)
{
	struct buf old = { 0 }, new = { 0 }, expected = { 0 };
	size_t header;

	(void)state;
	assert_true(issue(&old, USER_ID, SESSION_ID, NOW));
	header = strcspn(old.s, ".");
	encode_base64url(&expected, OUR_HEADER, strlen(OUR_HEADER));
	assert_int_equal(header, expected.length);
	assert_memory_equal(old.s, expected.s, header);
	conf.jwt[2] = conf.jwt[0];
	conf.jwt[0] = (struct jwt_key){ .kid = "k3", .key = { 7 } };
	conf.jwt_count = 3;
	assert_true(token_init(&conf, why, sizeof(why)));
	assert_true(issue(&new, USER_ID, SESSION_ID, NOW));
	assert_memory_not_equal(new.s, old.s, header);
	assert_true(is_good(old.s, NOW) && is_good(new.s, NOW));
	conf.jwt_count = 2;
	assert_true(token_init(&conf, why, sizeof(why)));
	assert_false(is_good(old.s, NOW));
	assert_true(is_good(new.s, NOW));
	buf_clear(&old);
	buf_clear(&new);
	buf_clear(&expected);
}

static void
missing_keys_end_the_start(void **state)
{
	(void)state;
	conf.jwt_count = 0;
	why[0] = '\0';
	assert_false(token_init(&conf, why, sizeof(why)));
	assert_string_not_equal(why, "");
	set_up(NULL);
	memset(conf.jwt[1].key, 0, KEY_BYTES);
	why[0] = '\0';
	assert_false(token_init(&conf, why, sizeof(why)));
	assert_non_null(strstr(why, "k1"));
	set_up(NULL);
	memcpy(conf.jwt[1].kid, "k2", 3);
	assert_false(token_init(&conf, why, sizeof(why)));
	assert_non_null(strstr(why, "k2"));
	set_up(NULL);
	conf.jwt[1].kid[0] = '\0';
	assert_false(token_init(&conf, why, sizeof(why)));
	set_up(NULL);
	memset(conf.refresh_key, 0, KEY_BYTES);
	assert_false(token_init(&conf, why, sizeof(why)));
}

/* ---- the Authorization header */

static void
bearer_tokens_are_found(void **state)
{
	static const struct { const char *header, *token; } headers[] = {
		{ "Bearer abc", "abc" }, { "bearer abc", "abc" }, { "BEARER abc", "abc" }, { "Bearer   abc", "abc" },
		{ "Bearer abc  ", "abc" }, { "Bearer a.b-c_d", "a.b-c_d" }, { NULL, NULL }, { "", NULL },
		{ "Bearer", NULL }, { "Bearer ", NULL }, { "Bearer    ", NULL }, { "Bearerabc", NULL },
		{ "Basic abc", NULL }, { " Bearer abc", NULL }, { "Bearer\tabc", NULL }, { "Bearer a b", NULL },
		{ "Token abc", NULL }, { "abc", NULL }, { "Bearer:abc", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(headers); i++) {
		const char *name = headers[i].header ? headers[i].header : "NULL";
		size_t length = 4711;
		const char *token = token_bearer(headers[i].header, &length);

		check((token != NULL) == (headers[i].token != NULL), name);
		check(length == (token ? strlen(headers[i].token) : 0), name);
		if (token)
			assert_memory_equal(token, headers[i].token, length);
	}
}

/* ---- refresh tokens */

static const unsigned char seed[REFRESH_SEED] = "a seed of thirty-two bytes......";

static void
refresh_tokens_are_parsed(void **state)
{
	static const uint32_t counters[] = { 0, 1, 258, 0x01020304, UINT32_MAX };
	char token[REFRESH_TEXT];
	struct refresh refresh;

	(void)state;
	for (size_t i = 0; i < COUNT(counters); i++) {
		refresh_issue(token, seed, SESSION_ID, counters[i]);
		assert_int_equal(strlen(token), 64);
		assert_true(refresh_parse(&refresh, token));
		assert_string_equal(refresh.session, SESSION_ID);
		assert_int_equal(refresh.counter, counters[i]);
		assert_true(refresh_check(&refresh, seed));
	}
}

static void
the_successor_is_always_the_same(void **state)
{
	char a[REFRESH_TEXT], b[REFRESH_TEXT];

	(void)state;
	refresh_issue(a, seed, SESSION_ID, 7);
	refresh_issue(b, seed, SESSION_ID, 7);
	assert_string_equal(a, b);
	refresh_issue(b, seed, SESSION_ID, 8);
	assert_string_not_equal(a, b);
}

static void
a_refresh_token_is_bound_to_all_its_fields(void **state)
{
	char token[REFRESH_TEXT];
	struct refresh refresh;
	unsigned char other[REFRESH_SEED];

	(void)state;
	refresh_issue(token, seed, SESSION_ID, 7);
	assert_true(refresh_parse(&refresh, token));
	memcpy(other, seed, sizeof(other));
	other[31] ^= 1;
	assert_true(refresh_check(&refresh, seed));
	assert_false(refresh_check(&refresh, other));
	conf.refresh_key[0] ^= 1;
	assert_false(refresh_check(&refresh, seed));
	conf.refresh_key[0] ^= 1;
	for (size_t bit = 0; bit < REFRESH_BYTES * 8; bit++) {	/* of session, counter and secret */
		refresh.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(refresh_check(&refresh, seed));
		refresh.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

static void
other_forms_are_no_refresh_tokens(void **state)
{
	char token[REFRESH_TEXT + 4];
	struct refresh refresh;

	(void)state;
	refresh_issue(token, seed, SESSION_ID, 7);
	for (size_t length = 0; length < 64; length++) {
		char *cut = strndup(token, length);

		assert_false(refresh_parse(&refresh, cut));
		free(cut);
	}
	memcpy(token + 64, "A", sizeof("A"));
	assert_false(refresh_parse(&refresh, token));
	memcpy(token + 64, "AAAA", sizeof("AAAA"));
	assert_false(refresh_parse(&refresh, token));
	token[64] = '\0';
	assert_true(refresh_parse(&refresh, token));
	token[30] = '+';
	assert_false(refresh_parse(&refresh, token));
	token[30] = '=';
	assert_false(refresh_parse(&refresh, token));
}

/* ---- memory */

static int64_t memory_left = INT64_MAX / 2;	/* bytes */

extern void *__libc_malloc(size_t size);
extern void __libc_free(void *bytes);

#ifdef __SANITIZE_ADDRESS__	/* its own malloc() cannot be replaced: nothing is to be found, and a fork takes long */
#define STEP 65536
#else
#define STEP 500
void *
malloc(size_t size)
{
	void *bytes = (int64_t)size <= memory_left ? __libc_malloc(size) : NULL;

	if (bytes)
		memory_left -= (int64_t)malloc_usable_size(bytes);
	return bytes;
}

void
free(void *bytes)
{
	if (bytes)
		memory_left += (int64_t)malloc_usable_size(bytes);
	__libc_free(bytes);
}
#endif

/* In a child process, since libjwt stays initialized: with so much memory left a good token is never refused as bad. */
static void
assert_not_bad(const char *token, int64_t memory, bool initialized)
{
	struct claims claims;
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct buf other = { 0 };

		if (!token_init(&conf, why, sizeof(why)) || (initialized && !issue(&other, USER_ID, SESSION_ID, NOW)))
			_exit(1);
		memory_left = memory;
		enum token_verdict verdict = token_check(token, strlen(token), NOW, &claims);
		memory_left = INT64_MAX / 2;
		_exit(verdict == TOKEN_BAD || token_check(token, strlen(token), NOW, &claims) != TOKEN_GOOD ? 2 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (status != 0)
		fail_msg("with %lld bytes of memory: status %x", (long long)memory, (unsigned)status);
}

static void
without_memory_no_token_is_wrong(void **state)
{
	struct buf token = { 0 };

	(void)state;
	assert_true(issue(&token, USER_ID, SESSION_ID, NOW));
	for (int64_t memory = 0; memory < 96 * 1024; memory += STEP / 2)
		assert_not_bad(token.s, memory, true);
	for (int64_t memory = 0; memory < 1024 * 1024; memory += STEP)
		assert_not_bad(token.s, memory, false);
	buf_clear(&token);
}

#define test(name) cmocka_unit_test_setup(name, set_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_token_says_whose_it_is),
		test(tokens_differ),
		test(the_forger_can_write_good_tokens),
		test(time_is_looked_at_each_time),
		test(foreign_headers_are_refused),
		test(no_other_algorithm_is_taken),
		test(wrong_claims_are_refused),
		test(a_long_payload_is_refused),
		test(a_changed_payload_is_refused),
		test(every_flipped_bit_is_detected),
		test(every_changed_character_is_detected),
		test(parts_cut_off_or_added_are_refused),
		test(odd_texts_are_refused),
		test(long_tokens_are_refused),
		test(a_verified_token_is_cached),
		test(without_memory_no_token_is_wrong),
		test(many_tokens_push_each_other_out),
		test(the_first_key_signs_and_all_verify),
		test(missing_keys_end_the_start),
		test(bearer_tokens_are_found),
		test(refresh_tokens_are_parsed),
		test(the_successor_is_always_the_same),
		test(a_refresh_token_is_bound_to_all_its_fields),
		test(other_forms_are_no_refresh_tokens),
	};

	random_init();
	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
