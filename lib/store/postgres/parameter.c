/* Bound values in the form of their parameter's type: binary where that is an integer, a number, a truth or bytes; else text. */
#include "postgres.h"

#include "oid.h"

#include <endian.h>
#include <math.h>

enum { TEXT_FORMAT, BINARY_FORMAT };

static bool
put_binary(struct parameters *out, int at, const void *bytes, size_t length)
{
	memcpy(out->room[at], bytes, length);
	out->values[at] = out->room[at];
	out->lengths[at] = (int)length;
	out->formats[at] = BINARY_FORMAT;
	return true;
}

static bool
put_text(struct parameters *out, int at)
{
	out->values[at] = out->room[at];
	out->formats[at] = TEXT_FORMAT;
	return true;
}

static bool
put_integer(struct parameters *out, int at, int64_t n, Oid type)
{
	uint64_t eight = htobe64((uint64_t)n);
	uint32_t four = htobe32((uint32_t)n);
	double real = (double)n;

	switch (type) {
	case OID_INT8: return put_binary(out, at, &eight, sizeof(eight));
	case OID_INT4: return n >= INT32_MIN && n <= INT32_MAX && put_binary(out, at, &four, sizeof(four));
	case OID_BOOL: return put_binary(out, at, n ? "\1" : "\0", 1);
	case OID_FLOAT8:
		memcpy(&eight, &real, sizeof(eight));
		eight = htobe64(eight);
		return put_binary(out, at, &eight, sizeof(eight));
	}
	snprintf(out->room[at], sizeof(out->room[at]), "%lld", (long long)n);
	return put_text(out, at);
}

static bool
put_real(struct parameters *out, int at, double number, Oid type)
{
	uint64_t eight;

	/* A number of the client that is an integer, for an integer. */
	if ((type == OID_INT8 || type == OID_INT4) && number == trunc(number) && fabs(number) < 9e15)
		return put_integer(out, at, (int64_t)number, type);
	if (type == OID_FLOAT8) {
		memcpy(&eight, &number, sizeof(eight));
		eight = htobe64(eight);
		return put_binary(out, at, &eight, sizeof(eight));
	}
	snprintf(out->room[at], sizeof(out->room[at]), "%.17g", number);
	return put_text(out, at);
}

static bool
put_bytes(struct parameters *out, int at, const struct value *value, Oid type)
{
	out->values[at] = value->bytes ? value->bytes : "";
	out->lengths[at] = (int)value->length;
	out->formats[at] = type == OID_BYTEA ? BINARY_FORMAT : TEXT_FORMAT;
	/* A text ends with NUL, as libpq needs for the text format; bytes do not. */
	return value->length <= INT32_MAX && (value->type == VALUE_TEXT || type == OID_BYTEA);
}

bool
parameter_fill(struct parameters *out, const struct args *args, const Oid *types)
{
	bool good = true;

	for (int i = 0; good && i < (int)args->count; i++) {
		const struct value *value = &args->values[i];
		switch (value->type) {
		case VALUE_NULL:
			out->values[i] = NULL;
			out->lengths[i] = out->formats[i] = 0;
			break;
		case VALUE_BOOL: good = put_integer(out, i, value->truth, types[i]); break;
		case VALUE_INT: good = put_integer(out, i, value->integer, types[i]); break;
		case VALUE_REAL: good = put_real(out, i, value->real, types[i]); break;
		case VALUE_TEXT:
		case VALUE_BLOB: good = put_bytes(out, i, value, types[i]); break;
		case VALUE_LIST:
		case VALUE_OBJECT: good = false; break;
		}
	}
	return good;
}
