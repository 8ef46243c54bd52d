/*
 * okulctl key export and key import - the keys of one machine for the others of the same okul, sealed with a passphrase.
 *
 * A sealed file is three lines: "okul keys 1", then "argon2id PASSES KIB SALT" (hex), then DATA/keys.conf as it is,
 * sealed by secret_seal() with the key of the passphrase, in base64url.
 */
#include "okulctl.h"

#include "encode.h"
#include "random.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static command_call run_export, run_import;

const struct command command_key_export = {
	.name = "key export",
	.usage = "FILE [--passphrase-file NAME]",
	.summary = "write the keys, sealed, for other machines",
	.help = "Several machines of one okul need the same DATA/keys.conf: what one signs or\n"
		"seals, another has to read. This seals it with a passphrase of at least 12\n"
		"characters; `okulctl key import` opens it. FILE is mode 0600, and is refused\n"
		"when it exists; - is standard output:\n"
		"    okulctl key export - >keys.sealed\n"
		"Whoever has FILE can try passphrases; each try takes some 0.2 s and 64 MiB.\n"
		"--passphrase-file NAME  its first line is the passphrase; without, that is\n"
		"                        OKUL_PASSPHRASE of the environment, else the terminal\n"
		"                        is asked, twice\n",
	.run = run_export,
};

const struct command command_key_import = {
	.name = "key import",
	.usage = "FILE [--force] [--passphrase-file NAME]",
	.summary = "put the keys of another machine here",
	.help = "Opens what `okulctl key export` sealed (-: standard input), and makes it\n"
		"DATA/keys.conf. On a new machine run it before `okulctl migrate`, which\n"
		"otherwise makes keys of its own. Keys in use are replaced only when nothing\n"
		"ends by that, as after `okulctl key rotate` on another machine; else this says\n"
		"what would end. What was replaced is kept as DATA/keys.conf.old.\n"
		"Restart okul afterwards: programs read the keys when they start.\n"
		"--force                 replace them all the same\n"
		"--passphrase-file NAME  as for `okulctl key export`\n",
	.run = run_import,
};

#define FIRST_LINE "okul keys 1\n"
#define PASSPHRASE_MIN 12
#define PASSPHRASE_MAX 1000
#define PASSES 6
#define KIB 65536
#define KEYS_MAX 65536	  /* bytes of keys.conf */
#define SEALED_MAX 131072 /* bytes of a sealed file */

struct options {
	const char *file, *passphrase_file;
	bool force, may_force;
};

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "passphrase-file", required_argument, NULL, 'p' },
		{ "force", no_argument, NULL, 'f' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) == 'p' || (c == 'f' && options->may_force)) {
		if (c == 'p')
			options->passphrase_file = optarg;
		else
			options->force = true;
	}
	if (c == -1 && optind + 1 == argc) {
		options->file = argv[optind];
		return true;
	}
	return c != '?' && ctl_fail("key %s takes one FILE; see `okulctl key %s --help`", argv[0], argv[0]);
}

/* ---- passphrase */

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int number)
{
	interrupted = number;
}

/*
 * Reads a line without echo. A signal that ends or stops the process does so after the terminal has its echo again; it
 * is let in only by ppoll(), so that none comes between a check and the wait.
 */
static ssize_t
read_silently(int terminal, const char *prompt, char out[static PASSPHRASE_MAX])
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGTSTP };
	const struct sigaction catch = { .sa_handler = on_interrupt };
	struct sigaction before[COUNT(numbers)];
	struct pollfd input = { .fd = terminal, .events = POLLIN };
	sigset_t held, mask;
	ssize_t length = -1;

	sigemptyset(&held);
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaddset(&held, numbers[i]);
	sigprocmask(SIG_BLOCK, &held, &mask);
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &catch, &before[i]);
	dprintf(terminal, "%s", prompt);
	if (ppoll(&input, 1, NULL, &mask) == 1)
		length = read(terminal, out, PASSPHRASE_MAX - 1);
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaction(numbers[i], &before[i], NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return length;
}

