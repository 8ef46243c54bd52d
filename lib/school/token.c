#include "token.h"

#include "clock.h"
#include "encode.h"
#include "json.h"
#include "text.h"

#include <endian.h>
#include <errno.h>
#include <jwt.h>
#include <strings.h>

#define OURS "okul"			  /* iss and aud */
#define SKEW (60 * SECOND)		  /* how far another machine's clock may be ahead of ours */
#define HEADER_MAX 128			  /* characters */
#define PAYLOAD_MAX 512			  /* bytes, decoded; ours has about 190 */
#define SIGNATURE_BYTES 32		  /* HMAC-SHA-256 */
#define SIGNATURE_TEXT 43		  /* characters of that in base64url */
#define SECONDS_MAX INT64_C(253402300799) /* the end of the year 9999 */
#define OPENSSL_ROOM ((size_t)4 << 20)	  /* bytes; OpenSSL 3.0 allocates less than 1 MiB at its first use */
#define JWT_ROOM ((size_t)64 << 10)	  /* for one token; libjwt allocates less than 16 KiB */

/* The cache of verified tokens: 32 sets of 4, about 60 KiB, of which pages that are not used are never touched. */
#define CACHE_SETS 32
#define CACHE_WAYS 4
#define CACHE_TOKEN 400 /* longer tokens are verified each time; ours have about 350 characters */

struct cached {
	uint64_t hash;
	uint16_t length; /* 0: free */
	char token[CACHE_TOKEN];
	struct claims claims;
};

_Static_assert(sizeof(struct cached) * CACHE_SETS * CACHE_WAYS <= 65536, "the cache outgrew its budget");

static const struct conf *conf;
static struct {
	char text[HEADER_MAX];
	size_t length;
} headers[KEYS_JWT_MAX];
static bool initialized;      /* libjwt and OpenSSL have been used, and `headers` is filled */
static struct arena *scratch; /* for the names in a payload; reset after each check */
static struct cached cache[CACHE_SETS][CACHE_WAYS];

/* ---- initialization */

static bool
is_unset(const unsigned char key[static KEY_BYTES])
{
	static const unsigned char nothing[KEY_BYTES];

	return secret_equal(key, nothing, KEY_BYTES);
}

/* A token for the key of that index, without claims. NULL when memory is short. */
static jwt_t *
new_jwt(size_t key)
{
	jwt_t *jwt;

	if (jwt_new(&jwt) != 0)
		return NULL;
	if (jwt_set_alg(jwt, JWT_ALG_HS256, conf->jwt[key].key, KEY_BYTES) != 0 ||
		jwt_add_header(jwt, "kid", conf->jwt[key].kid) != 0) {
		jwt_free(jwt);
		return NULL;
	}
	return jwt;
}

/* Lets libjwt issue a token and keeps its header: the only one that is accepted under that key. */
static bool
learn_header(size_t key)
{
	jwt_t *jwt = new_jwt(key);
	char *token = jwt ? jwt_encode_str(jwt) : NULL;
	size_t length = token ? strcspn(token, ".") : 0;

	if (length > 0 && length < HEADER_MAX) {
		memcpy(headers[key].text, token, length);
		headers[key].length = length;
	}
	free(token);
	jwt_free(jwt);
	return headers[key].length > 0;
}

/*
 * libjwt does not check whether OpenSSL could allocate a signature: it then reads uninitialized memory, or rejects a
 * good token. So the memory that they need is allocated and freed before: without threads, it stays free for them.
 */
static bool
has_memory(size_t bytes)
{
	void *volatile trial = malloc(bytes);

	free(trial);
	return trial != NULL;
}

/*
 * Initializes libjwt and OpenSSL. At the first token, not at the start: it takes longer than everything else that a
 * CGI process does for a request without a token, and 150 KiB of a worker that gets none.
 */
static bool
initialize(void)
{
	if (initialized)
		return has_memory(JWT_ROOM);
	if (!has_memory(OPENSSL_ROOM))
		return false;
	for (size_t key = 0; key < conf->jwt_count; key++)
		if (!learn_header(key))
			return false;
	return initialized = true;
}

static const char *
fault_of_key(size_t key)
{
	if (conf->jwt[key].kid[0] == '\0')
		return "has no kid";
	if (is_unset(conf->jwt[key].key))
		return "is not set";
	for (size_t other = 0; other < key; other++)
		if (strcmp(conf->jwt[other].kid, conf->jwt[key].kid) == 0)
			return "has the kid of another";
	return NULL;
}

