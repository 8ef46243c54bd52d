#include "arena.h"

#include <malloc.h>
#include <stdalign.h>
#include <stdarg.h>

/* Under AddressSanitizer, memory not yet handed out is poisoned, so that overruns are reported. */
#if defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#endif

#ifdef POISONED
#include <sanitizer/asan_interface.h>
#define GAP 16
#define poison(bytes, size) ASAN_POISON_MEMORY_REGION(bytes, size)
#define unpoison(bytes, size) ASAN_UNPOISON_MEMORY_REGION(bytes, size)
#else
#define GAP 0
#define poison(bytes, size) ((void)(bytes), (void)(size))
#define unpoison(bytes, size) ((void)(bytes), (void)(size))
#endif

#define BLOCK_LEAST 16384
#define BLOCK_MOST (1 << 20)
/* From this size on, malloc_trim(), which returns the pages to the system, is worth its time. */
#define TRIM_FROM (1 << 20)

struct block {
	struct block *below;
	size_t room, used;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *top; /* the block that is being filled */
	struct block *first;
	size_t used;
	jmp_buf *exhausted;
};

static struct block *
block_new(size_t room, struct block *below)
{
	struct block *block = malloc(sizeof(*block) + room);

	if (!block)
		return NULL;
	block->below = below;
	block->room = room;
	block->used = 0;
	poison(block->bytes, room);
	return block;
}

static void
block_free(struct block *block)
{
	unpoison(block->bytes, block->room);
	free(block);
}

struct arena *
arena_new(size_t first)
{
	struct arena *arena = malloc(sizeof(*arena));

	if (!arena)
		return NULL;
	arena->first = arena->top = block_new(first, NULL);
	arena->used = 0;
	arena->exhausted = NULL;
	if (!arena->first) {
		free(arena);
		return NULL;
	}
	return arena;
}

void
arena_free(struct arena *arena)
{
	if (!arena)
		return;
	arena_reset(arena);
	block_free(arena->first);
	free(arena);
}

/* Adds a block of at least `size` bytes; blocks double, so that there are few. NULL when memory is short. */
static struct block *
arena_grow(struct arena *arena, size_t size)
{
	size_t room = arena->top->room * 2;
	struct block *block;

	if (room < BLOCK_LEAST)
		room = BLOCK_LEAST;
	if (room > BLOCK_MOST)
		room = BLOCK_MOST;
	if (room < size)
		room = size;
	block = block_new(room, arena->top);
	if (block)
		arena->top = block;
	return block;
}

static void no_return
exhausted(struct arena *arena)
{
	if (arena->exhausted)
		longjmp(*arena->exhausted, 1);
	abort();
}

void *
arena_raw(struct arena *arena, size_t size)
{
	const size_t unit = alignof(max_align_t);
	struct block *block = arena->top;
	size_t whole;
	char *bytes;

	if (size > PTRDIFF_MAX / 2)
		exhausted(arena);
	/* An allocation of no bytes has a unique address, too. */
	whole = (size + (size == 0) + GAP + unit - 1) / unit * unit;
	if (whole > block->room - block->used && !(block = arena_grow(arena, whole)))
		exhausted(arena);
	bytes = block->bytes + block->used;
	unpoison(bytes, size);
	block->used += whole;
	arena->used += whole;
	return bytes;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	return memset(arena_raw(arena, size), 0, size);
}

void
arena_reserve(struct arena *arena, size_t size)
{
	if (size > arena->top->room - arena->top->used && !arena_grow(arena, size))
		exhausted(arena);
}

char *
arena_copy(struct arena *arena, const char *bytes, size_t length)
{
	char *copy = arena_raw(arena, length + 1);

	if (length)
		memcpy(copy, bytes, length);
	copy[length] = '\0';
	return copy;
}

char *
arena_string(struct arena *arena, const char *string)
{
	return arena_copy(arena, string, strlen(string));
}

char *
arena_format(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return arena_string(arena, "");
	text = arena_raw(arena, (size_t)length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

void
arena_reset(struct arena *arena)
{
	size_t freed = 0;

	while (arena->top != arena->first) {
		struct block *block = arena->top;

		arena->top = block->below;
		freed += block->room;
		block_free(block);
	}
	if (freed >= TRIM_FROM)
		malloc_trim(0);
	arena->first->used = 0;
	arena->used = 0;
	poison(arena->first->bytes, arena->first->room);
}

void
arena_on_exhausted(struct arena *arena, jmp_buf *where)
{
	arena->exhausted = where;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}
