#include "conf.h"

#include "encode.h"
#include "log.h"
#include "origin.h"
#include "random.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

enum setting_type { STRING, ADDRESS, INTEGER, FLAG, CHOICE };	/* ADDRESS: of a web site; where the fallback is "", none */

struct setting {
	const char *name;
	enum setting_type type;
	size_t offset;
	const char *fallback;
	const char *const *words;	/* CHOICE: in the order of the enum */
	int64_t min, max;
	const char *summary;
	bool secret;			/* read by conf_load_secrets() alone */
};

#define AT(member) offsetof(struct conf, member)
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const struct setting settings[] = {
	{ "env", CHOICE, AT(development), "production", WORDS("production", "development"), 0, 0,
	  "development shows the /api/v1 login code in the answer and is chatty" },
	{ "base_url", ADDRESS, AT(base_url), "http://127.0.0.1:8080", NULL, 0, 0,
	  "public address of the API: https://example.org; addresses of files begin with it" },
	{ "app_url", ADDRESS, AT(app_url), "", NULL, 0, 0,
	  "address of the web app, where links in mails lead to; empty: base_url" },
	{ "share", STRING, AT(share), "", NULL, 0, 0,
	  "folder of schema.sql, migrate/, mail/ (default: share/ beside the program)" },
	{ "mail_from", STRING, AT(mail_from), "okul@localhost", NULL, 0, 0, "sender address of mails" },
	{ "mail_name", STRING, AT(mail_name), "okul", NULL, 0, 0, "the school's name in mails" },
	{ "reply_to", STRING, AT(reply_to), "", NULL, 0, 0,
	  "address that gets what people answer to a reply; empty: that of the admin who replied" },
	{ "mail_transport", CHOICE, AT(mail_transport), "file", WORDS("file", "sendmail", "smtp"), 0, 0,
	  "file writes DATA/mail/*.eml, for development" },
	{ "sendmail", STRING, AT(sendmail), "/usr/sbin/sendmail", NULL, 0, 0, "program of transport sendmail" },
	{ "smtp_host", STRING, AT(smtp_host), "127.0.0.1", NULL, 0, 0, "server of transport smtp" },
	{ "smtp_port", INTEGER, AT(smtp_port), "587", NULL, 1, 65535, "587 with starttls, 465 with tls, 25 plain" },
	{ "smtp_security", CHOICE, AT(smtp_security), "starttls", WORDS("plain", "starttls", "tls"), 0, 0,
	  "plain only to a server on this machine" },
	{ "smtp_user", STRING, AT(smtp_user), "", NULL, 0, 0, "login of the SMTP server; empty for none" },
	{ "smtp_password", STRING, AT(smtp_password), "", NULL, 0, 0, "its password; the file then is for its owner alone", true },
	{ "smtp_ca", STRING, AT(smtp_ca), "", NULL, 0, 0,
	  "file of certificates that vouch for the server; empty: the system's" },
	{ "smtp_timeout", INTEGER, AT(smtp_timeout), "30", NULL, 1, 600, "seconds for one mail, sendmail's too" },
	{ "code_life", INTEGER, AT(code_life), "600", NULL, 60, 86400, "seconds that a login code lives" },
	{ "code_pause", INTEGER, AT(code_pause), "60", NULL, 0, 3600, "seconds between two codes for one mail address; this, "
	  "code_hourly, daily_wrong and daily_wrong_short for each network that the user logs in from, and for all others together" },
	{ "code_hourly", INTEGER, AT(code_hourly), "5", NULL, 1, 1000, "codes an hour for one mail address" },
	{ "code_daily", INTEGER, AT(code_daily), "30", NULL, 1, 10000, "codes a day for one mail address, in all" },
	{ "code_daily_new", INTEGER, AT(code_daily_new), "6", NULL, 1, 10000,
	  "of these for networks that the user does not log in from: the rest is the user's own, whatever strangers ask for" },
	{ "client_hourly", INTEGER, AT(client_hourly), "30", NULL, 1, 100000,
	  "codes an hour for one client network, those for users that log in from there excepted" },
	{ "client_wrong_hourly", INTEGER, AT(client_wrong_hourly), "10", NULL, 1, 100000,
	  "wrong codes an hour from one client network, whatever the address" },
	{ "client_wrong_daily", INTEGER, AT(client_wrong_daily), "50", NULL, 1, 1000000, "likewise, a day" },
	{ "client_users_daily", INTEGER, AT(client_users_daily), "40", NULL, 1, 1000000,
	  "new users a day from one client network" },
	{ "code_tries", INTEGER, AT(code_tries), "5", NULL, 1, 10, "wrong tries that kill a code" },
	{ "daily_wrong", INTEGER, AT(daily_wrong), "25", NULL, 1, 1000,
	  "wrong tries a day for one mail address, over all codes" },
	{ "daily_wrong_short", INTEGER, AT(daily_wrong_short), "3", NULL, 1, 1000, "likewise, for the 4-digit codes of /api/v1" },
	{ "known_days", INTEGER, AT(known_days), "90", NULL, 1, 3650, "days that a network is known from a user's login there on" },
	{ "api_v1", FLAG, AT(api_v1), "on", NULL, 0, 0, "the surface /api/v1, whose codes have 4 digits; off: 404" },
	{ "access_life", INTEGER, AT(access_life), "3600", NULL, 60, 86400, "seconds that an access token lives" },
	{ "refresh_life", INTEGER, AT(refresh_life), "2592000", NULL, 3600, 31536000,
	  "seconds that a session lives without use" },
	{ "session_life", INTEGER, AT(session_life), "15552000", NULL, 3600, 315360000,
	  "seconds after its login at which a session ends, however often it is used" },
	{ "refresh_grace", INTEGER, AT(refresh_grace), "10", NULL, 0, 60,
	  "seconds that a replaced refresh token still works" },
	{ "contact_hourly", INTEGER, AT(contact_hourly), "5", NULL, 1, 100000,
	  "contact requests an hour for one client address, IPv6 by its /64" },
	{ "limits", FLAG, AT(limits), "on", NULL, 0, 0, "limits by client network (IPv4 address, IPv6 /64); those by mail address stay" },
	{ "trusted_proxy", STRING, AT(trusted_proxy), "", NULL, 0, 0,
	  "proxies in front whose X-Forwarded-For is believed, like 192.0.2.1 10.0.0.0/8 2001:db8::/32" },
	{ "cors_origins", STRING, AT(cors_origins), "", NULL, 0, 0,
	  "origins of web apps that may call the API (https://app.example.org), separated by spaces; `okulctl migrate` tells nginx" },
	{ "time_zone", STRING, AT(time_zone), "Europe/Istanbul", NULL, 0, 0, "the school's time zone" },
	{ "privacy_policy_version", STRING, AT(privacy_policy_version), "1.0.0", NULL, 0, 0,
	  "version of the text that people now accept, kept with each acceptance" },
	{ "terms_of_use_version", STRING, AT(terms_of_use_version), "1.0.0", NULL, 0, 0, "likewise" },
	{ "consent_form_version", STRING, AT(consent_form_version), "1.0.0", NULL, 0, 0, "likewise" },
	{ "deletion_grace", INTEGER, AT(deletion_grace), "28", NULL, 0, 365,
	  "days until an account deletion that was asked for is done" },
	{ "body_limit", INTEGER, AT(body_limit), "1048576", NULL, 1024, 16777216, "bytes of a JSON body; at most 65536 where no login is needed" },
	{ "upload_limit", INTEGER, AT(upload_limit), "25", NULL, 1, 65536, "MiB of one uploaded file" },
	{ "upload_request_limit", INTEGER, AT(upload_request_limit), "100", NULL, 1, 65536,
	  "MiB of a whole upload; the web server's own limit for /storage and /education-materials has to allow it" },
	{ "storage_user_quota", INTEGER, AT(storage_user_quota), "100", NULL, 0, 16777216,
	  "MiB of all files of one user, each counted as 4 KiB at least, admins excepted; 0 none" },
	{ "storage_total_quota", INTEGER, AT(storage_total_quota), "0", NULL, 0, 16777216,
	  "MiB of all stored files together; 0 none" },
	{ "storage_share", INTEGER, AT(storage_share), "50", NULL, 0, 100,
	  "percent of its disk that all stored files together may take while others than admins upload; 0 no limit" },
	{ "storage_reserve", INTEGER, AT(storage_reserve), "256", NULL, 0, 16777216,
	  "MiB of the disk that uploads leave free" },
	{ "retire_after", INTEGER, AT(retire_after), "100000", NULL, 0, INT64_C(1000000000),
	  "requests until a worker is replaced; 0 never" },
	{ "workers", INTEGER, AT(workers), "2", NULL, 1, 64, "processes a program" },
	{ "delivery", CHOICE, AT(delivery), "itself", WORDS("itself", "x-accel", "x-sendfile"), 0, 0,
	  "who sends files: x-accel for nginx, x-sendfile for Apache with mod_xsendfile" },
	{ "log", CHOICE, AT(log_syslog), "stderr", WORDS("stderr", "syslog"), 0, 0, "where log lines go" },
	{ "log_level", INTEGER, AT(log_level), "6", NULL, 2, 7, "3 faults, 4 warnings, 6 requests too, 7 all" },
};

