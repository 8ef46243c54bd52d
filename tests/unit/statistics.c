#include "statistics.h"
#include "unit.h"

#include <math.h>

/* What the figures of tests/api/proficiency_model.py, computed without rounding, do not reach: the edges. */

#define QUESTIONS_MAX 8

struct fixture {
	struct arena *arena;
	struct statistics_question questions[QUESTIONS_MAX];
	struct statistics *statistics;
};

/* Questions with the given points, the first of three options right. */
static struct fixture
questions(const double *points, int count)
{
	struct fixture f = { .arena = arena_new(4096) };
	struct statistics_question *read = arena_alloc(f.arena, sizeof(f.questions));

	for (int i = 0; i < count; i++)
		read[i] = (struct statistics_question){ points[i], 3, 1 };
	f.statistics = statistics_new(f.arena, read, count);
	return f;
}
#define QUESTIONS(...) questions((const double[]){ __VA_ARGS__ }, (int)COUNT(((const double[]){ __VA_ARGS__ })))

/* A sheet as digits: the option of each question. */
static void
sheet(struct fixture *f, const char *options)
{
	unsigned char chosen[QUESTIONS_MAX];
	size_t count = strlen(options);

	for (size_t i = 0; i < count; i++)
		chosen[i] = (unsigned char)(options[i] - '0');
	statistics_add(f->statistics, chosen, count);
}

static double
discrimination(const struct fixture *f, int i)
{
	return statistics_item(f->statistics, i).discrimination;
}

static void
near(double figure, double expected)
{
	if (!(fabs(figure - expected) < 1e-12))
		fail_msg("%.17g is not %.17g", figure, expected);
}

static void
figures_of_a_table_worked_out_by_hand(void **state)
{
	struct fixture f = QUESTIONS(1, 1, 1);

	(void)state;
	sheet(&f, "111");
	sheet(&f, "112");
	sheet(&f, "130");
	sheet(&f, "220");
	struct statistics_total total = statistics_total(f.statistics);
	assert_int_equal(total.sheets, 4);
	near(total.mean, 50);
	near(total.deviation, sqrt(5. / 3) / 3 * 100);
	near(total.alpha, 0.75);			/* 3/2 (1 - (1/4 + 1/3 + 1/4) / (5/3)) */
	near(total.error, sqrt(5. / 3) / 3 * 50);
	near(statistics_item(f.statistics, 0).difficulty, 0.75);
	near(statistics_item(f.statistics, 1).difficulty, 0.5);
	near(statistics_item(f.statistics, 2).difficulty, 0.25);
	near(discrimination(&f, 0), sqrt(3. / 11));
	near(discrimination(&f, 1), sqrt(1. / 2));
	near(discrimination(&f, 2), sqrt(3. / 11));
	const int64_t *chosen = statistics_item(f.statistics, 2).chosen;
	assert_true(chosen[0] == 2 && chosen[1] == 1 && chosen[2] == 1 && chosen[3] == 0);
	chosen = statistics_item(f.statistics, 1).chosen;
	assert_true(chosen[0] == 0 && chosen[1] == 2 && chosen[2] == 1 && chosen[3] == 1);
	arena_free(f.arena);
}

static void
points_weigh_and_the_unit_is_percent(void **state)
{
	struct fixture f = QUESTIONS(3, 1);

	(void)state;
	sheet(&f, "11");
	sheet(&f, "10");
	sheet(&f, "00");
	struct statistics_total total = statistics_total(f.statistics);
	near(total.mean, 700. / 12);			/* 4, 3 and 0 of 4 points */
	near(total.deviation, sqrt(13. / 3) * 25);
	near(total.alpha, 2 * (1 - (3 + 1. / 3) / (13. / 3)));
	near(total.error, sqrt(13. / 3) * 25 * sqrt(7. / 13));
	arena_free(f.arena);
}

