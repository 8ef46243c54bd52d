/*
 * otp - login codes: sent by mail, verified, limited.
 *
 * Limits go by mailbox and by client network (lib/base/network.h). A network from which a user logged in lately is
 * known for them and has limits of its own; all other networks share one, so that strangers can use up only that. A
 * client network has limits over all mailboxes. Limits count by mailbox (email_mailbox()); the user and the recipient
 * of the mail go by the address as typed.
 *
 * otp_prepare() and otp_mail() run before the write transaction, all other calls inside it. What otp_verify() wrote
 * must be committed also when it refuses: every try counts.
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
#include "outbox.h"
#include "random.h"
#include "role.h"
#include "sentence.h"

extern const struct db_statements otp_statements;

/* A request for a code, or a login by one. The program sets the first two lines; their texts are borrowed. */
struct otp_caller {
	struct db *db; const struct conf *conf; int64_t now;
	const char *email, *client, *code;	/* as typed, folded; the client's address; a new code, or the typed one */
	size_t digits;			/* of the code: 6 or 4, one surface has each */
	char network[NETWORK_TEXT];	/* of the client */
	char mailbox[EMAIL_TEXT];	/* the subject of the limits that all unknown networks share */
	char own[EMAIL_TEXT + 17];	/* the subject of the caller's own limits: the mailbox and a mark of a known network */
	bool known;			/* the user has logged in from there lately */
	int64_t user;			/* pk; 0: the address has no user */
	char user_id[ID_TEXT];		/* a new id where the address has no user */
	bool active;			/* true without a user */
	enum role role;
	enum language language;		/* the user's; without a user EN, and after otp_verify() that of the mail */
	unsigned char code_mac[MAC_BYTES], network_mac[MAC_BYTES];	/* by conf's code_key; the database holds only these */
};

/*
 * Reads the user and computes the rest, but for `known` and `own`. Does the same work whether the user exists or not.
 */
void otp_prepare(struct otp_caller *caller);

/* The mail with a new code, which otp_request() queues and which expires with it. `arena` owns the seal. */
struct outbox_new otp_mail(const struct otp_caller *caller, struct arena *arena, enum language language);

/*
 * Reads the user again and sets `known` and `own`; the first call inside the transaction. False when the address has
 * another user, or one of another language, than when `caller` was prepared.
 */
must_use bool otp_find(struct otp_caller *caller);

/* ERROR_NONE, or a refusal, and the milliseconds until the next call is allowed. */
struct otp_result {
	enum error error;
	int64_t wait;
};

/*
 * Stores the new code, replacing the one that this network had for the address, and queues its mail. Refusals:
 * ERROR_TOO_SOON, ERROR_TOO_MANY_CODES, ERROR_TOO_MANY_STRANGE_CODES (mailbox), ERROR_TOO_MANY_CLIENT_CODES (client
 * network).
 */
must_use struct otp_result otp_request(const struct otp_caller *caller, const struct outbox_new *mail);

/*
 * Uses up a code of the address: the one that the caller's network requested, or, counted as a stranger's try, one
 * that another network requested. A try counts once for each code that it was compared with. Returns ERROR_NONE once
 * for a right code, ERROR_WRONG_CODE for a wrong or expired one. Refusals: ERROR_CODE_SPENT after too many wrong tries
 * on it, ERROR_TOO_MANY_TRIES, ERROR_TOO_MANY_OWN_TRIES (mailbox), ERROR_TOO_MANY_CLIENT_TRIES (client network).
 */
must_use struct otp_result otp_verify(struct otp_caller *caller);

/*
 * Records that caller->user (which must be set, with user_id) logs in: the network is known from now on, and a code
 * that was requested from there no longer counts as one of a stranger.
 */
void otp_login(const struct otp_caller *caller);

/* Deletes the events that were counted for the mailbox of an address, and the wrong tries on its live codes. */
void otp_unlock(struct db *db, const char *email, int64_t *events);

/* Codes that expired at `until`, and networks without a login since then. */
extern const expiry otp_expiry_codes, otp_expiry_networks;

#endif
