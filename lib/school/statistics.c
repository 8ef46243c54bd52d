#include "statistics.h"

#include <math.h>

/* Mean and spread of the added values. */
struct spread {
	double mean, squares; /* squares: sum of the squared deviations from the mean */
	double first;
	bool varies;
};

struct item {
	int64_t *chosen;
	double right;	    /* sheets with the right answer */
	double won;	    /* by the current sheet: 1 or 0 */
	struct spread rest; /* points without this question */
	double products;    /* sum of the products of both deviations: right (0 or 1), and rest */
};

struct statistics {
	const struct statistics_question *questions;
	int count;
	int64_t sheets;
	double possible;
	struct spread points;
	struct item items[];
};

struct statistics *
statistics_new(struct arena *arena, const struct statistics_question *questions, int count)
{
	struct statistics *statistics = arena_alloc(arena, sizeof(*statistics) + (size_t)count * sizeof(struct item));

	statistics->questions = questions;
	statistics->count = count;
	for (int i = 0; i < count; i++) {
		statistics->items[i].chosen = arena_alloc(arena, (size_t)(questions[i].options + 1) * sizeof(int64_t));
		statistics->possible += questions[i].points;
	}
	return statistics;
}

/*
 * Adds value number 1 / share. A difference up to `noise` comes from rounding and counts as none: otherwise equal
 * values would have a variance of some 1e-33, and a random correlation.
 */
static inline void
spread_add(struct spread *spread, double value, double share, double noise)
{
	double off = value - spread->mean;

	if (share == 1)
		spread->first = value;
	spread->varies |= fabs(value - spread->first) > noise;
	spread->mean += off * share;
	spread->squares += off * (value - spread->mean);
}

void
statistics_add(struct statistics *statistics, const unsigned char *chosen, size_t length)
{
	double points = 0, share = 1. / (double)++statistics->sheets, noise = 1e-12 * statistics->possible;

	for (int i = 0; i < statistics->count; i++) {
		const struct statistics_question *question = &statistics->questions[i];
		struct item *item = &statistics->items[i];
		int option = (size_t)i < length && chosen[i] <= question->options ? chosen[i] : 0;

		item->chosen[option]++;
		item->won = option == question->right;
		points += item->won * question->points;
	}
	spread_add(&statistics->points, points, share, noise);
	for (int i = 0; i < statistics->count; i++) {
		struct item *item = &statistics->items[i];
		double rest = points - item->won * statistics->questions[i].points;

		item->right += item->won;
		item->products += (rest - item->rest.mean) * (item->won - item->right * share);
		spread_add(&item->rest, rest, share, noise);
	}
}

/* A question has two values only: its variance follows from the number of right answers. */
static double
item_squares(const struct statistics *statistics, int i)
{
	double n = (double)statistics->sheets, right = statistics->items[i].right;

	return right * (n - right) / n;
}

static double
alpha_of(const struct statistics *statistics)
{
	double k = statistics->count, items = 0;

	if (statistics->count < 2 || !statistics->points.varies)
		return NAN;
	for (int i = 0; i < statistics->count; i++)
		items += statistics->questions[i].points * statistics->questions[i].points * item_squares(statistics, i);
	return k / (k - 1) * (1 - items / statistics->points.squares);
}

struct statistics_total
statistics_total(const struct statistics *statistics)
{
	double percent = 100 / statistics->possible, n = (double)statistics->sheets;
	double spread = statistics->points.varies ? statistics->points.squares : 0;
	struct statistics_total total = { statistics->sheets, NAN, NAN, NAN, alpha_of(statistics) };

	if (statistics->sheets >= 1)
		total.mean = statistics->points.mean * percent;
	if (statistics->sheets >= 2)
		total.deviation = sqrt(spread / (n - 1)) * percent;
	if (!isnan(total.alpha))
		total.error = total.deviation * sqrt(fmax(1 - total.alpha, 0));
	return total;
}

struct statistics_item
statistics_item(const struct statistics *statistics, int question)
{
	const struct item *item = &statistics->items[question];
	struct statistics_item figures = { NAN, NAN, item->chosen };

	if (statistics->sheets >= 1)
		figures.difficulty = item->right / (double)statistics->sheets;
	if (item->right > 0 && item->right < (double)statistics->sheets && item->rest.varies)
		figures.discrimination = fmax(
			-1, fmin(1, item->products / sqrt(item_squares(statistics, question) * item->rest.squares)));
	return figures;
}
