/*
 * statistics - how well a test measures, by classical test theory: figures of n answer sheets with k questions.
 * Pure; one pass over the sheets, O(k) memory, numerically stable sums (B. P. Welford, "Note on a method for
 * calculating corrected sums of squares and products", Technometrics 4, 1962).
 *
 * A question wins its points or nothing. With X the points of a sheet, X_i what it won with question i:
 *
 *	standard deviation	s = sqrt(sum (X - mean)^2 / (n - 1)), that of a sample
 *	Cronbach's alpha	k / (k - 1) * (1 - sum of the variances of X_i / variance of X)
 *		L. J. Cronbach, "Coefficient alpha and the internal structure of tests", Psychometrika 16, 1951. With equal
 *		points for all questions it is KR-20: G. F. Kuder, M. W. Richardson, Psychometrika 2, 1937. Below 0 where
 *		questions contradict each other; it is not clipped.
 *	standard error of measurement	s * sqrt(1 - alpha): F. M. Lord, M. R. Novick, "Statistical theories of mental test
 *		scores", 1968: about two thirds of the scores lie within one of it around what they would be without chance
 *	difficulty		proportion of the sheets that have the question right: high is easy
 *	discrimination		correlation of X_i with X - X_i, the corrected point-biserial: L. Crocker, J. Algina,
 *		"Introduction to classical and modern test theory", 1986, on item analysis. With X in place of X - X_i a question
 *		would be correlated with itself.
 */
#ifndef OKUL_STATISTICS_H
#define OKUL_STATISTICS_H

#include "arena.h"
#include "base.h"

struct statistics_question {
	double points;		/* above 0 */
	int options;
	int right;		/* number of the right option, from 1 */
};

/* A figure that the sheets do not define is NAN. */
struct statistics_total {
	int64_t sheets;
	double mean, deviation, error;	/* in percent of the points possible, not rounded; need 1, 2, 2 sheets */
	double alpha;			/* needs two questions and two sheets that differ in points */
};

struct statistics_item {
	double difficulty;		/* needs one sheet */
	double discrimination;		/* needs sheets that differ in this question and in the others */
	const int64_t *chosen;		/* sheets by option, from 1; [0]: without answer */
};

struct statistics;

/* For `count` questions, which are borrowed. Lives in the arena. */
struct statistics *statistics_new(struct arena *arena, const struct statistics_question *questions, int count);
/* Adds a sheet: for each question the number of the option from 1. 0, no such option or no byte: no answer. */
void statistics_add(struct statistics *statistics, const unsigned char *chosen, size_t length);
/* The figures of the sheets so far. */
struct statistics_total statistics_total(const struct statistics *statistics);
struct statistics_item statistics_item(const struct statistics *statistics, int question);

#endif
