#include "link.h"

#include "data.h"
#include "encode.h"
#include "random.h"
#include "text.h"
#include "url.h"
#include "utf8.h"

#include <iconv.h>

/* ---- signed addresses */

#define OF_USER "user="
#define EXPIRES "expires=" /* all before it is the same in each address of a file for a user */
#define SIGNATURE "signature="

/* `user` NULL: the address names nobody. */
static void
put_query(struct buf *buf, const struct conf *conf, const char *key, const char *user, const char *expires)
{
	const struct part parts[] = { PART("storage file"), PART(key), PART(expires), PART(user ? user : "") };
	unsigned char mac[MAC_BYTES];

	secret_mac(mac, conf->link_key, parts, user ? COUNT(parts) : COUNT(parts) - 1);
	if (user)
		buf_printf(buf, OF_USER "%s&", user);
	buf_printf(buf, EXPIRES "%s&" SIGNATURE, expires);
	encode_hex(buf, mac, MAC_BYTES);
}

const char *
link_url(struct arena *arena, const struct conf *conf, const char *key, bool is_public, const char *user, int64_t now)
{
	struct buf url = { .arena = arena };

	buf_printf(&url, "%s/storage/files/%s", conf->base_url, key);
	if (!is_public) {
		buf_putc(&url, '?');
		put_query(&url, conf, key, user, arena_format(arena, "%lld", (long long)(now / SECOND + LINK_LIFE)));
	}
	return url.s;
}

#define LINK_ROOM 1024 /* bytes of an address: base_url is the longest part */

struct link {
	char key[LINK_KEY_TEXT], user[ID_TEXT];
	bool is_public;
};

/* Nothing in a query needs an escape in JSON: what changes with each signature are the last bytes before the quote. */
static void
write_link(struct request *rq, const char *name, const void *facts)
{
	const struct link *link = facts;
	const char *user = link->user[0] ? link->user : NULL;
	const char *url = link_url(rq->arena, rq->conf, link->key, link->is_public, user, rq->now);
	const char *query = strchr(url, '?'), *changing = query ? strstr(query, EXPIRES) : NULL;

	data_text(rq, name, url);
	if (!changing || rq->out->failed)
		return;
	struct changing_part *part = arena_alloc(rq->arena, sizeof(*part));
	*part = (struct changing_part){ rq->out->length - 1 - strlen(changing), strlen(changing), NULL };
	*(rq->last_link ? &rq->last_link->next : &rq->links) = part;
	rq->last_link = part;
}

void
link_put(struct request *rq, const char *name, const char *key, bool is_public, const char *user)
{
	struct link link = { .is_public = is_public };

	snprintf(link.key, sizeof(link.key), "%s", key);
	snprintf(link.user, sizeof(link.user), "%s", user ? user : "");
	data_later(rq, name, write_link, &link, sizeof(link), LINK_ROOM);
}

/* The value of the parameter `name` when `*s` begins with it and another one follows, to which `*s` is moved. Else NULL. */
static const char *
take(struct arena *arena, const char **s, const char *name)
{
	size_t length = strlen(name);
	const char *value = *s + length, *end = strncmp(*s, name, length) == 0 ? strchr(value, '&') : NULL;

	if (!end)
		return NULL;
	*s = end + 1;
	return arena_copy(arena, value, (size_t)(end - value));
}

/* True for exactly the bytes that put_query() makes: another spelling would evade what compares addresses, as caches and logs. */
static bool
is_signed(struct arena *arena, const struct conf *conf, const char *key, const char *query, int64_t now, const char **user)
{
	struct buf right = { .arena = arena };
	const char *at = query, *expires;
	int64_t seconds;

	*user = take(arena, &at, OF_USER);
	expires = take(arena, &at, EXPIRES);
	if (!expires || !text_to_int(expires, 0, INT64_MAX / SECOND, &seconds))
		return false;
	put_query(&right, conf, key, *user, expires);
	/* One that lives longer than any signed now is from before the clock was set back. */
	int64_t left = seconds * SECOND - now;
	return right.length == strlen(query) && secret_equal(right.s, query, right.length) && left > 0 &&
		left <= LINK_LIFE * SECOND + CLOCK_SLACK;
}

enum link_state
link_check(struct arena *arena, const struct conf *conf, const char *key, const char *query, int64_t now, const char **name)
{
	const char *unknown = NULL;
	bool has_ours = false;

	for (const char *pair = query; pair && *pair; pair += strcspn(pair, "&"), pair += *pair == '&') {
		const char *is = url_decode(arena, pair, strcspn(pair, "=&"), true);
		if (is && (strcmp(is, "user") == 0 || strcmp(is, "expires") == 0 || strcmp(is, "signature") == 0))
			has_ours = true;
		else if (*pair != '&' && !unknown)
			unknown = is ? is : "?";
	}
	*name = NULL;
	if (has_ours && is_signed(arena, conf, key, query, now, name))
		return LINK_GOOD;
	*name = has_ours ? NULL : unknown;
	return has_ours ? LINK_BAD : unknown ? LINK_UNKNOWN : LINK_NONE;
}

/* ---- names of downloads */

