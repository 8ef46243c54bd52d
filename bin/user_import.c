/*
 * okulctl user import - adds users from a table.
 *
 * The file is read in batches: the rows of a batch are checked, the good ones are written in one transaction, and
 * then the errors of the others are printed. So requests are served meanwhile, and the file may have any size.
 */
#include "okulctl.h"

#include "clock.h"
#include "user_import.h"

#include <getopt.h>

static command_call run_user_import;

/* clang-format off */
const struct command command_user_import = {
	.name = "user import",
	.usage = "FILE.csv [--encoding NAME] [--dry-run]",
	.summary = "add users from a table, one a row",
	.help = "FILE.csv is text as spreadsheets write it (RFC 4180; commas, semicolons or tabs,\n"
		"with or without a first line sep=;), or - for standard input. Its first line\n"
		"names the columns, in any order: email, which every row needs, and any of\n"
		"  role language name surname username countryCode phoneNumber birthDate gender\n"
		"  timezone profilePhoto availabilityStatus interests expertise bio instagram x\n"
		"  tiktok snapchat facebook\n"
		"or their usual names in Turkish, English, Spanish or German, in upper or lower\n"
		"case (E-posta, Soyad, Geburtsdatum, Correo electrónico). An empty cell counts as\n"
		"missing; the default role is user, the default language English. The rules are\n"
		"those of the API. In addition\n"
		"  birthDate    may be 23.04.1998, 23/04/1998 or 23-04-1998, with the day first.\n"
		"               If any date has the month first (04/23/1998), the whole file is\n"
		"               refused, since 03/04/1998 would be ambiguous\n"
		"  phoneNumber  may have spaces and signs between its digits; +90 532 ... is\n"
		"               split into countryCode and number, and the 0 of 0532 ... is\n"
		"               removed if the country code is known. Digits alone stay as they\n"
		"               are\n"
		"  countryCode, language, gender  may be words: TR, Almanca, Kadın, weiblich\n"
		"\n"
		"The output of GET /users?format=csv is accepted too, with id, isActive and\n"
		"accountDeletionStatus; consents, times and isRegistrationComplete are ignored,\n"
		"since only the user can give a consent.\n"
		"\n"
		"Each error is printed on standard error, with the line of its row in the file\n"
		"(\"line 17: email: must be a valid e-mail address\"), and the exit code is 1; the\n"
		"other rows are imported. An address or user name that belongs to a user already,\n"
		"or that the file has twice, is an error too. Imported users complete the\n"
		"registration at their first login.\n"
		"--encoding NAME  the encoding of FILE.csv, if not UTF-8: windows-1254,\n"
		"                 windows-1252, utf-16 ...\n"
		"--dry-run        only check: nothing is changed. Run this first.\n",
	.run = run_user_import,
	.statements = &user_import_statements,
};

#define BATCH 500		/* rows a transaction: it keeps the writer lock for about 30 ms */
#define BATCH_TIME 50000	/* microseconds, then it ends earlier: others wait for it, 2 s at most */

struct import {
	struct user_import table;
	struct db *db;
	bool dry_run;
	struct user_import_row rows[BATCH];
	size_t count, stored;	/* in `rows`: read, and of these done with */
	int64_t good, bad;
};
/* clang-format on */

/* ---- a batch */

static enum db_rc
check_rows(struct import *im)
{
	enum db_rc rc;

	for (size_t i = im->stored; i < im->count; i++)
		user_import_check(&im->table, im->db, &im->rows[i]);
	rc = db_failure(im->db);
	db_release(im->db);
	return rc;
}

/* One transaction; `*end` gets the number of the first row behind it. */
static enum db_rc
store_once(struct import *im, size_t *end)
{
	enum db_rc rc = db_write_begin(im->db);
	int64_t began = clock_ticks();

	if (rc != DB_DONE)
		return rc;
	*end = im->stored;
	while (*end < im->count && rc == DB_DONE && (*end == im->stored || clock_ticks() - began < BATCH_TIME)) {
		if (!im->rows[*end].first)
			rc = user_import_add(im->db, &im->rows[*end], NULL, NULL);
		++*end;
	}
	if (rc == DB_DONE)
		return db_write_commit(im->db);
	db_write_rollback(im->db);
	return rc;
}

