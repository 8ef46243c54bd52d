#include "placement.h"

#include "json_write.h"
#include "quiz.h"
#include "random.h"
#include "sql.h"

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

enum { ADD_VERSION, ADD, VERSION_NOW, NEW_VERSION, CHANGE, REMOVE, SWEEP, UNUSED, DROP_UNUSED };

/* ?1 is of no use to it. */
#define IS_UNUSED \
	"CAST(?1 AS BIGINT) IS NOT NULL AND NOT EXISTS (SELECT 1 FROM test WHERE version = test_version.pk)" \
	" AND NOT EXISTS (SELECT 1 FROM result WHERE version = test_version.pk)" \
	" AND NOT EXISTS (SELECT 1 FROM attempt WHERE version = test_version.pk)"

static const char *const placement_sql[] = {
	/* The version comes first, since the test refers to it, and is told which key the test will have. */
	[ADD_VERSION] = "INSERT INTO test_version (test, test_id, title, target_language, level_ranges, answer_key, questions)"
		" VALUES (" SQL_NEXT_KEY("test") ", ?1, ?2, ?3, ?4, ?5, ?6) RETURNING pk, test",
	[ADD] = "INSERT INTO test (pk, id, version, title, target_language, duration_minutes, max_attempts, shuffle,"
		" is_published, question_count, created_at, updated_at, folded, description)"
		" VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), ?7, ?8, ?9, ?10, ?11, ?11, " SQL_FOLD("?4, ?12") ", coalesce(?12, ''))",
	/* Which version a test has, and whether a change of words around the questions is one. */
	[VERSION_NOW] = "SELECT test.pk, now.pk, coalesce(?2 <> now.title, FALSE) OR coalesce(?3 <> now.target_language, FALSE)"
		" OR coalesce(?4 <> level_ranges, FALSE) FROM test JOIN test_version AS now ON now.pk = test.version WHERE test.id = ?1",
	[NEW_VERSION] = "INSERT INTO test_version (test, test_id, title, target_language, level_ranges, answer_key, questions)"
		" SELECT test, test_id, coalesce(?2, title), coalesce(?3, target_language), coalesce(?4, level_ranges),"
		" coalesce(?5, answer_key), coalesce(?6, questions) FROM test_version WHERE pk = ?1 RETURNING pk",
	/* ?5 and ?6: whether the limit of time changes, and to what */
	[CHANGE] = "UPDATE test SET version = ?2, title = coalesce(?3, title), description = coalesce(?4, description),"
		" duration_minutes = CASE WHEN ?5 THEN nullif(?6, 0) ELSE duration_minutes END,"
		" max_attempts = coalesce(?7, max_attempts), shuffle = coalesce(?8, shuffle), is_published = coalesce(?9, is_published),"
		" target_language = coalesce(?10, target_language), question_count = coalesce(nullif(?11, 0), question_count),"
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

/* {"id":"...","text":"..." : how both a question and an option begin. */
static void
put_head(struct buf *out, cJSON *object, const char *id)
{
	cJSON_DeleteItemFromObjectCaseSensitive(object, "id");
	cJSON_AddStringToObject(object, "id", id);	/* for the key */
	json_put_object(out, NULL);
	json_put_text(out, "id", id);
	json_put_text(out, "text", field_text(object, "text"));
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
		put_head(out, option, ids[i++]);
		json_put_bool(out, "isCorrect", field_bool(option, "isCorrect", false));
		json_put_end_object(out);
	}
}

static void
put_question(struct buf *out, cJSON *question, int order)
{
	char id[ID_TEXT];

	random_id(id);
	put_head(out, question, id);
	json_put_number(out, "points", field_number(question, "points", 1));
	json_put_text(out, "mediaUrl", field_text(question, "mediaUrl"));
	json_put_int(out, "order", order);
	json_put_list(out, "options");
	put_options(out, json_get(question, "options"));
	json_put_end_list(out);
	json_put_end_object(out);
}

void
placement_set_questions(struct placement *test, struct arena *arena, cJSON *questions)
{
	struct buf text = { .arena = arena }, key = text;
	cJSON *question;

	test->count = 0;
	json_put_list(&text, NULL);
	cJSON_ArrayForEach(question, questions)
		put_question(&text, question, test->count++);
	json_put_end_list(&text);
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
	json_put_text(room, NULL, text);
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

	json_put_list(&text, NULL);
	cJSON_ArrayForEach(range, ranges) {
		json_put_object(&text, NULL);
		json_put_text(&text, "level", field_text(range, "level"));
		json_put_number(&text, "minScore", field_number(range, "minScore", 0));
		json_put_number(&text, "maxScore", field_number(range, "maxScore", 0));
		json_put_end_object(&text);
	}
	json_put_end_list(&text);
	return text.s;
}

struct placement *
placement_of(struct arena *arena, const cJSON *body)
{
	struct placement *test = arena_alloc(arena, sizeof(*test));
	const cJSON *ranges = json_get(body, "levelRanges");

	*test = (struct placement){ field_text(body, "title"), field_text(body, "description"), field_text(body, "targetLanguage"),
		field_int(body, "durationMinutes", 0), field_int(body, "maxAttempts", 1), field_bool(body, "shuffle", false),
		field_bool(body, "isPublished", true), .ranges = ranges ? ranges_text(arena, ranges) : NULL,
		.names_minutes = field_has(body, "durationMinutes"), .names_attempts = field_has(body, "maxAttempts"),
		.names_shuffle = field_has(body, "shuffle"), .names_published = field_has(body, "isPublished") };
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

/*
 * The version that the test has from now on: the same where nothing of it changes, else a new one. False when there is no such
 * test.
 */
static bool
change_version(struct db *db, struct placement *test, const char *id, int64_t *pk, int64_t *version)
{
	struct db_rows *row;

	if (db_one(db, &row, placement_sql[VERSION_NOW], ARGS(id, test->title, test->language, test->ranges)) != DB_ROW)
		return false;
	*pk = db_int(row, 0);
	*version = db_int(row, 1);
	if (*version == test->asked_by) {
		test->questions = NULL;
		test->key = value_null();
	}
	bool changed = test->questions || db_flag(row, 2);
	db_end(row);
	if (changed && db_one(db, &row, placement_sql[NEW_VERSION],
			ARGS(*version, test->title, test->language, test->ranges, test->key, test->questions)) == DB_ROW) {
		*version = db_int(row, 0);
		db_end(row);
	}
	return true;
}

bool
placement_change(struct db *db, struct placement *test, const char *id, int64_t now)
{
	int64_t pk, version;

	if (!change_version(db, test, id, &pk, &version))
		return false;
	(void)!db_run(db, placement_sql[CHANGE], ARGS(pk, version, test->title, test->description, test->names_minutes,
		test->minutes, test->names_attempts ? value_int(test->attempts) : value_null(),
		test->names_shuffle ? value_bool(test->shuffle) : value_null(),
		test->names_published ? value_bool(test->published) : value_null(), test->language, test->count, now), NULL);
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

enum db_rc
placement_expire_versions(struct db *db, int64_t until, int64_t limit, int64_t *count)
{
	return expiry_run(db, placement_sql + UNUSED, until, limit, count);
}
