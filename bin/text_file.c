/*
 * Files of users: read as UTF-8, whatever their program wrote them in, or refused as a whole.
 */
#include "okulctl.h"

#include "utf8.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct source {
	const char *path;	/* for messages */
	const char *bytes;
	size_t length;
	bool mapped;
};

/* ---- encoding */

/* The line on which the byte at `at` stands. */
static size_t
line_of(const char *bytes, size_t at)
{
	size_t line = 1;

	for (const char *end = bytes + at, *s = bytes; (s = memchr(s, '\n', (size_t)(end - s))); s++)
		line++;
	return line;
}

/* The first byte that is not UTF-8 text, or the length. */
static size_t
bad_byte(const struct source *source)
{
	size_t i = 0, step;

	while (i < source->length && source->bytes[i] && (step = utf8_sequence(source->bytes + i, source->length - i)) > 0)
		i += step;
	return i;
}

/*
 * What a file that is not UTF-8 may be, as --encoding takes it; NULL: not a text. A text in Latin letters has a NUL in
 * every other byte of its UTF-16. Windows-1254 is Windows-1252 with six letters of Turkish in the place of Icelandic
 * ones.
 */
static const char *
guess(const struct source *source)
{
	size_t nuls[2] = { 0 };
	bool turkish = false;

	if (source->length >= 2 && (memcmp(source->bytes, "\xff\xfe", 2) == 0 || memcmp(source->bytes, "\xfe\xff", 2) == 0))
		return "utf-16";
	for (size_t i = 0; i < source->length; i++) {
		nuls[i % 2] += source->bytes[i] == '\0';
		turkish = turkish || (source->bytes[i] && strchr("\xd0\xdd\xde\xf0\xfd\xfe", source->bytes[i]));
	}
	if (nuls[0] + nuls[1] == 0)
		return turkish ? "windows-1254" : "windows-1252";
	if (3 * (nuls[0] + nuls[1]) < source->length)
		return NULL;
	return nuls[1] > nuls[0] ? "utf-16le" : "utf-16be";
}

static bool
refuse_text(const struct source *source, size_t bad)
{
	const char *encoding = guess(source);

	if (encoding)
		ctl_error(EXIT_DATA, "%s: line %zu is not UTF-8 text; it looks like %s: use --encoding %s, or save it as UTF-8",
			source->path, line_of(source->bytes, bad), encoding, encoding);
	else
		ctl_error(EXIT_DATA, "%s: line %zu is not UTF-8 text; save the file as UTF-8", source->path,
			line_of(source->bytes, bad));
	return false;
}

/* ---- converting */

static bool
convert_source(const struct source *source, const char *encoding, iconv_t with, FILE *out)
{
	char *in = (char *)source->bytes, block[8192];
	size_t left = source->length, line = 1, done = 0;

	while (done != (size_t)-1) {
		char *to = block;
		size_t room = sizeof(block);
		bool last = left == 0;
		/* After the last byte: what the encoding still holds back. */
		done = iconv(with, last ? NULL : &in, last ? NULL : &left, &to, &room);
		int error = done == (size_t)-1 ? errno : 0;
		size_t made = (size_t)(to - block);
		bool nul = memchr(block, '\0', made);
		line += made > 0 ? line_of(block, made) - 1 : 0;
		if (nul || error == EILSEQ || error == EINVAL)
			return ctl_error(EXIT_DATA, "%s: line %zu is not %s text; nothing was done", source->path, line, encoding) == 0;
		if (fwrite(block, 1, made, out) != made)
			return ctl_error(EXIT_FAILURE, "a temporary file cannot be written: %m") == 0;
		if (last && error == 0)
			break;
		done = 0;
	}
	return true;
}

