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

/* All values of an expression of a group as one JSON list. */
#ifdef SQL_POSTGRES
#define SQL_JSON_LIST(value) "json_agg(" value ")"
#else
#define SQL_JSON_LIST(value) "json_group_array(" value ")"
#endif

#endif
