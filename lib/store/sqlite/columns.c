/* Columns of a row. For a statement or a column that does not exist SQLite returns NULL or 0. */
#include "sqlite.h"

int
sqlite_columns(const struct db_rows *base)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return sqlite3_column_count(rows->statement);
}

const char *
sqlite_name(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return rows->statement ? sqlite3_column_name(rows->statement, column) : NULL;
}

bool
sqlite_is_null(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int64_t
sqlite_int(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return sqlite3_column_int64(rows->statement, column);
}

double
sqlite_real(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return sqlite3_column_double(rows->statement, column);
}

const char *
sqlite_text(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return (const char *)sqlite3_column_text(rows->statement, column);
}

const void *
sqlite_blob(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return sqlite3_column_blob(rows->statement, column);
}

size_t
sqlite_size(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	return (size_t)sqlite3_column_bytes(rows->statement, column);
}

struct value
sqlite_value(const struct db_rows *base, int column)
{
	const struct sqlite_rows *rows = (const struct sqlite_rows *)base;
	/* SQLite calls it unprotected, since no mutex is held; this process has one thread. */
	sqlite3_value *value = sqlite3_column_value(rows->statement, column);

	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER: return value_int(sqlite3_value_int64(value));
	case SQLITE_FLOAT: return value_real(sqlite3_value_double(value));
	case SQLITE_TEXT:
		return (struct value){
			.type = VALUE_TEXT, .bytes = sqlite3_value_text(value), .length = (size_t)sqlite3_value_bytes(value)
		};
	case SQLITE_BLOB: return value_blob(sqlite3_value_blob(value), (size_t)sqlite3_value_bytes(value));
	}
	return value_null();
}
