/*
 * okulctl mail - sends the mails that wait in the outbox.
 *
 * A sender claims a batch of rows by moving their next_at forward: for that time, their lease, no other sender claims
 * them. It sends them outside of any transaction, and one more transaction deletes the rows that were sent and claims
 * the next batch. When a sender dies in between, its rows are sent again: a mail is sent at least once, and twice
 * only when the sender dies between the server's response and the deletion of the row. Both copies then have the same
 * Message-ID.
 *
 * A login code does not live much longer than a lease, so the leases of dead senders are ended. With a database of one
 * file all senders hold a shared lock while they run (DATA/mail.lock), which the kernel releases when they die: a sender
 * that gets the exclusive lock knows that no other runs. On a server, which other machines use too, a sender holds a lock
 * for each row that it has claimed (SQL_HOLD()), which ends with its connection. A sender that has lost its connection is
 * not dead, and will want to delete what it has sent; so such a lease is ended only when it is older than LEASE_GRACE. The
 * mails of a sender that hangs wait for the end of its lease.
 *
 * A batch is what can be sent in BATCH_TIME: for that long a mail that was sent may still have its row, and an urgent
 * mail may wait for others; longer, up to TRANSPORT_MAX, only when the server hangs. With one transaction for each
 * row, 500 mails would need a thousand transactions, which would delay requests.
 */
#include "okulctl.h"

#include "clock.h"
#include "json.h"
#include "log.h"
#include "mail.h"
#include "mail_transport.h"
#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LONGEST_SLEEP MINUTE	 /* a wake-up may be lost, a clock may be set */
#define DOWN_PAUSE (10 * SECOND) /* before the next mail when none can be sent now */
#define LONGEST_WAIT HOUR	 /* until the next try */
#define DATABASE_PAUSE (5 * SECOND)
#define LEASE_MARGIN MINUTE	  /* beyond the time that sending may take; more than BATCH_TIME */
#define LEASE_GRACE (10 * SECOND) /* in which a sender connects again; far more than BATCH_TIME */
#define BATCH_TIME 250		  /* milliseconds */
#define BATCH_MOST 16

enum outcome {
	UNTRIED,
	SENT,
	DROPPED, /* refused or expired */
	RETRY,
};

struct job {
	struct mail mail;
	const void *sealed;
	size_t length;
	enum outcome outcome;
	int64_t turn; /* its place in the queue */
	int64_t next; /* time of a RETRY */
	const char *why;
};

struct batch {
	struct arena *arena; /* what the jobs point to */
	struct job jobs[BATCH_MOST];
	size_t count;
};

struct sender {
	const struct conf *conf;
	struct db *db;
	struct arena *arena; /* of the current mail */
	struct batch batch;  /* claimed */
	struct arena *spare; /* of the next batch */
	size_t size;	     /* of the next batch */
	int64_t lease;	     /* milliseconds */
	const struct transport *transport;
	int stop;			 /* readable once SIGTERM, SIGINT or SIGHUP came, and from then on */
	int lock;			 /* DATA/mail.lock, locked shared; -1: not available */
	int64_t check_at;		 /* ticks: next check for leases of dead senders */
	int wake;			 /* DATA/run/mail.sock; -1 without --keep */
	int64_t pause_from, pause_until; /* nothing is sent in between */
	bool ahead;			 /* rows wait for a time that was set when the clock was ahead */
	bool trouble;			 /* something could not be sent, or the database failed */
	bool failing;			 /* the database failed, and that was logged */
};

static const struct transport *const transports[] = {
	[MAIL_FILE] = &transport_file,
	[MAIL_SENDMAIL] = &transport_sendmail,
	[MAIL_SMTP] = &transport_smtp,
};

/* Waits at most that many milliseconds for a signal to stop. */
static bool
stopping(const struct sender *s, int wait)
{
	struct pollfd stop = { .fd = s->stop, .events = POLLIN };

	return poll(&stop, 1, wait) > 0;
}

static void
pause_sending(struct sender *s, int64_t time)
{
	s->pause_from = clock_now();
	s->pause_until = s->pause_from + time;
}

/* A clock that was set back does not prolong the pause. */
static bool
is_paused(const struct sender *s)
{
	int64_t now = clock_now();

	return now >= s->pause_from && now < s->pause_until;
}

/* ---- the database */