bool
token_init(const struct conf *settings, char *why, size_t room)
{
	conf = settings;
	memset(headers, 0, sizeof(headers));
	initialized = false;
	memset(cache, 0, sizeof(cache));
	if (conf->jwt_count == 0 || conf->jwt_count > KEYS_JWT_MAX || is_unset(conf->refresh_key))
		return text_complain(why, room, "the configuration has no keys for tokens");
	for (size_t key = 0; key < conf->jwt_count; key++) {
		const char *fault = fault_of_key(key);
		if (fault)
			return text_complain(why, room, "the jwt key %zu (%s) %s", key + 1, conf->jwt[key].kid, fault);
	}
	/* Room for the most names that a payload can hold, so that the arena never has to grow. */
	if (!scratch)
		scratch = arena_new(PAYLOAD_MAX * 16);
	return scratch || text_complain(why, room, "memory is short");
}

/* ---- issue */

static bool
add_claims(jwt_t *jwt, const char *user, const char *session, int64_t issued)
{
	char id[ID_TEXT];

	random_id(id);
	return jwt_add_grant(jwt, "iss", OURS) == 0 && jwt_add_grant(jwt, "aud", OURS) == 0 &&
		jwt_add_grant(jwt, "sub", user) == 0 && jwt_add_grant(jwt, "sid", session) == 0 &&
		jwt_add_grant(jwt, "jti", id) == 0 && jwt_add_grant_int(jwt, "iat", issued) == 0 &&
		jwt_add_grant_int(jwt, "exp", issued + conf->access_life) == 0;
}

const char *
token_issue(struct arena *arena, const char *user, const char *session, int64_t now)
{
	jwt_t *jwt = initialize() ? new_jwt(0) : NULL;
	char *token = jwt && add_claims(jwt, user, session, now / SECOND) ? jwt_encode_str(jwt) : NULL;
	const char *copy = token ? arena_string(arena, token) : NULL;
	free(token);
	jwt_free(jwt);
	return copy;
}

/* ---- check */

static bool
is_alive(const struct claims *claims, int64_t now)
{
	return now < claims->expires && claims->issued <= now + SKEW;
}

/* Not in constant time: without the process's key nobody finds a token with the hash of another one. */
static struct cached *
find_cached(uint64_t hash, const char *token, size_t length)
{
	struct cached *set = cache[hash % CACHE_SETS];

	for (size_t i = 0; i < CACHE_WAYS; i++)
		if (set[i].hash == hash && set[i].length == length && memcmp(set[i].token, token, length) == 0)
			return &set[i];
	return NULL;
}

/* Replaces the entries of a set in turn. */
static void
add_cached(uint64_t hash, const char *token, size_t length, const struct claims *claims)
{
	static unsigned turn;
	struct cached *entry = &cache[hash % CACHE_SETS][turn++ % CACHE_WAYS];

	if (length > CACHE_TOKEN)
		return;
	entry->hash = hash;
	entry->length = (uint16_t)length;
	memcpy(entry->token, token, length);
	entry->claims = *claims;
}

/* The key whose header that is, byte for byte; NULL where it is none of ours. */
static const unsigned char *
key_of(const char *header, size_t length)
{
	for (size_t key = 0; key < conf->jwt_count; key++)
		if (headers[key].length == length && memcmp(headers[key].text, header, length) == 0)
			return conf->jwt[key].key;
	return NULL;
}

/*
 * True when what follows the header are two parts of strict base64url (so a third dot is refused as well), the
 * signature has the right size, and the payload is one flat JSON object that names no claim twice: libjwt would take
 * the last.
 */
static bool
is_well_formed(const char *rest, const char *end)
{
	const char *dot = memchr(rest, '.', (size_t)(end - rest));
	unsigned char signature[SIGNATURE_BYTES];
	char payload[PAYLOAD_MAX];

	if (!dot || decode_base64url(signature, sizeof(signature), dot + 1, (size_t)(end - dot - 1)) != SIGNATURE_BYTES)
		return false;
	ptrdiff_t length = decode_base64url(payload, sizeof(payload), rest, (size_t)(dot - rest));
	if (length <= 0 || payload[0] != '{')
		return false;
	enum json_fault fault = json_check(scratch, payload, (size_t)length, 1, NULL);
	arena_reset(scratch);
	return fault == JSON_GOOD;
}

static bool
is_ours(jwt_t *jwt, const char *claim)
{
	const char *value = jwt_get_grant(jwt, claim);

	return value && strcmp(value, OURS) == 0;
}

static bool
read_id(jwt_t *jwt, const char *claim, char out[static ID_TEXT])
{
	const char *value = jwt_get_grant(jwt, claim);

	if (!value || !text_is_id(value))
		return false;
	memcpy(out, value, ID_TEXT);
	return true;
}

/* libjwt returns 0 for a claim that is missing or no integer. */
static bool
read_time(jwt_t *jwt, const char *claim, int64_t *out)
{
	int64_t seconds = jwt_get_grant_int(jwt, claim);

	if (seconds <= 0 || seconds > SECONDS_MAX)
		return false;
	*out = seconds * SECOND;
	return true;
}

