#include "conf.h"

#include "encode.h"
#include "origin.h"
#include "random.h"
#include "text.h"
#include "url.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <sys/stat.h>
#include <unistd.h>

/* ADDRESS: of a web site; "" only if that is the default. FLAG and CHOICE: an index into `words`, a bool or an enum. */
enum setting_type { STRING, ADDRESS, INTEGER, FLAG, CHOICE };

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;
	const char *fallback;
	const char *summary;
	int64_t min, max;	  /* INTEGER */
	const char *const *words; /* FLAG: of false and true; CHOICE: in the order of the enum */
	enum conf_secret secret;  /* only conf_load_secrets() reads it */
};

#define AT(member) offsetof(struct conf, member)
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define TEXT(name, fallback, summary) \
	{ \
#name, STRING, AT(name), fallback, summary \
	}
#define URL(name, fallback, summary) \
	{ \
#name, ADDRESS, AT(name), fallback, summary \
	}
#define NUMBER(name, fallback, min, max, summary) \
	{ \
#name, INTEGER, AT(name), #fallback, summary, min, max \
	}
#define ON_OFF(name, fallback, summary) \
	{ \
#name, FLAG, AT(name), fallback, summary, .words = WORDS("off", "on") \
	}
#define ONE_OF(name, fallback, summary, ...) \
	{ \
#name, CHOICE, AT(name), fallback, summary, .words = WORDS(__VA_ARGS__) \
	}

