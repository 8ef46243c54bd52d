/*
 * Power cuts: afterwards every acknowledged write must be there, and the database must be undamaged.
 *
 * Eight processes write; each write, truncation and sync of the database and its WAL is recorded in the order in
 * which the kernel gets them, and each acknowledgement too. Then power cuts are simulated at points of that record:
 * the writes that a completed sync covered are on the disk; of the others any sectors can be, in any order. The
 * resulting database is opened and checked.
 *
 * OKUL_CUTS=5000 simulates more cuts. OKUL_SEED repeats the random numbers of a run, but not the order of its
 * processes.
 */
#include "clock.h"
#include "db_admin.h"
#include "log.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WRITERS 8
#define WRITES 60		/* of each writer */
#define LIFE 10			/* writes after which a new process replaces a writer */
#define SECTOR 512
#define RECORD_ROOM ((size_t)1 << 29)	/* of address space; unused pages cost nothing */
#define FILE_ROOM ((size_t)64 << 20)

static const char schema[] =
	"PRAGMA user_version = 1;"
	"CREATE TABLE entry (pk INTEGER PRIMARY KEY, writer INTEGER NOT NULL, n INTEGER NOT NULL, pad BLOB NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX entry_writer ON entry (writer, n);"
	"CREATE TABLE total (writer INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
	"CREATE TABLE ballast (pk INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;";

static const char
	add_sql[] = "INSERT INTO entry (writer, n, pad) VALUES (?1, ?2, randomblob(?3))",
	count_sql[] = "INSERT INTO total VALUES (?1, 1) ON CONFLICT (writer) DO UPDATE SET n = n + 1",
	ballast_sql[] = "INSERT OR REPLACE INTO ballast VALUES (1, randomblob(?1))",
	whole_sql[] = "SELECT total.n, count(*), max(entry.n) FROM total JOIN entry USING (writer) WHERE writer = ?1",
	integrity_sql[] = "PRAGMA integrity_check(1)";

/* ---- the record, shared by all processes */

enum kind { WRITE, TRUNCATE, SYNC, SYNCED, ACKNOWLEDGED };
enum file { DATABASE, WAL, FOLDER, FILES };

struct entry {
	enum kind kind;
	enum file file;
	int writer;
	size_t length;		/* of the bytes that follow */
	int64_t at;		/* offset; new length; for SYNCED the position of its SYNC; for ACKNOWLEDGED the n */
	bool lost;		/* by a sync that failed */
};

static struct record {
	pthread_mutex_t lock;
	size_t used;
	int64_t syncs[FILES];	/* begun */
	enum file fails_in;	/* which sync fails: of this file ... */
	int64_t fails_at;	/* ... this one; 0: none */
	int errors[FILES];	/* so far; each open file sees each of them once */
	bool reported;		/* somebody has seen the last one */
	bool sync_is_void;	/* a sync of the WAL succeeds without effect */
	_Alignas(16) char bytes[RECORD_ROOM];
} *record;

static char folder[64];
static unsigned chance = 1;
static bool recording;
static int seen[FILES];		/* errors that this process has seen */

static unsigned
draw(unsigned limit)
{
	chance = chance * 1103515245 + 12345;
	return (chance >> 8) % limit;
}

static void
lock_record(void)
{
	if (pthread_mutex_lock(&record->lock) != 0)
		abort();
}

static void
unlock_record(void)
{
	pthread_mutex_unlock(&record->lock);
}

/* With the record locked. Returns the position of the entry. */
static size_t
note(struct entry entry, const void *bytes)
{
	size_t place = record->used, size = sizeof(entry) + ((entry.length + 15) & ~(size_t)15);

	if (place + size > sizeof(record->bytes))
		abort();
	memcpy(record->bytes + place, &entry, sizeof(entry));
	if (entry.length)
		memcpy(record->bytes + place + sizeof(entry), bytes, entry.length);
	record->used += size;
	return place;
}

static struct entry *
entry_at(size_t place)
{
	return (struct entry *)(void *)(record->bytes + place);
}