static bool
read_claims(jwt_t *jwt, struct claims *claims)
{
	char id[ID_TEXT];

	return is_ours(jwt, "iss") && is_ours(jwt, "aud") && read_id(jwt, "jti", id) && read_id(jwt, "sub", claims->user) &&
		read_id(jwt, "sid", claims->session) && read_time(jwt, "iat", &claims->issued) &&
		read_time(jwt, "exp", &claims->expires);
}

/* All but the times. */
static enum token_verdict
verify(const char *token, size_t length, struct claims *claims)
{
	char copy[TOKEN_MAX + 1];
	const char *dot = memchr(token, '.', length);
	jwt_t *jwt = NULL;

	if (!initialize())
		return TOKEN_NO_MEMORY;
	const unsigned char *key = dot ? key_of(token, (size_t)(dot - token)) : NULL;
	if (!key || !is_well_formed(dot + 1, token + length))
		return TOKEN_BAD;
	memcpy(copy, token, length);
	copy[length] = '\0';
	int error = jwt_decode(&jwt, copy, key, KEY_BYTES);
	bool good = error == 0 && read_claims(jwt, claims);
	jwt_free(jwt);
	return good ? TOKEN_GOOD : error == ENOMEM ? TOKEN_NO_MEMORY : TOKEN_BAD;
}

enum token_verdict
token_check(const char *token, size_t length, int64_t now, struct claims *claims)
{
	uint64_t hash;
	const struct cached *known;
	enum token_verdict verdict = TOKEN_GOOD;

	if (length == 0 || length > TOKEN_MAX)
		return TOKEN_BAD;
	/* Valid tokens differ in their signature, which comes last. */
	size_t tail = length < SIGNATURE_TEXT ? length : SIGNATURE_TEXT;
	hash = random_hash(token + length - tail, tail);
	known = find_cached(hash, token, length);
	if (known)
		*claims = known->claims;
	else if ((verdict = verify(token, length, claims)) != TOKEN_GOOD)
		return verdict;
	if (!is_alive(claims, now))
		return TOKEN_BAD;
	if (!known)
		add_cached(hash, token, length, claims);
	return TOKEN_GOOD;
}

const char *
token_bearer(const char *authorization, size_t *length)
{
	const char *token;

	*length = 0;
	if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	token = authorization + 7 + strspn(authorization + 7, " ");
	*length = strcspn(token, " ");
	/* Only spaces may follow. */
	if (*length == 0 || token[*length + strspn(token + *length, " ")] != '\0') {
		*length = 0;
		return NULL;
	}
	return token;
}

/* ---- refresh tokens */

#define SESSION_BYTES 12
#define NAME_BYTES (SESSION_BYTES + 4) /* the session, and the counter in network order */

_Static_assert(REFRESH_BYTES == NAME_BYTES + MAC_BYTES, "the header has another size");

static void
put_secret(unsigned char out[static MAC_BYTES], const unsigned char *seed, const unsigned char *name)
{
	const struct part parts[] = {
		{ seed, REFRESH_SEED },
		{ name, SESSION_BYTES },
		{ name + SESSION_BYTES, NAME_BYTES - SESSION_BYTES },
	};

	secret_mac(out, conf->refresh_key, parts, COUNT(parts));
}

void
refresh_issue(char out[static REFRESH_TEXT], const unsigned char seed[static REFRESH_SEED], const char *session, uint32_t counter)
{
	unsigned char bytes[REFRESH_BYTES] = { 0 };
	uint32_t number = htobe32(counter);
	struct buf text = { .s = out, .room = REFRESH_TEXT };

	(void)!decode_hex(bytes, SESSION_BYTES, session);
	memcpy(bytes + SESSION_BYTES, &number, sizeof(number));
	put_secret(bytes + NAME_BYTES, seed, bytes);
	encode_base64url(&text, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
}

bool
refresh_parse(struct refresh *refresh, const char *token)
{
	struct buf session = { .s = refresh->session, .room = ID_TEXT };
	uint32_t number;

	if (decode_base64url(refresh->bytes, REFRESH_BYTES, token, strlen(token)) != REFRESH_BYTES)
		return false;
	encode_hex(&session, refresh->bytes, SESSION_BYTES);
	memcpy(&number, refresh->bytes + SESSION_BYTES, sizeof(number));
	refresh->counter = be32toh(number);
	return true;
}

bool
refresh_check(const struct refresh *refresh, const unsigned char seed[static REFRESH_SEED])
{
	unsigned char right[MAC_BYTES];

	put_secret(right, seed, refresh->bytes);
	bool good = secret_equal(right, refresh->bytes + NAME_BYTES, MAC_BYTES);
	secret_wipe(right, sizeof(right));
	return good;
}
