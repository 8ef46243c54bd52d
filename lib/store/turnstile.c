#include "turnstile.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The bytes of the file that are locked; that there is text in them does not matter. */
enum place { QUEUE, DOOR, YARD };

#define SIGN "a sync failed: what was written last may be lost; boot "
#define SIGN_ROOM 128

/* The timer rings again and again, since its first signal may come just before fcntl() blocks. */
#define RING_AGAIN_NS (10 * 1000 * 1000)

static struct flock
lock_of(enum place place, short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = place, .l_len = 1 };
}

static void
unlock(const struct turnstile *gate, enum place first, enum place last)
{
	struct flock lock = lock_of(first, F_UNLCK);

	lock.l_len = (off_t)(last - first + 1);
	fcntl(gate->file, F_OFD_SETLK, &lock);
}

/* Only there to make a blocked fcntl() end with EINTR. */
static void
ring(int signal)
{
	(void)signal;
}

static int
make_timer(struct turnstile *gate)
{
	struct sigaction action = { .sa_handler = ring };	/* no SA_RESTART */
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	sigset_t set;

	if (gate->has_timer)
		return 0;
	/* Whoever started us may have blocked it. */
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	if (sigaction(SIGRTMIN, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 ||
	    timer_create(CLOCK_MONOTONIC, &event, &gate->timer) != 0)
		return errno;
	gate->has_timer = true;
	return 0;
}

static void
set_timer(struct turnstile *gate, int64_t microseconds)
{
	struct itimerspec when = { 0 };

	if (microseconds > 0) {
		when.it_value.tv_sec = microseconds / 1000000;
		when.it_value.tv_nsec = microseconds % 1000000 * 1000;
		when.it_interval.tv_nsec = RING_AGAIN_NS;
	}
	timer_settime(gate->timer, 0, &when, NULL);
}

static int
wait_for(struct turnstile *gate, enum place place, int64_t until)
{
	struct flock lock = lock_of(place, F_WRLCK);
	int64_t left;
	int error = make_timer(gate);

	if (error)
		return error;
	error = ETIMEDOUT;
	while (error == ETIMEDOUT && (left = until - clock_ticks()) > 0) {
		set_timer(gate, left);
		if (fcntl(gate->file, F_OFD_SETLKW, &lock) == 0)
			error = 0;
		else if (errno != EINTR)
			error = errno;
	}
	set_timer(gate, 0);
	return error;
}

static int
take(struct turnstile *gate, enum place place, int64_t until)
{
	struct flock lock = lock_of(place, F_WRLCK);

	if (fcntl(gate->file, F_OFD_SETLK, &lock) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return errno;
	return wait_for(gate, place, until);
}

/* ---- the sign */

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

/* Whatever stands there and is not of another boot counts: in doubt nobody passes. */
static bool
says_shut(int file)
{
	char sign[SIGN_ROOM] = "", boot[64];
	ssize_t length = pread(file, sign, sizeof(sign) - 1, 0);

	if (length <= 0)
		return length < 0;
	return strncmp(sign, SIGN, strlen(SIGN)) != 0 || !read_boot(boot, sizeof(boot)) ||
		strcmp(sign + strlen(SIGN), boot) == 0;
}

bool
turnstile_is_shut(const char *path)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool shut = file < 0 ? errno != ENOENT : says_shut(file);

	if (file >= 0)
		close(file);
	return shut;
}

static int
put_sign(int file)
{
	char sign[SIGN_ROOM] = SIGN;
	size_t length = strlen(SIGN);

	(void)!read_boot(sign + length, sizeof(sign) - length);
	length = strlen(sign);
	ssize_t written = pwrite(file, sign, length, 0);
	return written == (ssize_t)length ? 0 : written < 0 ? errno : ENOSPC;
}

/* ---- the file */

static int
open_file(struct turnstile *gate)
{
	struct stat st;

	gate->known = false;
	gate->file = open(gate->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (gate->file < 0 || fstat(gate->file, &st) != 0)
		return errno;
	gate->device = st.st_dev;
	gate->inode = st.st_ino;
	/* The sign must find room also on a disk that is full. Where this is not possible it will mostly do so. */
	if (st.st_blocks == 0)
		(void)!fallocate(gate->file, FALLOC_FL_KEEP_SIZE, 0, SIGN_ROOM);
	return 0;
}

static void
close_file(struct turnstile *gate)
{
	if (gate->file >= 0)
		close(gate->file);
	gate->file = -1;
}

/* Others that open the path now lock another file, or none. */
static bool
was_removed(const struct turnstile *gate)
{
	struct stat st;

	return stat(gate->path, &st) != 0 || st.st_ino != gate->inode || st.st_dev != gate->device;
}

int
turnstile_open(struct turnstile *gate, const char *path)
{
	*gate = (struct turnstile){ .path = path };
	return open_file(gate);
}

int
turnstile_shut(const struct turnstile *gate)
{
	struct turnstile now = { .path = gate->path };
	int error = put_sign(gate->file);

	if (was_removed(gate)) {
		error = open_file(&now);
		if (!error)
			error = put_sign(now.file);
		close_file(&now);
	}
	return error;
}

/* ---- passing */

void
turnstile_close(struct turnstile *gate)
{
	if (gate->has_timer)
		timer_delete(gate->timer);
	close_file(gate);
	*gate = (struct turnstile){ .file = -1 };
}

static int
enter(struct turnstile *gate, int64_t until)
{
	int error = take(gate, QUEUE, until);

	if (error)
		return error;
	error = take(gate, DOOR, until);
	unlock(gate, QUEUE, QUEUE);
	if (error)
		return error;
	if (!gate->known)
		error = take(gate, YARD, until);
	gate->known |= !error;
	if (!error && says_shut(gate->file))
		error = ENOTRECOVERABLE;
	if (error)
		turnstile_leave(gate);
	return error;
}

int
turnstile_enter(struct turnstile *gate, int64_t wait)
{
	int64_t until = clock_ticks() + wait;
	int error = 0;

	while (!error) {
		error = gate->file < 0 ? open_file(gate) : 0;
		if (!error)
			error = enter(gate, until);
		/* One system call; two locks would let two in. */
		if ((error && error != ENOTRECOVERABLE) || !was_removed(gate))
			return error;
		if (error)
			(void)!turnstile_shut(gate);	/* the new file says it too */
		else
			turnstile_leave(gate);
		close_file(gate);
	}
	return error;
}

void
turnstile_step_out(struct turnstile *gate)
{
	struct flock lock = lock_of(YARD, F_RDLCK);

	/* Nobody else can hold it alone: that is done only inside. It also turns the first one's own lock into a shared one. */
	if (fcntl(gate->file, F_OFD_SETLK, &lock) == 0)
		unlock(gate, DOOR, DOOR);
}

void
turnstile_leave(struct turnstile *gate)
{
	unlock(gate, DOOR, YARD);
}
