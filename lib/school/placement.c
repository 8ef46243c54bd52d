#include "placement.h"

#include "json_write.h"
#include "quiz.h"
#include "random.h"
#include "sql.h"

/* clang-format off */
const struct shape placement_head = { .name = "ProficiencyTestHead", .fields = FIELDS(
	[PLACEMENT_TITLE] = { "title", FIELD_TEXT, 1, PLACEMENT_TITLE_MAX, .example = "\"Placement test\"" },
	[PLACEMENT_DESCRIPTION] = { "description", FIELD_TEXT, 0, 5000, .lines = true, .optional = true },
	[PLACEMENT_LANGUAGE] = { "targetLanguage", FIELD_TEXT, 2, 8, .example = "\"en\"" },
	[PLACEMENT_MINUTES] = { "durationMinutes", FIELD_INT, 1, 600, .optional = true, .nullable = true,
	  .note = "no limit of time unless given" },
	[PLACEMENT_ATTEMPTS] = { "maxAttempts", FIELD_INT, 0, 100, .optional = true,
	  .note = "0: no limit; 1 unless given" },
	[PLACEMENT_SHUFFLE] = { "shuffle", FIELD_BOOL, .optional = true,
	  .note = "each attempt sees an order of its own; false unless given" },
	[PLACEMENT_PUBLISHED] = { "isPublished", FIELD_BOOL, .optional = true, .note = "true unless given" }) };

const struct shape placement_ranges = { .name = "ProficiencyTestRanges", .fields = FIELDS(
	{ "levelRanges", FIELD_LIST, 1, 6, .of = &quiz_range,
	  .note = "covering 0 to 100 without gap or overlap, in rising order" }) };

enum { ADD_VERSION, ADD, VERSION_NOW, NEW_VERSION, CHANGE, REMOVE, SWEEP, UNUSED, DROP_UNUSED };

/* ?1 is not used. */
#define IS_UNUSED \
	"CAST(?1 AS BIGINT) IS NOT NULL AND NOT EXISTS (SELECT 1 FROM test WHERE version = test_version.pk)" \
	" AND NOT EXISTS (SELECT 1 FROM result WHERE version = test_version.pk)" \
	" AND NOT EXISTS (SELECT 1 FROM attempt WHERE version = test_version.pk)"

static const char *const placement_sql[] = {
	/* The version comes first, since the test refers to it, with the key that the test will have. */
	[ADD_VERSION] = "INSERT INTO test_version (test, test_id, title, target_language, level_ranges, answer_key, questions)"
		" VALUES (" SQL_NEXT_KEY("test") ", ?1, ?2, ?3, ?4, ?5, ?6) RETURNING pk, test",
	[ADD] = "INSERT INTO test (pk, id, version, title, target_language, duration_minutes, max_attempts, shuffle,"
		" is_published, question_count, created_at, updated_at, folded, description)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, " SQL_FOLD("?4, ?12")
		", coalesce(?12, ''))",
	/* The version of a test, and whether title, language or ranges change. */
	[VERSION_NOW] = "SELECT test.pk, now.pk, coalesce(?2 <> now.title, FALSE) OR coalesce(?3 <> now.target_language, FALSE)"
		" OR coalesce(?4 <> level_ranges, FALSE) FROM test JOIN test_version AS now ON now.pk = test.version WHERE test.id = ?1",
	[NEW_VERSION] = "INSERT INTO test_version (test, test_id, title, target_language, level_ranges, answer_key, questions)"
		" SELECT test, test_id, coalesce(?2, title), coalesce(?3, target_language), coalesce(?4, level_ranges),"
		" coalesce(?5, answer_key), coalesce(?6, questions) FROM test_version WHERE pk = ?1 RETURNING pk",
	/* ?5 and ?6: whether the limit of time changes, and to what */
	[CHANGE] = "UPDATE test SET version = ?2, title = coalesce(?3, title), description = coalesce(?4, description),"
		" duration_minutes = CASE WHEN ?5 THEN ?6 ELSE duration_minutes END,"
		" max_attempts = coalesce(?7, max_attempts), shuffle = coalesce(?8, shuffle), is_published = coalesce(?9, is_published),"
		" target_language = coalesce(?10, target_language), question_count = coalesce(nullif(CAST(?11 AS BIGINT), 0), question_count),"
		" folded = " SQL_FOLD("coalesce(?3, title), coalesce(?4, description)") ", updated_at = ?12 WHERE pk = ?1",
	[REMOVE] = "DELETE FROM test WHERE id = ?1 RETURNING pk, title",
	[SWEEP] = "DELETE FROM test_version WHERE test = ?1 AND pk <> ?2"
		" AND NOT EXISTS (SELECT 1 FROM result WHERE result.version = test_version.pk)"
		" AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.version = test_version.pk)",
	[UNUSED] = "SELECT count(*) FROM test_version WHERE " IS_UNUSED " /* scans: test_version */",
	[DROP_UNUSED] = "DELETE FROM test_version WHERE pk IN (SELECT pk FROM test_version WHERE " IS_UNUSED " LIMIT ?2)"
		" /* scans: test_version */",
};
const struct db_statements placement_statements = { placement_sql, COUNT(placement_sql) };
const expiry placement_expiry_versions = placement_sql + UNUSED;
/* clang-format on */

