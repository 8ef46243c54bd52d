/*
 * text - growing buffers, JSON and hex writing, UTF-8, e-mail addresses, percent-decoding.
 */
#ifndef OKUL_TEXT_H
#define OKUL_TEXT_H

#include "arena.h"
#include "base.h"

/*
 * A growing string. With an arena it grows there, and as arena_alloc() does never fails; without one it grows by realloc
 * and must be cleared: a failed growth sets `failed` and drops what was to be added. Look once, at the end.
 */
struct buf {
	char *s;		/* NUL-terminated once anything was put */
	size_t length, room;
	struct arena *arena;
	bool failed;
};

/* At least `length` bytes of room, and one for the NUL, behind the text; NULL (and `failed`) when memory is short. */
char *buf_room(struct buf *buf, size_t length);

static inline void
buf_put(struct buf *buf, const void *bytes, size_t length)
{
	char *out = buf->room - buf->length > length ? buf->s + buf->length : buf_room(buf, length);

	if (!out)
		return;
	if (length)
		memcpy(out, bytes, length);
	out[length] = '\0';
	buf->length += length;
}

static inline void
buf_puts(struct buf *buf, const char *string)
{
	buf_put(buf, string, strlen(string));
}

static inline void
buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *format, ...) printf_like(2, 3);
void buf_int(struct buf *buf, int64_t number);
/* The shortest decimal text that reads back as the same double; "0" for what JSON has no word for. */
void buf_number(struct buf *buf, double number);
/* A JSON string with its quotes (RFC 8259 section 7). The bytes must be UTF-8. */
void buf_json(struct buf *buf, const char *string, size_t length);
void buf_hex(struct buf *buf, const void *bytes, size_t length);
/* Text for HTML: & < > " ' escaped. */
void buf_html(struct buf *buf, const char *string);
/*
 * Text of anybody's for a terminal or a log: what would move the cursor, change the direction of writing or end the line is
 * written \x1b, \u202e (text_is_control()), and so is each byte that is no UTF-8.
 */
void buf_visible(struct buf *buf, const char *s, size_t length);
/* Empties it; gives back what is over `keep` bytes of room. */
void buf_reset(struct buf *buf, size_t keep);
void buf_clear(struct buf *buf);

/* True for well-formed UTF-8 (RFC 3629): no overlong forms, surrogates or code points over U+10FFFF. */
bool text_is_utf8(const char *bytes, size_t length);
/* Bytes (1 to 4) of the well-formed UTF-8 sequence that [s, s + left) begins with; 0 when it begins with none. */
size_t text_utf8_sequence(const char *s, size_t left);
/* The code point of a well-formed sequence of `length` bytes. */
uint32_t text_code_point(const char *s, size_t length);
/*
 * True for a well-formed sequence of `length` bytes that is a control character (C0, DEL, C1), a line or paragraph separator, or one
 * that changes the direction of text (UAX #9): nothing to show to people as it is.
 */
bool text_is_control(const char *s, size_t length);
/* Code points in well-formed UTF-8. */
size_t text_points(const char *bytes, size_t length);
/* At most `points` code points of well-formed UTF-8; the text itself when it is no longer, NULL for NULL. */
const char *text_clip(struct arena *arena, const char *s, size_t points);
/*
 * Appends the form in which texts are searched and sorted: Unicode's compatibility decomposition and case folding without
 * accents, so that İ I ı i are one letter, as are ş and s, ς and σ, й and и, and ß is ss; letters that do not decompose
 * as they are typed without their key (ø o, ł l, đ d, æ ae, þ th); white space as spaces; nothing of what is invisible.
 * Bytes that are no UTF-8 are left out.
 *
 * What is stored in this form stays good when the library's Unicode grows: for characters that it knows, decomposition and
 * case folding never change (Unicode Character Encoding Stability Policies). Even so an index that must be told what it
 * holds is told the stored text, not a new folding.
 */
void buf_fold(struct buf *buf, const char *s, size_t length);
/*
 * The words of a search, folded, with a space between, for SQL_HAS_WORDS() of sql.h; each once, and none that is a part of another.
 * NULL for a text that is NULL or holds none.
 */
const char *text_words(struct arena *arena, const char *s);
/*
 * The same words as a query of FTS5 that all of them must match, for an index of three-letter pieces. NULL for no words, and
 * where one is too short for such an index.
 */
const char *text_match(struct arena *arena, const char *s);
/* True where a folded text holds every one of such words. */
bool text_has_words(const char *text, size_t length, const char *words, size_t words_length);
/* Appends those words, with a space between, that it does not hold. */
void text_words_left(struct buf *left, const char *text, size_t length, const char *words, size_t words_length);
/* Narrows [*s, *s + *length) past white space (Unicode's White_Space) and invisible characters at both ends. */
void text_trim(const char **s, size_t *length);
/* Makes, in place, LF of each CR LF. */
void text_unify_lines(char *s);
/*
 * Takes out, in place, what sets the direction of a part of a text (UAX 9 section 2: embeddings, overrides, isolates): in one
 * line, which programs put beside others, it makes things look as if they stood elsewhere.
 */
void text_drop_directions(char *s);
/* True where well-formed UTF-8 holds a control character (category Cc) that is not among those of ASCII in `but`. */
bool text_has_control(const char *s, const char *but);
/* Folds A-Z in place, or a-z. */
void text_lower(char *s);
void text_upper(char *s);
/* True when every byte is an ASCII digit (and there is at least one). */
bool text_is_digits(const char *s);
/* A name that fits into a path as it is: letters a-z A-Z, digits, and . _ - (at least one), but neither . nor .. */
bool text_is_key(const char *s);
/* 24 lower-case hex digits, exactly. */
bool text_is_id(const char *s);
/*
 * A mail address that we are willing to send to: the dot-string form of RFC 5321 section 4.1.2, at most 254 bytes, its
 * domain of at least two labels, the last of them no number.
 */
bool text_is_email(const char *s);
#define EMAIL_TEXT 255		/* a mail address and a NUL (RFC 5321 section 4.5.3.1.3) */
/*
 * The mailbox behind a good address in lower case, for limits only: all addresses that providers deliver to one mailbox give
 * the same text. What stands behind a + is left out, and at Gmail the dots; googlemail.com is Gmail.
 */
void text_mailbox(char out[static EMAIL_TEXT], const char *email);
/* http or https URL without user name, or a path of this site that starts with one '/'; only characters of RFC 3986. */
bool text_is_url(const char *s);

/*
 * Percent-decodes [s, s + length) into the arena (RFC 3986 section 2.1); `plus` also turns '+' into a space.
 * Gives NULL for a malformed escape, an escaped NUL, or bytes that are no UTF-8.
 */
char *text_percent_decode(struct arena *arena, const char *s, size_t length, bool plus);

/* Writes a reason for people into `why`, cut to its room; gives false, for `return text_complain(...)`. */
bool text_complain(char *why, size_t room, const char *format, ...) printf_like(3, 4);

/* Base64url without padding (RFC 4648 section 5). Encoding appends; decoding gives the count, or -1 when malformed. */
void buf_base64url(struct buf *buf, const void *bytes, size_t length);
ptrdiff_t text_base64url_decode(void *out, size_t room, const char *s, size_t length);
/* 2n hex digits to n bytes; false when malformed. */
bool text_hex_decode(void *out, size_t n, const char *hex);

/* The whole of a decimal integer within [min, max]; false otherwise. */
bool text_to_int(const char *s, int64_t min, int64_t max, int64_t *out);

#endif
