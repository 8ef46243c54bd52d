#include "placement.h"

#include "quiz.h"
#include "random.h"
#include "text.h"

static const struct shape level_range = { .name = "LevelRangeDto", .fields = FIELDS(
	{ "level", FIELD_ENUM, .oneof = level_enum },
	{ "minScore", FIELD_NUMBER, 0, 100 },
	{ "maxScore", FIELD_NUMBER, 0, 100 }) };

const struct shape placement_head = { .name = "ProficiencyTestHead", .fields = FIELDS(
	{ "title", FIELD_TEXT, 1, PLACEMENT_TITLE_MAX, .example = "\"Placement test\"" },
	{ "description", FIELD_TEXT, 0, 5000, .lines = true, .optional = true },
	{ "targetLanguage", FIELD_TEXT, 2, 8, .example = "\"en\"" },
	{ "durationMinutes", FIELD_INT, 1, 600, .optional = true, .nullable = true, .note = "no limit of time unless given" },
	{ "maxAttempts", FIELD_INT, 0, 100, .optional = true, .note = "0: no limit; 1 unless given" },
	{ "shuffle", FIELD_BOOL, .optional = true, .note = "each attempt sees an order of its own; false unless given" },
	{ "isPublished", FIELD_BOOL, .optional = true, .note = "true unless given" }) };

const struct shape placement_ranges = { .name = "ProficiencyTestRanges", .fields = FIELDS(
	{ "levelRanges", FIELD_LIST, 1, 6, .of = &level_range, .note = "covering 0 to 100 without gap or overlap, in rising order" }) };

enum { ADD_VERSION, ADD };

static const char *const placement_sql[] = {
	/* The version comes first, since the test refers to it, and is told which key the test will have. */
	[ADD_VERSION] = "INSERT INTO test_version (test, test_id, title, target_language, level_ranges, answer_key, questions)"
		" VALUES (1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'test' /* scan is meant: of one row */), 0),"
		" ?1, ?2, ?3, ?4, ?5, ?6) RETURNING pk, test",
	[ADD] = "INSERT INTO test (pk, id, version, title, target_language, duration_minutes, max_attempts, shuffle,"
		" is_published, question_count, created_at, updated_at, folded, description)"
		" VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7, ?8, ?9, ?10, ?11, ?11, okul_fold(?4, ?12), coalesce(?12, ''))",
};
const struct db_statements placement_statements = { placement_sql, COUNT(placement_sql) };

static void
put_text(struct buf *out, const char *text)
{
	if (text)
		buf_json(out, text, strlen(text));
	else
		buf_puts(out, "null");
}

/* {"id":"...","text":"..." : how both a question and an option begin. */
static void
put_head(struct buf *out, cJSON *object, const char *id, bool first)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, "id");
	cJSON_AddStringToObject(object, "id", id);	/* for the key */
	buf_puts(out, first ? "{\"id\":\"" : ",{\"id\":\"");
	buf_puts(out, id);
	buf_puts(out, "\",\"text\":");
	put_text(out, field_text(object, "text"));
}

/*
 * New ids in any order: each is above the last, and would tell where its author put an option, as right ones often are the
 * first.
 */
static void
shuffled_ids(char ids[static QUIZ_OPTIONS_MAX][ID_TEXT], int count)
{
	for (int i = 0; i < count; i++) {
		int other = (int)random_below((uint32_t)i + 1);
		if (other < i)
			memcpy(ids[i], ids[other], ID_TEXT);
		random_id(ids[other]);
	}
}

static void
put_options(struct buf *out, const cJSON *options)
{
	char ids[QUIZ_OPTIONS_MAX][ID_TEXT];
	int i = 0;
	cJSON *option;

	shuffled_ids(ids, cJSON_GetArraySize(options));
	cJSON_ArrayForEach(option, options) {
		put_head(out, option, ids[i], i == 0);
		buf_puts(out, field_bool(option, "isCorrect", false) ? ",\"isCorrect\":true}" : ",\"isCorrect\":false}");
		i++;
	}
}

