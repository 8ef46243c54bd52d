/*
 * Keeps processes running. One loop in one thread: it does what is due, then waits for a signal until more is due.
 * Every process leads its own session, so that Ctrl-C reaches only the supervisor, and a process can be killed with
 * its children. The kernel sends it SIGTERM when the supervisor dies.
 */
#include "serve.h"

#include "clock.h"
#include "log.h"
#include "okulctl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EARLY (1 * SECOND)     /* a process that dies within this time after its start delays the next start */
#define PAUSE_MAX (5 * SECOND) /* the longest such delay */
#define FIRST_ALONE 100	       /* ms that the first process of a program runs before the others start */
#define PROBATION 300	       /* ms that a new process must live before the one it replaces is stopped */
#define WEB_STOP (20 * SECOND) /* for nginx to finish its requests when all stops */
#define STOP (25 * SECOND)     /* for all processes, then SIGKILL */
#define HEALTH_WAIT (15 * SECOND)
#define HEALTH_EVERY 50 /* ms */
#define NEVER INT64_MAX

/* Monotonic milliseconds, never 0. */
static int64_t
now(void)
{
	return clock_ticks() / 1000 + 1;
}

/* ---- one process */

static no_return void
exec_service(const struct supervisor *sv, const struct service *service, pid_t parent)
{
	sigset_t none;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_SUCCESS);
	dup2(service->input, STDIN_FILENO);
	if (sv->log >= 0) {
		dup2(sv->log, STDOUT_FILENO);
		dup2(sv->log, STDERR_FILENO);
	}
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!service->has_password)
		unsetenv("OKUL_SMTP_PASSWORD");
	execv(service->argv[0], (char *const *)service->argv);
	fprintf(stderr, "okulctl: %s: %s\n", service->argv[0], strerror(errno));
	_exit(EXIT_CONFIG);
}

static void
start_process(const struct supervisor *sv, struct slot *slot)
{
	const pid_t parent = getpid();

	slot->stale = false;
	slot->since = now();
	slot->pid = fork();
	if (slot->pid == 0)
		exec_service(sv, slot->service, parent);
	if (slot->pid < 0) {
		log_line(LOG_FAULT, "fork_failed program=%s why=\"%s\"", slot->service->name, strerror(errno));
		slot->pid = 0;
		slot->due = slot->since + SECOND;
	}
}

/* With the children of the process: nginx's workers. */
static void
kill_group(pid_t pid)
{
	if (pid > 0)
		kill(-pid, SIGKILL);
}

static int64_t
pause_after(unsigned early)
{
	if (early < 3)
		return 0;
	return early > 7 ? PAUSE_MAX : INT64_C(250) << (early - 3);
}

