/*
 * Keeping processes running. One loop, one thread: it does what is due, then waits for a signal until the next thing is
 * due. Every process leads a session of its own (Ctrl-C reaches only us, and a group can be killed as a whole) and gets
 * SIGTERM from the kernel when we die.
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

#define EARLY (1 * SECOND)	/* a death within this time after the start counts towards the back-off */
#define PAUSE_MAX (5 * SECOND)	/* the longest back-off */
#define FIRST_ALONE 100		/* ms that a program's first process runs before the others start */
#define PROBATION 300		/* ms that a new process must live before the one it replaces is stopped */
#define WEB_STOP (20 * SECOND)	/* for nginx to finish its requests when all stops */
#define STOP (25 * SECOND)	/* for all processes, then SIGKILL */
#define HEALTH_WAIT (15 * SECOND)
#define HEALTH_EVERY 50		/* ms */
#define NEVER INT64_MAX

/* Monotonic milliseconds, never 0. */
static int64_t
now(void)
{
	return clock_ticks() / 1000 + 1;
}

/* ---- one process */

static no_return void
become(const struct supervisor *sv, const struct service *service, pid_t parent)
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
	execv(service->argv[0], service->argv);
	fprintf(stderr, "okulctl: %s: %s\n", service->argv[0], strerror(errno));
	_exit(EXIT_CONFIG);
}

static void
start_service(const struct supervisor *sv, struct service *service, struct slot *slot)
{
	const pid_t parent = getpid();

	slot->stale = false;
	slot->since = now();
	slot->pid = fork();
	if (slot->pid == 0)
		become(sv, service, parent);
	if (slot->pid < 0) {
		log_line(LOG_FAULT, "fork_failed program=%s why=\"%s\"", service->name, strerror(errno));
		slot->pid = 0;
		slot->due = slot->since + SECOND;
	}
}

/* A process leads its own group, so that this also ends what it started (nginx's workers). */
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

/* ---- a service: its processes and their replacement */

static bool
is_rolling(const struct service *service)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->slots[i].leaving)
			return true;
	return false;
}

static void
renew(const struct supervisor *sv, struct service *service, struct slot *slot)
{
	switch (service->renewal) {
	case ROLL:
		if (is_rolling(service))
			return;
		slot->leaving = slot->pid;
		slot->told = false;
		slot->leaving_due = now() + PROBATION;
		start_service(sv, service, slot);
		return;
	case RESTART:
		kill(slot->pid, service->stop);
		break;
	case RELOAD:
		kill(slot->pid, SIGHUP);
		break;
	}
	slot->stale = false;
}

/* Does what is due for a slot. Returns the time of what is due next. */
static int64_t
tend(const struct supervisor *sv, struct service *service, struct slot *slot)
{
	if (!slot->pid && !service->refused && now() >= slot->due)
		start_service(sv, service, slot);
	if (slot->pid && slot->stale)
		renew(sv, service, slot);
	if (slot->leaving && now() >= slot->leaving_due) {
		if (slot->told)
			kill_group(slot->leaving);
		else
			kill(slot->leaving, service->stop);
		slot->told = true;
		slot->leaving_due = now() + STOP;
	}
	int64_t fill = slot->pid || service->refused ? NEVER : slot->due;
	int64_t leave = slot->leaving ? slot->leaving_due : NEVER;
	return fill < leave ? fill : leave;
}

/* A replacement that died: the old process stays, and so do all others of its program. */
static void
give_up_renewal(struct service *service, struct slot *slot, const char *why)
{
	log_line(LOG_FAULT, "renewal_failed program=%s pid=%d why=\"%s\" the_old_ones=stay", service->name, slot->pid, why);
	slot->pid = slot->leaving;
	slot->leaving = 0;
	slot->since = 0;
	for (size_t i = 0; i < service->count; i++)
		service->slots[i].stale = false;
}

