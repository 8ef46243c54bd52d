/*
 * writer_lock - one writer at a time, in turn, among processes that share a file, and a mark that all of them see.
 *
 * SQLite's own waiting is sleeping and trying again: under load some processes starve. Here the file has three locks. A
 * process that wants to write takes the queue lock, then the writer lock, then releases the queue lock: so only one
 * process waits for the writer lock, and the one that just released it cannot be the next to get it.
 *
 * A writer may downgrade: it releases the writer lock and keeps the flush lock, shared with others, while it finishes what
 * hinders nobody (a sync). A process that acquires for the first time waits, with the writer lock, until nobody holds the
 * flush lock: what happened before has then been told, or is on the disk.
 *
 * The locks belong to the open file (F_OFD_SETLK), so the kernel releases them when a process dies.
 *
 * The lock can be poisoned: from then on nobody acquires it. What the kernel could not write it may have dropped from its
 * memory, and says so once, to those who had the file open then; others would write on what is not there. The mark is text
 * in the file, and names the boot of the machine, since what the next one reads is what was written. Removing the file,
 * when no okul runs, ends it as well.
 *
 * A file that was removed or replaced under those who have it open is found out by the next of them that acquires, which
 * goes over to the one that others lock.
 */
#ifndef OKUL_WRITER_LOCK_H
#define OKUL_WRITER_LOCK_H

#include "base.h"

#include <sys/types.h>

struct writer_lock {
	const char *path;
	int file;		/* -1: none */
	dev_t device;		/* and inode: which file that is */
	ino_t inode;
	bool known;		/* has been acquired once */
	bool has_timer;
	timer_t timer;
};

/* Opens the file; makes it with mode 0600. Call after any fork. Borrows `path`. Returns 0 or an errno. */
must_use int writer_lock_open(struct writer_lock *lock, const char *path);
void writer_lock_close(struct writer_lock *lock);

/*
 * Waits at most `timeout` microseconds. Returns 0 when this process has the writer lock, ETIMEDOUT, ENOTRECOVERABLE when it
 * is poisoned, or another errno. Have open by then what is worked on under the flush lock.
 * A wait that blocks is ended by a timer that raises SIGRTMIN; its handler, set here, does nothing.
 */
must_use int writer_lock_acquire(struct writer_lock *lock, int64_t timeout);
/* From the writer lock to the flush lock: lets the next writer in. */
void writer_lock_downgrade(struct writer_lock *lock);
/* Releases either. */
void writer_lock_release(struct writer_lock *lock);

/* Poisons the lock, for all and for good, while holding either. Returns 0 or an errno. */
must_use int writer_lock_poison(const struct writer_lock *lock);
/* True when the lock with that file is poisoned; looks without waiting. */
must_use bool writer_lock_is_poisoned(const char *path);

#endif
