/*
 * material - education materials and their PDFs, tables `material` and `material_pdf`. All calls run inside a write
 * transaction; a failure sticks to db.
 */
#ifndef OKUL_MATERIAL_H
#define OKUL_MATERIAL_H

#include "db.h"

extern const struct db_statements material_statements;

/* Texts are borrowed. NULL leaves a value unchanged; in a new material, description and videos may be NULL for none. */
struct material {
	const char *title, *description, *locale;
	const char *videos;		/* JSON as the API shows it, with ids */
	bool names_level;		/* in a change: false leaves the level unchanged */
	const char *level;		/* NULL: none */
};

/* `*pk` gets the key. Return false when there is no material of that id, or the database failed. */
must_use bool material_add(struct db *db, const char *id, const struct material *material, int64_t now, int64_t *pk);
must_use bool material_change(struct db *db, const char *id, const struct material *material, int64_t now, int64_t *pk);

/* Deletes it with its PDFs and assignments. Returns DB_ROW and a row with the title, or DB_DONE when there is none. */
must_use enum db_rc material_delete(struct db *db, struct db_rows **row, const char *id);

/* Adds a PDF with that id; `key` is the key of its file. */
void material_add_pdf(struct db *db, const char *id, int64_t material, const char *key, const char *title);
/* Returns false when the material has no such PDF. */
must_use bool material_remove_pdf(struct db *db, const char *id, int64_t material);

#endif
