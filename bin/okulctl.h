/* okulctl - what an operator types and cron runs, one command a file: the command's row stands on top of its file. */
#ifndef OKULCTL_H
#define OKULCTL_H

#include "buf.h"
#include "ctl.h"

#include <sys/types.h>

/* Rows of the files in bin/; okulctl.c lists them. */
extern const struct command command_audit, command_backup, command_database_move, command_check, command_cleanup, command_files_gc,
	command_files_move, command_files_verify, command_key_export, command_key_import, command_key_list, command_key_rotate, command_mail,
	command_migrate, command_serve, command_setting_get, command_setting_history, command_setting_list, command_setting_set,
	command_sql, command_test_export, command_test_import, command_test_list, command_user_add, command_user_import,
	command_user_list, command_user_role, command_user_setup_code, command_user_unlock;

/* Makes DATA/origins.map match the configuration; false after reporting why it cannot. */
must_use bool origins_write(const struct conf *conf);
/* True when it matches. */
bool origins_known(const struct conf *conf);

/* Makes DATA/files-s3.conf match the configuration. Returns 1 when that changed it, 0 when not, -1 after reporting why not. */
must_use int files_web_update(const struct conf *conf);

/* ---- files */

/* Appends a file ("-": standard input) to `text`; stops once it is longer than `max`. False with errno set. */
must_use bool ctl_read_file(const char *path, size_t max, struct buf *text);
/* True when the file holds exactly that text. */
bool ctl_file_holds(const char *path, const struct buf *text);
/*
 * Replaces a file atomically, and writes it through to the disk: a program that reads it meanwhile gets the old
 * text or the new one. Root keeps its owner. False with errno set; the old file is then unchanged.
 */
must_use bool ctl_replace_file(const char *path, const struct buf *text, mode_t mode);
/* Appends the text of an okul.conf (NULL: none) with the setting replaced, or added at the end. */
void ctl_put_setting(struct buf *out, const char *old, const char *name, const char *value);
/* Waits for the lock of the data folder, and keeps it until this process ends. False after reporting why not. */
must_use bool ctl_lock_folder(const struct conf *conf);
/* The SHA-256 of an open file in hex digits. Returns its size, -1 when it cannot be read. */
must_use int64_t ctl_hash_file(int file, char sha256[static 65]);
/*
 * A file of a user ("-": standard input) as UTF-8 text without NUL, rewound; the caller closes it. `encoding` is
 * iconv's name of its encoding, NULL for UTF-8; `max` its largest size in bytes, 0 for any. NULL after reporting
 * what is wrong: a file in another encoding is refused as a whole, with a guess at which one it is.
 */
must_use FILE *ctl_text(const char *path, const char *encoding, size_t max);

/* ---- options and tables */

/* Reads the options --dry-run and --quiet; false after reporting any other argument. */
must_use bool ctl_batch_options(int argc, char **argv, bool *dry_run, bool *quiet);
/*
 * Prints a row to `file` (a FILE *), separated by tabs, before the first one the names of the columns. In values a
 * tab, newline or backslash is written \t, \n, \\, other control characters \x1b or \u202e; bytes that are not text
 * are written x'...'. For db_shell().
 */
void ctl_print_row(void *file, const struct db_rows *rows, bool first);
/*
 * Prints the rows of a statement, run on the database of DATA, to standard output. It reads all before it prints:
 * the reader of the output may be slow, and must not keep a snapshot open. `*count` gets the number of rows.
 * Returns an exit code, after reporting what failed.
 */
must_use int ctl_table(const char *data, const char *sql, struct args args, int64_t *count);

#endif
