#include "quiz.h"
#include "unit.h"

#include <math.h>

static const char school[] = "[{\"level\":\"A1\",\"minScore\":0,\"maxScore\":20},{\"level\":\"A2\",\"minScore\":21,\"maxScore\":40},"
	"{\"level\":\"B1\",\"minScore\":40.5,\"maxScore\":66.66},{\"level\":\"B2\",\"minScore\":66.67,\"maxScore\":99},"
	"{\"level\":\"C1\",\"minScore\":100,\"maxScore\":100}]";

static struct arena *arena;
static struct faults faults;

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(32768);
	json_use(arena);
	faults_init(&faults, arena, EN);
	return arena ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	json_use(NULL);
	arena_free(arena);
	return 0;
}

/* All faults in one line; forgets them. */
static const char *
said(void)
{
	struct buf all = { .arena = arena };

	buf_puts(&all, "");
	for (const struct fault *fault = faults.first; fault; fault = fault->next) {
		buf_puts(&all, all.length ? " | " : "");
		buf_puts(&all, fault->text);
	}
	faults_init(&faults, arena, EN);
	return all.s;
}

/* Question `question`, or its option `option` from 1: 24 digits. */
static const char *
id_of(int question, int option)
{
	return arena_format(arena, "0000000000000000%06x%02x", question, option);
}

/* Questions with these points; question i has 2 + i % 9 options, of which the one from 1, 1 + i % 2, is right. */
static struct buf
key_of(const double *points, int count)
{
	struct buf json = { .arena = arena }, key = { .arena = arena };

	buf_putc(&json, '[');
	for (int i = 0; i < count; i++) {
		buf_printf(&json, "%s{\"id\":\"%s\",\"points\":", i ? "," : "", id_of(i, 0));
		buf_number(&json, points[i]);
		buf_puts(&json, ",\"options\":[");
		for (int o = 1; o <= 2 + i % 9; o++)
			buf_printf(&json, "%s{\"id\":\"%s\",\"isCorrect\":%s}", o > 1 ? "," : "", id_of(i, o), o == 1 + i % 2 ? "true" : "false");
		buf_puts(&json, "]}");
	}
	buf_putc(&json, ']');
	quiz_key(&key, json.s);
	return key;
}

/* The grade of questions with these points, of which those with '+' are right, '-' wrong, others without answer. */
static struct quiz_grade
grade_of(const double *points, const char *answers, const char *ranges)
{
	unsigned char chosen[QUIZ_QUESTIONS_MAX] = { 0 };
	int count = (int)strlen(answers);
	struct buf key = key_of(points, count);

	for (int i = 0; i < count; i++)
		chosen[i] = answers[i] == '+' ? (unsigned char)(1 + i % 2) : answers[i] == '-' ? (unsigned char)(2 - i % 2) : 0;
	return quiz_grade(value_blob(key.s, key.length), chosen, ranges);
}

/* ---- grading */

