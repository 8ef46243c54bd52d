#include "link.h"

#include "clock.h"
#include "random.h"

/* ---- signed addresses */

#define EXPIRES "expires="	/* what stands before it is the same in each address of a file for a user */

/* `user` NULL: the address names nobody. */
static void
sign(const struct conf *conf, const char *key, const char *expires, const char *user, unsigned char mac[static MAC_BYTES])
{
	const struct part parts[] = { PART("storage file"), PART(key), PART(expires), PART(user ? user : "") };

	secret_mac(mac, conf->link_key, parts, user ? COUNT(parts) : COUNT(parts) - 1);
}

const char *
link_url(struct arena *arena, const struct conf *conf, const char *key, bool is_public, int64_t now)
{
	return is_public ? arena_format(arena, "%s/storage/files/%s", conf->base_url, key) :
		link_url_for(arena, conf, key, NULL, now);
}

const char *
link_url_for(struct arena *arena, const struct conf *conf, const char *key, const char *user, int64_t now)
{
	const char *expires = arena_format(arena, "%lld", (long long)(now / SECOND + LINK_LIFE));
	unsigned char mac[MAC_BYTES];
	struct buf url = { .arena = arena };

	sign(conf, key, expires, user, mac);
	buf_printf(&url, "%s/storage/files/%s?", conf->base_url, key);
	if (user)
		buf_printf(&url, "user=%s&", user);
	buf_printf(&url, EXPIRES "%s&signature=", expires);
	buf_hex(&url, mac, sizeof(mac));
	return url.s;
}

const char *
link_fleeting(const char *url)
{
	const char *query = strchr(url, '?'), *fleeting = query ? strstr(query, EXPIRES) : NULL;

	return fleeting ? fleeting : url + strlen(url);
}

struct signature { const char *expires, *user, *signature; bool bad; };

/* One name=value. Gives the name where it is none of ours. */
static const char *
take(struct arena *arena, const char *pair, size_t length, struct signature *out)
{
	const char *equals = memchr(pair, '=', length);
	size_t name_length = equals ? (size_t)(equals - pair) : length;
	const char *name = text_percent_decode(arena, pair, name_length, true);
	const char *value = equals ? text_percent_decode(arena, equals + 1, length - name_length - 1, true) : "";
	const char **place;

	if (name && strcmp(name, "expires") == 0)
		place = &out->expires;
	else if (name && strcmp(name, "user") == 0)
		place = &out->user;
	else if (name && strcmp(name, "signature") == 0)
		place = &out->signature;
	else
		return name ? name : "?";
	out->bad |= *place || !value;
	*place = value ? value : "";
	return NULL;
}

static bool
is_signed(const struct conf *conf, const char *key, const struct signature *s, int64_t now)
{
	unsigned char given[MAC_BYTES], right[MAC_BYTES];
	int64_t expires;

	if (!s->expires || !s->signature || !text_to_int(s->expires, 0, INT64_MAX / SECOND, &expires) ||
	    strlen(s->signature) != 2 * MAC_BYTES || !text_hex_decode(given, MAC_BYTES, s->signature))
		return false;
	sign(conf, key, s->expires, s->user, right);
	/* One that lives longer than any signed now is of a clock that was set back since. */
	int64_t left = expires * SECOND - now;
	return secret_equal(given, right, MAC_BYTES) && left > 0 && left <= LINK_LIFE * SECOND + CLOCK_SLACK;
}

enum link_state
link_check(struct arena *arena, const struct conf *conf, const char *key, const char *query, int64_t now,
	const char **name)
{
	struct signature s = { 0 };

	while (query && *query) {
		size_t length = strcspn(query, "&");
		if (length > 0 && (*name = take(arena, query, length, &s)))
			return LINK_UNKNOWN;
		query += length + (query[length] == '&');
	}
	*name = NULL;
	if (!s.expires && !s.user && !s.signature)
		return LINK_NONE;
	if (s.bad || !is_signed(conf, key, &s, now))
		return LINK_BAD;
	*name = s.user;
	return LINK_GOOD;
}

/* ---- what a download is called */

/* attr-char of RFC 8187 section 3.2.1 */
static bool
is_attr_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$&+-.^_`|~", c));
}

/*
 * For those who do not know filename*: ASCII as it is, one _ for each other character. What a quoted-string would have to
 * escape is not understood everywhere (RFC 6266 appendix D), and a % is taken for an escape by some.
 */
static bool
put_plain(struct buf *buf, const char *name)
{
	bool same = true;

	for (const char *s = name; *s; s++) {
		bool plain = *s >= ' ' && *s < 0x7F && *s != '"' && *s != '\\' && *s != '%';
		same &= plain;
		if ((*s & 0xC0) != 0x80)	/* not the rest of a character */
			buf_putc(buf, plain ? *s : '_');
	}
	return same;
}

void
buf_disposition(struct buf *buf, bool is_inline, const char *name)
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
