/* okulctl backup - a copy of the database in one file, made and checked while okul runs. */
#include "okulctl.h"

#include "clock.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <libgen.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static command_call run_backup;

const struct command command_backup = {
	.name = "backup",
	.usage = "FILE|FOLDER [--keep N] [--quiet]",
	.summary = "copy the database into one file, while okul runs",
	.help = "The copy is the database as it was at one moment. It is written to FILE.new,\n"
		"synced to the disk, read back and checked, and only then renamed: a file of\n"
		"that name is a whole backup, mode 0600. Prints its size and SHA-256. A FILE\n"
		"that exists is refused. In a FOLDER it is called okul-YYYY-MM-DD-HHMMSS.db\n"
		"(UTC); a folder is made when its name ends in /.\n"
		"\n"
		"Requests go on meanwhile, also those that write; what they write needs extra\n"
		"room on the disk until the copy is made. The copy does not contain uploaded\n"
		"files and keys.conf: see Operate in README.md.\n"
		"\n"
		"Of a database on a server it is a dump by pg_dump, called .dump. PostgreSQL in\n"
		"README.md says how to restore it.\n"
		"--keep N  in a FOLDER: then deletes the oldest backups of such names, so that N\n"
		"          are left\n"
		"--quiet   prints only errors\n",
	.run = run_backup,
};

#define MIB (INT64_C(1) << 20)
#define KEEP_MAX 100000
#define D "[0-9]"
#define PATTERN "okul-" D D D D "-" D D "-" D D "-" D D D D D D
#define SYNC_EVERY (8 * MIB)

struct backup {
	const struct conf *conf;
	struct db *db;
	bool quiet;
	int64_t keep;			       /* 0: all */
	char folder[PATH_MAX], path[PATH_MAX]; /* the folder of the backup, and its path */
	char aside[PATH_MAX + 32];	       /* what it is written to */
	bool in_folder;			       /* okul chooses the names, not the user */
	int file;			       /* aside, locked */
	int64_t synced;			       /* bytes */
};

/* ---- paths */

static const char *
ending_of(const struct backup *b)
{
	return db_is_url(b->conf->database) ? ".dump" : ".db";
}

/* A FOLDER is one that exists, or a path that ends in a slash. */
static int
find_backup_place(struct backup *b, const char *argument)
{
	size_t length = strlen(argument);
	bool named_folder = length > 0 && argument[length - 1] == '/';
	char time[CLOCK_TEXT];
	struct stat st;

	while (length > 1 && argument[length - 1] == '/')
		length--;
	if (length == 0 || length >= sizeof(b->folder) - 40)
		return ctl_error(EXIT_USAGE, "\"%s\" is not a path for a backup", argument);
	snprintf(b->folder, sizeof(b->folder), "%.*s", (int)length, argument);
	if (named_folder && mkdir(b->folder, 0700) != 0 && errno != EEXIST)
		return ctl_error(EXIT_DATA, "%s cannot be made: %m", b->folder);
	b->in_folder = named_folder || (stat(b->folder, &st) == 0 && S_ISDIR(st.st_mode));
	if (b->in_folder) {
		clock_text(clock_now(), time);
		snprintf(b->path, sizeof(b->path), "%.*s/okul-%.10s-%.2s%.2s%.2s%s", (int)length, argument, time, time + 11,
			time + 14, time + 17, ending_of(b));
		snprintf(b->aside, sizeof(b->aside), "%s/okul-backup.new", b->folder);
		return EXIT_SUCCESS;
	}
	if (b->keep)
		return ctl_error(EXIT_USAGE, "--keep is for a folder; add a / to %s to make one", b->folder);
	snprintf(b->path, sizeof(b->path), "%.*s", (int)length, argument);
	snprintf(b->aside, sizeof(b->aside), "%s.new", b->path);
	const char *folder = dirname(b->folder);
	if (folder != b->folder) /* "." */
		snprintf(b->folder, sizeof(b->folder), "%s", folder);
	return EXIT_SUCCESS;
}

