/* Checks and settings for migrations. */
#include "engine.h"

/* The caller's function for the rows of a check. */
struct finder {
	void (*damage)(void *context, const char *damage);
	void (*orphans)(void *context, const char *table, int64_t rows);
	void *context;
};

static void
on_damage(void *context, const struct db_rows *rows, bool first)
{
	struct finder *finder = context;

	(void)first;
	if (strcmp(db_text(rows, 0), "ok") != 0)
		finder->damage(finder->context, db_text(rows, 0));
}

bool
db_verify(struct db *db, bool quick, void (*found)(void *context, const char *damage), void *context, char *why, size_t room)
{
	struct finder finder = { .damage = found, .context = context };

	return db_shell(db, quick ? "PRAGMA quick_check" : "PRAGMA integrity_check", false, on_damage, &finder, why, room) == DB_DONE;
}

static void
on_orphans(void *context, const struct db_rows *rows, bool first)
{
	struct finder *finder = context;

	(void)first;
	finder->orphans(finder->context, db_text(rows, 0), db_int(rows, 1));
}

bool
db_orphans(struct db *db, void (*found)(void *context, const char *table, int64_t rows), void *context, char *why, size_t room)
{
	static const char sql[] = "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY \"table\"";
	struct finder finder = { .orphans = found, .context = context };

	return db_shell(db, sql, false, on_orphans, &finder, why, room) == DB_DONE;
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
