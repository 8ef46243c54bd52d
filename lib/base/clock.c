#include "clock.h"

#include "text.h"

#include <fcntl.h>
#include <unistd.h>

#ifdef OKUL_TEST
#include <sys/mman.h>

static const volatile int64_t *shift;	/* milliseconds, changed by the tests while we run */
#endif

/* 0000-01-01 and the last millisecond of 9999, in milliseconds since 1970 */
#define FIRST_TIME INT64_C(-62167219200000)
#define LAST_TIME INT64_C(253402300799999)

#define DATE_FORMAT "%04Y-%m-%d"

void
clock_init(void)
{
#ifdef OKUL_TEST
	const char *path = getenv("OKUL_CLOCK");
	int file;
	void *bytes;

	if (shift || !path || (file = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	if (lseek(file, 0, SEEK_END) >= (off_t)sizeof(*shift)) {
		bytes = mmap(NULL, sizeof(*shift), PROT_READ, MAP_SHARED, file, 0);
		if (bytes != MAP_FAILED)
			shift = bytes;
	}
	close(file);
#endif
}

int64_t
clock_now(void)
{
	struct timespec now;
	int64_t time;

	clock_gettime(CLOCK_REALTIME, &now);
	time = (int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000000;
#ifdef OKUL_TEST
	if (shift)
		time += *shift;
#endif
	return time;
}

int64_t
clock_ticks(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The nearest time whose year has four digits. */
static int64_t
limit(int64_t time)
{
	return time < FIRST_TIME ? FIRST_TIME : time > LAST_TIME ? LAST_TIME : time;
}

/* Rounded down, before 1970 too. */
static time_t
to_seconds(int64_t time)
{
	return (time_t)((limit(time) - FIRST_TIME) / SECOND + FIRST_TIME / SECOND);
}

/* Writes a time in UTC in a format of strftime(); returns the length. */
static size_t
format_utc(char *out, size_t room, const char *format, int64_t time)
{
	time_t seconds = to_seconds(time);
	struct tm tm;

	return strftime(out, room, format, gmtime_r(&seconds, &tm));
}

void
clock_text(int64_t time, char out[static CLOCK_TEXT])
{
	size_t length = format_utc(out, CLOCK_TEXT, DATE_FORMAT "T%H:%M:%S", time);
	int ms = (int)((limit(time) - FIRST_TIME) % SECOND);
	char fraction[] = { '.', (char)('0' + ms / 100), (char)('0' + ms / 10 % 10), (char)('0' + ms % 10), 'Z', '\0' };

	memcpy(out + length, fraction, sizeof(fraction));
}

void
clock_date_text(int64_t time, char out[static 11])
{
	format_utc(out, 11, DATE_FORMAT, time);
}

void
clock_http_text(int64_t time, char out[static 30])
{
	format_utc(out, 30, "%a, %d %b %04Y %H:%M:%S GMT", time);
}

/* True when the text begins like the pattern, in which 0 matches any digit. */
static bool
has_form(const char *s, const char *pattern)
{
	for (; *pattern; s++, pattern++)
		if (*pattern == '0' ? !text_is_digit(*s) : *s != *pattern)
			return false;
	return true;
}

/*
 * Reads a date, and a time of day where the format has one; returns what follows. NULL when it is malformed, or does
 * not exist: timegm() makes March 1 of February 29, and a minute later of second 60.
 */
static const char *
parse(const char *s, const char *pattern, const char *format, struct tm *tm)
{
	const char *end;

	*tm = (struct tm){ 0 };
	if (!s || !has_form(s, pattern) || !(end = strptime(s, format, tm)))
		return NULL;
	struct tm written = *tm;
	timegm(tm);
	return tm->tm_mday == written.tm_mday && tm->tm_min == written.tm_min ? end : NULL;
}

static bool
parse_date(const char *s, struct tm *tm)
{
	const char *end = parse(s, "0000-00-00", "%Y-%m-%d", tm);

	return end && *end == '\0';
}

static bool
parse_time(const char *s, int64_t *time)
{
	struct tm tm;
	const char *end = parse(s, "0000-00-00T00:00:00", "%Y-%m-%dT%H:%M:%S", &tm);

	if (!end)
		return false;
	*time = timegm(&tm) * SECOND;
	if (has_form(end, ".0"))
		for (int unit = 100; text_is_digit(*++end) && unit > 0; unit /= 10)
			*time += (*end - '0') * unit;
	return strcmp(end, "Z") == 0;
}

bool
clock_is_date(const char *s)
{
	struct tm tm;

	return parse_date(s, &tm);
}

int64_t
clock_date(const char *s)
{
	struct tm tm;

	return parse_date(s, &tm) ? timegm(&tm) * SECOND : 0;
}

bool
clock_is_time(const char *s)
{
	int64_t time;

	return parse_time(s, &time);
}

int64_t
clock_time(const char *s)
{
	int64_t time;

	return parse_time(s, &time) ? time : 0;
}

bool
clock_is_zone(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
	char path[128], magic[4] = "";

	if (strcmp(name, "UTC") == 0)
		return true;
	/*
	 * Names of the tz database begin with a capital; posix/, right/ (with leap seconds) and localtime are other
	 * spellings. A dot could lead out of the folder.
	 */
	if (name[0] < 'A' || name[0] > 'Z' || strstr(name, "//") || name[strspn(name, letters)] != '\0')
		return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	/* Other files and folders lie there too: only zones begin with TZif (RFC 8536 section 3.1). */
	int file = open(path, O_RDONLY | O_CLOEXEC);
	bool zone = file >= 0 && read(file, magic, sizeof(magic)) == sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
	if (file >= 0)
		close(file);
	return zone;
}

static void
use_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

void
clock_zone_date_text(int64_t time, const char *zone, char out[static 11])
{
	time_t seconds = to_seconds(time);
	struct tm tm;

	use_zone(zone);
	localtime_r(&seconds, &tm);
	/* On the first and the last day the year of the zone may be -1 or 10000. */
	if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		gmtime_r(&seconds, &tm);
	strftime(out, 11, DATE_FORMAT, &tm);
}

int64_t
clock_midnight(const char *text, const char *zone)
{
	struct tm date, tm, found;

	if (!parse_date(text, &date))
		return 0;
	use_zone(zone);
	date.tm_isdst = -1;
	tm = date;
	time_t time = mktime(&tm);
	/* Where the clocks skip midnight, mktime() may return an hour before the gap instead of one after it. */
	if (localtime_r(&time, &found)->tm_mday != date.tm_mday) {
		tm = date;
		tm.tm_hour = 1;
		time = mktime(&tm);
	}
	/* Where midnight occurs twice, it may return either, depending on its previous calls. */
	time_t earlier = time - HOUR / SECOND;
	if (localtime_r(&earlier, &found)->tm_mday == date.tm_mday)
		time = earlier;
	return (int64_t)time * SECOND;
}
