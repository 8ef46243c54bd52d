/*
 * DATA/origins.map: the origins of okul.conf, in the form of a map of nginx. The web server sets the headers of CORS on
 * answers that it makes itself, also while no program runs that it could ask. Apache looks into the same file.
 */
#include "okulctl.h"

#include "origin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

/* As a pattern: other keys of a map have to be shorter than some origins are. */
static void
put_pair(struct buf *out, const char *origin, size_t length)
{
	buf_puts(out, "~^");
	for (size_t i = 0; i < length; i++)
		buf_printf(out, strchr(".+[]", origin[i]) ? "[%c]" : "%c", origin[i]);
	buf_printf(out, "$ %.*s;\n", (int)length, origin);
}

static void
put_map(struct buf *out, const struct conf *conf)
{
	const char *list = conf->origins, *entry;
	size_t length;

	buf_puts(out, "# made by `okulctl migrate` from cors_origins of okul.conf\n");
	while ((entry = origin_next(&list, &length)))
		put_pair(out, entry, length);
}

/* True where the file holds exactly that. */
static bool
map_holds(const char *path, const struct buf *text)
{
	char piece[4096];
	size_t at = 0, n;
	FILE *file = fopen(path, "re");
	bool same = file != NULL;

	while (same && (n = fread(piece, 1, sizeof(piece), file)) > 0) {
		same = n <= text->length - at && memcmp(piece, text->s + at, n) == 0;
		at += n;
	}
	if (file)
		fclose(file);
	return same && at == text->length;
}

bool
origins_known(const struct conf *conf)
{
	char path[PATH_MAX];
	struct buf text = { 0 };

	put_map(&text, conf);
	snprintf(path, sizeof(path), "%s/origins.map", conf->data);
	bool known = !text.failed && map_holds(path, &text);
	buf_clear(&text);
	return known;
}

/* Writes a temporary file and renames it: a web server that is reloaded at this moment reads the old one or the new one. Its group may read it. */
static bool
replace_map(const char *path, const struct buf *text)
{
	char aside[PATH_MAX + 4];

	snprintf(aside, sizeof(aside), "%s.new", path);
	int file = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	bool good = file >= 0 && fchmod(file, 0640) == 0 && write(file, text->s, text->length) == (ssize_t)text->length &&
		rename(aside, path) == 0;
	if (file >= 0)
		close(file);
	return good;
}

bool
origins_write(const struct conf *conf)
{
	char path[PATH_MAX];
	struct buf text = { 0 };

	if (origins_known(conf))
		return true;
	put_map(&text, conf);
	snprintf(path, sizeof(path), "%s/origins.map", conf->data);
	bool good = !text.failed && replace_map(path, &text);
	if (good)
		printf("%s: written; a web server that runs learns of it by a reload\n", path);
	else
		ctl_error(EXIT_CONFIG, "%s cannot be written: %s", path, strerror(errno));
	buf_clear(&text);
	return good;
}
