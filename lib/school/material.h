/*
 * material - education materials and their PDFs: the rows of tables `material` and `material_pdf`. All calls run inside a write
 * transaction; a failure sticks to db.
 */
#ifndef OKUL_MATERIAL_H
#define OKUL_MATERIAL_H

#include "base.h"
#include "db.h"

extern const struct db_statements material_statements;

/* Texts are borrowed. Of a change NULL is what stays as it is; of a new one a description or videos that there are not. */
struct material {
	const char *title, *description, *locale;
	const char *videos;		/* JSON as the API shows it, with ids */
	bool names_level;		/* of a change: false leaves the level as it is */
	const char *level;		/* NULL: none */
};

/* `*pk` gets the key. Return false when there is none of that id, or the database failed. */
must_use bool material_add(struct db *db, const char *id, const struct material *material, int64_t now, int64_t *pk);
must_use bool material_change(struct db *db, const char *id, const struct material *material, int64_t now, int64_t *pk);

/* DB_ROW and a row with the title of what was deleted, DB_DONE when there is none. PDFs and assignments go with it. */
must_use enum db_rc material_delete(struct db *db, struct db_rows **row, const char *id);

/* A PDF under that id; `key` is that of its file. */
void material_add_pdf(struct db *db, const char *id, int64_t material, const char *key, const char *title);
/* False when the material has no such PDF. */
must_use bool material_remove_pdf(struct db *db, const char *id, int64_t material);

#endif
