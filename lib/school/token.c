#include "token.h"

#include "clock.h"
#include "encode.h"
#include "json.h"
#include "text.h"

#include <errno.h>
#include <jwt.h>
#include <strings.h>

#define OURS "okul"			/* iss and aud */
#define SKEW (60 * SECOND)		/* how far another machine's clock may be ahead of ours */
#define HEADER_MAX 128			/* characters of the first part */
#define PAYLOAD_MAX 512			/* bytes of the second part, decoded; what we write has about 190 */
#define SIGNATURE_BYTES 32		/* HMAC-SHA-256 */
#define SIGNATURE_TEXT 43		/* characters of that, without padding */
#define SECONDS_MAX INT64_C(253402300799)	/* the end of the year 9999 */
#define OPENSSL_ROOM ((size_t)4 << 20)	/* bytes; OpenSSL 3.0 takes less than 1 MiB at its first use */
#define JWT_ROOM ((size_t)64 << 10)	/* for one token; libjwt takes less than 16 KiB */

/* The table of tokens that were found good: 32 sets of 4, about 60 KiB, of which only what is used is ever touched. */
#define SEEN_SETS 32
#define SEEN_WAYS 4
#define SEEN_TOKEN 400			/* longer ones are checked each time; ours have about 350 characters */

struct seen {
	uint64_t hash;
	uint16_t length;		/* 0: free */
	char token[SEEN_TOKEN];
	struct claims claims;
};

_Static_assert(sizeof(struct seen) * SEEN_SETS * SEEN_WAYS <= 65536, "the table outgrew its budget");

static const struct conf *conf;
static struct { char text[HEADER_MAX]; size_t length; } headers[KEYS_JWT_MAX];
static bool awake;			/* libjwt and OpenSSL have been used, and `headers` is filled */
static struct arena *scratch;		/* for the names in a payload; emptied after each check */
static struct seen seen[SEEN_SETS][SEEN_WAYS];

/* The three parts of a token, without the dots. */
struct parts {
	const char *header, *payload, *signature;
	size_t header_length, payload_length, signature_length;
};

/* ---- start */

static bool
is_unset(const unsigned char key[static KEY_BYTES])
{
	static const unsigned char nothing[KEY_BYTES];

	return secret_equal(key, nothing, KEY_BYTES);
}

/* A token under the key number `key`, without claims as yet. NULL when memory is short. */
static jwt_t *
jwt_under(size_t key)
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

