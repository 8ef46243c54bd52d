/*
 * okulctl migrate - creates the database, or upgrades an old one to the schema of this version.
 *
 * conf/migrate/NNNN-what-it-does.sql takes a database of version NNNN - 1 to NNNN, in one transaction that also
 * sets user_version. Foreign keys are not enforced inside it, so that a table may be created again under its old
 * name without deleting the rows that refer to it; they are checked before the commit.
 */
#include "okulctl.h"

#include "text.h"
#include "url.h"

#include <errno.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

static command_call run_migrate;

const struct command command_migrate = {
	.name = "migrate",
	.usage = "",
	.summary = "create the database, or upgrade it to this version",
	.help = "Creates the data folder and the database where they are missing. An older\n"
		"database is first copied to DATA/backup-before-migrate-VERSION.db, and the copy\n"
		"is checked; then it is changed step by step, each step whole or not at all.\n"
		"Also updates DATA/origins.map, which tells the web server cors_origins.\n"
		"Safe to run again at any time. Restart okul after an upgrade: until then the\n"
		"running programs answer 503.\n",
	.run = run_migrate,
};

/* Makes only the last folder of the path: when more of it is missing, it is probably mistyped. */
static bool
make_data_folder(const char *data)
{
	if (mkdir(data, 0700) == 0)
		printf("%s: made\n", data);
	else if (errno != EEXIST)
		return ctl_fail("%s cannot be made: %m%s", data, errno == ENOENT ? "; make the folder above it first" : "");
	return true;
}

/* If there is a database already, its keys were lost. */
static bool
make_keys(const char *data)
{
	char path[PATH_MAX + 16], why[1024];
	bool made;

	if (!conf_make_keys(data, &made, why, sizeof(why)))
		return ctl_fail("%s", why);
	snprintf(path, sizeof(path), "%s/okul.db", data);
	if (made)
		printf("%s/keys.conf: made%s\n", data,
			access(path, F_OK) != 0 ? ""
						: "; all users have to log in "
						  "again, and waiting mails are lost, unless you restore the previous file");
	return true;
}

/* ---- an older database */

/* `path` gets that of the one file that upgrades a database to a version. */
static bool
find_step(const struct conf *conf, int version, char path[static PATH_MAX])
{
	char pattern[PATH_MAX];
	glob_t found = { 0 };

	snprintf(pattern, sizeof(pattern), "%s/%smigrate/%04d-*.sql", conf->share, db_is_url(conf->database) ? "postgres/" : "",
		version);
	bool good = glob(pattern, 0, NULL, &found) == 0 && found.gl_pathc == 1 &&
		snprintf(path, PATH_MAX, "%s", found.gl_pathv[0]) < PATH_MAX;
	globfree(&found);
	return good ||
		ctl_fail("there must be exactly one file %s to upgrade the database from version %d to %d; "
			 "install okul again",
			pattern, version - 1, version);
}

/* db_copy() also reads the copy back. It gets its name when it is complete. */
static bool
save_before(const struct conf *conf, struct db *db, int version)
{
	char path[PATH_MAX], aside[PATH_MAX + 8], why[512] = "";

	snprintf(path, sizeof(path), "%s/backup-before-migrate-%d.db", conf->data, version);
	snprintf(aside, sizeof(aside), "%s.new", path);
	unlink(aside);
	bool good = db_copy(db, aside, NULL, NULL, why, sizeof(why)) && db_sync(aside) && rename(aside, path) == 0 &&
		db_sync(conf->data);
	if (good)
		printf("%s: saved and checked\n", path);
	else
		ctl_error(EXIT_FAILURE, "%s cannot be written: %s; nothing was changed", path, why[0] ? why : strerror(errno));
	unlink(aside);
	return good;
}

static void
print_orphans(void *context, const struct db_rows *found, bool first)
{
	(void)first;
	*(bool *)context = true;
	fprintf(stderr, "table %s: %lld rows refer to nothing\n", db_text(found, 0), (long long)db_int(found, 1));
}

static bool
references_hold(struct db *db, char *why, size_t room)
{
	bool orphans = false;

	if (!db_orphans(db, print_orphans, &orphans, why, room))
		return false;
	return !orphans || text_complain(why, room, "it leaves rows that refer to nothing (see above)");
}

/* The statements of one step, inside its transaction. */
static bool
change_schema(struct db *db, const char *sql, int version, char *why, size_t room)
{
	return db_script(db, sql, false, why, room) == DB_DONE && references_hold(db, why, room) &&
		db_set_version(db, version, why, room);
}

static bool
run_step(struct db *db, const char *path, const char *sql, int version)
{
	char why[512] = "";
	enum db_rc rc = db_write_begin(db);

	bool good = rc == DB_DONE && change_schema(db, sql, version, why, sizeof(why));
	if (good)
		rc = db_write_commit(db);
	else if (rc == DB_DONE)
		db_write_rollback(db);
	if (!good || rc != DB_DONE)
		return ctl_fail("%s: %s; this step was undone, the database has version %d still", path,
			why[0] ? why : db_reason(rc), version - 1);
	printf("%s: done, the database has version %d\n", path, version);
	return true;
}

static bool
take_step(struct db *db, const char *path, int version)
{
	struct buf sql = { 0 };
	bool good = ctl_read_file(path, SIZE_MAX, &sql) ? run_step(db, path, sql.s, version)
							: ctl_fail("%s cannot be read: %m", path);

	buf_clear(&sql);
	return good;
}

static void
print_damage(void *context, const struct db_rows *found, bool first)
{
	(void)first;
	*(bool *)context = true;
	fprintf(stderr, "damage: %s\n", db_text(found, 0));
}

