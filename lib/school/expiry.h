/*
 * expiry - rows that have had their time, counted or deleted a few at a time. For the modules that own them.
 */
#ifndef OKUL_EXPIRY_H
#define OKUL_EXPIRY_H

#include "base.h"
#include "db.h"

/*
 * The type of the calls that `okulctl cleanup` makes. With `limit` 0 they count the rows whose time is over at `until`
 * (milliseconds), which needs no transaction; else they delete up to `limit` of them, inside a write transaction. `*count`
 * gets how many. Return DB_DONE, or the failure, which sticks to db.
 */
typedef enum db_rc expiry_call(struct db *db, int64_t until, int64_t limit, int64_t *count);

/* True in SQL for a row whose `time` is over; also for one further ahead than any can be, which a clock set that was ahead. */
#define EXPIRY_OVER(time) "(" time " <= ?1 OR " time " > ?1 + 172800000)"

/* Does that by two statements: sql[0] counts, of ?1 `until`; sql[1] deletes or corrects, of ?1 and ?2 `limit`. */
must_use enum db_rc expiry_run(struct db *db, const char *const sql[2], int64_t until, int64_t limit, int64_t *count);

#endif