static void
describe_end(int status, char *out, size_t room)
{
	if (WIFSIGNALED(status))
		snprintf(out, room, "signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, room, "exit code %d", WEXITSTATUS(status));
}

/* ---- a slot: its process and the replacement */

static bool
is_rolling(const struct supervisor *sv, const struct service *service)
{
	for (size_t i = 0; i < sv->count; i++)
		if (sv->slots[i].service == service && sv->slots[i].leaving)
			return true;
	return false;
}

static void
renew(const struct supervisor *sv, struct slot *slot)
{
	switch (slot->service->renewal) {
	case ROLL:
		if (is_rolling(sv, slot->service))
			return;
		slot->leaving = slot->pid;
		slot->signalled = false;
		slot->leaving_due = now() + PROBATION;
		start_process(sv, slot);
		return;
	case RESTART: kill(slot->pid, slot->service->stop); break;
	case RELOAD: kill(slot->pid, SIGHUP); break;
	}
	slot->stale = false;
}

/* Does what is due for a slot. Returns the time of what is due next. */
static int64_t
handle_slot(const struct supervisor *sv, struct slot *slot)
{
	const struct service *service = slot->service;

	if (!slot->pid && !service->refused && now() >= slot->due)
		start_process(sv, slot);
	if (slot->pid && slot->stale)
		renew(sv, slot);
	if (slot->leaving && now() >= slot->leaving_due) {
		if (slot->signalled)
			kill_group(slot->leaving);
		else
			kill(slot->leaving, service->stop);
		slot->signalled = true;
		slot->leaving_due = now() + STOP;
	}
	int64_t fill = slot->pid || service->refused ? NEVER : slot->due;
	int64_t leave = slot->leaving ? slot->leaving_due : NEVER;
	return fill < leave ? fill : leave;
}

/* A replacement died: the old process stays, and so do all others of its program. */
static void
give_up_renewal(struct supervisor *sv, struct slot *slot, const char *why)
{
	log_line(LOG_FAULT, "renewal_failed program=%s pid=%d why=\"%s\" then=\"the old processes stay\"", slot->service->name,
		slot->pid, why);
	slot->pid = slot->leaving;
	slot->leaving = 0;
	slot->since = 0;
	for (size_t i = 0; i < sv->count; i++)
		if (sv->slots[i].service == slot->service)
			sv->slots[i].stale = false;
}

/* The process of a slot ended while all are meant to run. */
static void
process_ended(struct supervisor *sv, struct slot *slot, int status)
{
	struct service *service = slot->service;
	const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	const int64_t at = now();
	char why[80];

	describe_end(status, why, sizeof(why));
	if (slot->leaving && !slot->signalled) {
		give_up_renewal(sv, slot, why);
		return;
	}
	const pid_t pid = slot->pid;
	slot->pid = 0;
	slot->due = at;
	if (code == EXIT_SUCCESS) { /* it retired, or was stopped */
		slot->early = 0;
	} else if (code == EXIT_CONFIG) {
		if (!service->refused)
			log_line(LOG_FAULT,
				"program_refused program=%s why=\"it reported a wrong configuration\" "
				"then=\"fix that, then: kill -HUP %d\"",
				service->name, getpid());
		service->refused = true;
	} else {
		slot->early = at - slot->since < EARLY ? slot->early + 1 : 0;
		slot->due += pause_after(slot->early);
		log_line(LOG_WARN, "process_died program=%s pid=%d why=\"%s\" again_in_ms=%lld", service->name, pid, why,
			(long long)(slot->due - at));
	}
}

static void
signal_slot(const struct slot *slot, int signal)
{
	if (slot->pid)
		kill(slot->pid, signal);
	if (slot->leaving)
		kill(slot->leaving, signal);
}

/* ---- all slots */

static struct slot *
find_slot(const struct supervisor *sv, pid_t pid)
{
	for (size_t i = 0; i < sv->count; i++)
		if (sv->slots[i].pid == pid || sv->slots[i].leaving == pid)
			return &sv->slots[i];
	return NULL;
}

static void
reap(struct supervisor *sv)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct slot *slot = find_slot(sv, pid);
		kill_group(pid);
		if (!slot)
			continue;
		if (slot->leaving == pid)
			slot->leaving = 0;
		else if (sv->stop_since)
			slot->pid = 0;
		else
			process_ended(sv, slot, status);
	}
}

static bool
is_any_left(const struct supervisor *sv)
{
	for (size_t i = 0; i < sv->count; i++)
		if (sv->slots[i].pid || sv->slots[i].leaving)
			return true;
	return false;
}

/* True when no program runs, and none will be started. */
static bool
are_all_refused(const struct supervisor *sv)
{
	for (size_t i = 0; i < sv->count; i++)
		if (sv->slots[i].service->renewal == ROLL && (sv->slots[i].pid || !sv->slots[i].service->refused))
			return false;
	return true;
}

/* When nginx reloads, it closes idle connections, on which a request may be arriving: so it does only when needed. */
static void
renew_all(struct supervisor *sv)
{
	const bool web_changed = sv->web && web_configure(sv) > 0;

	for (size_t i = 0; i < sv->count; i++) {
		struct slot *slot = &sv->slots[i];
		slot->service->refused = false;
		slot->stale = slot->pid && (slot->service->renewal != RELOAD || web_changed);
		slot->early = 0;
		slot->due = now();
	}
	log_line(LOG_NOTE, "renewal_begins");
}

/* A second call ends all at once; within a second it is the same request (from make, and to the process group). */
static void
begin_stop(struct supervisor *sv, int code)
{
	if (!sv->stop_since) {
		sv->stop_since = now();
		sv->code = code;
		if (sv->web)
			signal_slot(sv->web, sv->web->service->stop);
	} else if (now() - sv->stop_since > SECOND) {
		sv->stop_since = now() - STOP;
	}
}

