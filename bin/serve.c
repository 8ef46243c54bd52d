/*
 * okulctl serve - sockets, lock and the list of what is to run; serve_keep.c then keeps it running.
 */
#include "serve.h"

#include "arena.h"
#include "log.h"
#include "okulctl.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/un.h>
#include <unistd.h>

static int serve_groups(int argc, char **argv, const char *data);

const struct command command_serve = {
	"serve", "[--port N] [--only NAME]", "keep the programs and the mail sender running",
	"Runs every *.fcgi beside okulctl on DATA/run/NAME.sock, and the mail sender; `workers` of okul.conf says how many\n"
	"processes each has. A process that dies is replaced at once.\n"
	"\n"
	"  --port N     for development: also nginx, on http://127.0.0.1:N\n"
	"  --only NAME  for systemd: that program alone, on the listening socket that is standard input\n"
	"\n"
	"SIGHUP renews all processes one by one, without a lost request. SIGTERM and Ctrl-C stop,\n"
	"a second one at once.\n",
	serve_groups
};

#define BACKLOG 1024		/* connections that wait for a worker; a short queue turns load into 502s */

struct options {
	int port;		/* 0: no nginx */
	const char *only;	/* NULL: all programs */
};

static bool
read_serve_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "port", required_argument, NULL, 'p' }, { "only", required_argument, NULL, 'o' }, { 0 },
	};
	int64_t port = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (c == 'p' && !text_to_int(optarg, 1, 65535, &port)) {
			ctl_error(EXIT_USAGE, "--port %s: must be a number from 1 to 65535", optarg);
			return false;
		}
		if (c == 'o')
			options->only = optarg;
		if (c == '?')
			return false;
	}
	options->port = (int)port;
	if (optind == argc && !(port && options->only))
		return true;
	ctl_error(EXIT_USAGE, "usage: okulctl [-d DATA] serve %s; --port and --only do not go together", command_serve.usage);
	return false;
}

/* ---- what one data folder has once */

/* The group enters it, the web server's user with it: also where a mail sender with another umask was here first. */
static bool
make_run_folder(const struct house *house, const char *name)
{
	const char *path = arena_format(house->arena, "%s/%s", house->conf->data, name);

	if (mkdir(path, 0750) == 0 || (errno == EEXIST && (chmod(path, 0750) == 0 || errno == EPERM)))
		return true;
	ctl_error(EXIT_CONFIG, "%s cannot be made: %s", path, strerror(errno));
	return false;
}