static void
what_the_sheets_do_not_define_is_nan(void **state)
{
	struct fixture f = QUESTIONS(1, 2);
	struct statistics_total total = statistics_total(f.statistics);

	(void)state;
	assert_int_equal(total.sheets, 0);
	assert_true(isnan(total.mean) && isnan(total.deviation) && isnan(total.alpha) && isnan(total.error));
	assert_true(isnan(statistics_item(f.statistics, 0).difficulty) && isnan(discrimination(&f, 0)));
	sheet(&f, "11");
	total = statistics_total(f.statistics);
	assert_true(total.mean == 100 && isnan(total.deviation) && isnan(total.alpha) && isnan(total.error));
	assert_true(statistics_item(f.statistics, 0).difficulty == 1 && isnan(discrimination(&f, 0)));
	sheet(&f, "11");
	total = statistics_total(f.statistics);
	assert_true(total.mean == 100 && total.deviation == 0 && isnan(total.alpha) && isnan(total.error));
	sheet(&f, "12");				/* the first is right in all, the rest of the second the same in all */
	total = statistics_total(f.statistics);
	assert_true(total.deviation > 0);
	near(total.alpha, 0);
	near(total.error, total.deviation);
	assert_true(isnan(discrimination(&f, 0)) && isnan(discrimination(&f, 1)));
	arena_free(f.arena);

	f = QUESTIONS(5);				/* a single question has nothing to agree with */
	sheet(&f, "1");
	sheet(&f, "2");
	total = statistics_total(f.statistics);
	assert_true(total.mean == 50 && total.deviation > 0 && isnan(total.alpha) && isnan(total.error));
	assert_true(isnan(discrimination(&f, 0)));
	arena_free(f.arena);
}

/* 0.1 + 0.2 is not 0.3 to a computer; to a teacher these totals are the same. */
static void
sums_that_only_rounding_tells_apart_do_not_vary(void **state)
{
	struct fixture f = QUESTIONS(0.1, 0.2, 0.3, 0.7);

	(void)state;
	sheet(&f, "1102");
	sheet(&f, "2212");
	sheet(&f, "1102");
	struct statistics_total total = statistics_total(f.statistics);
	assert_true(total.deviation == 0 && isnan(total.alpha) && isnan(total.error));
	sheet(&f, "1101");				/* without the last they are still the same */
	assert_true(isnan(discrimination(&f, 3)));
	assert_true(discrimination(&f, 0) >= -1 && discrimination(&f, 0) <= 1);
	arena_free(f.arena);
}

static void
alpha_may_be_negative_and_its_error_larger_than_the_deviation(void **state)
{
	struct fixture f = QUESTIONS(2, 1);

	(void)state;
	sheet(&f, "10");
	sheet(&f, "01");
	struct statistics_total total = statistics_total(f.statistics);
	near(total.alpha, -8);				/* 2 (1 - (2 + 1/2) / (1/2)) */
	near(total.error, 3 * total.deviation);
	near(discrimination(&f, 0), -1);
	near(discrimination(&f, 1), -1);
	arena_free(f.arena);
}

static void
what_is_missing_or_no_option_counts_as_no_answer(void **state)
{
	struct fixture f = QUESTIONS(1, 1);

	(void)state;
	sheet(&f, "");
	sheet(&f, "4");
	statistics_add(f.statistics, (const unsigned char *)"\xff\x01", 2);
	sheet(&f, "3111");
	const int64_t *first = statistics_item(f.statistics, 0).chosen, *second = statistics_item(f.statistics, 1).chosen;
	assert_true(first[0] == 3 && first[1] == 0 && first[3] == 1);
	assert_true(second[0] == 2 && second[1] == 2);
	arena_free(f.arena);
}

/* Sums of squares of numbers near 10^6 that differ by 0.01 would have no digit left. */
static void
a_small_spread_beside_a_large_question_keeps_its_digits(void **state)
{
	struct fixture f = QUESTIONS(1000, 1000, 1000, 0.01, 0.01, 0.02);

	(void)state;
	for (int i = 0; i < 250000; i++) {
		sheet(&f, "111111");
		sheet(&f, "111110");
		sheet(&f, "111100");
		sheet(&f, "111000");
	}
	double n = 1e6, wins[] = { 0.04, 0.02, 0.01, 0 }, mean = 0.0175, squares = 0;
	for (int i = 0; i < 4; i++)
		squares += n / 4 * (wins[i] - mean) * (wins[i] - mean);
	struct statistics_total total = statistics_total(f.statistics);
	double deviation = sqrt(squares / (n - 1)) / 3000.04 * 100;
	assert_true(fabs(total.deviation / deviation - 1) < 1e-7);
	double items = (0.01 * 0.01 * 3 / 16 + 0.01 * 0.01 / 4 + 0.02 * 0.02 * 3 / 16) * n;
	assert_true(fabs(total.alpha - 1.2 * (1 - items / squares)) < 1e-6);
	arena_free(f.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_of_a_table_worked_out_by_hand),
		cmocka_unit_test(points_weigh_and_the_unit_is_percent),
		cmocka_unit_test(what_the_sheets_do_not_define_is_nan),
		cmocka_unit_test(sums_that_only_rounding_tells_apart_do_not_vary),
		cmocka_unit_test(alpha_may_be_negative_and_its_error_larger_than_the_deviation),
		cmocka_unit_test(what_is_missing_or_no_option_counts_as_no_answer),
		cmocka_unit_test(a_small_spread_beside_a_large_question_keeps_its_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
