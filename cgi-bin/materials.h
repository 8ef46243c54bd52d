/* materials - what the files of this group share. */
#ifndef OKUL_MATERIALS_H
#define OKUL_MATERIALS_H

#include "app.h"

#define MATERIAL_NOTE_MAX 1000		/* code points */
#define MATERIAL_IDS_MAX 500		/* in one list */

extern const struct section materials_assigning;
extern const struct shape material_response;		/* EducationMaterialResponseDto */

/* What materials_put() reads, from table `material`, and how many columns that are. */
#define MATERIAL_COLUMNS \
	"material.pk, material.id, material.title, material.description, material.locale, material.level," \
	" material.videos, material.created_at, material.updated_at"
#define MATERIAL_COLUMN_COUNT 9

/*
 * Puts the fields of material_response into the open object. The addresses of its PDFs name `user` (id; NULL: nobody), whose
 * opening of them is recorded.
 */
void materials_put(struct request *rq, const struct db_rows *row, const char *user);

/*
 * Adds a fault for each duplicate in a list of ids. Ignores what is not a list, elements that are not texts, and a list of more
 * than MATERIAL_IDS_MAX: those are faults already.
 */
void materials_check_twice(const struct request *rq, const struct value *list, const char *name, struct faults *faults);

#endif