/* Has libjwt write a token and keeps its first part: the only one that is taken from anybody under that key. */
static bool
learn_header(size_t key)
{
	jwt_t *jwt = jwt_under(key);
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
 * libjwt does not look whether OpenSSL had the memory for a signature: it then reads what is not there, or finds a good token
 * wrong. So what they need is asked for before. What was just freed is there for them: there are no threads.
 */
static bool
is_memory_there(size_t bytes)
{
	void *volatile trial = malloc(bytes);

	free(trial);
	return trial != NULL;
}

/*
 * Has libjwt and OpenSSL make ready what they need once. At the first token, not at the start: it takes longer than all else that a
 * CGI process does that has no token to look at, and 150 KiB of a worker that never sees one.
 */
static bool
wake(void)
{
	if (awake)
		return is_memory_there(JWT_ROOM);
	if (!is_memory_there(OPENSSL_ROOM))
		return false;
	for (size_t key = 0; key < conf->jwt_count; key++)
		if (!learn_header(key))
			return false;
	return awake = true;
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
	awake = false;
	memset(seen, 0, sizeof(seen));
	if (conf->jwt_count == 0 || conf->jwt_count > KEYS_JWT_MAX || is_unset(conf->refresh_key)) {
		snprintf(why, room, "the configuration has no keys for tokens");
		return false;
	}
	for (size_t key = 0; key < conf->jwt_count; key++) {
		const char *fault = fault_of_key(key);

		if (fault) {
			snprintf(why, room, "the jwt key %zu (%s) %s", key + 1, conf->jwt[key].kid, fault);
			return false;
		}
	}
	/* Room for the most names that a payload can hold, so that the arena never grows and never fails later on. */
	if (!scratch && !(scratch = arena_new(PAYLOAD_MAX * 16))) {
		snprintf(why, room, "memory is short");
		return false;
	}
	return true;
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

bool
token_issue(struct buf *out, const char *user, const char *session, int64_t now)
{
	jwt_t *jwt = wake() ? jwt_under(0) : NULL;
	char *token = jwt && add_claims(jwt, user, session, now / SECOND) ? jwt_encode_str(jwt) : NULL;

	if (token)
		buf_puts(out, token);
	else
		out->failed = true;
	free(token);
	jwt_free(jwt);
	return !out->failed;
}

/* ---- check */

static bool
is_alive(const struct claims *claims, int64_t now)
{
	return now < claims->expires && claims->issued <= now + SKEW;
}

/*
 * The place of a token in the table; NULL when it is not there. Compared as it is: who does not know the process's key
 * finds no token with the hash of another, so there is nothing to learn from how long it takes.
 */
static struct seen *
find_seen(uint64_t hash, const char *token, size_t length)
{
	struct seen *set = seen[hash % SEEN_SETS];

	for (size_t i = 0; i < SEEN_WAYS; i++)
		if (set[i].hash == hash && set[i].length == length && memcmp(set[i].token, token, length) == 0)
			return &set[i];
	return NULL;
}

/* Keeps a good token, in turn in place of each of its set. */
static void
keep_seen(uint64_t hash, const char *token, size_t length, const struct claims *claims)
{
	static unsigned turn;
	struct seen *place = &seen[hash % SEEN_SETS][turn++ % SEEN_WAYS];

	if (length > SEEN_TOKEN)
		return;
	place->hash = hash;
	place->length = (uint16_t)length;
	memcpy(place->token, token, length);
	place->claims = *claims;
}

static bool
split(const char *token, size_t length, struct parts *parts)
{
	const char *end = token + length;
	const char *first = memchr(token, '.', length);
	const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;

	if (!second)
		return false;
	*parts = (struct parts){
		.header = token, .header_length = (size_t)(first - token),
		.payload = first + 1, .payload_length = (size_t)(second - first - 1),
		.signature = second + 1, .signature_length = (size_t)(end - second - 1),
	};
	return true;
}

/* The key whose header that is, byte for byte; NULL when it is none of ours. */
static const unsigned char *
key_of(const struct parts *parts)
{
	for (size_t key = 0; key < conf->jwt_count; key++)
		if (headers[key].length == parts->header_length &&
		    memcmp(headers[key].text, parts->header, parts->header_length) == 0)
			return conf->jwt[key].key;
	return NULL;
}

/*
 * True when the two other parts are strict base64url (so a third dot is refused as well) of the right size, and the
 * payload is one flat JSON object that names no claim twice: libjwt would take the last.
 */
static bool
is_well_formed(const struct parts *parts)
{
	unsigned char signature[SIGNATURE_BYTES];
	char payload[PAYLOAD_MAX];
	ptrdiff_t length = decode_base64url(payload, sizeof(payload), parts->payload, parts->payload_length);
	ptrdiff_t signed_by =
		decode_base64url(signature, sizeof(signature), parts->signature, parts->signature_length);
	enum json_fault fault;

	if (length <= 0 || payload[0] != '{' || signed_by != SIGNATURE_BYTES)
		return false;
	fault = json_check(scratch, payload, (size_t)length, 1, NULL);
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

/* A time in whole seconds; a claim that is missing or no integer reads as 0, and so is refused. */
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

	return is_ours(jwt, "iss") && is_ours(jwt, "aud") && read_id(jwt, "jti", id) &&
		read_id(jwt, "sub", claims->user) && read_id(jwt, "sid", claims->session) &&
		read_time(jwt, "iat", &claims->issued) && read_time(jwt, "exp", &claims->expires);
}

/* Everything but the time. */
static enum token_verdict
verify(const char *token, size_t length, struct claims *claims)
{
	char copy[TOKEN_MAX + 1];
	struct parts parts;
	jwt_t *jwt = NULL;

	if (!wake())
		return TOKEN_NO_MEMORY;
	const unsigned char *key = split(token, length, &parts) ? key_of(&parts) : NULL;
	if (!key || !is_well_formed(&parts))
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
	const struct seen *known;
	enum token_verdict verdict = TOKEN_GOOD;

	if (length == 0 || length > TOKEN_MAX)
		return TOKEN_BAD;
	/* Those worth finding differ in their signatures, which stand last. */
	size_t tail = length < SIGNATURE_TEXT ? length : SIGNATURE_TEXT;
	hash = random_hash(token + length - tail, tail);
	known = find_seen(hash, token, length);
	if (known)
		*claims = known->claims;
	else if ((verdict = verify(token, length, claims)) != TOKEN_GOOD)
		return verdict;
	if (!is_alive(claims, now))
		return TOKEN_BAD;
	if (!known)
		keep_seen(hash, token, length, claims);
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
	/* A second word is no token of anybody's. */
	if (*length == 0 || token[*length + strspn(token + *length, " ")] != '\0') {
		*length = 0;
		return NULL;
	}
	return token;
}

/* ---- refresh tokens */

#define SESSION_BYTES 12
#define NAME_BYTES (SESSION_BYTES + 4)	/* the session, and the counter in network order */

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
	struct buf text = { .s = out, .room = REFRESH_TEXT };

	(void)!decode_hex(bytes, SESSION_BYTES, session);
	for (int byte = SESSION_BYTES; byte < NAME_BYTES; byte++)
		bytes[byte] = (unsigned char)(counter >> 8 * (NAME_BYTES - 1 - byte));
	put_secret(bytes + NAME_BYTES, seed, bytes);
	encode_base64url(&text, bytes, sizeof(bytes));
	secret_wipe(bytes, sizeof(bytes));
}

bool
refresh_parse(struct refresh *refresh, const char *token)
{
	if (decode_base64url(refresh->bytes, REFRESH_BYTES, token, strlen(token)) != REFRESH_BYTES)
		return false;
	for (size_t i = 0; i < SESSION_BYTES; i++)
		snprintf(refresh->session + 2 * i, 3, "%02x", refresh->bytes[i]);
	refresh->counter = 0;
	for (int byte = SESSION_BYTES; byte < NAME_BYTES; byte++)
		refresh->counter = refresh->counter << 8 | refresh->bytes[byte];
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