static const struct setting settings[] = {
	{ "env", FLAG, AT(development), "production", "development returns the login code of /api/v1 in the response",
		.words = WORDS("production", "development") },
	URL(base_url, "http://127.0.0.1:8080",
		"public address of the API, like https://example.org; addresses of files begin with it"),
	URL(app_url, "", "address of the web app, for links in mails; empty: base_url"),
	TEXT(database, "",
		"postgresql://user@host/name for a database on a server (host1,host2 for several); empty: DATA/okul.db"),
	TEXT(files, "",
		"s3://bucket or s3://bucket/prefix for uploads in storage that speaks S3; empty: DATA/files (`okulctl files move`)"),
	TEXT(files_endpoint, "", "its address without the bucket, like https://s3.example.org; http only on this machine"),
	TEXT(files_ca, "", "file of certificates that may sign its certificate; empty: the system's"),
	TEXT(files_region, "us-east-1", "its region"),
	TEXT(files_key_id, "", "id of the access key"),
	{ "files_secret", STRING, AT(files_secret), "", "its secret; with one the file must be readable by its owner alone",
		.secret = SECRET_FILES },
	ONE_OF(files_delivery, "proxy",
		"who sends files that are in S3: nginx, or the storage itself, by a redirect (always so without x-accel)",
		"proxy", "redirect"),
	TEXT(share, "", "folder of schema.sql, migrate/, mail/ (default: share/ beside the program)"),
	TEXT(mail_from, "okul@localhost", "sender address of mails"),
	TEXT(mail_name, "okul", "the school's name in mails"),
	TEXT(reply_to, "", "address that gets answers to a reply; empty: that of the admin who replied"),
	ONE_OF(mail_transport, "file", "file writes DATA/mail/*.eml, for development", "file", "sendmail", "smtp"),
	TEXT(sendmail, "/usr/sbin/sendmail", "program of transport sendmail"),
	TEXT(smtp_host, "127.0.0.1", "server of transport smtp"),
	NUMBER(smtp_port, 587, 1, 65535, "587 with starttls, 465 with tls, 25 plain"),
	ONE_OF(smtp_security, "starttls", "plain only to a server on this machine", "plain", "starttls", "tls"),
	TEXT(smtp_user, "", "login of the SMTP server; empty: none"),
	{ "smtp_password", STRING, AT(smtp_password), "", "its password; with one the file must be readable by its owner alone",
		.secret = SECRET_MAIL },
	TEXT(smtp_ca, "", "file of trusted certificates; empty: the system's"),
	NUMBER(smtp_timeout, 30, 1, 600, "seconds for one mail, sendmail's too"),
	NUMBER(code_life, 600, 60, 86400, "lifetime of a login code in seconds"),
	NUMBER(code_pause, 60, 0, 3600,
		"seconds between two codes for one mail address; this, code_hourly, daily_wrong and "
		"daily_wrong_short apply to each network that the user logs in from, and to all others together"),
	NUMBER(code_hourly, 5, 1, 1000, "codes an hour for one mail address"),
	NUMBER(code_daily, 30, 1, 10000, "codes a day for one mail address, in all"),
	NUMBER(code_daily_new, 6, 1, 10000,
		"of these for networks that the user does not log in from, so that strangers cannot use up all"),
	NUMBER(client_hourly, 30, 1, 100000, "codes an hour for one client network, except for users that log in from there"),
	NUMBER(client_wrong_hourly, 10, 1, 100000, "wrong codes an hour from one client network, whatever the address"),
	NUMBER(client_wrong_daily, 50, 1, 1000000, "likewise, a day"),
	NUMBER(client_users_daily, 40, 1, 1000000, "new users a day from one client network"),
	NUMBER(code_tries, 5, 1, 10, "wrong tries until a code is void"),
	NUMBER(daily_wrong, 25, 1, 1000, "wrong tries a day for one mail address, over all codes"),
	NUMBER(daily_wrong_short, 3, 1, 1000, "likewise, for the 4-digit codes of /api/v1"),
	NUMBER(known_days, 90, 1, 3650, "days that a network is known after a user's login from it"),
	ON_OFF(api_v1, "on", "/api/v1, whose codes have 4 digits; off: 404"),
	NUMBER(access_life, 3600, 60, 86400, "lifetime of an access token in seconds"),
	NUMBER(refresh_life, 2592000, 3600, 31536000, "seconds until a session ends that is not used"),
	NUMBER(session_life, 15552000, 3600, 315360000, "seconds until a session ends in any case"),
	NUMBER(refresh_grace, 10, 0, 60, "seconds that a replaced refresh token still works"),
	NUMBER(contact_hourly, 5, 1, 100000, "contact requests an hour for one client address, IPv6 by its /64"),
	ON_OFF(limits, "on", "limits by client network (IPv4 address, IPv6 /64); those by mail address always apply"),
	TEXT(trusted_proxy, "", "reverse proxies whose X-Forwarded-For is trusted, like 192.0.2.1 10.0.0.0/8 2001:db8::/32"),
	TEXT(cors_origins, "",
		"origins of web apps that may call the API, like https://app.example.org, separated by spaces; "
		"`okulctl migrate` writes them for nginx"),
	TEXT(time_zone, "Europe/Istanbul", "the school's time zone"),
	TEXT(privacy_policy_version, "1.0.0", "version of the text that users accept now; stored with each acceptance"),
	TEXT(terms_of_use_version, "1.0.0", "likewise"),
	TEXT(consent_form_version, "1.0.0", "likewise"),
	NUMBER(deletion_grace, 28, 0, 365, "days between the request to delete an account and its deletion"),
	NUMBER(body_limit, 1048576, 1024, 16777216, "bytes of a JSON body; at most 65536 where no login is needed"),
	NUMBER(upload_limit, 25, 1, 65536, "MiB of one uploaded file"),
	NUMBER(upload_request_limit, 100, 1, 65536,
		"MiB of a whole upload; the web server must allow as much for /storage and /education-materials"),
	NUMBER(storage_user_quota, 100, 0, 16777216,
		"MiB of all files of one user, each counted as at least 4 KiB; not for admins; 0: none"),
	NUMBER(storage_total_quota, 0, 0, 16777216, "MiB of all stored files together; 0: none"),
	NUMBER(storage_share, 50, 0, 100,
		"percent of the disk that all stored files may fill by uploads of others than admins; 0, or files in S3: no limit"),
	NUMBER(storage_reserve, 256, 0, 16777216,
		"MiB of the disk that uploads leave free; with files in S3 too, where they pass through it"),
	NUMBER(retire_after, 100000, 0, 1000000000, "requests until a worker is replaced; 0: never"),
	NUMBER(workers, 2, 1, 64, "processes a program"),
	ONE_OF(delivery, "itself", "who sends files: x-accel for nginx, x-sendfile for Apache with mod_xsendfile", "itself",
		"x-accel", "x-sendfile"),
	{ "log", FLAG, AT(log_syslog), "stderr", "where log lines go", .words = WORDS("stderr", "syslog") },
	NUMBER(log_level, 6, 2, 7, "3 errors, 4 warnings, 6 requests too, 7 everything"),
};

