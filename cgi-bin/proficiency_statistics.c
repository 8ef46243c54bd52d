/* proficiency - item statistics of a test. */
#include "proficiency.h"
#include "sql.h"
#include "statistics.h"

#include <math.h>

#define RELIABLE_FROM 30     /* attempts */
#define TIMEOUT (6 * SECOND) /* a million attempts at 200 questions take 2 s */

/* clang-format off */
static const struct shape option_figures = { .name = "OptionStatisticsDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "text", FIELD_TEXT, 1, 1000 },
	{ "isCorrect", FIELD_BOOL },
	{ "chosen", FIELD_INT, .note = "attempts that chose it" }) };

static const struct shape question_figures = { .name = "QuestionStatisticsDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "text", FIELD_TEXT, 1, 4000 },
	{ "order", FIELD_INT, .note = "place in the test, from 0" },
	{ "difficulty", FIELD_NUMBER, .nullable = true, .example = "0.62", .note = "proportion of the attempts that have it right: "
	  "high is easy. Null without attempts" },
	{ "discrimination", FIELD_NUMBER, .nullable = true, .example = "0.35", .note = "correlation of this question with the points "
	  "of all others (corrected point-biserial), -1 to 1. Below 0.2 it hardly tells strong from weak learners; below 0 look "
	  "whether the right option is the one that is marked. Null where all have it right, all have it wrong, or all have "
	  "the same points without it" },
	{ "unanswered", FIELD_INT, .note = "attempts without an answer to it" },
	{ "options", FIELD_LIST, .of = &option_figures }) };

static const struct shape figures = { .name = "ProficiencyTestStatisticsResponseDto", .fields = FIELDS(
	{ "testId", FIELD_ID },
	{ "attempts", FIELD_INT, .example = "412" },
	{ "mean", FIELD_NUMBER, .nullable = true, .example = "61.4", .note = "of the scores, in percent of the points possible, as "
	  "totalScore is. Null without attempts" },
	{ "standardDeviation", FIELD_NUMBER, .nullable = true, .example = "18.2", .note = "of the scores, in percent; of a sample "
	  "(n - 1). Null below two attempts" },
	{ "cronbachAlpha", FIELD_NUMBER, .nullable = true, .example = "0.87", .note = "consistency of the test, at most 1; below 0 "
	  "where questions contradict each other. Null for a single question, below two attempts, and where all scores are "
	  "the same" },
	{ "standardErrorOfMeasurement", FIELD_NUMBER, .nullable = true, .example = "6.6", .note = "in percent: "
	  "standardDeviation x sqrt(1 - cronbachAlpha). A score is good to about this much up or down. Null where "
	  "cronbachAlpha is" },
	{ "isReliable", FIELD_BOOL, .note = "false below 30 attempts: the figures then tell little" },
	{ "questions", FIELD_LIST, .of = &question_figures, .note = "as the test has them now" }) };

enum { VERSION, SHEETS };

static const char *const sql[] = {
	[VERSION] = "SELECT version FROM test WHERE id = ?1",
	/* A new title or new level ranges make a new version, which has the same questions and so the same key. */
	[SHEETS] =
		"SELECT chosen FROM test" SQL_JOIN "test_version AS current ON current.pk = test.version"
		SQL_JOIN "test_version AS version ON version.test = test.pk AND version.answer_key = current.answer_key"
		SQL_JOIN "result ON result.version = version.pk WHERE test.id = ?1"
		/* sums are rounded: in another order their last digits would differ, and the ETag */
		" ORDER BY version.pk, result.level, result.completed_at, result.pk",
};

static struct response get_statistics(struct request *rq);

static const struct route routes[] = {
	{ GET, "/proficiency-tests/{id}/statistics", ADMIN, get_statistics, .out = &figures,
	  .title = "Item statistics of a test (Admin)",
	  .note = "Classical test theory over all attempts that were submitted with the questions that the test has now: a new "
	  "title or other level ranges keep them, a change of the questions, their options or points starts again. An attempt "
	  "counts as often as it was made. A figure that the attempts do not define is null." },
};

const struct section proficiency_statistics = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

static struct statistics *
statistics_for(struct request *rq, const struct test_version *version)
{
	struct statistics_question *read = arena_alloc(rq->arena, (size_t)version->count * sizeof(*read));

	for (int i = 0; i < version->count; i++) {
		read[i].points = strtod(version->questions[i].points.s, NULL);
		read[i].options = version->questions[i].options;
		read[i].right = version->questions[i].right;
	}
	return statistics_new(rq->arena, read, version->count);
}

static void
add_sheets(struct request *rq, struct statistics *statistics)
{
	struct db_rows *rows;

	db_timeout(rq->db, TIMEOUT);
	for (enum db_rc rc = db_one(rq->db, &rows, sql[SHEETS], ARGS(rq->id)); rc == DB_ROW; rc = db_next(rows))
		statistics_add(statistics, db_blob(rows, 0), db_size(rows, 0));
	db_end(rows);
}

static void
put_figure(struct request *rq, const char *name, double figure)
{
	if (isnan(figure))
		data_null(rq, name);
	else
		data_number(rq, name, figure);
}

static void
put_question(struct request *rq, const struct quiz_question *question, int order, struct statistics_item item)
{
	data_object(rq, NULL);
	data_raw(rq, "id", question->id.s, question->id.length);
	data_raw(rq, "text", question->text.s, question->text.length);
	data_int(rq, "order", order);
	put_figure(rq, "difficulty", item.difficulty);
	put_figure(rq, "discrimination", item.discrimination);
	data_int(rq, "unanswered", item.chosen[0]);
	data_list(rq, "options");
	for (int i = 1; i <= question->options; i++) {
		const struct quiz_option *option = &question->option[i - 1];
		data_object(rq, NULL);
		data_raw(rq, "id", option->id.s, option->id.length);
		data_raw(rq, "text", option->text.s, option->text.length);
		data_bool(rq, "isCorrect", i == question->right);
		data_int(rq, "chosen", item.chosen[i]);
		data_end_object(rq);
	}
	data_end_list(rq);
	data_end_object(rq);
}

static struct response
response_statistics(struct request *rq, const struct statistics *statistics, const struct test_version *version)
{
	struct statistics_total total = statistics_total(statistics);

	response_begin(rq);
	data_text(rq, "testId", rq->id);
	data_int(rq, "attempts", total.sheets);
	put_figure(rq, "mean", total.mean);
	put_figure(rq, "standardDeviation", total.deviation);
	put_figure(rq, "cronbachAlpha", total.alpha);
	put_figure(rq, "standardErrorOfMeasurement", total.error);
	data_bool(rq, "isReliable", total.sheets >= RELIABLE_FROM);
	data_list(rq, "questions");
	for (int i = 0; i < version->count; i++)
		put_question(rq, &version->questions[i], i, statistics_item(statistics, i));
	data_end_list(rq);
	return response_done(rq);
}

static struct response
get_statistics(struct request *rq)
{
	struct db_rows *row;

	proficiency_close_due(rq, 0);
	if (db_one(rq->db, &row, sql[VERSION], ARGS(rq->id)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	int64_t pk = db_int(row, 0);
	db_end(row);
	const struct test_version *version = attempt_version(rq->db, rq->arena, pk);
	if (!version)
		return response_error(rq, ERROR_NOT_FOUND);
	struct statistics *statistics = statistics_for(rq, version);
	add_sheets(rq, statistics);
	return response_statistics(rq, statistics, version);
}
