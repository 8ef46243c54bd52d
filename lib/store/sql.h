/*
 * sql - what statements share, under one name each.
 */
#ifndef OKUL_SQL_H
#define OKUL_SQL_H

/* In an UPDATE: the column keeps its value unless the request named its field. Two parameters: args_changes(), lib/base/value.h. */
#define SQL_CHANGED(named, value, column) "CASE WHEN " named " THEN " value " ELSE " column " END"

#endif
