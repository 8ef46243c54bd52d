/*
 * demo_results - the placement tests of the demo school, and a year of results.
 *
 * Each user has an ability, which grows while they learn; the higher it is above a question's difficulty, the likelier
 * is the right answer (the three-parameter model of item response theory, Birnbaum 1968). So the statistics show the
 * difficulty, discrimination and reliability of real tests. The answers are made up; quiz_grade() grades them.
 */
#include "demo.h"

#include "attempt.h"
#include "clock.h"
#include "ctl.h"
#include "placement.h"
#include "random.h"

#include <math.h>

#define YEAR (365. * DAY)

static struct test {
	const struct demo_test *source;
	int64_t pk;
	const struct test_version *version;
	unsigned char right[QUIZ_QUESTIONS_MAX]; /* the number of the right option */
} tests[COUNT(demo_tests)];

#define RANGE(level, from, to) "{\"level\":\"" level "\",\"minScore\":" #from ",\"maxScore\":" #to "}"
static const char ranges[] = "[" RANGE("A1", 0, 20) "," RANGE("A2", 21, 38) "," RANGE("B1", 39, 56) "," RANGE(
	"B2", 57, 72) "," RANGE("C1", 73, 88) "," RANGE("C2", 89, 100) "]";

enum { FIND };

static const char *const sql[] = {
	[FIND] = "SELECT test.pk, version FROM test WHERE id = ?1",
};
const struct db_statements demo_results_statements = { sql, COUNT(sql) };

/* ---- the tests */

/* As an admin would send it: the place of the right option is random. */
static struct value
options_of(struct demo *d, const struct demo_question *question, unsigned char *right)
{
	struct value *options = arena_alloc(d->batch, DEMO_OPTIONS * sizeof(*options));
	int at = (int)demo_below(d, DEMO_OPTIONS);

	for (int o = 0; o < DEMO_OPTIONS; o++) {
		struct value *option = arena_alloc(d->batch, QUIZ_OPTION_FIELDS * sizeof(*option));
		option[QUIZ_OPTION_TEXT] = value_text(question->option[o == at ? 0 : o < at ? o + 1 : o]);
		option[QUIZ_OPTION_RIGHT] = value_bool(o == at);
		options[o] = value_object(option, QUIZ_OPTION_FIELDS);
	}
	*right = (unsigned char)(at + 1);
	return value_list(options, DEMO_OPTIONS);
}

static struct value
questions_of(struct demo *d, struct test *test)
{
	struct value *questions = arena_alloc(d->batch, (size_t)test->source->count * sizeof(*questions));

	for (int i = 0; i < test->source->count; i++) {
		const struct demo_question *question = &test->source->questions[i];
		struct value *made = arena_alloc(d->batch, QUIZ_QUESTION_FIELDS * sizeof(*made));
		made[QUIZ_QUESTION_TEXT] = value_text(question->text);
		made[QUIZ_QUESTION_POINTS] = value_real(question->points);
		made[QUIZ_QUESTION_OPTIONS] = options_of(d, question, &test->right[i]);
		questions[i] = value_object(made, QUIZ_QUESTION_FIELDS);
	}
	return value_list(questions, (size_t)test->source->count);
}

static enum db_rc
make_test(struct demo *d, struct test *test, const struct demo_test *source, int64_t at)
{
	struct placement placement = { .ranges = ranges,
		.head = {
			[PLACEMENT_TITLE] = value_text(source->title),
			[PLACEMENT_DESCRIPTION] = value_text(source->description),
			[PLACEMENT_LANGUAGE] = value_text(source->language),
			[PLACEMENT_MINUTES] = source->minutes ? value_int(source->minutes) : value_null(),
			[PLACEMENT_ATTEMPTS] = value_int(0),
			[PLACEMENT_SHUFFLE] = value_bool(true),
		} };
	const char *id = demo_id(d, at);
	struct db_rows *row;

	test->source = source;
	placement_set_questions(&placement, d->batch, questions_of(d, test));
	enum db_rc rc;
	int tries = 0;
	do {
		rc = db_write_begin(d->db);
		if (rc != DB_DONE)
			continue;
		placement_add(d->db, &placement, id, at);
		rc = db_write_commit(d->db);
	} while (ctl_again(d->db, rc, &tries));
	if (rc == DB_DONE && db_one(d->db, &row, sql[FIND], ARGS(id)) == DB_ROW) {
		int64_t version = db_int(row, 1);
		test->pk = db_int(row, 0);
		test->version = attempt_version(d->db, d->run, version);
	}
	db_release(d->db);
	arena_reset(d->batch);
	return rc == DB_DONE && !test->version ? DB_BROKEN : rc;
}

