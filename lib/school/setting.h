/* setting - the school's settings: keys with any JSON, stored unchanged, and all their versions. */
#ifndef OKUL_SETTING_H
#define OKUL_SETTING_H

#include "db.h"

#define SETTING_KEY_MAX 100		/* characters, see text_is_key() */
#define SETTING_VALUE_MAX 65536		/* bytes of JSON text */
#define SETTING_DESCRIPTION_MAX 500	/* code points */

extern const struct db_statements setting_statements;

struct setting {
	const char *key;
	const char *value;		/* JSON text, checked */
	bool describes;			/* false: the description is unchanged; of a new setting it is NULL */
	const char *description;	/* NULL: none */
	enum { AS_IT_IS, IS_PRIVATE, IS_PUBLIC } access;	/* AS_IT_IS makes a new setting public */
	const char *actor_id, *actor_email;	/* NULL: the operator */
};

enum setting_change {
	SETTING_SAME,			/* no difference: nothing is written */
	SETTING_CHANGED,
	SETTING_ADDED,
};

/*
 * Adds or changes a setting, stores the new version and writes the audit ("setting.added", "setting.changed" with the
 * names of the changed fields). Inside a write transaction; a failure sticks to db.
 */
enum setting_change setting_put(struct db *db, int64_t now, const struct setting *setting);

#endif
