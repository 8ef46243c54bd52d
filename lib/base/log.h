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

/* `ident` is borrowed for ever. To syslog when `to_syslog`, else to standard error. Lines above `level` are dropped. */
void log_init(const char *ident, bool to_syslog, enum log_level level);
/*
 * From here on lines of level LOG_NOTE and below wait in memory until log_flush(), a line above that level, or 4 KiB: a
 * busy worker writes once for several requests. Call log_flush() before waiting and before the end.
 */
void log_hold(void);
void log_flush(void);
/* True when lines wait. */
bool log_waits(void);
/* Set to the id of the request at hand, "" between requests; borrowed until the next call. */
void log_request(const char *id);
/* One line; control characters in it are written as '?', so that no caller's text starts a line of its own. */
void log_line(enum log_level level, const char *format, ...) printf_like(2, 3);
/*
 * The line that each request gets: "request method=GET path=/me status=200 us=412 client=192.0.2.1 user=ID". At most 32,
 * 256, 64 and 32 bytes of its texts.
 */
struct log_access { const char *method, *path, *client, *user; int status; int64_t microseconds; };
void log_access(enum log_level level, const struct log_access *access);
/* What the last line said, for tests; "" where there was none. */
const char *log_last(void);

#endif
