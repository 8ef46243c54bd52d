/*
 * Several struct turnstile in one process stand for as many processes: the locks belong to the open files.
 */
#include "turnstile.h"

#include "clock.h"
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOON 20000	/* microseconds */

static char folder[64], path[80];
static struct turnstile one, two;

static int
set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/okul-unit-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/gate", folder);
	return turnstile_open(&one, path) || turnstile_open(&two, path);
}

static int
tear_down(void **state)
{
	(void)state;
	turnstile_close(&one);
	turnstile_close(&two);
	unlink(path);
	return rmdir(folder);
}

static void
pass(struct turnstile *gate)
{
	assert_int_equal(turnstile_enter(gate, SOON), 0);
	turnstile_leave(gate);
}

static void
who_steps_out_lets_the_next_one_in(void **state)
{
	(void)state;
	pass(&one);
	pass(&two);
	assert_int_equal(turnstile_enter(&one, SOON), 0);
	assert_int_equal(turnstile_enter(&two, SOON), ETIMEDOUT);
	turnstile_step_out(&one);
	assert_int_equal(turnstile_enter(&two, SOON), 0);
	turnstile_step_out(&two);
	turnstile_leave(&one);
	assert_int_equal(turnstile_enter(&one, SOON), 0);
	turnstile_leave(&one);
	turnstile_leave(&two);
}

static void
who_comes_first_waits_for_the_yard(void **state)
{
	(void)state;
	assert_int_equal(turnstile_enter(&one, SOON), 0);
	turnstile_step_out(&one);
	assert_int_equal(turnstile_enter(&two, SOON), ETIMEDOUT);
	/* It has not kept the door. */
	turnstile_leave(&one);
	pass(&one);
	pass(&two);
	assert_int_equal(turnstile_enter(&one, SOON), 0);
	turnstile_step_out(&one);
	pass(&two);
	turnstile_leave(&one);
}

static void
nobody_passes_a_gate_that_is_shut(void **state)
{
	struct stat st;

	(void)state;
	assert_false(turnstile_is_shut(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_true(st.st_blocks > 0);	/* room for the sign */
	assert_int_equal(turnstile_enter(&one, SOON), 0);
	assert_int_equal(turnstile_shut(&one), 0);
	turnstile_leave(&one);
	assert_true(turnstile_is_shut(path));
	assert_int_equal(turnstile_enter(&one, SOON), ENOTRECOVERABLE);
	assert_int_equal(turnstile_enter(&two, SOON), ENOTRECOVERABLE);
	assert_int_equal(turnstile_enter(&two, SOON), ENOTRECOVERABLE);
	unlink(path);
	assert_false(turnstile_is_shut(path));
}

/* Who has the old file open would else be let in beside who has opened the new one. */
static void
a_file_that_was_removed_is_left(void **state)
{
	struct turnstile three;

	(void)state;
	pass(&one);
	pass(&two);
	unlink(path);
	assert_int_equal(turnstile_open(&three, path), 0);
	assert_int_equal(turnstile_enter(&three, SOON), 0);
	assert_int_equal(turnstile_enter(&one, SOON), ETIMEDOUT);
	turnstile_leave(&three);
	assert_int_equal(turnstile_enter(&one, SOON), 0);
	assert_int_equal(turnstile_enter(&two, SOON), ETIMEDOUT);
	assert_int_equal(turnstile_enter(&three, SOON), ETIMEDOUT);
	turnstile_leave(&one);
	pass(&two);
	/* Removed, and nobody has made it anew. */
	unlink(path);
	assert_int_equal(turnstile_enter(&two, SOON), 0);
	assert_int_equal(turnstile_enter(&one, SOON), ETIMEDOUT);
	turnstile_leave(&two);
	pass(&one);
	turnstile_close(&three);
}

static void
a_sign_outlives_the_removal_of_its_file(void **state)
{
	(void)state;
	pass(&one);
	pass(&two);
	assert_int_equal(turnstile_enter(&one, SOON), 0);
	unlink(path);
	assert_int_equal(turnstile_shut(&one), 0);
	turnstile_leave(&one);
	assert_true(turnstile_is_shut(path));
	unlink(path);
	assert_int_equal(turnstile_enter(&two, SOON), ENOTRECOVERABLE);
	assert_true(turnstile_is_shut(path));
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(who_steps_out_lets_the_next_one_in),
		test(who_comes_first_waits_for_the_yard),
		test(nobody_passes_a_gate_that_is_shut),
		test(a_file_that_was_removed_is_left),
		test(a_sign_outlives_the_removal_of_its_file),
	};

	clock_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
