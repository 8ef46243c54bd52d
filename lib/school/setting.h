/*
 * setting - the school's settings: a key and any JSON, kept as it came, with every version that there was.
 */
#ifndef OKUL_SETTING_H
#define OKUL_SETTING_H

#include "base.h"
#include "db.h"

#define SETTING_KEY_MAX 100		/* characters, see text_is_key() */
#define SETTING_VALUE_MAX 65536		/* bytes of JSON text */
#define SETTING_DESCRIPTION_MAX 500	/* code points */

extern const struct db_statements setting_statements;

struct setting {
	const char *key;
	const char *value;		/* JSON text, checked */
	bool describes;			/* false: the description stays as it is; of a new setting it is NULL */
	const char *description;	/* NULL: none */
	enum { AS_IT_IS, IS_PRIVATE, IS_PUBLIC } access;	/* of a new setting public, unless it says private */
	const char *actor_id, *actor_email;	/* who wants it so; NULL: the operator */
};

enum setting_change {
	SETTING_SAME,			/* all was so already: nothing is written */
	SETTING_CHANGED,
	SETTING_ADDED,
};

/*
 * Makes the setting so, adding it where there is none; notes the version and, in the audit, who did it ("setting.added",
 * "setting.changed" with the names of what changed). Inside a write transaction; a failure sticks to db.
 */
enum setting_change setting_put(struct db *db, int64_t now, const struct setting *setting);

#endif
