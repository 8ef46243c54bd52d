/*
 * outbox - the rows of mails that wait to be sent: made by mail_seal(), taken by `okulctl mail`.
 *
 * A sender claims a batch of rows by moving their time forward: until then, their lease, no other sender claims them. A sender that
 * dies leaves its rows to be sent by another one. `attempts` counts the claims, and tells whether a lease is still ours.
 * Times are milliseconds. Calls that change rows run inside a write transaction.
 */
#ifndef OKUL_OUTBOX_H
#define OKUL_OUTBOX_H

#include "base.h"
#include "db.h"
#include "expiry.h"
#include "random.h"

#define OUTBOX_LIFE DAY			/* of a mail that nothing else makes useless */

extern const struct db_statements outbox_statements;

struct outbox_new {
	char id[ID_TEXT];
	const char *to, *language, *template;
	struct value sealed;		/* the values of the template, sealed under mail_key */
	int64_t created, expires;
};

/*
 * Adds a mail that mail_seal() made; a failure sticks to db. To a user who is deactivated or whose deletion is pending only a login
 * code, a reply to their question and the notice of a changed address go: any other mail is left out, which is no failure.
 */
void outbox_add(struct db *db, const struct outbox_new *mail);

/*
 * The place of a mail in the queue, never later than `created`: the one with the least time left goes first, so that a login
 * code does not wait for the mails of an assignment that is larger than the mail server is fast.
 */
int64_t outbox_turn(int64_t created, int64_t expires);

/*
 * When the next mail is to be claimed; INT64_MAX when none waits. `*ahead` is true when some wait longer than `lease` and `pause`,
 * the longest time until the next try, allow: their time was set by a clock that was ahead. Reads only; DB_DONE or a failure.
 */
must_use enum db_rc outbox_due(struct db *db, int64_t now, int64_t lease, int64_t pause, int64_t *due, bool *ahead);
/* Makes those due now. A failure sticks to db. */
void outbox_correct_ahead(struct db *db, int64_t now, int64_t lease, int64_t pause);

/* Claims up to `limit` mails that are due, until `until`. Rows of these columns, in any order; read them all. */
enum { OUTBOX_ID, OUTBOX_TO, OUTBOX_LANGUAGE, OUTBOX_TEMPLATE, OUTBOX_SEALED, OUTBOX_CREATED, OUTBOX_EXPIRES, OUTBOX_ATTEMPTS };
must_use enum db_rc outbox_claim(struct db *db, struct db_rows **rows, int64_t now, int64_t until, int64_t limit);

/* What becomes of a claimed mail: it is gone, is tried again at `next`, or goes back unsent to its `turn`. */
must_use enum db_rc outbox_drop(struct db *db, const char *id);
must_use enum db_rc outbox_put_off(struct db *db, const char *id, int64_t attempts, int64_t next, const char *why);
must_use enum db_rc outbox_give_back(struct db *db, const char *id, int64_t attempts, int64_t turn);

/* True when a sender has, or had before it died, one of the rows. Reads only. */
must_use bool outbox_leased(struct db *db, int64_t now);
/* Ends all leases, for a caller who knows that their senders are dead. Returns how many; a failure sticks to db. */
int64_t outbox_take_over(struct db *db, int64_t now);

/* Mails that expired at `until` and that no sender has dropped. */
expiry_call outbox_expire;

#endif
