/*
 * outbox - the rows of mails that wait to be sent: made by mail_seal(), sent by `okulctl mail`.
 *
 * A sender claims a batch of rows by moving their time forward: during this lease no other sender claims them. The
 * rows of a sender that dies are sent by another one. `attempts` counts the claims, and tells whether a lease is
 * still ours. Times are milliseconds. Calls that change rows run inside a write transaction.
 */
#ifndef OKUL_OUTBOX_H
#define OKUL_OUTBOX_H

#include "base.h"
#include "db.h"
#include "expiry.h"
#include "random.h"

#define OUTBOX_LIFE DAY			/* of a mail without an expiry of its own */

extern const struct db_statements outbox_statements;

struct outbox_new {
	char id[ID_TEXT];
	const char *to, *language, *template;
	struct value sealed;		/* the values of the template, sealed under mail_key */
	int64_t created, expires;
};

/*
 * Adds a mail that mail_seal() made; a failure sticks to db. To a user who is deactivated or whose deletion is
 * pending only a login code, a reply to their question and the notice of a changed address go: any other mail is left
 * out, which is no failure.
 */
void outbox_add(struct db *db, const struct outbox_new *mail);
/* Whether a mail, NULL or zeroed if it was not made, is to that address and in that language. */
must_use bool outbox_fits(const struct outbox_new *mail, const char *to, const char *language);

/*
 * The place of a mail in the queue, never later than `created`: the one that expires first is sent first, so that a
 * login code does not wait for the many mails of an assignment.
 */
int64_t outbox_turn(int64_t created, int64_t expires);

/*
 * When the next mail is due; INT64_MAX when none waits. `*ahead` is true when some wait longer than `lease` and
 * `pause`, the longest time until a retry, allow: their time was set by a clock that was ahead. Reads only; DB_DONE
 * or a failure.
 */
must_use enum db_rc outbox_due(struct db *db, int64_t now, int64_t lease, int64_t pause, int64_t *due, bool *ahead);
/* Makes those due now. A failure sticks to db. */
void outbox_correct_ahead(struct db *db, int64_t now, int64_t lease, int64_t pause);

/* Claims up to `limit` mails that are due, until `until`. Rows of these columns, in any order; read them all. */
enum { OUTBOX_ID, OUTBOX_TO, OUTBOX_LANGUAGE, OUTBOX_TEMPLATE, OUTBOX_SEALED, OUTBOX_CREATED, OUTBOX_EXPIRES, OUTBOX_ATTEMPTS };
must_use enum db_rc outbox_claim(struct db *db, struct db_rows **rows, int64_t now, int64_t until, int64_t limit);

/* Lets go of the rows that earlier claims hold on a server; before their ends. */
must_use enum db_rc outbox_let_go(struct db *db);

/* Ends the claim of a mail: deletes it, retries it at `next`, or puts it back unsent at its `turn`. */
must_use enum db_rc outbox_drop(struct db *db, const char *id);
must_use enum db_rc outbox_put_off(struct db *db, const char *id, int64_t attempts, int64_t next, const char *why);
must_use enum db_rc outbox_give_back(struct db *db, const char *id, int64_t attempts, int64_t turn);

/* True when a sender, perhaps a dead one, has claimed one of the rows. Reads only. */
must_use bool outbox_leased(struct db *db, int64_t now);
/*
 * Ends the leases that last until `until` at most, for a caller that knows that their senders are dead; on a server, those
 * that no living sender holds. Returns how many; a failure sticks to db.
 */
int64_t outbox_take_over(struct db *db, int64_t now, int64_t until);

/* Mails that expired by `until` and that no sender has deleted. */
extern const expiry outbox_expiry;

#endif
