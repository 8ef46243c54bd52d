/*
 * text - short texts: case, what they consist of, integers.
 */
#ifndef OKUL_TEXT_H
#define OKUL_TEXT_H

#include "base.h"

/* Makes, in place, LF of each CR LF. */
void text_unify_lines(char *s);
/* Folds A-Z in place, or a-z. */
void text_lower(char *s);
void text_upper(char *s);
/* True when every byte is an ASCII digit (and there is at least one). */
bool text_is_digits(const char *s);
/* A name that fits into a path as it is: letters a-z A-Z, digits, and . _ - (at least one), but neither . nor .. */
bool text_is_key(const char *s);
/* 24 lower-case hex digits, exactly. */
bool text_is_id(const char *s);
/* Writes a reason for people into `why`, cut to its room; gives false, for `return text_complain(...)`. */
bool text_complain(char *why, size_t room, const char *format, ...) printf_like(3, 4);

/* The whole of a decimal integer within [min, max]; false otherwise. */
bool text_to_int(const char *s, int64_t min, int64_t max, int64_t *out);

/* Of ASCII, whatever the locale says. */
static inline bool text_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool text_is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
/* True when the character is one of a set; NUL is in none. */
static inline bool text_is_among(char c, const char *set) { return c != '\0' && strchr(set, c); }

#endif
