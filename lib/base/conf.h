/*
 * conf - the configuration: built-in defaults, then DATA/okul.conf (ini), then the environment (OKUL_<NAME>).
 *
 * The keys (DATA/keys.conf, mode 0600) are made by `okulctl migrate`, and by nothing else: new ones in the place of some that
 * were lost end all sessions, which nobody should learn from their users. Nothing here changes after conf_load().
 */
#ifndef OKUL_CONF_H
#define OKUL_CONF_H

#include "base.h"
#include "network.h"

#include <limits.h>

#define KEY_BYTES 32
#define KEYS_JWT_MAX 8

enum mail_transport { MAIL_FILE, MAIL_SENDMAIL, MAIL_SMTP };
enum smtp_security { SMTP_PLAIN, SMTP_STARTTLS, SMTP_TLS };
enum file_delivery { DELIVER_ITSELF, DELIVER_X_ACCEL, DELIVER_X_SENDFILE };

struct jwt_key {
	char kid[17];			/* 1 to 16 of A-Z a-z 0-9 _ - */
	unsigned char key[KEY_BYTES];
};

struct conf {
	const char *data;		/* absolute path of DATA */
	bool development;		/* OKUL_ENV=development */
	const char *base_url;		/* public address of the API, without a slash at the end */
	const char *app_url;		/* of the web app, likewise: where links in mails lead to */
	const char *share;		/* folder of schema.sql, migrate/, mail/, openapi*.json, docs*.html */

	const char *mail_from;		/* address */
	const char *mail_name;		/* display name; the school's name in mails */
	const char *reply_to;		/* address that gets the answers to replies; "" for that of who replied */
	enum mail_transport mail_transport;
	const char *sendmail;		/* absolute path */
	const char *smtp_host;
	int64_t smtp_port;
	enum smtp_security smtp_security;
	const char *smtp_user;		/* "" for none */
	const char *smtp_password;	/* "" for none, and before conf_load_secrets() */
	const char *smtp_ca;		/* file of certificates to trust; "" for the system's */
	int64_t smtp_timeout;		/* seconds for one mail, sendmail's too */

	int64_t code_life;		/* seconds */
	/* for one address: of each network that its user logs in from, and once more of all others together */
	int64_t code_pause;		/* seconds between two codes */
	int64_t code_hourly;		/* codes an hour */
	int64_t code_tries;		/* wrong tries a code */
	int64_t daily_wrong;		/* wrong tries a day, 6 digits */
	int64_t daily_wrong_short;	/* likewise, 4 digits */
	int64_t code_daily;		/* codes a day for one address, in all */
	int64_t code_daily_new;		/* of these for networks that its user does not log in from */
	int64_t known_days;		/* how long a network is known from a login on */
	/* for one client network, whatever the address */
	int64_t client_hourly;		/* codes an hour for addresses that do not log in from there */
	int64_t client_wrong_hourly, client_wrong_daily;	/* wrong tries */
	int64_t client_users_daily;	/* new users a day */
	bool api_v1;			/* the second surface is there */
	int64_t access_life;		/* seconds */
	int64_t refresh_life;		/* seconds that a session lives without use */
	int64_t session_life;		/* seconds that it lives at all */
	int64_t refresh_grace;		/* seconds that a replaced refresh token still works */
	int64_t contact_hourly;		/* contact requests an hour for one client address */
	bool limits;			/* limits by client network */
	const char *trusted_proxy;	/* as it is written; read into: */
	struct network_list proxies;	/* whose X-Forwarded-For is believed */
	const char *cors_origins;	/* as the operator wrote them */
	const char *origins;		/* the good ones of them, as origin_list() makes them; "" for none */
	const char *time_zone;
	const char *privacy_policy_version, *terms_of_use_version, *consent_form_version;	/* of the texts now shown */
	int64_t deletion_grace;		/* days until an account deletion is done */

	int64_t body_limit;		/* bytes of a JSON body */
	int64_t upload_limit;		/* MiB of one file */
	int64_t upload_request_limit;	/* MiB of a whole multipart body */
	int64_t storage_user_quota;	/* MiB of all files of one user; 0: none. Admins have no quota */
	int64_t storage_total_quota;	/* MiB of all stored files together; 0: none */
	int64_t storage_share;		/* percent of the disk for stored files while others than admins upload; 0: no limit */
	int64_t storage_reserve;	/* MiB of the disk that uploads leave free */
	int64_t retire_after;		/* requests until a worker is replaced; 0 never */
	int64_t workers;		/* processes a program */
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

/*
 * The path of the data folder, which need not exist: `data` (what -d said) unless it is NULL, else the environment's OKUL_DATA, else
 * what the file okul.data beside the program says, else "var". That file holds one line, an absolute path: so programs that lie
 * below a web root need no link there to data that do not. False when it holds something else: `why` says what to do.
 */
must_use bool conf_folder(const char *data, char out[static PATH_MAX], char *why, size_t room);

/* The path of the file `name` (at most 30 bytes) in the folder of the running program. False, with the reason in `why`, without /proc. */
must_use bool conf_beside(const char *name, char out[static PATH_MAX], char *why, size_t room);

/*
 * Loads the configuration of conf_folder(data). Folder and keys must exist. Memory is kept for the process's life. On failure
 * gives NULL and says in `why` what is wrong and what to do.
 */
must_use const struct conf *conf_load(const char *data, char *why, size_t room);
/*
 * Fills in what only the sender of mails has to know, smtp_password; conf_load() leaves no copy of it in memory, so that a fault
 * in a program that strangers talk to cannot tell it. Call after conf_load(). Fails as that does.
 */
must_use bool conf_load_secrets(char *why, size_t room);

/*
 * Makes DATA/keys.conf where it is missing, atomically; `*made` says whether it did. False when it cannot: `why` says what to
 * do.
 */
must_use bool conf_make_keys(const char *data, bool *made, char *why, size_t room);

/* A path below the data folder, malloc'd: conf_path(conf, "okul.db"). NULL when memory is short. */
must_use char *conf_path(const struct conf *conf, const char *name);

/* Prints every setting with its meaning and its built-in value: conf/okul.conf.example. Needs no configuration. */
void conf_print(FILE *out);

#endif
