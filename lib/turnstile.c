#include "turnstile.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* The bytes of the file that are locked. */
enum place { QUEUE, DOOR };

/* The timer rings again and again, since its first signal may come just before fcntl() blocks. */
#define RING_AGAIN_NS (10 * 1000 * 1000)

static struct flock
lock_of(enum place place, short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = place, .l_len = 1 };
}

static void
unlock(const struct turnstile *gate, enum place place)
{
	struct flock lock = lock_of(place, F_UNLCK);

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

int
turnstile_open(struct turnstile *gate, const char *path)
{
	*gate = (struct turnstile){ .file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) };
	return gate->file < 0 ? errno : 0;
}

void
turnstile_close(struct turnstile *gate)
{
	if (gate->has_timer)
		timer_delete(gate->timer);
	if (gate->file >= 0)
		close(gate->file);
	*gate = (struct turnstile){ .file = -1 };
}

int
turnstile_enter(struct turnstile *gate, int64_t wait)
{
	int64_t until = clock_ticks() + wait;
	int error = take(gate, QUEUE, until);

	if (error)
		return error;
	error = take(gate, DOOR, until);
	unlock(gate, QUEUE);
	return error;
}

void
turnstile_leave(struct turnstile *gate)
{
	unlock(gate, DOOR);
}
