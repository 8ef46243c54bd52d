/*
 * user_import - reads a table of users (CSV, as spreadsheets write it) row by row, checks it, and adds its users. For
 * `okulctl user import` and POST /users/import, which say what the table may hold.
 *
 *	user_import_open(&im, file)			the headings; a date with the month first refuses the whole table
 *	while (user_import_read(&im, &row))		a row, with all that is wrong with it
 *		user_import_check(&im, db, &row)	addresses and user names that are taken
 *	user_import_add(db, &row, actor)		inside a write transaction
 *	user_import_clear(&im)
 *
 * It needs json_use(): cells become JSON before they are checked as fields of the API.
 */
#ifndef OKUL_USER_IMPORT_H
#define OKUL_USER_IMPORT_H

#include "conf.h"
#include "csv.h"
#include "db.h"
#include "user.h"

enum { USER_IMPORT_EMAIL, USER_IMPORT_USERNAME, USER_IMPORT_ID, USER_IMPORT_UNIQUE };

extern const struct db_statements user_import_statements;

struct user_import {
	/* set by the caller */
	const struct conf *conf;
	enum language language;		/* of what is said about rows and headings */
	struct arena *rows;		/* of rows: may be reset between them */
	struct arena *whole;		/* of the whole table */
	/* set by user_import_open() where it fails: a sentence */
	const char *why;
	size_t line;			/* that it is about; 0: the table */
	bool is_unknown_column;		/* it is about a heading that is none */

	/* private */
	struct csv csv;
	const struct field *columns[CSV_FIELDS_MAX];	/* NULL: one without heading */
	const char *headings[CSV_FIELDS_MAX];
	size_t column_count;
	void *seen[USER_IMPORT_UNIQUE];	/* trees (tsearch()): the values of the table so far */
};

struct user_import_row {
	size_t line;			/* of the table, from 1 */
	struct user_new user;		/* of a good row */
	struct user_import_error { const char *text; struct user_import_error *next; } *first, **last;	/* NULL: the row is good */
	bool is_known;			/* a user has the address; also an error */

	/* private */
	char id[ID_TEXT];
	const struct value *in;
	cJSON *cells;			/* by the names of fields */
	const char *country, *phone;	/* cells that are read together; NULL: empty */
};

/* `file` is seekable; it is borrowed until user_import_clear(). False with `why` when no row can be read. */
must_use bool user_import_open(struct user_import *im, FILE *file);
void user_import_clear(struct user_import *im);

enum user_import_rc { USER_IMPORT_ROW, USER_IMPORT_END, USER_IMPORT_BROKEN };

/* The next row. BROKEN: the file cannot be read further, see errno. */
must_use enum user_import_rc user_import_read(struct user_import *im, struct user_import_row *row);

/* Adds an error for each value that a user has already. A failure sticks to db. */
void user_import_check(struct user_import *im, struct db *db, struct user_import_row *row);

/* Adds the user of a good row, and audits that. Returns DB_DONE, or DB_TAKEN when somebody has taken something since. */
must_use enum db_rc user_import_add(struct db *db, const struct user_import_row *row, const char *actor_id, const char *actor_email);

/* Adds an error of the caller's own, in the arena of rows. */
void user_import_complain(struct user_import *im, struct user_import_row *row, const char *text);

#endif
