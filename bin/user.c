/* okulctl user - how an operator adds and changes users, the first administrator among them. */
#include "okulctl.h"

#include "audit.h"
#include "clock.h"
#include "email.h"
#include "otp.h"
#include "setup.h"
#include "user.h"

#include <getopt.h>

static command_call run_user_add, run_user_role, run_user_list, run_user_setup_code, run_user_unlock;

static const struct db_statements statements;

const struct command command_user_add = {
	.name = "user add",
	.usage = "EMAIL [--role ROLE] [--language LANGUAGE]",
	.summary = "add a user, who can then log in with a code by mail",
	.help = "Roles are user (the default), admin and superadmin, languages tr, en (the\n"
		"default), es and de. Administrators need not register.\n",
	.run = run_user_add,
	.statements = &statements,
};

const struct command command_user_role = {
	.name = "user role",
	.usage = "EMAIL user|admin|superadmin",
	.summary = "change the role of a user, from their next request on",
	.help = "The last active superadmin keeps the role: make another superadmin first.\n"
		"`okulctl audit` lists the changes.\n",
	.run = run_user_role,
};

const struct command command_user_list = {
	.name = "user list",
	.usage = "",
	.summary = "list the users, oldest first",
	.help = "A line of headings, then a line for each user, separated by tabs. Times are UTC.\n",
	.run = run_user_list,
};

const struct command command_user_unlock = {
	.name = "user unlock",
	.usage = "EMAIL",
	.summary = "unlock an address after too many codes or wrong codes",
	.help = "Deletes the counted requests for codes and wrong codes of the address and of all\n"
		"addresses of the same mailbox (ada+1@example.com is ada@example.com), from all\n"
		"networks; no user needs to have the address. The errors that a client network\n"
		"made with many addresses stay counted: for an hour, or a day at most.\n",
	.run = run_user_unlock,
};

const struct command command_user_setup_code = {
	.name = "user setup-code",
	.usage = "",
	.summary = "print the code by which the first superadmin registers in a browser",
	.help = "For a school without a superadmin: the code is typed at /app/#/setup, by whoever\n"
		"is to be the first one. `okulctl user add EMAIL --role superadmin` makes one, too.\n",
	.run = run_user_setup_code,
};

enum { FIND, LIST };

static const char *const sql[] = {
	[FIND] = "SELECT id, role, pk FROM users WHERE email = ?1",
	[LIST] = "SELECT email, role, CASE WHEN is_active THEN 'yes' ELSE 'no' END AS active,"
		 " CASE WHEN registered_at IS NULL THEN 'no' ELSE 'yes' END AS registered, language,"
		 " " SQL_MINUTE_TEXT("created_at") " AS created,"
						   " coalesce(" SQL_MINUTE_TEXT(
							   "last_login_at") ", '-') AS last_login"
									    " FROM users ORDER BY pk /* scans: users */",
};
static const struct db_statements statements = { sql, COUNT(sql) };

static const struct conf *conf;
static struct db *db;

static bool
open_all(const char *data)
{
	conf = ctl_conf(data);
	db = ctl_db(conf, DB_READ_WRITE);
	return db != NULL;
}

/* The address as it is stored; NULL after an error message. */
static const char *
read_email(const char *text)
{
	static struct arena *arena; /* of the whole run */
	const char *email;

	if (!arena && !(arena = arena_new(1024)))
		return ctl_error(EXIT_FAILURE, "out of memory"), NULL;
	if (email_keep(arena, text, &email) != EMAIL_GOOD)
		return ctl_error(EXIT_DATA, "\"%s\" is not a mail address", text), NULL;
	return email;
}

static bool
is_role(const char *role)
{
	return role_of(role) != PUBLIC || ctl_fail("\"%s\" is not a role; roles are user, admin and superadmin", role);
}

/* ---- user add */

static int
read_new_user(int argc, char **argv, struct user_new *user)
{
	static const struct option options[] = {
		{ "role", required_argument, NULL, 'r' },
		{ "language", required_argument, NULL, 'l' },
		{ 0 },
	};
	const char *language = "en";
	enum language known;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			user->role = optarg;
		else if (option == 'l')
			language = optarg;
		else
			return ctl_error(EXIT_USAGE, "`okulctl user add --help` lists the options");
	}
	if (optind + 1 != argc)
		return ctl_error(EXIT_USAGE, "usage: okulctl user add %s", command_user_add.usage);
	if (!language_of(language, &known))
		return ctl_error(EXIT_DATA, "\"%s\" is not a language; languages are tr, en, es and de", language);
	user->profile[USER_LANGUAGE] = value_text(language);
	user->email = read_email(argv[optind]);
	return user->email && is_role(user->role) ? EXIT_SUCCESS : EXIT_DATA;
}

static enum db_rc
insert_user(const struct user_new *user)
{
	enum db_rc rc = db_write_begin(db);

	if (rc != DB_DONE)
		return rc;
	enum db_rc added = user_add(db, user, NULL);
	if (added == DB_DONE)
		audit_add(db, user->created_at,
			&(struct audit){
				.action = "user.added", .subject_id = user->id, .subject = user->email, .after = user->role });
	if (added != DB_TAKEN)
		return db_write_commit(db); /* returns a failure that stuck */
	db_write_rollback(db);
	return added;
}

