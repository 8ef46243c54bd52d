/* Checks and settings for migrations. */
#include "engine.h"

bool
db_verify(struct db *db, bool quick, db_row_call *found, void *context, char *why, size_t room)
{
	const char *sql = quick ? "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'"
				: "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'";

	return db_shell(db, sql, false, found, context, why, room) == DB_DONE;
}

bool
db_orphans(struct db *db, db_row_call *found, void *context, char *why, size_t room)
{
	static const char sql[] = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY \"table\"";

	return db_shell(db, sql, false, found, context, why, room) == DB_DONE;
}

static bool
set_pragma(struct db *db, const char *name, int value, bool loose, char *why, size_t room)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA %s = %d", name, value);
	return db_script(db, sql, loose, why, room) == DB_DONE;
}

bool
db_check_references(struct db *db, bool on, char *why, size_t room)
{
	return set_pragma(db, "foreign_keys", on, true, why, room);
}

bool
db_set_version(struct db *db, int version, char *why, size_t room)
{
	return set_pragma(db, "user_version", version, false, why, room);
}

bool
db_cache(struct db *db, int kib, char *why, size_t room)
{
	return set_pragma(db, "cache_size", -kib, true, why, room);
}
