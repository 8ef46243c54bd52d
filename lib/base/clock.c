#include "clock.h"

#include <fcntl.h>
#include <unistd.h>

#ifdef OKUL_TEST
#include <sys/mman.h>

static const volatile int64_t *shift;	/* milliseconds, changed by the tests while we run */
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
 * Days since 1970 to a date and back, after Howard Hinnant's days_from_civil and civil_from_days: the year is taken
 * to begin in March, so that the leap day is its last, and 400 such years always have the same number of days.
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
	month = (5 * day_of_year + 2) / 153;	/* 0 is March */
	date.day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	date.month = (int)(month < 10 ? month + 3 : month - 9);
	date.year = (int)(year_of_era + era * 400 + (date.month <= 2));
	return date;
}

static int64_t
days_of_date(struct date date)
{
	int64_t year = date.year - (date.month <= 2);
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t month = date.month > 2 ? date.month - 3 : date.month + 9;
	int64_t day_of_era = (153 * month + 2) / 5 + date.day - 1;

	day_of_era += year_of_era * 365 + year_of_era / 4 - year_of_era / 100;
	return era * DAYS_400_YEARS + day_of_era - MARCH_TO_1970;
}

/* Splits a time, held within the years that we can write, into days since 1970 and milliseconds of that day. */
static int64_t
split(int64_t time, int *rest)
{
	int64_t days;

	if (time < FIRST_TIME)
		time = FIRST_TIME;
	if (time > LAST_TIME)
		time = LAST_TIME;
	days = time / DAY;
	if (time % DAY < 0)
		days--;
	*rest = (int)(time - days * DAY);
	return days;
}

static char *
put2(char *out, int number)
{
	*out++ = (char)('0' + number / 10);
	*out++ = (char)('0' + number % 10);
	return out;
}

static char *
put_date(char *out, struct date date)
{
	out = put2(out, date.year / 100);
	out = put2(out, date.year % 100);
	*out++ = '-';
	out = put2(out, date.month);
	*out++ = '-';
	return put2(out, date.day);
}

static char *
put_hours(char *out, int seconds)
{
	out = put2(out, seconds / 3600);
	*out++ = ':';
	out = put2(out, seconds / 60 % 60);
	*out++ = ':';
	return put2(out, seconds % 60);
}

void
clock_text(int64_t time, char out[static CLOCK_TEXT])
{
	int rest;

	out = put_date(out, date_of_days(split(time, &rest)));
	*out++ = 'T';
	out = put_hours(out, rest / 1000);
	*out++ = '.';
	*out++ = (char)('0' + rest / 100 % 10);
	out = put2(out, rest % 100);
	*out++ = 'Z';
	*out = '\0';
}

void
clock_date_text(int64_t time, char out[static 11])
{
	int rest;

	*put_date(out, date_of_days(split(time, &rest))) = '\0';
}

void
clock_http_text(int64_t time, char out[static 30])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int rest;
	int64_t day = split(time, &rest);
	struct date date = date_of_days(day);
	/* 1970-01-01 was a Thursday; 400 years are whole weeks, and keep the sum positive */
	int weekday = (int)((day + 4 + 5 * DAYS_400_YEARS) % 7);

	memcpy(out, days + weekday * 3, 3);
	memcpy(out + 3, ", ", 2);
	out = put2(out + 5, date.day);
	*out++ = ' ';
	memcpy(out, months + (date.month - 1) * 3, 3);
	out[3] = ' ';
	out = put2(put2(out + 4, date.year / 100), date.year % 100);
	*out++ = ' ';
	out = put_hours(out, rest / 1000);
	memcpy(out, " GMT", 5);
}

static bool
is_leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Reads dddd-dd-dd; false when the text has another form. */
static bool
read_date(const char *s, struct date *date)
{
	int digits[10];

	for (int i = 0; i < 10; i++) {
		if (i == 4 || i == 7 ? s[i] != '-' : s[i] < '0' || s[i] > '9')
			return false;
		digits[i] = s[i] - '0';
	}
	date->year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3];
	date->month = digits[5] * 10 + digits[6];
	date->day = digits[8] * 10 + digits[9];
	return s[10] == '\0';
}

