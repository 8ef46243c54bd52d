/*
 * Mails through a sendmail program (of Postfix, Exim, msmtp, ...). It gets the message on standard input and the
 * recipient as an argument behind "--", so that neither a shell nor the message's headers can change it.
 */
#include "mail_transport.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

/* The message as a file in memory, its lines ended by LF alone, as local programs expect. NULL when memory is short. */
static FILE *
open_message(const struct letter *letter)
{
	int fd = memfd_create("mail", MFD_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w+");

	if (!file)
		return NULL;
	for (size_t i = 0; i < letter->length; i++)
		if (letter->bytes[i] != '\r')
			putc(letter->bytes[i], file);
	if (!ferror(file) && fseek(file, 0, SEEK_SET) == 0)
		return file;
	fclose(file);
	return NULL;
}

/* Starts the program in a new process group, so that a Ctrl-C does not interrupt a delivery. Returns 0 or an errno. */
static int
start_sendmail(pid_t *child, const struct conf *conf, const struct letter *letter, int message)
{
	const char *const argv[] = { conf->sendmail, "-i", "-f", letter->from, "--", letter->to, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, ignored;

	sigemptyset(&none);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &ignored);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, message, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
	int error = posix_spawn(child, conf->sendmail, &files, &attributes, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return error;
}

/* The wait status of the child; -1 when it was killed by the timeout. */
static int
wait_for(pid_t child, int64_t seconds)
{
	struct pollfd end = { .fd = pidfd_open(child, 0), .events = POLLIN };
	int status;

	bool late = end.fd >= 0 && poll(&end, 1, (int)(seconds * 1000)) == 0;
	if (late)
		kill(-child, SIGKILL);
	if (end.fd >= 0)
		close(end.fd);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return late ? -1 : status;
}

/* Exit codes of sysexits.h. What may be a fault of the configuration, not of the mail, is tried again. */
static enum send_result
judge_exit(int status, char *why, size_t room)
{
	if (status == -1)
		snprintf(why, room, "sendmail did not end in time");
	else if (WIFSIGNALED(status))
		snprintf(why, room, "sendmail was killed by signal %d", WTERMSIG(status));
	else
		snprintf(why, room, "sendmail ended with %d", WEXITSTATUS(status));
	if (status == -1 || WIFSIGNALED(status))
		return SEND_DOWN;
	switch (WEXITSTATUS(status)) {
	case EX_OK: return SEND_DONE;
	case EX_DATAERR:
	case EX_NOUSER:
	case EX_NOHOST: return SEND_REFUSED;
	case EX_TEMPFAIL: return SEND_LATER;
	default: return SEND_DOWN;
	}
}

static enum send_result
send_sendmail(const struct conf *conf, const struct letter *letter, char *why, size_t room)
{
	FILE *message = open_message(letter);
	pid_t child;

	if (!message) {
		snprintf(why, room, "out of memory");
		return SEND_DOWN;
	}
	int error = start_sendmail(&child, conf, letter, fileno(message));
	fclose(message);
	if (error) {
		snprintf(why, room, "%s: %s", conf->sendmail, strerror(error));
		return SEND_DOWN;
	}
	return judge_exit(wait_for(child, conf->smtp_timeout), why, room);
}

const struct transport transport_sendmail = { .name = "sendmail", .send = send_sendmail };
