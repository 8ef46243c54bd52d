#include "setting.h"

#include "audit.h"
#include "random.h"

enum { FIND, ADD, CHANGE, NOTE };

/* ?1 key, ?2 value, ?3 whether the description changes, ?4 description, ?5 whether public (NULL: unchanged) */
static const char *const setting_sql[] = {
	[FIND] =
		"SELECT id, value <> ?2, ?3 AND description IS DISTINCT FROM ?4, CAST(?5 AS BOOLEAN) IS NOT NULL AND is_public <> ?5"
		" FROM setting WHERE key = ?1",
	[ADD] = "INSERT INTO setting (id, key, is_public, created_at, updated_at, description, value)"
		" VALUES (?6, ?1, coalesce(?5, TRUE), ?7, ?7, CASE WHEN ?3 THEN ?4 END, ?2)",
	[CHANGE] = "UPDATE setting SET value = ?2, description = CASE WHEN ?3 THEN ?4 ELSE description END,"
		   " is_public = coalesce(?5, is_public), updated_at = ?6 WHERE key = ?1",
	[NOTE] = "INSERT INTO setting_version (key, version, at, actor_id, actor_email, is_public, description, value)"
		 " SELECT key, 1 + coalesce((SELECT max(version) FROM setting_version WHERE key = ?1), 0), ?2, ?3, ?4,"
		 " is_public, description, value FROM setting WHERE key = ?1",
};
const struct db_statements setting_statements = { setting_sql, COUNT(setting_sql) };

static void
note(struct db *db, int64_t now, const struct setting *setting, const char *id, const char *action, const char *what)
{
	db_change(db, setting_sql[NOTE], ARGS(setting->key, now, setting->actor_id, setting->actor_email));
	audit_add(db, now, &(struct audit){ setting->actor_id, setting->actor_email, action, id, setting->key, NULL, what });
}

enum setting_change
setting_put(struct db *db, int64_t now, const struct setting *setting)
{
	struct value access = setting->access == AS_IT_IS ? value_null() : value_bool(setting->access == IS_PUBLIC);
	struct db_rows *row;
	char id[ID_TEXT], what[64];

	if (db_one(db, &row, setting_sql[FIND],
		    ARGS(setting->key, setting->value, setting->describes, setting->description, access)) != DB_ROW) {
		random_id(id);
		db_change(db, setting_sql[ADD],
			ARGS(setting->key, setting->value, setting->describes, setting->description, access, id, now));
		note(db, now, setting, id, "setting.added", NULL);
		return SETTING_ADDED;
	}
	snprintf(id, sizeof(id), "%s", db_text(row, 0));
	snprintf(what, sizeof(what), "%s%s%s", db_flag(row, 1) ? ", value" : "", db_flag(row, 2) ? ", description" : "",
		db_flag(row, 3) ? ", isPublic" : "");
	db_end(row);
	if (!what[0])
		return SETTING_SAME;
	db_change(db, setting_sql[CHANGE],
		ARGS(setting->key, setting->value, setting->describes, setting->description, access, now));
	note(db, now, setting, id, "setting.changed", what + 2);
	return SETTING_CHANGED;
}
