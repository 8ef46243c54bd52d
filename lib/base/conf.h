/*
 * conf - the configuration: built-in defaults, then DATA/okul.conf (ini), then the environment (OKUL_<NAME>).
 *
 * Only `okulctl migrate` makes keys (DATA/keys.conf, mode 0600): new ones in place of lost ones end all sessions, which
 * an operator should not learn from the users. Nothing here changes after conf_load().
 */
#ifndef OKUL_CONF_H
#define OKUL_CONF_H

#include "network.h"

#include <limits.h>

#define KEY_BYTES 32
#define KEYS_JWT_MAX 8

enum mail_transport { MAIL_FILE, MAIL_SENDMAIL, MAIL_SMTP };
enum smtp_security { SMTP_PLAIN, SMTP_STARTTLS, SMTP_TLS };
enum files_delivery { FILES_PROXY, FILES_REDIRECT };
enum file_delivery { DELIVER_ITSELF, DELIVER_X_ACCEL, DELIVER_X_SENDFILE };

struct jwt_key {
	char kid[17];			/* 1 to 16 of A-Z a-z 0-9 _ - */
	unsigned char key[KEY_BYTES];
};

/* The settings have the names and units of conf/okul.conf.example, where their meaning is described. */
struct conf {
	const char *data;		/* absolute path of DATA */
	bool development;		/* OKUL_ENV=development */
	const char *database;		/* for db_open(): the URL of a database, or DATA */
	/* where the bytes of uploads are; files_bucket "": in DATA/files. Parsed of files, s3://bucket/prefix: */
	const char *files;
	const char *files_bucket, *files_prefix;	/* the prefix is "" or ends with a slash */
	const char *files_endpoint, *files_host;	/* https://host:port, and host:port as the header Host has it */
	const char *files_ca;	/* absolute path of trusted certificates; "": the system's */
	const char *files_region, *files_key_id;
	const char *files_secret;	/* "" before conf_load_secrets() */
	enum files_delivery files_delivery;
	const char *base_url, *app_url;	/* without a slash at the end */
	const char *share;		/* folder of schema.sql, migrate/, mail/, openapi*.json, docs*.html */

	const char *mail_from, *mail_name, *reply_to;
	enum mail_transport mail_transport;
	const char *sendmail;		/* absolute path */
	const char *smtp_host;
	int64_t smtp_port;
	enum smtp_security smtp_security;
	const char *smtp_user;
	const char *smtp_password;	/* "" before conf_load_secrets() */
	const char *smtp_ca;
	int64_t smtp_timeout;		/* seconds */

	int64_t code_life;		/* seconds */
	/* for one address: each network that its user logs in from has its own limits, all others share one */
	int64_t code_pause;		/* seconds */
	int64_t code_hourly, code_tries;
	int64_t daily_wrong, daily_wrong_short;	/* codes of 6 and of 4 digits */
	int64_t code_daily, code_daily_new, known_days;
	/* for one client network, whatever the address */
	int64_t client_hourly, client_wrong_hourly, client_wrong_daily, client_users_daily;
	bool api_v1;
	int64_t access_life, refresh_life, session_life, refresh_grace;	/* seconds */
	int64_t contact_hourly;
	bool limits;
	const char *trusted_proxy, *cors_origins;	/* as the operator wrote them; parsed: */
	struct network_list proxies;
	const char *origins;		/* as origin_list() makes them */
	const char *time_zone;
	const char *privacy_policy_version, *terms_of_use_version, *consent_form_version;
	int64_t deletion_grace;		/* days */

	int64_t body_limit;		/* bytes */
	int64_t upload_limit, upload_request_limit;	/* MiB */
	int64_t storage_user_quota, storage_total_quota, storage_reserve;	/* MiB */
	int64_t storage_share;		/* percent */
	int64_t retire_after;		/* requests */
	int64_t workers;
	enum file_delivery delivery;
	bool log_syslog;
	int64_t log_level;

	struct jwt_key jwt[KEYS_JWT_MAX];	/* the first one signs, all verify */
	size_t jwt_count;
	unsigned char code_key[KEY_BYTES];	/* login codes */
	unsigned char refresh_key[KEY_BYTES];	/* refresh tokens */
	unsigned char mail_key[KEY_BYTES];	/* mails waiting in the outbox */
	unsigned char link_key[KEY_BYTES];	/* signed URLs */
};

/* The calls below that have `why` write into it, on failure, what is wrong and what to do. */

/*
 * The path of the data folder, which need not exist: `data` (of option -d) unless it is NULL, else OKUL_DATA of the
 * environment, else the absolute path in the file okul.data next to the program, else "var". With that file, programs
 * below a web root need no link there to the data. Fails when it holds something else.
 */
must_use bool conf_folder(const char *data, char out[static PATH_MAX], char *why, size_t room);

/* The path of the file `name` (at most 30 bytes) in the folder of the running program. Fails without /proc. */
must_use bool conf_beside(const char *name, char out[static PATH_MAX], char *why, size_t room);

/* Loads the configuration of conf_folder(data), whose folder and keys must exist. Never freed. NULL on failure. */
must_use const struct conf *conf_load(const char *data, char *why, size_t room);
/*
 * Loads one secret: smtp_password for the sender of mails, files_secret for programs that store or send files. conf_load()
 * leaves no copy of them in memory, so that no vulnerability of another program can reveal them. Call after conf_load().
 */
enum conf_secret { SECRET_NONE, SECRET_MAIL, SECRET_FILES };
must_use bool conf_load_secrets(enum conf_secret which, char *why, size_t room);

/* ---- the settings of files in S3, in conf_files.c */

/*
 * For conf_load(): checks conf->files and the settings that it needs, but for the secret, and sets files_bucket, files_prefix
 * and files_host, which are NULL or allocated. False with what is wrong in `why`.
 */
must_use bool conf_parse_files(struct conf *conf, char *why, size_t room);
/*
 * A copy of `conf` with another value of the setting `files`, which shares the other strings; call it once. Never freed. NULL when
 * the value, or a setting that it needs, is wrong.
 */
must_use const struct conf *conf_with_files(const struct conf *conf, const char *files, char *why, size_t room);
/*
 * True unless a file's bytes are in S3 and files_secret, which must be loaded, is missing, or okul.conf holds it and other
 * users can read that.
 */
must_use bool conf_check_files_secret(const struct conf *conf, char *why, size_t room);

/* Creates DATA/keys.conf atomically unless it exists; `*made` is whether it did. */
must_use bool conf_make_keys(const char *data, bool *made, char *why, size_t room);

/*
 * Reads the keys of `text`, which is as keys.conf, into those of `keys`, of which all else is left as it is; `name` is the
 * file's, for `why`. Wipe them after use.
 */
must_use bool conf_read_keys(const char *text, const char *name, struct conf *keys, char *why, size_t room);

/* A path below the data folder: conf_path(conf, "okul.db"). Free it; NULL when memory is short. */
must_use char *conf_path(const struct conf *conf, const char *name);

/* Prints every setting with its meaning and default: conf/okul.conf.example. Needs no configuration. */
void conf_print(FILE *out);

#endif
