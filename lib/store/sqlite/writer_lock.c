#include "writer_lock.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes of the file that are locked; that there is text in them does not matter. */
enum place { QUEUE, WRITER, FLUSH };

#define MARK "a sync failed: what was written last may be lost; boot "
#define MARK_ROOM 128

/* The timer fires again and again, since its first signal may come just before fcntl() blocks. */
#define FIRE_AGAIN_NS (10 * 1000 * 1000)

static struct flock
lock_of(enum place place, short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = place, .l_len = 1 };
}

static void
unlock(const struct writer_lock *lock, enum place first, enum place last)
{
	struct flock flock = lock_of(first, F_UNLCK);

	flock.l_len = (off_t)(last - first + 1);
	fcntl(lock->file, F_OFD_SETLK, &flock);
}

/* Only there to make a blocked fcntl() end with EINTR. */
static void
on_timer(int signal)
{
	(void)signal;
}

static int
make_timer(struct writer_lock *lock)
{
	struct sigaction action = { .sa_handler = on_timer };	/* no SA_RESTART */
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	sigset_t set;

	if (lock->has_timer)
		return 0;
	/* The process that started us may have blocked it. */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	if (sigaction(SIGRTMIN, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &lock->timer) != 0)
		return errno;
	lock->has_timer = true;
	return 0;
}

static void
set_timer(struct writer_lock *lock, int64_t microseconds)
{
	struct itimerspec when = { 0 };

	if (microseconds > 0) {
		when.it_value.tv_sec = microseconds / 1000000;
		when.it_value.tv_nsec = microseconds % 1000000 * 1000;
		when.it_interval.tv_nsec = FIRE_AGAIN_NS;
	}
	timer_settime(lock->timer, 0, &when, NULL);
}

static int
wait_for_lock(struct writer_lock *lock, enum place place, int64_t until)
{
	struct flock flock = lock_of(place, F_WRLCK);
	int64_t left;
	int error = make_timer(lock);

	if (error)
		return error;
	error = ETIMEDOUT;
	while (error == ETIMEDOUT && (left = until - clock_ticks()) > 0) {
		set_timer(lock, left);
		if (fcntl(lock->file, F_OFD_SETLKW, &flock) == 0)
			error = 0;
		else if (errno != EINTR)
			error = errno;
	}
	set_timer(lock, 0);
	return error;
}

static int
take_lock(struct writer_lock *lock, enum place place, int64_t until)
{
	struct flock flock = lock_of(place, F_WRLCK);

	if (fcntl(lock->file, F_OFD_SETLK, &flock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return errno;
	return wait_for_lock(lock, place, until);
}

/* ---- the mark */

static bool
read_boot(char *boot, size_t room)
{
	int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = file < 0 ? -1 : read(file, boot, room - 1);

	if (file >= 0)
		close(file);
	boot[length > 0 ? length : 0] = '\0';
	return length > 0;
}

/* Whatever stands there and is not of another boot counts: in doubt nobody writes. */
static bool
says_poisoned(int file)
{
	char mark[MARK_ROOM] = "", boot[64];
	ssize_t length = pread(file, mark, sizeof(mark) - 1, 0);

	if (length <= 0)
		return length < 0;
	return strncmp(mark, MARK, strlen(MARK)) != 0 || !read_boot(boot, sizeof(boot)) ||
		strcmp(mark + strlen(MARK), boot) == 0;
}

bool
writer_lock_is_poisoned(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool poisoned = file < 0 ? errno != ENOENT : says_poisoned(file);

	if (file >= 0)
		close(file);
	return poisoned;
}

static int
put_mark(int file)
{
	char mark[MARK_ROOM] = MARK;
	size_t length = strlen(MARK);

	(void)!read_boot(mark + length, sizeof(mark) - length);
	length = strlen(mark);
	ssize_t written = pwrite(file, mark, length, 0);
	return written == (ssize_t)length ? 0 : written < 0 ? errno : ENOSPC;
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
	/* The mark must find room also on a disk that is full. Where this is not possible it will mostly do so. */
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

/* Others that open the path now lock another file, or none. */
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

int
writer_lock_poison(const struct writer_lock *lock)
{
	struct writer_lock now = { .path = lock->path };
	int error = put_mark(lock->file);

	if (was_removed(lock)) {
		error = open_file(&now);
		if (!error)
			error = put_mark(now.file);
		close_file(&now);
	}
	return error;
}

/* ---- acquiring */

void
writer_lock_close(struct writer_lock *lock)
{
	if (lock->has_timer)
		timer_delete(lock->timer);
	close_file(lock);
	*lock = (struct writer_lock){ .file = -1 };
}

static int
acquire_locks(struct writer_lock *lock, int64_t until)
{
	int error = take_lock(lock, QUEUE, until);

	if (error)
		return error;
	error = take_lock(lock, WRITER, until);
	unlock(lock, QUEUE, QUEUE);
	if (error)
		return error;
	if (!lock->known)
		error = take_lock(lock, FLUSH, until);
	lock->known |= !error;
	if (!error && says_poisoned(lock->file))
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
		/* One system call; two locks would let two in. */
		if ((error && error != ENOTRECOVERABLE) || !was_removed(lock))
			return error;
		if (error)
			(void)!writer_lock_poison(lock);	/* the new file says it too */
		else
			writer_lock_release(lock);
		close_file(lock);
	}
	return error;
}

void
writer_lock_downgrade(struct writer_lock *lock)
{
	struct flock flock = lock_of(FLUSH, F_RDLCK);

	/* Nobody else can hold it alone: that is done only inside. It also turns the first one's own lock into a shared one. */
	if (fcntl(lock->file, F_OFD_SETLK, &flock) == 0)
		unlock(lock, WRITER, WRITER);
}

void
writer_lock_release(struct writer_lock *lock)
{
	unlock(lock, WRITER, FLUSH);
}
