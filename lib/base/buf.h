/* buf - growing buffers of bytes, and numbers as text. */
#ifndef OKUL_BUF_H
#define OKUL_BUF_H

#include "arena.h"

/*
 * A growing string. With an arena, it grows there, and never fails, like arena_alloc(). Without one, it grows by
 * realloc() and must be cleared; when memory is short, it sets `failed` and drops what was to be appended: check once,
 * at the end.
 */
struct buf {
	char *s;		/* NUL-terminated; NULL before anything was appended */
	size_t length, room;
	struct arena *arena;
	bool failed;
};

/* The slow path of buf_room(). */
char *buf_grow(struct buf *buf, size_t length);

/* Where the text ends, with room for `length` bytes and a NUL; NULL (and `failed`) when memory is short. */
static inline char *
buf_room(struct buf *buf, size_t length)
{
	return buf->room - buf->length > length ? buf->s + buf->length : buf_grow(buf, length);
}

/* Appends bytes; sets `failed` when memory is short, as those below do. */
static inline void
buf_put(struct buf *buf, const void *bytes, size_t length)
{
	char *out = buf_room(buf, length);

	if (!out)
		return;
	if (length)
		memcpy(out, bytes, length);
	out[length] = '\0';
	buf->length += length;
}

/* A string without its NUL. */
static inline void
buf_puts(struct buf *buf, const char *string)
{
	buf_put(buf, string, strlen(string));
}

/* One byte. */
static inline void
buf_putc(struct buf *buf, char c)
{
	buf_put(buf, &c, 1);
}

/* Appends what was written into buf_room(), up to `end`. */
static inline void
buf_commit(struct buf *buf, char *end)
{
	*end = '\0';
	buf->length = (size_t)(end - buf->s);
}

/* Text by a format of printf(), and a decimal number. */
void buf_printf(struct buf *buf, const char *format, ...) printf_like(2, 3);
void buf_int(struct buf *buf, int64_t number);
/* The shortest decimal text that parses to the same double; "0" for infinity and NaN, which JSON lacks. */
void buf_number(struct buf *buf, double number);
/* Empties it, and frees the room above `keep` bytes. */
void buf_reset(struct buf *buf, size_t keep);
void buf_clear(struct buf *buf);

#endif
