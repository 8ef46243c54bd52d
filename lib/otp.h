/*
 * otp - login codes: asked for, mailed, checked, counted.
 *
 * Both calls run inside the caller's write transaction. What otp_verify() wrote must be committed also when it refuses:
 * a try counts before it is judged.
 */
#ifndef OKUL_OTP_H
#define OKUL_OTP_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "db.h"
#include "error.h"
#include "sentence.h"

extern const char *const otp_sql[];
extern const size_t otp_sql_count;

struct otp_request {
	const char *email;		/* folded */
	const char *client;		/* address of the client; limited where conf says so, IPv6 by its /64 */
	enum language language;		/* of the mail */
	unsigned digits;		/* of the code */
};

/*
 * Stores a new code in place of the old one and queues its mail. The same statements run whether the address has a user
 * or not. Gives NO_ERROR, or TOO_SOON, TOO_MANY_CODES (address) or TOO_MANY_REQUESTS (client) and in *wait the
 * milliseconds until it may be asked for again. `code` (digits + 1 bytes) gets the code; wipe it after use.
 */
must_use enum error otp_request(struct db *db, const struct conf *conf, struct arena *arena, int64_t now,
	const struct otp_request *request, char *code, int64_t *wait);

/*
 * Uses up the code of an address. Gives NO_ERROR once for a right code (and in *language that of its mail), WRONG_CODE
 * for a wrong or dead one, TOO_MANY_TRIES (and *wait) after too many wrong ones on this code or this day.
 */
must_use enum error otp_verify(struct db *db, const struct conf *conf, int64_t now, const char *email, const char *code,
	enum language *language, int64_t *wait);

#endif
