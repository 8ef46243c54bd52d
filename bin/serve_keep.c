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

#define EARLY (1 * SECOND)	/* a death so soon after the start counts towards the back-off */
#define PAUSE_MAX (5 * SECOND)	/* the longest back-off */
#define FIRST_ALONE 100		/* ms that a program's first process runs before the others start */
#define PROBATION 300		/* ms that a new process must live before the one it replaces leaves */
#define WEB_STOP (20 * SECOND)	/* for nginx to finish its requests when all stops */
#define STOP (25 * SECOND)	/* for everybody, then SIGKILL */
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
become(const struct house *house, const struct service *service, pid_t parent)
{
	sigset_t none;

	setsid();
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXIT_SUCCESS);
	dup2(service->input, STDIN_FILENO);
	if (house->log >= 0) {
		dup2(house->log, STDOUT_FILENO);
		dup2(house->log, STDERR_FILENO);
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
start_service(const struct house *house, struct service *service, struct place *place)
{
	const pid_t parent = getpid();

	place->stale = false;
	place->since = now();
	place->pid = fork();
	if (place->pid == 0)
		become(house, service, parent);
	if (place->pid < 0) {
		log_line(LOG_FAULT, "fork_failed program=%s why=\"%s\"", service->name, strerror(errno));
		place->pid = 0;
		place->due = place->since + SECOND;
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

/* ---- a service: its processes and who replaces whom */

static bool
is_rolling(const struct service *service)
{
	for (size_t i = 0; i < service->count; i++)
		if (service->places[i].leaving)
			return true;
	return false;
}

static void
renew(const struct house *house, struct service *service, struct place *place)
{
	switch (service->renewal) {
	case ROLL:
		if (is_rolling(service))
			return;
		place->leaving = place->pid;
		place->told = false;
		place->leaving_due = now() + PROBATION;
		start_service(house, service, place);
		return;
	case RESTART:
		kill(place->pid, service->stop);
		break;
	case RELOAD:
		kill(place->pid, SIGHUP);
		break;
	}
	place->stale = false;
}

/* Does what is due for a place. Gives the time of what is due next. */
static int64_t
tend(const struct house *house, struct service *service, struct place *place)
{
	if (!place->pid && !service->refused && now() >= place->due)
		start_service(house, service, place);
	if (place->pid && place->stale)
		renew(house, service, place);
	if (place->leaving && now() >= place->leaving_due) {
		if (place->told)
			kill_group(place->leaving);
		else
			kill(place->leaving, service->stop);
		place->told = true;
		place->leaving_due = now() + STOP;
	}
	int64_t fill = place->pid || service->refused ? NEVER : place->due;
	int64_t leave = place->leaving ? place->leaving_due : NEVER;
	return fill < leave ? fill : leave;
}

/* A replacement that does not live: the old process stays, and so do all others of its program. */
static void
give_up_renewal(struct service *service, struct place *place, const char *why)
{
	log_line(LOG_FAULT, "renewal_failed program=%s pid=%d why=\"%s\" the_old_ones=stay", service->name, place->pid, why);
	place->pid = place->leaving;
	place->leaving = 0;
	place->since = 0;
	for (size_t i = 0; i < service->count; i++)
		service->places[i].stale = false;
}

/* A process of a service ended while all shall run. */
static void
ended(struct service *service, struct place *place, int status)
{
	const int64_t at = now();
	const bool early = at - place->since < EARLY;
	char why[80];

	describe_end(status, why, sizeof(why));
	if (place->leaving && !place->told) {
		give_up_renewal(service, place, why);
		return;
	}
	const pid_t pid = place->pid;
	place->pid = 0;
	place->due = at;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS) {
		place->early = 0;	/* retired, or told to */
		return;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG) {
		if (!service->refused)
			log_line(LOG_FAULT, "program_refused program=%s why=\"its set-up is wrong, as it said itself\" "
				"then=\"kill -HUP %d\"", service->name, getpid());
		service->refused = true;
		return;
	}
	place->early = early ? place->early + 1 : 0;
	place->due += pause_after(place->early);
	log_line(LOG_WARN, "process_died program=%s pid=%d why=\"%s\" again_in_ms=%lld", service->name, pid, why,
		(long long)(place->due - at));
}

static void
signal_place(const struct place *place, int signal)
{
	if (place->pid)
		kill(place->pid, signal);
	if (place->leaving)
		kill(place->leaving, signal);
}

/* ---- the house */

static struct place *
find_slot(const struct house *house, pid_t pid, struct service **service)
{
	for (size_t i = 0; i < house->count; i++) {
		*service = &house->services[i];
		for (size_t k = 0; k < (*service)->count; k++) {
			struct place *place = &(*service)->places[k];
			if (place->pid == pid || place->leaving == pid)
				return place;
		}
	}
	return NULL;
}

static void
reap(struct house *house)
{
	struct service *service;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct place *place = find_slot(house, pid, &service);
		kill_group(pid);
		if (!place)
			continue;
		if (place->leaving == pid)
			place->leaving = 0;
		else if (house->stop_since)
			place->pid = 0;
		else
			ended(service, place, status);
	}
}

static bool
is_anybody_left(const struct house *house)
{
	for (size_t i = 0; i < house->count; i++)
		for (size_t k = 0; k < house->services[i].count; k++)
			if (house->services[i].places[k].pid || house->services[i].places[k].leaving)
				return true;
	return false;
}

/* True when no program runs or ever will: then there is nothing to keep. */
static bool
is_hopeless(const struct house *house)
{
	for (size_t i = 0; i < house->count; i++) {
		const struct service *service = &house->services[i];
		if (service->renewal != ROLL)
			continue;
		if (!service->refused)
			return false;
		for (size_t k = 0; k < service->count; k++)
			if (service->places[k].pid)
				return false;
	}
	return true;
}

/* nginx closes idle connections when it reloads, on which a request may be on its way: not without need. */
static void
renew_all(struct house *house)
{
	const bool web_changed = house->web && web_configure(house) > 0;

	for (size_t i = 0; i < house->count; i++) {
		struct service *service = &house->services[i];
		service->refused = false;
		for (size_t k = 0; k < service->count; k++) {
			service->places[k].stale = service->places[k].pid && (service->renewal != RELOAD || web_changed);
			service->places[k].early = 0;
			service->places[k].due = now();
		}
	}
	log_line(LOG_NOTE, "renewal_begins");
}

/* Asked twice: stop at once. Within a second it is one request that came twice (make and a process group). */
static void
stop_service(struct house *house, int code)
{
	if (!house->stop_since) {
		house->stop_since = now();
		house->code = code;
		if (house->web)
			signal_place(house->web->places, house->web->stop);
	} else if (now() - house->stop_since > SECOND) {
		house->stop_since = now() - STOP;
	}
}

/* First nginx finishes what it has, then everybody else is told; who is not gone in time is killed. */
static int64_t
tend_stop(struct house *house)
{
	const int64_t past = now() - house->stop_since;
	const bool web_gone = !house->web || !house->web->places->pid;

	if (!house->told && (web_gone || past >= WEB_STOP)) {
		house->told = true;
		for (size_t i = 0; i < house->count; i++)
			for (size_t k = 0; k < house->services[i].count; k++)
				signal_place(&house->services[i].places[k], SIGTERM);
	}
	for (size_t i = 0; past >= STOP && i < house->count; i++) {
		for (size_t k = 0; k < house->services[i].count; k++) {
			kill_group(house->services[i].places[k].pid);
			kill_group(house->services[i].places[k].leaving);
		}
	}
	return house->stop_since + (past >= STOP ? past + SECOND : house->told ? STOP : WEB_STOP);
}

static void
fail_start(struct house *house, const char *what, int code)
{
	usleep(50000);		/* until the scribe has written what was just said */
	ctl_error(code, "%s; the end of %s:", what, house->log_path);
	web_log_tail(house->log_path, house->log_start);
	stop_service(house, code);
}

/* While starting: is it up yet, or will it never be? Gives the time of the next look. */
static int64_t
tend_start(struct house *house)
{
	char what[200];
	bool all_run = true;

	for (size_t i = 0; i < house->count; i++) {
		const struct service *service = &house->services[i];
		if (service->refused || (service == house->web && service->places->early > 0)) {
			snprintf(what, sizeof(what), "%s does not start", service->name);
			fail_start(house, what, EXIT_CONFIG);
			return NEVER;
		}
		for (size_t k = 0; k < service->count; k++)
			all_run = all_run && service->places[k].pid;
	}
	int status = all_run ? web_health(house->port) : 0;
	if (status == 200) {
		house->ready_by = NEVER;
		web_welcome(house->conf, house->port);
		return NEVER;
	}
	if (now() > house->ready_by) {
		snprintf(what, sizeof(what), status ? "GET /health still answers %d" : "GET /health still has no answer", status);
		fail_start(house, what, EXIT_NO_HOST);
	}
	return now() + HEALTH_EVERY;
}

static int64_t
tend_all(struct house *house)
{
	int64_t next = NEVER;

	for (size_t i = 0; i < house->count; i++) {
		for (size_t k = 0; k < house->services[i].count; k++) {
			int64_t due = tend(house, &house->services[i], &house->services[i].places[k]);
			next = due < next ? due : next;
		}
	}
	if (house->ready_by != NEVER) {
		int64_t due = tend_start(house);
		next = due < next ? due : next;
	} else if (is_hopeless(house)) {
		ctl_error(EXIT_CONFIG, "no program runs; each said above what is wrong");
		stop_service(house, EXIT_CONFIG);
	}
	return house->stop_since ? now() : next;
}

/* The terminal that we were started from was closed: that SIGHUP is a farewell, not the wish for a renewal. */
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
on_signal(struct house *house, int signal)
{
	switch (signal) {
	case SIGCHLD:
		reap(house);
		break;
	case SIGHUP:
		if (house->has_terminal && !is_terminal_open())
			stop_service(house, EXIT_SUCCESS);
		else if (!house->stop_since)
			renew_all(house);
		break;
	case SIGTERM:
	case SIGINT:
		stop_service(house, EXIT_SUCCESS);
		break;
	}
}

int
serve_keep(struct house *house)
{
	struct sigaction hangup;
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	/* Whoever started us under nohup wants us to outlive the terminal. */
	sigaction(SIGHUP, NULL, &hangup);
	house->has_terminal = hangup.sa_handler != SIG_IGN && is_terminal_open();
	/* An ignored signal cannot be waited for. */
	for (int s = 1; s < NSIG; s++)
		if (sigismember(&signals, s) == 1)
			signal(s, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	house->ready_by = house->web ? now() + HEALTH_WAIT : NEVER;
	for (size_t i = 0; i < house->count; i++)
		for (size_t k = 0; k < house->services[i].count; k++)
			house->services[i].places[k].due = now() + (k ? FIRST_ALONE : 0);

	while (true) {
		int64_t next = house->stop_since ? tend_stop(house) : tend_all(house);
		if (house->stop_since && !is_anybody_left(house))
			return house->code;
		int64_t wait = next == NEVER ? MINUTE : next - now();
		if (wait < 0)
			wait = 0;
		const struct timespec timeout = { .tv_sec = wait / SECOND, .tv_nsec = wait % SECOND * 1000000 };
		on_signal(house, sigtimedwait(&signals, NULL, &timeout));
	}
}
