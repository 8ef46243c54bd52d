/*
 * delay - the cables of machines that are network namespaces, for kernels without netem. A machine's device `wire` is a
 * TAP device; what leaves it comes out of another one in the namespace of the switch, so many microseconds later. The
 * other way takes no time. Prints a line when all are there, and ends with its standard input.
 *
 * usage: delay MICROSECONDS SWITCH-NAMESPACE (NAME NAMESPACE)...
 */
#include <err.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define MACHINES_MAX 16
#define FRAME 1600
#define QUEUE 8192 /* frames on their way; what comes beyond them is lost, as on a real cable */

static struct frame {
	long long due; /* nanoseconds */
	int to;
	ssize_t length;
	unsigned char bytes[FRAME];
} queue[QUEUE];
static unsigned long first, next;

static long long
now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return at.tv_sec * 1000000000LL + at.tv_nsec;
}

static void
enter(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) != 0)
		err(1, "%s", path);
	close(fd);
}

static int
open_tap(const char *space, const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	enter(space);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0)
		err(1, "/dev/net/tun, %s", name);
	return fd;
}

/* Reads what a machine sends, for later. */
static void
take(int from, int to, long long delay)
{
	for (;;) {
		struct frame *frame = &queue[next % QUEUE];
		frame->length = read(from, frame->bytes, sizeof(frame->bytes));
		if (frame->length <= 0)
			return;
		frame->due = now() + delay;
		frame->to = to;
		if (next - first < QUEUE - 1)
			next++;
	}
}

static void
pass(int from, int to)
{
	unsigned char bytes[FRAME];

	for (ssize_t length; (length = read(from, bytes, sizeof(bytes))) > 0;)
		(void)!write(to, bytes, (size_t)length);
}

int
main(int argc, char **argv)
{
	struct pollfd fds[2 * MACHINES_MAX + 1];
	int count = (argc - 3) / 2;

	if (argc < 5 || argc % 2 == 0 || count > MACHINES_MAX)
		errx(64, "usage: delay MICROSECONDS SWITCH-NAMESPACE (NAME NAMESPACE)...");
	long long delay = atoll(argv[1]) * 1000;
	for (int i = 0; i < count; i++) {
		fds[2 * i] = (struct pollfd){ .fd = open_tap(argv[2 * i + 4], "wire"), .events = POLLIN };
		fds[2 * i + 1] = (struct pollfd){ .fd = open_tap(argv[2], argv[2 * i + 3]), .events = POLLIN };
	}
	fds[2 * count] = (struct pollfd){ .fd = 0 }; /* POLLHUP */
	prctl(PR_SET_TIMERSLACK, 1000);
	setpriority(PRIO_PROCESS, 0, -20);
	puts("ready");
	fflush(stdout);
	while (!(fds[2 * count].revents & (POLLHUP | POLLERR))) {
		long long wait = first < next ? queue[first % QUEUE].due - now() : 0;
		struct timespec timeout = { .tv_nsec = wait > 0 ? wait : 0 };
		if (ppoll(fds, 2 * (nfds_t)count + 1, first < next ? &timeout : NULL, NULL) < 0)
			err(1, "poll");
		for (int i = 0; i < count; i++) {
			take(fds[2 * i].fd, fds[2 * i + 1].fd, delay);
			pass(fds[2 * i + 1].fd, fds[2 * i].fd);
		}
		for (; first < next && queue[first % QUEUE].due <= now(); first++)
			(void)!write(queue[first % QUEUE].to, queue[first % QUEUE].bytes, (size_t)queue[first % QUEUE].length);
	}
}