static size_t
after(size_t place)
{
	return place + sizeof(struct entry) + ((entry_at(place)->length + 15) & ~(size_t)15);
}

/* ---- system calls of SQLite */

static enum file
file_of(int fd)
{
	char link[64], path[128];
	ssize_t length;

	if (!recording)
		return FILES;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length <= 0)
		return FILES;
	path[length] = '\0';
	size_t prefix = strlen(folder);
	if (strncmp(path, folder, prefix) != 0)
		return FILES;
	return strcmp(path + prefix, "/okul.db") == 0 ? DATABASE : strcmp(path + prefix, "/okul.db-wal") == 0 ? WAL :
		path[prefix] == '\0' ? FOLDER : FILES;
}

ssize_t
pwrite(int fd, const void *bytes, size_t length, off_t at)
{
	enum file file = file_of(fd);
	ssize_t written;

	if (file == FILES)
		return syscall(SYS_pwrite64, fd, bytes, length, at);
	lock_record();
	written = syscall(SYS_pwrite64, fd, bytes, length, at);
	if (written > 0)
		note((struct entry){ WRITE, file, .length = (size_t)written, .at = at }, bytes);
	unlock_record();
	return written;
}

ssize_t
pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	return pwrite(fd, bytes, length, at);
}

int
ftruncate(int fd, off_t length)
{
	enum file file = file_of(fd);
	int rc;

	if (file == FILES)
		return (int)syscall(SYS_ftruncate, fd, length);
	lock_record();
	rc = (int)syscall(SYS_ftruncate, fd, length);
	if (rc == 0)
		note((struct entry){ TRUNCATE, file, .at = length }, NULL);
	unlock_record();
	return rc;
}

int
ftruncate64(int fd, off64_t length)
{
	return ftruncate(fd, length);
}

/* Like Linux: a new open file sees the last error only if nobody has seen it yet. */
static void
note_open(int fd)
{
	enum file file = file_of(fd);

	if (file == DATABASE || file == WAL)
		seen[file] = record->errors[file] - (record->errors[file] > 0 && !record->reported);
}

int
open(const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, va_arg(list, int));
	va_end(list);
	if (fd >= 0)
		note_open(fd);
	return fd;
}

int
open64(const char *path, int flags, ...)
{
	va_list list;

	va_start(list, flags);
	int mode = va_arg(list, int);
	va_end(list);
	return open(path, flags, mode);
}

/* Unsynced writes are lost, though every process still reads them. */
static void
drop_unsynced(enum file file, size_t now)
{
	for (size_t place = 0; place < now; place = after(place))
		if (entry_at(place)->file == file && entry_at(place)->kind <= TRUNCATE)
			entry_at(place)->lost = true;
	for (size_t place = 0; place < now; place = after(place)) {
		if (entry_at(place)->file != file || entry_at(place)->kind != SYNCED)
			continue;
		for (size_t covered = 0; covered < (size_t)entry_at(place)->at; covered = after(covered))
			if (entry_at(covered)->file == file)
				entry_at(covered)->lost = false;
	}
}

int
fdatasync(int fd)
{
	enum file file = file_of(fd);

	if (file == FILES || (record->sync_is_void && file == WAL))
		return 0;
	lock_record();
	size_t place = note((struct entry){ SYNC, file }, NULL);
	if (++record->syncs[file] == record->fails_at && file == record->fails_in) {
		drop_unsynced(file, place);
		record->errors[file]++;
		record->reported = false;
	}
	unlock_record();
	usleep(draw(400));
	lock_record();
	bool failed = seen[file] != record->errors[file];
	seen[file] = record->errors[file];
	record->reported |= failed;
	if (!failed)
		note((struct entry){ SYNCED, file, .at = (int64_t)place }, NULL);
	unlock_record();
	if (failed)
		usleep(3000);	/* other processes may be faster than the one that saw the error */
	errno = EIO;
	return failed ? -1 : 0;
}

int
fsync(int fd)
{
	return fdatasync(fd);
}

/* ---- the writers */

