/*
 * sql - what statements share, and what differs between engines, each under one name. Statements are written in the
 * SQL that SQLite and PostgreSQL share; only this file has the dialect of one.
 */
#ifndef OKUL_SQL_H
#define OKUL_SQL_H

/*
 * Text for one engine and for the other. SQLite reads the first, and the second is a comment to it; the engine of
 * PostgreSQL (lib/store/postgres/dialect.c) drops the first, and all comments. They do not nest: what both have in
 * common, like the argument of a macro, stands between two of them.
 */
#define SQL_EITHER(sqlite, postgres) "/*<*/" sqlite "/*|" postgres ">*/"

/*
 * In an UPDATE, after another assignment: sets a column if the request named its field. The numbers are those of the two
 * parameters of args_changes(), lib/base/value.h.
 */
#define SQL_CHANGED(named, value, column) ", " #column " = CASE WHEN ?" #named " THEN ?" #value " ELSE " #column " END"

/* Whether a text argument is NULL; the cast tells PostgreSQL its type. */
#define SQL_UNSET(argument) "CAST(" argument " AS TEXT) IS NULL"

/* A text with A to Z as small letters, whatever the locale of the database: in a Turkish one, I is no capital i. */
#define SQL_LOWER(text) "lower(" text SQL_EITHER("", " COLLATE \"C\"") ")"

/* A text as it is searched and sorted: fold_text(). */
#define SQL_FOLD(text) "okul_fold(" text ")"

/*
 * Whether a folded text has all words of fold_words(); true for NULL words, so that a list without a search is whole.
 */
#define SQL_HAS_WORDS(text, words) \
	SQL_EITHER("okul_has_words(", "(") text SQL_EITHER(", " words, " LIKE ALL (CAST((SELECT okul_patterns(" words ")) AS text[]))") ")"
/* Those of the words that the text lacks. */
#define SQL_WORDS_LEFT(text, words) "okul_words_left(" text ", " words ")"

/* A join in the written order, where that order is the plan; a planner with statistics finds it by itself. */
#define SQL_JOIN SQL_EITHER(" CROSS JOIN ", " JOIN ")
/* Behind such a join: the order of its first rows, which it keeps on SQLite without sorting. */
#define SQL_KEEP_ORDER(order) SQL_EITHER("", " ORDER BY " order)
/* After a table: read it along that index, for its order or because the index covers the statement. */
#define SQL_BY_INDEX(name) SQL_EITHER(" INDEXED BY " name, "")

/* The smaller and the greater of two values that are not NULL. */
#define SQL_LEAST(a, b) SQL_EITHER("min", "least") "(" a ", " b ")"
#define SQL_GREATEST(a, b) SQL_EITHER("max", "greatest") "(" a ", " b ")"

/* Midnight UTC of a date (YYYY-MM-DD) in milliseconds since 1970; NULL for NULL. */
#define SQL_DATE_TIME(date) \
	SQL_EITHER("CAST(strftime('%s', ", "CAST(extract(epoch FROM CAST(") date SQL_EITHER(") AS INTEGER)", " AS date)) AS bigint)") " * 1000"
/* A time in milliseconds since 1970 for people, in UTC: 2026-01-15 10:30, with seconds. */
#define SQL_MINUTE_TEXT(time) SQL_TIME_TEXT("%H:%M", "HH24:MI", time)
#define SQL_SECOND_TEXT(time) SQL_TIME_TEXT("%H:%M:%S", "HH24:MI:SS", time)
#define SQL_TIME_TEXT(sqlite, postgres, time) \
	SQL_EITHER("strftime('%Y-%m-%d " sqlite "', ", "to_char(to_timestamp(") time " / 1000" \
	SQL_EITHER(", 'unixepoch')", ") AT TIME ZONE 'UTC', 'YYYY-MM-DD " postgres "')")

