#include "attempt.h"
#include "sql.h"

enum { DUE, USER_DUE, CLOSE, BEGIN, SAVE, RECORD, REMOVE, REMOVE_RESULT, VERSION };

#define DUE_COLUMNS \
	"SELECT attempt.id, attempt.user_pk, attempt.test, attempt.version, attempt.deadline, attempt.chosen," \
	" version.answer_key, version.level_ranges, version.target_language" \
	" FROM attempt" SQL_JOIN "test_version AS version ON version.pk = attempt.version WHERE attempt.deadline < ?1"

static const char *const attempt_sql[] = {
	[DUE] = DUE_COLUMNS " ORDER BY attempt.deadline LIMIT ?2",
	[USER_DUE] = DUE_COLUMNS " AND attempt.user_pk = ?3 ORDER BY attempt.deadline LIMIT ?2",
	[CLOSE] = "DELETE FROM attempt WHERE id = ?1 AND chosen IS NOT DISTINCT FROM ?2",
	[BEGIN] =
		"INSERT INTO attempt (id, user_pk, test, version, started_at, deadline, seed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SAVE] = "UPDATE attempt SET chosen = ?2 WHERE pk = ?1",
	[RECORD] =
		"INSERT INTO result (id, user_pk, test, version, attempt, total_score, correct_count, question_count, level,"
		" target_language, completed_at, chosen) VALUES (?1, ?2, ?3, ?4,"
		" 1 + coalesce((SELECT max(attempt) FROM result WHERE user_pk = ?2 AND test = ?3), 0), ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
		" RETURNING attempt",
	[REMOVE] = "DELETE FROM attempt WHERE pk = ?1",
	[REMOVE_RESULT] = "DELETE FROM result WHERE id = ?1 RETURNING (SELECT email FROM users WHERE users.pk = result.user_pk),"
			  " (SELECT title FROM test_version WHERE test_version.pk = version), total_score, level",
	[VERSION] = "SELECT answer_key, level_ranges, target_language, test_id, title, questions FROM test_version WHERE pk = ?1",
};
const struct db_statements attempt_statements = { attempt_sql, COUNT(attempt_sql) };

/* ---- versions */

#define KEPT 4
#define KEEP_SIZE (64 * 1024) /* bytes of one: 60 questions of ordinary length, parsed */

static const char *
keep(char **at, const char *text)
{
	size_t size = strlen(text) + 1;
	const char *kept = memcpy(*at, text, size);

	*at += size;
	return kept;
}

/* Copies the current row into the memory at `at`. */
static void
copy_version(struct test_version *version, const struct db_rows *row, int questions, char *at)
{
	size_t length = db_size(row, 0);
	struct quiz_question *question = (struct quiz_question *)at;

	at += (size_t)questions * sizeof(*question);
	version->key = value_blob(memcpy(at, db_blob(row, 0), length), length);
	at += length;
	version->ranges = keep(&at, db_text(row, 1));
	version->language = keep(&at, db_text(row, 2));
	version->test_id = keep(&at, db_text(row, 3));
	version->title = keep(&at, db_text(row, 4));
	version->count = quiz_split(keep(&at, db_text(row, 5)), question, questions);
	version->questions = question;
}

const struct test_version *
attempt_version(struct db *db, struct arena *arena, int64_t pk)
{
	static struct {
		struct test_version version;
		char *memory;
	} kept[KEPT];
	static unsigned next;
	struct test_version *found = NULL;
	struct db_rows *row;

	for (size_t i = 0; i < KEPT; i++)
		if (kept[i].memory && kept[i].version.pk == pk)
			return &kept[i].version;
	if (db_one(db, &row, attempt_sql[VERSION], ARGS(pk)) == DB_ROW) {
		int questions = quiz_split(db_text(row, 5), NULL, QUIZ_QUESTIONS_MAX);
		size_t size = db_size(row, 0) + (size_t)questions * sizeof(struct quiz_question);
		for (int column = 1; column <= 5; column++)
			size += db_size(row, column) + 1;
		char *memory = size <= KEEP_SIZE ? malloc(size) : NULL;
		if (memory) {
			free(kept[next % KEPT].memory);
			kept[next % KEPT].memory = memory;
			found = &kept[next++ % KEPT].version;
		} else {
			memory = arena_alloc(arena, size);
			found = arena_alloc(arena, sizeof(*found));
		}
		found->pk = pk;
		copy_version(found, row, questions, memory);
	}
	db_end(row);
	return found;
}