bool
clock_is_date(const char *s)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	struct date date;

	if (!s || !read_date(s, &date) || date.month < 1 || date.month > 12 || date.day < 1)
		return false;
	return date.day <= month_days[date.month - 1] + (date.month == 2 && is_leap(date.year));
}

int64_t
clock_date(const char *s)
{
	struct date date;

	return read_date(s, &date) ? days_of_date(date) * DAY : 0;
}

/* The two digits at `s`, which stand behind `before`; -1 when they do not or are `limit` or more. */
static int
read2(const char *s, char before, int limit)
{
	if (s[0] != before || s[1] < '0' || s[1] > '9' || s[2] < '0' || s[2] > '9')
		return -1;
	int number = (s[1] - '0') * 10 + s[2] - '0';
	return number < limit ? number : -1;
}

/* Milliseconds since midnight of what stands behind a date; -1 when malformed. */
static int
read_hours(const char *s)
{
	int hours = read2(s, 'T', 24), minutes = hours < 0 ? -1 : read2(s + 3, ':', 60);
	int seconds = minutes < 0 ? -1 : read2(s + 6, ':', 60), fraction = 0, worth = 100;

	if (seconds < 0)
		return -1;
	s += 9;
	if (*s == '.') {
		if (s[1] < '0' || s[1] > '9')
			return -1;
		for (s++; *s >= '0' && *s <= '9' && worth > 0; s++, worth /= 10)
			fraction += (*s - '0') * worth;
	}
	return strcmp(s, "Z") == 0 ? (hours * 3600 + minutes * 60 + seconds) * 1000 + fraction : -1;
}

bool
clock_is_time(const char *s)
{
	char date[11] = "";

	if (!s || strlen(s) < 20)
		return false;
	memcpy(date, s, 10);
	return clock_is_date(date) && read_hours(s + 10) >= 0;
}

int64_t
clock_time(const char *s)
{
	char date[11] = "";

	memcpy(date, s, 10);
	return clock_date(date) + read_hours(s + 10);
}

bool
clock_is_zone(const char *name)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-";
	static const char magic[] = { 'T', 'Z', 'i', 'f' };	/* RFC 8536 section 3.1 */
	char path[128], found[sizeof(magic)] = "";

	if (strcmp(name, "UTC") == 0)
		return true;
	/*
	 * The names of the tz database: no way out of its folder, and no second spelling. They begin with a capital; what
	 * does not (posix/, right/ with its leap seconds, localtime) only lies beside them.
	 */
	if (name[0] < 'A' || name[0] > 'Z' || strstr(name, "//") || name[strspn(name, letters)] != '\0')
		return false;
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
	/* The folder holds other folders and lists too. */
	int file = open(path, O_RDONLY | O_CLOEXEC);
	bool zone = file >= 0 && read(file, found, sizeof(found)) == sizeof(found) && memcmp(found, magic, sizeof(magic)) == 0;
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
	if (!localtime_r(&seconds, &tm) || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900) {
		clock_date_text(time, out);
		return;
	}
	*put_date(out, (struct date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday }) = '\0';
}

int64_t
clock_midnight(const char *text, const char *zone)
{
	struct date date;
	struct tm tm, found;
	time_t time, earlier;

	if (!read_date(text, &date))
		return 0;
	use_zone(zone);
	tm = (struct tm){ .tm_year = date.year - 1900, .tm_mon = date.month - 1, .tm_mday = date.day, .tm_isdst = -1 };
	time = mktime(&tm);
	/* Where midnight is passed over, the C library may end up an hour before the gap instead of behind it. */
	if (localtime_r(&time, &found) && found.tm_mday != date.day) {
		tm = (struct tm){ .tm_year = date.year - 1900, .tm_mon = date.month - 1, .tm_mday = date.day, .tm_hour = 1,
			.tm_isdst = -1 };
		time = mktime(&tm);
	}
	/* Where it is midnight twice, it may be either, by what it was last asked. */
	earlier = time - HOUR / SECOND;
	if (localtime_r(&earlier, &found) && found.tm_mday == date.day)
		time = earlier;
	return (int64_t)time * SECOND;
}
