/*
 * DATA/origins.map: the origins of okul.conf as a map of nginx; Apache searches the same file. So the web server
 * can set CORS headers on its own responses, also while no program runs.
 */
#include "okulctl.h"

#include "origin.h"

/* A regular expression: nginx limits the length of other keys, and an origin may be longer. */
static void
put_pair(struct buf *out, const char *origin, size_t length)
{
	buf_puts(out, "~^");
	for (size_t i = 0; i < length; i++)
		buf_printf(out, strchr(".+[]", origin[i]) ? "[%c]" : "%c", origin[i]);
	buf_printf(out, "$ %.*s;\n", (int)length, origin);
}

/* The path of the map and its text, which the caller clears. */
static void
make_map(const struct conf *conf, char path[static PATH_MAX], struct buf *text)
{
	const char *list = conf->origins, *entry;
	size_t length;

	snprintf(path, PATH_MAX, "%s/origins.map", conf->data);
	buf_puts(text, "# made by `okulctl migrate` from cors_origins of okul.conf\n");
	while ((entry = origin_next(&list, &length)))
		put_pair(text, entry, length);
}

bool
origins_known(const struct conf *conf)
{
	char path[PATH_MAX];
	struct buf text = { 0 };

	make_map(conf, path, &text);
	bool known = !text.failed && ctl_file_holds(path, &text);
	buf_clear(&text);
	return known;
}

bool
origins_write(const struct conf *conf)
{
	char path[PATH_MAX];
	struct buf text = { 0 };
	bool good = true;

	make_map(conf, path, &text);
	if (!ctl_file_holds(path, &text)) {
		good = ctl_replace_file(path, &text, 0640); /* the web server is in the group */
		if (good)
			printf("%s: written; reload the web server\n", path);
		else
			ctl_error(EXIT_CONFIG, "%s cannot be written: %m", path);
	}
	buf_clear(&text);
	return good;
}
