/* okulctl check - checks everything that okul needs to work, a line each. */
#include "okulctl.h"
#include "blob.h"
#include "s3.h"

#include "clock.h"
#include "email.h"
#include "file.h"
#include "origin.h"
#include "url.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static command_call run_check;

static const struct db_statements statements;

const struct command command_check = {
	.name = "check",
	.usage = "[--settings]",
	.summary = "check the whole installation, and report what to do",
	.help = "Prints a line for each check: ok, warn or FAIL, its name, what was found, and\n"
		"after a semicolon what to do. The exit code is 1 when one failed.\n"
		"Changes nothing; safe at any time.\n"
		"--settings  prints every setting of okul.conf with its meaning and default, as a\n"
		"            file to start from\n",
	.run = run_check,
	.statements = &statements,
};

#define DISK_FAIL (16 * MIB) /* below it writes are refused */
#define DISK_WARN (256 * MIB)
#define CHANGES_WARN (16 * MIB)
#define OUTBOX_WARN (10 * MINUTE) /* a mail that has waited longer could not be sent */

enum verdict { OK, WARN, FAIL };

enum { WAITING };

static const char *const sql[] = {
	[WAITING] = "SELECT count(*), min(created_at), (SELECT last_error FROM outbox"
		    " WHERE last_error IS NOT NULL ORDER BY created_at LIMIT 1) FROM outbox /* scans: outbox */",
};
static const struct db_statements statements = { sql, COUNT(sql) };

static bool failed;

static void printf_like(3, 4) report(enum verdict verdict, const char *name, const char *format, ...)
{
	static const char *const words[] = { [OK] = "ok", [WARN] = "warn", [FAIL] = "FAIL" };
	va_list list;

	failed |= verdict == FAIL;
	printf("%-4s %s: ", words[verdict], name);
	va_start(list, format);
	ctl_print(stdout, format, list);
	va_end(list);
	putchar('\n');
}

/* ---- files */

/* Checks a file or folder, whose mode must have none of the bits `open`; `mode` is what it should be. */
static void
check_access(const char *what, const char *path, mode_t open, const char *mode)
{
	struct stat st;

	if (stat(path, &st) != 0)
		report(FAIL, what, "%s: %s", path, strerror(errno));
	else if (st.st_mode & open)
		report(FAIL, what, "%s is open to other users (mode %04o); run: chmod %s %s", path, st.st_mode & 07777, mode,
			path);
	else if (S_ISDIR(st.st_mode) && access(path, W_OK | X_OK) != 0)
		report(FAIL, what, "%s is not writable for this user; run okul as uid %u", path, st.st_uid);
	else
		report(OK, what, "%s, mode %04o", path, st.st_mode & 07777);
}

static void
check_private(const struct conf *conf, const char *what, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", conf->data, name);
	check_access(what, path, S_IRWXG | S_IRWXO, "600");
}

static bool
has_password(const char *url)
{
	char hidden[PATH_MAX];

	url_hide_password(hidden, sizeof(hidden), url);
	return strcmp(hidden, url) != 0;
}

/* Others may read okul.conf, unless it holds a secret: the web server's user is in its group. */
static void
check_settings_file(const struct conf *conf)
{
	const struct {
		const char *name, *variable;
		bool is_secret;
	} settings[] = {
		{ "database", "OKUL_DATABASE", db_is_url(conf->database) && has_password(conf->database) },
		{ "smtp_password", "OKUL_SMTP_PASSWORD", conf->smtp_password[0] != '\0' },
		{ "files_secret", "OKUL_FILES_SECRET", conf->files_secret[0] != '\0' },
	};
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/okul.conf", conf->data);
	if (stat(path, &st) != 0 || !(st.st_mode & (S_IRWXG | S_IRWXO)))
		return;
	for (size_t i = 0; i < COUNT(settings); i++)
		if (settings[i].is_secret && !getenv(settings[i].variable))
			report(FAIL, "password", "%s in %s can be read by other users (mode %04o); run: chmod 600 %s",
				settings[i].name, path, st.st_mode & 07777, path);
}

