/*
 * okulctl cleanup - deletes what has expired, a few rows a transaction, so that requests are served at the same time.
 *
 * Two runs at once do no harm: each transaction reads again, and does not find what the other has deleted.
 */
#include "okulctl.h"

#include "attempt.h"
#include "audit.h"
#include "clock.h"
#include "limit.h"
#include "otp.h"
#include "outbox.h"
#include "placement.h"
#include "session.h"
#include "user.h"

#include <getopt.h>

static int run_cleanup(int argc, char **argv, const char *data);

static const struct db_statements statements;

const struct command command_cleanup = {
	.name = "cleanup",
	.usage = "[--dry-run] [--quiet]",
	.summary = "delete what has expired, and the accounts whose deletion is due; grade what ran out of time",
	.help = "Deletes login codes and sessions that expired, what was counted for limits over a day ago, mails that\n"
		"expired a day ago and that no `okulctl mail` has dropped, networks from which nobody logged in for known_days,\n"
		"audit entries of logins over a year ago, and accounts whose owners asked for it when the days of\n"
		"grace (deletion_grace in okul.conf) have passed. The last active superadmin is kept, with a warning.\n"
		"Sessions that would live longer than refresh_life, as of a clock that was ahead, get that.\n"
		"Attempts at placement tests whose time ran out become results, and wordings of tests that no result needs any\n"
		"more go.\n"
		"Prints a line a kind. Safe at any time, also twice at once; meant to be run daily by cron.\n"
		"--dry-run  only count\n"
		"--quiet    print nothing but warnings and errors\n",
	.run = run_cleanup,
	.statements = &statements,
};

#define BATCH 200		/* rows a transaction: some milliseconds in which no one else can write */
#define BATCH_TIME 50000	/* microseconds, for rows whose deletion cascades: a user with all results */
#define USER_TIME MINUTE	/* a user may have so many that other writers time out; never to be deleted would be worse */

#define KNOWN (-1)

static const struct kind {
	const char *name;
	int64_t age;		/* milliseconds that rows are kept after `until`; KNOWN: known_days of the configuration */
	expiry_call *expire;
} kinds[] = {
	{ "expired login codes", 0, otp_expire_codes },
	{ "expired sessions", 0, session_expire },
	{ "old limit counts", DAY, limit_expire },	/* the longest window of a limit is a day */
	{ "networks of old logins", KNOWN, otp_expire_networks },
	{ "traces of old logins", 365 * DAY, audit_expire_logins },
	{ "expired mails", DAY, outbox_expire },
	{ "wordings of tests that nothing needs", 0, placement_expire_versions },
};

enum { DUE, COUNT_DUE, COUNT_ATTEMPTS };

static const char *const sql[] = {
	/* The next after ?2, ?3: a user who must stay is not found again. */
	[DUE] =
		"SELECT pk, deletion_scheduled_for, id, email, role FROM users WHERE deletion_status = 'pending'"
		" AND deletion_scheduled_for <= ?1 AND (deletion_scheduled_for, pk) > (?2, ?3)"
		" ORDER BY deletion_scheduled_for, pk LIMIT 1",
	[COUNT_DUE] =
		"SELECT count(*) FROM users WHERE deletion_status = 'pending' AND deletion_scheduled_for <= ?1 AND " USER_MAY_GO,
	[COUNT_ATTEMPTS] = "SELECT count(*) FROM attempt WHERE deadline < ?1",
};
static const struct db_statements statements = { sql, COUNT(sql) };

struct cleanup {
	struct db *db;
	int64_t now, latest;	/* ... time at which a session may end */
	int64_t known;		/* milliseconds that a network is known from a login on */
	bool dry_run, quiet;
};

static void
report_cleaned(const struct cleanup *c, const char *name, int64_t count, const char *done)
{
	if (!c->quiet)
		printf("%s: %lld %s%s\n", name, (long long)count, c->dry_run ? "would be " : "", done);
}

static enum db_rc
count_rows(const struct cleanup *c, const char *text, int64_t until, int64_t *count)
{
	struct db_rows *row;
	enum db_rc rc = db_one(c->db, &row, text, ARGS(until));

	if (rc == DB_ROW)
		*count = db_int(row, 0);
	db_release(c->db);
	return rc == DB_ROW ? DB_DONE : rc;
}

static enum db_rc
expire_batch(const struct cleanup *c, expiry_call *expire, int64_t until, int64_t *done)
{
	enum db_rc rc = db_write_begin(c->db);

	if (rc != DB_DONE)
		return rc;
	(void)!expire(c->db, until, BATCH, done);
	return db_write_commit(c->db);
}

/* Deletes all that expired at `until`, or only counts them; then prints the number. */
static enum db_rc
expire_all(const struct cleanup *c, const char *name, expiry_call *call, int64_t until, const char *what)
{
	int64_t done = BATCH, count = 0;
	enum db_rc rc = DB_DONE;

	if (c->dry_run) {
		rc = call(c->db, until, 0, &count);
		db_release(c->db);
	}
	while (!c->dry_run && rc == DB_DONE && done == BATCH) {
		rc = expire_batch(c, call, until, &done);
		if (rc == DB_DONE)
			count += done;
	}
	report_cleaned(c, name, count, what);
	return rc;
}

/* ---- attempts */