/* ---- taking them */

/* The ability of a user: it grows with time, and is lower in a language that is not their best. */
static double
ability_of(const struct demo *d, const struct demo_user *user, int which, int64_t at)
{
	struct demo own = { .seed = d->seed + (uint64_t)user->pk * 7919 };

	demo_series(&own, "ability");
	double ability = demo_normal(&own), pace = .3 + .9 * demo_real(&own), other = .5 * demo_normal(&own);
	return ability * 1.25 - .15 + (which ? other - .2 : 0) + pace * (double)(at - user->created) / YEAR;
}

/* Most Turkish and Spanish speakers take the first; nobody takes a test of their own language. */
static int
choose_test(struct demo *d, const struct demo_user *user)
{
	if (user->language == DE || user->language == EN)
		return user->language == EN;
	return demo_happens(d, .34);
}

static unsigned char
answer(struct demo *d, const struct test *test, int i, double ability)
{
	const struct demo_question *question = &test->source->questions[i];
	double gap = question->difficulty - ability, guess = .16;
	double knows = guess + (1 - guess) / (1 + exp(question->discrimination * gap));
	int right = test->right[i], wrong;

	/* A question that is far too hard is sometimes left out. */
	if (demo_happens(d, gap > 1.5 ? .12 : .012))
		return 0;
	if (demo_happens(d, knows))
		return (unsigned char)right;
	/* Half of the wrong answers are the same option. */
	wrong = demo_happens(d, .5) ? 1 : 2 + (int)demo_below(d, DEMO_OPTIONS - 2);
	return (unsigned char)(wrong < right ? wrong : wrong + 1);
}

static void
make_result(struct demo *d, int64_t i, void *row)
{
	int64_t at = demo_time(d);
	struct demo_user *user = demo_learner(d, at);

	(void)i;
	if (!user)
		user = &d->user[d->staff - 1]; /* a teacher tries it out */
	int which = choose_test(d, user);
	const struct test *test = &tests[which];
	const struct test_version *version = test->version;
	double ability = ability_of(d, user, which, at);
	unsigned char *chosen = arena_alloc(d->batch, (size_t)test->source->count);
	const char *id = demo_id(d, at);

	for (int q = 0; q < test->source->count; q++)
		chosen[q] = answer(d, test, q, ability);
	*(struct result *)row = (struct result){ id, user->pk, test->pk, version->pk, version->language, at, chosen,
		quiz_grade(version->key, chosen, version->ranges) };
	if (user->last_login < at)
		user->last_login = at;
}

static void
add_result(struct demo *d, int64_t i, const void *row)
{
	(void)i;
	attempt_record(d->db, row);
}

enum db_rc
demo_make_results(struct demo *d)
{
	static const struct demo_kind kind = { sizeof(struct result), 10000, make_result, add_result };
	enum db_rc rc = DB_DONE;

	demo_series(d, "tests");
	for (size_t i = 0; i < COUNT(demo_tests) && rc == DB_DONE; i++)
		rc = make_test(d, &tests[i], &demo_tests[i], d->start - 10 * DAY + (int64_t)i * DAY + 10 * HOUR);
	if (rc != DB_DONE)
		return rc;
	demo_series(d, "results");
	demo_times(d, d->start, d->until, d->results);
	return demo_write(d, d->results, &kind);
}
