/*
 * limit - how often something may happen: events counted in a sliding window. Rows of table `event`, of a kind ('code-client')
 * and a subject (an address); to be called inside a write transaction, so that what is counted is what happens.
 */
#ifndef OKUL_LIMIT_H
#define OKUL_LIMIT_H

#include "base.h"
#include "db.h"

extern const char *const limit_sql[];
extern const size_t limit_sql_count;

struct limit_window { int64_t count, oldest, newest; };	/* times in milliseconds; 0 where there is no event */

/* What was counted behind `since`. */
struct limit_window limit_look(struct db *db, const char *kind, const char *subject, int64_t since);

/*
 * Counts one more at `now`, and drops what is older than `window` milliseconds, so that the table does not grow. A failure
 * sticks to db.
 */
void limit_count(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window);

/*
 * The subject that stands for a client's address: one subscriber commonly has a whole IPv6 /64 (RFC 6177), so that counts
 * as one client.
 */
#define LIMIT_CLIENT 46		/* INET6_ADDRSTRLEN */
void limit_client(char out[static LIMIT_CLIENT], const char *client);

#endif