static bool
database_failed(struct sender *s, enum db_rc rc)
{
	if (!s->failing)
		log_line(LOG_FAULT, "mail_database failure=%d reason=\"the outbox cannot be used now: %s\"", (int)rc,
			db_reason(rc));
	s->failing = true;
	pause_sending(s, DATABASE_PAUSE);
	s->trouble = true;
	return false;
}

/* The time at which the next row is due; INT64_MAX when none waits. */
static int64_t
next_due(struct sender *s)
{
	int64_t due, now = clock_now();
	enum db_rc rc = outbox_due(s->db, now, s->lease, LONGEST_WAIT, &due, &s->ahead);

	if (rc != DB_DONE)
		database_failed(s, rc);
	else if (s->failing && !is_paused(s))
		log_line(LOG_NOTE, "mail_database_back"), s->failing = false;
	db_release(s->db);
	if (s->ahead && due > now)
		due = now;
	return is_paused(s) && due < s->pause_until ? s->pause_until : due;
}

/* Rows come in any order: each is inserted at its turn. */
static void
read_outbox_row(struct batch *batch, const struct db_rows *row)
{
	struct arena *arena = batch->arena;
	size_t at = batch->count++;
	struct job job = {
		.mail = {
			.id = arena_string(arena, db_text(row, OUTBOX_ID)),
			.to = arena_string(arena, db_text(row, OUTBOX_TO)),
			.template = arena_string(arena, db_text(row, OUTBOX_TEMPLATE)),
			.created = db_int(row, OUTBOX_CREATED),
			.expires = db_int(row, OUTBOX_EXPIRES),
			.attempts = db_int(row, OUTBOX_ATTEMPTS),
		},
		.sealed = arena_copy(arena, db_blob(row, OUTBOX_SEALED), db_size(row, OUTBOX_SEALED)),
		.length = db_size(row, OUTBOX_SEALED),
		.turn = outbox_turn(db_int(row, OUTBOX_CREATED), db_int(row, OUTBOX_EXPIRES)),
	};
	(void)language_of(db_text(row, OUTBOX_LANGUAGE), &job.mail.language); /* the schema allows no other */
	for (; at > 0 && batch->jobs[at - 1].turn > job.turn; at--)
		batch->jobs[at] = batch->jobs[at - 1];
	batch->jobs[at] = job;
}

static enum db_rc
claim(struct sender *s, struct batch *batch)
{
	int64_t now = clock_now();
	struct db_rows *rows;

	batch->count = 0;
	if (s->ahead)
		outbox_correct_ahead(s->db, now, s->lease, LONGEST_WAIT);
	enum db_rc rc = outbox_claim(s->db, &rows, now, now + s->lease, (int64_t)s->size);
	while (rc == DB_DONE && (rc = db_next(rows)) == DB_ROW) {
		read_outbox_row(batch, rows);
		rc = DB_DONE;
	}
	db_end(rows);
	return rc;
}

static enum db_rc
note_outcome(struct sender *s, const struct job *job)
{
	const struct mail *mail = &job->mail;

	switch (job->outcome) {
	case UNTRIED: return outbox_give_back(s->db, mail->id, mail->attempts, job->turn);
	case SENT:
	case DROPPED: return outbox_drop(s->db, mail->id);
	case RETRY: break;
	}
	return outbox_put_off(s->db, mail->id, mail->attempts, job->next, job->why);
}

/* In one transaction: notes the outcome of the current batch, and claims the next one unless that is NULL. */
static bool
exchange_once(struct sender *s, struct batch *next)
{
	enum db_rc rc;
	int tries = 0;

	do {
		rc = db_write_begin(s->db);
		if (rc != DB_DONE)
			continue;
		rc = outbox_let_go(s->db);
		for (size_t i = 0; i < s->batch.count && rc == DB_DONE; i++)
			rc = note_outcome(s, &s->batch.jobs[i]);
		if (rc == DB_DONE && next)
			rc = claim(s, next);
		if (rc == DB_DONE)
			rc = db_write_commit(s->db);
		else
			db_write_rollback(s->db);
	} while (ctl_again(s->db, rc, &tries));
	return rc == DB_DONE || database_failed(s, rc);
}

/*
 * Repeats exchange_once() until it succeeds when the batch has mails that were sent: those must not be sent again.
 * All others are sent again when their lease ends.
 */