/* First nginx finishes its requests, then all others get SIGTERM; those that have not ended in time are killed. */
static int64_t
handle_stop(struct supervisor *sv)
{
	const int64_t past = now() - sv->stop_since;

	if (!sv->signalled && (!sv->web || !sv->web->pid || past >= WEB_STOP)) {
		sv->signalled = true;
		for (size_t i = 0; i < sv->count; i++)
			signal_slot(&sv->slots[i], SIGTERM);
	}
	for (size_t i = 0; past >= STOP && i < sv->count; i++) {
		kill_group(sv->slots[i].pid);
		kill_group(sv->slots[i].leaving);
	}
	return sv->stop_since + (past >= STOP ? past + SECOND : sv->signalled ? STOP : WEB_STOP);
}

static void
fail_start(struct supervisor *sv, const char *what, int code)
{
	usleep(50000); /* for the log writer to write the last lines */
	ctl_error(code, "%s; the end of %s:", what, sv->log_path);
	web_log_tail(sv->log_path, sv->log_start);
	begin_stop(sv, code);
}

/* While starting: checks whether all runs, or has failed. Returns the time of the next check. */
static int64_t
handle_start(struct supervisor *sv)
{
	char what[200];
	bool all_run = true;

	for (size_t i = 0; i < sv->count; i++) {
		const struct slot *slot = &sv->slots[i];
		if (slot->service->refused || (slot == sv->web && slot->early > 0)) {
			snprintf(what, sizeof(what), "%s does not start", slot->service->name);
			fail_start(sv, what, EXIT_CONFIG);
			return NEVER;
		}
		all_run = all_run && slot->pid;
	}
	int status = all_run ? web_health(sv->port) : 0;
	if (status == 200) {
		sv->ready_by = NEVER;
		web_welcome(sv->conf, sv->port);
		return NEVER;
	}
	if (now() > sv->ready_by) {
		snprintf(what, sizeof(what), status ? "GET /health still returns %d" : "GET /health still gets no response",
			status);
		fail_start(sv, what, EXIT_NO_HOST);
	}
	return now() + HEALTH_EVERY;
}

static int64_t
handle_all(struct supervisor *sv)
{
	int64_t next = NEVER, due;

	for (size_t i = 0; i < sv->count; i++)
		if ((due = handle_slot(sv, &sv->slots[i])) < next)
			next = due;
	if (sv->ready_by != NEVER) {
		if ((due = handle_start(sv)) < next)
			next = due;
	} else if (are_all_refused(sv)) {
		ctl_error(EXIT_CONFIG, "no program runs; each reported above what is wrong");
		begin_stop(sv, EXIT_CONFIG);
	}
	return sv->stop_since ? now() : next;
}

static bool
is_terminal_open(void)
{
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (terminal < 0)
		return false;
	close(terminal);
	return true;
}

static void
on_signal(struct supervisor *sv, int signal)
{
	switch (signal) {
	case SIGCHLD: reap(sv); break;
	case SIGHUP: /* also when the terminal that started us was closed: then it means stop */
		if (sv->has_terminal && !is_terminal_open())
			begin_stop(sv, EXIT_SUCCESS);
		else if (!sv->stop_since)
			renew_all(sv);
		break;
	case SIGTERM:
	case SIGINT: begin_stop(sv, EXIT_SUCCESS); break;
	}
}

int
serve_keep(struct supervisor *sv)
{
	static const int awaited[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT };
	struct sigaction hangup;
	sigset_t signals;

	sigemptyset(&signals);
	for (size_t i = 0; i < COUNT(awaited); i++)
		sigaddset(&signals, awaited[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* Under nohup it goes on when the terminal is closed. */
	sigaction(SIGHUP, NULL, &hangup);
	sv->has_terminal = hangup.sa_handler != SIG_IGN && is_terminal_open();
	/* An ignored signal cannot be waited for. */
	for (size_t i = 0; i < COUNT(awaited); i++)
		signal(awaited[i], SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sv->ready_by = sv->web ? now() + HEALTH_WAIT : NEVER;
	for (size_t i = 0; i < sv->count; i++) {
		bool is_first = i == 0 || sv->slots[i].service != sv->slots[i - 1].service;
		sv->slots[i].due = now() + (is_first ? 0 : FIRST_ALONE);
	}

	while (true) {
		int64_t next = sv->stop_since ? handle_stop(sv) : handle_all(sv);
		if (sv->stop_since && !is_any_left(sv))
			return sv->code;
		int64_t wait = next == NEVER ? MINUTE : next - now();
		if (wait < 0)
			wait = 0;
		const struct timespec timeout = { .tv_sec = wait / SECOND, .tv_nsec = wait % SECOND * 1000000 };
		on_signal(sv, sigtimedwait(&signals, NULL, &timeout));
	}
}
