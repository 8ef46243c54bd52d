/*
 * encode - bytes as hex and base64url, and back; text for HTML.
 */
#ifndef OKUL_ENCODE_H
#define OKUL_ENCODE_H

#include "base.h"
#include "buf.h"

void encode_hex(struct buf *buf, const void *bytes, size_t length);
/* Text for HTML: & < > " ' escaped. */
void encode_html(struct buf *buf, const char *string);
/* Base64url without padding (RFC 4648 section 5). Encoding appends; decoding gives the count, or -1 when malformed. */
void encode_base64url(struct buf *buf, const void *bytes, size_t length);
ptrdiff_t decode_base64url(void *out, size_t room, const char *s, size_t length);
/* The value of a hex digit; -1 for any other character. */
int decode_hex_digit(char c);
/* 2n hex digits to n bytes; false when malformed. */
bool decode_hex(void *out, size_t n, const char *hex);

#endif