/* A process of a service ended while all are meant to run. */
static void
ended(struct service *service, struct slot *slot, int status)
{
	const int64_t at = now();
	const bool early = at - slot->since < EARLY;
	char why[80];

	describe_end(status, why, sizeof(why));
	if (slot->leaving && !slot->told) {
		give_up_renewal(service, slot, why);
		return;
	}
	const pid_t pid = slot->pid;
	slot->pid = 0;
	slot->due = at;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
		slot->early = 0;	/* retired, or told to */
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG) {
		if (!service->refused)
			log_line(LOG_FAULT, "program_refused program=%s why=\"its set-up is wrong, as it said itself\" "
				"then=\"kill -HUP %d\"", service->name, getpid());
		service->refused = true;
		return;
	}
	slot->early = early ? slot->early + 1 : 0;
	slot->due += pause_after(slot->early);
	log_line(LOG_WARN, "process_died program=%s pid=%d why=\"%s\" again_in_ms=%lld", service->name, pid, why,
		(long long)(slot->due - at));
}

static void
signal_place(const struct slot *slot, int signal)
{
	if (slot->pid)
		kill(slot->pid, signal);
	if (slot->leaving)
		kill(slot->leaving, signal);
}

/* ---- all services */

static struct slot *
find_slot(const struct supervisor *sv, pid_t pid, struct service **service)
{
	for (size_t i = 0; i < sv->count; i++) {
		*service = &sv->services[i];
		for (size_t k = 0; k < (*service)->count; k++) {
			struct slot *slot = &(*service)->slots[k];
			if (slot->pid == pid || slot->leaving == pid)
				return slot;
		}
	}
	return NULL;
}

static void
reap(struct supervisor *sv)
{
	struct service *service;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct slot *slot = find_slot(sv, pid, &service);
		kill_group(pid);
		if (!slot)
			continue;
		if (slot->leaving == pid)
			slot->leaving = 0;
		else if (sv->stop_since)
			slot->pid = 0;
		else
			ended(service, slot, status);
	}
}

static bool
is_anybody_left(const struct supervisor *sv)
{
	for (size_t i = 0; i < sv->count; i++)
		for (size_t k = 0; k < sv->services[i].count; k++)
			if (sv->services[i].slots[k].pid || sv->services[i].slots[k].leaving)
				return true;
	return false;
}

/* True when no program runs or ever will: then there is nothing to keep. */
static bool
is_hopeless(const struct supervisor *sv)
{
	for (size_t i = 0; i < sv->count; i++) {
		const struct service *service = &sv->services[i];
		if (service->renewal != ROLL)
			continue;
		if (!service->refused)
			return false;
		for (size_t k = 0; k < service->count; k++)
			if (service->slots[k].pid)
				return false;
	}
	return true;
}

/* nginx closes idle connections when it reloads, on which a request may be arriving: so only when needed. */
static void
renew_all(struct supervisor *sv)
{
	const bool web_changed = sv->web && web_configure(sv) > 0;

	for (size_t i = 0; i < sv->count; i++) {
		struct service *service = &sv->services[i];
		service->refused = false;
		for (size_t k = 0; k < service->count; k++) {
			service->slots[k].stale = service->slots[k].pid && (service->renewal != RELOAD || web_changed);
			service->slots[k].early = 0;
			service->slots[k].due = now();
		}
	}
	log_line(LOG_NOTE, "renewal_begins");
}

/* A second signal: stop at once. Within a second it is one request sent twice (by make and to the process group). */
static void
stop_service(struct supervisor *sv, int code)
{
	if (!sv->stop_since) {
		sv->stop_since = now();
		sv->code = code;
		if (sv->web)
			signal_place(sv->web->slots, sv->web->stop);
	} else if (now() - sv->stop_since > SECOND) {
		sv->stop_since = now() - STOP;
	}
}

/* First nginx finishes its requests, then all others are told to stop; what has not ended in time is killed. */
static int64_t
tend_stop(struct supervisor *sv)
{
	const int64_t past = now() - sv->stop_since;
	const bool web_gone = !sv->web || !sv->web->slots->pid;

	if (!sv->told && (web_gone || past >= WEB_STOP)) {
		sv->told = true;
		for (size_t i = 0; i < sv->count; i++)
			for (size_t k = 0; k < sv->services[i].count; k++)
				signal_place(&sv->services[i].slots[k], SIGTERM);
	}
	for (size_t i = 0; past >= STOP && i < sv->count; i++) {
		for (size_t k = 0; k < sv->services[i].count; k++) {
			kill_group(sv->services[i].slots[k].pid);
			kill_group(sv->services[i].slots[k].leaving);
		}
	}
	return sv->stop_since + (past >= STOP ? past + SECOND : sv->told ? STOP : WEB_STOP);
}