static int
run_user_add(int argc, char **argv, const char *data)
{
	char id[ID_TEXT];
	struct user_new user = { .id = id, .role = "user" };
	int code = read_new_user(argc, argv, &user);

	if (code != EXIT_SUCCESS)
		return code;
	if (!open_all(data))
		return EXIT_CONFIG;
	random_id(id);
	user.profile[USER_TIMEZONE] = value_text(conf->time_zone);
	user.created_at = clock_now();
	enum db_rc rc;
	int tries = 0;
	do {
		rc = insert_user(&user);
	} while (ctl_again(db, rc, &tries));
	db_close(db);
	if (rc == DB_TAKEN)
		return ctl_error(EXIT_DATA, "%s is a user already; `okulctl user role %s %s` changes the role", user.email,
			user.email, user.role);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	printf("%s: added as %s, id %s\n", user.email, user.role, id);
	return EXIT_SUCCESS;
}

/* ---- user role */

enum change { CHANGED, NO_CHANGE, NO_USER, LAST_SUPERADMIN };

/* Inside a write transaction. */
static enum change
change_role(const char *email, const char *role)
{
	char id[ID_TEXT], before[16];
	int64_t now = clock_now(), pk;
	struct db_rows *row;

	if (db_one(db, &row, sql[FIND], ARGS(email)) != DB_ROW)
		return NO_USER;
	snprintf(id, sizeof(id), "%s", db_text(row, 0));
	snprintf(before, sizeof(before), "%s", db_text(row, 1));
	pk = db_int(row, 2);
	db_end(row);
	if (strcmp(before, role) == 0)
		return NO_CHANGE;
	if (!user_change_role(db, pk, role, now))
		return LAST_SUPERADMIN;
	audit_add(db, now,
		&(struct audit){ .action = "user.role", .subject_id = id, .subject = email, .before = before, .after = role });
	return CHANGED;
}

static int
run_user_role(int argc, char **argv, const char *data)
{
	enum change change = NO_CHANGE;

	if (argc != 3)
		return ctl_error(EXIT_USAGE, "usage: okulctl user role %s", command_user_role.usage);
	const char *email = read_email(argv[1]), *role = argv[2];
	if (!email || !is_role(role))
		return EXIT_DATA;
	if (!open_all(data))
		return EXIT_CONFIG;
	enum db_rc rc;
	int tries = 0;
	do {
		rc = db_write_begin(db);
		if (rc == DB_DONE) {
			change = change_role(email, role);
			rc = db_write_commit(db); /* also when nothing changed: it returns the failure that stuck */
		}
	} while (ctl_again(db, rc, &tries));
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	if (change == NO_USER)
		return ctl_error(EXIT_DATA, "there is no user %s; `okulctl user add` adds one", email);
	if (change == LAST_SUPERADMIN)
		return ctl_error(
			EXIT_DATA, "%s is the last active superadmin and stays one: make another superadmin first", email);
	printf("%s: is %s %s\n", email, role, change == CHANGED ? "now" : "already");
	return EXIT_SUCCESS;
}

/* ---- user unlock */

/* Inside a write transaction. */
static void
unlock_email(const char *email, int64_t *events)
{
	struct db_rows *row;
	char id[ID_TEXT] = "";

	otp_unlock(db, email, events);
	if (db_one(db, &row, sql[FIND], ARGS(email)) == DB_ROW)
		snprintf(id, sizeof(id), "%s", db_text(row, 0));
	db_end(row);
	/* The audit records users only, not other addresses. */
	if (id[0])
		audit_add(db, clock_now(), &(struct audit){ .action = "session.unlocked", .subject_id = id, .subject = email });
}

static int
run_user_unlock(int argc, char **argv, const char *data)
{
	int64_t events = 0;

	if (argc != 2 || argv[1][0] == '-')
		return ctl_error(EXIT_USAGE, "usage: okulctl user unlock %s", command_user_unlock.usage);
	const char *email = read_email(argv[1]);
	if (!email)
		return EXIT_DATA;
	if (!open_all(data))
		return EXIT_CONFIG;
	enum db_rc rc;
	int tries = 0;
	do {
		rc = db_write_begin(db);
		if (rc == DB_DONE) {
			unlock_email(email, &events);
			rc = db_write_commit(db);
		}
	} while (ctl_again(db, rc, &tries));
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	printf("%s: unlocked, %lld codes and wrong tries forgotten\n", email, (long long)events);
	return EXIT_SUCCESS;
}

/* ---- user list */

static int
run_user_list(int argc, char **argv, const char *data)
{
	int64_t count;

	(void)argv;
	if (argc > 1)
		return ctl_error(EXIT_USAGE, "user list takes no arguments");
	return ctl_table(data, sql[LIST], NO_ARGS, &count);
}

/* ---- user setup-code */

static int
run_user_setup_code(int argc, char **argv, const char *data)
{
	char code[SETUP_CODE_TEXT];

	(void)argv;
	if (argc != 1)
		return ctl_error(EXIT_USAGE, "usage: okulctl user setup-code");
	if (!open_all(data))
		return EXIT_CONFIG;
	bool needed = setup_is_needed(db);
	enum db_rc rc = db_failure(db);
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	if (!needed)
		return ctl_error(EXIT_FAILURE, "there is a superadmin already; `okulctl user list` shows who");
	setup_code(conf, code);
	printf("%s/app/#/setup?code=%s\n", conf->base_url, code);
	return EXIT_SUCCESS;
}
