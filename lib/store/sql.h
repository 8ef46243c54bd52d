/*
 * sql - what statements share, under one name each, and what differs between engines: only this file says it in the words of one.
 * Statements are written in what SQLite and PostgreSQL both read; SQL_POSTGRES gives the names PostgreSQL's meaning.
 */
#ifndef OKUL_SQL_H
#define OKUL_SQL_H

/* In an UPDATE: the column keeps its value unless the request named its field. Two parameters: args_changes(), lib/base/value.h. */
#define SQL_CHANGED(named, value, column) "CASE WHEN " named " THEN " value " ELSE " column " END"

/* Joins of which the order is the plan (SQLite takes it as written; a planner with statistics finds it), with ON behind. */
#ifdef SQL_POSTGRES
#define SQL_JOIN " JOIN "
#else
#define SQL_JOIN " CROSS JOIN "
#endif

/* Behind a table: read it along that index, for its order or for what it covers. */
#ifdef SQL_POSTGRES
#define SQL_BY_INDEX(name) ""
#else
#define SQL_BY_INDEX(name) " INDEXED BY " name
#endif

/* The smaller and the greater of two values, neither of them NULL. */
#ifdef SQL_POSTGRES
#define SQL_LEAST(a, b) "least(" a ", " b ")"
#define SQL_GREATEST(a, b) "greatest(" a ", " b ")"
#else
#define SQL_LEAST(a, b) "min(" a ", " b ")"
#define SQL_GREATEST(a, b) "max(" a ", " b ")"
#endif

/* Milliseconds of midnight UTC of a date, YYYY-MM-DD; NULL for NULL. */
#ifdef SQL_POSTGRES
#define SQL_DATE_TIME(date) "CAST(extract(epoch FROM CAST(" date " AS date)) AS bigint) * 1000"
#else
#define SQL_DATE_TIME(date) "CAST(strftime('%s', " date ") AS INTEGER) * 1000"
#endif

/* A text as it is searched and sorted: fold_text(). */
#define SQL_FOLD(text) "okul_fold(" text ")"

/*
 * Whether a folded text has all words of fold_words(): true for NULL words, which ask for nothing, so that a list without a
 * search is the whole list. And those of the words that it lacks. Each connection has both functions.
 */
#define SQL_HAS_WORDS(text, words) "okul_has_words(" text ", " words ")"
#define SQL_WORDS_LEFT(text, words) "okul_words_left(" text ", " words ")"

/* All values of an expression of a group as one JSON list. */
#ifdef SQL_POSTGRES
#define SQL_JSON_LIST(value) "CAST(json_agg(" value ") AS text)"
#else
#define SQL_JSON_LIST(value) "json_group_array(" value ")"
#endif

/* One JSON object, with ('name', value, ...) behind. */
#ifdef SQL_POSTGRES
#define SQL_JSON_OBJECT "json_build_object"
#else
#define SQL_JSON_OBJECT "json_object"
#endif

/*
 * In user_text, what is searched of the users: it forgets those of user_reindex, and reads them again; whose row it is, and
 * whether it has the words of fold_match().
 */
#ifdef SQL_POSTGRES
#define SQL_USER_TEXT_REMOVE "DELETE FROM user_text WHERE pk IN (SELECT pk FROM user_reindex)"
#define SQL_USER_TEXT_ADD \
	"INSERT INTO user_text (pk, folded) SELECT users.pk, users.folded FROM user_reindex JOIN users ON users.pk = user_reindex.pk"
#define SQL_USER_TEXT_PK "user_text.pk"
#define SQL_USER_TEXT_HAS(match) "okul_has_words(user_text.folded, " match ")"
#else
#define SQL_USER_TEXT_REMOVE \
	"INSERT INTO user_text (user_text, rowid, folded) SELECT 'delete', pk, old FROM user_reindex /* scans: user_reindex */" \
	" WHERE old IS NOT NULL"
#define SQL_USER_TEXT_ADD \
	"INSERT INTO user_text (rowid, folded) SELECT users.pk, users.folded FROM user_reindex /* scans: user_reindex */" \
	SQL_JOIN "users ON users.pk = user_reindex.pk"
#define SQL_USER_TEXT_PK "user_text.rowid"
#define SQL_USER_TEXT_HAS(match) "user_text MATCH " match
#endif

/* The elements of a list of numbers that is kept as JSON text, each as `value`; a list of one. */
#ifdef SQL_POSTGRES
#define SQL_JSON_NUMBERS(list) "(SELECT CAST(value AS bigint) AS value FROM json_array_elements_text(CAST(" list " AS json))) AS numbers"
#define SQL_JSON_ONE(value) "CAST(json_build_array(" value ") AS text)"
#else
#define SQL_JSON_NUMBERS(list) "json_each(" list ")"
#define SQL_JSON_ONE(value) "json_array(" value ")"
#endif

/* The key that the next row of a table will get whose keys are never given twice. */
#ifdef SQL_POSTGRES
#define SQL_NEXT_KEY(table) "nextval(pg_get_serial_sequence('" table "', 'pk'))"
#else
#define SQL_NEXT_KEY(table) \
	"1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = '" table "' /* scans: sqlite_sequence */), 0)"
#endif

/* A time of milliseconds since 1970 as people read it, in UTC: 2026-01-15 10:30, with seconds behind in the second. */
#ifdef SQL_POSTGRES
#define SQL_MINUTE_TEXT(time) "to_char(to_timestamp(" time " / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
#define SQL_SECOND_TEXT(time) "to_char(to_timestamp(" time " / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
#else
#define SQL_MINUTE_TEXT(time) "strftime('%Y-%m-%d %H:%M', " time " / 1000, 'unixepoch')"
#define SQL_SECOND_TEXT(time) "strftime('%Y-%m-%d %H:%M:%S', " time " / 1000, 'unixepoch')"
#endif

/* The texts of a group in one, a space between them. */
#ifdef SQL_POSTGRES
#define SQL_WORDS(text) "string_agg(" text ", ' ')"
#else
#define SQL_WORDS(text) "group_concat(" text ", ' ')"
#endif

#endif
