/* Loading many rows: the triggers run, so counters and the folded columns are those of any insert. */
#include "sqlite.h"

#include "buf.h"
#include "text.h"

#define ROWS_MOST 20000 /* in a transaction, so that the WAL stays small */

static bool
is_counter(const char *table)
{
	return strcmp(table, "tally") == 0 || strcmp(table, "user_block") == 0 || strcmp(table, "time_tally") == 0 ||
		strcmp(table, "result_tally") == 0;
}

static bool
load_failed(struct sqlite *db, char *why, size_t room)
{
	db->unlimited = false;
	text_complain(why, room, "%s", db_reason(db->base.failure));
	db_write_rollback(&db->base);
	db_release(&db->base);
	return false;
}

bool
sqlite_load_begin(struct db *base, const char *table, const char *columns, bool *wanted, char *why, size_t room)
{
	struct sqlite *db = sqlite_of(base);
	struct buf sql = { 0 };
	int count = 1;

	if (!db->load_texts && !(db->load_texts = arena_new(4096)))
		return text_complain(why, room, "out of memory");
	sql.arena = db->load_texts;
	*wanted = !is_counter(table);
	if (!*wanted)
		return true;
	for (const char *at = columns; (at = strchr(at, ',')); at++)
		count++;
	buf_printf(&sql, "INSERT INTO %s (%s) VALUES (?1", table, columns);
	for (int i = 2; i <= count; i++)
		buf_printf(&sql, ", ?%d", i);
	buf_putc(&sql, ')');
	if (sql.failed)
		return text_complain(why, room, "out of memory");
	db->load_sql = sql.s;
	db->loaded = 0;
	db->unlimited = true;
	return db_write_begin(base) == DB_DONE || load_failed(db, why, room);
}

bool
sqlite_load_row(struct db *base, const struct value *values, size_t count)
{
	struct sqlite *db = sqlite_of(base);

	if (++db->loaded % ROWS_MOST == 0 && (db_write_commit(base) != DB_DONE || db_write_begin(base) != DB_DONE))
		return false;
	return sqlite_run(base, db->load_sql, (struct args){ values, count }, NULL) == DB_DONE;
}

bool
sqlite_load_end(struct db *base, char *why, size_t room)
{
	struct sqlite *db = sqlite_of(base);

	if (db_write_commit(base) != DB_DONE)
		return load_failed(db, why, room);
	db->unlimited = false;
	return true;
}

/* Only tables with AUTOINCREMENT have a row in sqlite_sequence, once they had a row. */
bool
sqlite_reserve_keys(struct db *base, const char *table, int64_t key, char *why, size_t room)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		"UPDATE sqlite_sequence SET seq = max(seq, %lld) WHERE name = '%s';"
		"INSERT INTO sqlite_sequence (name, seq) SELECT name, %lld FROM sqlite_schema WHERE name = '%s' AND type = 'table'"
		" AND sql LIKE '%%AUTOINCREMENT%%' AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '%s')",
		(long long)key, table, (long long)key, table, table);
	return sqlite_script(base, sql, false, why, room) == DB_DONE;
}

/* A move always makes a new file. */
bool
sqlite_empty(struct db *base, char *why, size_t room)
{
	(void)base;
	return text_complain(why, room, "the rows of a file are not deleted: remove the file");
}