/* {"id":"...","text":"..." : the beginning of a question and of an option. */
static void
put_head(struct buf *out, const char *id, struct value text)
{
	json_put_object(out, NULL);
	json_put_text(out, "id", id);
	json_put_text_of(out, "text", text.bytes, text.length);
}

/* New ids, shuffled: rising ones would show the order of the author, whose first option is often the right one. */
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
put_options(struct buf *out, struct value options)
{
	char ids[QUIZ_OPTIONS_MAX][ID_TEXT];

	shuffled_ids(ids, (int)options.count);
	json_put_list(out, "options");
	for (size_t i = 0; i < options.count; i++) {
		put_head(out, ids[i], options.items[i].items[QUIZ_OPTION_TEXT]);
		json_put_bool(out, "isCorrect", value_truth(options.items[i].items[QUIZ_OPTION_RIGHT], false));
		json_put_end_object(out);
	}
	json_put_end_list(out);
}

void
placement_set_questions(struct placement *test, struct arena *arena, struct value questions)
{
	struct buf text = { .arena = arena }, key = text;
	char id[ID_TEXT];

	test->count = (int)questions.count;
	json_put_list(&text, NULL);
	for (int i = 0; i < test->count; i++) {
		const struct value *question = questions.items[i].items;
		random_id(id);
		put_head(&text, id, question[QUIZ_QUESTION_TEXT]);
		json_put_number(&text, "points", value_number(question[QUIZ_QUESTION_POINTS], 1));
		json_put_text(&text, "mediaUrl", value_string(question[QUIZ_QUESTION_MEDIA]));
		json_put_int(&text, "order", i);
		put_options(&text, question[QUIZ_QUESTION_OPTIONS]);
		json_put_end_object(&text);
	}
	json_put_end_list(&text);
	quiz_key(&key, text.s);
	test->questions = text.s;
	test->key = value_blob(key.s, key.length);
}

bool
placement_asks_same(struct arena *arena, const char *stored, struct value questions)
{
	const struct value old = quiz_values(arena, stored);

	if (old.count != questions.count)
		return false;
	for (size_t i = 0; i < old.count; i++) {
		const struct value *a = old.items[i].items, *b = questions.items[i].items;
		if (!value_equal(a[QUIZ_QUESTION_TEXT], b[QUIZ_QUESTION_TEXT]) ||
			!value_equal(a[QUIZ_QUESTION_MEDIA], b[QUIZ_QUESTION_MEDIA]) ||
			!value_equal(a[QUIZ_QUESTION_OPTIONS], b[QUIZ_QUESTION_OPTIONS]) ||
			value_number(a[QUIZ_QUESTION_POINTS], 1) != value_number(b[QUIZ_QUESTION_POINTS], 1))
			return false;
	}
	return true;
}

