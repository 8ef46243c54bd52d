/*
 * expiry - counts or deletes expired rows, in batches. For the modules that own the rows.
 */
#ifndef OKUL_EXPIRY_H
#define OKUL_EXPIRY_H

#include "db.h"

/*
 * The functions that `okulctl cleanup` calls. With `limit` 0 they count the rows that have expired by `until`
 * (milliseconds); else they delete up to `limit` of them, inside a write transaction. `*count` gets the number. They
 * return DB_DONE or a failure, which sticks to db.
 */
typedef enum db_rc expiry_call(struct db *db, int64_t until, int64_t limit, int64_t *count);

/* In SQL: `time` is over, or is so far ahead that a wrong clock must have set it. */
#define EXPIRY_OVER(time) "(" time " <= ?1 OR " time " > ?1 + 172800000)"

/*
 * An expiry_call of two statements: sql[0] counts, with ?1 `until`; sql[1] deletes or corrects, with ?1 and ?2
 * `limit`.
 */
must_use enum db_rc expiry_run(struct db *db, const char *const sql[2], int64_t until, int64_t limit, int64_t *count);

#endif