/* When the web server sends uploads itself, its user must read them as a member of their group. */
static void
check_web_user(const struct stat *files)
{
	const struct passwd *web = getpwnam("www-data");
	const struct group *group = getgrgid(files->st_gid);
	gid_t groups[256];
	int count = COUNT(groups);
	bool member = false;

	if (!web || getgrouplist(web->pw_name, web->pw_gid, groups, &count) < 0)
		return;
	for (int i = 0; i < count; i++)
		member |= groups[i] == files->st_gid;
	if (member || web->pw_uid == files->st_uid)
		report(OK, "downloads", "the web server may read the files");
	else
		report(WARN, "downloads", "the web server may not read the files; run: adduser %s %s, and restart it",
			web->pw_name, group ? group->gr_name : "okul");
}

static bool
file_has_line(const char *path, const char *line)
{
	FILE *file = fopen(path, "re");
	char text[512];
	bool found = false;

	while (file && !found && fgets(text, sizeof(text), file)) {
		text[strcspn(text, "\n")] = '\0';
		found = strcmp(text, line) == 0;
	}
	if (file)
		fclose(file);
	return found;
}

/* conf/systemd/okul@.service gives the programs no network, which is the right thing only where they need none. */
static void
check_network(const struct conf *conf)
{
	const char *units = "/etc/systemd/system";
	bool socket = strncmp(conf->database, "postgresql:///", 14) == 0 || strstr(conf->database, "%2F");
	bool needed = blob_is_remote(conf) || (db_is_url(conf->database) && !socket), given = false;
	char path[PATH_MAX];
	glob_t more;

#ifdef OKUL_TEST
	if (getenv("OKUL_UNITS"))
		units = getenv("OKUL_UNITS");
#endif
	snprintf(path, sizeof(path), "%s/okul@.service", units);
	if (!needed || !file_has_line(path, "PrivateNetwork=yes"))
		return;
	snprintf(path, sizeof(path), "%s/okul@*.service.d/*.conf", units);
	if (glob(path, 0, NULL, &more) == 0)
		for (size_t i = 0; i < more.gl_pathc; i++)
			given |= file_has_line(more.gl_pathv[i], "PrivateNetwork=no");
	globfree(&more);
	if (given)
		report(OK, "network", "systemd gives it to the programs");
	else
		report(FAIL, "network",
			"systemd keeps the programs off it, and %s is there; copy conf/cluster/okul@.service.d to %s, and restart okul",
			blob_is_remote(conf) ? conf->files_endpoint : "the database", units);
}

static bool
see_one(void *context, const char *sha256, const struct s3_object *object)
{
	(void)context, (void)sha256, (void)object;
	return false;
}

static void
check_storage(const struct conf *conf)
{
	char why[512];

	if (!blob_init(conf, why, sizeof(why)))
		report(FAIL, "storage", "%s", why);
	else if (s3_list(conf, see_one, NULL) != S3_DONE)
		report(FAIL, "storage", "%s", s3_reason());
	else
		report(OK, "storage", "%s at %s", conf->files, conf->files_endpoint);
}

static void
check_files(const struct conf *conf)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/files", conf->data);
	if (stat(path, &st) != 0 && errno == ENOENT) {
		report(OK, "files", "no upload yet");
		return;
	}
	if (access(path, R_OK | W_OK | X_OK) != 0) {
		report(FAIL, "files", "%s: %s; run: chown -R okul:okul %s", path, strerror(errno), path);
		return;
	}
	if ((st.st_mode & 07777) != 0750)
		report(FAIL, "files", "%s has mode %04o instead of 0750; run: chmod 750 %s", path, st.st_mode & 07777, path);
	else
		report(OK, "files", "%s, mode 0750", path);
	if (!blob_is_remote(conf) && !conf->development &&
		(conf->delivery != DELIVER_ITSELF || access("/run/okul/storage.sock", F_OK) == 0))
		check_web_user(&st);
}

/* Programs load libmagic only for an upload, and start without it. */
static void
check_uploads(void)
{
	static const char gif[] = "GIF89a\1\0\1\0\200\0\0\0\0\0\377\377\377,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
	const int64_t size = sizeof(gif) - 1;
	int file = memfd_create("gif", MFD_CLOEXEC);

	if (file < 0 || write(file, gif, (size_t)size) != size)
		report(WARN, "uploads", "cannot be checked: %s", strerror(errno));
	else if (media_detect(file, size) != MEDIA_GIF)
		report(FAIL, "uploads", "libmagic does not work, so all are refused; run: apt-get install libmagic1");
	else
		report(OK, "uploads", "libmagic works");
	if (file >= 0)
		close(file);
}

