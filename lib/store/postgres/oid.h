/* oid - the types of PostgreSQL that okul's statements use (src/include/catalog/pg_type.dat). Their numbers never change. */
#ifndef OKUL_POSTGRES_OID_H
#define OKUL_POSTGRES_OID_H

enum {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_JSON = 114,
	OID_FLOAT4 = 700,
	OID_FLOAT8 = 701,
	OID_NUMERIC = 1700,
};

#endif