static void
exchange(struct sender *s)
{
	bool due = next_due(s) <= clock_now(), sent = false, done;
	struct batch next;

	for (size_t i = 0; i < s->batch.count; i++) {
		sent |= s->batch.jobs[i].outcome == SENT;
		due |= s->batch.jobs[i].outcome == UNTRIED && !is_paused(s); /* next_due() cannot see it yet */
	}
	bool more = due && !stopping(s, 0);
	if (s->batch.count == 0 && !more)
		return;
	do {
		arena_reset(s->spare);
		next = (struct batch){ .arena = s->spare };
		done = exchange_once(s, more ? &next : NULL);
	} while (!done && sent && !stopping(s, (int)SECOND));
	for (size_t i = 0; i < s->batch.count && !done; i++) {
		if (s->batch.jobs[i].outcome == SENT)
			log_line(LOG_FAULT,
				"mail_kept id=%s reason=\"sent, but its row could not be deleted: it will be sent again\"",
				s->batch.jobs[i].mail.id);
	}
	s->spare = s->batch.arena;
	s->batch = done ? next : (struct batch){ .arena = next.arena };
}

/* ---- senders that died */

static bool
set_lock(const struct sender *s, int command, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return s->lock >= 0 && fcntl(s->lock, command, &lock) == 0;
}

static void
take_shared_lock(struct sender *s)
{
	char *path = conf_path(s->conf, "mail.lock");

	s->lock = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
	free(path);
	if (!set_lock(s, F_OFD_SETLKW, F_RDLCK))
		log_line(LOG_WARN,
			"mail_lock why=\"%s\" then=\"mails of a sender that was killed wait for the end of its lease\"",
			strerror(errno));
}

/* Returns how many mails there were. */
static int64_t
end_leases(struct sender *s, int64_t until)
{
	int64_t count = 0;
	enum db_rc rc;
	int tries = 0;

	do {
		rc = db_write_begin(s->db);
		if (rc != DB_DONE)
			continue;
		count = outbox_take_over(s->db, clock_now(), until);
		rc = db_write_commit(s->db);
	} while (ctl_again(s->db, rc, &tries));
	if (rc != DB_DONE)
		database_failed(s, rc);
	return rc == DB_DONE ? count : 0;
}

/* Ends the leases of senders that died. Call while this sender has none. */
static void
take_over(struct sender *s)
{
	bool on_server = db_is_url(s->conf->database), leased = outbox_leased(s->db, clock_now());

	db_release(s->db);
	s->check_at = clock_ticks() + (on_server && leased ? LEASE_GRACE : LONGEST_SLEEP) * 1000;
	if (!leased || (!on_server && !set_lock(s, F_OFD_SETLK, F_WRLCK)))
		return;
	int64_t count = end_leases(s, on_server ? clock_now() + s->lease - LEASE_GRACE : INT64_MAX);
	if (!on_server)
		(void)!set_lock(s, F_OFD_SETLK, F_RDLCK);
	if (count > 0)
		log_line(LOG_WARN, "mail_taken_over count=%lld reason=\"the sender that had claimed them is dead\"",
			(long long)count);
}

/* ---- one mail */

static enum send_result
send_one(struct sender *s, struct job *job, char *why, size_t room)
{
	struct buf message = { .arena = s->arena };
	struct mail *mail = &job->mail;

	if (!mail_unseal(s->conf, s->arena, job->sealed, job->length, mail) || !mail_compose(s->conf, s->arena, mail, &message)) {
		snprintf(why, room, "it cannot be composed: the log says why");
		return SEND_LATER;
	}
	const struct letter letter = { mail->id, s->conf->mail_from, mail->to, message.s, message.length, s->stop };
	return s->transport->send(s->conf, &letter, why, room);
}

static void
put_off(struct sender *s, struct job *job, const char *why)
{
	static const int64_t waits[] = { 10 * SECOND, 30 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, LONGEST_WAIT };
	const struct mail *mail = &job->mail;
	int64_t wait = waits[mail->attempts < (int64_t)COUNT(waits) ? (size_t)mail->attempts - 1 : COUNT(waits) - 1];
	int64_t next = clock_now() + wait;

	s->trouble = true;
	log_line(LOG_WARN, "mail_failed id=%s attempt=%lld retry_s=%lld reason=\"%s\"", mail->id, (long long)mail->attempts,
		(long long)(wait / SECOND), why);
	job->outcome = RETRY;
	/* An expired mail is claimed once more, to be dropped. */
	job->next = next < mail->expires ? next : mail->expires;
	job->why = arena_string(s->batch.arena, why);
}

