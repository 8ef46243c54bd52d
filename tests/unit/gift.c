#include "gift.h"

#include "quiz.h"
#include "unit.h"
#include "utf8.h"

#include <sys/stat.h>

static struct arena *arena;

static int
set_up(void **state)
{
	(void)state;
	arena = arena_new(4096);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	arena_free(arena);
	return 0;
}

/* ---- questions and notes as lines: what the .txt files hold */

static void
put_line(struct buf *out, const char *mark, const char *text)
{
	buf_puts(out, mark);
	for (; *text; text++)
		buf_putc(out, *text == '\n' ? '|' : *text);
	buf_putc(out, '\n');
}

static void
put_questions(struct buf *out, struct value questions)
{
	for (size_t i = 0; i < questions.count; i++) {
		const struct value *question = questions.items[i].items, options = question[QUIZ_QUESTION_OPTIONS];
		double points = value_number(question[QUIZ_QUESTION_POINTS], 0);
		const char *media = value_string(question[QUIZ_QUESTION_MEDIA]);
		put_line(out, "", value_string(question[QUIZ_QUESTION_TEXT]));
		if (points != 1 || media)
			buf_printf(out, "(%g points%s%s)\n", points, media ? ", " : "", media ? media : "");
		for (size_t o = 0; o < options.count; o++)
			put_line(out, value_truth(options.items[o].items[QUIZ_OPTION_RIGHT], false) ? "+ " : "- ",
				value_string(options.items[o].items[QUIZ_OPTION_TEXT]));
	}
}

static void
put_notes(struct buf *out, const struct gift_notes *notes)
{
	for (const struct gift_note *note = notes->first; note; note = note->next) {
		struct buf text = { .arena = arena };
		buf_sentence(&text, note->what, EN, arena_format(arena, "%zu", note->line));
		put_line(out, "! ", text.s);
	}
}

static const char *
lines_of(const char *text)
{
	struct buf out = { .arena = arena };
	struct gift gift;

	gift_read(&gift, arena, text, strlen(text));
	put_questions(&out, gift.questions);
	put_notes(&out, &gift.faults);
	put_notes(&out, &gift.dropped);
	return out.s;
}

static const char *
file(const char *name)
{
	const char *path = arena_format(arena, "tests/unit/gift/%s", name);
	FILE *in = fopen(path, "r");
	struct stat status;

	if (!in || fstat(fileno(in), &status) != 0)
		fail_msg("%s: %m; run in the folder of the Makefile", path);
	char *text = arena_alloc(arena, (size_t)status.st_size + 1);
	assert_int_equal(fread(text, 1, (size_t)status.st_size, in), status.st_size);
	fclose(in);
	return text;
}

/* ---- tests */

static void
files_mean_what_is_said_of_them(void **state)
{
	(void)state;
	assert_string_equal(lines_of(file("choice.gift")), file("choice.txt"));
	assert_string_equal(lines_of(file("truth.gift")), file("truth.txt"));
	assert_string_equal(lines_of(file("refused.gift")), file("refused.txt"));
}

static void
line_ends_and_a_byte_order_mark_do_not_matter(void **state)
{
	static const char want[] = "A|B\n+ x\n- y\nC\n- True\n+ False\n! line 6: essay questions cannot be taken\n";

	(void)state;
	assert_string_equal(lines_of("A\nB{=x ~y}\n\nC{F}\n\nD{}"), want);
	assert_string_equal(lines_of("\xef\xbb\xbf" "A\r\nB{=x ~y}\r\n\r\nC{F}\r\n\r\nD{}\r\n"), want);
	assert_string_equal(lines_of("A\rB{=x ~y}\r\rC{F}\r\rD{}\r"), want);
	assert_string_equal(lines_of("  A \t\n\tB {\n=x\n\t~ y\n}  \n \t \nC{F"), "A|B\n+ x\n- y\n! line 7: a question has one { "
		"and one }, and an empty line behind it; braces that belong to its text are written \\{ and \\}\n");
}

