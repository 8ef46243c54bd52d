/*
 * engine - what a database engine implements. engine.c chooses one when the database is opened, and each function of db.h
 * and db_admin.h calls that of its engine: `query` is db_query(), and so on. The headers say what they do.
 *
 * An engine's own structures begin with these: struct db is the first member of its connection, struct db_rows the
 * first of its statements.
 */
#ifndef OKUL_ENGINE_H
#define OKUL_ENGINE_H

#include "db.h"
#include "db_admin.h"

struct engine {
	const char *name;
	bool sorts_itself;		/* db_sorts_itself() */
	const char *version_mark;	/* what stands before the version in its schema.sql */
	struct db *(*open)(const char *place, enum db_mode mode, int version, char *why, size_t room);
	void (*close)(struct db *db);

	enum db_rc (*query)(struct db *db, struct db_rows **rows, const char *sql, struct args args);
	enum db_rc (*next)(struct db_rows *rows);
	enum db_rc (*one)(struct db *db, struct db_rows **rows, const char *sql, struct args args);
	enum db_rc (*run)(struct db *db, const char *sql, struct args args, int64_t *changed);
	void (*send)(struct db *db, const char *sql, struct args args);	/* NULL: it runs at once */
	void (*end)(struct db_rows *rows);

	int (*columns)(const struct db_rows *rows);
	const char *(*column_name)(const struct db_rows *rows, int column);
	bool (*is_null)(const struct db_rows *rows, int column);
	int64_t (*integer)(const struct db_rows *rows, int column);
	double (*real)(const struct db_rows *rows, int column);
	const char *(*text)(const struct db_rows *rows, int column);
	const void *(*blob)(const struct db_rows *rows, int column);
	size_t (*size)(const struct db_rows *rows, int column);
	struct value (*value)(const struct db_rows *rows, int column);

	enum db_rc (*write_begin)(struct db *db);
	enum db_rc (*write_alone)(struct db *db);
	enum db_rc (*write_commit)(struct db *db);	/* engine.c has called `last` */
	void (*write_rollback)(struct db *db);
	enum db_rc (*flush)(struct db *db);
	void (*release)(struct db *db);
	void (*timeout)(struct db *db, int64_t milliseconds);

	bool (*alive)(struct db *db, int *version);
	bool (*writable)(struct db *db);
	bool (*try_write)(struct db *db);
	void (*only_deletes)(struct db *db, bool only);

	bool (*create)(const char *place, const char *schema, char *why, size_t room);
	bool (*adopt)(const char *place, char *why, size_t room);
	bool (*set_aside)(const char *place, const char *path, char *why, size_t room);
	void (*discard)(const char *place);
	bool (*check)(struct db *db, const char *const *sql, size_t count, char *why, size_t room);
	int (*explain)(struct db *db, const char *const *sql, size_t count, FILE *out);
	enum db_rc (*script)(struct db *db, const char *sql, bool loose, char *why, size_t room);
	enum db_rc (*shell)(struct db *db, const char *sql, bool loose, db_row_call *row, void *context, char *why, size_t room);
	bool (*check_references)(struct db *db, bool on, char *why, size_t room);
	bool (*orphans)(struct db *db, db_row_call *found, void *context, char *why, size_t room);
	bool (*set_version)(struct db *db, int version, char *why, size_t room);
	bool (*load_begin)(struct db *db, const char *table, const char *columns, bool *wanted, char *why, size_t room);
	bool (*load_row)(struct db *db, const struct value *values, size_t count);
	bool (*load_end)(struct db *db, char *why, size_t room);
	bool (*reserve_keys)(struct db *db, const char *table, int64_t key, char *why, size_t room);
	bool (*empty)(struct db *db, char *why, size_t room);
	enum db_rc (*take_job)(struct db *db, enum db_job job);
	void (*review)(struct db *db, db_review_call *found);
	bool (*verify)(struct db *db, bool quick, db_row_call *found, void *context, char *why, size_t room);
	bool (*copy)(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room);
	int64_t (*copy_size)(struct db *db);
	int64_t (*log_size)(const struct db *db);
	enum db_rc (*trim)(struct db *db);
	bool (*cache)(struct db *db, int kib, char *why, size_t room);
};

struct db {
	const struct engine *engine;
	enum db_rc failure;		/* the sticky one, or DB_DONE */
	bool writing;			/* a write transaction is open */
	void (*last)(struct db *db);	/* to be called before the commit of this transaction, or NULL */
};

struct db_rows { const struct engine *engine; };

extern const struct engine engine_sqlite, engine_postgres;

#endif
