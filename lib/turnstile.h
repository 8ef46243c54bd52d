/*
 * turnstile - one writer at a time, in turn, among processes that share a file.
 *
 * SQLite's own waiting is sleeping and trying again: under load some processes never get their turn. The gate is a file
 * with two locks. Who wants in takes QUEUE, then DOOR, then gives QUEUE back: so only one process waits at the door and
 * the one that just left cannot be the next to pass it.
 *
 * The locks belong to the open file (F_OFD_SETLK), so the kernel gives them back when a process dies.
 */
#ifndef OKUL_TURNSTILE_H
#define OKUL_TURNSTILE_H

#include "base.h"

struct turnstile {
	int file;
	bool has_timer;
	timer_t timer;
};

/* Opens the gate's file; makes it with mode 0600. Call after any fork. Gives 0 or an errno. */
must_use int turnstile_open(struct turnstile *gate, const char *path);
void turnstile_close(struct turnstile *gate);

/*
 * Waits at most `wait` microseconds. Gives 0 when this process is inside, ETIMEDOUT, or another errno.
 * A wait that blocks is ended by a timer that raises SIGRTMIN; its handler, set here, does nothing.
 */
must_use int turnstile_enter(struct turnstile *gate, int64_t wait);
void turnstile_leave(struct turnstile *gate);

#endif
