/* Checks and settings for migrations. */
#include "sqlite.h"

enum db_rc
sqlite_take_job(struct db *base, enum db_job job)
{
	(void)base, (void)job;
	return DB_DONE;
}

void
sqlite_review(struct db *base, db_review_call *found)
{
	(void)base, (void)found;
}

bool
sqlite_verify(struct db *base, bool quick, db_row_call *found, void *context, char *why, size_t room)
{
	const char *sql = quick ? "SELECT quick_check FROM pragma_quick_check WHERE quick_check <> 'ok'"
				: "SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'";

	return sqlite_shell(base, sql, false, found, context, why, room) == DB_DONE;
}

bool
sqlite_orphans(struct db *base, db_row_call *found, void *context, char *why, size_t room)
{
	static const char sql[] = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY \"table\"";

	return sqlite_shell(base, sql, false, found, context, why, room) == DB_DONE;
}

static bool
set_pragma(struct db *base, const char *name, int value, bool loose, char *why, size_t room)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "PRAGMA %s = %d", name, value);
	return sqlite_script(base, sql, loose, why, room) == DB_DONE;
}

bool
sqlite_check_references(struct db *base, bool on, char *why, size_t room)
{
	return set_pragma(base, "foreign_keys", on, true, why, room);
}

bool
sqlite_set_version(struct db *base, int version, char *why, size_t room)
{
	return set_pragma(base, "user_version", version, false, why, room);
}

bool
sqlite_cache(struct db *base, int kib, char *why, size_t room)
{
	return set_pragma(base, "cache_size", -kib, true, why, room);
}
