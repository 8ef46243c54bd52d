/*
 * writers - several processes that write to one database as fast as they can, and how they fared.
 */
#ifndef OKUL_BENCH_WRITERS_H
#define OKUL_BENCH_WRITERS_H

#include "base.h"
#include "clock.h"
#include "log.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS_MAX 16
#define TIMES_MAX 50000		/* transactions of one writer whose time is kept */

/* One way of writing. */
struct way {
	const char *name;
	void *(*open)(const char *folder);
	/* One transaction. 0 when it was committed, 1 when the database was busy for too long, -1 for any other failure. */
	int (*write)(void *connection, int writer, int64_t n);
};

struct writer {
	int64_t done, busy, failed;
	uint32_t times[TIMES_MAX];	/* microseconds, failed ones too */
};

struct outcome {
	int writers;
	double seconds;
	int64_t done[WRITERS_MAX];
	int64_t total, busy, failed;
	double slowest_to_fastest, slowest_to_fair;
	double p50, p99, p999, max;	/* milliseconds */
};

static void
write_for(const struct way *way, const char *folder, int number, struct writer *writer, const volatile int64_t *until)
{
	void *connection = way->open(folder);

	if (!connection) {
		writer->failed++;
		return;
	}
	while (*until == 0)
		usleep(1000);
	for (int64_t n = 0; n < TIMES_MAX; n++) {
		int64_t start = clock_ticks();

		if (start >= *until)
			break;
		int result = way->write(connection, number, n);
		writer->times[n] = (uint32_t)(clock_ticks() - start);
		writer->done += result == 0;
		writer->busy += result == 1;
		writer->failed += result < 0;
	}
}

static int
compare_times(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void
judge_times(struct outcome *out, const struct writer *writers)
{
	size_t count = 0, room = (size_t)(out->total + out->busy + out->failed);
	uint32_t *all = calloc(room + 1, sizeof(*all));

	if (!all)
		return;
	for (int i = 0; i < out->writers; i++)
		for (int64_t k = 0; k < writers[i].done + writers[i].busy && count < room; k++)
			all[count++] = writers[i].times[k];
	qsort(all, count, sizeof(*all), compare_times);
	if (count > 0) {
		out->p50 = all[count / 2] / 1000.0;
		out->p99 = all[count * 99 / 100] / 1000.0;
		out->p999 = all[count * 999 / 1000] / 1000.0;
		out->max = all[count - 1] / 1000.0;
	}
	free(all);
}

static struct outcome
judge(const struct writer *writers, int count, double seconds)
{
	struct outcome out = { .writers = count, .seconds = seconds };
	int64_t least = INT64_MAX, most = 0;

	for (int i = 0; i < count; i++) {
		out.done[i] = writers[i].done;
		out.total += writers[i].done;
		out.busy += writers[i].busy;
		out.failed += writers[i].failed;
		least = writers[i].done < least ? writers[i].done : least;
		most = writers[i].done > most ? writers[i].done : most;
	}
	if (most > 0) {
		out.slowest_to_fastest = (double)least / (double)most;
		out.slowest_to_fair = (double)(least * count) / (double)out.total;
	}
	judge_times(&out, writers);
	return out;
}

/* Lets `count` processes write for some seconds. They start together, after each has opened the database. */
static struct outcome
run_writers(const struct way *way, const char *folder, int count, double seconds)
{
	size_t size = sizeof(struct writer) * (size_t)count + sizeof(int64_t);
	void *shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outcome out = { .failed = 1 };

	if (shared == MAP_FAILED)
		return out;
	volatile int64_t *until = shared;
	struct writer *writers = (struct writer *)((int64_t *)shared + 1);
	fflush(NULL);
	for (int i = 0; i < count; i++) {
		if (fork() == 0) {
			write_for(way, folder, i, &writers[i], until);
			_exit(0);
		}
	}
	usleep(200 * 1000);
	*until = clock_ticks() + (int64_t)(seconds * 1e6);
	for (int i = 0; i < count; i++)
		wait(NULL);
	out = judge(writers, count, seconds);
	munmap(shared, size);
	return out;
}

#endif
