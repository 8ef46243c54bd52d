/* The functions of db.h and db_admin.h: each calls that of its database's engine. */
#include "engine.h"

#include "log.h"

#include <fcntl.h>
#include <unistd.h>

static const struct engine *
engine_of(const char *place)
{
	return db_is_url(place) ? &engine_postgres : &engine_sqlite;
}

bool
db_is_url(const char *place)
{
	return strncmp(place, "postgresql://", 13) == 0 || strncmp(place, "postgres://", 11) == 0;
}

struct db *
db_open(const char *place, enum db_mode mode, int version, char *why, size_t room)
{
	return engine_of(place)->open(place, mode, version, why, room);
}

void
db_close(struct db *db)
{
	if (db)
		db->engine->close(db);
}

/* ---- statements */

enum db_rc
db_query(struct db *db, struct db_rows **rows, const char *sql, struct args args)
{
	return db->engine->query(db, rows, sql, args);
}

enum db_rc
db_next(struct db_rows *rows)
{
	return rows->engine->next(rows);
}

void
db_end(struct db_rows *rows)
{
	rows->engine->end(rows);
}

enum db_rc
db_one(struct db *db, struct db_rows **rows, const char *sql, struct args args)
{
	return db->engine->one(db, rows, sql, args);
}

enum db_rc
db_run(struct db *db, const char *sql, struct args args, int64_t *changed)
{
	return db->engine->run(db, sql, args, changed);
}

int64_t
db_change(struct db *db, const char *sql, struct args args)
{
	int64_t changed;

	return db_run(db, sql, args, &changed) == DB_DONE ? changed : 0;
}

void
db_send(struct db *db, const char *sql, struct args args)
{
	if (db->engine->send)
		db->engine->send(db, sql, args);
	else if (db_run(db, sql, args, NULL) == DB_TAKEN && db->failure == DB_DONE)
		db->failure = DB_CONFLICT;
}

enum db_rc
db_number(struct db *db, int64_t *number, const char *sql, struct args args)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, sql, args);

	if (rc == DB_ROW && number)
		*number = db_int(row, 0);
	db_end(row);
	return rc;
}

/* ---- columns */

int
db_columns(const struct db_rows *rows)
{
	return rows->engine->columns(rows);
}

const char *
db_name(const struct db_rows *rows, int column)
{
	return rows->engine->column_name(rows, column);
}

bool
db_is_null(const struct db_rows *rows, int column)
{
	return rows->engine->is_null(rows, column);
}

int64_t
db_int(const struct db_rows *rows, int column)
{
	return rows->engine->integer(rows, column);
}

double
db_real(const struct db_rows *rows, int column)
{
	return rows->engine->real(rows, column);
}

const char *
db_text(const struct db_rows *rows, int column)
{
	return rows->engine->text(rows, column);
}

const void *
db_blob(const struct db_rows *rows, int column)
{
	return rows->engine->blob(rows, column);
}

size_t
db_size(const struct db_rows *rows, int column)
{
	return rows->engine->size(rows, column);
}

bool
db_flag(const struct db_rows *rows, int column)
{
	return db_int(rows, column) != 0;
}

struct value
db_value(const struct db_rows *rows, int column)
{
	return rows->engine->value(rows, column);
}

/* ---- transactions */

enum db_rc
db_write_begin(struct db *db)
{
	enum db_rc rc = db->engine->write_begin(db);

	if (rc == DB_DONE)
		log_changes_begin();
	return rc;
}

enum db_rc
db_write_alone(struct db *db)
{
	enum db_rc rc = db->engine->write_alone(db);

	if (rc == DB_DONE)
		log_changes_begin();
	return rc;
}

enum db_rc
db_write_commit(struct db *db)
{
	if (!db->writing) {
		log_line(LOG_FAULT, "db_misused text=\"a commit without a transaction\"");
		return db->failure == DB_DONE ? db->failure = DB_ERROR : db->failure;
	}
	if (db->last && db->failure == DB_DONE)
		db->last(db);
	db->last = NULL;
	enum db_rc rc = db->engine->write_commit(db);
	log_changes_end(rc == DB_DONE);
	return rc;
}

void
db_write_rollback(struct db *db)
{
	db->last = NULL;
	db->engine->write_rollback(db);
	log_changes_end(false);
}

void
db_before_commit(struct db *db, void (*last)(struct db *db))
{
	if (!db->writing || (db->last && db->last != last)) {
		log_line(LOG_FAULT, "db_misused text=\"db_before_commit() outside of a transaction, or with two functions\"");
		if (db->failure == DB_DONE)
			db->failure = DB_ERROR;
		return;
	}
	db->last = last;
}

bool
db_writing(const struct db *db)
{
	return db->writing;
}

enum db_rc
db_flush(struct db *db)
{
	return db->engine->flush(db);
}

void
db_release(struct db *db)
{
	if (db->writing) {
		log_line(LOG_FAULT, "db_misused text=\"a write transaction was left open\"");
		db_write_rollback(db);
	}
	db->engine->release(db);
}

bool
db_sorts_itself(const struct db *db)
{
	return db->engine->sorts_itself;
}

void
db_timeout(struct db *db, int64_t milliseconds)
{
	db->engine->timeout(db, milliseconds);
}