static void
write_once(struct db *db, int writer, int64_t n)
{
	if (db_write_begin(db) == DB_DONE) {
		(void)!db_run(db, add_sql, ARGS(writer, n, (int64_t)draw(3000)), NULL);
		(void)!db_run(db, count_sql, ARGS(writer), NULL);
		if (draw(8) == 0)
			(void)!db_run(db, ballast_sql, ARGS((int64_t)draw(100000)), NULL);
		if (db_write_commit(db) == DB_DONE) {
			lock_record();
			note((struct entry){ ACKNOWLEDGED, FILES, writer, .at = n }, NULL);
			unlock_record();
		}
	}
}

/* Returns 1 after the first failure, else 0. */
static int
write_some(int writer, int64_t from)
{
	char why[256];
	struct db *db = db_open(folder, DB_READ_WRITE, 1, why, sizeof(why));
	enum db_rc failure = db ? DB_DONE : DB_BROKEN;

	for (int64_t n = from; n < from + LIFE && failure == DB_DONE; n++) {
		write_once(db, writer, n);
		failure = db_failure(db);
		db_release(db);
		if (failure == DB_DONE && draw(40) == 0) {
			/* Fails while there are readers; the calls without readers matter. */
			(void)!db_trim(db);
			db_release(db);
		}
	}
	db_close(db);
	return failure != DB_DONE;
}

/* One process after another, like workers that are replaced: each opens the files again. */
static void
write_in_turn(int writer, unsigned seed)
{
	for (int64_t n = 1; n <= WRITES; n += LIFE) {
		pid_t child = fork();
		if (child == 0) {
			chance = seed + (unsigned)(writer * WRITES + n) * 7919;
			_exit(write_some(writer, n));
		}
		int status;
		waitpid(child, &status, 0);
		if (status != 0 && !record->fails_at)
			_exit(1);
	}
	_exit(0);
}

static void
write_all(unsigned seed)
{
	pid_t writers[WRITERS];

	recording = true;
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = fork();
		if (writers[i] == 0)
			write_in_turn(i, seed);
	}
	for (int i = 0; i < WRITERS; i++) {
		int status;
		waitpid(writers[i], &status, 0);
		assert_int_equal(status, 0);
	}
	recording = false;
}

/* ---- the cuts */

/* The content of the disk, and the position in the record that led to it. */
struct disk {
	char *bytes[2];
	size_t length[2];
	bool named;		/* the WAL has its directory entry */
};

static void
set_length(struct disk *disk, enum file file, size_t length)
{
	if (length > FILE_ROOM)
		abort();
	if (length > disk->length[file])
		memset(disk->bytes[file] + disk->length[file], 0, length - disk->length[file]);
	disk->length[file] = length;
}

/* Writes all of it, or each sector with a probability of `percent`. */
static void
put_on_disk(struct disk *disk, size_t place, unsigned percent)
{
	const struct entry *entry = entry_at(place);
	const char *bytes = (const char *)(entry + 1);
	size_t at = (size_t)entry->at, end = at + entry->length;

	if (entry->kind == TRUNCATE && draw(100) < percent)
		set_length(disk, entry->file, at);
	if (entry->kind != WRITE)
		return;
	while (at < end) {
		size_t next = (at / SECTOR + 1) * SECTOR < end ? (at / SECTOR + 1) * SECTOR : end;
		if (draw(100) < percent) {
			if (next > disk->length[entry->file])
				set_length(disk, entry->file, next);
			memcpy(disk->bytes[entry->file] + at, bytes, next - at);
		}
		bytes += next - at;
		at = next;
	}
}

/*
 * Builds the disk from the syncs that returned before `end`, and with `percent` the other writes. Writes of one file
 * are applied in order: a later one overwrites an earlier one, or is missing.
 */
