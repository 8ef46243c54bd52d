/* okulctl serve - sockets, lock and the list of services; serve_keep.c then keeps them running. */
#include "serve.h"

#include "log.h"
#include "okulctl.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/un.h>
#include <unistd.h>

static command_call serve_groups;

const struct command command_serve = { "serve", "[--port N] [--only NAME]", "keep the programs and the mail sender running",
	"Runs every *.fcgi beside okulctl on DATA/run/NAME.sock, and the mail sender.\n"
	"`workers` of okul.conf is the number of processes of each program. A process\n"
	"that dies is replaced at once.\n"
	"--port N     for development: also nginx, on http://127.0.0.1:N\n"
	"--only NAME  for systemd: only that program, on the listening socket that is\n"
	"             standard input\n"
	"\n"
	"SIGHUP renews all processes one by one, without a lost request. SIGTERM and\n"
	"Ctrl-C stop; a second one stops at once.\n",
	serve_groups };

#define BACKLOG 1024 /* connections that wait for a worker; a short queue turns load into 502s */

/* `*port` 0: no nginx; `*only` NULL: all programs. */
static bool
read_serve_options(int argc, char **argv, int *port, const char **only)
{
	static const struct option known[] = {
		{ "port", required_argument, NULL, 'p' },
		{ "only", required_argument, NULL, 'o' },
		{ 0 },
	};
	int64_t number = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'p' && !text_to_int(optarg, 1, 65535, &number))
			return ctl_fail("--port %s: must be a number from 1 to 65535", optarg);
		if (c == 'o')
			*only = optarg;
		if (c == '?')
			return false;
	}
	*port = (int)number;
	return (optind == argc && !(*port && *only)) ||
		ctl_fail("usage: okulctl serve %s; --port and --only do not go together", command_serve.usage);
}

/* ---- folders and lock of the data folder */

/* The web server's user is in the group, which may enter it, also when a mail sender with another umask made it. */
static bool
make_run_folder(const struct supervisor *sv, const char *name)
{
	const char *path = arena_format(sv->arena, "%s/%s", sv->conf->data, name);

	if (mkdir(path, 0750) == 0 || (errno == EEXIST && (chmod(path, 0750) == 0 || errno == EPERM)))
		return true;
	return ctl_fail("%s cannot be made: %m", path);
}

/* Holds the lock until this process ends. Its process id is in the file, for error messages. */
static bool
lock_serve(const struct supervisor *sv)
{
	const char *path = arena_format(sv->arena, "%s/run/serve.lock", sv->conf->data);
	char holder[32] = "";
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (file < 0)
		return ctl_fail("%s: %m", path);
	if (flock(file, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = read(file, holder, sizeof(holder) - 1);
		holder[n > 0 ? strcspn(holder, "\n") : 0] = '\0';
		close(file);
		return ctl_fail("another `okulctl serve` (process %s) runs on %s; stop it, or use another data folder "
				"(make run DATA=...)",
			holder[0] ? holder : "unknown", sv->conf->data);
	}
	if (ftruncate(file, 0) == 0)
		dprintf(file, "%d\n", getpid());
	return true;
}

/* ---- sockets */

/* A socket at the path is stale: a process that listens there would hold the lock. -1 after reporting a failure. */
static int
listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		ctl_error(EXIT_CONFIG, "%s: a socket's path has at most %zu bytes; use a folder with a shorter path", path,
			sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0117);
	bool good = s >= 0 && bind(s, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(s, BACKLOG) == 0;
	umask(mask);
	if (good)
		return s;
	ctl_error(EXIT_CONFIG, "%s: %m", path);
	return -1;
}

static bool
is_listening(int s)
{
	int listening = 0;
	socklen_t length = sizeof(listening);

	return getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening;
}

/* ---- the list of services */

static void
add_service(struct supervisor *sv, struct service service, int64_t slots)
{
	struct service *copy = arena_alloc(sv->arena, sizeof(*copy));

	*copy = service;
	for (int64_t i = 0; i < slots; i++)
		sv->slots[sv->count++].service = copy;
}

static const char *
socket_path(const struct supervisor *sv, const char *name)
{
	return arena_format(sv->arena, "%s/run/%s.sock", sv->conf->data, name);
}

/* `path` is that of a program, FOLDER/NAME.fcgi. `input`: the socket that it listens on; -1: makes one. */
static bool
add_program(struct supervisor *sv, const char *path, int input)
{
	const char *file = strrchr(path, '/') + 1;
	const char *name = arena_copy(sv->arena, file, strlen(file) - strlen(".fcgi"));

	if (input < 0)
		input = listen_at(socket_path(sv, name));
	add_service(sv, (struct service){ name, { path }, input, SIGTERM, ROLL }, sv->conf->workers);
	return input >= 0;
}

static bool
add_only(struct supervisor *sv, const char *folder, const char *name)
{
	const char *path = arena_format(sv->arena, "%s/%s.fcgi", folder, name);
	int input = is_listening(STDIN_FILENO) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : -1;

	if (input < 0)
		return ctl_fail("--only needs a listening socket as standard input, as conf/systemd/ sets it up");
	if (access(path, X_OK) != 0)
		return ctl_fail("%s: %m", path);
	sv->slots = arena_alloc(sv->arena, (size_t)sv->conf->workers * sizeof(*sv->slots));
	return add_program(sv, path, input);
}

static int
is_program(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot > entry->d_name && strcmp(dot, ".fcgi") == 0;
}

static bool
add_programs(struct supervisor *sv, const char *folder)
{
	struct dirent **found;
	const int count = scandir(folder, &found, is_program, alphasort);
	bool good = true;

	if (count <= 0)
		return ctl_fail("there is no program (*.fcgi) beside %s/okulctl; `make` builds them", folder);
	sv->slots = arena_alloc(sv->arena, (size_t)(count * sv->conf->workers + 2) * sizeof(*sv->slots));
	for (int i = 0; i < count; i++) {
		good = good && add_program(sv, arena_format(sv->arena, "%s/%s", folder, found[i]->d_name), -1);
		free(found[i]);
	}
	free(found);
	return good;
}

static bool
add_all(struct supervisor *sv, const char *self, const char *folder)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!add_programs(sv, folder))
		return false;
	add_service(sv,
		(struct service){
			"mail", { self, "-d", sv->conf->data, "mail", "--keep" }, null, SIGTERM, RESTART, .has_password = true },
		1);
	if (!sv->port)
		return true;
	sv->web = &sv->slots[sv->count];
	add_service(sv, (struct service){ "nginx", { NULL }, null, SIGQUIT, RELOAD }, 1);
	return web_command(sv, sv->web->service->argv);
}

