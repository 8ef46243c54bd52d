/*
 * okulctl cleanup - deletes what has expired, a few rows a transaction, so that requests are served at the same time.
 *
 * Two runs at the same time do no harm: each transaction reads again, and does not find what the other has deleted.
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

static command_call run_cleanup;

static const struct db_statements statements;

const struct command command_cleanup = {
	.name = "cleanup",
	.usage = "[--dry-run] [--quiet]",
	.summary = "delete what has expired, and accounts whose deletion is due",
	.help = "Deletes\n"
		"- login codes and sessions that expired\n"
		"- what was counted for limits over a day ago\n"
		"- mails that expired a day ago and were not sent\n"
		"- networks from which nobody logged in for known_days\n"
		"- audit entries of logins over a year ago\n"
		"- old wordings of tests that no result needs any more\n"
		"- accounts whose users asked for it, deletion_grace (days) later; the last\n"
		"  active superadmin is kept, with a warning.\n"
		"Attempts at placement tests whose time ran out become results. A session that\n"
		"would live longer than refresh_life, because a clock was ahead, gets that life.\n"
		"\n"
		"Prints a line for each. Safe at any time; meant to be run daily by cron.\n"
		"--dry-run  only counts\n"
		"--quiet    prints only warnings and errors\n",
	.run = run_cleanup,
	.statements = &statements,
};

#define BATCH 200	 /* rows a transaction: others cannot write for some milliseconds */
#define ATTEMPTS 25	 /* the same: each takes statements of its own, and counts in rows that others wait for */
#define BATCH_TIME 50000 /* microseconds, for rows whose deletion cascades: a user with all results */
#define USER_TIME MINUTE /* for one with very many: other writers may time out, but it must work at some time */

enum { DUE, COUNT_DUE, COUNT_ATTEMPTS };

static const char *const sql[] = {
	/* The next after ?2, ?3: a user who must stay is not found again. */
	[DUE] = "SELECT pk, deletion_scheduled_for, id, email, role FROM users WHERE deletion_status = 'pending'"
		" AND deletion_scheduled_for <= ?1 AND (deletion_scheduled_for, pk) > (?2, ?3)"
		" ORDER BY deletion_scheduled_for, pk LIMIT 1",
	[COUNT_DUE] =
		"SELECT count(*) FROM users WHERE deletion_status = 'pending' AND deletion_scheduled_for <= ?1 AND " USER_MAY_GO,
	[COUNT_ATTEMPTS] = "SELECT count(*) FROM attempt WHERE deadline < ?1",
};
static const struct db_statements statements = { sql, COUNT(sql) };

struct cleanup {
	struct db *db;
	int64_t now;
	bool dry_run, quiet;
};

struct kind {
	const char *name;
	expiry statements;
	int64_t until;
	const char *done; /* what happens to the rows: "deleted" */
};

static void
report_cleaned(const struct cleanup *c, const char *name, int64_t count, const char *done)
{
	if (!c->quiet)
		printf("%s: %lld %s%s\n", name, (long long)count, c->dry_run ? "would be " : "", done);
}

static enum db_rc
count_rows(struct db *db, const char *text, int64_t until, int64_t *count)
{
	enum db_rc rc = db_number(db, count, text, ARGS(until));

	return rc == DB_ROW ? DB_DONE : rc;
}

/* Deletes all rows of a kind that expired, or only counts them; then prints the number. */
static enum db_rc
expire_all(const struct cleanup *c, const struct kind *kind)
{
	int64_t done = BATCH, count = 0;
	enum db_rc rc = DB_DONE;

	if (c->dry_run) {
		rc = count_rows(c->db, kind->statements[0], kind->until, &count);
		db_release(c->db);
	}
	while (!c->dry_run && done == BATCH && rc == DB_DONE) {
		int tries = 0;
		do {
			rc = db_write_begin(c->db);
			done = rc == DB_DONE ? db_change(c->db, kind->statements[1], ARGS(kind->until, BATCH)) : 0;
			if (rc == DB_DONE)
				rc = db_write_commit(c->db);
		} while (ctl_again(c->db, rc, &tries));
		count += rc == DB_DONE ? done : 0;
	}
	report_cleaned(c, kind->name, count, kind->done);
	return rc;
}

/* Grades attempts whose time ran out, or only counts them; then prints the number. */
static enum db_rc
close_attempts(const struct cleanup *c)
{
	struct arena *arena = arena_new(1 << 16);
	enum db_rc rc = arena ? DB_DONE : DB_ERROR;
	int64_t found = c->dry_run ? 0 : ATTEMPTS, closed = 1, count = 0;
	const struct attempt_due *due;
	int tries = 0;

	if (c->dry_run)
		rc = count_rows(c->db, sql[COUNT_ATTEMPTS], c->now - ATTEMPT_GRACE, &count);
	while (rc == DB_DONE && found == ATTEMPTS && closed > 0) {
		arena_reset(arena);
		found = attempt_read_due(c->db, arena, c->now, 0, ATTEMPTS, &due);
		if ((rc = db_failure(c->db)) != DB_DONE || found == 0 || (rc = db_write_begin(c->db)) != DB_DONE)
			break;
		closed = attempt_close(c->db, due);
		rc = db_write_commit(c->db);
		count += rc == DB_DONE ? closed : 0;
		if (ctl_again(c->db, rc, &tries)) /* the attempts are read again */
			rc = DB_DONE, closed = 1;
		else
			tries = 0;
	}
	db_release(c->db);
	arena_free(arena);
	report_cleaned(c, "attempts whose time ran out", count, "graded");
	return rc;
}

