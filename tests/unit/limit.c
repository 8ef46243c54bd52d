/* lib/school/limit.c: sliding windows, also with a clock that was set back. */
#include "clock.h"
#include "limit.h"
#include "log.h"
#include "school.h"
#include "unit.h"

#define NOW INT64_C(1767225600000)

static struct db *db;
static struct conf conf = { .limits = true };

static int64_t
events(void)
{
	struct db_rows *row;

	assert_int_equal(db_one(db, &row, "SELECT count(*) FROM event", NO_ARGS), DB_ROW);
	int64_t count = db_int(row, 0);
	db_end(row);
	return count;
}

static int
begin(void **state)
{
	(void)state;
	return db_write_begin(db) == DB_DONE ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	db_write_rollback(db);
	return 0;
}

static void
a_window_limits_events(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 3; i++) {
		assert_int_equal(limit_wait(db, "k", "s", NOW + i * MINUTE, HOUR, 3), 0);
		limit_count(db, "k", "s", NOW + i * MINUTE, HOUR);
	}
	assert_int_equal(limit_wait(db, "k", "s", NOW + 2 * MINUTE, HOUR, 3), HOUR - 2 * MINUTE);
	assert_int_equal(limit_wait(db, "k", "s", NOW + HOUR - 1, HOUR, 3), 1);
	assert_int_equal(limit_wait(db, "k", "s", NOW + HOUR, HOUR, 3), 0);
	assert_int_equal(limit_wait(db, "k", "t", NOW, HOUR, 3), 0);
	assert_int_equal(limit_wait(db, "l", "s", NOW, HOUR, 3), 0);
}

/* After the limit was lowered, the wait ends when enough events have left the window, not when the oldest has. */
static void
the_wait_is_right_above_the_limit(void **state)
{
	(void)state;
	for (int64_t i = 0; i < 5; i++)
		limit_count(db, "k", "s", NOW + i * MINUTE, HOUR);
	assert_int_equal(limit_wait(db, "k", "s", NOW + 5 * MINUTE, HOUR, 2), HOUR - 2 * MINUTE);
	assert_int_equal(limit_wait(db, "k", "s", NOW + HOUR + 3 * MINUTE - 1, HOUR, 2), 1);
	assert_int_equal(limit_wait(db, "k", "s", NOW + HOUR + 3 * MINUTE, HOUR, 2), 0);
}

static void
future_events_do_not_count(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		limit_count(db, "k", "s", NOW + 400 * DAY, DAY);
	assert_int_equal(limit_wait(db, "k", "s", NOW, DAY, 5), 0);
	limit_count(db, "k", "s", NOW, DAY);
	assert_int_equal(events(), 1);	/* and is deleted */
	/* of a process that read the clock later, but wrote first */
	limit_count(db, "k", "s", NOW + SECOND, DAY);
	limit_count(db, "k", "s", NOW, DAY);
	assert_int_equal(events(), 3);
	assert_int_equal(limit_wait(db, "k", "s", NOW, DAY, 3), DAY);
	assert_int_equal(limit_wait(db, "k", "s", NOW, 0, 1), 0);
}

static void
a_subject_and_its_marked_ones(void **state)
{
	static const char *const subjects[] = { "a@x.com", "a@x.com 01", "a@x.com ff", "a@x.com.tr", "a@x.com!", "a@x.co", "A@x.com 01" };

	(void)state;
	for (size_t i = 0; i < COUNT(subjects); i++)
		limit_count(db, "k", subjects[i], NOW, DAY);
	assert_int_equal(limit_wait_all(db, "k", "a@x.com", NOW, DAY, 3), DAY);
	assert_int_equal(limit_wait_all(db, "k", "a@x.com", NOW, DAY, 4), 0);
}

static void
clients_are_counted_by_network(void **state)
{
	(void)state;
	limit_count_client(db, &conf, "k", "2001:db8::1", NOW, HOUR);
	assert_int_equal(limit_client(db, &conf, "k", "2001:db8::ffff", NOW, HOUR, 1), HOUR);
	assert_int_equal(limit_client(db, &conf, "k", "2001:db8:0:1::1", NOW, HOUR, 1), 0);
	limit_uncount_client(db, &conf, "k", "2001:db8::2");
	assert_int_equal(events(), 0);
	conf.limits = false;
	limit_count_client(db, &conf, "k", "192.0.2.1", NOW, HOUR);
	assert_int_equal(events(), 0);
	conf.limits = true;
	limit_count_client(db, &conf, "k", "192.0.2.1", NOW, HOUR);
	limit_count_client(db, &conf, "k", "::ffff:192.0.2.1", NOW + 1, HOUR);
	limit_uncount_client(db, &conf, "k", "192.0.2.1");
	assert_int_equal(limit_client(db, &conf, "k", "192.0.2.1", NOW + 1, HOUR, 1), HOUR - 1);	/* the newest was removed */
	conf.limits = false;
	assert_int_equal(limit_client(db, &conf, "k", "192.0.2.1", NOW, HOUR, 1), 0);
	conf.limits = true;
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		test(a_window_limits_events),
		test(the_wait_is_right_above_the_limit),
		test(future_events_do_not_count),
		test(a_subject_and_its_marked_ones),
		test(clients_are_counted_by_network),
	};

	clock_init();
	log_init("unit", false, LOG_FATAL);
	db = school_open();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	school_close(db);
	return failed;
}