static bool
database_is_sound(struct db *db)
{
	char why[512];
	bool damaged = false;

	if (!db_verify(db, false, print_damage, &damaged, why, sizeof(why)))
		return ctl_fail("the database cannot be checked: %s", why);
	return !damaged || ctl_fail("the database is damaged (see above); restore it from a backup");
}

static int
bring_up(const struct conf *conf, struct db *db, int from, int to)
{
	char path[PATH_MAX], why[512];

	for (int version = from + 1; version <= to; version++)
		if (!find_step(conf, version, path))
			return EXIT_CONFIG;
	/* The steps of a server are whole or not at all as well; its copies are made by its own tools. */
	if (!db_is_url(conf->database) && !save_before(conf, db, from))
		return EXIT_FAILURE;
	if (!db_check_references(db, false, why, sizeof(why)))
		return ctl_error(EXIT_FAILURE, "%s", why);
	for (int version = from + 1; version <= to; version++)
		if (!find_step(conf, version, path) || !take_step(db, path, version))
			return EXIT_FAILURE;
	return database_is_sound(db) ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The database in a message. */
static const char *
name_of(const struct conf *conf, char out[static PATH_MAX])
{
	if (db_is_url(conf->database))
		url_hide_password(out, PATH_MAX, conf->database);
	else
		snprintf(out, PATH_MAX, "%s/okul.db", conf->data);
	return out;
}

static int
update_database(const struct conf *conf, int to)
{
	char why[1024], name[PATH_MAX];
	int from = -1, code = EXIT_SUCCESS;

	if (!db_adopt(conf->database, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	struct db *db = db_open(conf->database, DB_READ_WRITE, 0, why, sizeof(why));
	if (!db)
		return ctl_error(EXIT_CONFIG, "%s", why);
	if (!db_alive(db, &from))
		code = ctl_error(EXIT_CONFIG, "%s", db_reason(DB_BROKEN));
	else if (from > to)
		code = ctl_error(EXIT_CONFIG,
			"%s has schema version %d, which a newer okul gave it, and this "
			"one knows only %d. Nothing was changed. Install the newer okul again, or restore a backup from "
			"before its migrate",
			name_of(conf, name), from, to);
	else if (from < to)
		code = bring_up(conf, db, from, to);
	else
		printf("%s: has version %d already\n", name_of(conf, name), to);
	db_close(db);
	return code;
}

/*
 * Waits until no other machine migrates the database of a server, and keeps the others waiting until db_close(). Returns
 * NULL after reporting what is wrong.
 */
static struct db *
wait_for_others(const struct conf *conf)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	char why[1024], name[PATH_MAX];
	struct db *db = db_open(conf->database, DB_READ_WRITE, 0, why, sizeof(why));
	enum db_rc rc = DB_ERROR;

	for (bool said = false; db && (rc = db_take_job(db, DB_JOB_MIGRATE)) == DB_TAKEN; said = true) {
		if (!said)
			printf("%s: waits for another okulctl that migrates it\n", name_of(conf, name));
		fflush(stdout);
		nanosleep(&pause, NULL);
	}
	if (db && rc == DB_DONE)
		return db;
	ctl_error(EXIT_CONFIG, "%s", db ? db_reason(rc) : why);
	db_close(db);
	return NULL;
}

/* Whether there is a database to bring up to date; false for none, and for one on a server (`db`) without tables. */
static bool
has_tables(const struct conf *conf, struct db *db)
{
	char path[PATH_MAX];
	int version = 0;

	if (db)
		return !db_alive(db, &version) || version > 0;
	snprintf(path, sizeof(path), "%s/okul.db", conf->data);
	return access(path, F_OK) == 0;
}

static int
migrate(const struct conf *conf)
{
	char path[PATH_MAX], why[1024];
	struct buf schema = { 0 };
	struct db *alone = db_is_url(conf->database) ? wait_for_others(conf) : NULL;
	int code = EXIT_SUCCESS;

	if (db_is_url(conf->database) && !alone)
		return EXIT_CONFIG;
	snprintf(path, sizeof(path), "%s/%sschema.sql", conf->share, alone ? "postgres/" : "");
	int version = ctl_read_file(path, SIZE_MAX, &schema) ? db_schema_version(schema.s) : 0;
	if (version == 0)
		code = ctl_error(EXIT_CONFIG, "%s cannot be read or names no version; install okul again", path);
	else if (has_tables(conf, alone))
		code = update_database(conf, version);
	else if (!db_create(conf->database, schema.s, why, sizeof(why)))
		code = ctl_error(EXIT_CONFIG, "%s", why);
	else
		printf("%s: made, version %d\n", name_of(conf, path), version);
	db_close(alone);
	buf_clear(&schema);
	return code;
}

static int
run_migrate(int argc, char **argv, const char *data)
{
	char folder[PATH_MAX], why[PATH_MAX + 200];

	(void)argc, (void)argv;
	if (!conf_folder(data, folder, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	if (!make_data_folder(folder) || !make_keys(folder))
		return EXIT_CONFIG;
	const struct conf *conf = ctl_conf(data);
	/* A second run waits, and finds the work done. */
	if (!conf || !ctl_lock_folder(conf))
		return EXIT_CONFIG;
	int code = migrate(conf);
	if (code == EXIT_SUCCESS && !origins_write(conf))
		code = EXIT_CONFIG;
	int files = code == EXIT_SUCCESS ? files_web_update(conf) : 0;
	if (files > 0)
		printf("%s/files-s3.conf: written; reload nginx\n", conf->data);
	return files < 0 ? EXIT_CONFIG : code;
}