static struct conf loaded;

/* Where the settings come from, and where an error message goes. */
struct source {
	struct conf *conf;
	const char *name; /* for error messages: a path or an environment variable */
	char *why;
	size_t room;
	enum conf_secret secrets; /* only settings of this kind are stored */
	bool seen[COUNT(settings)];
};

#define complain(source, ...) text_complain((source)->why, (source)->room, __VA_ARGS__)

static bool
set_string(const struct source *source, const char **place, const char *text, size_t length)
{
	free((char *)*place);
	*place = NULL; /* asprintf() may leave it as it is when it fails */
	return asprintf((char **)place, "%.*s", (int)length, text) >= 0 || complain(source, "out of memory");
}

/* Removes slashes at the end, since paths are appended. */
static bool
set_address(const struct source *source, const struct setting *setting, const char **place, const char *text)
{
	size_t length = strlen(text);
	bool is_default = length == 0 && setting->fallback[0] == '\0';

	if (!is_default && (*text == '/' || !url_is_good(text)))
		return complain(
			source, "%s: %s = %s: must be an address like https://example.org", source->name, setting->name, text);
	while (length > 0 && text[length - 1] == '/')
		length--;
	return set_string(source, place, text, length);
}

/* Stores the index of a word of `setting->words`. */
static bool
set_word(const struct source *source, const struct setting *setting, void *place, const char *text)
{
	char all[128] = "";

	for (int i = 0; setting->words[i]; i++) {
		size_t length = strlen(all);

		if (strcmp(setting->words[i], text) != 0) {
			snprintf(all + length, sizeof(all) - length, "%s%s", i ? ", " : "", setting->words[i]);
			continue;
		}
		if (setting->type == FLAG)
			*(bool *)place = i;
		else
			*(int *)place = i;
		return true;
	}
	return complain(source, "%s: %s = %s: must be one of %s", source->name, setting->name, text, all);
}

static bool
set(const struct source *source, const struct setting *setting, const char *text)
{
	void *place = (char *)source->conf + setting->offset;

	switch (setting->type) {
	case STRING: return set_string(source, place, text, strlen(text));
	case ADDRESS: return set_address(source, setting, place, text);
	case INTEGER:
		if (text_to_int(text, setting->min, setting->max, place))
			return true;
		return complain(source, "%s: %s = %s: must be a number from %lld to %lld", source->name, setting->name, text,
			(long long)setting->min, (long long)setting->max);
	case FLAG:
	case CHOICE: return set_word(source, setting, place, text);
	}
	return false;
}

/* ---- okul.conf */

#define FILE_MAX 65536 /* bytes of okul.conf */

static int
on_setting(void *user, const char *section, const char *name, const char *value)
{
	struct source *source = user;

	(void)section;
	for (size_t i = 0; i < COUNT(settings); i++) {
		if (strcmp(settings[i].name, name) != 0)
			continue;
		/* libinih takes an indented line for a further value of the setting above it. */
		if (source->seen[i])
			return complain(source,
				"%s: %s is set twice, or the line below it is indented; begin every "
				"line at the margin",
				source->name, name);
		source->seen[i] = true;
		return settings[i].secret != source->secrets || set(source, &settings[i], value);
	}
	return complain(source, "%s: there is no setting \"%s\" (`okulctl check --settings` lists them all)", source->name, name);
}

/* Overwrites the lines of secrets that are not wanted by spaces, so that libinih makes no copy of them. */
static void
blank_secrets(char *text, enum conf_secret wanted)
{
	for (char *line = text; *line; line += strspn(line, "\n")) {
		size_t length = strcspn(line, "\n");

		for (size_t i = 0; i < COUNT(settings); i++)
			if (settings[i].secret && settings[i].secret != wanted &&
				strncmp(line, settings[i].name, strlen(settings[i].name)) == 0)
				memset(line, ' ', length);
		line += length;
	}
}

