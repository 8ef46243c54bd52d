/* GIFT: for any text, questions are within the limits of a test, and exporting and importing them is lossless. */
#include "gift.h"
#include "fuzz.h"
#include "quiz.h"
#include "url.h"
#include "utf8.h"

static void
must_be_text(const char *text, size_t max)
{
	const char *trimmed = text;
	size_t length;

	must(text);
	length = strlen(text);
	must(utf8_is_valid(text, length));
	must(utf8_points(text, length) >= 1 && utf8_points(text, length) <= max);
	utf8_trim(&trimmed, &length);
	must(trimmed == text && length == strlen(text));
}

static void
must_be_question(const struct value *question)
{
	const struct value options = question[QUIZ_QUESTION_OPTIONS];
	double points = value_number(question[QUIZ_QUESTION_POINTS], 0);
	const char *media = value_string(question[QUIZ_QUESTION_MEDIA]);
	int right = 0;

	must_be_text(value_string(question[QUIZ_QUESTION_TEXT]), 4000);
	must(points > 0 && points <= 1000);
	must(!media || url_is_good(media));
	must(options.count >= 2 && options.count <= QUIZ_OPTIONS_MAX);
	for (size_t i = 0; i < options.count; i++) {
		must_be_text(value_string(options.items[i].items[QUIZ_OPTION_TEXT]), 1000);
		right += value_truth(options.items[i].items[QUIZ_OPTION_RIGHT], false);
	}
	must(right == 1);
}

static void
must_be_notes(const struct gift_notes *notes)
{
	size_t line = 0, count = 0;

	for (const struct gift_note *note = notes->first; note; note = note->next, count++) {
		must(note->line >= line);
		line = note->line;
	}
	must(count == (notes->count < GIFT_NOTES_MAX ? notes->count : GIFT_NOTES_MAX));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	char *text = string_of(data, size);
	struct gift gift, again;
	struct buf out = { 0 };

	if (!arena)
		arena = arena_new(1 << 16);
	arena_reset(arena);
	if (utf8_is_valid(text, strlen(text))) {
		gift_read(&gift, arena, text, strlen(text));
		must(gift.questions.count <= QUIZ_QUESTIONS_MAX);
		must(gift.questions.count > 0 || gift.faults.count > 0);
		must_be_notes(&gift.faults);
		must_be_notes(&gift.dropped);
		for (size_t i = 0; i < gift.questions.count; i++)
			must_be_question(gift.questions.items[i].items);
		gift_write(&out, "title", gift.questions);
		gift_read(&again, arena, out.s, out.length);
		must(again.faults.count == (gift.questions.count ? 0 : 1));
		must(value_equal(gift.questions, again.questions));
	}
	buf_clear(&out);
	free(text);
	return 0;
}