/* All values of an expression in a group as a JSON array. JSON texts have no white space: clients get them as they are. */
#define SQL_JSON_LIST(value) \
	SQL_EITHER("json_group_array(", "coalesce(CAST(array_to_json(array_agg(") value SQL_EITHER(")", ")) AS text), '[]')")
/* A JSON object of members, SQL_JSON_MEMBER() with commas between them; the name of a member is an identifier. */
#define SQL_JSON_OBJECT(members) \
	SQL_EITHER("json_object(", "(SELECT CAST(row_to_json(object) AS text) FROM (SELECT ") members SQL_EITHER(")", ") AS object)")
#define SQL_JSON_MEMBER(name, value) SQL_EITHER("'" name "', ", "") value SQL_EITHER("", " AS \"" name "\"")
/* The elements of a JSON array of numbers, each as `value`. SQL_JSON_ONE: an array of one. */
#define SQL_JSON_NUMBERS(list) \
	SQL_EITHER("json_each(", "(SELECT CAST(value AS bigint) AS value FROM json_array_elements_text(CAST(") list \
	SQL_EITHER(")", " AS json))) AS numbers")
#define SQL_JSON_ONE(value) SQL_EITHER("json_array(", "CAST(json_build_array(") value SQL_EITHER(")", ") AS text)")
/* The texts of a group, joined with a space, in the order that SQLite finds the rows in. */
#define SQL_WORDS(text, order) SQL_EITHER("group_concat", "string_agg") "(" text ", ' '" SQL_EITHER("", " ORDER BY " order) ")"

/* At the end of a SELECT of rows to change: leaves out those that another transaction is changing. */
#define SQL_SKIP_LOCKED SQL_EITHER("", " FOR UPDATE SKIP LOCKED")

/*
 * A lock on the row with this key, until SQL_LET_GO, which ends all of this process, or the process ends: of a server the
 * session holds it, whatever becomes of the transaction. SQL_IS_LEFT: nobody has it. A database of one file has no such
 * locks, and both are true.
 */
#define SQL_HOLD(pk) SQL_EITHER("true", "pg_try_advisory_lock(" pk ")")
#define SQL_IS_LEFT(pk) SQL_EITHER("true", "pg_try_advisory_xact_lock(" pk ")")
#define SQL_LET_GO SQL_EITHER("true", "pg_advisory_unlock_all()")

/* The key of the next row of a table that never reuses keys. */
#define SQL_NEXT_KEY(table) \
	SQL_EITHER("1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = '" table "' /* scans: sqlite_sequence */), 0)", \
		"nextval(pg_get_serial_sequence('" table "', 'pk'))")

/*
 * user_text, the search index of the users: removes the rows of user_reindex, adds them again, and empties
 * user_reindex. PostgreSQL keeps its index by itself: a statement without a text is not run. The key of a row, and
 * whether it matches fold_match().
 */
#define SQL_USER_TEXT_REMOVE \
	SQL_EITHER("INSERT INTO user_text (user_text, rowid, folded) SELECT 'delete', pk, old FROM user_reindex" \
		" /* scans: user_reindex */ WHERE old IS NOT NULL", "")
#define SQL_USER_TEXT_ADD \
	SQL_EITHER("INSERT INTO user_text (rowid, folded) SELECT users.pk, users.folded FROM user_reindex" \
		" /* scans: user_reindex */ CROSS JOIN users ON users.pk = user_reindex.pk", "")
#define SQL_USER_REINDEX_CLEAR SQL_EITHER("DELETE FROM user_reindex", "")
#define SQL_USER_TEXT_PK "user_text." SQL_EITHER("rowid", "pk")
#define SQL_USER_TEXT_HAS(match) \
	"user_text" SQL_EITHER(" MATCH " match, ".folded LIKE (SELECT okul_longest(" match ")) AND user_text.folded LIKE ALL " \
		"(CAST((SELECT okul_patterns(okul_match_words(" match "))) AS text[]))")

#endif