/* Reads a whole file into `room` bytes, and appends a NUL. False with errno set. */
static bool
read_whole(const char *path, char *out, size_t room)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t n = -1;

	while (file >= 0 && have < room - 1 && (n = read(file, out + have, room - 1 - have)) > 0)
		have += (size_t)n;
	int error = n > 0 ? EFBIG : errno;
	if (file >= 0)
		close(file);
	out[have] = '\0';
	errno = error;
	return n == 0;
}

static bool
read_file(struct source *source)
{
	char path[PATH_MAX], *text;

	snprintf(path, sizeof(path), "%s/okul.conf", source->conf->data);
	if (access(path, F_OK) != 0)
		return true;
	source->name = path;
	text = malloc(FILE_MAX);
	if (!text)
		return complain(source, "out of memory");
	source->why[0] = '\0';
	bool good = read_whole(path, text, FILE_MAX);
	if (!good)
		complain(source, "%s cannot be read: %s; run this as the user that runs okul", path, strerror(errno));
	else
		blank_secrets(text, source->secrets);
	int line = good ? ini_parse_string(text, on_setting, source) : -1;
	secret_wipe(text, FILE_MAX);
	free(text);
	if (line != 0 && !source->why[0])
		complain(source, "%s: line %d is not of the form name = value", path, line);
	return line == 0;
}

static bool
read_environment(struct source *source)
{
	for (size_t i = 0; i < COUNT(settings); i++) {
		char name[64];

		snprintf(name, sizeof(name), "OKUL_%s", settings[i].name);
		text_upper(name);
		source->name = name;
		const char *value = settings[i].secret == source->secrets ? getenv(name) : NULL;
		if (value && !set(source, &settings[i], value))
			return false;
	}
	return true;
}

/* ---- keys */

/* clang-format off */
static const struct { const char *name; size_t offset; } keys[] = {
	{ "code", AT(code_key) }, { "refresh", AT(refresh_key) }, { "mail", AT(mail_key) }, { "link", AT(link_key) },
};
/* clang-format on */

static bool
put_key(struct conf *conf, const char *section, const char *name, const char *value)
{
	size_t length = strlen(name);

	if (strcmp(section, "jwt") == 0) {
		if (conf->jwt_count == KEYS_JWT_MAX || length >= sizeof(conf->jwt[0].kid) ||
			strspn(name, TEXT_ALPHA TEXT_DIGITS "_-") != length)
			return false;
		struct jwt_key *key = &conf->jwt[conf->jwt_count++];
		memcpy(key->kid, name, length + 1);
		return decode_hex(key->key, KEY_BYTES, value);
	}
	for (size_t i = 0; i < COUNT(keys); i++)
		if (strcmp(section, "keys") == 0 && strcmp(keys[i].name, name) == 0)
			return decode_hex((unsigned char *)conf + keys[i].offset, KEY_BYTES, value);
	return false;
}

static int
on_key(void *user, const char *section, const char *name, const char *value)
{
	struct source *source = user;

	return put_key(source->conf, section, name, value) ||
		complain(source,
			"%s: [%s] %s is not a key of 64 hex digits "
			"that okul knows; restore the file from a backup, or move it away to have new keys made (which ends every "
			"session)",
			source->name, section, name);
}

static void
put_new_key(struct buf *out, const char *name)
{
	unsigned char key[KEY_BYTES];

	random_bytes(key, sizeof(key));
	buf_printf(out, "%s = ", name);
	encode_hex(out, key, sizeof(key));
	buf_putc(out, '\n');
	secret_wipe(key, sizeof(key));
}

static void
put_new_keys(struct buf *out)
{
	buf_puts(out,
		"# Secrets of this installation: keep them private, and in a separate backup.\n"
		"# The first key of [jwt] signs access tokens, all of them verify.\n[jwt]\n");
	put_new_key(out, "k1");
	buf_puts(out, "[keys]\n");
	for (size_t i = 0; i < COUNT(keys); i++)
		put_new_key(out, keys[i].name);
}