static void
check_disk(const struct conf *conf)
{
	struct statvfs disk;

	if (statvfs(conf->data, &disk) != 0) {
		report(FAIL, "disk", "%s: %s", conf->data, strerror(errno));
		return;
	}
	int64_t free_bytes = (int64_t)(disk.f_bavail * disk.f_frsize);
	enum verdict verdict = free_bytes < DISK_FAIL ? FAIL : free_bytes < DISK_WARN ? WARN : OK;
	report(verdict, "disk", "%lld MiB free%s", (long long)(free_bytes / MIB),
		verdict ? "; make room: below 16 MiB okul can only delete, below 4 MiB not write at all" : "");
}

/* ---- what a web server could serve */

/* By its name, or by a file that only web servers read. /var/www contains web roots, but is none itself. */
static bool
is_web_root(const char *folder)
{
	/* clang-format off */
	static const char *const names[] = {
		"htdocs", "httpdocs", "html", "public_html", "www", "wwwroot", "webroot", "public", "cgi-bin",
	};
	/* clang-format on */
	const char *name = strrchr(folder, '/') + 1;
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/.htaccess", folder);
	if (access(path, F_OK) == 0)
		return true;
	for (size_t i = 0; i < COUNT(names) && strcmp(folder, "/var/www") != 0; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Cuts an absolute path to the nearest folder, itself or one above, that looks like a web root; false for none. */
static bool
find_web_root(char *path)
{
	for (char *end = path + strlen(path); end > path; end = strrchr(path, '/')) {
		*end = '\0';
		if (is_web_root(path))
			return true;
	}
	return false;
}

/* Whether one path is the other, or one lies below the other. */
static bool
is_way_to(const char *a, const char *b)
{
	size_t length = strlen(a) < strlen(b) ? strlen(a) : strlen(b);

	return strncmp(a, b, length) == 0 && strchr("/", a[length]) && strchr("/", b[length]);
}

/* Reports links in a folder that lead to the data. True when there is one. */
static bool
check_links(const struct conf *conf, const char *folder, const char *programs)
{
	DIR *entries = opendir(folder);
	const struct dirent *entry;
	bool found = false;

	while (entries && (entry = readdir(entries))) {
		char path[PATH_MAX + 300], target[PATH_MAX];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode) || !realpath(path, target) || !is_way_to(target, conf->data))
			continue;
		found = true;
		report(WARN, "web",
			"%s leads from a web root to the data: a server that ignores .htaccess shows them; "
			"run: rm %s; echo %s >%s/okul.data",
			path, path, conf->data, programs);
	}
	if (entries)
		closedir(entries);
	return found;
}

static void
check_exposure(const struct conf *conf)
{
	char root[PATH_MAX], programs[PATH_MAX], why[200];
	bool found;

	snprintf(root, sizeof(root), "%s", conf->data);
	found = find_web_root(root);
	if (found)
		report(WARN, "web",
			"the data lie below %s, which looks like a web root: a server that ignores .htaccess "
			"shows them; move %s elsewhere, and write its path into okul.data beside okulctl",
			root, conf->data);
	if (conf_beside("", programs, why, sizeof(why))) {
		*strrchr(programs, '/') = '\0';
		snprintf(root, sizeof(root), "%s", programs);
		for (bool first = true; find_web_root(root); first = false) {
			if (first && strcmp(root, programs) != 0)
				found |= check_links(conf, programs, programs);
			found |= check_links(conf, root, programs);
			*strrchr(root, '/') = '\0';
		}
	}
	if (!found)
		report(OK, "web", "the data lie below no web root");
}

/* ---- the database */

static void
keep_damage(void *context, const struct db_rows *found, bool first)
{
	if (first)
		snprintf(context, 256, "%s", db_text(found, 0));
}

