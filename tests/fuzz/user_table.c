/*
 * Tables of users: any cell stays UTF-8, and a recognized cell becomes a value of the API, which does not change when
 * it is parsed again. The input is a line: heading, cell, country, number, separated by tabs.
 */
#include "field.h"
#include "user_table.h"
#include "fuzz.h"
#include "text.h"
#include "user.h"
#include "utf8.h"

static const char *
next_text(struct arena *arena, char **rest)
{
	const char *s = *rest ? strsep(rest, "\t") : "";
	size_t length = strlen(s);

	utf8_trim(&s, &length);
	return arena_copy(arena, s, length);
}

static void
take_cell(struct arena *arena, const char *heading, const char *cell)
{
	struct field_walk walk = { 0 };
	const struct field *field;
	const char *name, *date, *again;

	user_table_columns(arena, &heading, 1, &name);
	must(!name || heading[0]);
	while ((field = field_next(&walk, &user_update_me))) {
		const char *value = user_table_cell(arena, field, heading, cell);
		must(utf8_is_valid(value, strlen(value)));
		must(strcmp(user_table_cell(arena, field, heading, value), value) == 0);
	}
	enum user_table_date kind = user_table_date(arena, cell, &date);
	must(kind == USER_TABLE_DATE || date == cell);
	must(date == cell || (strlen(date) == 10 && date[4] == '-' && date[7] == '-'));
	must(user_table_date(arena, date, &again) == kind && strcmp(again, date) == 0);
}

static void
take_phone(struct arena *arena, const char *country, const char *number)
{
	const char *kept = number[0] ? number : NULL;

	country = country[0] ? country : NULL;
	const char *error = user_table_phone(arena, EN, &country, &kept);
	must(!error || !kept);
	must(!kept || utf8_is_valid(kept, strlen(kept)));
	/* digits, or the unchanged cell, which field_read() rejects */
	must(!kept || text_is_digits(kept) || !kept[0] || strcmp(kept, number) == 0);
	if (kept && text_is_digits(kept) && strncmp(kept, "00", 2) != 0) {
		const char *again = kept;
		must(!user_table_phone(arena, EN, &country, &again) && strcmp(again, kept) == 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	char *text = string_of(data, size), *rest = text;

	if (!arena)
		arena = arena_new(1 << 16);
	arena_reset(arena);
	if (utf8_is_valid(text, strlen(text))) {
		const char *heading = next_text(arena, &rest), *cell = next_text(arena, &rest), *country = next_text(arena, &rest);
		take_cell(arena, heading, cell);
		take_phone(arena, country, next_text(arena, &rest));
	}
	free(text);
	return 0;
}
