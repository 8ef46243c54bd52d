#include "random.h"
#include "clock.h"
#include "encode.h"
#include "text.h"
#include "unit.h"

#include <sys/wait.h>
#include <unistd.h>

/* Stands in for the clock module, which the linker then leaves out: here time moves only when a test says so. */
static int64_t now = INT64_C(1768473000000);

int64_t
clock_now(void)
{
	return now;
}

/* The first 11 digits are the 44 bits of time. */
static int64_t
time_of(const char *id)
{
	char digits[12] = "";

	memcpy(digits, id, 11);
	return strtoll(digits, NULL, 16);
}

static void
ids_begin_with_the_time(void **state)
{
	char id[ID_TEXT];

	(void)state;
	for (int i = 0; i < 100; i++) {
		now += 1 + i * HOUR;
		random_id(id);
		assert_true(text_is_id(id));
		assert_true(time_of(id) == now);
	}
}

/* While time stands still, jumps back, or runs; in the end so many that a millisecond has no more room for them. */
static void
ids_grow_whatever_the_clock_does(void **state)
{
	char last[ID_TEXT] = "", id[ID_TEXT];
	int64_t start;

	(void)state;
	now += 1;
	start = now;
	for (int i = 0; i < 3000000; i++) {
		now = start - (i % 3) * SECOND;
		random_id(id);
		if (strcmp(last, id) >= 0 || strlen(id) != 24 || time_of(id) < start)
			fail_msg("%s after %s", id, last);
		memcpy(last, id, sizeof(id));
	}
	assert_true(time_of(id) > start);
	now = start + HOUR;
	random_id(id);
	assert_true(time_of(id) == now);
}

/* Two processes forked from one, in the very millisecond of its last id, must not give the same. */
static void
ids_of_forked_processes_differ(void **state)
{
	enum { N = 200 };
	int ends[2];
	char ids[2][N][ID_TEXT], first[ID_TEXT];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	random_id(first);
	for (int who = 0; who < 2; who++) {
		pid_t child = fork();

		if (child == 0) {
			for (int i = 0; i < N; i++)
				random_id(ids[0][i]);
			_exit(write(ends[1], ids[0], sizeof(ids[0])) == sizeof(ids[0]) ? 0 : 1);
		}
		assert_int_equal(read(ends[0], ids[who], sizeof(ids[who])), sizeof(ids[who]));
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++)
			assert_string_not_equal(ids[0][i], ids[1][j]);
	close(ends[0]);
	close(ends[1]);
}

static void
numbers_stay_below_their_limit(void **state)
{
	int seen[10] = { 0 };

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint32_t number = random_below(10);

		assert_true(number < 10);
		seen[number]++;
	}
	/* 1,000 expected; this far off is 13 standard deviations */
	for (int i = 0; i < 10; i++)
		assert_true(seen[i] > 600 && seen[i] < 1400);
	assert_int_equal(random_below(1), 0);
}

static void
digits_have_their_number(void **state)
{
	(void)state;
	for (unsigned digits = 1; digits <= 9; digits++) {
		int leading_zeros = 0;

		for (int i = 0; i < 1000; i++) {
			char text[10];

			memset(text, 'x', sizeof(text));
			random_digits(text, digits);
			assert_true(text_is_digits(text));
			assert_int_equal(strlen(text), digits);
			leading_zeros += text[0] == '0';
		}
		assert_true(leading_zeros > 20 && leading_zeros < 300);
	}
}

static void
bytes_are_not_the_same_twice(void **state)
{
	unsigned char a[32] = { 0 }, b[32] = { 0 };

	(void)state;
	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	assert_memory_not_equal(a, b, sizeof(a));
}

static void
count_up(unsigned char key[static 32])
{
	for (int i = 0; i < 32; i++)
		key[i] = (unsigned char)i;
}

/* Expected values: HMAC-SHA-256 of Python's hmac over length (8 bytes, network order) and bytes of each part. */
static void
macs_tell_parts_apart(void **state)
{
	static const char *const expected[] = {
		"17eca1f3cf4e1f92cd415f54de5121e367cbc209edff96da287c5cd432cf9a46",
		"3bddf4bc854ae05364f6353a7ec018de74fb1fe6bb599207f172368d9490b9dd",
		"d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb",
	};
	const struct part parts[3][2] = { { PART("ab"), PART("c") }, { PART("a"), PART("bc") } };
	const size_t counts[] = { 2, 2, 0 };
	unsigned char key[32], mac[MAC_BYTES];

	(void)state;
	count_up(key);
	for (size_t i = 0; i < COUNT(expected); i++) {
		unsigned char right[MAC_BYTES];

		assert_true(decode_hex(right, sizeof(right), expected[i]));
		secret_mac(mac, key, parts[i], counts[i]);
		assert_memory_equal(mac, right, sizeof(mac));
	}
}