static void
check_integrity(struct db *db)
{
	char why[256] = "", damage[256] = "";

	bool checked = db_verify(db, true, keep_damage, damage, why, sizeof(why));
	if (!checked || damage[0])
		report(FAIL, "integrity", "%s; restore the database from a backup", checked ? damage : why);
	else
		report(OK, "integrity", "no damage found");
}

static void
check_writer_lock(struct db *db)
{
	int64_t start = clock_ticks();
	enum db_rc rc = db_write_begin(db);
	int64_t microseconds = clock_ticks() - start;

	if (rc == DB_DONE) {
		db_write_rollback(db);
		report(OK, "writer lock", "a write would have waited %lld.%lld ms", (long long)(microseconds / 1000),
			(long long)(microseconds / 100 % 10));
	} else {
		report(FAIL, "writer lock", "%s", db_reason(rc));
	}
	db_release(db);
}

static void
check_change_log(struct db *db)
{
	int64_t size = db_log_size(db);

	if (size > CHANGES_WARN)
		report(WARN, "change log",
			"%lld MiB; a long read keeps it (a backup, a stuck program): if it does not "
			"shrink, restart okul",
			(long long)(size / MIB));
	else
		report(OK, "change log", "%lld KiB", (long long)(size / 1024));
}

static void
check_outbox(struct db *db)
{
	struct db_rows *row;
	enum db_rc rc = db_one(db, &row, sql[WAITING], NO_ARGS);

	if (rc != DB_ROW) {
		report(FAIL, "outbox", "%s", db_reason(rc));
	} else if (db_int(row, 0) == 0) {
		report(OK, "outbox", "empty");
	} else {
		int64_t age = clock_now() - db_int(row, 1);
		const char *error = db_text(row, 2);
		report(age > OUTBOX_WARN ? WARN : OK, "outbox",
			"%lld waiting, the oldest for %lld min, last error: "
			"%s%s",
			(long long)db_int(row, 0), (long long)(age / MINUTE), error ? error : "none",
			age <= OUTBOX_WARN ? ""
				: error	   ? "; fix that"
					   : "; check that `okulctl mail` runs");
	}
	db_release(db);
}

static void
report_review(enum db_grade grade, const char *topic, const char *text)
{
	report(grade == DB_GOOD ? OK : grade == DB_DOUBTFUL ? WARN : FAIL, topic, "%s", text);
}

static void
check_database(const struct conf *conf)
{
	char why[1024];
	struct db *db = db_open(conf->database, DB_READ_WRITE, DB_SCHEMA_VERSION, why, sizeof(why));

	if (!db) {
		report(FAIL, "database", "%s", why);
		return;
	}
	bool on_server = db_is_url(conf->database);
	if (!on_server)
		check_private(conf, "database", "okul.db");
	report(OK, "schema", "version %d", DB_SCHEMA_VERSION);
	db_review(db, report_review);
	if (!on_server) {
		check_integrity(db);
		check_writer_lock(db);
		check_change_log(db);
	}
	check_outbox(db);
	db_close(db);
}

/* ---- mail */