static bool
ask(int terminal, const char *prompt, char out[static PASSPHRASE_MAX])
{
	struct termios mode, silent;

	if (tcgetattr(terminal, &mode) != 0)
		return ctl_fail("the terminal: %m");
	silent = mode;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(terminal, TCSAFLUSH, &silent);
	ssize_t length = read_silently(terminal, prompt, out);
	tcsetattr(terminal, TCSAFLUSH, &mode);
	dprintf(terminal, "\n");
	if (interrupted)
		raise(interrupted);
	out[length > 0 ? length : 0] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	return length > 0 || ctl_fail("no passphrase");
}

static bool
ask_terminal(bool twice, char out[static PASSPHRASE_MAX])
{
	char again[PASSPHRASE_MAX];
	int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (terminal < 0)
		return ctl_fail("there is no terminal to ask for the passphrase; use --passphrase-file, or set OKUL_PASSPHRASE");
	bool good = ask(terminal, "Passphrase: ", out) && (!twice || ask(terminal, "Again: ", again));
	close(terminal);
	if (good && twice && strcmp(out, again) != 0)
		good = ctl_fail("the two passphrases differ");
	secret_wipe(again, sizeof(again));
	return good;
}

static bool
read_passphrase_file(const char *name, char out[static PASSPHRASE_MAX])
{
	struct buf text = { 0 };
	bool good = ctl_read_file(name, PASSPHRASE_MAX, &text) || ctl_fail("%s: %m", name);

	if (good) {
		size_t length = strcspn(text.s, "\r\n");

		good = length < PASSPHRASE_MAX || ctl_fail("%s: a passphrase has at most %d bytes", name, PASSPHRASE_MAX - 1);
		if (good)
			snprintf(out, PASSPHRASE_MAX, "%.*s", (int)length, text.s);
	}
	if (text.s)
		secret_wipe(text.s, text.length);
	buf_clear(&text);
	return good;
}

/* The passphrase as --help says; false after reporting why there is none. `is_new`: it is to be chosen. */
static bool
read_passphrase(const struct options *options, bool is_new, char out[static PASSPHRASE_MAX])
{
	const char *given = getenv("OKUL_PASSPHRASE");
	bool good;

	if (options->passphrase_file)
		good = read_passphrase_file(options->passphrase_file, out);
	else if (given)
		good = snprintf(out, PASSPHRASE_MAX, "%s", given) < PASSPHRASE_MAX ||
			ctl_fail("OKUL_PASSPHRASE has at most %d bytes", PASSPHRASE_MAX - 1);
	else
		good = ask_terminal(is_new, out);
	if (good && is_new && strlen(out) < PASSPHRASE_MIN)
		good = ctl_fail(
			"the passphrase has %zu characters; use at least %d, like four words", strlen(out), PASSPHRASE_MIN);
	return good;
}

/* ---- the sealed file */

static bool
seal(const struct buf *keys, const char *passphrase, struct buf *out)
{
	unsigned char salt[SALT_BYTES], key[32], *sealed = malloc(keys->length + SEAL_EXTRA);

	random_bytes(salt, sizeof(salt));
	bool good = sealed && secret_stretch(key, passphrase, salt, PASSES, KIB);
	if (good) {
		secret_seal(sealed, keys->s, keys->length, key);
		buf_printf(out, FIRST_LINE "argon2id %d %d ", PASSES, KIB);
		encode_hex(out, salt, sizeof(salt));
		buf_putc(out, '\n');
		encode_base64url(out, sealed, keys->length + SEAL_EXTRA);
		buf_putc(out, '\n');
	}
	secret_wipe(key, sizeof(key));
	free(sealed);
	return (good && !out->failed) || ctl_fail("out of memory");
}

