#include "clock.h"
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

static void
times_are_written(void **state)
{
	static const struct { int64_t time; const char *text; } cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ INT64_C(1768473000000), "2026-01-15T10:30:00.000Z" },
		{ INT64_C(951782400123), "2000-02-29T00:00:00.123Z" },
		{ INT64_C(4107542399999), "2100-02-28T23:59:59.999Z" },
		{ INT64_C(4107542400000), "2100-03-01T00:00:00.000Z" },
		{ INT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
		{ INT64_C(253402300800000), "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_C(-62167219200000), "0000-01-01T00:00:00.000Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[CLOCK_TEXT];

		clock_text(cases[i].time, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* Two days of each month from 1600 to 2450, at varying times of day. */
static void
times_agree_with_strftime(void **state)
{
	(void)state;
	for (int64_t time = INT64_C(-11676096000000); time < INT64_C(15147216000000); time += 15 * DAY + 49999777) {
		time_t seconds = (time_t)((time - ((time % SECOND) + SECOND) % SECOND) / SECOND);
		char expected[40], text[40];
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &tm);
		clock_text(time, text);
		assert_int_equal(strncmp(text, expected, 19), 0);
		strftime(expected, sizeof(expected), "%Y-%m-%d", &tm);
		clock_date_text(time, text);
		assert_string_equal(text, expected);
		assert_true(clock_is_date(text));
		assert_int_equal(clock_date(text), time - ((time % DAY) + DAY) % DAY);
		strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		clock_http_text(time, text);
		assert_string_equal(text, expected);
	}
}

static void
http_dates(void **state)
{
	char text[30];

	(void)state;
	clock_http_text(INT64_C(784111777000), text);	/* the example of RFC 9110 */
	assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
	clock_http_text(INT64_MIN, text);
	assert_string_equal(text, "Sat, 01 Jan 0000 00:00:00 GMT");
}

static void
days_of_the_calendar(void **state)
{
	static const char *const good[] = {
		"2026-01-15", "2024-02-29", "2000-02-29", "0000-02-29", "1900-02-28", "2026-12-31", "9999-12-31",
		"0000-01-01", "2026-04-30", "2026-06-30", "2026-09-30", "2026-11-30", "2026-01-31", "2026-08-31",
	};
	static const char *const bad[] = {
		"", "2026", "2026-1-5", "2026-01-1", "26-01-15", "2026-02-29", "1900-02-29", "2100-02-29",
		"2000-02-30", "2026-00-15", "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31", "2026-06-31",
		"2026-09-31", "2026-11-31", "2026/01/15", "2026-01/15", "2026-01-15 ", " 2026-01-15", "2026-01-15T",
		"+026-01-15", "2026-+1-15", "-026-01-15", "20260115", "2026-0a-15", "12026-01-15", "٢٠٢٦-01-15",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check(clock_is_date(good[i]), good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		check(!clock_is_date(bad[i]), bad[i]);
	assert_false(clock_is_date(NULL));
	assert_int_equal(clock_date("1970-01-01"), 0);
	assert_int_equal(clock_date("2000-03-01") - clock_date("2000-02-28"), 2 * DAY);
	assert_int_equal(clock_date("1900-03-01") - clock_date("1900-02-28"), DAY);
}

static void
times_are_read(void **state)
{
	static const struct { const char *text; int64_t time; } good[] = {
		{ "1970-01-01T00:00:00.000Z", 0 }, { "1970-01-01T00:00:00Z", 0 }, { "1970-01-02T01:02:03.4Z", 90123400 },
		{ "1969-12-31T23:59:59.999Z", -1 }, { "2026-01-15T10:30:00.05Z", INT64_C(1768473000050) },
	};
	static const char *const bad[] = {
		"", "2026-01-15", "2026-01-15T10:30:00", "2026-01-15T10:30:00.000", "2026-01-15T10:30:00.0000Z",
		"2026-01-15T10:30:00.Z", "2026-01-15T10:30Z", "2026-01-15T24:00:00Z", "2026-01-15T10:60:00Z", "2026-01-15T10:30:60Z",
		"2026-02-29T10:30:00Z", "2026-01-15 10:30:00Z", "2026-01-15t10:30:00z", "2026-01-15T10:30:00.000Zx",
		"2026-01-15T1a:30:00.000Z", "2026-01-15T10:30:00+00:00", "2026-01-15T10:30:00,000Z", "2026-01-15T10-30-00.000Z",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		check(clock_is_time(good[i].text), good[i].text);
		check(clock_time(good[i].text) == good[i].time, good[i].text);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		check(!clock_is_time(bad[i]), bad[i]);
	assert_false(clock_is_time(NULL));
}

static void
midnight_in_a_time_zone(void **state)
{
	static const struct { const char *date, *zone, *time; } cases[] = {
		{ "2026-01-15", "UTC", "2026-01-15T00:00:00.000Z" },
		{ "2026-01-15", "Europe/Istanbul", "2026-01-14T21:00:00.000Z" },
		{ "2010-01-15", "Europe/Istanbul", "2010-01-14T22:00:00.000Z" },
		{ "2026-07-15", "Europe/Berlin", "2026-07-14T22:00:00.000Z" },
		{ "2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00.000Z" },
		{ "2026-03-30", "Europe/Berlin", "2026-03-29T22:00:00.000Z" },
		{ "2026-01-15", "America/Los_Angeles", "2026-01-15T08:00:00.000Z" },
		/* the clocks went from 23:59:59 to 01:00:00 */
		{ "2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z" },
		/* they went from 01:00 back to 00:00: the first midnight, whatever the previous call was */
		{ "2025-11-02", "America/Havana", "2025-11-02T04:00:00.000Z" },
		{ "2025-12-20", "America/Havana", "2025-12-20T05:00:00.000Z" },
		{ "2025-11-02", "America/Havana", "2025-11-02T04:00:00.000Z" },
		{ "2025-07-01", "Atlantic/Azores", "2025-07-01T00:00:00.000Z" },
		{ "2025-10-26", "Atlantic/Azores", "2025-10-26T00:00:00.000Z" },
		{ "2025-12-20", "Atlantic/Azores", "2025-12-20T01:00:00.000Z" },
		{ "2025-10-26", "Atlantic/Azores", "2025-10-26T00:00:00.000Z" },
		{ "2026-01-15", "No/Where", "2026-01-15T00:00:00.000Z" },
		/* likewise, from 00:59:59 to 00:00:00 */
		{ "2026-11-01", "America/Havana", "2026-11-01T04:00:00.000Z" },
		{ "2026-11-02", "America/Havana", "2026-11-02T05:00:00.000Z" },
	};
	char text[CLOCK_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		clock_text(clock_midnight(cases[i].date, cases[i].zone), text);
		assert_string_equal(text, cases[i].time);
	}
	/* whatever the previous call was */
	clock_midnight("2026-12-01", "America/Havana");
	clock_text(clock_midnight("2026-11-01", "America/Havana"), text);
	assert_string_equal(text, "2026-11-01T04:00:00.000Z");
}

static void
dates_in_a_time_zone(void **state)
{
	static const struct { const char *time, *zone, *date; } cases[] = {
		{ "2026-01-31T20:59:59.999Z", "Europe/Istanbul", "2026-01-31" },
		{ "2026-01-31T21:00:00.000Z", "Europe/Istanbul", "2026-02-01" },
		{ "2026-03-01T04:59:59.999Z", "America/New_York", "2026-02-28" },
		{ "2026-08-01T04:00:00.000Z", "America/New_York", "2026-08-01" },
		{ "2026-01-31T18:14:59.999Z", "Asia/Kathmandu", "2026-01-31" },
		{ "2026-01-31T18:15:00.000Z", "Asia/Kathmandu", "2026-02-01" },
		{ "1969-12-31T23:59:59.999Z", "UTC", "1969-12-31" },
		{ "9999-12-31T23:59:59.999Z", "Asia/Kathmandu", "9999-12-31" },
		{ "2026-01-31T23:00:00.000Z", "No/Where", "2026-01-31" },
	};
	char text[11];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		clock_zone_date_text(clock_time(cases[i].time), cases[i].zone, text);
		assert_string_equal(text, cases[i].date);
	}
}

static int64_t
real_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Days between clock_now() and the real time, with an hour of tolerance. */
static int64_t
days_ahead(void)
{
	return (clock_now() - real_time() + HOUR) / DAY;
}

static void
write_shift(const char *path, int64_t shift, size_t length)
{
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	assert_int_equal(write(file, &shift, length), length);
	close(file);
}

/* Nothing may change the time of a release build. */
static void
only_a_test_build_has_a_clock_that_tests_set(void **state)
{
	char path[] = "/tmp/okul-unit-clock-XXXXXX";
	int file = mkstemp(path);

	(void)state;
	assert_true(file >= 0);
	close(file);
	assert_int_equal(days_ahead(), 0);
	unsetenv("OKUL_CLOCK");
	clock_init();
	setenv("OKUL_CLOCK", "/nonexistent/clock", 1);
	clock_init();
	setenv("OKUL_CLOCK", path, 1);
	write_shift(path, 5 * DAY, 4);	/* too short, ignored */
	clock_init();
	assert_int_equal(days_ahead(), 0);
	write_shift(path, 5 * DAY, 8);
	clock_init();
#ifdef OKUL_TEST
	assert_int_equal(days_ahead(), 5);
	write_shift(path, 400 * DAY, 8);
	assert_int_equal(days_ahead(), 400);
#else
	assert_int_equal(days_ahead(), 0);
#endif
	unlink(path);
}

static void
ticks_are_microseconds(void **state)
{
	int64_t start = clock_ticks(), taken;

	(void)state;
	usleep(20000);
	taken = clock_ticks() - start;
	assert_true(taken >= 20000 && taken < 20 * 1000000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_written),
		cmocka_unit_test(times_agree_with_strftime),
		cmocka_unit_test(http_dates),
		cmocka_unit_test(days_of_the_calendar),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(midnight_in_a_time_zone),
		cmocka_unit_test(dates_in_a_time_zone),
		cmocka_unit_test(only_a_test_build_has_a_clock_that_tests_set),
		cmocka_unit_test(ticks_are_microseconds),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
