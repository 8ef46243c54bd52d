#include "course.h"

#include "sql.h"

enum { ADD, CHANGE, COPY, REMOVE };

static const char *const course_sql[] = {
	[ADD] = "INSERT INTO course (id, title, description, language, level, price, currency, duration_weeks, image_url, position,"
		" is_published, created_at, updated_at)"
		" VALUES (?1, ?2, coalesce(?3, ''), ?4, ?5, ?6, coalesce(?7, 'TRY'), ?8, ?9, ?10, ?11, ?12, ?13)"
		" RETURNING " COURSE_COLUMNS,
	[CHANGE] = "UPDATE course SET updated_at = ?2" SQL_CHANGED(3, 4, title) SQL_CHANGED(5, 6, description)
		SQL_CHANGED(7, 8, language) SQL_CHANGED(9, 10, level) SQL_CHANGED(11, 12, price) SQL_CHANGED(13, 14, currency)
			SQL_CHANGED(15, 16, duration_weeks) SQL_CHANGED(17, 18, image_url) SQL_CHANGED(19, 20, position)
				SQL_CHANGED(21, 22, is_published) " WHERE id = ?1 RETURNING " COURSE_COLUMNS,
	[COPY] =
		"INSERT INTO course (id, title, description, language, level, price, currency, duration_weeks, image_url, position,"
		" is_published, created_at, updated_at) SELECT ?2, ?3, description, language, level, price, currency, duration_weeks,"
		" image_url, position, FALSE, ?4, ?4 FROM course WHERE id = ?1 RETURNING " COURSE_COLUMNS,
	[REMOVE] = "DELETE FROM course WHERE id = ?1 RETURNING title",
};
const struct db_statements course_statements = { course_sql, COUNT(course_sql) };

enum db_rc
course_add(struct db *db, struct db_rows **row, const char *id, const struct value *in, int64_t created_at, int64_t updated_at)
{
	return db_one(db, row, course_sql[ADD],
		ARGS(id, in[COURSE_TITLE], in[COURSE_DESCRIPTION], in[COURSE_LANGUAGE], in[COURSE_LEVEL],
			value_number(in[COURSE_PRICE], 0), in[COURSE_CURRENCY], in[COURSE_DURATION], in[COURSE_IMAGE],
			value_integer(in[COURSE_ORDER], 0), value_truth(in[COURSE_PUBLISHED], true), created_at, updated_at));
}

enum db_rc
course_change(struct db *db, struct arena *arena, struct db_rows **row, const char *id, const struct value *in, int64_t now)
{
	return db_one(db, row, course_sql[CHANGE], args_changes(arena, ARGS(id, now), in, COURSE_FIELDS));
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