/* Writes a temporary file, then links it: of two processes that do so at once, both read the file of the first. */
bool
conf_make_keys(const char *data, bool *made, char *why, size_t room)
{
	char path[PATH_MAX], aside[PATH_MAX];
	struct buf text = { 0 };

	*made = false;
	random_init();
	if (snprintf(path, sizeof(path), "%s/keys.conf", data) >= (int)sizeof(path) ||
		snprintf(aside, sizeof(aside), "%s.XXXXXX", path) >= (int)sizeof(aside))
		return text_complain(why, room, "%s: the path is too long", data);
	if (access(path, F_OK) == 0)
		return true;
	int file = mkostemp(aside, O_CLOEXEC);
	if (file < 0)
		return text_complain(why, room,
			"%s cannot be made: %s; the user that runs okul must be able to write "
			"there",
			path, strerror(errno));
	put_new_keys(&text);
	/* On a full disk write() writes a part, and fsync() still succeeds. */
	bool good = !text.failed && write(file, text.s, text.length) == (ssize_t)text.length && fsync(file) == 0;
	if (good) {
		*made = link(aside, path) == 0;
		good = *made || errno == EEXIST;
	}
	if (!good)
		text_complain(why, room, "%s cannot be written: %s", path, strerror(errno));
	close(file);
	unlink(aside);
	if (text.s)
		secret_wipe(text.s, text.length);
	buf_clear(&text);
	return good;
}

/* After the parser, which returned `line`: true when it found every key. */
static bool
has_all_keys(const struct source *source, int line)
{
	static const unsigned char zero[KEY_BYTES];
	const struct conf *conf = source->conf;
	bool complete = conf->jwt_count > 0;

	if (line != 0 && !source->why[0])
		complain(source, "%s: line %d is broken; restore it from a backup", source->name, line);
	if (line != 0)
		return false;
	for (size_t i = 0; i < COUNT(keys); i++)
		complete &= !secret_equal((const unsigned char *)conf + keys[i].offset, zero, KEY_BYTES);
	return complete ||
		complain(source,
			"%s lacks a key; restore it from a backup, or move it away and run "
			"`okulctl migrate` to have new keys made (which ends every session)",
			source->name);
}

static bool
read_keys(struct source *source)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/keys.conf", source->conf->data);
	source->name = path;
	if (stat(path, &st) != 0 && errno == ENOENT)
		return complain(source,
			"%s is missing; restore it from a backup, or run `okulctl migrate`, "
			"which makes new keys: on a database in use, this ends all sessions and loses waiting mails",
			path);
	if (stat(path, &st) != 0 || access(path, R_OK) != 0)
		return complain(source, "%s cannot be read: %s; run this as the user that runs okul", path, strerror(errno));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return complain(source, "%s can be read by other users; run: chmod 600 %s", path, path);
	source->why[0] = '\0';
	return has_all_keys(source, ini_parse(path, on_key, source));
}

bool
conf_read_keys(const char *text, const char *name, struct conf *out, char *why, size_t room)
{
	struct source source = { .conf = out, .name = name, .why = why, .room = room };

	out->jwt_count = 0;
	for (size_t i = 0; i < COUNT(keys); i++)
		memset((unsigned char *)out + keys[i].offset, 0, KEY_BYTES);
	why[0] = '\0';
	return has_all_keys(&source, ini_parse_string(text, on_key, &source));
}

/* ---- files beside the running program */

bool
conf_beside(const char *name, char out[static PATH_MAX], char *why, size_t room)
{
	ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 32);

	if (length <= 0)
		return text_complain(why, room,
			"the path of the program is unknown (/proc is not mounted); set OKUL_SHARE "
			"and OKUL_DATA");
	out[length] = '\0';
	snprintf(strrchr(out, '/'), 32, "/%s", name);
	return true;
}

static bool
find_share(struct source *source)
{
	struct conf *conf = source->conf;
	char path[PATH_MAX];

	return conf->share[0] ||
		(conf_beside("share", path, source->why, source->room) && set_string(source, &conf->share, path, strlen(path)));
}

static bool
check_database(struct source *source)
{
	struct conf *conf = source->conf;

	if (!conf->database[0])
		return set_string(source, &conf->database, conf->data, strlen(conf->data));
	return strncmp(conf->database, "postgresql://", 13) == 0 || strncmp(conf->database, "postgres://", 11) == 0 ||
		complain(source, "database must be like postgresql://okul@db.example.org/okul, or empty for the file %s/okul.db",
			conf->data);
}

