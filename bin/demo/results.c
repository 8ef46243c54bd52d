/*
 * demo_results - the placement tests of the demo school, and a year in which they were taken.
 *
 * Everybody has an ability, which grows while they learn; the better it fits a question's difficulty, the likelier the right
 * answer (the three-parameter model of item response theory, Birnbaum 1968). So difficulty, discrimination and reliability in
 * the statistics come out as those of real tests. What is written is what was answered: quiz_grade() grades it.
 */
#include "demo.h"

#include "attempt.h"
#include "clock.h"
#include "json.h"
#include "placement.h"
#include "quiz.h"
#include "random.h"

#include <math.h>

#define YEAR (365. * DAY)
#define BATCH 10000		/* rows a transaction: some tenths of a second */

struct test {
	const struct demo_test *source;
	int64_t pk;
	const struct test_version *version;
	unsigned char right[QUIZ_QUESTIONS_MAX];	/* the number of the right option */
};

struct year {
	struct timeline line;
	struct test test[COUNT(demo_tests)];
	struct arena *versions;
	struct result *batch;		/* BATCH of them: graded before the writer lock is taken */
};

static const struct { const char *level; double from, to; } ranges[] = {
	{ "A1", 0, 20 }, { "A2", 21, 38 }, { "B1", 39, 56 }, { "B2", 57, 72 }, { "C1", 73, 88 }, { "C2", 89, 100 },
};

enum { FIND };

static const char *const sql[] = {
	[FIND] = "SELECT test.pk, version FROM test WHERE id = ?1",
};
const struct db_statements demo_results_statements = { sql, COUNT(sql) };

/* ---- the tests */

/* As an admin would send it: options in random order. */
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

static struct placement *
placement_from(struct demo *d, const struct demo_test *source)
{
	const struct value head[PLACEMENT_FIELDS] = {
		[PLACEMENT_TITLE] = value_text(source->title),
		[PLACEMENT_DESCRIPTION] = value_text(source->description),
		[PLACEMENT_LANGUAGE] = value_text(source->language),
		[PLACEMENT_MINUTES] = source->minutes ? value_int(source->minutes) : value_null(),
		[PLACEMENT_ATTEMPTS] = value_int(0),
		[PLACEMENT_SHUFFLE] = value_bool(true),
	};
	struct value list[COUNT(ranges)], range[COUNT(ranges)][QUIZ_RANGE_FIELDS];

	for (size_t i = 0; i < COUNT(ranges); i++) {
		range[i][QUIZ_RANGE_LEVEL] = value_text(ranges[i].level);
		range[i][QUIZ_RANGE_MIN] = value_real(ranges[i].from);
		range[i][QUIZ_RANGE_MAX] = value_real(ranges[i].to);
		list[i] = value_object(range[i], QUIZ_RANGE_FIELDS);
	}
	return placement_of(d->batch, head, value_list(list, COUNT(ranges)));
}

static enum db_rc
make_test(struct demo *d, struct year *year, struct test *test, int64_t at)
{
	struct placement *placement = placement_from(d, test->source);
	struct db_rows *row;
	char id[ID_TEXT];

	demo_id(d, id, at);
	placement_set_questions(placement, d->batch, questions_of(d, test));
	enum db_rc rc = db_write_begin(d->db);
	if (rc != DB_DONE)
		return rc;
	placement_add(d->db, placement, id, at);
	rc = db_write_commit(d->db);
	if (rc == DB_DONE && db_one(d->db, &row, sql[FIND], ARGS(id)) == DB_ROW) {
		int64_t version = db_int(row, 1);
		test->pk = db_int(row, 0);
		test->version = attempt_version(d->db, year->versions, version);
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

/* Who knows German already learns English. */
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
	double knows = guess + (1 - guess) / (1 + exp(question->sharpness * gap));
	int right = test->right[i], wrong;

	/* What is far too hard is left out now and then. */
	if (demo_happens(d, gap > 1.5 ? .12 : .012))
		return 0;
	if (demo_happens(d, knows))
		return (unsigned char)right;
	/* One of the wrong ones looks best. */
	wrong = demo_happens(d, .5) ? 1 : 2 + (int)demo_below(d, DEMO_OPTIONS - 2);
	return (unsigned char)(wrong < right ? wrong : wrong + 1);
}

static void
take_test(struct demo *d, struct year *year, struct result *result)
{
	int64_t at = timeline_next(&year->line, d);
	struct demo_user *user = demo_learner(d, at);

	if (!user)
		user = &d->user[d->staff - 1];	/* a teacher tries it out */
	int which = choose_test(d, user);
	const struct test *test = &year->test[which];
	double ability = ability_of(d, user, which, at);
	unsigned char *chosen = arena_alloc(d->batch, (size_t)test->source->count);
	char *id = arena_alloc(d->batch, ID_TEXT);

	demo_id(d, id, at);
	for (int i = 0; i < test->source->count; i++)
		chosen[i] = answer(d, test, i, ability);
	const struct test_version *version = test->version;
	*result = (struct result){ id, user->pk, test->pk, version->pk, version->language, at, chosen,
		quiz_grade(version->key, chosen, version->ranges) };
	if (user->last_login < at)
		user->last_login = at;
}

static enum db_rc
make_results(struct demo *d, struct year *year)
{
	enum db_rc rc = DB_DONE;

	for (int64_t done = 0; done < d->results && rc == DB_DONE;) {
		int64_t count = d->results - done < BATCH ? d->results - done : BATCH;
		for (int64_t i = 0; i < count; i++)
			take_test(d, year, &year->batch[i]);
		rc = db_write_begin(d->db);
		if (rc != DB_DONE)
			break;
		db_timeout(d->db, MINUTE);
		for (int64_t i = 0; i < count; i++)
			attempt_record(d->db, &year->batch[i]);
		rc = db_write_commit(d->db);
		arena_reset(d->batch);
		done += count;
	}
	return rc;
}

enum db_rc
demo_make_results(struct demo *d)
{
	struct year year = { .batch = calloc(BATCH, sizeof(*year.batch)), .versions = arena_new(1 << 16) };
	enum db_rc rc = year.batch && year.versions ? DB_DONE : DB_BROKEN;

	demo_series(d, "tests");
	for (size_t i = 0; i < COUNT(demo_tests) && rc == DB_DONE; i++) {
		year.test[i].source = &demo_tests[i];
		rc = make_test(d, &year, &year.test[i], d->start - 10 * DAY + (int64_t)i * DAY + 10 * HOUR);
	}
	demo_series(d, "results");
	if (rc == DB_DONE) {
		timeline_init(&year.line, d, d->start, d->until, d->results);
		rc = make_results(d, &year);
		timeline_clear(&year.line);
	}
	arena_free(year.versions);
	free(year.batch);
	return rc;
}