/* Copies the pipe into the file until its last writer has ended; ignores the signals that stop the others. */
static no_return void
log_writer(int pipe, int file)
{
	char block[65536];
	ssize_t length;

	/* It must not keep the lock of a supervisor that was killed. */
	if (dup2(pipe, STDIN_FILENO) < 0 || dup2(file, STDOUT_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) != 0)
		_exit(EXIT_FAILURE);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while ((length = read(STDIN_FILENO, block, sizeof(block))) != 0)
		if (length > 0 && write(STDOUT_FILENO, block, (size_t)length) < 0 && errno == EBADF)
			break;
	_exit(EXIT_SUCCESS);
}

/*
 * With --port, on a terminal, the log of the programs goes to a file, so that the screen stays readable. It goes
 * through a pipe to a process that writes it: a worker that wrote to the file itself would wait whenever a commit
 * syncs the disk.
 */
static bool
open_log(struct supervisor *sv)
{
	struct stat st = { 0 };
	int ends[2] = { -1, -1 };

	sv->log_path = arena_format(sv->arena, "%s/log/okul.log", sv->conf->data);
	const int file = open(sv->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	sv->log_writer = -1;
	if (file >= 0 && fstat(file, &st) == 0 && pipe2(ends, O_CLOEXEC) == 0)
		sv->log_writer = fork();
	if (sv->log_writer < 0)
		return ctl_fail("%s: %m", sv->log_path);
	if (sv->log_writer == 0)
		log_writer(ends[0], file);
	close(ends[0]);
	close(file);
	sv->log = ends[1];
	sv->log_start = st.st_size;
	return true;
}

/* All other processes have ended; when the log writer ends, the last line is in the file. */
static void
close_log(struct supervisor *sv)
{
	if (sv->log < 0)
		return;
	close(sv->log);
	waitpid(sv->log_writer, NULL, 0);
}

static void
remove_sockets(const struct supervisor *sv)
{
	for (size_t i = 0; i < sv->count; i++)
		if (sv->slots[i].service->renewal == ROLL)
			unlink(socket_path(sv, sv->slots[i].service->name));
}

static int
serve_all(struct supervisor *sv, const char *self, const char *folder)
{
	int code = EXIT_CONFIG;

	umask(0027);
	if (!make_run_folder(sv, "run") || !make_run_folder(sv, "log") || !lock_serve(sv))
		return EXIT_CONFIG;
	if (sv->port && !(web_prepare(sv) && open_log(sv)))
		return EXIT_CONFIG;
	if (add_all(sv, self, folder)) {
		code = serve_keep(sv);
		remove_sockets(sv);
	}
	close_log(sv);
	return code;
}

static int
serve_groups(int argc, char **argv, const char *data)
{
	struct supervisor sv = { .log = -1 };
	const char *only = NULL;
	char self[PATH_MAX], why[200];
	int code;

	if (!read_serve_options(argc, argv, &sv.port, &only))
		return EXIT_USAGE;
	sv.conf = ctl_conf(data);
	if (!sv.conf)
		return EXIT_CONFIG;
	if (!conf_beside("okulctl", self, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	log_init("serve", sv.conf->log_syslog, (enum log_level)sv.conf->log_level);
	sv.arena = arena_new(16384);
	if (!sv.arena || setenv("OKUL_DATA", sv.conf->data, 1) != 0)
		return ctl_error(EXIT_CONFIG, "out of memory");
	const char *folder = arena_copy(sv.arena, self, (size_t)(strrchr(self, '/') - self));
	if (!only)
		code = serve_all(&sv, self, folder);
	else
		code = add_only(&sv, folder, only) ? serve_keep(&sv) : EXIT_CONFIG;
	arena_free(sv.arena);
	return code;
}
