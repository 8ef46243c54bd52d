/*
 * otp - login codes: asked for, mailed, checked, counted.
 *
 * Budgets go by mailbox and by client network (lib/base/network.h). A network from which a user logged in lately
 * is known for them and has budgets of its own; all others together share one, so that strangers can use up
 * that and no more. A client network has budgets over all mailboxes. The mailbox counts (email_mailbox()),
 * the address as typed is the user and gets the mail.
 *
 * All calls run inside the caller's write transaction. What otp_verify() wrote must be committed also when
 * it refuses: a try counts whether it is answered or not.
 */
#ifndef OKUL_OTP_H
#define OKUL_OTP_H

#include "arena.h"
#include "base.h"
#include "conf.h"
#include "db.h"
#include "email.h"
#include "error.h"
#include "expiry.h"
#include "network.h"
#include "random.h"
#include "role.h"
#include "sentence.h"

extern const struct db_statements otp_statements;

/* Who asks for which user, from where. Filled by otp_caller(). */
struct otp_caller {
	const char *email;		/* as typed, folded; borrowed */
	const char *client;		/* the client's address; borrowed */
	unsigned digits;		/* of the codes of the surface that is asked: 6 or 4 */
	char network[NETWORK_TEXT];	/* of the client */
	char mailbox[EMAIL_TEXT];	/* the subject of what strangers share */
	char own[EMAIL_TEXT + 17];	/* the subject of the caller's own budgets: the mailbox, behind it a mark of a known network */
	bool known;			/* the user has logged in from there lately */
	int64_t user;			/* 0: nobody has this address */
	char user_id[ID_TEXT];
	bool active;			/* true for nobody */
	enum role role;
	enum language language;		/* the user's own; EN for nobody */
};

/* Looks up caller and user. The same statements run whether there is one or not. */
void otp_caller(struct db *db, const struct conf *conf, int64_t now, const char *email, const char *client, unsigned digits,
	struct otp_caller *caller);

/*
 * Stores a new code in place of the one that this network had for the address, and queues its mail. Gives
 * ERROR_NONE, or ERROR_TOO_SOON, ERROR_TOO_MANY_CODES, ERROR_TOO_MANY_STRANGE_CODES (mailbox) or ERROR_TOO_MANY_CLIENT_CODES (client
 * network) and in *wait the milliseconds until it may be asked for again. `code` (digits + 1 bytes) gets
 * the code; wipe it after use.
 */
must_use enum error otp_request(struct db *db, const struct conf *conf, struct arena *arena, int64_t now,
	const struct otp_caller *caller, enum language language, char *code, int64_t *wait);

/*
 * Uses up a code of the address: the one that the caller's network asked for, or, counted as a stranger's
 * try, one that another network asked for. A try counts once for each code that it was compared with. Gives
 * ERROR_NONE once for a right code (and in *language that of its mail), ERROR_WRONG_CODE for a wrong or dead one;
 * ERROR_CODE_SPENT after too many wrong tries on it, ERROR_TOO_MANY_TRIES or ERROR_TOO_MANY_OWN_TRIES (mailbox),
 * ERROR_TOO_MANY_CLIENT_TRIES (client network) and *wait until the next may be.
 */
must_use enum error otp_verify(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller,
	const char *code, enum language *language, int64_t *wait);

/*
 * Notes that caller->user (which must be set, with user_id) logs in: the network is known from now on, and
 * a code that was asked for from there no longer counts as one of a stranger.
 */
void otp_login(struct db *db, const struct conf *conf, int64_t now, const struct otp_caller *caller);

/* Forgets what was counted for the mailbox of an address, wrong tries on its live codes too. */
void otp_unlock(struct db *db, const char *email, int64_t *events);

/* Codes that expired at `until`, and networks from which nobody has logged in since then. */
expiry_call otp_expire_codes, otp_expire_networks;

#endif
