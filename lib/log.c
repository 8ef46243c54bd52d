#include "log.h"

#include "clock.h"

#include <errno.h>
#include <stdarg.h>
#include <syslog.h>
#include <unistd.h>

/* Below PIPE_BUF (4096), so that the lines of several processes on one pipe never mix. */
#define LINE_MAX_BYTES 2048
#define MESSAGE_MAX 1536

static const char *ident = "okul";
static const char *request = "";
static enum log_level highest = LOG_NOTE;
static bool use_syslog;
static char last[MESSAGE_MAX];

static const char *
level_name(enum log_level level)
{
	switch (level) {
	case LOG_FATAL:
		return "fatal";
	case LOG_FAULT:
		return "error";
	case LOG_WARN:
		return "warn";
	case LOG_NOTE:
		return "info";
	case LOG_TRACE:
		return "debug";
	}
	return "info";
}

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

/* Replaces the control characters of ASCII, and those of Unicode's C1 block (UTF-8 C2 80 to C2 9F). */
static void
tame(char *text)
{
	for (unsigned char *s = (unsigned char *)text; *s; s++) {
		if (*s < 0x20 || *s == 0x7f)
			*s = '?';
		else if (s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f)
			s[0] = s[1] = '?';
	}
}

static void
to_stderr(enum log_level level, const char *key)
{
	char line[LINE_MAX_BYTES], time[CLOCK_TEXT];
	int length;

	clock_text(clock_now(), time);
	length = snprintf(line, sizeof(line) - 1, "ts=%s level=%s prog=%.64s%s%.128s %s",
		time, level_name(level), ident, key, request, last);
	if (length < 0)
		return;
	if ((size_t)length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length] = '\n';
	/* A log that cannot be written must not stop a request. */
	if (write(STDERR_FILENO, line, (size_t)length + 1) < 0)
		return;
}

void
log_line(enum log_level level, const char *format, ...)
{
	const int error = errno;
	const char *key = *request ? " rid=" : "";
	va_list args;

	va_start(args, format);
	if (vsnprintf(last, sizeof(last), format, args) < 0)
		last[0] = '\0';
	va_end(args);
	tame(last);
	if (level <= highest) {
		if (use_syslog)
			syslog((int)level, "level=%s%s%.128s %s", level_name(level), key, request, last);
		else
			to_stderr(level, key);
	}
	errno = error;
}

const char *
log_last(void)
{
	return last;
}