/* Code points that are invisible, or that change how others are shown. */
static bool
is_hidden(unsigned c)
{
	/* clang-format off */
	static const unsigned short ranges[][2] = {
		{ 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad },
		{ 0x61c, 0x61c }, { 0x180e, 0x180e },
		{ 0x200b, 0x200b }, { 0x200e, 0x200f },	/* not the two joiners, which spell words and emoji */
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff0, 0xfffb }, { 0xfffe, 0xffff },
	};
	/* clang-format on */

	for (size_t i = 0; i < COUNT(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return c >= 0xe0000 && c <= 0xe0fff;
}

/* Appends text in Windows-1254; bytes that it does not define become '_'. */
static void
put_turkish(struct buf *out, const char *s)
{
	iconv_t table = iconv_open("UTF-8", "WINDOWS-1254");

	for (; *s; s++) {
		char in = *s, sequence[8], *from = &in, *to = sequence;
		size_t from_left = 1, to_left = sizeof(sequence);
		if (table != (iconv_t)-1 && iconv(table, &from, &from_left, &to, &to_left) == 0)
			buf_put(out, sequence, (size_t)(to - sequence));
		else
			buf_putc(out, (unsigned char)in < 0x80 ? in : '_');
	}
	if (table != (iconv_t)-1)
		iconv_close(table);
}

/* The last segment of `given`, without hidden characters, and without dots and spaces at its ends: they hide it, or get lost. */
static const char *
shown_name(struct arena *arena, const char *given)
{
	struct buf text = { .arena = arena }, out = { .arena = arena };
	const char *slash;

	if (utf8_is_valid(given, strlen(given)))
		buf_puts(&text, given);
	else
		put_turkish(&text, given);
	const char *s = text.s, *end = s + strlen(s);
	while ((slash = strpbrk(s, "/\\")))
		s = slash + 1;
	buf_puts(&out, "");
	for (size_t n; s < end; s += n)
		if (!is_hidden((unsigned)utf8_first(s, (size_t)(end - s), &n)) && (out.length > 0 || (*s != ' ' && *s != '.')))
			buf_put(&out, s, n);
	while (out.length > 0 && (out.s[out.length - 1] == ' ' || out.s[out.length - 1] == '.'))
		out.s[--out.length] = '\0';
	return out.s;
}

/* The extension of a name from its dot on: up to 8 letters and digits, with a letter. The end of the name where it has none. */
static const char *
extension_of(const char *name)
{
	const char *end = name + strlen(name), *dot = strrchr(name, '.');
	bool has_letter = false;

	for (const char *c = dot ? dot + 1 : end; *c; c++) {
		if (!text_is_alpha(*c) && !text_is_digit(*c))
			return end;
		has_letter |= text_is_alpha(*c);
	}
	return dot && dot > name && has_letter && end - dot <= 9 ? dot : end;
}

static bool
is_extension(const char *dot, const struct media_info *info)
{
	return *dot &&
		(strcasecmp(dot + 1, info->extension) == 0 || (info->also[0] && strcasecmp(dot + 1, info->also[0]) == 0) ||
			(info->also[1] && strcasecmp(dot + 1, info->also[1]) == 0));
}

const char *
link_file_name(struct arena *arena, const char *given, enum media_type type)
{
	const struct media_info *info = media_info(type);
	const char *name = shown_name(arena, given), *dot;

	if (!*name)
		name = "file";
	dot = extension_of(name);
	if (info && !is_extension(dot, info)) {
		name = arena_copy(arena, name, (size_t)(dot - name));
		dot = extension_of(name); /* of a.png.exe */
		if (!is_extension(dot, info)) {
			name = arena_format(arena, "%s.%s", name, info->extension);
			dot = extension_of(name);
		}
	}
	size_t points = utf8_points(name, strlen(name)), ending = strlen(dot);
	if (points <= LINK_NAME_MAX)
		return name;
	return arena_format(arena, "%s%s", utf8_clip(arena, name, LINK_NAME_MAX - ending), dot);
}

/* attr-char of RFC 8187 section 3.2.1 */
static bool
is_attr_char(char c)
{
	return text_is_alpha(c) || text_is_digit(c) || text_is_among(c, "!#$&+-.^_`|~");
}

/*
 * For clients that do not know filename*: ASCII as it is, one _ for each other character, and for what a quoted-string would
 * have to escape, which some do not parse (RFC 6266 appendix D), as some take a % for an escape. True when nothing was replaced.
 */
static bool
put_plain(struct buf *buf, const char *name)
{
	bool same = true;

	for (const char *s = name; *s; s++) {
		bool plain = *s >= ' ' && *s < 0x7F && *s != '"' && *s != '\\' && *s != '%';
		same &= plain;
		if ((*s & 0xC0) != 0x80) /* not the rest of a character */
			buf_putc(buf, plain ? *s : '_');
	}
	return same;
}

void
link_put_disposition(struct buf *buf, bool is_inline, const char *name)
{
	buf_puts(buf, is_inline ? "inline; filename=\"" : "attachment; filename=\"");
	bool same = put_plain(buf, name);
	buf_putc(buf, '"');
	if (same)
		return;
	buf_puts(buf, "; filename*=UTF-8''");
	for (const char *s = name; *s; s++) {
		if (is_attr_char(*s))
			buf_putc(buf, *s);
		else
			buf_printf(buf, "%%%02X", (unsigned char)*s);
	}
}