static void
control_characters_are_spaces(void **state)
{
	(void)state;
	assert_string_equal(lines_of("A\vB\x7f\x01" "C\tD\xc2\x85{=x\f\x1f ~\x02y \xc2\xa1}"), "A B  C\tD\n+ x\n- y ¡\n");
}

static void
nothing_is_no_test(void **state)
{
	static const char *const nothing[] = { "", "\n \n", "// okul: points 2\n", "$CATEGORY: a\n" };
	struct gift gift;

	(void)state;
	for (size_t i = 0; i < COUNT(nothing); i++) {
		gift_read(&gift, arena, nothing[i], strlen(nothing[i]));
		assert_int_equal(gift.questions.count, 0);
		assert_int_equal(gift.faults.count, 1);
		assert_int_equal(gift.faults.first->what, S_GIFT_NONE);
		assert_int_equal(gift.faults.first->line, 0);
	}
}

/* `count` times a letter of two bytes, between two texts. */
static const char *
long_text(const char *before, int count, const char *behind)
{
	struct buf out = { .arena = arena };

	buf_puts(&out, before);
	while (count-- > 0)
		buf_puts(&out, "ğ");
	buf_puts(&out, behind);
	return out.s;
}

/* What is wrong first; S_OK when nothing is. */
static enum sentence
fault_of(const char *text)
{
	struct gift gift;

	gift_read(&gift, arena, text, strlen(text));
	return gift.faults.first ? gift.faults.first->what : S_OK;
}

static void
texts_keep_the_limits_of_a_test(void **state)
{
	(void)state;
	assert_int_equal(fault_of(long_text("", 4000, "{=a ~b}")), S_OK);
	assert_int_equal(fault_of(long_text("", 4001, "{=a ~b}")), S_GIFT_TEXT);
	assert_int_equal(fault_of(long_text("Q{=", 1000, " ~b}")), S_OK);
	assert_int_equal(fault_of(long_text("Q{=", 1001, " ~b}")), S_GIFT_OPTION);
	assert_int_equal(fault_of("Q{=1 ~2 ~3 ~4 ~5 ~6 ~7 ~8 ~9 ~10}"), S_OK);
	assert_int_equal(fault_of("// okul: points 1000\nQ{=1 ~2}"), S_OK);
	assert_int_equal(fault_of("// okul: points 1000.1\nQ{=1 ~2}"), S_GIFT_COMMENT);
}

static void
two_hundred_questions_are_enough(void **state)
{
	struct buf text = { .arena = arena };
	struct gift gift;

	(void)state;
	for (int i = 0; i < 200; i++)
		buf_puts(&text, "Q{=a ~b}\n\n");
	gift_read(&gift, arena, text.s, text.length);
	assert_int_equal(gift.faults.count, 0);
	for (int i = 0; i < 800; i++)
		buf_puts(&text, "Q{=a ~b}\n\n");
	gift_read(&gift, arena, text.s, text.length);
	assert_int_equal(gift.questions.count, 200);
	assert_int_equal(gift.faults.count, 1);
	assert_int_equal(gift.faults.first->what, S_GIFT_MANY);
	assert_int_equal(gift.faults.first->line, 401);
}

static void
a_hundred_faults_are_told_and_all_are_counted(void **state)
{
	struct buf text = { .arena = arena };
	struct gift gift;
	size_t told = 0;

	(void)state;
	for (int i = 0; i < 150; i++)
		buf_puts(&text, "Q{}\n\n");
	gift_read(&gift, arena, text.s, text.length);
	for (const struct gift_note *note = gift.faults.first; note; note = note->next)
		told++;
	assert_int_equal(told, GIFT_NOTES_MAX);
	assert_int_equal(gift.faults.count, 150);
}

/* ---- there and back */

static void
assert_comes_back(struct value questions)
{
	struct buf text = { .arena = arena }, before = text, after = text;
	struct gift again;

	gift_write(&text, "A\ntest // okul: points 7", questions);
	gift_read(&again, arena, text.s, text.length);
	put_questions(&before, questions);
	put_questions(&after, again.questions);
	assert_int_equal(again.faults.count, 0);
	assert_int_equal(again.dropped.count, 0);
	assert_string_equal(before.s, after.s);
}