/* ---- accounts */

struct walk {
	int64_t at, pk;	 /* the position in the list of accounts that are due */
	int64_t deleted; /* in this transaction */
	bool is_over;
	struct buf kept; /* warnings */
};

/* Deletes the next account that is due. Failures stick to db. */
static void
finalize_next(const struct cleanup *c, struct walk *walk)
{
	struct db_rows *due;

	walk->is_over = db_one(c->db, &due, sql[DUE], ARGS(c->now, walk->at, walk->pk)) != DB_ROW;
	if (walk->is_over)
		return;
	walk->pk = db_int(due, 0);
	walk->at = db_int(due, 1);
	if (user_delete(c->db, walk->pk)) {
		walk->deleted++;
		audit_add(c->db, c->now,
			&(struct audit){ .action = "user.deletion-finalized",
				.subject_id = db_text(due, 2),
				.subject = db_text(due, 3),
				.before = db_text(due, 4) });
	} else {
		buf_printf(&walk->kept,
			"okulctl: warning: %s asked for deletion, but is the last active superadmin; "
			"make another one: `okulctl user role EMAIL superadmin`\n",
			db_text(due, 3));
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
	for (int i = 0; i < BATCH && !walk->is_over && clock_ticks() - began < BATCH_TIME; i++)
		finalize_next(c, walk);
	return db_write_commit(c->db);
}

static enum db_rc
finalize_all(const struct cleanup *c, int64_t *count)
{
	struct walk walk = { .at = INT64_MIN };
	enum db_rc rc = DB_DONE;

	while (rc == DB_DONE && !walk.is_over) {
		const struct walk before = walk;
		int tries = 0;
		while (rc = finalize_batch(c, &walk), ctl_again(c->db, rc, &tries)) {
			walk.at = before.at, walk.pk = before.pk, walk.is_over = false;
			walk.kept.length = before.kept.length;
		}
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
clean(const struct cleanup *c, const struct conf *conf)
{
	const struct kind kinds[] = {
		{ "expired login codes", otp_expiry_codes, c->now, "deleted" },
		{ "expired sessions", session_expiry, c->now, "deleted" },
		{ "old limit counts", limit_expiry, c->now - DAY, "deleted" }, /* the longest window of a limit is a day */
		{ "networks of old logins", otp_expiry_networks, c->now - conf->known_days * DAY, "deleted" },
		{ "traces of old logins", audit_expiry_logins, c->now - 365 * DAY, "deleted" },
		{ "expired mails", outbox_expiry, c->now - DAY, "deleted" },
		{ "wordings of tests that nothing needs", placement_expiry_versions, c->now, "deleted" },
		{ "sessions that were dated ahead", session_expiry_ahead, c->now + conf->refresh_life * SECOND, "corrected" },
	};
	enum db_rc rc = DB_DONE;
	int64_t count = 0;

	for (size_t i = 0; i < COUNT(kinds) && rc == DB_DONE; i++)
		rc = expire_all(c, &kinds[i]);
	if (rc != DB_DONE || (rc = close_attempts(c)) != DB_DONE)
		return rc;
	rc = c->dry_run ? count_rows(c->db, sql[COUNT_DUE], c->now, &count) : finalize_all(c, &count);
	report_cleaned(c, "accounts whose deletion was due", count, "deleted");
	if (rc != DB_DONE || c->dry_run)
		return rc;
	/* DB_BUSY: a long read prevents it; the next run does it. */
	rc = db_trim(c->db);
	return rc == DB_BUSY ? DB_DONE : rc;
}

static int
run_cleanup(int argc, char **argv, const char *data)
{
	struct cleanup c = { .now = clock_now() };

	if (!ctl_batch_options(argc, argv, &c.dry_run, &c.quiet))
		return EXIT_USAGE;
	const struct conf *conf = ctl_conf(data);
	c.db = ctl_db(conf, c.dry_run ? DB_READ_ONLY : DB_READ_WRITE);
	if (!c.db)
		return EXIT_CONFIG;
	enum db_rc rc = c.dry_run ? DB_DONE : db_take_job(c.db, DB_JOB_CLEANUP);
	if (rc == DB_TAKEN) {
		db_close(c.db);
		if (!c.quiet)
			puts("another cleanup is running, on this or another machine");
		return EXIT_SUCCESS;
	}
	db_only_deletes(c.db, true);
	if (rc == DB_DONE)
		rc = clean(&c, conf);
	db_close(c.db);
	return rc == DB_DONE
		? EXIT_SUCCESS
		: ctl_error(EXIT_FAILURE, "stopped: %s; what was deleted is gone, the next run continues", db_reason(rc));
}
