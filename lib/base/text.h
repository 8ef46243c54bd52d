/* text - short texts: case, what they consist of, integers. */
#ifndef OKUL_TEXT_H
#define OKUL_TEXT_H

#include "base.h"

#define TEXT_DIGITS "0123456789"
#define TEXT_ALPHA "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* These change a string in place: CR LF to LF, A-Z to lower case, a-z to upper case. */
void text_unify_lines(char *s);
void text_lower(char *s);
void text_upper(char *s);
/* True when every byte is an ASCII digit, and there is at least one. */
bool text_is_digits(const char *s);
/* True for a file name that is safe in a path: one or more of a-z A-Z 0-9 . _ -, but neither . nor .. */
bool text_is_key(const char *s);
/* True for exactly 24 lower-case hex digits. */
bool text_is_id(const char *s);
/* Writes an error message into `why`, truncated to its room. Returns false, for `return text_complain(...)`. */
bool text_complain(char *why, size_t room, const char *format, ...) printf_like(3, 4);
/* Parses the whole string as a decimal integer in [min, max]; false when it is something else. */
bool text_to_int(const char *s, int64_t min, int64_t max, int64_t *out);

/* ASCII only, in any locale. */
static inline bool text_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool text_is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
/* True for a character of the string `set`; NUL is in none. */
static inline bool text_is_among(char c, const char *set) { return c != '\0' && strchr(set, c); }

#endif