/* ---- failures and health */

enum db_rc
db_failure(const struct db *db)
{
	return db->failure;
}

const char *
db_reason(enum db_rc rc)
{
	static const char *const reasons[] = {
		[DB_DONE] = "no failure",
		[DB_ROW] = "no failure",
		[DB_TAKEN] = "such a row already exists",
		[DB_REFUSED] = "a constraint of the schema forbids it",
		[DB_CONFLICT] = "another transaction changed the same rows; try again",
		[DB_BUSY] = "another process kept the database busy for 2 seconds; try again",
		[DB_SLOW] = "it took longer than 2 seconds and was stopped",
		[DB_FULL] = "less than 16 MiB are free on the disk (4 MiB for what deletes); make room",
		[DB_READONLY] = "the database is not writable for this user",
		[DB_LOST] = "the database server cannot be reached; the log has the reason; try again",
		[DB_UNSURE] =
			"the connection to the database server was lost during the commit: the change may have been made or not",
		[DB_BROKEN] = "the database is missing, damaged or cannot be read; the log has the reason",
		[DB_OLD] = "its schema version is not that of this program; run `okulctl migrate` and restart okul",
		[DB_ERROR] = "the statement is wrong; the log has the reason",
	};

	return reasons[rc];
}

bool
db_alive(struct db *db, int *version)
{
	return db->engine->alive(db, version);
}

bool
db_writable(struct db *db)
{
	return db->engine->writable(db);
}

bool
db_try_write(struct db *db)
{
	return db->engine->try_write(db);
}

void
db_only_deletes(struct db *db, bool only)
{
	db->engine->only_deletes(db, only);
}

/* ---- db_admin.h */

bool
db_create(const char *place, const char *schema, char *why, size_t room)
{
	return engine_of(place)->create(place, schema, why, room);
}

bool
db_adopt(const char *place, char *why, size_t room)
{
	return engine_of(place)->adopt(place, why, room);
}

bool
db_set_aside(const char *place, const char *path, char *why, size_t room)
{
	return engine_of(place)->set_aside(place, path, why, room);
}

void
db_discard(const char *place)
{
	engine_of(place)->discard(place);
}

int
db_schema_version(const char *schema)
{
	static const struct engine *const engines[] = { &engine_sqlite, &engine_postgres };
	int version = 0;

	for (size_t i = 0; i < COUNT(engines) && version == 0; i++) {
		const char *at = strstr(schema, engines[i]->version_mark);
		if (at)
			version = (int)strtol(at + strlen(engines[i]->version_mark), NULL, 10);
	}
	return version;
}

bool
db_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room)
{
	return db->engine->check(db, sql, count, why, room);
}

int
db_explain(struct db *db, const char *const *sql, size_t count, FILE *out)
{
	return db->engine->explain(db, sql, count, out);
}

enum db_rc
db_script(struct db *db, const char *sql, bool loose, char *why, size_t room)
{
	return db->engine->script(db, sql, loose, why, room);
}

enum db_rc
db_shell(struct db *db, const char *sql, bool loose, db_row_call *row, void *context, char *why, size_t room)
{
	return db->engine->shell(db, sql, loose, row, context, why, room);
}

bool
db_check_references(struct db *db, bool on, char *why, size_t room)
{
	return db->engine->check_references(db, on, why, room);
}

bool
db_orphans(struct db *db, db_row_call *found, void *context, char *why, size_t room)
{
	return db->engine->orphans(db, found, context, why, room);
}

bool
db_set_version(struct db *db, int version, char *why, size_t room)
{
	return db->engine->set_version(db, version, why, room);
}

bool
db_load_begin(struct db *db, const char *table, const char *columns, bool *wanted, char *why, size_t room)
{
	return db->engine->load_begin(db, table, columns, wanted, why, room);
}

bool
db_load_row(struct db *db, const struct value *values, size_t count)
{
	return db->engine->load_row(db, values, count);
}

bool
db_load_end(struct db *db, char *why, size_t room)
{
	return db->engine->load_end(db, why, room);
}

bool
db_reserve_keys(struct db *db, const char *table, int64_t key, char *why, size_t room)
{
	return db->engine->reserve_keys(db, table, key, why, room);
}

bool
db_empty(struct db *db, char *why, size_t room)
{
	return db->engine->empty(db, why, room);
}

enum db_rc
db_take_job(struct db *db, enum db_job job)
{
	return db->engine->take_job(db, job);
}

void
db_review(struct db *db, db_review_call *found)
{
	db->engine->review(db, found);
}

bool
db_verify(struct db *db, bool quick, db_row_call *found, void *context, char *why, size_t room)
{
	return db->engine->verify(db, quick, found, context, why, room);
}

bool
db_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room)
{
	return db->engine->copy(db, path, progress, context, why, room);
}

int64_t
db_copy_size(struct db *db)
{
	return db->engine->copy_size(db);
}

bool
db_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

int64_t
db_log_size(const struct db *db)
{
	return db->engine->log_size(db);
}

enum db_rc
db_trim(struct db *db)
{
	return db->engine->trim(db);
}

bool
db_cache(struct db *db, int kib, char *why, size_t room)
{
	return db->engine->cache(db, kib, why, room);
}
