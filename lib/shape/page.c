#include "page.h"

/* clang-format off */
const struct shape page_query = { .name = "Page", .fields = FIELDS(
	{ "page", FIELD_INT, 1, 1000000, .optional = true, .example = "1", .note = "from 1" },
	{ "limit", FIELD_INT, 1, 100, .optional = true, .example = "20", .note = "rows a page; 20 unless given" }) };

enum { FORMAT_JSON, FORMAT_CSV };

const char *const page_formats[] = { [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv", NULL };

enum { SEPARATOR_COMMA, SEPARATOR_SEMICOLON };

const char *const page_separators[] = { [SEPARATOR_COMMA] = "comma", [SEPARATOR_SEMICOLON] = "semicolon", NULL };

const struct shape pagination = { .name = "PaginationDto", .fields = FIELDS(
	{ "page", FIELD_INT, 1, 1000000, .example = "1" },
	{ "limit", FIELD_INT, 1, 100, .example = "20" },
	{ "total", FIELD_INT, 0, .example = "1" },
	{ "totalPages", FIELD_INT, 0, .example = "1" }) };
/* clang-format on */

struct page
page_of(const struct value *query)
{
	struct page page = { .number = value_integer(query[PAGE_NUMBER], 1), .limit = value_integer(query[PAGE_LIMIT], 20) };

	page.offset = (page.number - 1) * page.limit;
	return page;
}

bool
page_is_table(const struct value *format)
{
	return value_choice(format[PAGE_FORMAT], page_formats) == FORMAT_CSV;
}

char
page_separator(const struct value *format)
{
	return value_choice(format[PAGE_SEPARATOR], page_separators) == SEPARATOR_SEMICOLON ? ';' : ',';
}

int64_t
page_count(const struct page *page, int64_t total)
{
	return (total + page->limit - 1) / page->limit;
}