static bool
parse_proxies(struct source *source)
{
	char fault[200];

	return network_list_read(&source->conf->proxies, source->conf->trusted_proxy, fault, sizeof(fault)) ||
		complain(source, "trusted_proxy: %s", fault);
}

static bool
parse_origins(struct source *source)
{
	struct buf list = { 0 };

	origin_list(&list, source->conf->cors_origins);
	bool good = !list.failed && set_string(source, &source->conf->origins, list.s, list.length);
	buf_clear(&list);
	return good || complain(source, "out of memory");
}

/* The path in the file okul.data; "" when there is no such file. */
static bool
read_pointer(char out[static PATH_MAX], char *why, size_t room)
{
	char path[PATH_MAX];

	out[0] = '\0';
	if (!conf_beside("okul.data", path, why, room))
		return false;
	if (!read_whole(path, out, PATH_MAX))
		return errno == ENOENT || text_complain(why, room, "%s cannot be read: %s", path, strerror(errno));
	out[strcspn(out, "\r\n")] = '\0';
	return out[0] == '/' ||
		text_complain(why, room,
			"%s must hold one line, the absolute path of the data folder: "
			"echo /home/me/okul-data >%s",
			path, path);
}

bool
conf_folder(const char *data, char out[static PATH_MAX], char *why, size_t room)
{
	if (!data)
		data = getenv("OKUL_DATA");
	out[0] = '\0';
	if ((!data || !data[0]) && !read_pointer(out, why, room))
		return false;
	if (!out[0] && snprintf(out, PATH_MAX, "%s", data && data[0] ? data : "var") >= PATH_MAX)
		return text_complain(why, room, "the path of the data folder is too long");
	return true;
}

const struct conf *
conf_load(const char *data, char *why, size_t room)
{
	struct conf *conf = &loaded;
	struct source source = { .conf = conf, .name = "default", .why = why, .room = room };
	char folder[PATH_MAX];

	random_init();
	if (!conf_folder(data, folder, why, room))
		return NULL;
	free((char *)conf->data);
	conf->data = realpath(folder, NULL);
	if (!conf->data) {
		text_complain(why, room,
			"the data folder %s: %s; name another with -d or OKUL_DATA, or `okulctl -d %s "
			"migrate` creates it",
			folder, strerror(errno), folder);
		return NULL;
	}
	for (size_t i = 0; i < COUNT(settings); i++)
		if (!set(&source, &settings[i], settings[i].fallback))
			return NULL;
	if (!read_file(&source) || !read_environment(&source) || !parse_proxies(&source) || !parse_origins(&source) ||
		!find_share(&source) || !check_database(&source) || !conf_parse_files(conf, why, room) || !read_keys(&source))
		return NULL;
	if (!conf->app_url[0] && !set_string(&source, &conf->app_url, conf->base_url, strlen(conf->base_url)))
		return NULL;
	return conf;
}

bool
conf_load_secrets(enum conf_secret which, char *why, size_t room)
{
	struct source source = { .conf = &loaded, .why = why, .room = room, .secrets = which };

	return read_file(&source) && read_environment(&source);
}

char *
conf_path(const struct conf *conf, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", conf->data, name) < 0 ? NULL : path;
}

void
conf_print(FILE *out)
{
	fputs("# okul.conf: settings of this installation, name = value. The values shown are the defaults.\n"
	      "# The environment overrides them: OKUL_MAIL_FROM for mail_from.\n"
	      "# A line begins at the margin and has at most 198 bytes; a ; that follows a space begins a comment.\n",
		out);
	for (size_t i = 0; i < COUNT(settings); i++) {
		const struct setting *setting = &settings[i];

		fprintf(out, "\n# %s", setting->summary);
		for (int k = 0; setting->words && setting->words[k]; k++)
			fprintf(out, "%s%s", k ? ", " : " (", setting->words[k]);
		fprintf(out, "%s\n#%s =%s%s\n", setting->words ? ")" : "", setting->name, setting->fallback[0] ? " " : "",
			setting->fallback);
	}
}