static struct conf loaded;

static bool
set_choice(const struct setting *setting, void *place, const char *text, char *why, size_t room)
{
	char all[128] = "";

	for (int i = 0; setting->words[i]; i++) {
		if (strcmp(setting->words[i], text) == 0) {
			/* Two of the choices are booleans in struct conf, which are one byte. */
			if (setting->offset == AT(development) || setting->offset == AT(log_syslog))
				*(bool *)place = i;
			else
				*(int *)place = i;
			return true;
		}
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s", i ? ", " : "", setting->words[i]);
	}
	return text_complain(why, room, "%s = %s: must be one of %s", setting->name, text, all);
}

static bool
set_string(char **place, const char *text, size_t length, char *why, size_t room)
{
	char *before = *place;

	if (asprintf(place, "%.*s", (int)length, text) < 0)
		return text_complain(why, room, "out of memory");
	free(before);
	return true;
}

/* Paths are put behind it, so a slash at the end goes. */
static bool
set_address(const struct setting *setting, char **place, const char *text, char *why, size_t room)
{
	size_t length = strlen(text), scheme = strncmp(text, "https://", 8) == 0 ? 8 : strncmp(text, "http://", 7) == 0 ? 7 : 0;
	bool none = length == 0 && setting->fallback[0] == '\0';

	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || strchr("\"<>\\", text[i]))
			scheme = 0;
	while (length > scheme && text[length - 1] == '/')
		length--;
	if (!none && (scheme == 0 || length == scheme || text[scheme] == '/'))
		return text_complain(why, room, "%s = %s: must be an address like https://example.org", setting->name, text);
	return set_string(place, text, length, why, room);
}

