/*
 * okulctl - what an operator types and cron runs, one command a file: the command's row stands on top of its file.
 */
#ifndef OKULCTL_H
#define OKULCTL_H

#include "base.h"
#include "conf.h"
#include "db.h"

#include <stdarg.h>

struct command {
	const char *name;	/* "mail", "user add" */
	const char *usage;	/* arguments: "EMAIL [--role ROLE]" */
	const char *summary;	/* one line for `okulctl --help` */
	const char *help;	/* what `okulctl NAME --help` says below usage and summary */
	/* argv[0] is the last word of the name. Gives the exit code. `data` is from -d, else NULL: conf_folder(). */
	int (*run)(int argc, char **argv, const char *data);
	bool no_data;		/* needs no data folder: root stays root */
};

/* Rows of the files in bin/; okulctl.c lists them. */
extern const struct command command_serve, command_migrate, command_check, command_mail, command_cleanup,
	command_user_add, command_user_import, command_user_role, command_user_list, command_user_unlock, command_audit, command_key_list,
	command_key_rotate, command_sql, command_reference, command_files_gc, command_files_verify;
extern const struct command command_setting_list, command_setting_get, command_setting_set, command_setting_history;
extern const struct command command_backup, command_demo;
extern const struct command command_test_import, command_test_export, command_test_list;

/* Brings DATA/origins.map in line with the configuration; false after having said why it cannot. */
must_use bool origins_write(const struct conf *conf);
/* True when it is. */
bool origins_known(const struct conf *conf);

/* Prints to `file` (a FILE *) without what a name or another text of strangers could do to a terminal: buf_visible(). */
void ctl_print(void *file, const char *format, va_list list);
/* "okulctl: <message>" on standard error, printed so; gives `code`, for `return ctl_error(EXIT_DATA, ...)`. */
int ctl_error(int code, const char *format, ...) printf_like(2, 3);

/*
 * A file that somebody brings ("-": standard input) as UTF-8 text without NUL, rewound; the caller closes it. `encoding` is the
 * name of what it is written in (iconv's), NULL for UTF-8; `max` the most bytes it may have, 0 for any. NULL after having said
 * why: what is written in anything else is refused as a whole, with a guess at what it is.
 */
must_use FILE *ctl_text(const char *path, const char *encoding, size_t max);

/* Loads configuration and opens the database; NULL after having said why and what to do. */
must_use const struct conf *ctl_conf(const char *data);
must_use struct db *ctl_db(const struct conf *conf, enum db_mode mode);

/*
 * Prints a row to `file` (a FILE *), separated by tabs, before the first one the names of the columns. In values a tab,
 * newline or backslash is written \t, \n, \\, other control characters \x1b or \u202e; bytes that are no text are written x'...'. For
 * db_shell().
 */
void ctl_print_row(void *file, const struct db_rows *rows, bool first);
/*
 * Prints what a statement reads from the database of DATA so, to standard output. All is read first: whoever reads the output
 * may take their time, and no snapshot may be held meanwhile. `*count` gets the number of rows. Gives an exit code, after
 * having said what failed.
 */
must_use int ctl_table(const char *data, const char *sql, struct args args, int64_t *count);

#endif
