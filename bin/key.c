/* okulctl key - the keys that sign access tokens: DATA/keys.conf, of which only the section [jwt] is changed here. */
#include "okulctl.h"

#include "encode.h"
#include "random.h"

#include <errno.h>

static command_call run_key_list, run_rotate;

const struct command command_key_list = {
	.name = "key list",
	.usage = "",
	.summary = "list the keys of access tokens, the one that signs first",
	.help = "One line a key: its name (the kid of a token) and its use, separated by a tab,\n"
		"under a line of headings. The keys themselves are only in DATA/keys.conf.\n",
	.run = run_key_list,
};

const struct command command_key_rotate = {
	.name = "key rotate",
	.usage = "",
	.summary = "make a new key for access tokens; older ones still verify",
	.help = "Puts a new key first into DATA/keys.conf and keeps the two before it, so that\n"
		"tokens which they signed stay valid. A program reads the keys when it starts:\n"
		"restart okul at once, else programs that start later sign tokens which the\n"
		"others refuse. Nobody is logged out: refresh tokens have another key.\n"
		"After a leak, rotate three times: then none of the older keys is left, and\n"
		"clients renew their tokens.\n",
	.run = run_rotate,
};

#define KEYS_KEPT 3

/* ---- key list */

static int
run_key_list(int argc, char **argv, const char *data)
{
	const struct conf *conf = ctl_conf(data);

	(void)argc, (void)argv;
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

/* Copies the file with a new key below the heading [jwt], without the oldest ones. False without that heading. */
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

static int
rotate(const struct conf *conf, const char *path)
{
	struct buf old = { 0 }, new = { 0 };
	int code = EXIT_SUCCESS;

	if (!ctl_read_file(path, SIZE_MAX, &old))
		return ctl_error(EXIT_CONFIG, "%s cannot be read: %m", path);
	int64_t number = next_number(old.s);
	if (!rewrite(&new, old.s, number))
		code = ctl_error(EXIT_CONFIG, "%s has no line [jwt]; restore it from a backup", path);
	else if (!ctl_replace_file(path, &new, 0600))
		code = ctl_error(EXIT_FAILURE, "%s cannot be written: %m%s", path,
			errno == EACCES || errno == EPERM ? "; run this as the user that owns it" : "");
	else
		printf("k%lld signs from the next start on; restart okul now\n", (long long)number);
	for (size_t i = KEYS_KEPT - 1; i < conf->jwt_count && code == EXIT_SUCCESS; i++)
		printf("%s was removed: clients will renew the access tokens that it signed\n", conf->jwt[i].kid);
	secret_wipe(old.s, old.length);
	if (new.s)
		secret_wipe(new.s, new.length);
	buf_clear(&old);
	buf_clear(&new);
	return code;
}

static int
run_rotate(int argc, char **argv, const char *data)
{
	const struct conf *conf = ctl_conf(data);
	char path[PATH_MAX];

	(void)argc, (void)argv;
	/* A second run waits, and then adds to what the first wrote. The lock ends with the process. */
	if (!conf || !ctl_lock_folder(conf))
		return EXIT_CONFIG;
	snprintf(path, sizeof(path), "%s/keys.conf", conf->data);
	return rotate(conf, path);
}