/* ---- attempts */

void
attempt_begin(struct db *db, const struct attempt *attempt)
{
	struct value deadline = attempt->deadline ? value_int(attempt->deadline) : value_null();

	db_send(db, attempt_sql[BEGIN],
		ARGS(attempt->id, attempt->user, attempt->test, attempt->version, attempt->started_at, deadline, attempt->seed));
}

void
attempt_save(struct db *db, int64_t pk, const unsigned char *chosen, int count)
{
	db_send(db, attempt_sql[SAVE], ARGS(pk, value_blob(chosen, (size_t)count)));
}

int64_t
attempt_record(struct db *db, const struct result *result)
{
	const struct quiz_grade *grade = &result->grade;
	struct db_rows *row;
	int64_t number = 0;

	if (db_one(db, &row, attempt_sql[RECORD],
		    ARGS(result->id, result->user, result->test, result->version, grade->score, grade->correct, grade->questions,
			    grade->level, result->target_language, result->completed_at,
			    value_blob(result->chosen, (size_t)grade->questions))) == DB_ROW)
		number = db_int(row, 0);
	db_end(row);
	return number;
}

void
attempt_remove(struct db *db, int64_t pk)
{
	db_send(db, attempt_sql[REMOVE], ARGS(pk));
}

enum db_rc
attempt_remove_result(struct db *db, struct db_rows **row, const char *id)
{
	return db_one(db, row, attempt_sql[REMOVE_RESULT], ARGS(id));
}

/* ---- attempts whose time has run out */

static struct attempt_due *
grade_due(struct arena *arena, const struct db_rows *row)
{
	struct attempt_due *due = arena_alloc(arena, sizeof(*due));
	size_t length = db_size(row, 5) < sizeof(due->chosen) ? db_size(row, 5) : sizeof(due->chosen);

	due->saved = db_is_null(row, 5) ? value_null() : value_blob(due->chosen, length);
	if (length > 0)
		memcpy(due->chosen, db_blob(row, 5), length);
	due->result = (struct result){ arena_string(arena, db_text(row, 0)), db_int(row, 1), db_int(row, 2), db_int(row, 3),
		arena_string(arena, db_text(row, 8)), db_int(row, 4), due->chosen,
		quiz_grade(db_value(row, 6), due->chosen, db_text(row, 7)) };
	return due;
}

int64_t
attempt_read_due(struct db *db, struct arena *arena, int64_t now, int64_t user, int64_t limit, const struct attempt_due **first)
{
	struct db_rows *row;
	enum db_rc rc = user ? db_one(db, &row, attempt_sql[USER_DUE], ARGS(now - ATTEMPT_GRACE, limit, user))
			     : db_one(db, &row, attempt_sql[DUE], ARGS(now - ATTEMPT_GRACE, limit));
	int64_t count = 0;

	for (*first = NULL; rc == DB_ROW; rc = db_next(row), count++) {
		struct attempt_due *due = grade_due(arena, row);
		*first = due;
		first = &due->next;
	}
	db_end(row);
	return count;
}

int64_t
attempt_close(struct db *db, const struct attempt_due *due)
{
	int64_t closed = 0;

	for (; due && db_failure(db) == DB_DONE; due = due->next) {
		int64_t changed = 0;
		(void)!db_run(db, attempt_sql[CLOSE], ARGS(due->result.id, due->saved), &changed);
		if (changed > 0)
			attempt_record(db, &due->result);
		closed += changed;
	}
	return closed;
}
