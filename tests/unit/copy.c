#include "copy.h"

#include "db_admin.h"
#include "unit.h"
#include "utf8.h"

#include <dirent.h>
#include <unistd.h>

static struct arena *arena;

/* ---- parsing */

static void
a_title_is_parsed(void **state)
{
	static const struct { const char *title; const char *stem; int64_t number; } cases[] = {
		{ "X", "X", 0 }, { "", "", 0 }, { "Türkçe A1", "Türkçe A1", 0 },
		{ "X (copy)", "X", 1 }, { "X (kopya)", "X", 1 }, { "X (copia)", "X", 1 }, { "X (Kopie)", "X", 1 },
		{ "X (copy 2)", "X", 2 }, { "X (kopya 10)", "X", 10 }, { "X (copia 999999)", "X", 999999 },
		{ "X (copy 1)", "X", 1 }, { "X (COPY 2)", "X", 2 }, { "X (kopie)", "X", 1 },
		{ "X (a) (copy)", "X (a)", 1 }, { "X (copy) (copy 3)", "X (copy)", 3 }, { "(copy) (copy)", "(copy)", 1 },
		{ "😀 (copy)", "😀", 1 },
		/* no endings of copies */
		{ "(copy)", "(copy)", 0 }, { " (copy)", " (copy)", 0 }, { "X(copy)", "X(copy)", 0 },
		{ "X (copy", "X (copy", 0 }, { "X copy)", "X copy)", 0 }, { "X ()", "X ()", 0 }, { "X (", "X (", 0 },
		{ ")", ")", 0 }, { "X (copy) ", "X (copy) ", 0 }, { "X ( copy)", "X ( copy)", 0 },
		{ "X (copy )", "X (copy )", 0 }, { "X (copy2)", "X (copy2)", 0 }, { "X (copy  2)", "X (copy  2)", 0 },
		{ "X (copy 0)", "X (copy 0)", 0 }, { "X (copy 02)", "X (copy 02)", 0 }, { "X (copy -2)", "X (copy -2)", 0 },
		{ "X (copy +2)", "X (copy +2)", 0 }, { "X (copy 2a)", "X (copy 2a)", 0 }, { "X (copy 2.5)", "X (copy 2.5)", 0 },
		{ "X (copy 1000000)", "X (copy 1000000)", 0 }, { "X (copy 18446744073709551617)", "X (copy 18446744073709551617)", 0 },
		{ "X (copyright)", "X (copyright)", 0 }, { "X (part 2)", "X (part 2)", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct copy copy = copy_of(cases[i].title);

		check(copy.length == strlen(cases[i].stem) && strncmp(copy.stem, cases[i].stem, copy.length) == 0, cases[i].title);
		check(copy.number == cases[i].number, cases[i].title);
	}
}

/* ---- formatting */

static const char *
title(const char *stem, int64_t number, enum language language, size_t points)
{
	return copy_title(arena, &(struct copy){ stem, strlen(stem), number }, language, points);
}

static void
a_copy_has_a_title_in_each_language(void **state)
{
	(void)state;
	assert_string_equal(title("X", 1, TR, 200), "X (kopya)");
	assert_string_equal(title("X", 1, EN, 200), "X (copy)");
	assert_string_equal(title("X", 1, ES, 200), "X (copia)");
	assert_string_equal(title("X", 1, DE, 200), "X (Kopie)");
	assert_string_equal(title("X", 2, TR, 200), "X (kopya 2)");
	assert_string_equal(title("X", 999999, DE, 200), "X (Kopie 999999)");
}

static void
the_stem_is_cut_for_the_ending(void **state)
{
	static const char *const letters[] = { "a", "ğ", "語", "😀" };
	struct buf stem = { .arena = arena };

	(void)state;
	for (size_t i = 0; i < COUNT(letters); i++) {
		buf_reset(&stem, SIZE_MAX);
		for (int n = 0; n < 200; n++)
			buf_puts(&stem, letters[i]);
		const char *made = title(stem.s, 12, EN, 200), *end = made + strlen(made) - strlen(" (copy 12)");
		assert_int_equal(utf8_points(made, strlen(made)), 200);
		assert_true(utf8_is_valid(made, strlen(made)));
		assert_string_equal(end, " (copy 12)");
		assert_memory_equal(made, stem.s, (size_t)(end - made));
	}
	/* fits exactly, and one too many */
	assert_string_equal(title("12345678901234567890123", 1, EN, 30), "12345678901234567890123 (copy)");
	assert_string_equal(title("123456789012345678901234", 1, EN, 30), "12345678901234567890123 (copy)");
	/* no double space where the cut ends with one */
	assert_string_equal(title("1234567890123456789012 4567", 1, EN, 30), "1234567890123456789012 (copy)");
}

/* ---- finding a free number */

static char folder[] = "/tmp/okul-copy-XXXXXX";
static struct db *db;

static const char
	add[] = "INSERT INTO item (title, folded) VALUES (?1, okul_fold(?1))",
	clear[] = "DELETE FROM item",
	taken[] = "SELECT 1 FROM item WHERE folded IN (?1, ?2, ?3, ?4)";

static void
given(const char *const *titles)
{
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, clear, NO_ARGS, NULL), DB_DONE);
	for (; *titles; titles++)
		assert_int_equal(db_run(db, add, ARGS(*titles), NULL), DB_DONE);
	assert_int_equal(db_write_commit(db), DB_DONE);
}
#define GIVEN(...) given((const char *const[]){ __VA_ARGS__, NULL })

