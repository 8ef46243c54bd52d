/* Files that commands read and write; those of users are converted to UTF-8 text, or refused as a whole. */
#include "okulctl.h"

#include "random.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

bool
ctl_read_file(const char *path, size_t max, struct buf *text)
{
	bool is_input = strcmp(path, "-") == 0;
	int file = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char piece[1 << 14];
	ssize_t n = 0;

	if (file < 0)
		return false;
	while (!text->failed && text->length <= max && (n = read(file, piece, sizeof(piece))) > 0)
		buf_put(text, piece, (size_t)n);
	buf_puts(text, ""); /* an empty file is "", not NULL */
	if (!is_input)
		close(file);
	return n >= 0 && !text->failed;
}

bool
ctl_file_holds(const char *path, const struct buf *text)
{
	struct buf old = { 0 };
	bool same = ctl_read_file(path, text->length, &old) && old.length == text->length &&
		memcmp(old.s, text->s, old.length) == 0;

	buf_clear(&old);
	return same;
}

static bool
write_through(int file, const struct buf *text, mode_t mode, const struct stat *owner)
{
	bool good = fchmod(file, mode) == 0 && (!owner || fchown(file, owner->st_uid, owner->st_gid) == 0);

	for (size_t done = 0; good && done < text->length;) { /* a disk that fills up takes a part first */
		ssize_t n = write(file, text->s + done, text->length - done);
		good = n > 0;
		done += n > 0 ? (size_t)n : 0;
	}
	good = good && fsync(file) == 0;
	return close(file) == 0 && good;
}

bool
ctl_replace_file(const char *path, const struct buf *text, mode_t mode)
{
	char aside[PATH_MAX], folder[PATH_MAX];
	struct stat old;

	if (text->failed || snprintf(aside, sizeof(aside), "%s.XXXXXX", path) >= (int)sizeof(aside)) {
		errno = text->failed ? ENOMEM : ENAMETOOLONG;
		return false;
	}
	int file = mkostemp(aside, O_CLOEXEC);
	if (file < 0)
		return false;
	bool keep = geteuid() == 0 && stat(path, &old) == 0;
	if (!write_through(file, text, mode, keep ? &old : NULL) || rename(aside, path) != 0) {
		int error = errno;
		unlink(aside);
		errno = error;
		return false;
	}
	snprintf(folder, sizeof(folder), "%s", path);
	strrchr(folder, '/')[1] = '\0';
	return db_sync(folder);
}

