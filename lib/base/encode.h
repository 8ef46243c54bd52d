/* encode - bytes as hex and base64url, and back; percent escapes; text for HTML. Encoding appends. */
#ifndef OKUL_ENCODE_H
#define OKUL_ENCODE_H

#include "buf.h"

/* Escapes & < > " and '. */
void encode_html(struct buf *buf, const char *string);
void encode_hex(struct buf *buf, const void *bytes, size_t length);
/* 2n hex digits to n bytes; false when malformed. */
bool decode_hex(void *out, size_t n, const char *hex);
/* The byte of the percent escape (%2F, RFC 3986 section 2.1) that a string begins with; -1 when it begins with none. */
int decode_percent(const char *s);
/* Base64url without padding (RFC 4648 section 5). Decoding returns the number of bytes; -1 if malformed or too long. */
void encode_base64url(struct buf *buf, const void *bytes, size_t length);
ptrdiff_t decode_base64url(void *out, size_t room, const char *s, size_t length);

#endif
