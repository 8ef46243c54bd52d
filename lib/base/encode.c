#include "encode.h"

#include <sodium.h>

void
encode_html(struct buf *buf, const char *string)
{
	static const char special[] = "&<>\"'";
	static const char *const escapes[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };

	for (;;) {
		size_t run = strcspn(string, special);

		buf_put(buf, string, run);
		string += run;
		if (!*string)
			return;
		buf_puts(buf, escapes[strchr(special, *string++) - special]);
	}
}

void
encode_hex(struct buf *buf, const void *bytes, size_t length)
{
	char *out = length > PTRDIFF_MAX / 2 ? NULL : buf_room(buf, length * 2);

	if (!out) {
		buf->failed = true;
		return;
	}
	sodium_bin2hex(out, length * 2 + 1, bytes, length);
	buf->length += length * 2;
}

/* -1: not a hexadecimal digit. */
static int
digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* Not sodium_hex2bin(), which takes three times as long and is made for secrets: a body holds an id for each answer. */
bool
decode_hex(void *out, size_t n, const char *hex)
{
	unsigned char *bytes = out;

	for (size_t i = 0; i < n; i++) {
		int high = digit_of(hex[2 * i]), low = high < 0 ? -1 : digit_of(hex[2 * i + 1]);
		if (low < 0)
			return false;
		bytes[i] = (unsigned char)(high * 16 + low);
	}
	return hex[2 * n] == '\0';
}

int
decode_percent(const char *s)
{
	unsigned char byte;

	return s[0] == '%' && s[1] && decode_hex(&byte, 1, (const char[]){ s[1], s[2], '\0' }) ? byte : -1;
}

void
encode_base64url(struct buf *buf, const void *bytes, size_t length)
{
	size_t written = (length * 4 + 2) / 3;
	char *out = length > PTRDIFF_MAX / 2 ? NULL : buf_room(buf, written);

	if (!out) {
		buf->failed = true;
		return;
	}
	sodium_bin2base64(out, written + 1, bytes, length, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	buf->length += written;
}

ptrdiff_t
decode_base64url(void *out, size_t room, const char *s, size_t length)
{
	size_t count;

	/* libsodium 1.0.18 takes some bytes above 0x7f for letters. */
	for (size_t i = 0; i < length; i++)
		if (s[i] & 0x80)
			return -1;
	if (sodium_base642bin(out, room, s, length, NULL, &count, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return -1;
	return (ptrdiff_t)count;
}
