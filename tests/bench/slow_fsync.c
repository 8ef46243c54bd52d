/*
 * A disk that takes its time: 1 ms more for each fsync() and fdatasync(). Loaded with LD_PRELOAD, or linked into a test.
 */
#include <time.h>
#include <unistd.h>

#include <sys/syscall.h>

static void
wait_a_millisecond(void)
{
	const struct timespec pause = { .tv_nsec = 1000 * 1000 };

	nanosleep(&pause, NULL);
}

int
fsync(int file)
{
	wait_a_millisecond();
	return (int)syscall(SYS_fsync, file);
}

int
fdatasync(int file)
{
	wait_a_millisecond();
	return (int)syscall(SYS_fdatasync, file);
}