static void
hashes_of_pieces_are_sha256(void **state)
{
	/* FIPS 180-4, the two-block example of NIST */
	static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	const size_t length = sizeof(text) - 1;
	unsigned char hash[32], right[32];
	struct secret_hash_state pieces;

	(void)state;
	assert_true(decode_hex(right, 32, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
	for (size_t cut = 0; cut <= length; cut++) {
		secret_hash_begin(&pieces);
		secret_hash_add(&pieces, text, cut);
		secret_hash_add(&pieces, text + cut, length - cut);
		secret_hash_end(&pieces, hash);
		assert_memory_equal(hash, right, 32);
	}
}

static void
short_hashes_depend_on_every_byte(void **state)
{
	char text[] = "a text of some length";
	uint64_t hash = random_hash(text, sizeof(text));

	(void)state;
	assert_true(random_hash(text, sizeof(text)) == hash);
	assert_true(random_hash(text, sizeof(text) - 1) != hash);
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] ^= 1;
		assert_true(random_hash(text, sizeof(text)) != hash);
		text[i] ^= 1;
	}
}

static void
secrets_are_compared_and_wiped(void **state)
{
	char a[] = "secret", b[] = "secret";

	(void)state;
	assert_true(secret_equal(a, b, sizeof(a)));
	assert_true(secret_equal(a, b, 0));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x40;
		assert_false(secret_equal(a, b, sizeof(a)));
		b[i] ^= 0x40;
	}
	secret_wipe(a, sizeof(a));
	assert_memory_equal(a, "\0\0\0\0\0\0", sizeof(a));
}

static void
seals_open_only_unbroken_and_with_their_key(void **state)
{
	static const char text[] = "code=123456";
	unsigned char key[32], sealed[sizeof(text) + SEAL_EXTRA], again[sizeof(sealed)];
	char opened[sizeof(text)] = "";

	(void)state;
	count_up(key);
	secret_seal(sealed, text, sizeof(text), key);
	assert_true(secret_open(opened, sealed, sizeof(sealed), key));
	assert_string_equal(opened, text);
	secret_seal(again, text, sizeof(text), key);
	assert_memory_not_equal(sealed, again, sizeof(sealed));
	for (size_t bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
		assert_false(secret_open(opened, sealed, sizeof(sealed), key));
		sealed[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	for (size_t length = 0; length < sizeof(sealed); length++)
		assert_false(secret_open(opened, sealed, length, key));
	key[31] ^= 1;
	assert_false(secret_open(opened, sealed, sizeof(sealed), key));
}

static void
nothing_can_be_sealed(void **state)
{
	unsigned char key[32], sealed[SEAL_EXTRA], opened[1];

	(void)state;
	count_up(key);
	secret_seal(sealed, "", 0, key);
	assert_true(secret_open(opened, sealed, sizeof(sealed), key));
}

/* The vector is of the program argon2: echo -n "a passphrase" | argon2 0123456789abcdef -id -t 2 -k 8192 -p 1 -l 32 -r */
static void
keys_of_passphrases_are_argon2id(void **state)
{
	static const unsigned char salt[SALT_BYTES + 1] = "0123456789abcdef", other[SALT_BYTES + 1] = "0123456789abcdeg";
	unsigned char key[32], again[32], wanted[32];

	(void)state;
	assert_true(decode_hex(wanted, 32, "b1a790726d018acbf4fbd033428f391fc721242e27f9e248ff33e59674d0d3b3"));
	assert_true(secret_stretch(key, "a passphrase", salt, 2, 8192));
	assert_memory_equal(key, wanted, 32);
	assert_true(secret_stretch(again, "a passphrase", other, 2, 8192));
	assert_memory_not_equal(key, again, 32);
	assert_true(secret_stretch(again, "a passphrasE", salt, 2, 8192));
	assert_memory_not_equal(key, again, 32);
	assert_false(secret_stretch(key, "a passphrase", salt, 0, 8192));
	assert_false(secret_stretch(key, "a passphrase", salt, 17, 8192));
	assert_false(secret_stretch(key, "a passphrase", salt, 2, 8191));
	assert_false(secret_stretch(key, "a passphrase", salt, 2, 1048577));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_begin_with_the_time),
		cmocka_unit_test(ids_grow_whatever_the_clock_does),
		cmocka_unit_test(ids_of_forked_processes_differ),
		cmocka_unit_test(numbers_stay_below_their_limit),
		cmocka_unit_test(digits_have_their_number),
		cmocka_unit_test(bytes_are_not_the_same_twice),
		cmocka_unit_test(macs_tell_parts_apart),
		cmocka_unit_test(hashes_of_pieces_are_sha256),
		cmocka_unit_test(short_hashes_depend_on_every_byte),
		cmocka_unit_test(keys_of_passphrases_are_argon2id),
		cmocka_unit_test(secrets_are_compared_and_wiped),
		cmocka_unit_test(seals_open_only_unbroken_and_with_their_key),
		cmocka_unit_test(nothing_can_be_sealed),
	};

	random_init();
	return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
