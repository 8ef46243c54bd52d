/*
 * log - one line an event, key=value, to standard error or syslog.
 *
 *	log_line(LOG_WARN, "mail_failed id=%s attempt=%d", id, n);
 *
 * Never pass a code, a token, a key or a mail body.
 */
#ifndef OKUL_LOG_H
#define OKUL_LOG_H

#include "base.h"

/* Numbers are those of RFC 5424 section 6.2.1. */
enum log_level { LOG_FATAL = 2, LOG_FAULT = 3, LOG_WARN = 4, LOG_NOTE = 6, LOG_TRACE = 7 };

/* `ident` is borrowed. Writes to syslog or else to standard error; drops lines above `level`. */
void log_init(const char *ident, bool to_syslog, enum log_level level);
/*
 * From now on lines of LOG_NOTE and LOG_TRACE are buffered until log_flush(), a more urgent line, or 4 KiB: a busy
 * worker writes once for several requests. Call log_flush() before waiting and before the end. log_waits(): some are
 * buffered.
 */
void log_hold(void);
void log_flush(void);
bool log_waits(void);
/* The id of the current request, written in each line; "" or NULL between requests. Borrowed until the next call. */
void log_request(const char *id);
/* One line; control characters in it become '?', so that no client's text starts a line. Keeps errno. */
void log_line(enum log_level level, const char *format, ...) printf_like(2, 3);
/*
 * One line about what a write transaction does: written when that is committed, dropped when it is rolled back, so that
 * what runs again after a conflict has its line once. At most 8 wait, cut to 300 bytes; others are written at once, as
 * outside of a transaction. The store calls log_changes_begin() and log_changes_end().
 */
void log_change(enum log_level level, const char *format, ...) printf_like(2, 3);
void log_changes_begin(void);
void log_changes_end(bool committed);
/*
 * The line of a request: "request method=GET path=/me status=200 us=412 client=192.0.2.1 user=ID". Truncates its strings to 32,
 * 256, 64 and 32 bytes.
 */
struct log_access { const char *method, *path, *client, *user; int status; int64_t microseconds; };
void log_access(enum log_level level, const struct log_access *access);
/* The text of the last line, for tests; "" when there was none. */
const char *log_last(void);

#endif
