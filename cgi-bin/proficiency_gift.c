/* proficiency - tests made from a text in the GIFT format. */
#include "proficiency.h"

#include "gift.h"
#include "quiz.h"

/* clang-format off */
enum { GIFT = PLACEMENT_FIELDS, SKIP, RANGES };

static const struct shape import_test = { .name = "ImportProficiencyTestDto", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &placement_head },
	[GIFT] = { "gift", FIELD_TEXT, 1, .raw = true,
	  .note = "questions in Moodle's GIFT format: multiple choice and true/false",
	  .example = "\"Yesterday I {=went ~goed} home.\"" },
	[SKIP] = { "skip", FIELD_BOOL, .optional = true,
	  .note = "leave out questions that cannot be taken; false unless given" },
	[RANGES] = { "", FIELD_PLUS, .of = &placement_ranges }) };

static const struct shape exported_test = { .name = "ExportedProficiencyTestDto", .fields = FIELDS(
	{ "title", FIELD_TEXT, 1, PLACEMENT_TITLE_MAX },
	{ "gift", FIELD_TEXT, 1, .note = "its questions as POST /proficiency-tests/import takes them", .example = "\"Yesterday I {=went ~goed} home.\"" }) };

enum { FIND };

static const char *const sql[] = {
	[FIND] = "SELECT test.title, questions FROM test JOIN test_version AS now ON now.pk = test.version WHERE test.id = ?1",
};

static void check_import(struct request *rq, struct faults *faults);
static response_handler get_export;

static const struct route routes[] = {
	{ POST, "/proficiency-tests/import", ADMIN, proficiency_add, .check = check_import, .in = &import_test,
	  .out = &proficiency_detail, .status = 201, .writes = true, .title = "Create a proficiency test from GIFT text (ours)",
	  .note = "Each question that cannot be taken (Cloze, short answer, numerical, matching, essay, several right answers, "
	  "partial credit) is an error that names its line, and then nothing is made, unless `skip` is true. Comments above a "
	  "question may give its points and media: `// okul: points 2`, `// okul: media https://example.com/a.mp3`. Feedback, "
	  "categories, answers without text, and names of questions that have a text are not kept; HTML becomes text.",
	  .example = "{\"title\":\"Placement test\",\"targetLanguage\":\"en\",\"gift\":\"Yesterday I {=went ~goed} home.\","
	  "\"levelRanges\":[{\"level\":\"A1\",\"minScore\":0,\"maxScore\":50},{\"level\":\"A2\",\"minScore\":50,"
	  "\"maxScore\":100}]}" },
	{ GET, "/proficiency-tests/{id}/export", ADMIN, get_export, .out = &exported_test, .title = "A proficiency test as GIFT text (ours)" },
};

const struct section proficiency_gift = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

/* Without any question `skip` makes no test. */
static void
add_faults(const struct gift *gift, bool skip, struct faults *faults)
{
	for (const struct gift_note *note = gift->faults.first; note; note = note->next)
		if (!skip || gift->questions.count == 0)
			faults_add(
				faults, "gift", note->what, note->line ? arena_format(faults->arena, "%zu", note->line) : NULL);
}

static void
check_import(struct request *rq, struct faults *faults)
{
	const struct value *in = rq->in;
	struct gift gift = { 0 };

	if (value_string(in[GIFT])) {
		gift_read(&gift, rq->arena, in[GIFT].bytes, in[GIFT].length);
		add_faults(&gift, value_truth(in[SKIP], false), faults);
	}
	proficiency_check_ranges(rq, in[RANGES], faults);
	if (rq->faults.count + faults->count > 0)
		return;
	rq->prepared = placement_of(rq->arena, in, in[RANGES]);
	placement_set_questions(rq->prepared, rq->arena, gift.questions);
}

static struct response
get_export(struct request *rq)
{
	struct buf out = { .arena = rq->arena };
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[FIND], ARGS(rq->id)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	const char *title = arena_string(rq->arena, db_text(row, 0));
	gift_write(&out, title, quiz_values(rq->arena, db_text(row, 1)));
	db_end(row);
	return response_values(rq, &exported_test, ARGS(title, out.s));
}
