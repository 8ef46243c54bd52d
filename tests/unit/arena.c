#include "arena.h"
#include "unit.h"

#include <signal.h>
#include <stdalign.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

static void
memory_is_zeroed_aligned_and_apart(void **state)
{
	enum { N = 500 };
	struct arena *arena = arena_new(256);
	unsigned char *bytes[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		bytes[i] = arena_alloc(arena, i);
		assert_int_equal((uintptr_t)bytes[i] % alignof(max_align_t), 0);
		for (size_t at = 0; at < i; at++)
			assert_int_equal(bytes[i][at], 0);
		memset(bytes[i], (int)(i % 251), i);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t at = 0; at < i; at++)
			assert_int_equal(bytes[i][at], i % 251);
	assert_true(arena_used(arena) >= N * (N - 1) / 2);
	arena_free(arena);
}

static void
an_empty_allocation_has_an_address(void **state)
{
	struct arena *arena = arena_new(256);
	char *a = arena_alloc(arena, 0), *b = arena_alloc(arena, 0);

	(void)state;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	arena_free(arena);
}

static void
reset_starts_over_in_the_first_block(void **state)
{
	struct arena *arena = arena_new(1024);
	void *first = arena_alloc(arena, 64);

	(void)state;
	memset(first, 0xff, 64);
	memset(arena_alloc(arena, 100000), 0xff, 100000);
	arena_reset(arena);
	assert_int_equal(arena_used(arena), 0);
	assert_ptr_equal(arena_alloc(arena, 64), first);
	for (int i = 0; i < 64; i++)
		assert_int_equal(((char *)first)[i], 0);
	arena_free(arena);
}

static void
copies_are_nul_terminated(void **state)
{
	struct arena *arena = arena_new(16);
	char *text = arena_copy(arena, "ab\0cd", 5);

	(void)state;
	assert_memory_equal(text, "ab\0cd", 6);
	assert_string_equal(arena_copy(arena, NULL, 0), "");
	assert_string_equal(arena_string(arena, "okul"), "okul");
	text = arena_format(arena, "%s-%05d-%s", "a", 42, "b");
	assert_string_equal(text, "a-00042-b");
	assert_int_equal(strlen(arena_format(arena, "%5000d", 1)), 5000);
	arena_free(arena);
}

static void
exhaustion_jumps(void **state)
{
	struct arena *arena = arena_new(16);
	jmp_buf where;

	(void)state;
	arena_on_exhausted(arena, &where);
	if (setjmp(where) == 0) {
		arena_alloc(arena, SIZE_MAX - 8);
		fail();
	}
	if (setjmp(where) == 0) {
		arena_alloc(arena, PTRDIFF_MAX / 4);
		fail();
	}
	if (setjmp(where) == 0) {
		arena_reserve(arena, PTRDIFF_MAX / 4);
		fail();
	}
	/* The arena can still be used. */
	assert_string_equal(arena_string(arena, "after"), "after");
	arena_free(arena);
}

static void
reserved_memory_is_there_without_the_system(void **state)
{
	struct arena *arena = arena_new(16);
	struct rlimit all, none;
	jmp_buf where;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_DATA, &all), 0);
	arena_reserve(arena, 8 << 20);
	none = (struct rlimit){ 1, all.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_DATA, &none), 0);
	arena_on_exhausted(arena, &where);
	volatile bool short_of_memory = setjmp(where) != 0;
	for (int i = 0; !short_of_memory && i < 64; i++)
		arena_alloc(arena, 100 << 10);
	assert_int_equal(setrlimit(RLIMIT_DATA, &all), 0);
	assert_false(short_of_memory);
	arena_free(arena);
}

static void
exhaustion_without_a_jump_buffer_aborts(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct arena *arena = arena_new(16);

		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		arena_alloc(arena, SIZE_MAX - 8);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

#ifdef __SANITIZE_ADDRESS__
static void
an_overrun_is_detected(void **state)
{
	struct arena *arena = arena_new(1024);
	char *a = arena_alloc(arena, 13);

	(void)state;
	arena_alloc(arena, 1);
	assert_false(__asan_address_is_poisoned(a + 12));
	assert_true(__asan_address_is_poisoned(a + 13));
	arena_reset(arena);
	assert_true(__asan_address_is_poisoned(a));
	arena_free(arena);
}
#else
static long
resident_kib(void)
{
	FILE *file = fopen("/proc/self/statm", "r");
	long pages = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Twice: the first time raises the threshold above which malloc returns blocks by itself. */
static void
a_large_request_returns_its_memory(void **state)
{
	struct arena *arena = arena_new(16384);
	void *pins[2];
	long before = resident_kib();

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 16 * 1024; i++)
			memset(arena_alloc(arena, 1000), 1, 1000);
		pins[round] = malloc(1000);	/* keeps the heap from shrinking */
		assert_true(resident_kib() - before > 15 * 1024);
		arena_reset(arena);
		assert_true(resident_kib() - before < 2 * 1024);
	}
	free(pins[0]);
	free(pins[1]);
	arena_free(arena);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zeroed_aligned_and_apart),
		cmocka_unit_test(an_empty_allocation_has_an_address),
		cmocka_unit_test(reset_starts_over_in_the_first_block),
		cmocka_unit_test(copies_are_nul_terminated),
		cmocka_unit_test(exhaustion_jumps),
		cmocka_unit_test(reserved_memory_is_there_without_the_system),
		cmocka_unit_test(exhaustion_without_a_jump_buffer_aborts),
#ifdef __SANITIZE_ADDRESS__
		cmocka_unit_test(an_overrun_is_detected),
#else
		cmocka_unit_test(a_large_request_returns_its_memory),
#endif
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
