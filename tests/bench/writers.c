/*
 * Writers under the writer lock, each of whose commits waits for its sync, and writers that only wait as SQLite does (busy_timeout), side by side.
 * usage: writers [SECONDS [PROCESSES]]; under tests/bench/writers.sh with a slow disk. Ends with 1 when the writer lock misses its bar.
 */
#include "writers_db.h"

#include <sqlite3.h>
#include <sys/stat.h>

struct plain {
	sqlite3 *sqlite;
	sqlite3_stmt *add, *count;
};

static void *
open_plain(const char *folder)
{
	struct plain *plain = calloc(1, sizeof(*plain));
	char path[128];

	snprintf(path, sizeof(path), "%s/okul.db", folder);
	if (!plain || sqlite3_open_v2(path, &plain->sqlite, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		return NULL;
	sqlite3_busy_timeout(plain->sqlite, 2000);
	sqlite3_exec(plain->sqlite, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
	sqlite3_prepare_v2(plain->sqlite, BENCH_ADD, -1, &plain->add, NULL);
	sqlite3_prepare_v2(plain->sqlite, BENCH_COUNT, -1, &plain->count, NULL);
	return plain;
}

static int
write_plain(void *connection, int writer, int64_t n)
{
	struct plain *plain = connection;
	int code = sqlite3_exec(plain->sqlite, "BEGIN IMMEDIATE", NULL, NULL, NULL);

	if (code == SQLITE_OK) {
		sqlite3_bind_int(plain->add, 1, writer);
		sqlite3_bind_int64(plain->add, 2, n);
		sqlite3_bind_int(plain->count, 1, writer);
		sqlite3_step(plain->add);
		sqlite3_step(plain->count);
		sqlite3_reset(plain->add);
		sqlite3_reset(plain->count);
		code = sqlite3_exec(plain->sqlite, "COMMIT", NULL, NULL, NULL);
		if (code != SQLITE_OK)
			sqlite3_exec(plain->sqlite, "ROLLBACK", NULL, NULL, NULL);
	}
	return code == SQLITE_OK ? 0 : code == SQLITE_BUSY ? 1 : -1;
}

static const struct way way_plain = { "busy_timeout", open_plain, write_plain };

static bool
remove_database(const char *folder)
{
	static const char *const names[] = { "okul.db", "okul.db-wal", "okul.db-shm", "okul.gate" };
	char path[128];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder) == 0;
}

static struct outcome
measure(const struct way *way, int processes, double seconds)
{
	char folder[64] = "/tmp/okul-bench-XXXXXX", why[512];
	struct outcome out = { .failed = 1 };

	if (!mkdtemp(folder) || !db_create(folder, BENCH_SCHEMA, why, sizeof(why))) {
		fprintf(stderr, "%s: %s\n", folder, why);
		return out;
	}
	out = run_writers(way, folder, processes, seconds);
	remove_database(folder);
	return out;
}

static void
print(const char *name, const struct outcome *out)
{
	printf("%-13s %6.0f %8.2f %8.2f %8.1f %8.1f %8.1f %8.1f %5lld %6lld   ", name, (double)out->total / out->seconds,
		out->slowest_to_fastest, out->slowest_to_fair, out->p50, out->p99, out->p999, out->max, (long long)out->busy,
		(long long)out->failed);
	for (int i = 0; i < out->writers; i++)
		printf(" %lld", (long long)out->done[i]);
	putchar('\n');
}

int
main(int argc, char **argv)
{
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 5;
	long processes = argc > 2 ? strtol(argv[2], NULL, 10) : 8;

	if (seconds < 0.5 || seconds > 60 || processes < 1 || processes > WRITERS_MAX) {
		fprintf(stderr, "usage: writers [SECONDS (0.5 to 60) [PROCESSES (1 to %d)]]\n", WRITERS_MAX);
		return EXIT_USAGE;
	}
	clock_init();
	log_init("bench", false, LOG_FATAL);
	printf("%ld processes, %.1f s each way, every commit on the disk\n", processes, seconds);
	printf("%-13s %6s %8s %8s %8s %8s %8s %8s %5s %6s    %s\n", "", "tx/s", "slow/fst", "slow/fair", "p50 ms", "p99 ms",
		"p99.9 ms", "max ms", "busy", "failed", "transactions of each");
	struct outcome locked = measure(&way_db, (int)processes, seconds);
	print(way_db.name, &locked);
	struct outcome plain = measure(&way_plain, (int)processes, seconds);
	print(way_plain.name, &plain);
	bool good = locked.busy == 0 && locked.failed == 0 && locked.slowest_to_fair >= 0.5 && locked.p999 <= 30;
	printf("writer lock: no busy, slowest >= 0.50 of its fair share, p99.9 <= 30 ms: %s\n", good ? "met" : "MISSED");
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
