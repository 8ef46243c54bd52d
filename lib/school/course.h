/*
 * course - what the school offers: the rows of table `course`. All calls run inside a write transaction; a failure sticks to db.
 */
#ifndef OKUL_COURSE_H
#define OKUL_COURSE_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "value.h"

extern const struct db_statements course_statements;

/* The columns of CourseResponseDto in order, from table `course`. */
#define COURSE_COLUMNS \
	"id, title, description, language, level, price, currency, duration_weeks, image_url, position AS \"order\"," \
	" is_published, created_at, updated_at"

/* What a course is made of, in the order of the fields of the API. */
enum { COURSE_TITLE, COURSE_DESCRIPTION, COURSE_LANGUAGE, COURSE_LEVEL, COURSE_PRICE, COURSE_CURRENCY, COURSE_DURATION, COURSE_IMAGE,
	COURSE_ORDER, COURSE_PUBLISHED, COURSE_FIELDS };

/*
 * Each returns DB_ROW and the row as COURSE_COLUMNS has it (of a deletion the title), DB_DONE when there is none of that id, or
 * the failure. The row is open: db_end().
 */
/* A new one of `in`, COURSE_FIELDS values; what is null gets the default of the API. */
must_use enum db_rc course_add(struct db *db, struct db_rows **row, const char *id, const struct value *in, int64_t created_at,
	int64_t updated_at);
/* Changes what `in` names. */
must_use enum db_rc course_change(struct db *db, struct arena *arena, struct db_rows **row, const char *id, const struct value *in,
	int64_t now);
/* A draft like the course `from`, with another id and title. */
must_use enum db_rc course_copy(struct db *db, struct db_rows **row, const char *from, const char *id, const char *title,
	int64_t now);
must_use enum db_rc course_delete(struct db *db, struct db_rows **row, const char *id);

#endif
