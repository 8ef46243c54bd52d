/*
 * okulctl migrate - creates the database, or upgrades an old one to the schema of this version.
 *
 * conf/migrate/NNNN-what-it-does.sql takes a database of version NNNN - 1 to NNNN, in one transaction that also sets
 * user_version. Foreign keys are not enforced inside it, so that a table may be created again under its old name without
 * deleting the rows that refer to it; they are checked before the commit.
 */
#include "okulctl.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int run_migrate(int argc, char **argv, const char *data);

const struct command command_migrate = {
	.name = "migrate",
	.usage = "",
	.summary = "create the database, or upgrade it to the schema of this version",
	.help = "Creates the data folder and the database where they are missing. An older database is saved first, to\n"
		"DATA/backup-before-migrate-VERSION.db, which is checked, and then changed step by step, each step completely or\n"
		"not at all.\n"
		"DATA/origins.map, by which the web server knows cors_origins, is updated from okul.conf.\n"
		"Safe to run again at any time. Stop or restart okul around it: programs of the other version answer 503.\n",
	.run = run_migrate,
};

/* The whole of a file, malloc'd, or NULL with errno set. */
static char *
read_sql_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	ssize_t length = getdelim(&text, &room, '\0', file);
	fclose(file);
	if (length >= 0)
		return text;
	free(text);
	return strdup("");
}

/* Only the last folder of the path is made: a path of which more is missing is probably mistyped. */
static bool
make_data_folder(const char *data)
{
	if (mkdir(data, 0700) == 0)
		printf("%s: made\n", data);
	else if (errno != EEXIST)
		return ctl_error(EXIT_CONFIG, "%s cannot be made: %m%s", data, errno == ENOENT ? "; make the folder above it first" : "")
			== 0;
	return true;
}