static const char *
next(const char *of, enum language language)
{
	return copy_next_title(arena, db, taken, of, language, 200);
}

static void
the_next_number_is_taken(void **state)
{
	(void)state;
	GIVEN("X");
	assert_string_equal(next("X", EN), "X (copy)");
	assert_string_equal(next("X (copy)", EN), "X (copy 2)");
	assert_string_equal(next("X (kopya 2)", DE), "X (Kopie 3)");
	GIVEN("X", "X (copy)");
	assert_string_equal(next("X", EN), "X (copy 2)");
	assert_string_equal(next("X", TR), "X (kopya 2)");
	GIVEN("X", "X (copy)", "X (kopya 2)", "X (Kopie 3)", "X (copia 4)");
	assert_string_equal(next("X", EN), "X (copy 5)");
	assert_string_equal(next("X (copy)", EN), "X (copy 5)");
	assert_string_equal(next("X (copia 4)", EN), "X (copy 5)");
	/* copies of another title and similar titles do not count; case and accents make no difference */
	GIVEN("X", "Y (copy)", "X (copy", "XX (copy)", "x (COPY) ");
	assert_string_equal(next("X", EN), "X (copy)");
	GIVEN("Giriş", "GIRIS (Copy)");
	assert_string_equal(next("Giriş", EN), "Giriş (copy 2)");
	GIVEN("X (copy 999998)", "X (copy 999999)");
	assert_string_equal(next("X (copy 999998)", EN), "X (copy 999999)");
	assert_string_equal(next("X (copy 999999)", EN), "X (copy 999999)");
}

/* All are copies of the first, which has the maximal length, so that the stem is cut. */
static void
many_copies_have_distinct_titles(void **state)
{
	char first[201];
	const char *titles[42] = { first };

	(void)state;
	memset(first, 'x', 200);
	first[200] = '\0';
	for (int i = 1; i <= 40; i++) {
		given(titles);
		titles[i] = next(first, (enum language)(i % LANGUAGES));
		assert_int_equal(copy_of(titles[i]).number, i);
		assert_int_equal(utf8_points(titles[i], strlen(titles[i])), 200);
	}
}

static int
set_up(void **state)
{
	char why[200];

	(void)state;
	arena = arena_new(1 << 20);
	if (!mkdtemp(folder) || !db_create(folder, "PRAGMA user_version = 1; CREATE TABLE item (pk INTEGER PRIMARY KEY,"
		" title TEXT NOT NULL, folded TEXT NOT NULL) STRICT; CREATE INDEX item_folded ON item (folded);", why, sizeof(why)))
		return -1;
	db = db_open(folder, DB_READ_WRITE, 1, why, sizeof(why));
	return db ? 0 : -1;
}

static int
tear_down(void **state)
{
	DIR *list = opendir(folder);
	struct dirent *entry;

	(void)state;
	db_close(db);
	arena_free(arena);
	while (list && (entry = readdir(list)))
		unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	return rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_title_is_parsed),
		cmocka_unit_test(a_copy_has_a_title_in_each_language),
		cmocka_unit_test(the_stem_is_cut_for_the_ending),
		cmocka_unit_test(the_next_number_is_taken),
		cmocka_unit_test(many_copies_have_distinct_titles),
	};

	return cmocka_run_group_tests_name("copy", tests, set_up, tear_down);
}
