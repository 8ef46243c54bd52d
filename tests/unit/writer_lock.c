/*
 * The promise of the gate, kept short: 8 processes on a slow disk, nobody starves, nobody is turned away.
 * tests/bench/gate.sh measures the same for longer, beside what SQLite does without a gate.
 */
#include "../bench/writers_gate.h"
#include "unit.h"

#define PROCESSES 8
#define ROUNDS 8
#define SECONDS_EACH 1.0

static const char *const names[] = { "okul.db", "okul.db-wal", "okul.db-shm", "okul.gate" };

static struct outcome
write_once(void)
{
	char folder[64] = "/tmp/okul-unit-XXXXXX", path[128], why[512];

	assert_non_null(mkdtemp(folder));
	if (!db_create(folder, BENCH_SCHEMA, why, sizeof(why)))
		fail_msg("%s", why);
	struct outcome out = run_writers(&way_gate, folder, PROCESSES, SECONDS_EACH);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
	return out;
}

/* Milliseconds. A machine that has other work for all its processors lets a process wait for one of them. */
static double
bar(void)
{
	double load;

	return getloadavg(&load, 1) == 1 && load > (double)sysconf(_SC_NPROCESSORS_ONLN) ? 150 : 30;
}

/* One round may be spoilt by what else runs, hardly all: without the gate p99.9 is near 2 s in each of them. */
static void
nobody_starves_at_the_gate(void **state)
{
	struct outcome out;
	bool good = false;

	(void)state;
	for (int i = 0; i < ROUNDS && !good; i++) {
		out = write_once();
		assert_int_equal(out.busy, 0);
		assert_int_equal(out.failed, 0);
		assert_true(out.total > 50);
		good = out.slowest_to_fair >= 0.5 && out.p999 <= bar();
	}
	if (!good)
		fail_msg("the slowest did %.2f of its fair share, p99.9 %.1f ms", out.slowest_to_fair, out.p999);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nobody_starves_at_the_gate) };

	clock_init();
	log_init("unit", false, LOG_FATAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
