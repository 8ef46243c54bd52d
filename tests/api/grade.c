/*
 * Grades answer sheets, as a program would, and says what is wrong with tests: for proficiency_model.py, which does the
 * same by other means, and has more of them than would go through a web server in its time.
 *
 *	grade <CASES
 *
 * A case is a line of JSON, {"questions": [...], "levelRanges": [...], "sheets": [[AnswerDto...]...]}; its answer a line
 * {"faults": [...], "sheets": [{"faults": [...], "score", "correct", "questions", "level", "chosen"}...]}.
 */
#include "json.h"
#include "encode.h"
#include "json_write.h"
#include "quiz.h"

static void
put_faults(struct buf *out, const struct faults *faults)
{
	json_put_object(out, NULL);
	json_put_list(out, "faults");
	for (const struct fault *fault = faults->first; fault; fault = fault->next)
		json_put_text(out, NULL, fault->text);
	json_put_end_list(out);
}

static struct value
list_of(struct arena *arena, const struct shape *shape, const cJSON *list)
{
	return field_value(arena, &(struct field){ .type = FIELD_LIST, .of = shape }, list);
}

static void
put_sheet(struct buf *out, struct arena *arena, const struct buf *key, const cJSON *answers, const char *ranges)
{
	unsigned char chosen[QUIZ_QUESTIONS_MAX];
	struct buf hex = { .arena = arena };
	struct faults faults;

	faults_init(&faults, arena, EN);
	int count = quiz_read(value_blob(key->s, key->length), list_of(arena, &quiz_answer, answers), chosen, &faults);
	struct quiz_grade grade = quiz_grade(value_blob(key->s, key->length), chosen, ranges);
	put_faults(out, &faults);
	encode_hex(&hex, chosen, (size_t)count);
	json_put_number(out, "score", grade.score);
	json_put_int(out, "correct", grade.correct);
	json_put_int(out, "questions", grade.questions);
	json_put_text(out, "level", grade.level);
	json_put_text_of(out, "chosen", hex.s, hex.length);
	json_put_end_object(out);
}

static bool
answer(struct buf *out, struct arena *arena, const char *line, size_t length)
{
	enum json_fault fault;
	const cJSON *test = json_parse(arena, line, length, JSON_DEPTH, &fault), *sheet;
	const cJSON *questions = cJSON_GetObjectItemCaseSensitive(test, "questions");
	const cJSON *ranges = cJSON_GetObjectItemCaseSensitive(test, "levelRanges");
	const cJSON *sheets = cJSON_GetObjectItemCaseSensitive(test, "sheets");
	struct buf key = { .arena = arena }, questions_text = key, ranges_text = key;
	struct faults faults;

	if (!test)
		return false;
	faults_init(&faults, arena, EN);
	quiz_check_questions(list_of(arena, &quiz_question, questions), &faults);
	quiz_check_ranges(list_of(arena, &quiz_range, ranges), &faults);
	json_put_tree(&questions_text, NULL, questions);
	quiz_key(&key, questions_text.s);
	put_faults(out, &faults);
	json_put_tree(&ranges_text, NULL, ranges);
	json_put_list(out, "sheets");
	cJSON_ArrayForEach(sheet, sheets)
		put_sheet(out, arena, &key, sheet, ranges_text.s);
	json_put_end_list(out);
	json_put_end_object(out);
	return true;
}

int
main(void)
{
	struct arena *arena = arena_new(1 << 20);
	char *line = NULL;
	size_t room = 0;
	ssize_t length;

	json_use(arena);
	while ((length = getline(&line, &room, stdin)) > 0) {
		struct buf out = { .arena = arena };
		if (!answer(&out, arena, line, (size_t)length))
			return EXIT_DATA;
		puts(out.s);
		arena_reset(arena);
	}
	free(line);
	arena_free(arena);
	return 0;
}
