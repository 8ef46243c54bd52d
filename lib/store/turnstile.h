/*
 * turnstile - one writer at a time, in turn, among processes that share a file, and a sign that all of them see.
 *
 * SQLite's own waiting is sleeping and trying again: under load some processes never get their turn. The gate is a file
 * with two locks. Who wants in takes QUEUE, then DOOR, then gives QUEUE back: so only one process waits at the door and
 * the one that just left cannot be the next to pass it.
 *
 * Behind it is a yard, where those who have passed may finish what hinders nobody (a sync). Who comes for the first time
 * waits at the open door until the yard is empty: what happened there before has then been told, or is on the disk.
 *
 * The locks belong to the open file (F_OFD_SETLK), so the kernel gives them back when a process dies.
 *
 * The gate can be shut: from then on nobody passes. What the kernel could not write it may have dropped from its memory,
 * and says so once, to those who had the file open then; others would write on what is not there. The sign is text in the
 * file, and names the boot of the machine, since what the next one reads is what was written. Removing the file, when
 * no okul runs, opens the gate as well.
 *
 * A file that was removed or replaced under those who have it open is found out by the next of them that gets in, who goes
 * over to the one that others lock.
 */
#ifndef OKUL_TURNSTILE_H
#define OKUL_TURNSTILE_H

#include "base.h"

#include <sys/types.h>

struct turnstile {
	const char *path;
	int file;		/* -1: none */
	dev_t device;		/* and inode: which file that is */
	ino_t inode;
	bool known;		/* has passed once */
	bool has_timer;
	timer_t timer;
};

/* Opens the gate's file; makes it with mode 0600. Call after any fork. Borrows `path`. Gives 0 or an errno. */
must_use int turnstile_open(struct turnstile *gate, const char *path);
void turnstile_close(struct turnstile *gate);

/*
 * Waits at most `wait` microseconds. Gives 0 when this process is inside, ETIMEDOUT, ENOTRECOVERABLE when the gate is
 * shut, or another errno. Have open by then whatever the yard's work is done on.
 * A wait that blocks is ended by a timer that raises SIGRTMIN; its handler, set here, does nothing.
 */
must_use int turnstile_enter(struct turnstile *gate, int64_t wait);
/* From inside into the yard: lets the next one in. */
void turnstile_step_out(struct turnstile *gate);
/* From inside or from the yard. */
void turnstile_leave(struct turnstile *gate);

/* Shuts the gate, for all and for good, from inside or from the yard. Gives 0 or an errno. */
must_use int turnstile_shut(const struct turnstile *gate);
/* True when the gate with that file is shut; looks without passing. */
must_use bool turnstile_is_shut(const char *path);

#endif
