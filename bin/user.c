/*
 * okulctl user - users added and changed by an operator: the first administrator is added here.
 */
#include "okulctl.h"
#include "sql.h"

#include "user.h"
#include "arena.h"
#include "audit.h"
#include "clock.h"
#include "email.h"
#include "otp.h"
#include "random.h"
#include "role.h"
#include "sentence.h"

#include <getopt.h>

static int run_user_add(int argc, char **argv, const char *data);
static int run_user_role(int argc, char **argv, const char *data);
static int run_user_list(int argc, char **argv, const char *data);
static int run_user_unlock(int argc, char **argv, const char *data);

static const struct db_statements statements;

const struct command command_user_add = {
	.name = "user add",
	.usage = "EMAIL [--role user|admin|superadmin] [--language tr|en|es|de]",
	.summary = "add a user, who can then log in with a code by mail",
	.help = "The role is user and the language English by default. Administrators need not register.\n",
	.run = run_user_add,
	.statements = &statements,
};

const struct command command_user_role = {
	.name = "user role",
	.usage = "EMAIL user|admin|superadmin",
	.summary = "change what a user may do, from their next request on",
	.help = "The last active superadmin stays one: make another first. `okulctl audit` shows who was given what.\n",
	.run = run_user_role,
};

const struct command command_user_list = {
	.name = "user list",
	.usage = "",
	.summary = "list the users, oldest first",
	.help = "One line a user, separated by tabs, under a line of headings. Times are UTC.\n",
	.run = run_user_list,
};

const struct command command_user_unlock = {
	.name = "user unlock",
	.usage = "EMAIL",
	.summary = "unlock an address for which too many codes were asked for or tried",
	.help = "Forgets the codes that were asked for and the wrong tries that were made for the address and for all addresses of\n"
		"the same mailbox (ada+1@example.com is ada@example.com), for every network; whether a user has it or not. What a\n"
		"client network did wrong for many addresses stays counted: it is over after an hour, or a day at most.\n",
	.run = run_user_unlock,
};

enum { FIND, LIST };

static const char *const sql[] = {
	[FIND] = "SELECT id, role, pk FROM users WHERE email = ?1",
	[LIST] =
		"SELECT email, role, CASE WHEN is_active THEN 'yes' ELSE 'no' END AS active,"
		" CASE WHEN registered_at IS NULL THEN 'no' ELSE 'yes' END AS registered, language,"
		" " SQL_MINUTE_TEXT("created_at") " AS created,"
		" coalesce(" SQL_MINUTE_TEXT("last_login_at") ", '-') AS last_login"
		" FROM users ORDER BY pk /* scans: users */",
};
static const struct db_statements statements = { sql, COUNT(sql) };

static const struct conf *conf;
static struct db *db;

static bool
open_all(const char *data)
{
	conf = ctl_conf(data);
	db = conf ? ctl_db(conf, DB_READ_WRITE) : NULL;
	return db != NULL;
}

/* `*email` gets the address as it is stored. */
static bool
is_email(char **email)
{
	static struct arena *arena;	/* of the whole run */
	const char *kept;

	if (!arena && !(arena = arena_new(1024)))
		return ctl_error(EXIT_FAILURE, "out of memory") == 0;
	if (email_keep(arena, *email, &kept) != EMAIL_GOOD)
		return ctl_error(EXIT_DATA, "\"%s\" is not a mail address", *email) == 0;
	*email = (char *)kept;
	return true;
}

static bool
is_role(const char *role)
{
	return role_of(role) != PUBLIC ||
		ctl_error(EXIT_DATA, "\"%s\" is not a role; roles are user, admin and superadmin", role) == 0;
}

/* ---- user add */

struct new_user {
	char *email;
	const char *role, *language;
};

static int
read_new_user(int argc, char **argv, struct new_user *user)
{
	static const struct option options[] = {
		{ "role", required_argument, NULL, 'r' }, { "language", required_argument, NULL, 'l' }, { 0 },
	};
	enum language language;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'r')
			user->role = optarg;
		else if (option == 'l')
			user->language = optarg;
		else
			return ctl_error(EXIT_USAGE, "`okulctl user add --help` lists the options");
	}
	if (optind + 1 != argc)
		return ctl_error(EXIT_USAGE, "usage: okulctl user add %s", command_user_add.usage);
	user->email = argv[optind];
	if (!language_of(user->language, &language))
		return ctl_error(EXIT_DATA, "\"%s\" is not a language; languages are tr, en, es and de", user->language);
	return is_email(&user->email) && is_role(user->role) ? EXIT_SUCCESS : EXIT_DATA;
}

static enum db_rc
insert_user(const struct new_user *user, const char *id)
{
	int64_t now = clock_now();
	enum db_rc rc = db_write_begin(db);

	if (rc != DB_DONE)
		return rc;
	rc = user_add(db, &(struct user_new){ .id = id, .email = user->email, .role = user->role, .language = user->language,
		.timezone = conf->time_zone, .created_at = now }, NULL);
	if (rc != DB_DONE) {
		db_write_rollback(db);
		return rc;
	}
	audit_add(db, now, &(struct audit){ .action = "user.added", .subject_id = id, .subject = user->email,
		.after = user->role });
	return db_write_commit(db);
}

static int
run_user_add(int argc, char **argv, const char *data)
{
	struct new_user user = { .role = "user", .language = "en" };
	char id[ID_TEXT];
	int code = read_new_user(argc, argv, &user);
	enum db_rc rc;

	if (code != EXIT_SUCCESS)
		return code;
	if (!open_all(data))
		return EXIT_CONFIG;
	random_id(id);
	rc = insert_user(&user, id);
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

enum change { CHANGED, NO_CHANGE, NO_USER, LAST_ONE };

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
		return LAST_ONE;
	audit_add(db, now, &(struct audit){ .action = "user.role", .subject_id = id, .subject = email, .before = before,
		.after = role });
	return CHANGED;
}

static int
run_user_role(int argc, char **argv, const char *data)
{
	enum change change = NO_CHANGE;
	enum db_rc rc;

	if (argc != 3)
		return ctl_error(EXIT_USAGE, "usage: okulctl user role %s", command_user_role.usage);
	const char *role = argv[2];
	if (!is_email(&argv[1]) || !is_role(role))
		return EXIT_DATA;
	const char *email = argv[1];
	if (!open_all(data))
		return EXIT_CONFIG;
	rc = db_write_begin(db);
	if (rc == DB_DONE) {
		change = change_role(email, role);
		/* Also when nothing changed: the commit returns a failure that stuck. */
		rc = db_write_commit(db);
	}
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	if (change == NO_USER)
		return ctl_error(EXIT_DATA, "there is no user %s; `okulctl user add` adds one", email);
	if (change == LAST_ONE)
		return ctl_error(EXIT_DATA, "%s is the last active superadmin and stays one: make another superadmin first",
			email);
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
	if (!is_email(&argv[1]))
		return EXIT_DATA;
	if (!open_all(data))
		return EXIT_CONFIG;
	enum db_rc rc = db_write_begin(db);
	if (rc == DB_DONE) {
		unlock_email(argv[1], &events);
		rc = db_write_commit(db);
	}
	db_close(db);
	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	printf("%s: unlocked, %lld codes and wrong tries forgotten\n", argv[1], (long long)events);
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
