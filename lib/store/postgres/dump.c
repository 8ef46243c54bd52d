/* A copy of the database by PostgreSQL's own tools: pg_dump writes it, pg_restore reads its list back. */
#include "admin.h"

#include "buf.h"
#include "encode.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Sets PGPASSWORD to the percent-decoded text between two places, and takes it out of the URL with `more` bytes before. */
static void
take_out(char *from, char *to, size_t more)
{
	char password[512];
	size_t length = 0;

	for (const char *s = from; s < to && length < sizeof(password) - 1; s++) {
		int byte = decode_percent(s);
		password[length++] = byte < 0 ? *s : (char)byte;
		s += byte < 0 ? 0 : 2;
	}
	password[length] = '\0';
	setenv("PGPASSWORD", password, 1);
	memmove(from - more, to, strlen(to) + 1);
}

/* The URL without its password, which others could see in the list of processes; sets PGPASSWORD instead. */
static void
take_password(char *url)
{
	static const char name[] = "password=";
	char *host = strstr(url, "://") + 3, *end = host + strcspn(host, "/?"), *at = memrchr(host, '@', (size_t)(end - host));
	char *colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL, *query;

	if (colon)
		take_out(colon + 1, at, 1);
	query = strchr(host, '?');
	for (char *found = query; found && (found = strstr(found, name)); found++)
		if (found[-1] == '?' || found[-1] == '&') {
			char *value = found + strlen(name);
			take_out(value, value + strcspn(value, "&"), 0);
			memmove(found, value + (*value == '&'), strlen(value + (*value == '&')) + 1);
			break;
		}
}

/* Reads what a program prints, the first `most` bytes of it, and waits for its end. Returns its exit code, -1 without one. */
static int
read_output(pid_t pid, int from, struct buf *out, size_t most)
{
	char piece[4096];
	ssize_t n;
	int status;

	while ((n = read(from, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && out->length < most)
			buf_put(out, piece, (size_t)n);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs a program; `out` gets what it prints to standard output and standard error. */
static bool
run_program(char *const *words, struct buf *out, char *why, size_t room)
{
	posix_spawn_file_actions_t actions;
	int ends[2];
	pid_t pid;

	if (pipe(ends) != 0)
		return text_complain(why, room, "%s: %s", words[0], strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	int error = posix_spawnp(&pid, words[0], &actions, NULL, words, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	int code = error ? -1 : read_output(pid, ends[0], out, 1 << 20);
	close(ends[0]);
	if (error == ENOENT)
		return text_complain(why, room, "%s is missing: install postgresql-client", words[0]);
	if (error || code != 0 || out->failed)
		return text_complain(
			why, room, "%s failed: %.*s", words[0], out->s ? (int)strcspn(out->s, "\n") : 0, out->s ? out->s : "");
	return true;
}

static int
count_tables(const char *list)
{
	int count = 0;

	for (const char *at = list; at && (at = strstr(at, " TABLE DATA ")); at++)
		count++;
	return count;
}

bool
admin_copy(struct db *db, const char *path, void (*progress)(void *context), void *context, char *why, size_t room)
{
	static const char count_sql[] = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()";
	char *url = strdup(postgres_of(db)->url), name[] = "pg_dump", format[] = "--format=custom", lister[] = "pg_restore";
	char list[] = "--list", *file = NULL, *from = NULL;
	struct buf out = { 0 };
	int64_t tables = 0;

	(void)progress, (void)context;
	bool good = url && asprintf(&file, "--file=%s", path) >= 0;
	if (good)
		take_password(url);
	good = good && asprintf(&from, "--dbname=%s", url) >= 0;
	(void)!db_number(db, &tables, count_sql, NO_ARGS);
	db_release(db);
	good = good && run_program((char *const[]){ name, format, file, from, NULL }, &out, why, room);
	out.length = 0;
	good = good && run_program((char *const[]){ lister, list, (char *)path, NULL }, &out, why, room);
	if (good && (tables == 0 || count_tables(out.s) < tables))
		good = text_complain(why, room, "the copy has %d of %lld tables", count_tables(out.s), (long long)tables);
	buf_clear(&out);
	free(url);
	free(file);
	free(from);
	return good;
}