static const char *
ranges_text(struct arena *arena, struct value ranges)
{
	struct buf text = { .arena = arena };

	json_put_list(&text, NULL);
	for (size_t i = 0; i < ranges.count; i++) {
		const struct value *range = ranges.items[i].items;
		json_put_object(&text, NULL);
		json_put_text(&text, "level", value_string(range[QUIZ_RANGE_LEVEL]));
		json_put_number(&text, "minScore", value_number(range[QUIZ_RANGE_MIN], 0));
		json_put_number(&text, "maxScore", value_number(range[QUIZ_RANGE_MAX], 0));
		json_put_end_object(&text);
	}
	json_put_end_list(&text);
	return text.s;
}

struct placement *
placement_of(struct arena *arena, const struct value *head, struct value ranges)
{
	struct placement *test = arena_alloc(arena, sizeof(*test));

	memcpy(test->head, head, sizeof(test->head));
	test->ranges = ranges.type == VALUE_LIST ? ranges_text(arena, ranges) : NULL;
	return test;
}

void
placement_add(struct db *db, const struct placement *test, const char *id, int64_t now)
{
	const struct value *head = test->head, title = head[PLACEMENT_TITLE], language = head[PLACEMENT_LANGUAGE];
	struct db_rows *row;

	if (db_one(db, &row, placement_sql[ADD_VERSION], ARGS(id, title, language, test->ranges, test->key, test->questions)) !=
		DB_ROW)
		return;
	int64_t version = db_int(row, 0), pk = db_int(row, 1);
	db_end(row);
	(void)!db_run(db, placement_sql[ADD],
		ARGS(pk, id, version, title, language, head[PLACEMENT_MINUTES], value_integer(head[PLACEMENT_ATTEMPTS], 1),
			value_truth(head[PLACEMENT_SHUFFLE], false), value_truth(head[PLACEMENT_PUBLISHED], true), test->count,
			now, head[PLACEMENT_DESCRIPTION]),
		NULL);
}

/* The version of the test after the change: a new one where something of it changes. False: no such test. */
static bool
change_version(struct db *db, const struct placement *test, const char *id, int64_t *pk, int64_t *version)
{
	const struct value title = test->head[PLACEMENT_TITLE], language = test->head[PLACEMENT_LANGUAGE];
	struct db_rows *row;

	if (db_one(db, &row, placement_sql[VERSION_NOW], ARGS(id, title, language, test->ranges)) != DB_ROW)
		return false;
	*pk = db_int(row, 0);
	*version = db_int(row, 1);
	bool asked = !test->questions || *version == test->asked_by, changed = db_flag(row, 2);
	db_end(row);
	if ((changed || !asked) &&
		db_one(db, &row, placement_sql[NEW_VERSION],
			ARGS(*version, title, language, test->ranges, asked ? value_null() : test->key,
				asked ? NULL : test->questions)) == DB_ROW) {
		*version = db_int(row, 0);
		db_end(row);
	}
	return true;
}

bool
placement_change(struct db *db, const struct placement *test, const char *id, int64_t now)
{
	const struct value *head = test->head;
	int64_t pk, version;

	if (!change_version(db, test, id, &pk, &version))
		return false;
	(void)!db_run(db, placement_sql[CHANGE],
		ARGS(pk, version, head[PLACEMENT_TITLE], head[PLACEMENT_DESCRIPTION], (bool)head[PLACEMENT_MINUTES].named,
			head[PLACEMENT_MINUTES], head[PLACEMENT_ATTEMPTS], head[PLACEMENT_SHUFFLE], head[PLACEMENT_PUBLISHED],
			head[PLACEMENT_LANGUAGE], test->count, now),
		NULL);
	(void)!db_run(db, placement_sql[SWEEP], ARGS(pk, version), NULL);
	return true;
}

const char *
placement_delete(struct db *db, struct arena *arena, const char *id)
{
	struct db_rows *row;

	if (db_one(db, &row, placement_sql[REMOVE], ARGS(id)) != DB_ROW)
		return NULL;
	int64_t pk = db_int(row, 0);
	const char *title = arena_string(arena, db_text(row, 1));
	db_end(row);
	(void)!db_run(db, placement_sql[SWEEP], ARGS(pk, 0), NULL);
	return title;
}
