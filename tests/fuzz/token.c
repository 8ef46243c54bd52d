/*
 * Tokens: no input is a valid token. It is parsed as an Authorization header, as a refresh token and, with a valid
 * signature, as payload.
 */
#include "clock.h"
#include "token.h"
#include "encode.h"
#include "fuzz.h"
#include "text.h"

#include <sodium.h>

#define NOW (INT64_C(1768473000) * SECOND)

static struct conf conf = {
	.access_life = 3600, .jwt_count = 1, .jwt = { { .kid = "fuzz", .key = "a key that no input can guess" } },
	.refresh_key = "another key that none can guess",
};

static void
check_strange(const char *text)
{
	struct refresh refresh;
	struct claims claims;
	size_t length;
	const char *token = token_bearer(text, &length);

	must(token ? length > 0 && length <= strlen(text) - 7 : length == 0);
	must(!token || !token_check(token, length, NOW, &claims));
	must(!token_check(text, strlen(text), NOW, &claims));
	if (refresh_parse(&refresh, text)) {
		struct buf same = { 0 };

		must(text_is_id(refresh.session) && !refresh_check(&refresh, (const unsigned char[REFRESH_SEED]){ 0 }));
		encode_base64url(&same, refresh.bytes, sizeof(refresh.bytes));
		must(strcmp(same.s, text) == 0);
		buf_clear(&same);
	}
}

/* The input as payload, with a valid header and signature. */
static void
check_signed(const char *payload)
{
	static const char header[] = "{\"alg\":\"HS256\",\"kid\":\"fuzz\",\"typ\":\"JWT\"}";
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	struct buf token = { 0 };
	struct claims claims;

	encode_base64url(&token, header, strlen(header));
	buf_putc(&token, '.');
	encode_base64url(&token, payload, strlen(payload));
	crypto_auth_hmacsha256(mac, (unsigned char *)token.s, token.length, conf.jwt[0].key);
	buf_putc(&token, '.');
	encode_base64url(&token, mac, sizeof(mac));
	if (token_check(token.s, token.length, NOW, &claims)) {
		must(text_is_id(claims.user) && text_is_id(claims.session));
		must(claims.expires > NOW && claims.issued <= NOW + MINUTE && claims.issued > 0);
	}
	buf_clear(&token);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	char why[100], *text = string_of(data, size);

	if (!started) {
		random_init();
		must(token_init(&conf, why, sizeof(why)));
		started = true;
	}
	check_strange(text);
	check_signed(text);
	free(text);
	return 0;
}
