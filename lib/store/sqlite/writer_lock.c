#include "writer_lock.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each is a byte of the file; the text there does not matter to a lock. */
enum lock_byte { QUEUE, WRITER, FLUSH };

#define MARK "a sync failed: what was written last may be lost; boot "
#define MARK_ROOM 128

/* The timer repeats, since its first signal may arrive just before fcntl() blocks. */
#define TIMER_REPEAT_NS (10 * 1000 * 1000)

/* Locks or unlocks a range of bytes. Returns 0 or an errno. */
static int
set_lock(const struct writer_lock *lock, int command, short type, enum lock_byte first, enum lock_byte last)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_start = first, .l_len = (off_t)(last - first + 1) };

	return fcntl(lock->file, command, &range) == 0 ? 0 : errno;
}

/* Its only effect is that a blocked fcntl() fails with EINTR. */
static void
on_timer(int signal)
{
	(void)signal;
}

static int
make_timer(struct writer_lock *lock)
{
	struct sigaction action = { .sa_handler = on_timer }; /* no SA_RESTART */
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	sigset_t set;

	if (lock->has_timer)
		return 0;
	/* The parent process may have blocked it. */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	if (sigaction(SIGRTMIN, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 ||
		timer_create(CLOCK_MONOTONIC, &event, &lock->timer) != 0)
		return errno;
	lock->has_timer = true;
	return 0;
}

/* Disarms the timer when no time is left. */
static void
set_timer(struct writer_lock *lock, int64_t microseconds)
{
	struct itimerspec when = { 0 };

	if (microseconds > 0) {
		when.it_value.tv_sec = microseconds / 1000000;
		when.it_value.tv_nsec = microseconds % 1000000 * 1000;
		when.it_interval.tv_nsec = TIMER_REPEAT_NS;
	}
	timer_settime(lock->timer, 0, &when, NULL);
}

static int
take_lock(struct writer_lock *lock, enum lock_byte byte, int64_t until)
{
	int64_t left;
	int error = set_lock(lock, F_OFD_SETLK, F_WRLCK, byte, byte);

	if (error != EAGAIN && error != EACCES)
		return error;
	error = make_timer(lock);
	if (error)
		return error;
	do {
		left = until - clock_ticks();
		set_timer(lock, left);
		error = left > 0 ? set_lock(lock, F_OFD_SETLKW, F_WRLCK, byte, byte) : ETIMEDOUT;
	} while (error == EINTR);
	set_timer(lock, 0);
	return error;
}

/* ---- the mark of a poisoned lock */

static bool
read_boot_id(char *id, size_t room)
{
	int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, id, room - 1);

	if (file >= 0)
		close(file);
	id[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* Any text counts that does not name another boot: when in doubt nobody writes. */
static bool
has_mark(int file)
{
	char mark[MARK_ROOM] = "", id[64];
	ssize_t length = pread(file, mark, sizeof(mark) - 1, 0);

	if (length <= 0)
		return length < 0;
	return strncmp(mark, MARK, strlen(MARK)) != 0 || !read_boot_id(id, sizeof(id)) || strcmp(mark + strlen(MARK), id) == 0;
}

bool
writer_lock_is_poisoned(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool poisoned = file < 0 ? errno != ENOENT : has_mark(file);

	if (file >= 0)
		close(file);
	return poisoned;
}

static int
write_mark(int file)
{
	char mark[MARK_ROOM] = MARK;

	(void)!read_boot_id(mark + strlen(MARK), sizeof(mark) - strlen(MARK));
	ssize_t written = pwrite(file, mark, strlen(mark), 0);
	return written == (ssize_t)strlen(mark) ? 0 : written < 0 ? errno : ENOSPC;
}

/* ---- the file */

static int
open_file(struct writer_lock *lock)
{
	struct stat st;

	lock->known = false;
	lock->file = open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock->file < 0 || fstat(lock->file, &st) != 0)
		return errno;
	lock->device = st.st_dev;
	lock->inode = st.st_ino;
	/* Reserves a block for the mark, which must be written even when the disk is full. A failure is ignored. */
	if (st.st_blocks == 0)
		(void)!fallocate(lock->file, FALLOC_FL_KEEP_SIZE, 0, MARK_ROOM);
	return 0;
}

static void
close_file(struct writer_lock *lock)
{
	if (lock->file >= 0)
		close(lock->file);
	lock->file = -1;
}

/* True when other processes that open the path lock another file, or none. */
static bool
was_removed(const struct writer_lock *lock)
{
	struct stat st;

	return stat(lock->path, &st) != 0 || st.st_ino != lock->inode || st.st_dev != lock->device;
}

int
writer_lock_open(struct writer_lock *lock, const char *path)
{
	*lock = (struct writer_lock){ .path = path };
	return open_file(lock);
}

void
writer_lock_close(struct writer_lock *lock)
{
	if (lock->has_timer)
		timer_delete(lock->timer);
	close_file(lock);
	*lock = (struct writer_lock){ .file = -1 };
}

int
writer_lock_poison(const struct writer_lock *lock)
{
	struct writer_lock now = { .path = lock->path };
	int error = write_mark(lock->file);

	if (was_removed(lock)) {
		error = open_file(&now);
		if (!error)
			error = write_mark(now.file);
		close_file(&now);
	}
	return error;
}

/* ---- acquiring */

static int
acquire_locks(struct writer_lock *lock, int64_t until)
{
	int error = take_lock(lock, QUEUE, until);

	if (error)
		return error;
	error = take_lock(lock, WRITER, until);
	set_lock(lock, F_OFD_SETLK, F_UNLCK, QUEUE, QUEUE);
	if (error)
		return error;
	if (!lock->known)
		error = take_lock(lock, FLUSH, until);
	lock->known |= !error;
	if (!error && has_mark(lock->file))
		error = ENOTRECOVERABLE;
	if (error)
		writer_lock_release(lock);
	return error;
}

int
writer_lock_acquire(struct writer_lock *lock, int64_t timeout)
{
	int64_t until = clock_ticks() + timeout;
	int error = 0;

	while (!error) {
		error = lock->file < 0 ? open_file(lock) : 0;
		if (!error)
			error = acquire_locks(lock, until);
		/* With two lock files there could be two writers at once. */
		if ((error && error != ENOTRECOVERABLE) || !was_removed(lock))
			return error;
		if (error)
			(void)!writer_lock_poison(lock); /* marks the new file too */
		else
			writer_lock_release(lock);
		close_file(lock);
	}
	return error;
}

void
writer_lock_downgrade(struct writer_lock *lock)
{
	/*
	 * Never blocks: only the writer takes the flush lock exclusively. After a first acquisition it becomes shared.
	 */
	if (set_lock(lock, F_OFD_SETLK, F_RDLCK, FLUSH, FLUSH) == 0)
		set_lock(lock, F_OFD_SETLK, F_UNLCK, WRITER, WRITER);
}

void
writer_lock_release(struct writer_lock *lock)
{
	set_lock(lock, F_OFD_SETLK, F_UNLCK, WRITER, FLUSH);
}