static int
refuse_existing(const struct backup *b)
{
	return ctl_error(EXIT_DATA, "%s exists; a backup does not replace anything: name another file, or a folder", b->path);
}

/* True for what a killed run may have left: an empty file, or one with the header of a database, written or not yet. */
static bool
is_leftover(const struct backup *b)
{
	static const char nothing[16];
	char head[16] = "";

	return pread(b->file, head, sizeof(head), 0) <= 0 || memcmp(head, "SQLite format 3", sizeof(head)) == 0 ||
		memcmp(head, "PGDMP", 5) == 0 || memcmp(head, nothing, sizeof(head)) == 0;
}

/*
 * Two runs must not write into one file: it is locked. What a killed run left is overwritten. Before it was locked,
 * another run may have renamed it to a finished backup, so its name is checked.
 */
static int
open_aside(struct backup *b)
{
	struct stat mine, named;

	/* Not O_CLOEXEC: pg_dump has the lock too, and keeps it while it writes, even if this process is killed. */
	b->file = open(b->aside, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (b->file < 0)
		return ctl_error(
			EXIT_DATA, "%s cannot be made: %m%s", b->aside, errno == ENOENT ? "; make the folder first" : "");
	if (flock(b->file, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? ctl_error(EXIT_FAILURE, "another backup to %s is running", b->folder)
					    : ctl_error(EXIT_DATA, "%s cannot be locked: %m", b->aside);
	if (fstat(b->file, &mine) != 0 || stat(b->aside, &named) != 0 || mine.st_ino != named.st_ino ||
		mine.st_dev != named.st_dev)
		return ctl_error(EXIT_FAILURE, "another backup to %s was running; try again", b->folder);
	if (!b->in_folder && !is_leftover(b))
		return ctl_error(EXIT_DATA, "%s exists and is not a database; name another file", b->aside);
	if (ftruncate(b->file, 0) != 0 || fchmod(b->file, 0600) != 0)
		return ctl_error(EXIT_DATA, "%s cannot be written: %m", b->aside);
	return EXIT_SUCCESS;
}

/* On okul's own disk the reserve stays free: a backup must not stop okul. */
static int
check_room(const struct backup *b)
{
	int64_t size = db_copy_size(b->db);
	struct stat here, there;
	struct statvfs disk;

	if (size < 0 || statvfs(b->folder, &disk) != 0)
		return EXIT_SUCCESS; /* a failing write reports it */
	int64_t spare = (int64_t)(disk.f_bavail * disk.f_frsize);
	if (stat(b->folder, &here) == 0 && stat(b->conf->data, &there) == 0 && here.st_dev == there.st_dev)
		spare -= b->conf->storage_reserve * MIB;
	if (spare >= size)
		return EXIT_SUCCESS;
	return ctl_error(EXIT_DATA, "%s has no room for %lld MiB: %lld MiB are available there", b->folder,
		(long long)(size / MIB + 1), (long long)(spare > 0 ? spare / MIB : 0));
}

/* ---- copy */

/* In steps: during one long sync at the end, commits on the same disk would have to wait. */
static void
sync_some(void *context)
{
	struct backup *b = context;
	struct stat st;

	if (fstat(b->file, &st) != 0 || st.st_size - b->synced < SYNC_EVERY)
		return;
	b->synced = st.st_size;
	(void)!fdatasync(b->file); /* the last sync is checked */
}

/* Renames it unless the name was taken meanwhile; some file systems support only the second way. */
static bool
name_backup(const struct backup *b)
{
	if (renameat2(AT_FDCWD, b->aside, AT_FDCWD, b->path, RENAME_NOREPLACE) == 0)
		return true;
	return (errno == EINVAL || errno == ENOSYS) && link(b->aside, b->path) == 0 && unlink(b->aside) == 0;
}

/* Writes, checks and renames aside. */
static int
make_copy(struct backup *b)
{
	char why[512], sha256[65];
	int64_t size = -1;
	int code = check_room(b);

	if (code == EXIT_SUCCESS && !db_copy(b->db, b->aside, sync_some, b, why, sizeof(why)))
		code = ctl_error(EXIT_FAILURE, "%s: %s", b->path, why);
	if (code == EXIT_SUCCESS && (fsync(b->file) != 0 || (size = ctl_hash_file(b->file, sha256)) < 0))
		code = ctl_error(EXIT_FAILURE, "%s cannot be written: %m", b->path);
	if (code == EXIT_SUCCESS && !name_backup(b))
		code = errno == EEXIST ? refuse_existing(b) : ctl_error(EXIT_FAILURE, "%s cannot be made: %m", b->path);
	if (code == EXIT_SUCCESS && !db_sync(b->folder))
		code = ctl_error(EXIT_FAILURE, "%s cannot be synced: %m", b->folder);
	if (code == EXIT_SUCCESS && !b->quiet)
		printf("%s: %lld bytes, SHA-256 %s\n", b->path, (long long)size, sha256);
	return code;
}

static int
make_backup(struct backup *b)
{
	char journal[PATH_MAX + 48];
	int code = open_aside(b);

	if (code == EXIT_SUCCESS && (code = make_copy(b)) != EXIT_SUCCESS) {
		snprintf(journal, sizeof(journal), "%s-journal", b->aside);
		unlink(journal);
		unlink(b->aside);
	}
	if (b->file >= 0)
		close(b->file);
	return code;
}

/* ---- older backups */

static int
is_backup(const struct dirent *entry)
{
	return fnmatch(PATTERN ".db", entry->d_name, 0) == 0 || fnmatch(PATTERN ".dump", entry->d_name, 0) == 0;
}

/* Keeps the new backup, even if the clock was ahead when others were made. */
static int
drop_old(const struct backup *b)
{
	struct dirent **names;
	int count = scandir(b->folder, &names, is_backup, alphasort), code = EXIT_SUCCESS, dropped = 0;
	int64_t surplus = count - b->keep;
	char path[PATH_MAX + 300];

	if (count < 0)
		return ctl_error(EXIT_FAILURE, "%s cannot be listed: %m", b->folder);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", b->folder, names[i]->d_name);
		free(names[i]);
		if (surplus <= 0 || strcmp(path, b->path) == 0)
			continue;
		surplus--;
		if (unlink(path) == 0)
			dropped++;
		else
			code = ctl_error(EXIT_FAILURE, "%s cannot be deleted: %m", path);
	}
	free(names);
	if (!b->quiet)
		printf("backups in %s: %d, older ones deleted: %d\n", b->folder, count - dropped, dropped);
	return code;
}

static bool
read_backup_options(struct backup *b, int argc, char **argv)
{
	static const struct option options[] = {
		{ "keep", required_argument, NULL, 'k' },
		{ "quiet", no_argument, NULL, 'q' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'k' && !text_to_int(optarg, 1, KEEP_MAX, &b->keep))
			return ctl_fail("--keep takes a number from 1 to %d", KEEP_MAX);
		if (option == '?')
			return ctl_fail("`okulctl backup --help` lists the options");
		b->quiet |= option == 'q';
	}
	return optind + 1 == argc || ctl_fail("usage: okulctl backup %s", command_backup.usage);
}

static int
run_backup(int argc, char **argv, const char *data)
{
	struct backup b = { .file = -1 };
	char why[1024];
	int code;

	if (!read_backup_options(&b, argc, argv))
		return EXIT_USAGE;
	b.conf = ctl_conf(data);
	if (!b.conf)
		return EXIT_CONFIG;
	/* Of any version: also before an upgrade. */
	b.db = db_open(b.conf->database, DB_READ_ONLY, 0, why, sizeof(why));
	if (!b.db)
		return ctl_error(EXIT_CONFIG, "%s", why);
	code = find_backup_place(&b, argv[optind]);
	if (code == EXIT_SUCCESS)
		code = access(b.path, F_OK) == 0 ? refuse_existing(&b) : make_backup(&b);
	db_close(b.db);
	if (code == EXIT_SUCCESS && b.keep)
		code = drop_old(&b);
	return code;
}
