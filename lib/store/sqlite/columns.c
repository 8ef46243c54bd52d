/* Columns of a row. For a statement or a column that does not exist SQLite returns NULL or 0. */
#include "engine.h"

int
db_columns(const struct db_rows *rows)
{
	return sqlite3_column_count(rows->statement);
}

const char *
db_name(const struct db_rows *rows, int column)
{
	return rows->statement ? sqlite3_column_name(rows->statement, column) : NULL;
}

bool
db_is_null(const struct db_rows *rows, int column)
{
	return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

int64_t
db_int(const struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->statement, column);
}

double
db_real(const struct db_rows *rows, int column)
{
	return sqlite3_column_double(rows->statement, column);
}

const char *
db_text(const struct db_rows *rows, int column)
{
	return (const char *)sqlite3_column_text(rows->statement, column);
}

const void *
db_blob(const struct db_rows *rows, int column)
{
	return sqlite3_column_blob(rows->statement, column);
}

size_t
db_size(const struct db_rows *rows, int column)
{
	return (size_t)sqlite3_column_bytes(rows->statement, column);
}

bool
db_flag(const struct db_rows *rows, int column)
{
	return db_int(rows, column) != 0;
}

struct value
db_value(const struct db_rows *rows, int column)
{
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
