/*
 * school - a database with the shipped schema, in a temporary folder with keys, for tests of modules with tables.
 */
#ifndef OKUL_SCHOOL_H
#define OKUL_SCHOOL_H

#include "conf.h"
#include "db.h"
#include "db_admin.h"
#include "unit.h"

#include <unistd.h>

static char school_data[] = "/tmp/okul-unit-XXXXXX";

static inline void
school_fail(const char *why)
{
	fprintf(stderr, "%s\n", why);
	exit(EXIT_FAILURE);
}

/* Needs the source folder as working directory, as `make unit` sets it. Exits on failure. */
static inline struct db *
school_open(void)
{
	static char schema[1 << 17];
	char why[1024];
	bool made;
	FILE *file = fopen("schema.sql", "r");

	if (!file || fread(schema, 1, sizeof(schema) - 1, file) == 0)
		school_fail("schema.sql cannot be read");
	fclose(file);
	if (!mkdtemp(school_data) || !db_create(school_data, schema, why, sizeof(why)) ||
	    !conf_make_keys(school_data, &made, why, sizeof(why)))
		school_fail(why);
	struct db *db = db_open(school_data, DB_READ_WRITE, DB_SCHEMA_VERSION, why, sizeof(why));
	if (!db)
		school_fail(why);
	return db;
}

static inline void
school_close(struct db *db)
{
	static const char *const names[] = { "okul.db", "okul.db-wal", "okul.db-shm", "okul.gate", "keys.conf" };
	char path[128];

	db_close(db);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", school_data, names[i]);
		unlink(path);
	}
	rmdir(school_data);
}

#endif
