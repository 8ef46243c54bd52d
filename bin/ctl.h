/* ctl - what the programs of bin/ share: how a command describes itself, starts, ends and reports errors. */
#ifndef CTL_H
#define CTL_H

#include "base.h"
#include "conf.h"
#include "db_admin.h"

#include <stdarg.h>

/* argv[0] is the last word of the command's name. Returns the exit code. `data` is from -d, else NULL. */
typedef int command_call(int argc, char **argv, const char *data);

/* Texts fit into 80 columns. */
struct command {
	const char *name;	/* "mail", "user add" */
	const char *usage;	/* arguments: "EMAIL [--role ROLE]"; "" when it takes none */
	const char *summary;	/* one line for `okulctl --help` */
	const char *help;	/* what `okulctl NAME --help` prints below usage and summary */
	command_call *run;
	const struct db_statements *statements;	/* of its file, listed by one command of the file; else NULL */
	const char *program;	/* instead of `run`: the program beside okulctl that does it, and has usage and help */
};

/* Printed by both okulctl and the program itself. */
#define DEMO_SUMMARY "fill an empty database with a made-up school"

/*
 * Starts a program: umask, no core dump, log under that name, clock. Returns an exit code other than EXIT_SUCCESS,
 * after reporting why, when a web server runs it.
 */
must_use int ctl_init(const char *name);
/*
 * Runs a command as the owner of the data folder, or prints its help when argv[1] asks for it. Returns its exit
 * code, after ctl_finish().
 */
must_use int ctl_run(const struct command *command, int argc, char **argv, const char *data);
/* Returns the exit code of a program that would end with `code`: a failure when its output could not be written. */
must_use int ctl_finish(int code);

/*
 * For the build and the tests: the statements of a program, `list` up to NULL. The first prints them, each ended by
 * a NUL. The second prints their query plans on the database of `data`; it returns EXIT_FAILURE when db_explain()
 * finds a fault.
 */
must_use int ctl_print_statements(const struct db_statements *const *list);
must_use int ctl_check_statements(const struct db_statements *const *list, const char *data);

/* Prints to `file` (a FILE *), escaping what could control a terminal: utf8_visible(). */
void ctl_print(void *file, const char *format, va_list list);
/* Prints "okulctl: <message>" to standard error in that way; returns `code`, for `return ctl_error(EXIT_DATA, ...)`. */
int ctl_error(int code, const char *format, ...) printf_like(2, 3);
/* The same for a function that returns a bool: `return ctl_fail(...)` reports the error and returns false. */
#define ctl_fail(...) (ctl_error(EXIT_FAILURE, __VA_ARGS__) == 0)

/* Loads the configuration; NULL after reporting what is wrong. */
must_use const struct conf *ctl_conf(const char *data);
/* Opens its database; NULL after reporting what is wrong, and for NULL. */
must_use struct db *ctl_db(const struct conf *conf, enum db_mode mode);
/*
 * True where a write transaction that ended with `rc` is to run again, since another one has changed the same rows
 * (DB_CONFLICT); then it has waited a little. `*tries` counts them, from 0. Releases the database in any case:
 *
 *	do {
 *		rc = db_write_begin(db);
 *		if (rc == DB_DONE) {
 *			...
 *			rc = db_write_commit(db);
 *		}
 *	} while (ctl_again(db, rc, &tries));
 */
must_use bool ctl_again(struct db *db, enum db_rc rc, int *tries);

#endif
