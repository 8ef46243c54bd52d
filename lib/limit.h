/*
 * limit - how often something may happen: events counted in a sliding window. Rows of table `event`, of a kind ('code-client')
 * and a subject (an address); to be called inside a write transaction, so that what is counted is what happens.
 */
#ifndef OKUL_LIMIT_H
#define OKUL_LIMIT_H

#include "base.h"
#include "conf.h"
#include "db.h"

extern const char *const limit_sql[];
extern const size_t limit_sql_count;

struct limit_state {
	int64_t wait;	/* milliseconds until one more may happen; 0: now */
	int64_t newest;	/* time of the last one; 0 where there is none in the window */
};

/* What may happen at `now` where `most` may in any `window` milliseconds. */
struct limit_state limit_look(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window,
	int64_t most);

/*
 * Counts one more at `now`, and drops what is older than `window` milliseconds, so that the table does not grow. A failure
 * sticks to db.
 */
void limit_count(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window);

/*
 * The same for a client by its address: the wait, and counting. One subscriber commonly has a whole IPv6 /64
 * (RFC 6177), so that counts as one client. Where conf has no limits by client address, nothing is counted and the wait
 * is 0.
 */
int64_t limit_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window, int64_t most);
void limit_count_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window);

#endif
