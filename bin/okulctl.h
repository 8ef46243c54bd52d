/*
 * okulctl - what an operator types and cron runs, one command a file: the command's row stands on top of its file.
 */
#ifndef OKULCTL_H
#define OKULCTL_H

#include "ctl.h"

/* Rows of the files in bin/; okulctl.c lists them. */
extern const struct command command_serve, command_migrate, command_check, command_mail, command_cleanup,
	command_user_add, command_user_import, command_user_role, command_user_list, command_user_unlock, command_audit, command_key_list,
	command_key_rotate, command_sql, command_files_gc, command_files_verify;
extern const struct command command_setting_list, command_setting_get, command_setting_set, command_setting_history;
extern const struct command command_backup;
extern const struct command command_test_import, command_test_export, command_test_list;

/* Brings DATA/origins.map in line with the configuration; false after having said why it cannot. */
must_use bool origins_write(const struct conf *conf);
/* True when it is. */
bool origins_known(const struct conf *conf);

/*
 * A file that somebody brings ("-": standard input) as UTF-8 text without NUL, rewound; the caller closes it. `encoding` is the
 * name of what it is written in (iconv's), NULL for UTF-8; `max` the most bytes it may have, 0 for any. NULL after having said
 * why: what is written in anything else is refused as a whole, with a guess at what it is.
 */
must_use FILE *ctl_text(const char *path, const char *encoding, size_t max);

/*
 * Prints a row to `file` (a FILE *), separated by tabs, before the first one the names of the columns. In values a tab,
 * newline or backslash is written \t, \n, \\, other control characters \x1b or \u202e; bytes that are not text are written x'...'. For
 * db_shell().
 */
void ctl_print_row(void *file, const struct db_rows *rows, bool first);
/*
 * Prints what a statement reads from the database of DATA so, to standard output. All is read first: the reader of the
 * output may be slow, and no snapshot may be held for that long. `*count` gets the number of rows. Returns an exit code, after
 * having reported what failed.
 */
must_use int ctl_table(const char *data, const char *sql, struct args args, int64_t *count);

#endif