static void
cut_at(struct disk *disk, size_t end, unsigned percent)
{
	size_t synced[FILES] = { 0 };	/* entries before this position were covered */

	for (size_t place = 0; place < end; place = after(place)) {
		const struct entry *entry = entry_at(place);
		if (entry->kind == SYNCED && (size_t)entry->at > synced[entry->file])
			synced[entry->file] = (size_t)entry->at;
	}
	disk->named = synced[FOLDER] > 0 || draw(2) == 0;
	for (size_t place = 0; place < end; place = after(place)) {
		const struct entry *entry = entry_at(place);
		if (entry->kind <= TRUNCATE && !entry->lost)
			put_on_disk(disk, place, place < synced[entry->file] ? 100 : percent);
	}
}

static void
empty(const char *where)
{
	DIR *list = opendir(where);
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
}

/* Returns the number of missing acknowledged writes, or -1 for a damaged database. */
static int64_t
look(const char *where, size_t end)
{
	int64_t acknowledged[WRITERS] = { 0 }, missing = 0;
	char why[256];
	struct db *db = db_open(where, DB_READ_WRITE, 1, why, sizeof(why));
	struct db_rows *row;

	for (size_t place = 0; place < end; place = after(place))
		if (entry_at(place)->kind == ACKNOWLEDGED && entry_at(place)->at > acknowledged[entry_at(place)->writer])
			acknowledged[entry_at(place)->writer] = entry_at(place)->at;
	if (!db)
		return -1;
	if (db_one(db, &row, integrity_sql, NO_ARGS) != DB_ROW || strcmp(db_text(row, 0), "ok") != 0)
		missing = -1;
	db_release(db);
	for (int writer = 0; writer < WRITERS && missing >= 0; writer++) {
		bool there = db_one(db, &row, whole_sql, ARGS(writer)) == DB_ROW;
		int64_t n = there ? db_int(row, 0) : 0;
		/* Whole transactions, without a gap. */
		if (!there || (n && (db_int(row, 1) != n || db_int(row, 2) != n)))
			missing = -1;
		else if (n < acknowledged[writer])
			missing += acknowledged[writer] - n;
		db_end(row);
	}
	db_close(db);
	return missing;
}

static struct disk before;	/* at the start of the record */

