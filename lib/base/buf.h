/*
 * buf - growing buffers of bytes, and numbers as text.
 */
#ifndef OKUL_BUF_H
#define OKUL_BUF_H

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

/* Makes what was written behind the text, up to `end`, part of it. */
static inline void
buf_commit(struct buf *buf, char *end)
{
	*end = '\0';
	buf->length = (size_t)(end - buf->s);
}

void buf_printf(struct buf *buf, const char *format, ...) printf_like(2, 3);
void buf_int(struct buf *buf, int64_t number);
/* The shortest decimal text that reads back as the same double; "0" for what JSON has no word for. */
void buf_number(struct buf *buf, double number);
/* Empties it; gives back what is over `keep` bytes of room. */
void buf_reset(struct buf *buf, size_t keep);
void buf_clear(struct buf *buf);

#endif
