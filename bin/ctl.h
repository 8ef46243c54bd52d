/*
 * ctl - what the programs of bin/ share: how a command describes itself, how it begins and ends, what it says.
 */
#ifndef CTL_H
#define CTL_H

#include "base.h"
#include "conf.h"
#include "db_admin.h"

#include <stdarg.h>

struct command {
	const char *name;	/* "mail", "user add" */
	const char *usage;	/* arguments: "EMAIL [--role ROLE]" */
	const char *summary;	/* one line for `okulctl --help` */
	const char *help;	/* what `okulctl NAME --help` says below usage and summary */
	/* argv[0] is the last word of the name. Returns the exit code. `data` is from -d, else NULL: conf_folder(). */
	int (*run)(int argc, char **argv, const char *data);
	const struct db_statements *statements;	/* that its file runs; on one command of a file. NULL: none, or on another */
	const char *program;	/* instead of `run`: the program beside okulctl that does it, and has usage and help */
};

/* What both okulctl and the program itself say of it. */
#define DEMO_SUMMARY "fill an empty database with a made-up school"

/*
 * Begins a program: umask, no core dump, log under that name, clock. An exit code other than EXIT_SUCCESS, after having said
 * why, where a web server runs it.
 */
must_use int ctl_init(const char *name);
/*
 * Runs a command as the owner of the data folder, or prints its help when argv[1] asks for it. Returns its exit code, after
 * ctl_finish().
 */
must_use int ctl_run(const struct command *command, int argc, char **argv, const char *data);
/* The exit code of a program that would end with `code`: a failure when its output could not be written. */
must_use int ctl_finish(int code);

/*
 * For the build and the tests: the statements of a program, `list` up to NULL. Prints them, each ended by a NUL; or prepares them
 * against the database of `data` and prints their query plans, and returns EXIT_FAILURE when db_explain() finds a fault.
 */
must_use int ctl_print_statements(const struct db_statements *const *list);
must_use int ctl_check_statements(const struct db_statements *const *list, const char *data);

/* Prints to `file` (a FILE *) without what a name or another text of strangers could do to a terminal: utf8_visible(). */
void ctl_print(void *file, const char *format, va_list list);
/* "okulctl: <message>" on standard error, printed so; returns `code`, for `return ctl_error(EXIT_DATA, ...)`. */
int ctl_error(int code, const char *format, ...) printf_like(2, 3);

/* Loads configuration and opens the database; NULL after having said why and what to do. */
must_use const struct conf *ctl_conf(const char *data);
must_use struct db *ctl_db(const struct conf *conf, enum db_mode mode);

#endif