/* Held until this process ends, however it ends. The holder's process id stands in the file, for people. */
static bool
lock_serve(const struct house *house)
{
	const char *path = arena_format(house->arena, "%s/run/serve.lock", house->conf->data);
	char holder[32] = "";
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	if (file < 0) {
		ctl_error(EXIT_CONFIG, "%s: %s", path, strerror(errno));
		return false;
	}
	if (flock(file, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = read(file, holder, sizeof(holder) - 1);
		holder[n > 0 ? strcspn(holder, "\n") : 0] = '\0';
		ctl_error(EXIT_CONFIG, "another `okulctl serve` (process %s) runs on %s; stop it first, or give this one "
			"another data folder (make run DATA=...)", holder[0] ? holder : "unknown", house->conf->data);
		close(file);
		return false;
	}
	if (ftruncate(file, 0) == 0)
		dprintf(file, "%d\n", getpid());
	return true;
}

/* ---- sockets */

/* Whatever stands at the path is stale: who listens there would hold the lock. */
static int
listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path)) {
		ctl_error(EXIT_CONFIG, "%s: a socket's path has at most %zu bytes; choose a shorter data folder", path,
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
	ctl_error(EXIT_CONFIG, "%s: %s", path, strerror(errno));
	return -1;
}

static bool
is_listening(int s)
{
	int listening = 0;
	socklen_t length = sizeof(listening);

	return getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening;
}

/* ---- the list of what is to run */

static bool
add_service(struct house *house, struct service service, size_t count)
{
	if (service.input < 0 || !service.argv)
		return false;
	service.count = count;
	service.places = arena_alloc(house->arena, count * sizeof(*service.places));
	house->services[house->count++] = service;
	return true;
}

static char *const *
arguments(struct arena *arena, const char *const *list, size_t count)
{
	char **copy = arena_alloc(arena, (count + 1) * sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = arena_string(arena, list[i]);
	return copy;
}
#define ARGUMENTS(arena, ...) \
	arguments(arena, (const char *const[]){ __VA_ARGS__ }, COUNT(((const char *const[]){ __VA_ARGS__ })))

static const char *
socket_path(const struct house *house, const char *name)
{
	return arena_format(house->arena, "%s/run/%s.sock", house->conf->data, name);
}

/* `path` is that of a program, FOLDER/NAME.fcgi. `input`: the socket that it shall listen on; -1: makes it. */
static bool
add_program(struct house *house, const char *path, int input)
{
	const char *file = strrchr(path, '/') + 1;
	const char *name = arena_copy(house->arena, file, strlen(file) - strlen(".fcgi"));

	if (input < 0)
		input = listen_at(socket_path(house, name));
	return add_service(house, (struct service){ .name = name, .argv = ARGUMENTS(house->arena, path), .input = input,
		.stop = SIGTERM, .renewal = ROLL }, (size_t)house->conf->workers);
}

static bool
add_only(struct house *house, const char *folder, const char *name)
{
	const char *path = arena_format(house->arena, "%s/%s.fcgi", folder, name);
	int input = is_listening(STDIN_FILENO) ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : -1;

	if (input < 0) {
		ctl_error(EXIT_CONFIG, "--only needs a listening socket as standard input, as conf/systemd/ sets it up");
		return false;
	}
	if (access(path, X_OK) != 0) {
		ctl_error(EXIT_CONFIG, "%s: %s", path, strerror(errno));
		return false;
	}
	house->services = arena_alloc(house->arena, sizeof(*house->services));
	return add_program(house, path, input);
}

static int
is_program(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot > entry->d_name && strcmp(dot, ".fcgi") == 0;
}

static bool
add_programs(struct house *house, const char *folder)
{
	struct dirent **found;
	const int count = scandir(folder, &found, is_program, alphasort);
	bool good = count > 0;

	if (!good)
		ctl_error(EXIT_CONFIG, "there is no program (*.fcgi) beside %s/okulctl; `make` builds them", folder);
	house->services = arena_alloc(house->arena, (size_t)(count + 3) * sizeof(*house->services));
	for (int i = 0; i < count; i++) {
		good = good && add_program(house, arena_format(house->arena, "%s/%s", folder, found[i]->d_name), -1);
		free(found[i]);
	}
	if (count >= 0)
		free(found);
	return good;
}

static bool
add_all(struct house *house, const char *self, const char *folder)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (!add_programs(house, folder))
		return false;
	if (!add_service(house, (struct service){ .name = "mail", .input = null, .stop = SIGTERM, .renewal = RESTART,
	    .has_password = true,
	    .argv = ARGUMENTS(house->arena, self, "-d", house->conf->data, "mail", "--keep") }, 1))
		return false;
	if (!house->port)
		return true;
	house->web = &house->services[house->count];
	return add_service(house, (struct service){ .name = "nginx", .input = null, .stop = SIGQUIT, .renewal = RELOAD,
		.argv = web_command(house) }, 1);
}

/* Copies what comes out of the pipe into the file, until nobody is left who could write; outlives the signals of a stop. */
static void
scribe(int pipe, int file)
{
	char block[65536];
	ssize_t length;

	/* It must not hold the lock of a supervisor that was killed. */
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
 * With nginx in front on a terminal, the lines of the programs go to a file, so that the screen stays readable. Through a
 * pipe and a process that writes them: a worker that appended to the file itself would wait for the disk whenever a
 * commit syncs it.
 */
static bool
open_log(struct house *house)
{
	struct stat st = { 0 };
	int ends[2] = { -1, -1 };

	house->log_path = arena_format(house->arena, "%s/log/okul.log", house->conf->data);
	const int file = open(house->log_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	house->scribe = -1;
	if (file >= 0 && fstat(file, &st) == 0 && pipe2(ends, O_CLOEXEC) == 0)
		house->scribe = fork();
	if (house->scribe < 0) {
		ctl_error(EXIT_CONFIG, "%s: %s", house->log_path, strerror(errno));
		return false;
	}
	if (house->scribe == 0)
		scribe(ends[0], file);
	close(ends[0]);
	close(file);
	house->log = ends[1];
	house->log_start = st.st_size;
	return true;
}

/* Everybody else is gone: when the scribe is too, the last line is in the file. */
static void
close_log(struct house *house)
{
	if (house->log < 0)
		return;
	close(house->log);
	waitpid(house->scribe, NULL, 0);
}

/* Where this program lies, and the folder that holds it and the others. */
static bool
find_self(char self[static PATH_MAX], char folder[static PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", self, PATH_MAX - 1);

	if (length <= 0) {
		ctl_error(EXIT_CONFIG, "okulctl cannot find itself: /proc is not mounted");
		return false;
	}
	self[length] = '\0';
	memcpy(folder, self, (size_t)length + 1);
	*strrchr(folder, '/') = '\0';
	return true;
}

static void
remove_sockets(const struct house *house)
{
	for (size_t i = 0; i < house->count; i++)
		if (house->services[i].renewal == ROLL)
			unlink(socket_path(house, house->services[i].name));
}

static int
serve_group(struct house *house, const char *folder, const char *name)
{
	return add_only(house, folder, name) ? serve_keep(house) : EXIT_CONFIG;
}

static int
serve_all(struct house *house, const char *self, const char *folder)
{
	umask(0027);
	if (!make_run_folder(house, "run") || !make_run_folder(house, "log") || !lock_serve(house))
		return EXIT_CONFIG;
	if (house->port && !(web_prepare(house) && open_log(house)))
		return EXIT_CONFIG;
	if (!add_all(house, self, folder)) {
		close_log(house);
		return EXIT_CONFIG;
	}
	int code = serve_keep(house);
	close_log(house);
	remove_sockets(house);
	return code;
}

static int
serve_groups(int argc, char **argv, const char *data)
{
	struct options options = { 0 };
	char self[PATH_MAX], folder[PATH_MAX];

	if (!read_serve_options(argc, argv, &options))
		return EXIT_USAGE;
	struct house house = { .conf = ctl_conf(data), .port = options.port, .log = -1 };
	if (!house.conf || !find_self(self, folder))
		return EXIT_CONFIG;
	log_init("serve", house.conf->log_syslog, (enum log_level)house.conf->log_level);
	house.arena = arena_new(16384);
	if (!house.arena || setenv("OKUL_DATA", house.conf->data, 1) != 0)
		return ctl_error(EXIT_CONFIG, "out of memory");
	int code = options.only ? serve_group(&house, folder, options.only) : serve_all(&house, self, folder);
	arena_free(house.arena);
	return code;
}
