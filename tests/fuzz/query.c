/* Query strings: the result is errors, or values within the limits of the shape. */
#include "field.h"
#include "email.h"
#include "fuzz.h"
#include "text.h"
#include "utf8.h"

static const char *const words[] = { "asc", "desc", NULL };
enum { NUMBER, RATE, ORDER, DRAFT, SEARCH, FROM, OWNER, EMAIL };

static const struct shape shape = { "FuzzQuery", FIELDS(
	[NUMBER] = { "page", FIELD_INT, .min = 1, .max = 1000, .optional = true },
	[RATE] = { "rate", FIELD_NUMBER, .min = -1, .max = 1, .optional = true },
	[ORDER] = { "order", FIELD_ENUM, .oneof = words, .optional = true },
	[DRAFT] = { "draft", FIELD_BOOL, .optional = true },
	[SEARCH] = { "search", FIELD_TEXT, .max = 20, .optional = true },
	[FROM] = { "from", FIELD_DATE, .optional = true },
	[OWNER] = { "user", FIELD_ID, .optional = true },
	[EMAIL] = { "email", FIELD_EMAIL, .optional = true }) };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	char *query = string_of(data, size);
	struct faults faults;
	const char *text;

	if (!arena)
		arena = arena_new(4096);
	arena_reset(arena);
	json_use(arena);
	faults_init(&faults, arena, TR);
	const struct value *in = field_query(&shape, query, &faults);
	if (faults.count == 0) {
		int64_t page = value_integer(in[NUMBER], 1);
		double rate = value_number(in[RATE], 0);

		must(page >= 1 && page <= 1000 && rate >= -1 && rate <= 1);
		must(!(text = value_string(in[SEARCH])) || utf8_points(text, strlen(text)) <= 20);
		must(!(text = value_string(in[ORDER])) || strcmp(text, "asc") == 0 || strcmp(text, "desc") == 0);
		must(!(text = value_string(in[OWNER])) || text_is_id(text));
		must(!(text = value_string(in[EMAIL])) || email_is_good(text));
	}
	free(query);
	return 0;
}