static bool
set(struct conf *conf, const struct setting *setting, const char *text, char *why, size_t room)
{
	void *place = (char *)conf + setting->offset;

	switch (setting->type) {
	case STRING:
		return set_string(place, text, strlen(text), why, room);
	case ADDRESS:
		return set_address(setting, place, text, why, room);
	case INTEGER:
		if (text_to_int(text, setting->min, setting->max, place))
			return true;
		return text_complain(why, room, "%s = %s: must be a number from %lld to %lld", setting->name, text,
			(long long)setting->min, (long long)setting->max);
	case FLAG:
		*(bool *)place = strcmp(text, "on") == 0;
		if (*(bool *)place || strcmp(text, "off") == 0)
			return true;
		return text_complain(why, room, "%s = %s: must be on or off", setting->name, text);
	case CHOICE:
		return set_choice(setting, place, text, why, room);
	}
	return false;
}

struct reading {
	struct conf *conf;
	const char *file;
	char *why;
	size_t room;
	bool secrets;			/* only these count, else all others */
	bool seen[COUNT(settings)];
};

static int
on_setting(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;
	char fault[300];

	(void)section;
	for (size_t i = 0; i < COUNT(settings); i++) {
		if (strcmp(settings[i].name, name) != 0)
			continue;
		/* libinih takes an indented line for more of the setting above it. */
		if (reading->seen[i]) {
			text_complain(reading->why, reading->room,
				"%s: %s is set twice, or the line below it is indented; begin every line at the margin", reading->file, name);
			return 0;
		}
		reading->seen[i] = true;
		if (settings[i].secret != reading->secrets)
			return 1;
		if (set(reading->conf, &settings[i], value, fault, sizeof(fault)))
			return 1;
		text_complain(reading->why, reading->room, "%s: %s", reading->file, fault);
		return 0;
	}
	text_complain(reading->why, reading->room,
		"%s: there is no setting \"%s\" (`okulctl check --settings` lists them all)", reading->file, name);
	return 0;
}

