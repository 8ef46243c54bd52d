/* Columns of the current row, which come in PostgreSQL's binary formats; those of scripts come as texts. */
#include "postgres.h"

#include "oid.h"

#include <endian.h>
#include <math.h>

#define NUMERIC_BASE 10000 /* src/backend/utils/adt/numeric.c: numeric_send() */
#define NUMERIC_NEGATIVE 0x4000

static bool
has_value(const struct postgres_rows *rows, int column)
{
	return rows->result && rows->row >= 0 && rows->row < pq.PQntuples(rows->result) && column < pq.PQnfields(rows->result) &&
		!pq.PQgetisnull(rows->result, rows->row, column);
}

static const struct postgres_rows *
rows_of(const struct db_rows *rows)
{
	return (const struct postgres_rows *)rows;
}

static const char *
bytes_of(const struct postgres_rows *rows, int column)
{
	return pq.PQgetvalue(rows->result, rows->row, column);
}

/* OID_... for a number or bytes in binary form; 0 for what is a text. */
static Oid
binary_type(const struct postgres_rows *rows, int column)
{
	return pq.PQfformat(rows->result, column) == 1 ? pq.PQftype(rows->result, column) : 0;
}

static unsigned
two_bytes(const char *bytes)
{
	return (unsigned)(unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
}

static uint32_t
four_bytes(const char *bytes)
{
	return two_bytes(bytes) << 16 | two_bytes(bytes + 2);
}

static uint64_t
eight_bytes(const char *bytes)
{
	return (uint64_t)four_bytes(bytes) << 32 | four_bytes(bytes + 4);
}

static double
float8_of(const char *bytes)
{
	uint64_t bits = eight_bytes(bytes);
	double number;

	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* A sum of integers is a numeric: digits in base 10,000 behind their number, the weight of the first, sign and scale. */
static long double
numeric_of(const char *bytes)
{
	unsigned digits = two_bytes(bytes);
	int weight = (int16_t)two_bytes(bytes + 2);
	long double number = 0;

	for (unsigned i = 0; i < digits; i++)
		number = number * NUMERIC_BASE + two_bytes(bytes + 8 + 2 * i);
	for (int i = (int)digits - 1; i < weight; i++)
		number *= NUMERIC_BASE;
	for (int i = (int)digits - 1; i > weight; i--)
		number /= NUMERIC_BASE;
	return two_bytes(bytes + 4) == NUMERIC_NEGATIVE ? -number : number;
}

int
column_count(const struct db_rows *base)
{
	const struct postgres_rows *rows = rows_of(base);

	return rows->result ? pq.PQnfields(rows->result) : 0;
}

const char *
column_name(const struct db_rows *base, int column)
{
	const struct postgres_rows *rows = rows_of(base);

	return rows->result ? pq.PQfname(rows->result, column) : NULL;
}

bool
column_is_null(const struct db_rows *base, int column)
{
	return !has_value(rows_of(base), column);
}

int64_t
column_integer(const struct db_rows *base, int column)
{
	const struct postgres_rows *rows = rows_of(base);

	if (!has_value(rows, column))
		return 0;
	const char *bytes = bytes_of(rows, column);
	switch (binary_type(rows, column)) {
	case OID_INT8: return (int64_t)eight_bytes(bytes);
	case OID_INT4: return (int32_t)four_bytes(bytes);
	case OID_INT2: return (int16_t)two_bytes(bytes);
	case OID_BOOL: return bytes[0] != 0;
	case OID_FLOAT8: return (int64_t)float8_of(bytes);
	case OID_NUMERIC: return (int64_t)numeric_of(bytes);
	case OID_BYTEA: return 0;
	}
	return strcmp(bytes, "t") == 0 ? 1 : strtoll(bytes, NULL, 10);
}

double
column_real(const struct db_rows *base, int column)
{
	const struct postgres_rows *rows = rows_of(base);

	if (!has_value(rows, column))
		return 0;
	const char *bytes = bytes_of(rows, column);
	switch (binary_type(rows, column)) {
	case OID_FLOAT8: return float8_of(bytes);
	case OID_NUMERIC: return (double)numeric_of(bytes);
	case OID_INT8:
	case OID_INT4:
	case OID_INT2:
	case OID_BOOL: return (double)column_integer(base, column);
	}
	return strtod(bytes, NULL);
}

void
column_forget_texts(struct postgres_rows *rows)
{
	free(rows->texts);
	rows->texts = NULL;
}

/* A number as text, in memory that lasts as long as the row. */
static const char *
number_text(struct postgres_rows *rows, int column, Oid type)
{
	int columns = column_count(&rows->base);

	if (!rows->texts)
		rows->texts = calloc((size_t)columns, sizeof(*rows->texts));
	if (!rows->texts)
		return NULL;
	char *text = rows->texts[column];
	if (type == OID_FLOAT8 || type == OID_NUMERIC) {
		size_t length = (size_t)snprintf(text, sizeof(*rows->texts), "%.15g", column_real(&rows->base, column));
		/* as SQLite writes it */
		if (type == OID_FLOAT8 && strspn(text, "-0123456789") == length)
			snprintf(text + length, sizeof(*rows->texts) - length, ".0");
	} else
		snprintf(text, sizeof(*rows->texts), "%lld", (long long)column_integer(&rows->base, column));
	return text;
}

const char *
column_text(const struct db_rows *base, int column)
{
	const struct postgres_rows *rows = rows_of(base);

	if (!has_value(rows, column))
		return NULL;
	Oid type = binary_type(rows, column);
	switch (type) {
	case OID_INT8:
	case OID_INT4:
	case OID_INT2:
	case OID_BOOL:
	case OID_FLOAT8:
	case OID_NUMERIC: return number_text((struct postgres_rows *)rows, column, type);
	}
	/* Scripts have texts: truths and numbers as SQLite shows them. */
	if (pq.PQftype(rows->result, column) == OID_BOOL)
		return bytes_of(rows, column)[0] == 't' ? "1" : "0";
	if (pq.PQftype(rows->result, column) == OID_FLOAT8)
		return number_text((struct postgres_rows *)rows, column, OID_FLOAT8);
	return bytes_of(rows, column);
}

const void *
column_blob(const struct db_rows *base, int column)
{
	const struct postgres_rows *rows = rows_of(base);

	return has_value(rows, column) && column_size(base, column) > 0 ? column_text(base, column) : NULL;
}

size_t
column_size(const struct db_rows *base, int column)
{
	const struct postgres_rows *rows = rows_of(base);

	if (!has_value(rows, column))
		return 0;
	const char *text = column_text(base, column);
	return text == bytes_of(rows, column) ? (size_t)pq.PQgetlength(rows->result, rows->row, column) : text ? strlen(text) : 0;
}

/* As SQLite has it: no truths, and integers wherever there is no fraction that the type would keep. */
struct value
column_value(const struct db_rows *base, int column)
{
	const struct postgres_rows *rows = rows_of(base);

	if (!has_value(rows, column))
		return value_null();
	switch (binary_type(rows, column)) {
	case OID_INT8:
	case OID_INT4:
	case OID_INT2:
	case OID_BOOL: return value_int(column_integer(base, column));
	case OID_FLOAT8: return value_real(column_real(base, column));
	case OID_NUMERIC:
		return column_real(base, column) == trunc(column_real(base, column)) ? value_int(column_integer(base, column))
										     : value_real(column_real(base, column));
	case OID_BYTEA: return value_blob(column_blob(base, column), column_size(base, column));
	}
	return (struct value){ .type = VALUE_TEXT, .bytes = column_text(base, column), .length = column_size(base, column) };
}
