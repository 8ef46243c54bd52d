#include "course.h"

#include "field.h"

enum { ADD, CHANGE, COPY, REMOVE };

static const char *const course_sql[] = {
	[ADD] =
		"INSERT INTO course (id, title, description, language, level, price, currency, duration_weeks, image_url, position,"
		" is_published, created_at, updated_at)"
		" VALUES (?1, ?2, ifnull(?3, ''), ?4, ?5, ?6, ifnull(?7, 'TRY'), nullif(?8, 0), ?9, ?10, ?11, ?12, ?13)"
		" RETURNING " COURSE_COLUMNS,
	[CHANGE] =
		"UPDATE course SET " FIELD_CHANGED("title", "title") FIELD_CHANGED("description", "description")
		FIELD_CHANGED("language", "language") FIELD_CHANGED("level", "level") "price = coalesce(?2, price), "
		FIELD_CHANGED("currency", "currency") FIELD_CHANGED("duration_weeks", "durationWeeks")
		FIELD_CHANGED("image_url", "imageUrl") FIELD_CHANGED("position", "order")
		FIELD_CHANGED("is_published", "isPublished") "updated_at = ?3 WHERE id = ?4 RETURNING " COURSE_COLUMNS,
	[COPY] =
		"INSERT INTO course (id, title, description, language, level, price, currency, duration_weeks, image_url, position,"
		" is_published, created_at, updated_at) SELECT ?2, ?3, description, language, level, price, currency, duration_weeks,"
		" image_url, position, 0, ?4, ?4 FROM course WHERE id = ?1 RETURNING " COURSE_COLUMNS,
	[REMOVE] = "DELETE FROM course WHERE id = ?1 RETURNING title",
};
const struct db_statements course_statements = { course_sql, COUNT(course_sql) };

enum db_rc
course_add(struct db *db, struct db_rows **row, const char *id, const struct course *c, int64_t created_at, int64_t updated_at)
{
	return db_one(db, row, course_sql[ADD], ARGS(id, c->title, c->description, c->language, c->level, c->price, c->currency,
		c->weeks, c->image_url, c->position, c->is_published, created_at, updated_at));
}

enum db_rc
course_change(struct db *db, struct db_rows **row, const char *id, const char *changes, struct value price, int64_t now)
{
	return db_one(db, row, course_sql[CHANGE], ARGS(changes, price, now, id));
}

enum db_rc
course_copy(struct db *db, struct db_rows **row, const char *from, const char *id, const char *title, int64_t now)
{
	return db_one(db, row, course_sql[COPY], ARGS(from, id, title, now));
}

enum db_rc
course_delete(struct db *db, struct db_rows **row, const char *id)
{
	return db_one(db, row, course_sql[REMOVE], ARGS(id));
}