/* ---- okul.conf */

#define FILE_MOST 65536			/* bytes of okul.conf */

struct lines {
	const char *next;
	bool secrets;
};

static bool
is_secret(const char *line)
{
	for (size_t i = 0; i < COUNT(settings); i++)
		if (settings[i].secret && strncmp(line, settings[i].name, strlen(settings[i].name)) == 0)
			return true;
	return false;
}

/* As fgets() would read them, for libinih. A secret that nobody asked for reads as an empty line, so that no copy of it stays. */
static char *
next_line(char *out, int room, void *user)
{
	struct lines *lines = user;
	const char *line = lines->next;
	size_t length = strcspn(line, "\n");

	if (!*line)
		return NULL;
	length += line[length] == '\n';
	if (!lines->secrets && is_secret(line)) {
		lines->next += length;
		return memcpy(out, "\n", 2);
	}
	if (length >= (size_t)room)
		length = (size_t)room - 1;
	lines->next += length;
	memcpy(out, line, length);
	out[length] = '\0';
	return out;
}

/* The whole of a file in `room` bytes, with a NUL behind it. False with errno set. */
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
read_file(struct conf *conf, bool secrets, char *why, size_t room)
{
	char path[PATH_MAX], *text;
	struct reading reading = { .conf = conf, .file = path, .why = why, .room = room, .secrets = secrets };

	snprintf(path, sizeof(path), "%s/okul.conf", conf->data);
	if (access(path, F_OK) != 0)
		return true;
	text = malloc(FILE_MOST);
	if (!text)
		return text_complain(why, room, "out of memory");
	why[0] = '\0';
	bool there = read_whole(path, text, FILE_MOST);
	if (!there)
		text_complain(why, room, "%s cannot be read: %s; run this as the user that runs okul", path, strerror(errno));
	struct lines lines = { text, secrets };
	int rc = there ? ini_parse_stream(next_line, &lines, on_setting, &reading) : -1;
	secret_wipe(text, FILE_MOST);
	free(text);
	if (rc != 0 && !why[0])
		text_complain(why, room, "%s: line %d is not of the form name = value", path, rc);
	return rc == 0;
}