static void
put_question(struct buf *out, cJSON *question, int order)
{
	char id[ID_TEXT];

	random_id(id);
	put_head(out, question, id, order == 0);
	buf_puts(out, ",\"points\":");
	buf_number(out, field_number(question, "points", 1));
	buf_puts(out, ",\"mediaUrl\":");
	put_text(out, field_text(question, "mediaUrl"));
	buf_puts(out, ",\"order\":");
	buf_int(out, order);
	buf_puts(out, ",\"options\":[");
	put_options(out, json_get(question, "options"));
	buf_puts(out, "]}");
}

void
placement_set_questions(struct placement *test, struct arena *arena, cJSON *questions)
{
	struct buf text = { .arena = arena }, key = text;
	cJSON *question;

	test->count = 0;
	buf_putc(&text, '[');
	cJSON_ArrayForEach(question, questions)
		put_question(&text, question, test->count++);
	buf_putc(&text, ']');
	quiz_key(&key, questions);
	test->questions = text.s;
	test->key = value_blob(key.s, key.length);
}

static bool
is_written(const struct buf *own, struct quiz_text stored)
{
	return own->length == stored.length && memcmp(own->s, stored.s, stored.length) == 0;
}

static bool
is_text(struct buf *room, struct quiz_text stored, const char *text)
{
	buf_reset(room, SIZE_MAX);
	put_text(room, text);
	return is_written(room, stored);
}

static bool
is_number(struct buf *room, struct quiz_text stored, double number)
{
	buf_reset(room, SIZE_MAX);
	buf_number(room, number);
	return is_written(room, stored);
}

static bool
is_question(struct buf *room, const struct quiz_question *stored, const cJSON *question)
{
	const cJSON *options = json_get(question, "options"), *option;
	int i = 0;

	if (!is_text(room, stored->text, field_text(question, "text")) ||
	    !is_text(room, stored->media, field_text(question, "mediaUrl")) ||
	    !is_number(room, stored->points, field_number(question, "points", 1)) ||
	    cJSON_GetArraySize(options) != stored->options)
		return false;
	cJSON_ArrayForEach(option, options) {
		if (!is_text(room, stored->option[i].text, field_text(option, "text")) ||
		    field_bool(option, "isCorrect", false) != (stored->right == i + 1))
			return false;
		i++;
	}
	return true;
}

bool
placement_asks_same(struct arena *arena, const char *stored, const cJSON *questions)
{
	struct buf room = { .arena = arena };
	struct quiz_question asked;
	const cJSON *question;

	cJSON_ArrayForEach(question, questions)
		if (!quiz_next(&stored, &asked) || !is_question(&room, &asked, question))
			return false;
	return !quiz_next(&stored, &asked);
}

static const char *
ranges_text(struct arena *arena, const cJSON *ranges)
{
	struct buf text = { .arena = arena };
	const cJSON *range;

	cJSON_ArrayForEach(range, ranges) {
		buf_puts(&text, text.length ? ",{\"level\":" : "[{\"level\":");
		put_text(&text, field_text(range, "level"));
		buf_puts(&text, ",\"minScore\":");
		buf_number(&text, field_number(range, "minScore", 0));
		buf_puts(&text, ",\"maxScore\":");
		buf_number(&text, field_number(range, "maxScore", 0));
		buf_putc(&text, '}');
	}
	buf_putc(&text, ']');
	return text.s;
}

struct placement *
placement_of(struct arena *arena, const cJSON *body)
{
	struct placement *test = arena_alloc(arena, sizeof(*test));
	const cJSON *ranges = json_get(body, "levelRanges");

	*test = (struct placement){ field_text(body, "title"), field_text(body, "description"), field_text(body, "targetLanguage"),
		field_int(body, "durationMinutes", 0), field_int(body, "maxAttempts", 1), field_bool(body, "shuffle", false),
		field_bool(body, "isPublished", true), .ranges = ranges ? ranges_text(arena, ranges) : NULL };
	return test;
}

void
placement_add(struct db *db, const struct placement *test, const char *id, int64_t now)
{
	struct db_rows *row;

	if (db_one(db, &row, placement_sql[ADD_VERSION],
		   ARGS(id, test->title, test->language, test->ranges, test->key, test->questions)) != DB_ROW)
		return;
	int64_t version = db_int(row, 0), pk = db_int(row, 1);
	db_end(row);
	(void)!db_run(db, placement_sql[ADD], ARGS(pk, id, version, test->title, test->language, test->minutes,
		test->attempts, test->shuffle, test->published, test->count, now, test->description), NULL);
}
