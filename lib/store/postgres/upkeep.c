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

static void
keep_flag(void *context, const struct db_rows *row, bool first)
{
	(void)first;
	*(bool *)context = db_flag(row, 0);
}

/* An advisory lock of the session: the server releases it when the process ends, however it does. */
enum db_rc
admin_take_job(struct db *db, enum db_job job)
{
	char sql[64], why[256];
	bool taken = false;

	snprintf(sql, sizeof(sql), "SELECT pg_try_advisory_lock(1869313388, %d)", (int)job);
	enum db_rc rc = script_run(postgres_of(db), sql, keep_flag, &taken, why, sizeof(why));
	return rc == DB_DONE && !taken ? DB_TAKEN : rc;
}

/* ---- what an operator should know */

#define CLOCK_DOUBTFUL 2 /* seconds that the server's clock may differ from this machine's */
#define CLOCK_BAD 60

static const char review_sql[] =
	"SELECT current_setting('server_version'), coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),"
	" inet_server_addr() IS NULL OR host(inet_server_addr()) IN ('127.0.0.1', '::1'),"
	" has_schema_privilege(current_schema(), 'CREATE'), current_setting('fsync'), current_setting('synchronous_commit'),"
	" CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint), CAST(current_setting('max_connections') AS bigint)"
	" - CAST(current_setting('superuser_reserved_connections') AS bigint), (SELECT count(*) FROM pg_stat_activity),"
	" EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm'), current_user";

static void
review_row(const struct db_rows *row, db_review_call *found)
{
	int64_t apart = llabs(clock_now() - db_int(row, 6)) / SECOND;
	bool synced = strcmp(db_text(row, 4), "on") == 0 && strcmp(db_text(row, 5), "off") != 0;
	char text[300];

	snprintf(text, sizeof(text), "PostgreSQL %s, %lld of %lld connections in use", db_text(row, 0), (long long)db_int(row, 8),
		(long long)db_int(row, 7));
	found(db_int(row, 8) * 10 > db_int(row, 7) * 9 ? DB_DOUBTFUL : DB_GOOD, "server", text);
	found(db_flag(row, 1) || db_flag(row, 2) ? DB_GOOD : DB_DOUBTFUL, "encryption",
		db_flag(row, 1)		  ? "TLS"
			: db_flag(row, 2) ? "none, the server is this machine"
					  : "none, to another machine; add sslmode=verify-full to the URL");
	snprintf(text, sizeof(text),
		db_flag(row, 3) ? "%s may change the schema; give the programs a role that may not: conf/postgres/roles.sql"
				: "%s may not change the schema",
		db_text(row, 10));
	found(db_flag(row, 3) ? DB_DOUBTFUL : DB_GOOD, "rights", text);
	found(synced ? DB_GOOD : DB_BAD, "durability",
		synced ? "commits are synced"
		       : "fsync or synchronous_commit is off: acknowledged writes can be lost; turn it on");
	found(db_flag(row, 9) ? DB_GOOD : DB_BAD, "extension",
		db_flag(row, 9) ? "pg_trgm" : "pg_trgm is missing; as its owner run CREATE EXTENSION pg_trgm in the database");
	snprintf(text, sizeof(text),
		apart > CLOCK_DOUBTFUL ? "%lld s apart from the server's; run NTP on both" : "%lld s apart from the server's",
		(long long)apart);
	found(apart > CLOCK_BAD ? DB_BAD : apart > CLOCK_DOUBTFUL ? DB_DOUBTFUL : DB_GOOD, "clock", text);
}

void
admin_review(struct db *db, db_review_call *found)
{
	struct db_rows *row;

	if (db_one(db, &row, review_sql, NO_ARGS) == DB_ROW)
		review_row(row, found);
	else
		found(DB_BAD, "server", db_reason(db_failure(db)));
	db_end(row);
	db_release(db);
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