static bool
to_utf8(const struct source *source, const char *encoding, FILE *out)
{
	size_t bad = bad_byte(source);
	bool wide = strncasecmp(encoding, "utf-16", 6) == 0 || strncasecmp(encoding, "utf-32", 6) == 0;
	bool ascii = true;

	for (size_t i = 0; ascii && i < source->length; i++)
		ascii = !(source->bytes[i] & 0x80);
	if (source->length > 0 && bad == source->length && (wide || !ascii))
		return ctl_error(EXIT_DATA, "%s is UTF-8 already; leave out --encoding %s", source->path, encoding) == 0;
	/* For iconv "//IGNORE" means that letters may be lost, and "" is the encoding of the terminal. */
	iconv_t with = encoding[0] && !strchr(encoding, '/') ? iconv_open("UTF-8", encoding) : (iconv_t)-1;
	if (with == (iconv_t)-1)
		return ctl_error(EXIT_USAGE, "there is no encoding \"%s\"; windows-1254, windows-1252 and utf-16 are some",
			encoding) == 0;
	bool good = convert_source(source, encoding, with, out);
	iconv_close(with);
	return good;
}

/* ---- files */

/* Copies all of `in`, so that its size cannot change while it is read. */
static bool
copy_source(FILE *in, FILE *out, const char *path, size_t max)
{
	char block[8192];
	size_t length, sum = 0;

	while ((length = fread(block, 1, sizeof(block), in)) > 0) {
		sum += length;
		if (max > 0 && sum > max)
			return ctl_error(EXIT_DATA, "%s has more than %zu MiB", path, max >> 20) == 0;
		if (fwrite(block, 1, length, out) != length)
			return ctl_error(EXIT_FAILURE, "a temporary file cannot be written: %m") == 0;
	}
	if (ferror(in))
		return ctl_error(EXIT_DATA, "%s cannot be read: %m", path) == 0;
	return fflush(out) == 0 || ctl_error(EXIT_FAILURE, "a temporary file cannot be written: %m") == 0;
}

static bool
map_source(struct source *source, FILE *file)
{
	struct stat status;

	if (fstat(fileno(file), &status) != 0)
		return ctl_error(EXIT_FAILURE, "a temporary file cannot be read: %m") == 0;
	source->length = (size_t)status.st_size;
	if (source->length == 0)
		return true;
	void *bytes = mmap(NULL, source->length, PROT_READ, MAP_PRIVATE, fileno(file), 0);
	if (bytes == MAP_FAILED)
		return ctl_error(EXIT_FAILURE, "a temporary file cannot be read: %m") == 0;
	source->bytes = bytes;
	return source->mapped = true;
}

/* `raw` itself when it is UTF-8, else a new file in its place; NULL, and `raw` stays open, when it is neither. */
static FILE *
as_utf8(struct source *source, const char *encoding, FILE *raw)
{
	bool plain = !encoding || strcasecmp(encoding, "utf-8") == 0 || strcasecmp(encoding, "utf8") == 0;
	size_t bad;

	if (plain) {
		bad = bad_byte(source);
		return bad == source->length || refuse_text(source, bad) ? raw : NULL;
	}
	FILE *out = tmpfile();
	if (!out) {
		ctl_error(EXIT_FAILURE, "a temporary file cannot be made: %m");
	} else if (to_utf8(source, encoding, out)) {
		fclose(raw);
		return out;
	}
	if (out)
		fclose(out);
	return NULL;
}

FILE *
ctl_text(const char *path, const char *encoding, size_t max)
{
	struct source source = { .path = path, .bytes = "" };
	bool standard = strcmp(path, "-") == 0;
	FILE *in = standard ? stdin : fopen(path, "re"), *raw = tmpfile(), *text = NULL;

	if (!in || !raw)
		ctl_error(EXIT_DATA, "%s: %m", in ? "a temporary file" : path);
	else if (copy_source(in, raw, path, max) && map_source(&source, raw))
		text = as_utf8(&source, encoding, raw);
	if (source.mapped)
		munmap((void *)source.bytes, source.length);
	if (in && !standard)
		fclose(in);
	if (raw && !text)
		fclose(raw);
	if (text)
		rewind(text);
	return text;
}
