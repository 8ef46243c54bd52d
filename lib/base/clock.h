/*
 * clock - the only place that asks what time it is. Times are milliseconds since 1970-01-01T00:00:00Z.
 */
#ifndef OKUL_CLOCK_H
#define OKUL_CLOCK_H

#include "base.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

/*
 * A stored time that lies further ahead than so is of a clock that was set back since: nothing may wait for it, or live by it.
 * Less may lie between a process's look at the clock and its turn to write.
 */
#define CLOCK_SLACK MINUTE

/*
 * In a test build, OKUL_CLOCK names a file of 8 bytes (host byte order): milliseconds to add to the real time,
 * read at each call. Call once at start; harmless in other builds.
 */
void clock_init(void);
int64_t clock_now(void);
/* Monotonic microseconds, for durations only. */
int64_t clock_ticks(void);

/* 2026-01-15T10:30:00.000Z, 24 characters and a NUL. Years 0000 to 9999. */
#define CLOCK_TEXT 25
void clock_text(int64_t time, char out[static CLOCK_TEXT]);

/* YYYY-MM-DD of the proleptic Gregorian calendar; false when malformed or no day of the calendar. */
bool clock_is_date(const char *s);
/* Midnight UTC of a good date. */
int64_t clock_date(const char *s);
/* 2026-01-15T10:30:00.000Z, with or without the fraction (1 to 3 digits); false when malformed or no time of a day. */
bool clock_is_time(const char *s);
/* A good one in milliseconds. */
int64_t clock_time(const char *s);
/* Whether this system knows a time zone by that name, one of the tz database: Europe/Istanbul. */
bool clock_is_zone(const char *name);
/*
 * The first moment of a good date in a time zone of this system, like Europe/Istanbul: midnight, the first where there are
 * two, or what comes after it where the clocks pass over it. An unknown zone is UTC. Sets the process's TZ.
 */
int64_t clock_midnight(const char *date, const char *zone);
/* The date of a time as YYYY-MM-DD in such a time zone. Sets the process's TZ. */
void clock_zone_date_text(int64_t time, const char *zone, char out[static 11]);
/* The date of a time as YYYY-MM-DD in UTC. */
void clock_date_text(int64_t time, char out[static 11]);
/* Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 section 5.6.7); 29 characters and a NUL. */
void clock_http_text(int64_t time, char out[static 30]);

#endif
