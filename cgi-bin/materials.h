/*
 * materials - what the files of this group share.
 */
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
 * Puts the fields of material_response into the object at hand. The addresses of its PDFs name `user` (id; NULL: nobody), whose
 * opening of them is noted.
 */
void materials_put(struct request *rq, const struct db_rows *row, const char *user);

/*
 * One fault for each element of a list of ids that was there before. Passes over what is no list, what is no text in it, and
 * a list of more than MATERIAL_IDS_MAX, which is a fault as a whole.
 */
void materials_check_twice(const struct request *rq, const struct value *list, const char *name, struct faults *faults);

#endif
