/* Accept-Language: the result is a supported language, and a language prepended with full weight is the result. */
#include "fuzz.h"
#include "sentence.h"
#include "text.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *header = string_of(data, size);
	enum language best = LANGUAGES;
	bool found = language_negotiate(header, &best);

	must(found ? best < LANGUAGES : best == LANGUAGES);
	for (enum language l = TR; l <= DE; l++) {
		struct buf first = { 0 };
		enum language chosen = LANGUAGES, named;

		/* unless the header excludes it, for which it must contain its name */
		buf_printf(&first, "%s, %s", language_code(l), header);
		if (language_negotiate(first.s, &chosen) && chosen != l) {
			text_lower(header);
			must(strstr(header, language_code(l)) != NULL);
		}
		must(!language_of(header, &named) || (found && best == named));
		buf_clear(&first);
	}
	free(header);
	return 0;
}
