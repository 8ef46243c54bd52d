/*
 * writer_lock - a fair lock among processes that share a file: one writer at a time, in the order of arrival.
 *
 * SQLite's own busy handler sleeps and retries: under load some processes starve. Here the file has three locks. A
 * process that wants to write takes the queue lock, then the writer lock, then releases the queue lock: so only one
 * process waits for the writer lock, and the process that just released it cannot be the next to get it.
 *
 * A writer may downgrade: it releases the writer lock and keeps the flush lock, which is shared, while it finishes
 * what need not exclude other writers (a sync). A process that acquires the lock for the first time waits, with the
 * writer lock, until nobody holds the flush lock: by then every earlier sync has succeeded or has poisoned the lock.
 *
 * The locks belong to the open file description (F_OFD_SETLK), so the kernel releases them when a process dies.
 *
 * The lock can be poisoned: from then on nobody acquires it. When a write-back fails the kernel may drop the pages
 * from its cache, and it reports the error once, to the processes that have the file open then; a later writer would
 * build on data that is not on the disk. The mark is a text in the file with the boot ID of the machine, since after
 * a boot the data is read from the disk again. Removing the file while no okul runs also ends it.
 *
 * When the file was removed or replaced while open, the next process that acquires the lock notices, and opens the file
 * that others now lock.
 */
#ifndef OKUL_WRITER_LOCK_H
#define OKUL_WRITER_LOCK_H

#include "base.h"

#include <sys/types.h>

struct writer_lock {
	const char *path;
	int file;		/* -1: not open */
	dev_t device;		/* with inode: which file is open */
	ino_t inode;
	bool known;		/* was acquired before */
	bool has_timer;
	timer_t timer;
};

/* Opens the file; creates it with mode 0600. Call after any fork. Borrows `path`. Returns 0 or an errno. */
must_use int writer_lock_open(struct writer_lock *lock, const char *path);
void writer_lock_close(struct writer_lock *lock);

/*
 * Waits at most `timeout` microseconds. Returns 0 with the writer lock held, ETIMEDOUT, ENOTRECOVERABLE when it is
 * poisoned, or another errno. Open the files that are synced under the flush lock before this call. A timer that
 * raises SIGRTMIN ends a wait that blocks; this module installs the handler, which does nothing.
 */
must_use int writer_lock_acquire(struct writer_lock *lock, int64_t timeout);
/* From the writer lock to the flush lock: the next writer can start. */
void writer_lock_downgrade(struct writer_lock *lock);
/* Releases either. */
void writer_lock_release(struct writer_lock *lock);

/* Poisons the lock for all processes. The caller holds the writer lock or the flush lock. Returns 0 or an errno. */
must_use int writer_lock_poison(const struct writer_lock *lock);
/* True when the lock of that file is poisoned. Takes no lock. */
must_use bool writer_lock_is_poisoned(const char *path);

#endif
