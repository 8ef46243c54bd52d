#include "log.h"

#include "clock.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <syslog.h>
#include <unistd.h>

/* Less than PIPE_BUF (4096), so that lines of several processes on one pipe never mix. */
#define LINE_MAX_BYTES 2048
#define MESSAGE_MAX 1536

/* clang-format off */
static const char *const level_names[] = {
	[LOG_FATAL] = "fatal", [LOG_FAULT] = "error", [LOG_WARN] = "warn", [LOG_NOTE] = "info", [LOG_TRACE] = "debug",
};

static const char *ident = "okul";
static const char *request = "";
static enum log_level highest = LOG_NOTE;
static bool use_syslog;
static char last[MESSAGE_MAX];

/* Lines not yet written; PIPE_BUF bytes, so that one write() to a pipe is atomic. */
static char held[4096];
static size_t held_length;
static bool hold;

/* Lines of log_change() in a transaction. */
static struct { enum log_level level; char text[301]; } changes[8];
static size_t change_count;
static bool changing;
/* clang-format on */

void
log_init(const char *name, bool to_syslog, enum log_level level)
{
	ident = name;
	use_syslog = to_syslog;
	highest = level;
	if (to_syslog)
		openlog(name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void
log_request(const char *id)
{
	request = id ? id : "";
}

/* Replaces what a terminal would interpret, and bytes that are not UTF-8, by '?'. */
static void
sanitize(char *text)
{
	for (size_t n = 1; *text; text += n, n = 1)
		if ((*text < 0x20 || *text >= 0x7f) && utf8_is_control(utf8_first(text, strnlen(text, 4), &n)))
			memset(text, '?', n);
}

/* Copies at most `most` bytes; returns the end. */
static char *
put(char *at, const char *text, size_t most)
{
	size_t length = strnlen(text, most);

	memcpy(at, text, length);
	return at + length;
}

/* Every request writes a line: put() takes a quarter of the time of snprintf(). */
static void
to_stderr(enum log_level level, const char *key)
{
	char line[LINE_MAX_BYTES], time[CLOCK_TEXT], *end = line;

	clock_text(clock_now(), time);
	end = put(put(end, "ts=", 3), time, sizeof(time));
	end = put(put(end, " level=", 7), level_names[level], 5);
	end = put(put(end, " prog=", 6), ident, 64);
	end = put(put(end, key, 5), request, 128);
	*end++ = ' ';
	end = put(end, last, sizeof(last));
	*end++ = '\n';
	size_t length = (size_t)(end - line);
	if (held_length + length > sizeof(held))
		log_flush();
	memcpy(held + held_length, line, length);
	held_length += length;
	if (!hold || level < LOG_NOTE)
		log_flush();
}

void
log_hold(void)
{
	hold = true;
}

bool
log_waits(void)
{
	return held_length > 0;
}

void
log_flush(void)
{
	/* A log that cannot be written must not stop a request. */
	if (held_length > 0 && write(STDERR_FILENO, held, held_length) < 0)
		held[0] = '\0';
	held_length = 0;
}

static void
emit(enum log_level level)
{
	const char *key = *request ? " rid=" : "";

	if (level > highest)
		return;
	if (use_syslog)
		syslog((int)level, "level=%s%s%.128s %s", level_names[level], key, request, last);
	else
		to_stderr(level, key);
}

void
log_line(enum log_level level, const char *format, ...)
{
	const int error = errno;
	va_list args;

	va_start(args, format);
	if (vsnprintf(last, sizeof(last), format, args) < 0)
		last[0] = '\0';
	va_end(args);
	sanitize(last);
	emit(level);
	errno = error;
}

void
log_change(enum log_level level, const char *format, ...)
{
	const int error = errno;
	va_list args;

	va_start(args, format);
	if (vsnprintf(last, sizeof(last), format, args) < 0)
		last[0] = '\0';
	va_end(args);
	sanitize(last);
	if (changing && change_count < COUNT(changes)) {
		changes[change_count].level = level;
		*put(changes[change_count++].text, last, sizeof(changes[0].text) - 1) = '\0';
	} else {
		emit(level);
	}
	errno = error;
}

void
log_changes_begin(void)
{
	changing = true;
	change_count = 0;
}

void
log_changes_end(bool committed)
{
	for (size_t i = 0; i < change_count && committed; i++)
		log_line(changes[i].level, "%s", changes[i].text);
	change_count = 0;
	changing = false;
}

static char *
put_sanitized(char *at, const char *text, size_t most)
{
	char *end = put(at, text, most);

	*end = '\0';
	sanitize(at);
	return end;
}

static char *
put_number(char *at, uint64_t number)
{
	char digits[20], *s = digits + sizeof(digits);

	do
		*--s = (char)('0' + number % 10);
	while (number /= 10);
	return put(at, s, (size_t)(digits + sizeof(digits) - s));
}

void
log_access(enum log_level level, const struct log_access *access)
{
	const int error = errno;
	char *end = last;

	end = put_sanitized(put(end, "request method=", 15), access->method, 32);
	end = put_sanitized(put(end, " path=", 6), access->path, 256);
	end = put_number(put(end, " status=", 8), (uint64_t)access->status);
	end = put_number(put(end, " us=", 4), (uint64_t)access->microseconds);
	end = put_sanitized(put(end, " client=", 8), access->client, 64);
	end = put(put(end, " user=", 6), access->user, 32);
	*end = '\0';
	emit(level);
	errno = error;
}

const char *
log_last(void)
{
	return last;
}
