#include "material.h"

#include "sql.h"

enum { ADD, CHANGE, REMOVE, ADD_PDF, REMOVE_PDF };

static const char *const material_sql[] = {
	[ADD] = "INSERT INTO material (id, title, description, locale, level, videos, created_at, updated_at, folded)"
		" VALUES (?1, ?2, coalesce(?3, ''), ?4, ?5, coalesce(?6, '[]'), ?7, ?7, " SQL_FOLD("?2, ?3") ") RETURNING pk",
	/* ?5 and ?6: whether the level changes, and to what */
	[CHANGE] =
		"UPDATE material SET title = coalesce(?2, title), description = coalesce(?3, description), locale = coalesce(?4, locale),"
		" level = CASE WHEN ?5 THEN ?6 ELSE level END, videos = coalesce(?7, videos), updated_at = ?8,"
		" folded = " SQL_FOLD("coalesce(?2, title), coalesce(?3, description)") " WHERE id = ?1 RETURNING pk",
	[REMOVE] = "DELETE FROM material WHERE id = ?1 RETURNING title",
	[ADD_PDF] =
		"INSERT INTO material_pdf (id, material, file, title) VALUES (?1, ?2, (SELECT pk FROM file WHERE key = ?3), ?4)",
	[REMOVE_PDF] = "DELETE FROM material_pdf WHERE id = ?1 AND material = ?2",
};
const struct db_statements material_statements = { material_sql, COUNT(material_sql) };

bool
material_add(struct db *db, const char *id, const struct material *m, int64_t now, int64_t *pk)
{
	return db_number(db, pk, material_sql[ADD], ARGS(id, m->title, m->description, m->locale, m->level, m->videos, now)) ==
		DB_ROW;
}

bool
material_change(struct db *db, const char *id, const struct material *m, int64_t now, int64_t *pk)
{
	return db_number(db, pk, material_sql[CHANGE],
		       ARGS(id, m->title, m->description, m->locale, m->names_level, m->level, m->videos, now)) == DB_ROW;
}

enum db_rc
material_delete(struct db *db, struct db_rows **row, const char *id)
{
	return db_one(db, row, material_sql[REMOVE], ARGS(id));
}

void
material_add_pdf(struct db *db, const char *id, int64_t material, const char *key, const char *title)
{
	db_change(db, material_sql[ADD_PDF], ARGS(id, material, key, title));
}

bool
material_remove_pdf(struct db *db, const char *id, int64_t material)
{
	return db_change(db, material_sql[REMOVE_PDF], ARGS(id, material)) > 0;
}
