/*
 * course - what the school offers: the rows of table `course`. All calls run inside a write transaction; a failure sticks to db.
 */
#ifndef OKUL_COURSE_H
#define OKUL_COURSE_H

#include "base.h"
#include "db.h"

extern const struct db_statements course_statements;

/* The columns of CourseResponseDto in order, from table `course`. */
#define COURSE_COLUMNS \
	"id, title, description, language, level, price, currency, duration_weeks AS durationWeeks," \
	" image_url AS imageUrl, position AS \"order\", is_published AS isPublished, created_at AS createdAt," \
	" updated_at AS updatedAt"

/* Texts are borrowed; NULL or 0 is what there is not. */
struct course {
	const char *title, *description, *language, *level;
	double price;
	const char *currency;		/* NULL: TRY */
	int64_t weeks;
	const char *image_url;
	int64_t position;
	bool is_published;
};

/*
 * Each returns DB_ROW and the row as COURSE_COLUMNS has it (of a deletion the title), DB_DONE when there is none of that id, or
 * the failure. The row is open: db_end().
 */
must_use enum db_rc course_add(struct db *db, struct db_rows **row, const char *id, const struct course *course,
	int64_t created_at, int64_t updated_at);
/* What `changes` names, JSON text of a checked body of the API. `price` is its price, or NULL: JSON text would round it. */
must_use enum db_rc course_change(struct db *db, struct db_rows **row, const char *id, const char *changes, struct value price,
	int64_t now);
/* A draft like the course `from`, with another id and title. */
must_use enum db_rc course_copy(struct db *db, struct db_rows **row, const char *from, const char *id, const char *title,
	int64_t now);
must_use enum db_rc course_delete(struct db *db, struct db_rows **row, const char *id);

#endif