/* A database without keys means that they were lost. */
static bool
make_keys(const char *data)
{
	char path[PATH_MAX + 16], why[1024];
	bool made;

	if (!conf_make_keys(data, &made, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why) == 0;
	snprintf(path, sizeof(path), "%s/okul.db", data);
	if (made)
		printf("%s/keys.conf: made%s\n", data, access(path, F_OK) != 0 ? "" : "; all users have to log in again, and "
			"mails that wait are lost, unless you restore the previous file");
	return true;
}

/* Of two runs at once one waits, and finds the work done. The lock ends with the process. */
static bool
lock_data_folder(const struct conf *conf)
{
	int folder = open(conf->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return (folder >= 0 && flock(folder, LOCK_EX) == 0) ||
		ctl_error(EXIT_CONFIG, "%s cannot be locked: %m", conf->data) == 0;
}

/* ---- an older database */

/* Exactly one file upgrades a database to a version. Its path, malloc'd; NULL after having reported why. */
static char *
find_step(const struct conf *conf, int version)
{
	char pattern[PATH_MAX];
	glob_t found;
	char *path = NULL;

	snprintf(pattern, sizeof(pattern), "%s/migrate/%04d-*.sql", conf->share, version);
	if (glob(pattern, 0, NULL, &found) == 0) {
		if (found.gl_pathc == 1)
			path = strdup(found.gl_pathv[0]);
		globfree(&found);
	}
	if (!path)
		ctl_error(EXIT_CONFIG, "there must be exactly one file %s to bring the database from version %d to %d; "
			"install okul again", pattern, version - 1, version);
	return path;
}

/* Written under another name first, so that a backup of that name is always complete. */
static bool
save_before(const struct conf *conf, struct db *db, int version)
{
	char path[PATH_MAX], aside[PATH_MAX + 8], why[512] = "";

	snprintf(path, sizeof(path), "%s/backup-before-migrate-%d.db", conf->data, version);
	snprintf(aside, sizeof(aside), "%s.new", path);
	unlink(aside);
	bool good = db_copy(db, aside, NULL, NULL, why, sizeof(why));
	if (good && !(db_sync(aside) && rename(aside, path) == 0 && db_sync(conf->data))) {
		snprintf(why, sizeof(why), "%s", strerror(errno));
		good = false;
	}
	if (good)
		printf("%s: saved and checked\n", path);
	else
		ctl_error(EXIT_FAILURE, "%s cannot be written: %s; nothing was changed", path, why);
	unlink(aside);
	return good;
}

static void
note_orphans(void *context, const struct db_rows *found, bool first)
{
	bool *held = context;

	(void)first;
	*held = false;
	fprintf(stderr, "table %s: %lld rows refer to nothing\n", db_text(found, 0), (long long)db_int(found, 1));
}

static bool
keys_hold(struct db *db, char *why, size_t room)
{
	bool held = true;

	if (!db_orphans(db, note_orphans, &held, why, room))
		return false;
	if (!held)
		snprintf(why, room, "it leaves rows that refer to nothing (see above)");
	return held;
}

/* The statements of one step, inside its transaction. */
static bool
change_schema(struct db *db, const char *sql, int version, char *why, size_t room)
{
	return db_script(db, sql, false, why, room) == DB_DONE && keys_hold(db, why, room) &&
		db_set_version(db, version, why, room);
}

static bool
take_step(struct db *db, const char *path, int version)
{
	char why[512] = "";
	char *sql = read_sql_file(path);
	enum db_rc rc;

	if (!sql)
		return ctl_error(EXIT_CONFIG, "%s cannot be read: %m", path) == 0;
	rc = db_write_begin(db);
	if (rc == DB_DONE) {
		if (change_schema(db, sql, version, why, sizeof(why))) {
			rc = db_write_commit(db);
		} else {
			db_write_rollback(db);
			rc = DB_ERROR;
		}
	}
	free(sql);
	if (rc == DB_DONE) {
		printf("%s: done, the database has version %d\n", path, version);
		return true;
	}
	return ctl_error(EXIT_FAILURE, "%s: %s; this step was undone, the database has version %d still", path,
		why[0] ? why : db_reason(rc), version - 1) == 0;
}

static void
print_damage(void *context, const struct db_rows *found, bool first)
{
	bool *sound = context;

	(void)first;
	*sound = false;
	fprintf(stderr, "integrity_check: %s\n", db_text(found, 0));
}

static bool
database_is_sound(struct db *db)
{
	char why[512] = "";
	bool sound = true;

	if (!db_verify(db, false, print_damage, &sound, why, sizeof(why)))
		return ctl_error(EXIT_FAILURE, "the database cannot be checked: %s", why) == 0;
	if (!sound)
		ctl_error(EXIT_FAILURE, "the database is damaged (see above); restore it from a backup");
	return sound;
}

static int
bring_up(const struct conf *conf, struct db *db, int from, int to)
{
	char why[512];
	char *path;

	for (int version = from + 1; version <= to; version++) {
		path = find_step(conf, version);
		if (!path)
			return EXIT_CONFIG;
		free(path);
	}
	if (!save_before(conf, db, from))
		return EXIT_FAILURE;
	if (!db_check_references(db, false, why, sizeof(why)))
		return ctl_error(EXIT_FAILURE, "%s", why);
	for (int version = from + 1; version <= to; version++) {
		path = find_step(conf, version);
		bool good = path && take_step(db, path, version);
		free(path);
		if (!good)
			return EXIT_FAILURE;
	}
	return database_is_sound(db) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
update_database(const struct conf *conf, int to)
{
	char why[1024];
	int from = -1, code;

	if (!db_adopt(conf->data, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	struct db *db = db_open(conf->data, DB_READ_WRITE, 0, why, sizeof(why));
	if (!db)
		return ctl_error(EXIT_CONFIG, "%s", why);
	if (!db_alive(db, &from)) {
		code = ctl_error(EXIT_CONFIG, "%s", db_reason(DB_BROKEN));
	} else if (from == to) {
		printf("%s/okul.db: has version %d already\n", conf->data, to);
		code = EXIT_SUCCESS;
	} else if (from > to) {
		code = ctl_error(EXIT_CONFIG, "%s/okul.db has schema version %d, which a newer okul gave it, and this one knows only %d. "
			"Nothing was changed. Install the newer okul again, or restore a backup from before its migrate", conf->data, from,
			to);
	} else {
		code = bring_up(conf, db, from, to);
	}
	db_close(db);
	return code;
}

/* ---- a new database */

static int
create_database(const struct conf *conf, const char *schema, int version)
{
	char why[1024];

	if (!db_create(conf->data, schema, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	printf("%s/okul.db: made, version %d\n", conf->data, version);
	return EXIT_SUCCESS;
}

static int
run_migrate(int argc, char **argv, const char *data)
{
	char path[PATH_MAX], folder[PATH_MAX], why[PATH_MAX + 200];
	struct stat st;
	int code = EXIT_CONFIG;

	(void)argv;
	if (argc > 1)
		return ctl_error(EXIT_USAGE, "migrate takes no arguments");
	if (!conf_folder(data, folder, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	if (!make_data_folder(folder) || !make_keys(folder))
		return EXIT_CONFIG;
	const struct conf *conf = ctl_conf(data);
	if (!conf || !lock_data_folder(conf))
		return EXIT_CONFIG;
	snprintf(path, sizeof(path), "%s/schema.sql", conf->share);
	char *schema = read_sql_file(path);
	int version = schema ? db_schema_version(schema) : 0;
	if (version == 0) {
		ctl_error(EXIT_CONFIG, "%s cannot be read or names no version; install okul again", path);
	} else {
		snprintf(path, sizeof(path), "%s/okul.db", conf->data);
		code = stat(path, &st) == 0 ? update_database(conf, version) : create_database(conf, schema, version);
		if (code == EXIT_SUCCESS && !origins_write(conf))
			code = EXIT_CONFIG;
	}
	free(schema);
	return code;
}
