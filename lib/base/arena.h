/* arena - memory that lives as long as one request and is freed all at once. */
#ifndef OKUL_ARENA_H
#define OKUL_ARENA_H

#include "base.h"

#include <setjmp.h>

struct arena;

/* Makes an arena whose first block holds `first` bytes. Free it with arena_free(). NULL when memory is short. */
must_use struct arena *arena_new(size_t first);
void arena_free(struct arena *arena);

/*
 * `size` bytes, zeroed, aligned for any type, owned by the arena. Never NULL: when memory is short, this and the calls
 * below jump to the point of arena_on_exhausted(), or abort() where none is set.
 */
void *arena_alloc(struct arena *arena, size_t size);
/* The same, not zeroed. */
void *arena_raw(struct arena *arena, size_t size);
/* Takes the memory now for later allocations of `size` bytes in all, so that these do not fail. */
void arena_reserve(struct arena *arena, size_t size);

/* Copies of `length` bytes, or of a whole string; NUL-terminated. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);
char *arena_string(struct arena *arena, const char *string);
char *arena_format(struct arena *arena, const char *format, ...) printf_like(2, 3);

/* Frees all allocations. Keeps the first block; returns the others to the system, so that the process shrinks again. */
void arena_reset(struct arena *arena);

/* Where to jump when memory is short; NULL: nowhere. The buffer must outlive its use. */
void arena_on_exhausted(struct arena *arena, jmp_buf *where);

/* Bytes allocated since the last reset, for tests. */
size_t arena_used(const struct arena *arena);

#endif