/* Undoes it; `name` is the file's, for error messages. */
static bool
open_sealed(const char *text, const char *name, const char *passphrase, struct buf *keys)
{
	static const char header[] = FIRST_LINE "argon2id ";
	unsigned char salt[SALT_BYTES], key[32], sealed[SEALED_MAX];
	unsigned passes = 0, memory = 0;
	char hex[2 * SALT_BYTES + 1] = "";
	int at = 0;

	if (strncmp(text, header, strlen(header)) != 0 ||
		sscanf(text + strlen(header), "%2u %7u %32[0-9a-f]%n", &passes, &memory, hex, &at) != 3 ||
		!decode_hex(salt, sizeof(salt), hex) || text[strlen(header) + (size_t)at] != '\n')
		return ctl_fail("%s is no file of `okulctl key export`", name);
	text += strlen(header) + (size_t)at + 1;
	ptrdiff_t length = decode_base64url(sealed, sizeof(sealed), text, strcspn(text, "\r\n"));
	if (length < SEAL_EXTRA)
		return ctl_fail("%s is damaged; export it again", name);
	if (!secret_stretch(key, passphrase, salt, passes, memory))
		return ctl_fail("%s: %u passes over %u KiB are more than this machine can do", name, passes, memory);
	char *out = buf_room(keys, (size_t)length);
	bool good = out && secret_open(out, sealed, (size_t)length, key);
	secret_wipe(key, sizeof(key));
	if (!good)
		return ctl_fail(out ? "%s: the passphrase is another one, or the file is damaged" : "out of memory", name);
	buf_commit(keys, out + length - SEAL_EXTRA);
	return true;
}

/* ---- key export */

/* Prints where the keys went; with "-" the sealed text itself goes to standard output. */
static int
put_sealed(const char *file, const struct buf *sealed)
{
	if (strcmp(file, "-") == 0) {
		fwrite(sealed->s, 1, sealed->length, stdout);
		return EXIT_SUCCESS;
	}
	if (access(file, F_OK) == 0)
		return ctl_error(EXIT_DATA, "%s exists; choose another name, or delete it", file);
	if (!ctl_replace_file(file, sealed, 0600))
		return ctl_error(EXIT_FAILURE, "%s cannot be written: %m", file);
	printf("%s: the keys, sealed; `okulctl key import` on the other machines, then delete it\n", file);
	return EXIT_SUCCESS;
}

static int
run_export(int argc, char **argv, const char *data)
{
	struct options options = { 0 };
	struct buf keys = { 0 }, sealed = { 0 };
	char path[PATH_MAX], passphrase[PASSPHRASE_MAX];
	int code = EXIT_FAILURE;

	if (!read_options(argc, argv, &options))
		return EXIT_USAGE;
	const struct conf *conf = ctl_conf(data);
	if (!conf)
		return EXIT_CONFIG;
	snprintf(path, sizeof(path), "%s/keys.conf", conf->data);
	if (!ctl_read_file(path, KEYS_MAX, &keys))
		code = ctl_error(EXIT_CONFIG, "%s cannot be read: %m", path);
	else if (read_passphrase(&options, true, passphrase) && seal(&keys, passphrase, &sealed))
		code = put_sealed(options.file, &sealed);
	secret_wipe(passphrase, sizeof(passphrase));
	if (keys.s)
		secret_wipe(keys.s, keys.length);
	buf_clear(&keys);
	buf_clear(&sealed);
	return code;
}

/* ---- key import */

static bool
has_jwt_key(const struct conf *keys, const struct jwt_key *wanted)
{
	for (size_t i = 0; i < keys->jwt_count; i++)
		if (strcmp(keys->jwt[i].kid, wanted->kid) == 0 && secret_equal(keys->jwt[i].key, wanted->key, KEY_BYTES))
			return true;
	return false;
}

