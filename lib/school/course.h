/* course - courses, table `course`. All calls run inside a write transaction; a failure sticks to db. */
#ifndef OKUL_COURSE_H
#define OKUL_COURSE_H

#include "db.h"

extern const struct db_statements course_statements;

/* The columns of CourseResponseDto in order. */
#define COURSE_COLUMNS \
	"id, title, description, language, level, price, currency, duration_weeks, image_url, position AS \"order\"," \
	" is_published, created_at, updated_at"

/* The values of a course, in the order of the fields of the API. */
enum { COURSE_TITLE, COURSE_DESCRIPTION, COURSE_LANGUAGE, COURSE_LEVEL, COURSE_PRICE, COURSE_CURRENCY, COURSE_DURATION, COURSE_IMAGE,
	COURSE_ORDER, COURSE_PUBLISHED, COURSE_FIELDS };

/*
 * Each returns DB_ROW and an open row of COURSE_COLUMNS (of a deleted course its title), DB_DONE when there is no
 * course of that id, or a failure. The caller calls db_end().
 */
/* Adds a course of COURSE_FIELDS values; a null value gets the default of the API. */
must_use enum db_rc course_add(struct db *db, struct db_rows **row, const char *id, const struct value *in, int64_t created_at,
	int64_t updated_at);
/* Changes the values that `in` names. */
must_use enum db_rc course_change(struct db *db, struct arena *arena, struct db_rows **row, const char *id, const struct value *in,
	int64_t now);
/* Adds an unpublished copy of the course `from` with another id and title. */
must_use enum db_rc course_copy(struct db *db, struct db_rows **row, const char *from, const char *id, const char *title,
	int64_t now);
must_use enum db_rc course_delete(struct db *db, struct db_rows **row, const char *id);

#endif