bool
ctl_lock_folder(const struct conf *conf)
{
	int folder = open(conf->data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return (folder >= 0 && flock(folder, LOCK_EX) == 0) || ctl_fail("%s cannot be locked: %m", conf->data);
}

int64_t
ctl_hash_file(int file, char sha256[static 65])
{
	static unsigned char piece[1 << 16];
	struct secret_hash_state state;
	unsigned char sum[32];
	int64_t size = 0;
	ssize_t n;

	secret_hash_begin(&state);
	for (; (n = pread(file, piece, sizeof(piece), (off_t)size)) > 0; size += n)
		secret_hash_add(&state, piece, (size_t)n);
	secret_hash_end(&state, sum);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(sha256 + 2 * i, 3, "%02x", sum[i]);
	return n < 0 ? -1 : size;
}

/* ---- text of users */

/* The line of the byte at `at`. */
static size_t
line_of(const struct buf *text, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += text->s[i] == '\n';
	return line;
}

/* The first byte that is not UTF-8 text, or the length. */
static size_t
bad_byte(const struct buf *text)
{
	size_t i = 0, step;

	while (i < text->length && text->s[i] && (step = utf8_sequence(text->s + i, text->length - i)) > 0)
		i += step;
	return i;
}

/*
 * The likely encoding of a file that is not UTF-8, by its name for --encoding; NULL when it is not text. Text in
 * Latin letters has a NUL in every other byte of its UTF-16. Windows-1254 is Windows-1252 with six Turkish letters
 * in place of Icelandic ones.
 */
static const char *
guess_encoding(const struct buf *text)
{
	size_t nuls[2] = { 0 };
	bool turkish = false;

	if (text->length >= 2 && (memcmp(text->s, "\xff\xfe", 2) == 0 || memcmp(text->s, "\xfe\xff", 2) == 0))
		return "utf-16";
	for (size_t i = 0; i < text->length; i++) {
		nuls[i % 2] += text->s[i] == '\0';
		turkish = turkish || (text->s[i] && strchr("\xd0\xdd\xde\xf0\xfd\xfe", text->s[i]));
	}
	if (nuls[0] + nuls[1] == 0)
		return turkish ? "windows-1254" : "windows-1252";
	if (3 * (nuls[0] + nuls[1]) < text->length)
		return NULL;
	return nuls[1] > nuls[0] ? "utf-16le" : "utf-16be";
}

static bool
is_text(const char *path, const struct buf *text)
{
	size_t bad = bad_byte(text), line = line_of(text, bad);

	if (bad == text->length)
		return true;
	const char *encoding = guess_encoding(text);
	if (!encoding)
		return ctl_fail("%s: line %zu is not UTF-8 text; save the file as UTF-8", path, line);
	return ctl_fail("%s: line %zu is not UTF-8 text; it looks like %s: use --encoding %s, or save it as UTF-8", path, line,
		encoding, encoding);
}

/* Converts all of `raw`; appends it to `text`. */
static bool
convert(const char *path, const struct buf *raw, const char *encoding, iconv_t with, struct buf *text)
{
	char block[8192], *in = raw->s;
	size_t left = raw->length;

	for (bool more = true; more;) {
		char *to = block;
		size_t room = sizeof(block);
		bool last = left == 0;
		/* After the last byte: what the encoding still holds back. */
		bool failed = iconv(with, last ? NULL : &in, last ? NULL : &left, &to, &room) == (size_t)-1;
		bool is_full = failed && errno == E2BIG;
		size_t made = (size_t)(to - block);
		buf_put(text, block, made);
		if ((failed && !is_full) || memchr(block, '\0', made))
			return ctl_fail(
				"%s: line %zu is not %s text; nothing was done", path, line_of(text, text->length), encoding);
		more = !last || is_full;
	}
	return !text->failed || ctl_fail("out of memory");
}

static bool
to_utf8(const char *path, const struct buf *raw, const char *encoding, struct buf *text)
{
	bool wide = strncasecmp(encoding, "utf-16", 6) == 0 || strncasecmp(encoding, "utf-32", 6) == 0, ascii = true;

	for (size_t i = 0; ascii && i < raw->length; i++)
		ascii = !(raw->s[i] & 0x80);
	if (raw->length > 0 && bad_byte(raw) == raw->length && (wide || !ascii))
		return ctl_fail("%s is UTF-8 already; leave out --encoding %s", path, encoding);
	/* For iconv "//IGNORE" means that letters may be lost, and "" is the encoding of the terminal. */
	iconv_t with = encoding[0] && !strchr(encoding, '/') ? iconv_open("UTF-8", encoding) : (iconv_t)-1;
	if (with == (iconv_t)-1)
		return ctl_fail("there is no encoding \"%s\"; windows-1254, windows-1252 and utf-16 are some", encoding);
	bool good = convert(path, raw, encoding, with, text);
	iconv_close(with);
	return good;
}

/* A temporary file that holds the text, rewound. */
static FILE *
file_of(const struct buf *text)
{
	FILE *file = tmpfile();

	if (file && fwrite(text->s, 1, text->length, file) == text->length && fflush(file) == 0) {
		rewind(file);
		return file;
	}
	ctl_error(EXIT_FAILURE, "a temporary file cannot be written: %m");
	if (file)
		fclose(file);
	return NULL;
}

FILE *
ctl_text(const char *path, const char *encoding, size_t max)
{
	struct buf raw = { 0 }, text = { 0 };
	FILE *file = NULL;

	if (!ctl_read_file(path, max ? max : SIZE_MAX, &raw))
		ctl_error(EXIT_DATA, "%s: %m", path);
	else if (max && raw.length > max)
		ctl_error(EXIT_DATA, "%s has more than %zu MiB", path, max >> 20);
	else if (!encoding || strcasecmp(encoding, "utf-8") == 0 || strcasecmp(encoding, "utf8") == 0)
		file = is_text(path, &raw) ? file_of(&raw) : NULL;
	else if (to_utf8(path, &raw, encoding, &text))
		file = file_of(&text);
	buf_clear(&raw);
	buf_clear(&text);
	return file;
}

void
ctl_put_setting(struct buf *out, const char *old, const char *name, const char *value)
{
	size_t n = strlen(name);
	bool done = false;

	while (old && *old) {
		size_t length = strcspn(old, "\n");
		bool ours = strncmp(old, name, n) == 0 && strspn(old + n, " \t") + n < length &&
			old[n + strspn(old + n, " \t")] == '=';

		if (ours && !done)
			buf_printf(out, "%s = %s\n", name, value);
		else if (!ours)
			buf_put(out, old, length + (old[length] == '\n'));
		done |= ours;
		old += length + (old[length] == '\n');
	}
	if (out->length > 0 && out->s[out->length - 1] != '\n')
		buf_putc(out, '\n');
	if (!done)
		buf_printf(out, "%s = %s\n", name, value);
}
