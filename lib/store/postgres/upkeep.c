/* Checks and settings for migrations; what the server does by itself is nothing here. */
#include "admin.h"

/* Foreign keys are checked always: a migration that needs them off says so for its own tables. */
bool
admin_check_references(struct db *db, bool on, char *why, size_t room)
{
	(void)db, (void)on, (void)why, (void)room;
	return true;
}

bool
admin_orphans(struct db *db, db_row_call *found, void *context, char *why, size_t room)
{
	(void)db, (void)found, (void)context, (void)why, (void)room;
	return true;
}

bool
admin_set_version(struct db *db, int version, char *why, size_t room)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "UPDATE schema_version SET version = %d", version);
	return db_script(db, sql, false, why, room) == DB_DONE;
}

/* Reads every table, so that a damaged page is found; the server's checksums find one in which a bit has changed. */
bool
admin_verify(struct db *db, bool quick, db_row_call *found, void *context, char *why, size_t room)
{
	static const char sql[] =
		"DO $$ DECLARE r record; BEGIN FOR r IN SELECT oid::regclass AS name FROM pg_class WHERE relkind = 'r'"
		" AND relnamespace = current_schema()::regnamespace LOOP EXECUTE format('SELECT count(t) FROM %s AS t', r.name);"
		" END LOOP; END $$";

	(void)found, (void)context;
	return quick || db_shell(db, sql, false, NULL, NULL, why, room) == DB_DONE;
}

bool
admin_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room)
{
	(void)db, (void)path, (void)progress, (void)context;
	return text_complain(why, room, "a database of PostgreSQL is copied by pg_dump");
}

int64_t
admin_copy_size(struct db *db)
{
	static const char sql[] = "SELECT pg_database_size(current_database())";
	int64_t size = -1;

	(void)!db_number(db, &size, sql, NO_ARGS);
	db_release(db);
	return size;
}

int64_t
admin_log_size(const struct db *db)
{
	(void)db;
	return 0;
}

enum db_rc
admin_trim(struct db *db)
{
	(void)db;
	return DB_DONE;
}

bool
admin_cache(struct db *db, int kib, char *why, size_t room)
{
	(void)db, (void)kib, (void)why, (void)room;
	return true;
}
