/* expiry - rows that `okulctl cleanup` deletes when they have expired, by statements of the modules that own them. */
#ifndef OKUL_EXPIRY_H
#define OKUL_EXPIRY_H

/*
 * Two statements: the first counts the rows that have expired by ?1 (milliseconds), the second deletes or corrects up to
 * ?2 of them.
 */
typedef const char *const *expiry;

/* In SQL: `time` is over, or is so far ahead that a wrong clock must have set it. */
#define EXPIRY_OVER(time) "(" time " <= ?1 OR " time " > ?1 + 172800000)"

#endif
