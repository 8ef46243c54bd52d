/* Query strings: there are faults or an object, whose fields then keep the limits of the shape. */
#include "field.h"
#include "email.h"
#include "fuzz.h"
#include "text.h"
#include "utf8.h"

static const char *const words[] = { "asc", "desc", NULL };
static const struct shape shape = { "FuzzQuery", FIELDS(
	{ "page", FIELD_INT, .min = 1, .max = 1000, .optional = true },
	{ "rate", FIELD_NUMBER, .min = -1, .max = 1, .optional = true },
	{ "order", FIELD_ENUM, .oneof = words, .optional = true },
	{ "draft", FIELD_BOOL, .optional = true },
	{ "search", FIELD_TEXT, .max = 20, .optional = true },
	{ "from", FIELD_DATE, .optional = true },
	{ "user", FIELD_ID, .optional = true },
	{ "email", FIELD_EMAIL, .optional = true }) };

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *arena;
	char *query = string_of(data, size);
	struct faults faults;
	const char *text;
	cJSON *object;

	if (!arena)
		arena = arena_new(4096);
	arena_reset(arena);
	json_use(arena);
	faults_init(&faults, arena, TR);
	object = field_query(&shape, query, &faults);
	must((object != NULL) == (faults.count == 0));
	if (object) {
		int64_t page = field_int(object, "page", 1);
		double rate = field_number(object, "rate", 0);

		must(page >= 1 && page <= 1000 && rate >= -1 && rate <= 1);
		must(!(text = field_text(object, "search")) || utf8_points(text, strlen(text)) <= 20);
		must(!(text = field_text(object, "order")) || strcmp(text, "asc") == 0 || strcmp(text, "desc") == 0);
		must(!(text = field_text(object, "user")) || text_is_id(text));
		must(!(text = field_text(object, "email")) || email_is_good(text));
	}
	free(query);
	return 0;
}
