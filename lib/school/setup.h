/*
 * setup - the first superadmin of a school. A code that only the operator can see makes one, as long as there is none: it is
 * derived from a key of keys.conf, so nothing is stored for it, and it changes with that key.
 */
#ifndef OKUL_SETUP_H
#define OKUL_SETUP_H

#include "conf.h"
#include "db.h"

#define SETUP_CODE_LENGTH 16			/* characters, without hyphens: 78 bits */
#define SETUP_CODE_TEXT (SETUP_CODE_LENGTH + 4)	/* XXXX-XXXX-XXXX-XXXX and a NUL */

extern const struct db_statements setup_statements;

/* Whether the school has no superadmin, active or not. A failure sticks to db, and is false. */
bool setup_is_needed(struct db *db);

/* The code, from the loaded keys of the configuration. Not inside a write transaction. */
void setup_code(const struct conf *conf, char code[static SETUP_CODE_TEXT]);

/* Whether a text is the code, compared in constant time; case, hyphens and spaces do not count. Not inside a write transaction. */
must_use bool setup_code_is(const struct conf *conf, const char *text);

#endif
