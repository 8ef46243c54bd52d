/*
 * limit - rate limits: events in a sliding window, table `event`. An event has a kind ('code-client') and a subject (a
 * mailbox, a client network). Call inside a write transaction, so that concurrent requests are all counted.
 *
 * An event in the future comes from a clock that was later set back, and does not count, unless it is so little ahead
 * (CLOCK_SLACK of lib/base/clock.h) that another process may have read the clock before it waited for the writer lock.
 */
#ifndef OKUL_LIMIT_H
#define OKUL_LIMIT_H

#include "conf.h"
#include "db.h"
#include "expiry.h"

extern const struct db_statements limit_statements;

/*
 * The milliseconds from `now` until the next event, with at most `most` (1 or more) in `window` milliseconds; 0: now.
 */
int64_t limit_wait(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most);

/* The same for `subject` together with all subjects that begin with it and a space. */
int64_t limit_wait_all(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most);

/* Adds an event at `now`, and deletes those that are older than `window` milliseconds. A failure sticks to db. */
void limit_count(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window);

/*
 * The same for the network of a client (lib/base/network.h): the wait, adding, and removing the newest. Without
 * limits in conf nothing is counted, and the wait is 0.
 */
int64_t limit_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window, int64_t most);
void limit_count_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window);
void limit_uncount_client(struct db *db, const struct conf *conf, const char *kind, const char *client);

/* Adds an event with a size, unless the same exists. A failure sticks to db. */
void limit_note(struct db *db, const char *kind, const char *subject, int64_t at, int64_t n);

/*
 * Deletes the events of `subject` and of all subjects that begin with it and a space. Returns the number; a failure
 * sticks to db.
 */
int64_t limit_forget_all(struct db *db, const char *kind, const char *subject);

extern const expiry limit_expiry;

#endif