static void
handle_job(struct sender *s, struct job *job)
{
	const struct mail *mail = &job->mail;
	char why[256] = "";
	int64_t start = clock_ticks();

	job->outcome = DROPPED;
	if (mail->expires <= clock_now()) {
		log_line(LOG_WARN, "mail_expired id=%s template=%s attempts=%lld", mail->id, mail->template,
			(long long)mail->attempts - 1);
		return;
	}
	switch (send_one(s, job, why, sizeof(why))) {
	case SEND_DONE:
		job->outcome = SENT;
		log_line(LOG_NOTE, "mail_sent id=%s template=%s by=%s attempt=%lld ms=%lld", mail->id, mail->template,
			s->transport->name, (long long)mail->attempts, (long long)(clock_ticks() - start) / 1000);
		break;
	case SEND_REFUSED:
		log_line(LOG_WARN, "mail_refused id=%s to=%s attempt=%lld reason=\"%s\"", mail->id, mail->to,
			(long long)mail->attempts, why);
		break;
	case SEND_DOWN:
		pause_sending(s, DOWN_PAUSE);
		put_off(s, job, why);
		break;
	case SEND_LATER: put_off(s, job, why); break;
	case SEND_STOPPED:
		job->outcome = RETRY;
		job->next = clock_now();
		job->why = "the sender was stopped";
		break;
	}
}

/* ---- the loop */

/* Sends what it can of the current batch in BATCH_TIME, at least one; the next batch gets that size. */
static void
send_batch(struct sender *s)
{
	int64_t end = clock_ticks() + BATCH_TIME * 1000;
	size_t done = 0;

	while (done < s->batch.count && (done == 0 || clock_ticks() < end) && !stopping(s, 0) && !is_paused(s)) {
		handle_job(s, &s->batch.jobs[done++]);
		arena_reset(s->arena);
	}
	if (clock_ticks() >= end)
		s->size = done > 1 ? done : 1;
	else if (done == s->size)
		s->size = done < BATCH_MOST / 2 ? 2 * done : BATCH_MOST;
}

static void
send_due(struct sender *s)
{
	do {
		exchange(s);
		send_batch(s);
	} while (s->batch.count > 0);
	if (s->transport->rest)
		s->transport->rest();
}

/* Until a wake-up, a signal, the next row's time, or that of the next check. */
static void
sleep_until(const struct sender *s, int64_t due)
{
	struct pollfd events[] = { { .fd = s->stop, .events = POLLIN }, { .fd = s->wake, .events = POLLIN } };
	int64_t now = clock_now();
	int64_t check = (s->check_at - clock_ticks()) / 1000 + 1;
	int64_t wait = due <= now || check < 0 ? 0 : due - now < check ? due - now : check;
	char datagram[8];

	(void)poll(events, COUNT(events), (int)wait);
	while (recv(s->wake, datagram, sizeof(datagram), MSG_DONTWAIT) >= 0)
		;
}

static void
keep_sending(struct sender *s)
{
	log_line(LOG_NOTE, "mail_start transport=%s", s->transport->name);
	while (!stopping(s, 0)) {
		if (clock_ticks() >= s->check_at)
			take_over(s);
		send_due(s);
		sleep_until(s, next_due(s));
	}
	log_line(LOG_NOTE, "mail_stop");
}

/* ---- start */

/* The signals that stop the sender stay pending: they interrupt no delivery, and every wait checks for them. */
static bool
catch_signals(struct sender *s)
{
	sigset_t signals;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	s->stop = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->stop >= 0;
}