/* Reports what ends when `new` replaces `old`; returns whether anything does. */
static bool
report_ends(const struct conf *old, const struct conf *new)
{
	const struct {
		const unsigned char *old, *new;
		const char *what;
	} list[] = {
		{ old->refresh_key, new->refresh_key, "all sessions: everybody has to log in again" },
		{ old->code_key, new->code_key, "the login codes that are on their way" },
		{ old->mail_key, new->mail_key, "the mails that wait to be sent: they are lost" },
		{ old->link_key, new->link_key, "the signed addresses of files that were given out" },
	};
	bool ends = false;

	for (size_t i = 0; i < COUNT(list); i++) {
		if (secret_equal(list[i].old, list[i].new, KEY_BYTES))
			continue;
		ends = true;
		ctl_error(EXIT_DATA, "this ends %s", list[i].what);
	}
	if (old->jwt_count > 0 && !has_jwt_key(new, &old->jwt[0])) {
		ends = true;
		ctl_error(EXIT_DATA, "this ends the access tokens that this machine signed: clients have to renew them");
	}
	return ends;
}

/* Whether the keys at `path` may be replaced by `new`; false after reporting what would end. */
static bool
may_replace(const char *path, const struct buf *old_text, const struct conf *new, bool force)
{
	struct conf old = { 0 };
	char why[1024];
	bool readable = conf_read_keys(old_text->s, path, &old, why, sizeof(why));

	if (!readable)
		ctl_error(EXIT_DATA, "%s", why);
	bool good = (readable && !report_ends(&old, new)) || force ||
		ctl_fail("%s has other keys, and was not changed; --force replaces them", path);
	secret_wipe(&old, sizeof(old));
	return good;
}

/* Makes `keys` the file DATA/keys.conf, after what was there was kept aside. */
static int
install(const char *path, const struct buf *keys, const struct conf *new, bool force)
{
	char aside[PATH_MAX + 32];
	struct buf old = { 0 };
	int code = EXIT_FAILURE;
	const bool exists = access(path, F_OK) == 0;

	snprintf(aside, sizeof(aside), "%s.old", path);
	if (exists && !ctl_read_file(path, KEYS_MAX, &old)) {
		ctl_error(EXIT_FAILURE, "%s cannot be read: %m", path);
	} else if (exists && old.s && keys->s && old.length == keys->length && memcmp(old.s, keys->s, old.length) == 0) {
		printf("%s has these keys already\n", path);
		code = EXIT_SUCCESS;
	} else if (exists && !may_replace(path, &old, new, force)) {
		code = EXIT_DATA;
	} else if ((exists && !ctl_replace_file(aside, &old, 0600)) || !ctl_replace_file(path, keys, 0600)) {
		ctl_error(EXIT_FAILURE, "%s cannot be written: %m", path);
	} else {
		printf("%s: imported; restart okul now\n", path);
		code = EXIT_SUCCESS;
	}
	if (old.s)
		secret_wipe(old.s, old.length);
	buf_clear(&old);
	return code;
}

static int
import(const struct options *options, const char *folder)
{
	struct buf sealed = { 0 }, keys = { 0 };
	struct conf new = { .data = folder };
	char path[PATH_MAX + 16], passphrase[PASSPHRASE_MAX] = "", why[1024];
	int code = EXIT_DATA;

	snprintf(path, sizeof(path), "%s/keys.conf", folder);
	if (!ctl_read_file(options->file, SEALED_MAX, &sealed))
		ctl_error(code, "%s: %m", options->file);
	else if (read_passphrase(options, false, passphrase) && open_sealed(sealed.s, options->file, passphrase, &keys)) {
		if (!conf_read_keys(keys.s, options->file, &new, why, sizeof(why)))
			ctl_error(code, "%s", why);
		else if (ctl_lock_folder(&new))
			code = install(path, &keys, &new, options->force);
	}
	secret_wipe(&new, sizeof(new));
	secret_wipe(passphrase, sizeof(passphrase));
	if (keys.s)
		secret_wipe(keys.s, keys.length);
	buf_clear(&keys);
	buf_clear(&sealed);
	return code;
}

static int
run_import(int argc, char **argv, const char *data)
{
	struct options options = { .may_force = true };
	char folder[PATH_MAX], why[1024];
	struct stat st;

	if (!read_options(argc, argv, &options))
		return EXIT_USAGE;
	random_init();
	if (!conf_folder(data, folder, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		return ctl_error(EXIT_CONFIG, "there is no data folder %s; make it first, with the owner okul", folder);
	return import(&options, folder);
}
