/*
 * serve - the parts of `okulctl serve`: serve.c sets up, serve_keep.c keeps processes running, serve_web.c
 * configures nginx and prints for the terminal.
 */
#ifndef OKUL_SERVE_H
#define OKUL_SERVE_H

#include "arena.h"
#include "base.h"
#include "conf.h"

#include <sys/types.h>

enum renewal {
	ROLL,		/* a new process first, then the old one ends: for processes that share a socket */
	RESTART,	/* the old one ends first: there may be only one */
	RELOAD,		/* nginx: it gets SIGHUP, and only when its configuration has changed */
};

struct service {
	const char *name;	/* "auth"; "mail", "nginx" */
	const char *argv[6];	/* up to NULL; argv[0] is the path */
	int input;		/* standard input of its processes */
	int stop;		/* the signal after which a process finishes its work and ends */
	enum renewal renewal;
	bool has_password;	/* may have OKUL_SMTP_PASSWORD in its environment, which no other process needs */
	bool refused;		/* ended with EXIT_CONFIG: not started again before SIGHUP */
};

/* A slot for a process of a service. Times are monotonic milliseconds. */
struct slot {
	struct service *service;
	pid_t pid;		/* 0: empty */
	pid_t leaving;		/* the process that `pid` replaces; 0: none */
	bool signalled;		/* `leaving` got its signal to stop */
	bool stale;		/* `pid` is to be renewed */
	unsigned early;		/* early deaths in a row */
	int64_t since;		/* start of `pid` */
	int64_t due;		/* when an empty slot is to be filled */
	int64_t leaving_due;	/* when `leaving` gets its next signal */
};

struct supervisor {
	const struct conf *conf;
	struct arena *arena;	/* holds what the members point to */
	struct slot *slots;	/* those of one service in a row */
	size_t count;
	struct slot *web;	/* that of nginx; NULL without --port */
	int port;		/* 0: no nginx */
	pid_t log_writer;	/* the process that writes the log */
	int log;		/* a pipe to it: standard output and error of the processes; -1: ours */
	const char *log_path;
	int64_t log_start;	/* length of the log when we started */

	/* only for serve_keep.c */
	bool has_terminal;
	int64_t ready_by;	/* when /health must have returned 200 */
	int64_t stop_since;	/* 0: not stopping */
	bool signalled;		/* all processes got SIGTERM */
	int code;
};

/*
 * Runs the services until SIGTERM or SIGINT; SIGHUP renews every process without losing a request. Returns the exit
 * code when no process is left: 0, or that of a start that failed, after reporting why.
 */
int serve_keep(struct supervisor *sv);

/* Checks that nginx can run here, and configures it. False after reporting what is wrong. */
must_use bool web_prepare(const struct supervisor *sv);

/*
 * Makes DATA/run/nginx.conf and its parts from the shipped ones. Returns 1 when that changed one, 0 when not, -1
 * after reporting what is wrong.
 */
must_use int web_configure(const struct supervisor *sv);

/* Fills in the arguments that start nginx in the foreground; false after reporting what is missing. */
must_use bool web_command(const struct supervisor *sv, const char *argv[static 5]);

/* Sends GET /health; returns the status of the response, 0 when none came within a second. */
int web_health(int port);

/* Prints for the user who started it: the address, where mail goes, how to log in. */
void web_welcome(const struct conf *conf, int port);

/* Prints the last lines that were added to a log since it was `from` bytes long. */
void web_log_tail(const char *path, int64_t from);

#endif
