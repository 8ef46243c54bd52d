#include "sigv4.h"

#include "encode.h"
#include "random.h"
#include "text.h"

#include <time.h>

void
sigv4_escape(struct buf *out, const char *value)
{
	for (; *value; value++) {
		if (strchr(TEXT_ALPHA TEXT_DIGITS "-_.~", *value))
			buf_putc(out, *value);
		else
			buf_printf(out, "%%%02X", (unsigned char)*value);
	}
}

/* The signature of `text` by a key that is derived from the secret for the day, region and service. */
static void
put_signature(struct buf *out, const struct sigv4 *by, const char *date, const char *text)
{
	const char *const steps[] = { date, by->region, "s3", "aws4_request", text };
	unsigned char key[MAC_BYTES];
	struct buf first = { .arena = out->arena };

	buf_printf(&first, "AWS4%s", by->secret);
	secret_hmac(key, first.s ? first.s : "", first.length, steps[0], strlen(steps[0]));
	for (size_t i = 1; i < COUNT(steps); i++)
		secret_hmac(key, key, sizeof(key), steps[i], strlen(steps[i]));
	encode_hex(out, key, sizeof(key));
	if (first.s)
		secret_wipe(first.s, first.length);
	buf_clear(&first);
}

void
sigv4_presign(struct buf *out, const struct sigv4 *by, const char *path, const struct sigv4_parameter *more, size_t count,
	int64_t now, int life)
{
	struct buf query = { .arena = out->arena }, canonical = { .arena = out->arena }, text = { .arena = out->arena };
	char stamp[17], date[9];
	unsigned char hash[32];
	struct secret_hash_state state;
	struct tm tm;
	time_t seconds = (time_t)now;

	gmtime_r(&seconds, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	strftime(date, sizeof(date), "%Y%m%d", &tm);
	buf_puts(&query, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
	sigv4_escape(&query, by->key_id);
	buf_printf(&query, "%%2F%s%%2F%s%%2Fs3%%2Faws4_request&X-Amz-Date=%s&X-Amz-Expires=%d&X-Amz-SignedHeaders=host", date,
		by->region, stamp, life);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&query, "&%s=", more[i].name);
		sigv4_escape(&query, more[i].value);
	}
	buf_printf(&canonical, "GET\n%s\n%s\nhost:%s\n\nhost\nUNSIGNED-PAYLOAD", path, query.s, by->host);
	secret_hash_begin(&state);
	secret_hash_add(&state, canonical.s, canonical.length);
	secret_hash_end(&state, hash);
	buf_printf(&text, "AWS4-HMAC-SHA256\n%s\n%s/%s/s3/aws4_request\n", stamp, date, by->region);
	encode_hex(&text, hash, sizeof(hash));
	buf_printf(out, "%s?%s&X-Amz-Signature=", path, query.s);
	put_signature(out, by, date, text.s);
	buf_clear(&query);
	buf_clear(&canonical);
	buf_clear(&text);
}