static bool
read_environment(struct conf *conf, bool secrets, char *why, size_t room)
{
	for (size_t i = 0; i < COUNT(settings); i++) {
		char name[64] = "OKUL_";
		char fault[300];

		if (settings[i].secret != secrets)
			continue;
		for (size_t k = 0; settings[i].name[k] && k + 6 < sizeof(name); k++)
			name[k + 5] = (char)toupper((unsigned char)settings[i].name[k]);
		const char *value = getenv(name);
		if (value && !set(conf, &settings[i], value, fault, sizeof(fault)))
			return text_complain(why, room, "the environment's %s: %s", name, fault);
	}
	return true;
}

/* ---- keys */

static bool
put_key(struct conf *conf, const char *section, const char *name, const char *value)
{
	static const struct { const char *name; size_t offset; } places[] = {
		{ "code", AT(code_key) }, { "refresh", AT(refresh_key) }, { "mail", AT(mail_key) }, { "link", AT(link_key) },
	};

	if (strcmp(section, "jwt") == 0) {
		size_t length = strlen(name);
		if (conf->jwt_count == KEYS_JWT_MAX || length > sizeof(conf->jwt[0].kid) - 1 ||
		    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != length)
			return false;
		struct jwt_key *key = &conf->jwt[conf->jwt_count++];
		memcpy(key->kid, name, length + 1);
		return decode_hex(key->key, KEY_BYTES, value);
	}
	for (size_t i = 0; i < COUNT(places); i++)
		if (strcmp(section, "keys") == 0 && strcmp(places[i].name, name) == 0)
			return decode_hex((unsigned char *)conf + places[i].offset, KEY_BYTES, value);
	return false;
}

static int
on_key(void *user, const char *section, const char *name, const char *value)
{
	struct reading *reading = user;

	if (put_key(reading->conf, section, name, value))
		return 1;
	text_complain(reading->why, reading->room,
		"%s: [%s] %s is not a key of 64 hex digits that okul knows; restore the file from a backup, or move it away "
		"to have new keys made (which ends every session)", reading->file, section, name);
	return 0;
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
	buf_puts(out, "# Secrets of this installation: keep them private, and in a backup of their own.\n"
		"# The first key of [jwt] signs access tokens, all of them verify.\n[jwt]\n");
	put_new_key(out, "k1");
	buf_puts(out, "[keys]\n");
	put_new_key(out, "code");
	put_new_key(out, "refresh");
	put_new_key(out, "mail");
	put_new_key(out, "link");
}

/* Written aside and linked into place: of two at once one wins, and both then read the same file. */
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
		return text_complain(why, room, "%s cannot be made: %s; the user that runs okul must be able to write there", path,
			strerror(errno));
	put_new_keys(&text);
	/* A full disk takes only a part, and says so here, not at fsync(). */
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

static bool
read_keys(struct conf *conf, char *why, size_t room)
{
	static const unsigned char zero[KEY_BYTES];
	char path[PATH_MAX];
	struct reading reading = { .conf = conf, .file = path, .why = why, .room = room };
	struct stat st;

	snprintf(path, sizeof(path), "%s/keys.conf", conf->data);
	if (stat(path, &st) != 0 && errno == ENOENT)
		return text_complain(why, room, "%s is missing; restore it from a backup, or run `okulctl migrate`, which makes new "
			"keys: on a database in use everybody has to log in again then, and mails that wait are lost", path);
	if (stat(path, &st) != 0 || access(path, R_OK) != 0)
		return text_complain(why, room, "%s cannot be read: %s; run this as the user that runs okul", path,
			strerror(errno));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		return text_complain(why, room, "%s can be read by other users; say: chmod 600 %s", path, path);
	why[0] = '\0';
	int rc = ini_parse(path, on_key, &reading);
	if (rc != 0)
		return why[0] ? false : text_complain(why, room, "%s: line %d is broken; restore it from a backup", path, rc);
	if (conf->jwt_count == 0 || secret_equal(conf->code_key, zero, KEY_BYTES) ||
	    secret_equal(conf->refresh_key, zero, KEY_BYTES) || secret_equal(conf->mail_key, zero, KEY_BYTES) ||
	    secret_equal(conf->link_key, zero, KEY_BYTES))
		return text_complain(why, room, "%s lacks a key; restore it from a backup, or move it away and run `okulctl migrate` to "
			"have new keys made (which ends every session)", path);
	return true;
}