/* Binds DATA/run/mail.sock, which mail_wake() sends to. Returns an exit code. */
static int
open_socket(struct sender *s, struct sockaddr_un *address)
{
	const struct sockaddr *where = (const struct sockaddr *)address;
	char folder[sizeof(address->sun_path)];

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(folder, sizeof(folder), "%s/run", s->conf->data);
	int length = snprintf(address->sun_path, sizeof(address->sun_path), "%s/run/mail.sock", s->conf->data);
	if (length >= (int)sizeof(address->sun_path))
		return ctl_error(EXIT_CONFIG,
			"%s/run/mail.sock: a socket's path has at most %zu bytes; move the data folder to "
			"a shorter path",
			s->conf->data, sizeof(address->sun_path) - 1);
	if (mkdir(folder, 0750) != 0 && errno != EEXIST)
		return ctl_error(EXIT_CONFIG, "%s cannot be made: %m", folder);
	s->wake = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (s->wake < 0)
		return ctl_error(EXIT_NO_HOST, "no socket: %m");
	if (connect(s->wake, where, sizeof(*address)) == 0)
		return ctl_error(EXIT_NO_HOST, "%s: another `okulctl mail --keep` runs on this data folder", address->sun_path);
	unlink(address->sun_path);
	fchmod(s->wake, 0600);
	if (bind(s->wake, where, sizeof(*address)) != 0)
		return ctl_error(EXIT_CONFIG, "%s cannot be made: %m", address->sun_path);
	return EXIT_SUCCESS;
}

static int
run_sender(struct sender *s, bool keep)
{
	struct sockaddr_un address;

	if (!db_is_url(s->conf->database))
		take_shared_lock(s);
	take_over(s);
	if (!keep) {
		send_due(s);
		return s->trouble ? EXIT_NO_HOST : EXIT_SUCCESS;
	}
	int code = open_socket(s, &address);
	if (code == EXIT_SUCCESS) {
		keep_sending(s);
		unlink(address.sun_path);
	}
	return code;
}

static int
run_mail(int argc, char **argv, const char *data)
{
	bool keep = argc == 2 && strcmp(argv[1], "--keep") == 0;
	char why[1024];

	if (argc > 2 || (argc == 2 && !keep && strcmp(argv[1], "--once") != 0))
		return ctl_error(EXIT_USAGE, "mail takes --once or --keep (see okulctl mail --help)");
	struct sender s = { .conf = ctl_conf(data), .size = 1, .stop = -1, .lock = -1, .wake = -1 };
	if (!s.conf)
		return EXIT_CONFIG;
	s.lease = TRANSPORT_MAX(s.conf) + LEASE_MARGIN;
	if (!conf_load_secrets(SECRET_MAIL, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	log_init("mail", s.conf->log_syslog, (enum log_level)s.conf->log_level);
	s.db = ctl_db(s.conf, DB_READ_WRITE);
	if (!s.db) /* a server that is away may be back in a moment: the supervisor tries again */
		return s.conf && db_is_url(s.conf->database) ? EXIT_NO_HOST : EXIT_CONFIG;
	db_only_deletes(s.db, true); /* rows of sent mails are deleted */
	s.transport = transports[s.conf->mail_transport];
	s.arena = arena_new(65536);
	s.spare = arena_new(65536);
	s.batch.arena = arena_new(65536);
	if (!s.arena || !s.spare || !s.batch.arena || !catch_signals(&s))
		return ctl_error(EXIT_NO_HOST, "out of memory or descriptors");
	json_use(s.arena);
	int code = run_sender(&s, keep);
	json_use(NULL);
	arena_free(s.arena);
	arena_free(s.spare);
	arena_free(s.batch.arena);
	db_close(s.db);
	return code;
}

const struct command command_mail = {
	.name = "mail",
	.usage = "[--once | --keep]",
	.summary = "send the mails that wait in the outbox",
	.help = "--once  send all mails that are due and end; for cron (the default). Exit code\n"
		"        69 when something is left to retry.\n"
		"--keep  keep running until SIGTERM; a mail goes out as soon as it is written.\n"
		"\n"
		"okul.conf sets how mails are sent: mail_transport, mail_from, sendmail, smtp_*.\n"
		"A mail that cannot be sent is tried again after 10 s, 30 s, 1 min, 5 min,\n"
		"15 min, then hourly, until it expires: a login code when its code does, others\n"
		"after 24 hours. A mail that the server refuses for good is dropped at once.\n"
		"Short-lived mails go first. When a sender is killed, the mails of its last\n"
		"quarter of a second, 16 at most, may be sent a second time by the next sender,\n"
		"with the same Message-ID.\n"
		"The log has a line for each: mail_sent, mail_failed (will be tried again),\n"
		"mail_refused, mail_expired. To list the mails that wait:\n"
		"    okulctl sql \"SELECT id, recipient, attempts, last_error FROM outbox\"\n",
	.run = run_mail,
};