static void
fail_start(struct supervisor *sv, const char *what, int code)
{
	usleep(50000);		/* until the log writer has written the last lines */
	ctl_error(code, "%s; the end of %s:", what, sv->log_path);
	web_log_tail(sv->log_path, sv->log_start);
	stop_service(sv, code);
}

/* While starting: is it up, or has it failed? Returns the time of the next check. */
static int64_t
tend_start(struct supervisor *sv)
{
	char what[200];
	bool all_run = true;

	for (size_t i = 0; i < sv->count; i++) {
		const struct service *service = &sv->services[i];
		if (service->refused || (service == sv->web && service->slots->early > 0)) {
			snprintf(what, sizeof(what), "%s does not start", service->name);
			fail_start(sv, what, EXIT_CONFIG);
			return NEVER;
		}
		for (size_t k = 0; k < service->count; k++)
			all_run = all_run && service->slots[k].pid;
	}
	int status = all_run ? web_health(sv->port) : 0;
	if (status == 200) {
		sv->ready_by = NEVER;
		web_welcome(sv->conf, sv->port);
		return NEVER;
	}
	if (now() > sv->ready_by) {
		snprintf(what, sizeof(what), status ? "GET /health still answers %d" : "GET /health still has no answer", status);
		fail_start(sv, what, EXIT_NO_HOST);
	}
	return now() + HEALTH_EVERY;
}

static int64_t
tend_all(struct supervisor *sv)
{
	int64_t next = NEVER;

	for (size_t i = 0; i < sv->count; i++) {
		for (size_t k = 0; k < sv->services[i].count; k++) {
			int64_t due = tend(sv, &sv->services[i], &sv->services[i].slots[k]);
			next = due < next ? due : next;
		}
	}
	if (sv->ready_by != NEVER) {
		int64_t due = tend_start(sv);
		next = due < next ? due : next;
	} else if (is_hopeless(sv)) {
		ctl_error(EXIT_CONFIG, "no program runs; each said above what is wrong");
		stop_service(sv, EXIT_CONFIG);
	}
	return sv->stop_since ? now() : next;
}

/* The terminal that started us was closed: that SIGHUP means stop, not renew. */
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
	case SIGCHLD:
		reap(sv);
		break;
	case SIGHUP:
		if (sv->has_terminal && !is_terminal_open())
			stop_service(sv, EXIT_SUCCESS);
		else if (!sv->stop_since)
			renew_all(sv);
		break;
	case SIGTERM:
	case SIGINT:
		stop_service(sv, EXIT_SUCCESS);
		break;
	}
}

int
serve_keep(struct supervisor *sv)
{
	struct sigaction hangup;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* Started under nohup, it is meant to outlive the terminal. */
	sigaction(SIGHUP, NULL, &hangup);
	sv->has_terminal = hangup.sa_handler != SIG_IGN && is_terminal_open();
	/* An ignored signal cannot be waited for. */
	for (int s = 1; s < NSIG; s++)
		if (sigismember(&signals, s) == 1)
			signal(s, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sv->ready_by = sv->web ? now() + HEALTH_WAIT : NEVER;
	for (size_t i = 0; i < sv->count; i++)
		for (size_t k = 0; k < sv->services[i].count; k++)
			sv->services[i].slots[k].due = now() + (k ? FIRST_ALONE : 0);

	while (true) {
		int64_t next = sv->stop_since ? tend_stop(sv) : tend_all(sv);
		if (sv->stop_since && !is_anybody_left(sv))
			return sv->code;
		int64_t wait = next == NEVER ? MINUTE : next - now();
		if (wait < 0)
			wait = 0;
		const struct timespec timeout = { .tv_sec = wait / SECOND, .tv_nsec = wait % SECOND * 1000000 };
		on_signal(sv, sigtimedwait(&signals, NULL, &timeout));
	}
}
