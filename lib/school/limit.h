/*
 * limit - how often something may happen: events counted in a sliding window. Rows of table `event`, of a
 * kind ('code-client') and a subject (a mailbox, a client network); to be called inside a write
 * transaction, so that what is counted is what happens.
 *
 * An event that lies ahead is of a clock that was set back since, and does not count. Only so far ahead
 * that another process can have looked at the same clock before it waited for its turn (CLOCK_SLACK of
 * lib/base/clock.h), it is taken to be of now.
 */
#ifndef OKUL_LIMIT_H
#define OKUL_LIMIT_H

#include "base.h"
#include "conf.h"
#include "db.h"
#include "expiry.h"

extern const struct db_statements limit_statements;

/*
 * The milliseconds from `now` until one more may happen where `most` (at least 1) may in any `window`
 * milliseconds; 0: now. Never more than the window.
 */
int64_t limit_wait(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most);

/* The same over `subject` and all subjects that begin with it and a space. */
int64_t limit_wait_all(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most);

/*
 * Counts one more at `now`, and drops what is older than `window` milliseconds, so that the table does not
 * grow. A failure sticks to db.
 */
void limit_count(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window);

/*
 * The same for a client by its network (lib/base/network.h): the wait, counting, and taking back the newest one.
 * Where conf has no limits by client network, nothing is counted and the wait is 0.
 */
int64_t limit_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window, int64_t most);
void limit_count_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window);
void limit_uncount_client(struct db *db, const struct conf *conf, const char *kind, const char *client);

/* Notes an event that has a size, `n`, beside what is counted; twice the same is once. A failure sticks to db. */
void limit_note(struct db *db, const char *kind, const char *subject, int64_t at, int64_t n);

/* Forgets the events of `subject` and of all subjects that begin with it and a space. Returns how many; a failure sticks to db. */
int64_t limit_forget_all(struct db *db, const char *kind, const char *subject);

/* Events that happened up to `until`. */
expiry_call limit_expire;

#endif