/* ---- what lies beside the running program */

bool
conf_beside(const char *name, char out[static PATH_MAX], char *why, size_t room)
{
	ssize_t length = readlink("/proc/self/exe", out, PATH_MAX - 32);

	if (length <= 0)
		return text_complain(why, room, "the program cannot find itself (/proc is not mounted); set OKUL_SHARE and OKUL_DATA");
	out[length] = '\0';
	snprintf(strrchr(out, '/'), 32, "/%s", name);
	return true;
}

static bool
find_share(struct conf *conf, char *why, size_t room)
{
	char path[PATH_MAX];

	if (conf->share[0])
		return true;
	if (!conf_beside("share", path, why, room))
		return false;
	free((char *)conf->share);
	conf->share = strdup(path);
	return conf->share || text_complain(why, room, "out of memory");
}

static bool
read_proxies(struct conf *conf, char *why, size_t room)
{
	char fault[200];

	return network_list_read(&conf->proxies, conf->trusted_proxy, fault, sizeof(fault)) ||
		text_complain(why, room, "trusted_proxy: %s", fault);
}

/* What okul.data says. "" where there is no such file. */
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
	return out[0] == '/' || text_complain(why, room, "%s must hold one line, the absolute path of the data folder: "
		"echo /home/me/okul-data >%s", path, path);
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

static bool
make_origins(struct conf *conf, char *why, size_t room)
{
	struct buf list = { 0 };

	origin_list(&list, conf->cors_origins);
	free((char *)conf->origins);
	conf->origins = list.s;
	return (!list.failed && list.s) || text_complain(why, room, "out of memory");
}

const struct conf *
conf_load(const char *data, char *why, size_t room)
{
	struct conf *conf = &loaded;
	char folder[PATH_MAX];

	random_init();
	if (!conf_folder(data, folder, why, room))
		return NULL;
	free((char *)conf->data);
	conf->data = realpath(folder, NULL);
	if (!conf->data) {
		text_complain(why, room, "the data folder %s: %s; name another with -d or OKUL_DATA, or `okulctl -d %s migrate` "
			"makes it", folder, strerror(errno), folder);
		return NULL;
	}
	for (size_t i = 0; i < COUNT(settings); i++)
		if (!set(conf, &settings[i], settings[i].fallback, why, room))
			return NULL;
	if (!read_file(conf, false, why, room) || !read_environment(conf, false, why, room) || !read_proxies(conf, why, room) ||
	    !find_share(conf, why, room) || !make_origins(conf, why, room) || !read_keys(conf, why, room))
		return NULL;
	if (!conf->app_url[0] && !set_string((char **)&conf->app_url, conf->base_url, strlen(conf->base_url), why, room))
		return NULL;
	return conf;
}

bool
conf_load_secrets(char *why, size_t room)
{
	return read_file(&loaded, true, why, room) && read_environment(&loaded, true, why, room);
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
	fputs("# okul.conf: settings of this installation, name = value. What is not set has the value shown here.\n"
		"# The environment wins: OKUL_MAIL_FROM for mail_from.\n"
		"# A line begins at the margin, has at most 198 bytes, and is a comment from a ; on that follows a space.\n", out);
	for (size_t i = 0; i < COUNT(settings); i++) {
		fprintf(out, "\n# %s", settings[i].summary);
		for (int k = 0; settings[i].words && settings[i].words[k]; k++)
			fprintf(out, "%s%s", k ? ", " : " (", settings[i].words[k]);
		fprintf(out, "%s\n#%s =%s%s\n", settings[i].words ? ")" : "", settings[i].name, settings[i].fallback[0] ? " " : "",
			settings[i].fallback);
	}
}