static void
print_errors(struct import *im, size_t end)
{
	for (; im->stored < end; im->stored++) {
		const struct user_import_row *row = &im->rows[im->stored];

		for (const struct user_import_error *error = row->first; error; error = error->next)
			fprintf(stderr, "line %zu: %s\n", row->line, error->text);
		im->bad += row->first != NULL;
		im->good += row->first == NULL;
	}
}

/* What another process has taken since the rows were checked is found by checking them again, outside the transaction. */
static enum db_rc
store_rows(struct import *im)
{
	enum db_rc rc = DB_DONE;
	size_t end = 0;

	while (im->stored < im->count && rc == DB_DONE) {
		int tries = 0;

		do {
			rc = store_once(im, &end);
			if (rc == DB_TAKEN)
				rc = check_rows(im) == DB_DONE ? DB_CONFLICT : db_failure(im->db);
		} while (ctl_again(im->db, rc, &tries));
		if (rc == DB_DONE)
			print_errors(im, end);
	}
	return rc;
}

static int
import_rows(struct import *im)
{
	enum user_import_rc result = USER_IMPORT_ROW;
	enum db_rc rc = DB_DONE;

	while (result != USER_IMPORT_END) {
		im->count = im->stored = 0;
		while (im->count < BATCH && (result = user_import_read(&im->table, &im->rows[im->count])) == USER_IMPORT_ROW)
			im->count++;
		if (result == USER_IMPORT_BROKEN)
			return ctl_error(EXIT_FAILURE, "the file cannot be read further: %m; %lld users are imported",
				(long long)im->good);
		rc = im->dry_run ? check_rows(im) : store_rows(im);
		if (rc != DB_DONE)
			return ctl_error(EXIT_FAILURE, "stopped at line %zu: %s; the %lld good rows above it are imported",
				im->rows[im->stored].line, db_reason(rc), (long long)im->good);
		print_errors(im, im->count);
		arena_reset(im->table.rows);
	}
	printf("users %s: %lld, rows with errors: %lld%s\n", im->dry_run ? "to import" : "imported", (long long)im->good,
		(long long)im->bad, im->dry_run ? "; nothing was changed" : "");
	return im->bad ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the file */

static int
refuse_file(const struct user_import *table)
{
	char line[40] = "";

	if (table->line)
		snprintf(line, sizeof(line), "line %zu: ", table->line);
	return ctl_error(EXIT_DATA, "%s%s%s", line, table->why,
		table->is_unknown_column ? "; `okulctl user import --help` lists them" : "");
}

static int
import_file(struct import *im, FILE *file)
{
	struct user_import *table = &im->table;

	table->rows = arena_new(1 << 20);
	table->whole = arena_new(1 << 16);
	if (!table->rows || !table->whole)
		return ctl_error(EXIT_FAILURE, "out of memory");
	json_use(table->rows);
	int code = user_import_open(table, file) ? import_rows(im) : refuse_file(table);
	user_import_clear(table);
	json_use(NULL);
	arena_free(table->rows);
	arena_free(table->whole);
	return code;
}

static int
run_user_import(int argc, char **argv, const char *data)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "encoding", required_argument, NULL, 'e' },
		{ 0 },
	};
	static struct import im;
	const char *encoding = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return ctl_error(EXIT_USAGE, "`okulctl user import --help` lists the options");
		im.dry_run = im.dry_run || option == 'n';
		encoding = option == 'e' ? optarg : encoding;
	}
	if (optind + 1 != argc)
		return ctl_error(EXIT_USAGE, "usage: okulctl user import %s", command_user_import.usage);
	FILE *file = ctl_text(argv[optind], encoding, 0);
	if (!file)
		return EXIT_DATA;
	im.table.conf = ctl_conf(data);
	im.table.language = EN;
	im.db = ctl_db(im.table.conf, im.dry_run ? DB_READ_ONLY : DB_READ_WRITE);
	int code = im.db ? import_file(&im, file) : EXIT_CONFIG;
	db_close(im.db);
	fclose(file);
	return code;
}
