/*
 * arena - memory that lives as long as one request and is given back all at once.
 */
#ifndef OKUL_ARENA_H
#define OKUL_ARENA_H

#include "base.h"

#include <setjmp.h>

struct arena;

/*
 * Makes an arena whose first block holds `first` bytes. Give it back with arena_free().
 * Gives NULL when memory is short.
 */
must_use struct arena *arena_new(size_t first);
void arena_free(struct arena *arena);

/*
 * `size` bytes, zeroed, aligned for any type, owned by the arena. Never gives NULL: when memory is short it
 * jumps to the point set with arena_on_exhausted(), or ends the process with abort() where none is set.
 */
void *arena_alloc(struct arena *arena, size_t size);

/* The same, but gives NULL when memory is short and does not zero: for libraries that take an allocator. */
void *arena_try(struct arena *arena, size_t size);

/* Copies of `length` bytes, or of a whole string, with a NUL behind. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);
char *arena_string(struct arena *arena, const char *string);
char *arena_format(struct arena *arena, const char *format, ...) printf_like(2, 3);

/*
 * Forgets all that was allocated. Keeps the first block; larger ones go back to the system, so that one large
 * request does not make a worker large for ever.
 */
void arena_reset(struct arena *arena);

/* Where to go when memory is short. NULL clears it. The buffer must outlive its use. */
void arena_on_exhausted(struct arena *arena, jmp_buf *where);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *arena);

#endif
