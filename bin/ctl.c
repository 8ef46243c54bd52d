#include "ctl.h"

#include "clock.h"
#include "http.h"
#include "log.h"
#include "random.h"
#include "utf8.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 12 /* of a transaction that others prevent */

static const char *program_name = "okulctl";

void
ctl_print(void *file, const char *format, va_list list)
{
	struct buf text = { 0 };
	char *raw;
	int length = vasprintf(&raw, format, list);

	if (length < 0)
		return;
	utf8_visible(&text, raw, (size_t)length);
	if (text.s)
		fwrite(text.s, 1, text.length, file);
	free(raw);
	buf_clear(&text);
}

int
ctl_error(int code, const char *format, ...)
{
	const int error = errno; /* for %m */
	va_list list;

	fflush(stdout);
	fprintf(stderr, "%s: ", program_name);
	errno = error;
	va_start(list, format);
	ctl_print(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	return code;
}

const struct conf *
ctl_conf(const char *data)
{
	char why[1024];
	const struct conf *conf = conf_load(data, why, sizeof(why));

	if (!conf)
		ctl_error(EXIT_CONFIG, "%s", why);
	return conf;
}

struct db *
ctl_db(const struct conf *conf, enum db_mode mode)
{
	char why[1024];
	struct db *db = conf ? db_open(conf->database, mode, DB_SCHEMA_VERSION, why, sizeof(why)) : NULL;

	if (conf && !db)
		ctl_error(EXIT_CONFIG, "%s", why);
	return db;
}

bool
ctl_again(struct db *db, enum db_rc rc, int *tries)
{
	db_release(db);
	if (rc != DB_CONFLICT || ++*tries >= TRIES)
		return false;
	struct timespec pause = { .tv_nsec = (long)(1 + random_below(1000000)) * *tries * 10 };
	nanosleep(&pause, NULL);
	return true;
}

/* ---- statements */

int
ctl_print_statements(const struct db_statements *const *list)
{
	for (; *list; list++)
		for (size_t i = 0; i < (*list)->count; i++)
			fwrite((*list)->sql[i], 1, strlen((*list)->sql[i]) + 1, stdout);
	return ctl_finish(EXIT_SUCCESS);
}

int
ctl_check_statements(const struct db_statements *const *list, const char *data)
{
	struct db *db = ctl_db(ctl_conf(data), DB_READ_ONLY);
	int faults = 0;

	if (!db)
		return EXIT_CONFIG;
	for (; *list; list++)
		faults += db_explain(db, (*list)->sql, (*list)->count, stdout);
	db_close(db);
	printf("%s: %d faults\n", program_name, faults);
	return ctl_finish(faults ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* ---- the owner of the data folder */

static char acts_as[64]; /* the user that root acts as; "" for none */

/* The owner of the data folder; when that is root, the owner of the database in it. */
static struct stat
owner_of(const char *folder)
{
	char path[PATH_MAX + 16];
	struct stat st = { 0 }, database;

	snprintf(path, sizeof(path), "%s/okul.db", folder);
	if (stat(folder, &st) == 0 && st.st_uid == 0 && stat(path, &database) == 0)
		st = database;
	return st;
}

/*
 * okul could not use a file that root creates in the data folder of another user (a lock, a journal, a key). So
 * root becomes that user before it opens the first file.
 */
static bool
act_as_owner(const char *data)
{
	char folder[PATH_MAX], why[PATH_MAX + 200];

	/* When the folder is not known, the command reports it. */
	if (geteuid() != 0 || !conf_folder(data, folder, why, sizeof(why)))
		return true;
	const struct stat st = owner_of(folder);
	if (st.st_uid == 0)
		return true;
	const struct passwd *owner = getpwuid(st.st_uid);
	gid_t group = owner ? owner->pw_gid : st.st_gid;
	snprintf(acts_as, sizeof(acts_as), "%s (uid %u)", owner ? owner->pw_name : "a user without a name", st.st_uid);
	if ((owner ? initgroups(owner->pw_name, group) : setgroups(1, &group)) == 0 && setgid(group) == 0 &&
		setuid(st.st_uid) == 0 && setenv("HOME", owner ? owner->pw_dir : "/", 1) == 0) /* libpq reads files there */
		return true;
	return ctl_fail("%s belongs to %s; root cannot act as that user: %m; run it as that user", folder, acts_as);
}

/* ---- start, run, end */

int
ctl_init(const char *name)
{
	program_name = name;
	umask(0077);
	secret_no_core();
	/* Any client could choose its arguments (RFC 3875 section 4.4). */
	if (http_cgi_environment()) {
		fputs("Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nForbidden\n", stdout);
		return ctl_error(EXIT_USAGE, "a web server may not run %s; its programs may: env -i %s", name, name);
	}
	log_init(name, false, LOG_NOTE);
	clock_init();
	return EXIT_SUCCESS;
}

int
ctl_finish(int code)
{
	/* A full disk, or a closed pipe. */
	if (fflush(stdout) != 0 && code == EXIT_SUCCESS)
		return ctl_error(EXIT_FAILURE, "the output cannot be written: %m");
	return code;
}

static int
print_command_help(const struct command *command)
{
	printf("usage: okulctl [-d DATA] %s%s%s\n\n%c%s.\n\n%s", command->name, *command->usage ? " " : "", command->usage,
		toupper(*command->summary), command->summary + 1, command->help);
	return ctl_finish(EXIT_SUCCESS);
}

int
ctl_run(const struct command *command, int argc, char **argv, const char *data)
{
	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return print_command_help(command);
	if (argc > 1 && !*command->usage)
		return ctl_error(EXIT_USAGE, "%s takes no arguments", command->name);
	if (!act_as_owner(data))
		return EXIT_CONFIG;
	int code = command->run(argc, argv, data);
	if (code != EXIT_SUCCESS && code != EXIT_USAGE && acts_as[0])
		ctl_error(code, "(root acts as %s, the owner of the data folder, with that user's rights)", acts_as);
	return ctl_finish(code);
}
