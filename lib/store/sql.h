/*
 * sql - what statements share, and what differs between engines, each under one name. Statements are written in the
 * SQL that SQLite and PostgreSQL share; only this file has the dialect of one. `make portable` compiles with
 * SQL_POSTGRES.
 */
#ifndef OKUL_SQL_H
#define OKUL_SQL_H

/*
 * In an UPDATE, after another assignment: sets a column if the request named its field. The numbers are those of the two
 * parameters of args_changes(), lib/base/value.h.
 */
#define SQL_CHANGED(named, value, column) ", " #column " = CASE WHEN ?" #named " THEN ?" #value " ELSE " #column " END"

/* Whether a text argument is NULL; the cast tells PostgreSQL its type. */
#define SQL_UNSET(argument) "CAST(" argument " AS TEXT) IS NULL"

/* A text as it is searched and sorted: fold_text(). Each connection has this function and the next two. */
#define SQL_FOLD(text) "okul_fold(" text ")"

/*
 * Whether a folded text has all words of fold_words(); true for NULL words, so that a list without a search is whole.
 */
#define SQL_HAS_WORDS(text, words) "okul_has_words(" text ", " words ")"
/* Those of the words that the text lacks. */
#define SQL_WORDS_LEFT(text, words) "okul_words_left(" text ", " words ")"

/*
 * For each engine:
 * SQL_JOIN: a join in the written order, where that order is the plan; a planner with statistics finds it by itself.
 * SQL_BY_INDEX: after a table: read it along that index, for its order or because the index covers the statement.
 * SQL_LEAST, SQL_GREATEST: the smaller and the greater of two values that are not NULL.
 * SQL_DATE_TIME: midnight UTC of a date (YYYY-MM-DD) in milliseconds since 1970; NULL for NULL.
 * SQL_MINUTE_TEXT, SQL_SECOND_TEXT: a time in milliseconds since 1970 for people, in UTC: 2026-01-15 10:30, with
 * seconds.
 * SQL_JSON_LIST: all values of an expression in a group as a JSON array.
 * SQL_JSON_OBJECT: a JSON object; ('name', value, ...) follows.
 * SQL_JSON_NUMBERS: the elements of a JSON array of numbers, each as `value`. SQL_JSON_ONE: an array of one.
 * SQL_WORDS: the texts of a group, joined with a space.
 * SQL_NEXT_KEY: the key of the next row of a table that never reuses keys.
 * SQL_USER_TEXT_*: user_text, the search index of the users: removes the rows of user_reindex, and adds them again;
 * the key of a row, and whether it matches fold_match().
 */
#ifdef SQL_POSTGRES
#define SQL_JOIN " JOIN "
#define SQL_BY_INDEX(name) ""
#define SQL_LEAST(a, b) "least(" a ", " b ")"
#define SQL_GREATEST(a, b) "greatest(" a ", " b ")"
#define SQL_DATE_TIME(date) "CAST(extract(epoch FROM CAST(" date " AS date)) AS bigint) * 1000"
#define SQL_MINUTE_TEXT(time) "to_char(to_timestamp(" time " / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
#define SQL_SECOND_TEXT(time) "to_char(to_timestamp(" time " / 1000) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
#define SQL_JSON_LIST(value) "CAST(json_agg(" value ") AS text)"
#define SQL_JSON_OBJECT "json_build_object"
#define SQL_JSON_NUMBERS(list) \
	"(SELECT CAST(value AS bigint) AS value FROM json_array_elements_text(CAST(" list " AS json))) AS numbers"
#define SQL_JSON_ONE(value) "CAST(json_build_array(" value ") AS text)"
#define SQL_WORDS(text) "string_agg(" text ", ' ')"
#define SQL_NEXT_KEY(table) "nextval(pg_get_serial_sequence('" table "', 'pk'))"
#define SQL_USER_TEXT_REMOVE "DELETE FROM user_text WHERE pk IN (SELECT pk FROM user_reindex)"
#define SQL_USER_TEXT_ADD \
	"INSERT INTO user_text (pk, folded) SELECT users.pk, users.folded FROM user_reindex JOIN users ON users.pk = user_reindex.pk"
#define SQL_USER_TEXT_PK "user_text.pk"
#define SQL_USER_TEXT_HAS(match) "okul_has_words(user_text.folded, " match ")"
#else
#define SQL_JOIN " CROSS JOIN "
#define SQL_BY_INDEX(name) " INDEXED BY " name
#define SQL_LEAST(a, b) "min(" a ", " b ")"
#define SQL_GREATEST(a, b) "max(" a ", " b ")"
#define SQL_DATE_TIME(date) "CAST(strftime('%s', " date ") AS INTEGER) * 1000"
#define SQL_MINUTE_TEXT(time) "strftime('%Y-%m-%d %H:%M', " time " / 1000, 'unixepoch')"
#define SQL_SECOND_TEXT(time) "strftime('%Y-%m-%d %H:%M:%S', " time " / 1000, 'unixepoch')"
#define SQL_JSON_LIST(value) "json_group_array(" value ")"
#define SQL_JSON_OBJECT "json_object"
#define SQL_JSON_NUMBERS(list) "json_each(" list ")"
#define SQL_JSON_ONE(value) "json_array(" value ")"
#define SQL_WORDS(text) "group_concat(" text ", ' ')"
#define SQL_NEXT_KEY(table) \
	"1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = '" table "' /* scans: sqlite_sequence */), 0)"
#define SQL_USER_TEXT_REMOVE \
	"INSERT INTO user_text (user_text, rowid, folded) SELECT 'delete', pk, old FROM user_reindex /* scans: user_reindex */" \
	" WHERE old IS NOT NULL"
#define SQL_USER_TEXT_ADD \
	"INSERT INTO user_text (rowid, folded) SELECT users.pk, users.folded FROM user_reindex /* scans: user_reindex */" \
	SQL_JOIN "users ON users.pk = user_reindex.pk"
#define SQL_USER_TEXT_PK "user_text.rowid"
#define SQL_USER_TEXT_HAS(match) "user_text MATCH " match
#endif

#endif
