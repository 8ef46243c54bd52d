/*
 * okulctl key - the keys that sign access tokens: DATA/keys.conf, of which only the section [jwt] is changed here.
 */
#include "okulctl.h"

#include "buf.h"
#include "encode.h"
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int run_key_list(int argc, char **argv, const char *data);
static int run_rotate(int argc, char **argv, const char *data);

const struct command command_key_list = {
	.name = "key list",
	.usage = "",
	.summary = "name the keys of access tokens, the one that signs first",
	.help = "Names (the kid of a token) and uses, separated by tabs, under a line of headings. The keys themselves\n"
		"are for DATA/keys.conf alone.\n",
	.run = run_key_list,
};

const struct command command_key_rotate = {
	.name = "key rotate",
	.usage = "",
	.summary = "make a new key for access tokens; the ones before it still verify",
	.help = "Puts a new key first into DATA/keys.conf and keeps the two before it: tokens that are out stay good.\n"
		"A program knows the keys of its start: restart okul at once, else programs that start later sign tokens that\n"
		"the others refuse. Nobody is logged out: refresh tokens have a key of their own.\n"
		"After a leak rotate three times: no key of before is left then, and clients renew their tokens.\n",
	.run = run_rotate,
};

#define KEYS_KEPT 3

/* ---- key list */

static int
run_key_list(int argc, char **argv, const char *data)
{
	(void)argv;
	if (argc > 1)
		return ctl_error(EXIT_USAGE, "key list takes no arguments");
	const struct conf *conf = ctl_conf(data);
	if (!conf)
		return EXIT_CONFIG;
	puts("kid\tuse");
	for (size_t i = 0; i < conf->jwt_count; i++)
		printf("%s\t%s\n", conf->jwt[i].kid, i == 0 ? "signs and verifies" : "verifies");
	return EXIT_SUCCESS;
}

/* ---- key rotate */

/* One above the highest number of the keys k1, k2, ... */
static int64_t
next_number(const char *text)
{
	long long highest = 0, number;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, " k%14lld", &number) == 1 && number > highest)
			highest = number;
	}
	return highest + 1;
}

static void
put_signing_key(struct buf *out, int64_t number)
{
	unsigned char key[KEY_BYTES];

	random_bytes(key, sizeof(key));
	buf_printf(out, "k%lld = ", (long long)number);
	encode_hex(out, key, sizeof(key));
	buf_putc(out, '\n');
	secret_wipe(key, sizeof(key));
}

/*
 * The file with a new key after the heading [jwt] and without those that are too old; all else stays as it is.
 * False when there is no such heading.
 */
static bool
rewrite(struct buf *out, const char *text, int64_t number)
{
	bool in_section = false, done = false;
	int old = 0;

	while (*text) {
		size_t length = strcspn(text, "\n"), whole = length + (text[length] == '\n');
		const char *start = text + strspn(text, " \t");
		bool is_key = in_section && !strchr("#;[\r\n", *start);

		if (!is_key || ++old < KEYS_KEPT)
			buf_put(out, text, whole);
		if (*start == '[')
			in_section = strncmp(start, "[jwt]", 5) == 0;
		if (in_section && !done) {
			buf_puts(out, whole > length ? "" : "\n");
			put_signing_key(out, number);
			done = true;
		}
		text += whole;
	}
	return done && !out->failed;
}

/* The whole of a file, malloc'd, with its owner; NULL with errno set. */
static char *
read_key_file(const char *path, struct stat *st)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (!file)
		return NULL;
	if (fstat(fileno(file), st) != 0 || getdelim(&text, &room, '\0', file) < 0) {
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

/* Writes a temporary file, syncs and renames it: a program that starts at this moment reads the old file or the new one. Keeps the owner. */
static bool
replace_keys(const char *path, const struct buf *text, const struct stat *owner, int folder)
{
	char aside[PATH_MAX];

	if (snprintf(aside, sizeof(aside), "%s.XXXXXX", path) >= (int)sizeof(aside)) {
		errno = ENAMETOOLONG;
		return false;
	}
	int file = mkostemp(aside, O_CLOEXEC);	/* with mode 0600 */
	if (file < 0)
		return false;
	bool good = (geteuid() != 0 || fchown(file, owner->st_uid, owner->st_gid) == 0) &&
		write(file, text->s, text->length) == (ssize_t)text->length && fsync(file) == 0;
	good = close(file) == 0 && good && rename(aside, path) == 0;
	if (!good) {
		int error = errno;
		unlink(aside);
		errno = error;
	}
	return good && fsync(folder) == 0;
}

static int
rotate(const struct conf *conf, const char *path, int folder)
{
	struct buf out = { 0 };
	struct stat owner;
	char *text = read_key_file(path, &owner);
	int64_t number = text ? next_number(text) : 0;
	int code = EXIT_SUCCESS;

	if (!text)
		code = ctl_error(EXIT_CONFIG, "%s cannot be read: %m", path);
	else if (!rewrite(&out, text, number))
		code = ctl_error(EXIT_CONFIG, "%s has no line [jwt]; restore it from a backup", path);
	else if (!replace_keys(path, &out, &owner, folder))
		code = ctl_error(EXIT_FAILURE, "%s cannot be written: %m%s", path,
			errno == EACCES || errno == EPERM ? "; run this as the user that owns it" : "");
	else
		printf("k%lld signs from the next start on; restart okul now\n", (long long)number);
	for (size_t i = KEYS_KEPT - 1; i < conf->jwt_count && code == EXIT_SUCCESS; i++)
		printf("%s was removed: clients renew the access tokens that it signed by themselves\n", conf->jwt[i].kid);
	if (text)
		secret_wipe(text, strlen(text));
	if (out.s)
		secret_wipe(out.s, out.length);
	free(text);
	buf_clear(&out);
	return code;
}

static int
run_rotate(int argc, char **argv, const char *data)
{
	int code;

	(void)argv;
	if (argc > 1)
		return ctl_error(EXIT_USAGE, "key rotate takes no arguments");
	const struct conf *conf = ctl_conf(data);
	if (!conf)
		return EXIT_CONFIG;
	char *path = conf_path(conf, "keys.conf");
	int folder = open(conf->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Of two runs at once one waits, and then adds to what the other wrote. The lock ends with the process. */
	if (path && folder >= 0 && flock(folder, LOCK_EX) == 0)
		code = rotate(conf, path, folder);
	else
		code = ctl_error(EXIT_CONFIG, "%s cannot be locked: %m", conf->data);
	if (folder >= 0)
		close(folder);
	free(path);
	return code;
}
