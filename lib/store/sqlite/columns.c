/* Columns of a row. SQLite returns NULL for a statement or a column that is not there. */
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
	/* Without threads nobody else can touch the value, which is what SQLite calls unprotected. */
	sqlite3_value *value = sqlite3_column_value(rows->statement, column);

	switch (sqlite3_value_type(value)) {
	case SQLITE_INTEGER:
		return value_int(sqlite3_value_int64(value));
	case SQLITE_FLOAT:
		return value_real(sqlite3_value_double(value));
	case SQLITE_TEXT: {
		const unsigned char *text = sqlite3_value_text(value);
		return (struct value){ .type = VALUE_TEXT, .bytes = text, .length = (size_t)sqlite3_value_bytes(value) };
	}
	case SQLITE_BLOB: {
		const void *bytes = sqlite3_value_blob(value);
		return value_blob(bytes, (size_t)sqlite3_value_bytes(value));
	}
	}
	return value_null();
}
