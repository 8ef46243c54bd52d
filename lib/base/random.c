#include "random.h"

#include "clock.h"
#include "guard.h"

#include <endian.h>
#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static unsigned char process_key[crypto_shorthash_KEYBYTES];

void
random_init(void)
{
	if (sodium_init() < 0) {
		fputs("okul: the system has no random numbers\n", stderr);
		abort();
	}
	randombytes_buf(process_key, sizeof(process_key));
}

/* Random bytes that random_prepare() has drawn; from `taken` on they are unused. */
static struct {
	unsigned char bytes[512];
	size_t taken;
} drawn = { .taken = sizeof(drawn.bytes) };

void
random_prepare(void)
{
	randombytes_buf(drawn.bytes, drawn.taken);
	drawn.taken = 0;
}

void
random_bytes(void *out, size_t n)
{
	unsigned char *next = drawn.bytes + drawn.taken;

	if (n > sizeof(drawn.bytes) - drawn.taken) {
		randombytes_buf(out, n);
		return;
	}
	memcpy(out, next, n);
	sodium_memzero(next, n);
	drawn.taken += n;
}

static struct {
	bool on;
	uint64_t seed;
	int64_t time;
} pretended;

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint64_t
random_series(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

uint32_t
random_below(uint32_t limit)
{
	if (pretended.on)
		return (uint32_t)((random_series(&pretended.seed) >> 32) * limit >> 32);
	return randombytes_uniform(limit);
}

void
random_digits(char *out, unsigned digits)
{
	uint32_t limit = 1;

	for (unsigned i = 0; i < digits; i++)
		limit *= 10;
	snprintf(out, digits + 1, "%0*u", (int)digits, random_below(limit));
}

static int64_t last_time;
static uint64_t low;

void
random_pretend(uint64_t seed, int64_t time)
{
	pretended.on = true;
	pretended.seed = seed;
	pretended.time = time;
	if (time < last_time)
		last_time = 0;
}

/*
 * Within a millisecond the low part starts in the lower half of its range and grows by random steps of at most 2^32:
 * that leaves room for half a million ids, and processes that were forked from one with the same last id draw
 * different ones.
 */
void
random_id(char out[static ID_TEXT])
{
	int64_t time = pretended.on ? pretended.time : clock_now();
	uint64_t bits;

	if (pretended.on)
		bits = random_series(&pretended.seed);
	else
		random_bytes(&bits, sizeof(bits));
	if (time <= last_time) {
		low += 1 + (bits & UINT32_MAX);
		time = last_time + (low >> 52 != 0);
	}
	if (time > last_time) {
		last_time = time;
		low = bits >> 13;
	}
	snprintf(out, ID_TEXT, "%011llx%013llx", (unsigned long long)time, (unsigned long long)low);
}

void
secret_mac(unsigned char out[static MAC_BYTES], const unsigned char key[static 32], const struct part *parts, size_t count)
{
	crypto_auth_hmacsha256_state state;

	OUTSIDE_TRANSACTION();
	crypto_auth_hmacsha256_init(&state, key, 32);
	for (size_t i = 0; i < count; i++) {
		uint64_t length = htobe64(parts[i].length);
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)&length, sizeof(length));
		crypto_auth_hmacsha256_update(&state, parts[i].bytes, parts[i].length);
	}
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

void
secret_hmac(unsigned char out[static MAC_BYTES], const void *key, size_t key_length, const void *bytes, size_t length)
{
	crypto_auth_hmacsha256_state state;

	OUTSIDE_TRANSACTION();
	crypto_auth_hmacsha256_init(&state, key, key_length);
	crypto_auth_hmacsha256_update(&state, bytes, length);
	crypto_auth_hmacsha256_final(&state, out);
	sodium_memzero(&state, sizeof(state));
}

/* The header does not include libsodium's, so its type can only be as large and aligned as libsodium's. */
_Static_assert(sizeof(struct secret_hash_state) >= sizeof(crypto_hash_sha256_state) &&
		_Alignof(struct secret_hash_state) >= _Alignof(crypto_hash_sha256_state),
	"secret_hash_state is too small");

void
secret_hash_begin(struct secret_hash_state *state)
{
	OUTSIDE_TRANSACTION();
	crypto_hash_sha256_init((crypto_hash_sha256_state *)(void *)state);
}

void
secret_hash_add(struct secret_hash_state *state, const void *bytes, size_t length)
{
	crypto_hash_sha256_update((crypto_hash_sha256_state *)(void *)state, bytes, length);
}

void
secret_hash_end(struct secret_hash_state *state, unsigned char out[static 32])
{
	crypto_hash_sha256_final((crypto_hash_sha256_state *)(void *)state, out);
}

uint64_t
random_hash_keyed(const unsigned char key[static HASH_KEY], const void *bytes, size_t length)
{
	_Static_assert(HASH_KEY == crypto_shorthash_KEYBYTES, "the header says 16");
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t number;

	OUTSIDE_TRANSACTION();
	crypto_shorthash(hash, bytes, length, key);
	memcpy(&number, hash, sizeof(number));
	return number;
}

uint64_t
random_hash(const void *bytes, size_t length)
{
	return random_hash_keyed(process_key, bytes, length);
}

bool
secret_equal(const void *a, const void *b, size_t n)
{
	return sodium_memcmp(a, b, n) == 0;
}

void
secret_wipe(void *bytes, size_t n)
{
	sodium_memzero(bytes, n);
}

/*
 * The kernel ignores the limit where it pipes the dump to a program (core_pattern with a |), but not PR_SET_DUMPABLE.
 */
void
secret_no_core(void)
{
	const struct rlimit none = { 0 };

	(void)!setrlimit(RLIMIT_CORE, &none);
	(void)!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

void
secret_seal(unsigned char *out, const void *bytes, size_t length, const unsigned char key[static 32])
{
	_Static_assert(SEAL_EXTRA == crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES, "the header says 40");

	OUTSIDE_TRANSACTION();
	randombytes_buf(out, crypto_secretbox_NONCEBYTES);
	crypto_secretbox_easy(out + crypto_secretbox_NONCEBYTES, bytes, length, out, key);
}

bool
secret_open(void *out, const unsigned char *sealed, size_t length, const unsigned char key[static 32])
{
	const size_t nonce = crypto_secretbox_NONCEBYTES;

	OUTSIDE_TRANSACTION();
	if (length < SEAL_EXTRA)
		return false;
	return crypto_secretbox_open_easy(out, sealed + nonce, length - nonce, sealed, key) == 0;
}

bool
secret_stretch(unsigned char key[static 32], const char *passphrase, const unsigned char salt[static SALT_BYTES], uint32_t passes,
	uint32_t memory)
{
	_Static_assert(SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES, "the header says 16");

	OUTSIDE_TRANSACTION();
	return passes >= 1 && passes <= 16 && memory >= 8192 && memory <= 1048576 &&
		crypto_pwhash_argon2id(key, 32, passphrase, strlen(passphrase), salt, passes, (size_t)memory * 1024,
			crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0;
}