static enum db_rc
close_attempts(const struct cleanup *c, int64_t *count)
{
	struct arena *arena = arena_new(1 << 16);
	const struct attempt_due *due;
	int64_t found = BATCH, closed;
	enum db_rc rc = arena ? DB_DONE : DB_ERROR;

	while (rc == DB_DONE && found == BATCH) {
		arena_reset(arena);
		found = attempt_read_due(c->db, arena, c->now, 0, BATCH, &due);
		if ((rc = db_failure(c->db)) != DB_DONE || found == 0 || (rc = db_write_begin(c->db)) != DB_DONE)
			break;
		closed = attempt_close(c->db, due);
		rc = db_write_commit(c->db);
		*count += rc == DB_DONE ? closed : 0;
	}
	db_release(c->db);
	arena_free(arena);
	return rc;
}

/* ---- accounts */

/* The position in the list of accounts that are due. */
struct walk {
	int64_t at, pk;
	int64_t deleted;	/* in this transaction */
	bool over;
	struct buf kept;	/* warnings */
};

/* Deletes the next account that is due. Failures stick to db. */
static void
finalize_next(const struct cleanup *c, struct walk *walk)
{
	struct db_rows *due;

	walk->over = db_one(c->db, &due, sql[DUE], ARGS(c->now, walk->at, walk->pk)) != DB_ROW;
	if (walk->over)
		return;
	walk->pk = db_int(due, 0);
	walk->at = db_int(due, 1);
	if (user_delete(c->db, walk->pk)) {
		walk->deleted++;
		audit_add(c->db, c->now, &(struct audit){ .action = "user.deletion-finalized", .subject_id = db_text(due, 2),
			.subject = db_text(due, 3), .before = db_text(due, 4) });
	} else {
		buf_printf(&walk->kept, "okulctl: warning: %s asked for deletion, but is the last active superadmin and is kept; "
			"make another one first: `okulctl user role EMAIL superadmin`\n", db_text(due, 3));
	}
	db_end(due);
}

static enum db_rc
finalize_batch(const struct cleanup *c, struct walk *walk)
{
	enum db_rc rc = db_write_begin(c->db);
	int64_t began = clock_ticks();

	if (rc != DB_DONE)
		return rc;
	db_timeout(c->db, USER_TIME);
	walk->deleted = 0;
	for (int i = 0; i < BATCH && !walk->over && clock_ticks() - began < BATCH_TIME; i++)
		finalize_next(c, walk);
	return db_write_commit(c->db);
}

static enum db_rc
finalize_all(const struct cleanup *c, int64_t *count)
{
	struct walk walk = { .at = INT64_MIN };
	enum db_rc rc = DB_DONE;

	while (rc == DB_DONE && !walk.over) {
		rc = finalize_batch(c, &walk);
		if (rc == DB_DONE)
			*count += walk.deleted;
	}
	if (rc == DB_DONE && walk.kept.s)
		fputs(walk.kept.s, stderr);
	buf_clear(&walk.kept);
	return rc;
}

/* ---- all */

static enum db_rc
clean(const struct cleanup *c)
{
	enum db_rc rc = DB_DONE;
	int64_t count;

	for (size_t i = 0; i < COUNT(kinds) && rc == DB_DONE; i++)
		rc = expire_all(c, kinds[i].name, kinds[i].expire, c->now - (kinds[i].age == KNOWN ? c->known : kinds[i].age), "deleted");
	if (rc == DB_DONE)
		rc = expire_all(c, "sessions that were dated ahead", session_shorten, c->latest, "corrected");
	if (rc != DB_DONE)
		return rc;
	count = 0;
	rc = c->dry_run ? count_rows(c, sql[COUNT_ATTEMPTS], c->now - ATTEMPT_GRACE, &count) : close_attempts(c, &count);
	report_cleaned(c, "attempts whose time ran out", count, "graded");
	if (rc != DB_DONE)
		return rc;
	count = 0;
	rc = c->dry_run ? count_rows(c, sql[COUNT_DUE], c->now, &count) : finalize_all(c, &count);
	report_cleaned(c, "accounts whose deletion was due", count, "deleted");
	if (rc != DB_DONE || c->dry_run)
		return rc;
	/* A long read can prevent it: then the next run does it. */
	rc = db_trim(c->db);
	return rc == DB_BUSY ? DB_DONE : rc;
}

static int
run_cleanup(int argc, char **argv, const char *data)
{
	static const struct option options[] = {
		{ "dry-run", no_argument, NULL, 'n' }, { "quiet", no_argument, NULL, 'q' }, { 0 },
	};
	struct cleanup c = { .now = clock_now() };
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		c.dry_run |= option == 'n';
		c.quiet |= option == 'q';
		if (option == '?')
			return ctl_error(EXIT_USAGE, "`okulctl cleanup --help` lists the options");
	}
	if (optind < argc)
		return ctl_error(EXIT_USAGE, "cleanup takes only --dry-run and --quiet, not \"%s\"", argv[optind]);
	const struct conf *conf = ctl_conf(data);
	c.db = conf ? ctl_db(conf, c.dry_run ? DB_READ_ONLY : DB_READ_WRITE) : NULL;
	if (!c.db)
		return EXIT_CONFIG;
	db_only_deletes(c.db, true);
	c.latest = c.now + conf->refresh_life * SECOND;
	c.known = conf->known_days * DAY;
	enum db_rc rc = clean(&c);
	db_close(c.db);
	return rc == DB_DONE ? EXIT_SUCCESS :
		ctl_error(EXIT_FAILURE, "stopped: %s; what was deleted is deleted, the next run goes on", db_reason(rc));
}
