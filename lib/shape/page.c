#include "page.h"

const struct shape page_query = { .name = "Page", .fields = FIELDS(
	{ "page", FIELD_INT, 1, 1000000, .optional = true, .example = "1", .note = "from 1" },
	{ "limit", FIELD_INT, 1, 100, .optional = true, .example = "20", .note = "rows a page; 20 unless given" }) };

enum { FORMAT_JSON, FORMAT_CSV };

static const char *const formats[] = { [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv", NULL };

enum { SEPARATOR_COMMA, SEPARATOR_SEMICOLON };

static const char *const separators[] = { [SEPARATOR_COMMA] = "comma", [SEPARATOR_SEMICOLON] = "semicolon", NULL };

const struct shape page_format = { .name = "PageFormat", .fields = FIELDS(
	{ "format", FIELD_ENUM, .oneof = formats, .optional = true, .note = "csv: all that match, as a file" },
	{ "separator", FIELD_ENUM, .oneof = separators, .optional = true, .note = "of the cells of a CSV file; comma unless given. semicolon is "
	  "what spreadsheets of Turkish, Spanish and German take, with a decimal comma in numbers" }) };

const struct shape pagination = { .name = "PaginationDto", .fields = FIELDS(
	{ "page", FIELD_INT, 1, 1000000, .example = "1" },
	{ "limit", FIELD_INT, 1, 100, .example = "20" },
	{ "total", FIELD_INT, 0, .example = "1" },
	{ "totalPages", FIELD_INT, 0, .example = "1" }) };

struct page
page_of(const cJSON *query)
{
	struct page page = { .number = field_int(query, "page", 1), .limit = field_int(query, "limit", 20) };

	page.offset = (page.number - 1) * page.limit;
	return page;
}

bool
page_is_table(const cJSON *query)
{
	return field_choice(query, "format", formats) == FORMAT_CSV;
}

char
page_separator(const cJSON *query)
{
	return field_choice(query, "separator", separators) == SEPARATOR_SEMICOLON ? ';' : ',';
}

int64_t
page_count(const struct page *page, int64_t total)
{
	return (total + page->limit - 1) / page->limit;
}