static bool
is_loopback(const char *host)
{
	struct in_addr v4;

	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
		(inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

static void
check_smtp(const struct conf *conf)
{
	static const char *const security[] = {
		[SMTP_PLAIN] = "plain",
		[SMTP_STARTTLS] = "starttls",
		[SMTP_TLS] = "tls",
	};

	if (!conf->smtp_host[0])
		report(FAIL, "mail", "smtp_host is empty; set it in okul.conf");
	else if (conf->smtp_security == SMTP_PLAIN && !is_loopback(conf->smtp_host))
		report(FAIL, "mail", "mail and password would go to %s unencrypted; set smtp_security = starttls or tls",
			conf->smtp_host);
	else if (conf->smtp_user[0] && !conf->smtp_password[0])
		report(FAIL, "mail", "smtp_user is set and smtp_password is not; set both, or neither");
	else
		report(OK, "mail", "smtp to %s:%lld, %s, %s", conf->smtp_host, (long long)conf->smtp_port,
			security[conf->smtp_security], conf->smtp_user[0] ? "with login" : "without login");
}

static void
check_mail(const struct conf *conf)
{
	const char *from = conf->mail_from;

	if (!strchr(from, '@') || from[0] == '@' || strpbrk(from, " \"<>"))
		report(FAIL, "sender", "mail_from = %s is not a mail address; set it in okul.conf", from);
	else if (!conf->development && strcmp(from, "okul@localhost") == 0)
		report(WARN, "sender", "mail_from is %s; set an address that receivers accept", from);
	else
		report(OK, "sender", "%s <%s>", conf->mail_name, from);
	if (conf->reply_to[0] && !email_is_good(conf->reply_to))
		report(FAIL, "replies", "reply_to = %s is not a mail address; set it in okul.conf", conf->reply_to);

	switch (conf->mail_transport) {
	case MAIL_FILE:
		report(conf->development ? OK : WARN, "mail", "mails are only written to %s/mail%s", conf->data,
			conf->development ? "" : "; set mail_transport = smtp or sendmail");
		break;
	case MAIL_SENDMAIL:
		if (access(conf->sendmail, X_OK) == 0)
			report(OK, "mail", "by %s", conf->sendmail);
		else
			report(FAIL, "mail", "%s cannot be run: %s; install a mail server or set sendmail", conf->sendmail,
				strerror(errno));
		break;
	case MAIL_SMTP: check_smtp(conf); break;
	}
}

/* ---- addresses and zone */

static void
check_address(const struct conf *conf)
{
	static const char local[] = "http://127.0.0.1:";
	const char *api = conf->base_url, *app = conf->app_url;
	bool same = strcmp(api, app) == 0;

	if (!conf->development && strncmp(api, local, strlen(local)) == 0)
		report(WARN, "address", "links in responses and mails lead to %s; set base_url", api);
	else if (!conf->development && strncmp(app, local, strlen(local)) == 0)
		report(WARN, "address", "links in mails lead to %s; set app_url", app);
	else
		report(OK, "address", "%s%s%s", api, same ? "" : ", links in mails to ", same ? "" : app);
}

/* Reports entries that can never match, which okul ignores, and whether the web server knows the others. */
static void
check_origins(const struct conf *conf)
{
	const char *list = conf->cors_origins, *entry, *fault;
	struct buf good = { 0 };
	size_t length;
	bool bad = false;

	while ((entry = origin_next(&list, &length))) {
		if (!(fault = origin_put(&good, entry, length)))
			continue;
		bad = true;
		report(FAIL, "origins", "%.*s of cors_origins %s", (int)length, entry, fault);
	}
	buf_clear(&good);
	if (!origins_known(conf))
		report(WARN, "origins", "the web server has old cors_origins; run: okulctl migrate, and reload it");
	else if (!bad)
		report(OK, "origins", "%s", conf->origins[0] ? conf->origins : "none but the site's own");
}

static void
check_zone(const struct conf *conf)
{
	if (clock_is_zone(conf->time_zone))
		report(OK, "time zone", "%s", conf->time_zone);
	else
		report(FAIL, "time zone",
			"%s is not known here, so okul uses UTC; correct time_zone, or run: apt-get "
			"install tzdata",
			conf->time_zone);
}

/* ---- all */

static int
run_check(int argc, char **argv, const char *data)
{
	char why[1024];

	if (argc == 2 && strcmp(argv[1], "--settings") == 0) {
		conf_print(stdout);
		return EXIT_SUCCESS;
	}
	if (argc > 1)
		return ctl_error(EXIT_USAGE, "check takes no argument but --settings");
	const struct conf *conf = conf_load(data, why, sizeof(why));
	if (!conf || !conf_load_secrets(SECRET_MAIL, why, sizeof(why)) || !conf_load_secrets(SECRET_FILES, why, sizeof(why))) {
		report(FAIL, "configuration", "%s", why);
		return EXIT_FAILURE;
	}
	report(OK, "configuration", "%s, %s", conf->data, conf->development ? "development" : "production");
	check_access("folder", conf->data, S_IWGRP | S_IROTH | S_IWOTH, "750");
	check_private(conf, "keys", "keys.conf");
	check_settings_file(conf);
	check_exposure(conf);
	if (conf->files_bucket[0])
		check_storage(conf);
	check_files(conf);
	check_network(conf);
	check_uploads();
	check_disk(conf);
	check_database(conf);
	check_mail(conf);
	check_address(conf);
	check_origins(conf);
	check_zone(conf);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
