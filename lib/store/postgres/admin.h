/* admin - what okulctl, the build and the start of a program do with a database of PostgreSQL: db_admin.h. */
#ifndef OKUL_POSTGRES_ADMIN_H
#define OKUL_POSTGRES_ADMIN_H

#include "postgres.h"
#include "text.h"

/* ---- create.c */
bool admin_create(const char *place, const char *schema, char *why, size_t room);
bool admin_set_aside(const char *place, const char *path, char *why, size_t room);
void admin_discard(const char *place);
bool admin_adopt(const char *place, char *why, size_t room);

/* ---- explain.c */
bool admin_check(struct db *db, const char *const *sql, size_t count, char *why, size_t room);
int admin_explain(struct db *db, const char *const *sql, size_t count, FILE *out);

/* ---- script.c: many statements in one text, in PostgreSQL's own dialect, by the simple query protocol */
enum db_rc admin_script(struct db *db, const char *sql, bool loose, char *why, size_t room);
enum db_rc admin_shell(struct db *db, const char *sql, bool loose, db_row_call *row, void *context, char *why, size_t room);
/* Runs a text as it is, outside of any okul transaction, and calls `row` (may be NULL) for each row. */
must_use enum db_rc script_run(struct postgres *p, const char *sql, db_row_call *row, void *context, char *why, size_t room);

/* ---- load.c */
bool admin_load_begin(struct db *db, const char *table, const char *columns, bool *wanted, char *why, size_t room);
bool admin_load_row(struct db *db, const struct value *values, size_t count);
bool admin_load_end(struct db *db, char *why, size_t room);
bool admin_reserve_keys(struct db *db, const char *table, int64_t key, char *why, size_t room);
bool admin_empty(struct db *db, char *why, size_t room);

/* ---- upkeep.c */
bool admin_check_references(struct db *db, bool on, char *why, size_t room);
bool admin_orphans(struct db *db, db_row_call *found, void *context, char *why, size_t room);
bool admin_set_version(struct db *db, int version, char *why, size_t room);
enum db_rc admin_take_job(struct db *db, enum db_job job);
void admin_review(struct db *db, db_review_call *found);
bool admin_verify(struct db *db, bool quick, db_row_call *found, void *context, char *why, size_t room);
/* dump.c */
bool admin_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room);
int64_t admin_copy_size(struct db *db);
int64_t admin_log_size(const struct db *db);
enum db_rc admin_trim(struct db *db);
bool admin_cache(struct db *db, int kib, char *why, size_t room);

#endif
