/* clock - the only module that reads the system's clock. Times are milliseconds since 1970-01-01T00:00:00Z. */
#ifndef OKUL_CLOCK_H
#define OKUL_CLOCK_H

#include "base.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/*
 * A stored time further ahead than this was written before the clock was set back: it neither blocks nor extends
 * anything. Covers what passes between the moment a process reads the clock and the one it writes.
 */
#define CLOCK_SLACK MINUTE

/* Call once at start. In a test build, OKUL_CLOCK names a file of 8 bytes (host byte order): milliseconds to add. */
void clock_init(void);
int64_t clock_now(void);
/* Monotonic microseconds, for durations only. */
int64_t clock_ticks(void);

/* 2026-01-15T10:30:00.000Z, 24 characters and a NUL. Years 0000 to 9999. */
#define CLOCK_TEXT 25
void clock_text(int64_t time, char out[static CLOCK_TEXT]);
/* YYYY-MM-DD, in UTC. */
void clock_date_text(int64_t time, char out[static 11]);
/* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 section 5.6.7), 29 characters and a NUL. */
void clock_http_text(int64_t time, char out[static 30]);

#define CLOCK_NONE INT64_MIN

/* Midnight UTC of YYYY-MM-DD of the proleptic Gregorian calendar; CLOCK_NONE for NULL, and when malformed. */
int64_t clock_date(const char *s);
static inline bool clock_is_date(const char *s) { return clock_date(s) != CLOCK_NONE; }
/* The time that clock_text() writes so, the fraction optional (1 to 3 digits); CLOCK_NONE for NULL, and when malformed. */
int64_t clock_time(const char *s);
static inline bool clock_is_time(const char *s) { return clock_time(s) != CLOCK_NONE; }

/* True for the name of a zone of this system's tz database, like Europe/Istanbul. */
bool clock_is_zone(const char *name);
/*
 * The first moment of a date in a zone: midnight, the first of two, or the end of the gap where the clocks skip it.
 * CLOCK_NONE if the date is malformed; an unknown zone is UTC. This and the next call set the process's TZ.
 */
int64_t clock_midnight(const char *date, const char *zone);
/* The date of a time as YYYY-MM-DD in a zone. */
void clock_zone_date_text(int64_t time, const char *zone, char out[static 11]);

#endif
