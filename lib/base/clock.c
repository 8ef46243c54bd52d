#include "clock.h"

#include "text.h"

#include <fcntl.h>
#include <unistd.h>

#ifdef OKUL_TEST
#include <sys/mman.h>

static const volatile int64_t *shift; /* milliseconds, changed by the tests while we run */
#endif

/* 0000-01-01 and the last millisecond of 9999, in milliseconds since 1970 */
#define FIRST_TIME INT64_C(-62167219200000)
#define LAST_TIME INT64_C(253402300799999)

/* Days from 0000-03-01, where the years of the arithmetic below begin, to 1970-01-01. */
#define MARCH_TO_1970 719468
#define DAYS_400_YEARS INT64_C(146097)

struct date {
	int year, month, day;
};

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

/*
 * The date of a day since 1970, after Howard Hinnant's civil_from_days: years begin in March, so that the leap day is the last
 * one, and 400 years always have the same number of days. gmtime_r() and strftime() take ten times as long, and lists have many.
 */
static struct date
date_of_days(int64_t days)
{
	int64_t era, day_of_era, year_of_era, day_of_year, month;
	struct date date;

	days += MARCH_TO_1970;
	era = (days >= 0 ? days : days - (DAYS_400_YEARS - 1)) / DAYS_400_YEARS;
	day_of_era = days - era * DAYS_400_YEARS;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153; /* 0 is March */
	date.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	date.month = (int)(month < 10 ? month + 3 : month - 9);
	date.year = (int)(year_of_era + era * 400 + (date.month <= 2));
	return date;
}

/* Splits a time, limited to the years 0000 to 9999, into days since 1970 and milliseconds of the day. */
static int64_t
split(int64_t time, int *rest)
{
	time = (time < FIRST_TIME ? FIRST_TIME : time > LAST_TIME ? LAST_TIME : time) - FIRST_TIME;
	*rest = (int)(time % DAY);
	return time / DAY + FIRST_TIME / DAY;
}

static void
put_digits(char *out, int number, int count)
{
	for (; count > 0; number /= 10)
		out[--count] = (char)('0' + number % 10);
}

/* YYYY-MM-DD, and a NUL. */
static void
put_date(char *out, struct date date)
{
	memcpy(out, "YYYY-MM-DD", 11);
	put_digits(out, date.year, 4);
	put_digits(out + 5, date.month, 2);
	put_digits(out + 8, date.day, 2);
}

/* Fills hh:mm:ss. */
static void
put_hours(char *out, int seconds)
{
	put_digits(out, seconds / 3600, 2);
	put_digits(out + 3, seconds / 60 % 60, 2);
	put_digits(out + 6, seconds % 60, 2);
}

void
clock_text(int64_t time, char out[static CLOCK_TEXT])
{
	int rest;

	put_date(out, date_of_days(split(time, &rest)));
	memcpy(out + 10, "Thh:mm:ss.000Z", 15);
	put_hours(out + 11, rest / 1000);
	put_digits(out + 20, rest % 1000, 3);
}

void
clock_date_text(int64_t time, char out[static 11])
{
	int rest;

	put_date(out, date_of_days(split(time, &rest)));
}

void
clock_http_text(int64_t time, char out[static 30])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int rest;
	int64_t day = split(time, &rest);
	struct date date = date_of_days(day);
	/* 1970-01-01 was a Thursday; 400 years are whole weeks, and make the sum positive */
	int weekday = (int)((day + 4 + 5 * DAYS_400_YEARS) % 7);

	memcpy(out, "Day, DD Mon YYYY hh:mm:ss GMT", 30);
	memcpy(out, days + weekday * 3, 3);
	put_digits(out + 5, date.day, 2);
	memcpy(out + 8, months + (date.month - 1) * 3, 3);
	put_digits(out + 12, date.year, 4);
	put_hours(out + 17, rest / 1000);
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

int64_t
clock_date(const char *s)
{
	struct tm tm;

	return parse_date(s, &tm) ? timegm(&tm) * SECOND : CLOCK_NONE;
}

int64_t
clock_time(const char *s)
{
	struct tm tm;
	const char *end = parse(s, "0000-00-00T00:00:00", "%Y-%m-%dT%H:%M:%S", &tm);

	if (!end)
		return CLOCK_NONE;
	int64_t time = timegm(&tm) * SECOND;
	if (has_form(end, ".0"))
		for (int unit = 100; text_is_digit(*++end) && unit > 0; unit /= 10)
			time += (*end - '0') * unit;
	return strcmp(end, "Z") == 0 ? time : CLOCK_NONE;
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
	int rest;
	int64_t days = split(time, &rest);
	time_t seconds = (time_t)(days * (DAY / SECOND) + rest / SECOND);
	struct tm tm;

	use_zone(zone);
	localtime_r(&seconds, &tm);
	/* On the first and the last day the year of the zone may be -1 or 10000. */
	if (tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		gmtime_r(&seconds, &tm);
	put_date(out, (struct date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday });
}

int64_t
clock_midnight(const char *text, const char *zone)
{
	struct tm date, tm, found;

	if (!parse_date(text, &date))
		return CLOCK_NONE;
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
