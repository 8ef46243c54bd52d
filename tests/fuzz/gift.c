/* GIFT: whatever the text, questions keep the limits of a test, and what is exported imports again to the same. */
#include "field.h"
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
must_be_question(const cJSON *question)
{
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(question, "options"), *option;
	double points = field_number(question, "points", 0);
	const char *media = field_text(question, "mediaUrl");
	int right = 0;

	must_be_text(field_text(question, "text"), 4000);
	must(points > 0 && points <= 1000);
	must(!media || url_is_good(media));
	must(cJSON_GetArraySize(options) >= 2 && cJSON_GetArraySize(options) <= QUIZ_OPTIONS_MAX);
	cJSON_ArrayForEach(option, options) {
		must_be_text(field_text(option, "text"), 1000);
		right += field_bool(option, "isCorrect", false);
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
	const cJSON *question;

	if (!arena)
		arena = arena_new(1 << 16);
	arena_reset(arena);
	json_use(arena);
	if (utf8_is_valid(text, strlen(text))) {
		gift_read(&gift, arena, text, strlen(text));
		must(cJSON_GetArraySize(gift.questions) <= QUIZ_QUESTIONS_MAX);
		must(gift.questions->child || gift.faults.count > 0);
		must_be_notes(&gift.faults);
		must_be_notes(&gift.dropped);
		cJSON_ArrayForEach(question, gift.questions)
			must_be_question(question);
		gift_write(&out, "title", gift.questions);
		gift_read(&again, arena, out.s, out.length);
		must(again.faults.count == (gift.questions->child ? 0 : 1));
		must(cJSON_Compare(gift.questions, again.questions, true));
	}
	buf_clear(&out);
	free(text);
	return 0;
}