static void
scores_are_exact(void **state)
{
	static const struct { const char *name, *answers; double points[20]; double score; int correct; } cases[] = {
		{ "all", "++", { 1, 1 }, 100, 2 },
		{ "none", "--", { 1, 1 }, 0, 0 },
		{ "no answers", "..", { 1, 1 }, 0, 0 },
		{ "a third", "+--", { 1, 1, 1 }, 33.33, 1 },
		{ "two thirds", "++-", { 1, 1, 1 }, 66.67, 2 },
		{ "an unanswered one wins nothing", "+.", { 3, 1 }, 75, 1 },
		/* 1/8 of a percent: 0.125 is half a hundredth above 0.12 */
		{ "half up", "+-", { 1, 799 }, 0.13, 1 },
		{ "just below half", "+-", { 1, 800 }, 0.12, 1 },
		/* doubles would say 0.30000000000000004 of 0.6, or 0.125 less a bit */
		{ "tenths", "+++---", { 0.1, 0.1, 0.1, 0.1, 0.1, 0.1 }, 50, 3 },
		{ "tenths, half up", "+-", { 0.1, 79.9 }, 0.13, 1 },
		{ "hundredths, half up", "+-", { 0.01, 7.99 }, 0.13, 1 },
		{ "many decimals, half up", "+-", { 0.000000001, 0.000000799 }, 0.13, 1 },
		/* 1.005 is below its name as a double; as written it is exact */
		{ "1.005 of 100", "+-", { 1.005, 98.995 }, 1.01, 1 },
		{ "1.015 of 100", "+-", { 1.015, 98.985 }, 1.02, 1 },
		{ "2.675 of 100", "+-", { 2.675, 97.325 }, 2.68, 1 },
		{ "seventeen digits", "+-", { 0.12345678901234568, 0.12345678901234566 }, 50, 1 },
		{ "tiny", "+-", { 1e-300, 3e-300 }, 25, 1 },
		{ "tiny beside large", "+-", { 1e-300, 1000 }, 0, 1 },
		{ "all but the tiny", "-+", { 1e-300, 1000 }, 100, 1 },
		{ "the smallest double there is", "+-", { 5e-324, 5e-324 }, 50, 1 },
		{ "the largest", "+-", { 1000, 1000 }, 50, 1 },
		{ "large and small", "+-", { 1000, 0.001 }, 100, 1 },
		{ "almost all", "+-", { 99.995, 0.005 }, 100, 1 },
		{ "a bit less", "+-", { 99.994, 0.006 }, 99.99, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct quiz_grade grade = grade_of(cases[i].points, cases[i].answers, school);
		if (grade.score != cases[i].score)
			fail_msg("%s: %.17g", cases[i].name, grade.score);
		check(grade.correct == cases[i].correct, cases[i].name);
		check(grade.questions == (int)strlen(cases[i].answers), cases[i].name);
	}
}

static void
two_hundred_questions_fit(void **state)
{
	static double points[QUIZ_QUESTIONS_MAX];
	char answers[QUIZ_QUESTIONS_MAX + 1] = "";

	(void)state;
	for (int i = 0; i < QUIZ_QUESTIONS_MAX; i++) {
		points[i] = i ? 999.99999999999989 : 1e-300;
		answers[i] = i % 2 ? '+' : '-';
	}
	struct quiz_grade grade = grade_of(points, answers, school);
	assert_true(grade.score == 50.25);	/* 100 of 199 */
	assert_int_equal(grade.correct, 100);
}

static void
the_level_is_that_of_the_last_range_begun(void **state)
{
	static const struct { double won; const char *level; } cases[] = {
		{ 0, "A1" }, { 20, "A1" }, { 20.5, "A1" }, { 20.99, "A1" }, { 21, "A2" }, { 40, "A2" }, { 40.49, "A2" }, { 40.5, "B1" },
		{ 66.66, "B1" }, { 66.664, "B1" }, { 66.665, "B2" }, { 66.67, "B2" }, { 99.99, "B2" }, { 99.994, "B2" }, { 99.995, "C1" },
	};

	(void)state;
	for (size_t i = 1; i < COUNT(cases); i++) {
		double points[] = { cases[i].won, round((100 - cases[i].won) * 1000) / 1000 };
		assert_string_equal(grade_of(points, "+-", school).level, cases[i].level);
	}
	assert_string_equal(grade_of((double[]){ 1 }, "-", school).level, "A1");
	assert_string_equal(grade_of((double[]){ 1 }, "+", school).level, "C1");
	/* one range for all, and several of one level */
	assert_string_equal(grade_of((double[]){ 1 }, "-", "[{\"level\":\"B2\",\"minScore\":0,\"maxScore\":100}]").level, "B2");
	assert_string_equal(grade_of((double[]){ 1 }, "+", "[{\"level\":\"B2\",\"minScore\":0,\"maxScore\":50},"
		"{\"level\":\"B2\",\"minScore\":50,\"maxScore\":100}]").level, "B2");
}

static void
a_broken_key_grades_nothing(void **state)
{
	struct buf key = key_of((double[]){ 1, 1, 1 }, 3);
	unsigned char chosen[QUIZ_QUESTIONS_MAX] = { 1, 2, 1 };

	(void)state;
	assert_int_equal(quiz_grade(value_blob(key.s, key.length), chosen, school).correct, 3);
	for (size_t length = 0; length < key.length; length++) {
		struct quiz_grade grade = quiz_grade(value_blob(key.s, length), chosen, school);
		assert_int_equal(grade.questions, 0);
		assert_true(grade.score == 0);
	}
	assert_int_equal(quiz_grade(value_null(), chosen, school).questions, 0);
	key.s[0] = 2;
	assert_int_equal(quiz_grade(value_blob(key.s, key.length), chosen, school).questions, 0);
}

/* ---- answers */

/* A list as it comes in a request. */
static struct value
list_of(const struct shape *shape, const char *json)
{
	enum json_fault fault;
	const cJSON *list = json_parse(arena, json, strlen(json), JSON_DEPTH, &fault);

	assert_non_null(list);
	return field_value(arena, &(struct field){ .type = FIELD_LIST, .of = shape }, list);
}

static int
read_answers(const char *json, unsigned char chosen[static QUIZ_QUESTIONS_MAX])
{
	struct buf key = key_of((double[]){ 1, 1, 1 }, 3);

	return quiz_read(value_blob(key.s, key.length), list_of(&quiz_answer, json), chosen, &faults);
}

#define ANSWER(question, option) "{\"questionId\":\"" question "\",\"optionId\":\"" option "\"}"
#define Q0 "000000000000000000000000"
#define Q1 "000000000000000000000100"
#define Q2 "000000000000000000000200"
#define OPTION(question, option) "00000000000000000000" question option

static void
answers_are_read_in_any_order(void **state)
{
	unsigned char chosen[QUIZ_QUESTIONS_MAX];

	(void)state;
	memset(chosen, 9, sizeof(chosen));
	assert_int_equal(read_answers("[" ANSWER(Q2, OPTION("02", "04")) "," ANSWER(Q0, OPTION("00", "02")) "]", chosen), 3);
	assert_string_equal(said(), "");
	assert_int_equal(chosen[0], 2);
	assert_int_equal(chosen[1], 0);
	assert_int_equal(chosen[2], 4);
	assert_int_equal(chosen[3], 0);
	assert_int_equal(read_answers("[]", chosen), 3);
	assert_int_equal(chosen[0] + chosen[1] + chosen[2], 0);
}

static void
foreign_answers_are_faults(void **state)
{
	static const struct { const char *answers, *faults; } cases[] = {
		{ "[" ANSWER("000000000000000000000300", OPTION("00", "01")) "]", "answers[0].questionId: is not a question of this test" },
		{ "[" ANSWER(Q0, OPTION("01", "01")) "]", "answers[0].optionId: is not an option of this question" },
		{ "[" ANSWER(Q0, OPTION("00", "03")) "]", "answers[0].optionId: is not an option of this question" },
		{ "[" ANSWER(Q0, OPTION("00", "01")) "," ANSWER(Q0, OPTION("00", "01")) "]",
		  "answers[1].questionId: has been answered already" },
		{ "[" ANSWER(Q0, OPTION("00", "01")) "," ANSWER(Q2, Q2) "," ANSWER(Q0, OPTION("00", "02")) "," ANSWER("x", "y") "]",
		  "answers[1].optionId: is not an option of this question | answers[2].questionId: has been answered already | "
		  "answers[3].questionId: is not a question of this test" },
	};
	unsigned char chosen[QUIZ_QUESTIONS_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		read_answers(cases[i].answers, chosen);
		assert_string_equal(said(), cases[i].faults);
	}
}

static void
answers_to_a_broken_key_are_faults(void **state)
{
	unsigned char chosen[QUIZ_QUESTIONS_MAX];
	const struct value answers = list_of(&quiz_answer, "[" ANSWER(Q0, OPTION("00", "01")) "]");

	(void)state;
	assert_int_equal(quiz_read(value_blob("\x01\xff\xff", 3), answers, chosen, &faults), 0);
	assert_int_equal(faults.count, 1);
	said();
}

/* ---- what a test is made of */

static void
level_ranges_are_held_to_their_rules(void **state)
{
	static const struct { const char *ranges, *faults; } cases[] = {
		{ "0 100", "" },
		{ "0 20 20 40 40 100", "" },
		{ "0 20 21 40 41 100", "" },
		{ "0 20 21 21 21 100", "levelRanges[2].minScore: must be where the range before ends (21) or one above it" },
		{ "0 20 21 21 22 100", "" },
		{ "0 99 100 100", "" },
		{ "0 0 0 100", "levelRanges[1].minScore: must be where the range before ends (0) or one above it" },
		{ "0 33.3 34.3 66.6 66.6 100", "" },
		{ "0 16.1 17.1 100", "" },
		{ "0 64.1 65.1 100", "" },
		{ "1 100", "levelRanges[0].minScore: must be 0 in the first range" },
		{ "0 99", "levelRanges[0].maxScore: must be 100 in the last range" },
		{ "0 20 22 100", "levelRanges[1].minScore: must be where the range before ends (20) or one above it" },
		{ "0 20 20.5 100", "levelRanges[1].minScore: must be where the range before ends (20) or one above it" },
		{ "0 20 19 100", "levelRanges[1].minScore: must be where the range before ends (20) or one above it" },
		{ "0 20 21 20", "levelRanges[1].maxScore: must be at least 21" },
		{ "0 40 20 60 70 90", "levelRanges[1].minScore: must be where the range before ends (40) or one above it | "
		  "levelRanges[2].minScore: must be where the range before ends (60) or one above it" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf json = { .arena = arena };
		char *at = (char *)cases[i].ranges;
		while (*at) {
			double min = strtod(at, &at), max = strtod(at, &at);
			buf_printf(&json, "%s{\"level\":\"A1\",\"minScore\":%.17g,\"maxScore\":%.17g}", json.length ? "," : "[", min, max);
		}
		buf_putc(&json, ']');
		quiz_check_ranges(list_of(&quiz_range, json.s), &faults);
		assert_string_equal(said(), cases[i].faults);
	}
}

static void
one_option_is_right(void **state)
{
	static const struct { const char *questions, *faults; } cases[] = {
		{ "[{\"options\":[{\"isCorrect\":true},{\"isCorrect\":false}]}]", "" },
		{ "[{\"points\":0.5,\"options\":[{\"isCorrect\":false},{\"isCorrect\":true}]}]", "" },
		{ "[{\"options\":[{\"isCorrect\":false},{\"isCorrect\":false}]}]", "questions[0].options: must have exactly one correct option" },
		{ "[{\"options\":[{\"isCorrect\":true},{\"isCorrect\":false}]},{\"options\":[{\"isCorrect\":true},{\"isCorrect\":true}]}]",
		  "questions[1].options: must have exactly one correct option" },
		/* for field_read() */
		{ "[7,null,{\"points\":\"x\"},{\"options\":7},{\"options\":[]}]", "" },
		{ "7", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		quiz_check_questions(list_of(&quiz_question, cases[i].questions), &faults);
		assert_string_equal(said(), cases[i].faults);
	}
	quiz_check_questions(value_null(), &faults);
	quiz_check_ranges(value_null(), &faults);
	assert_string_equal(said(), "");
}

/* ---- words */

static const char *
split_all(const char *json)
{
	struct quiz_question question, *q = &question;
	struct buf all = { .arena = arena };

	buf_puts(&all, "");
	while (quiz_next(&json, q)) {
		buf_printf(&all, "%.*s %.*s %.*s %.*s", (int)q->id.length, q->id.s, (int)q->text.length, q->text.s,
			(int)q->points.length, q->points.s, (int)q->media.length, q->media.s);
		for (int o = 0; o < q->options; o++)
			buf_printf(&all, " %s%.*s=%.*s", o + 1 == q->right ? "+" : "", (int)q->option[o].id.length, q->option[o].id.s, (int)q->option[o].text.length,
				q->option[o].text.s);
		buf_putc(&all, ';');
	}
	return all.s;
}

static void
questions_are_split_into_texts(void **state)
{
	(void)state;
	assert_string_equal(split_all("[{\"id\":\"a\",\"text\":\"A \\\"q\\\" \\\\\",\"points\":0.5,\"mediaUrl\":null,\"order\":0,\"options\":["
		"{\"id\":\"b\",\"text\":\"},{\",\"isCorrect\":true},{\"id\":\"c\",\"text\":\",\\\"isCorrect\\\":true\",\"isCorrect\":false}]},"
		"{\"id\":\"d\",\"text\":\"D\",\"points\":2,\"mediaUrl\":\"/m\",\"order\":1,\"options\":[]}]"),
		"\"a\" \"A \\\"q\\\" \\\\\" 0.5 null +\"b\"=\"},{\" \"c\"=\",\\\"isCorrect\\\":true\";\"d\" \"D\" 2 \"/m\";");
	assert_string_equal(split_all(" [ { \"other\" : [ { \"id\" : \"x\" } , 1 ] , \"text\" : \"A\" , \"points\" : 1 } ] "),
		"\"\" \"A\" 1 null;");
	assert_string_equal(split_all("[]"), "");
	assert_string_equal(split_all("7"), "");
	assert_string_equal(split_all(""), "");
}

/* What is cut off anywhere must not be read behind. */
static void
half_a_list_is_split_as_far_as_it_goes(void **state)
{
	static const char json[] = "[{\"id\":\"a\",\"text\":\"\\\\\",\"points\":0.5,\"options\":[{\"id\":\"b\",\"text\":\"t\"}],\"x\":{}}]";

	(void)state;
	for (size_t length = 0; length < sizeof(json); length++) {
		char *cut = malloc(length + 1);
		memcpy(cut, json, length);
		cut[length] = '\0';
		assert_non_null(split_all(cut));
		free(cut);
	}
}

/* ---- orders */

static void
an_order_is_the_same_again_and_another_for_another(void **state)
{
	unsigned char first[12], again[12], other[12], seen[12] = { 0 };
	uint64_t a = 7, b = 7, c = 8;

	(void)state;
	quiz_shuffle(&a, 12, first);
	quiz_shuffle(&b, 12, again);
	quiz_shuffle(&c, 12, other);
	assert_memory_equal(first, again, 12);
	assert_memory_not_equal(first, other, 12);
	assert_true(a == b && a != 7);
	quiz_shuffle(&b, 12, again);
	assert_memory_not_equal(first, again, 12);
	for (int i = 0; i < 12; i++)
		seen[first[i]]++;
	for (int i = 0; i < 12; i++)
		assert_int_equal(seen[i], 1);
	quiz_shuffle(&a, 1, first);
	assert_int_equal(first[0], 0);
	quiz_shuffle(&a, 0, first);
}

/* All 24 orders of four, 24,000 draws: chi-squared with 23 degrees of freedom is below 49.7 in 999 of 1,000. */
static void
all_orders_are_as_likely(void **state)
{
	int counts[256] = { 0 }, kinds = 0;
	double chi = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 24000; seed++) {
		unsigned char order[4];
		uint64_t s = seed;
		quiz_shuffle(&s, 4, order);
		counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
	}
	for (int i = 0; i < 256; i++) {
		kinds += counts[i] > 0;
		chi += counts[i] ? (counts[i] - 1000.0) * (counts[i] - 1000.0) / 1000.0 : 0;
	}
	assert_int_equal(kinds, 24);
	assert_true(chi < 49.7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scores_are_exact),
		cmocka_unit_test(two_hundred_questions_fit),
		cmocka_unit_test(the_level_is_that_of_the_last_range_begun),
		cmocka_unit_test(a_broken_key_grades_nothing),
		cmocka_unit_test(answers_are_read_in_any_order),
		cmocka_unit_test(foreign_answers_are_faults),
		cmocka_unit_test(answers_to_a_broken_key_are_faults),
		cmocka_unit_test(level_ranges_are_held_to_their_rules),
		cmocka_unit_test(one_option_is_right),
		cmocka_unit_test(questions_are_split_into_texts),
		cmocka_unit_test(half_a_list_is_split_as_far_as_it_goes),
		cmocka_unit_test(an_order_is_the_same_again_and_another_for_another),
		cmocka_unit_test(all_orders_are_as_likely),
	};

	return cmocka_run_group_tests_name("quiz", tests, begin, end);
}
