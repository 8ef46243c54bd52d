/* random - random numbers and secrets: all that libsodium does for okul. */
#ifndef OKUL_RANDOM_H
#define OKUL_RANDOM_H

#include "base.h"

#define ID_TEXT 25		/* 24 hex digits and a NUL */
#define MAC_BYTES 32		/* HMAC-SHA-256 (RFC 2104, FIPS 180-4) */
#define HASH_KEY 16		/* bytes */
#define SEAL_EXTRA 40		/* bytes that secret_seal() adds: nonce 24, tag 16 */
#define SALT_BYTES 16		/* of secret_stretch() */

/* Aborts when the system has no random numbers. Call once at the start, before any other call here. */
void random_init(void);
void random_bytes(void *out, size_t n);
/*
 * Draws 512 bytes, which random_bytes() and random_id() then copy: call it before a write transaction, and not before
 * a fork.
 */
void random_prepare(void);
/* A number in [0, limit), without bias. */
uint32_t random_below(uint32_t limit);
/* Decimal digits (1 to 9) with leading zeros, and a NUL. */
void random_digits(char *out, unsigned digits);
/*
 * A new id: 44 bits of milliseconds since 1970, then 52 bits that grow within this process's millisecond from a random
 * start. Ids of one process always grow; those of two processes grow with time to the millisecond.
 */
void random_id(char out[static ID_TEXT]);
/*
 * From now on random_id() uses `time`, and it and random_below() return a reproducible series that starts from
 * `seed`. For demo data, in a process that creates no other data and no secrets.
 */
void random_pretend(uint64_t seed, int64_t time);
/* The next 64 bits of a series that its first state determines; for made-up data only. */
uint64_t random_series(uint64_t *state);

/* HMAC-SHA-256 over the parts in turn, each preceded by its length, so that ("ab","c") and ("a","bc") differ. */
struct part { const void *bytes; size_t length; };
#define PART(string) { (string), strlen(string) }
void secret_mac(unsigned char out[static MAC_BYTES], const unsigned char key[static 32], const struct part *parts, size_t count);
/* HMAC-SHA-256 over plain bytes, under a key of any length: for protocols of others. */
void secret_hmac(unsigned char out[static MAC_BYTES], const void *key, size_t key_length, const void *bytes, size_t length);
/* SHA-256 of bytes that come in pieces. The state holds nothing to release. */
struct secret_hash_state { uint64_t own[16]; };
void secret_hash_begin(struct secret_hash_state *state);
void secret_hash_add(struct secret_hash_state *state, const void *bytes, size_t length);
void secret_hash_end(struct secret_hash_state *state, unsigned char out[static 32]);
/* A short keyed hash (SipHash-2-4) under a key of this process; for tables in memory only. */
uint64_t random_hash(const void *bytes, size_t length);
/* The same under a key that others may share. */
uint64_t random_hash_keyed(const unsigned char key[static HASH_KEY], const void *bytes, size_t length);
/* Compares in constant time. */
bool secret_equal(const void *a, const void *b, size_t n);
void secret_wipe(void *bytes, size_t n);
/* From now on this process dumps no core. The first call of each program that loads keys. */
void secret_no_core(void);
/* XSalsa20-Poly1305 (NaCl secretbox) with a random nonce in front: `out` holds length + SEAL_EXTRA bytes. */
void secret_seal(unsigned char *out, const void *bytes, size_t length, const unsigned char key[static 32]);
/* Undoes it into `out` (length - SEAL_EXTRA bytes); false when the seal is broken or of another key. */
must_use bool secret_open(void *out, const unsigned char *sealed, size_t length, const unsigned char key[static 32]);
/*
 * The key of a passphrase: Argon2id (RFC 9106) with one lane, `passes` (1 to 16) over `memory` KiB (8192 to 1048576), so
 * that each guess is as expensive. False when these are out of bounds or memory is short.
 */
must_use bool secret_stretch(unsigned char key[static 32], const char *passphrase, const unsigned char salt[static SALT_BYTES],
	uint32_t passes, uint32_t memory);

#endif