static void
what_was_imported_is_exported_to_the_same_meaning(void **state)
{
	static const char *const names[] = { "choice.gift", "truth.gift" };
	struct gift gift;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		const char *text = file(names[i]);
		gift_read(&gift, arena, text, strlen(text));
		assert_comes_back(gift.questions);
	}
}

/* Texts as tests have them that never saw the format. */
static void
any_question_survives(void **state)
{
	static const char *const texts[] = {
		"a", "{", "}", "{}", "a{b", "::a::b", ":", "=", "~a=b#c", "%50%a", "%", "[html]<b>", "[plain]a", "[a]", "[", "//a",
		"// okul: points 5", "$CATEGORY: a", "\\", "\\\\", "\\n", "a\\", "a\nb", "a\n\nb", "a\n//b\nc", "a\n   b", "####", "->",
		"True", "TRUE", "T", "<p>&amp;", "_____", "a _____ b", "ğ😀", "\t a", "?{=a ~b}",
	};
	struct value questions[2 * COUNT(texts)], question[2 * COUNT(texts)][QUIZ_QUESTION_FIELDS];
	struct value options[2 * COUNT(texts)][3], option[2 * COUNT(texts)][3][QUIZ_OPTION_FIELDS];

	(void)state;
	for (size_t i = 0; i < COUNT(questions); i++) {
		const char *text = texts[i / 2];
		size_t length = strlen(text);
		utf8_trim(&text, &length);	/* as those of tests are */
		for (int k = 0; k < 3; k++) {
			option[i][k][QUIZ_OPTION_TEXT] = value_text(k == 1 ? text : k == 0 ? "True" : "False");
			option[i][k][QUIZ_OPTION_RIGHT] = value_bool((i % 2 == 0) == (k == 1) && k < 2);
			options[i][k] = value_object(option[i][k], QUIZ_OPTION_FIELDS);
		}
		question[i][QUIZ_QUESTION_TEXT] = value_text(text);
		question[i][QUIZ_QUESTION_POINTS] = value_real((double)(i + 1) / 8);
		question[i][QUIZ_QUESTION_MEDIA] = value_text(i % 3 == 0 ? "/a?b=c#d:e" : NULL);
		question[i][QUIZ_QUESTION_OPTIONS] = value_list(options[i], 3);
		questions[i] = value_object(question[i], QUIZ_QUESTION_FIELDS);
	}
	assert_comes_back(value_list(questions, COUNT(questions)));
}

static void
points_come_back_to_the_last_bit(void **state)
{
	static const double points[] = { 0.1, 1.0 / 3, 1e-300, 999.9999999999999, 1000, 5e-324 };
	struct gift gift;

	(void)state;
	for (size_t i = 0; i < COUNT(points); i++) {
		struct buf text = { .arena = arena };
		struct value question[QUIZ_QUESTION_FIELDS], questions = value_object(question, QUIZ_QUESTION_FIELDS);
		gift_read(&gift, arena, "Q{T}", 4);
		memcpy(question, gift.questions.items[0].items, sizeof(question));
		question[QUIZ_QUESTION_POINTS] = value_real(points[i]);
		gift_write(&text, "", value_list(&questions, 1));
		gift_read(&gift, arena, text.s, text.length);
		assert_true(value_number(gift.questions.items[0].items[QUIZ_QUESTION_POINTS], 0) == points[i]);
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(files_mean_what_is_said_of_them),
		test(line_ends_and_a_byte_order_mark_do_not_matter),
		test(control_characters_are_spaces),
		test(nothing_is_no_test),
		test(texts_keep_the_limits_of_a_test),
		test(two_hundred_questions_are_enough),
		test(a_hundred_faults_are_told_and_all_are_counted),
		test(what_was_imported_is_exported_to_the_same_meaning),
		test(any_question_survives),
		test(points_come_back_to_the_last_bit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
