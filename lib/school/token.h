/*
 * token - access tokens (JWT, RFC 7519, HS256) and refresh tokens.
 *
 * libjwt verifies only tokens whose header is, byte for byte, one that we issue: it would accept "none", another
 * algorithm under the same key, and expired tokens.
 */
#ifndef OKUL_TOKEN_H
#define OKUL_TOKEN_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "random.h"

#define TOKEN_MAX 4096		/* bytes of an access token; longer ones are refused */

struct claims {
	char user[ID_TEXT];	/* sub */
	char session[ID_TEXT];	/* sid */
	int64_t issued, expires;	/* iat, exp: milliseconds, whole seconds */
};

/* Checks the keys of conf, which is borrowed. Once a process. False (and a reason in `why`) where one is unusable. */
must_use bool token_init(const struct conf *conf, char *why, size_t room);

/* A new access token, which expires after conf's access_life. `now` in milliseconds. NULL when memory is short. */
const char *token_issue(struct arena *arena, const char *user, const char *session, int64_t now);

/* NO_MEMORY: it could not be verified; respond 503, so that the client tries again, since 401 would log it out. */
enum token_verdict { TOKEN_BAD, TOKEN_GOOD, TOKEN_NO_MEMORY };

/*
 * GOOD when the token is ours, unmodified and not expired at `now`. Whether its session still exists is for the
 * caller to check. This process caches verified tokens.
 */
must_use enum token_verdict token_check(const char *token, size_t length, int64_t now, struct claims *claims);

/* The token of an Authorization header ("Bearer x", RFC 6750; the scheme in any case); NULL and 0 where it has none. */
const char *token_bearer(const char *authorization, size_t *length);

/*
 * A refresh token is base64url(session 12 bytes, counter 4 bytes, secret 32 bytes), the secret being
 * HMAC(refresh_key, seed, session, counter). The session row holds only seed and counter: so every token of a
 * session, replaced ones too, can be verified, and the successor of a token is always the same.
 */
#define REFRESH_SEED 32
#define REFRESH_BYTES 48
#define REFRESH_TEXT 65		/* 64 characters and a NUL */

struct refresh {
	char session[ID_TEXT];
	uint32_t counter;
	unsigned char bytes[REFRESH_BYTES];
};

/* Writes the token of a session (an id) and a counter. Cannot fail. */
void refresh_issue(char out[static REFRESH_TEXT], const unsigned char seed[static REFRESH_SEED], const char *session,
	uint32_t counter);
/* Decodes a token and does not verify it; false when it is malformed. */
must_use bool refresh_parse(struct refresh *refresh, const char *token);
/* True when a token that refresh_parse() decoded is one of the session with that seed. */
must_use bool refresh_check(const struct refresh *refresh, const unsigned char seed[static REFRESH_SEED]);

#endif