static void
read_before(void)
{
	char path[128];

	for (int i = 0; i < 2; i++) {
		before.bytes[i] = mmap(NULL, FILE_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		before.length[i] = 0;
		assert_true(before.bytes[i] != MAP_FAILED);
	}
	snprintf(path, sizeof(path), "%s/okul.db", folder);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	before.length[DATABASE] = fread(before.bytes[DATABASE], 1, FILE_ROOM, file);
	fclose(file);
}

/* Returns the result of look() for the disk after a cut at `end`. */
static int64_t
cut_and_look(const char *where, struct disk *disk, size_t end)
{
	static const unsigned percents[] = { 0, 5, 50, 95, 100 };

	for (int i = 0; i < 2; i++) {
		set_length(disk, (enum file)i, 0);
		set_length(disk, (enum file)i, before.length[i]);
		memcpy(disk->bytes[i], before.bytes[i], before.length[i]);
	}
	cut_at(disk, end, percents[draw(COUNT(percents))]);
	empty(where);
	put_file(where, "okul.db", disk->bytes[DATABASE], disk->length[DATABASE]);
	if (disk->named)
		put_file(where, "okul.db-wal", disk->bytes[WAL], disk->length[WAL]);
	return look(where, end);
}

struct found { int cuts, losses, damaged; };

/* Simulates `cuts` power cuts, the last one at the end. */
static struct found
cut(int cuts)
{
	char where[] = "/tmp/okul-unit-XXXXXX";
	struct disk disk;
	struct found found = { 0 };

	assert_non_null(mkdtemp(where));
	for (int i = 0; i < 2; i++)
		disk.bytes[i] = mmap(NULL, FILE_ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	disk.length[0] = disk.length[1] = 0;
	size_t count = 0, *places;
	for (size_t place = 0; place < record->used; place = after(place))
		count++;
	places = calloc(count, sizeof(*places));
	assert_non_null(places);
	count = 0;
	for (size_t place = 0; place < record->used; place = after(place))
		places[count++] = place;
	for (int i = 0; i < cuts; i++) {
		/* Most entries are writes: every other cut follows an acknowledgement. */
		size_t at = draw((unsigned)count);
		while (i % 2 && at + 1 < count && entry_at(places[at])->kind != ACKNOWLEDGED)
			at++;
		size_t end = i == cuts - 1 || at + 1 == count ? record->used : places[at + 1];
		int64_t missing = cut_and_look(where, &disk, end);
		found.cuts++;
		found.losses += missing > 0;
		found.damaged += missing < 0;
	}
	free(places);
	munmap(disk.bytes[0], FILE_ROOM);
	munmap(disk.bytes[1], FILE_ROOM);
	empty(where);
	rmdir(where);
	return found;
}

/* ---- the tests */

static unsigned
number_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static int
set_up(void **state)
{
	pthread_mutexattr_t shared;
	char why[256];

	(void)state;
	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (record == MAP_FAILED)
		return -1;
	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&record->lock, &shared);
	snprintf(folder, sizeof(folder), "/tmp/okul-unit-XXXXXX");
	if (!mkdtemp(folder) || !db_create(folder, schema, why, sizeof(why)))
		return -1;
	chance = number_of("OKUL_SEED", (unsigned)getpid());
	read_before();
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(record, sizeof(*record));
	munmap(before.bytes[0], FILE_ROOM);
	munmap(before.bytes[1], FILE_ROOM);
	empty(folder);
	return rmdir(folder);
}

static int
count_of(enum kind kind, enum file file)
{
	int count = 0;

	for (size_t place = 0; place < record->used; place = after(place))
		count += entry_at(place)->kind == kind && entry_at(place)->file == file;
	return count;
}

/* How often the WAL was restarted, that is its header was written. */
static int
beginnings(void)
{
	int count = 0;

	for (size_t place = 0; place < record->used; place = after(place))
		count += entry_at(place)->kind == WRITE && entry_at(place)->file == WAL && entry_at(place)->at == 0;
	return count;
}

static void
every_acknowledged_write_survives_a_power_cut(void **state)
{
	unsigned seed = chance;

	(void)state;
	write_all(seed);
	assert_int_equal(count_of(ACKNOWLEDGED, FILES), WRITERS * WRITES);
	assert_true(beginnings() > 3);
	assert_true(count_of(SYNC, DATABASE) > 3);
	struct found found = cut((int)number_of("OKUL_CUTS", 300));
	if (found.losses || found.damaged)
		fail_msg("OKUL_SEED=%u: %d cuts, %d lost what was acknowledged, %d left a damaged database", seed, found.cuts,
			found.losses, found.damaged);
}

/* Shows that the test above can fail. */
static void
a_sync_that_does_nothing_is_detected(void **state)
{
	(void)state;
	record->sync_is_void = true;
	write_all(chance);
	assert_int_equal(count_of(ACKNOWLEDGED, FILES), WRITERS * WRITES);
	assert_true(cut(60).losses > 10);
}

/* The kernel drops the pages and reports the error to those that have the file open; then new processes start. */
static void
after_a_failed_sync_nothing_more_is_acknowledged(void **state)
{
	for (int round = 0; round < 6; round++) {
		if (round > 0)
			assert_int_equal(set_up(state), 0);
		unsigned seed = chance;
		record->fails_in = round % 3 ? WAL : DATABASE;
		record->fails_at = round % 3 ? 20 + (int64_t)draw(400) : 1 + (int64_t)draw(3);
		write_all(seed);
		assert_true(count_of(ACKNOWLEDGED, FILES) < WRITERS * WRITES);
		struct found found = cut(20);
		if (found.losses || found.damaged)
			fail_msg("OKUL_SEED=%u: %d cuts after a failed sync, %d lost what was acknowledged, %d left a damaged database",
				seed, found.cuts, found.losses, found.damaged);
		if (round < 5)
			assert_int_equal(tear_down(state), 0);
	}
}

#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(every_acknowledged_write_survives_a_power_cut),
		test(a_sync_that_does_nothing_is_detected),
		test(after_a_failed_sync_nothing_more_is_acknowledged),
	};

	clock_init();
	log_init("unit", false, LOG_FATAL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
