#include "encode.h"

/* ---- writing */

void
encode_hex(struct buf *buf, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	char *out = length > PTRDIFF_MAX / 2 ? NULL : buf_room(buf, length * 2);

	if (!out) {
		buf->failed = true;
		return;
	}
	for (size_t i = 0; i < length; i++) {
		*out++ = "0123456789abcdef"[in[i] >> 4];
		*out++ = "0123456789abcdef"[in[i] & 15];
	}
	buf_commit(buf, out);
}

void
encode_html(struct buf *buf, const char *string)
{
	for (;;) {
		size_t run = strcspn(string, "&<>\"'");

		buf_put(buf, string, run);
		string += run;
		switch (*string++) {
		case '&':
			buf_puts(buf, "&amp;");
			break;
		case '<':
			buf_puts(buf, "&lt;");
			break;
		case '>':
			buf_puts(buf, "&gt;");
			break;
		case '"':
			buf_puts(buf, "&quot;");
			break;
		case '\'':
			buf_puts(buf, "&#39;");
			break;
		default:
			return;
		}
	}
}

/* ---- base64url */

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
encode_base64url(struct buf *buf, const void *bytes, size_t length)
{
	const unsigned char *in = bytes;
	char *out = length > PTRDIFF_MAX / 2 ? NULL : buf_room(buf, (length * 4 + 2) / 3);

	if (!out) {
		buf->failed = true;
		return;
	}
	for (; length > 0; in += 3) {
		size_t taken = length < 3 ? length : 3;
		uint32_t bits = 0;

		for (size_t i = 0; i < taken; i++)
			bits |= (uint32_t)in[i] << (16 - 8 * i);
		for (size_t i = 0; i <= taken; i++)
			*out++ = base64url[bits >> (18 - 6 * i) & 63];
		length -= taken;
	}
	buf_commit(buf, out);
}

static int
base64url_worth(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

ptrdiff_t
decode_base64url(void *out, size_t room, const char *s, size_t length)
{
	const size_t count = length / 4 * 3 + (length % 4 > 0 ? length % 4 - 1 : 0);
	unsigned char *bytes = out;
	uint32_t bits = 0;
	int held = 0;

	if (length % 4 == 1 || count > room)
		return -1;
	for (size_t i = 0; i < length; i++) {
		int worth = base64url_worth(s[i]);

		if (worth < 0)
			return -1;
		bits = bits << 6 | (uint32_t)worth;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*bytes++ = (unsigned char)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	/* Bits left over must be zero, else several texts would decode to the same bytes (RFC 4648 section 3.5). */
	return bits == 0 ? (ptrdiff_t)count : -1;
}

/* ---- hex */

int
decode_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
decode_hex(void *out, size_t n, const char *hex)
{
	unsigned char *bytes = out;

	for (size_t i = 0; i < n; i++) {
		int high = decode_hex_digit(hex[2 * i]);
		int low = high < 0 ? -1 : decode_hex_digit(hex[2 * i + 1]);

		if (low < 0)
			return false;
		bytes[i] = (unsigned char)(high * 16 + low);
	}
	return hex[2 * n] == '\0';
}
