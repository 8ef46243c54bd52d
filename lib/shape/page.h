/* page - the requested part of a list, and the pagination object of the response. */
#ifndef OKUL_PAGE_H
#define OKUL_PAGE_H

#include "base.h"
#include "field.h"

/* page and limit, the first fields of each list's query: [0] = { "", FIELD_HEAD, .of = &page_query }, then its own. */
enum { PAGE_NUMBER, PAGE_LIMIT, PAGE_FIELDS };
extern const struct shape page_query;
/*
 * format and separator, for a list that is also available as a file: PAGE_FORMAT_AT(FORMAT), where FORMAT is the
 * enumerator of the first. The functions below with a parameter `format` take the address of its value.
 */
enum { PAGE_FORMAT, PAGE_SEPARATOR };
extern const char *const page_formats[], *const page_separators[];
#define PAGE_FORMAT_AT(first) \
	[first] = { "format", FIELD_ENUM, .oneof = page_formats, .optional = true, .note = "csv: all that match, as a file" }, \
	[(first) + PAGE_SEPARATOR] = { "separator", FIELD_ENUM, .oneof = page_separators, .optional = true, \
	  .note = "of the cells of a CSV file; comma unless given. semicolon is what spreadsheets of Turkish, Spanish and " \
	  "German take, with a decimal comma in numbers" }
/* The search of a list: its length; line feeds and tabs also separate words. */
#define PAGE_SEARCH(what) { "search", FIELD_TEXT, 0, 100, .optional = true, .lines = true, .note = what }
/* PaginationDto. */
extern const struct shape pagination;

struct page {
	int64_t number;		/* from 1 */
	int64_t limit;		/* rows a page, 1 to 100 */
	int64_t offset;		/* rows before it */
};

/* Of a checked query; page 1 with 20 rows unless given. */
struct page page_of(const struct value *query);
/* True when the query asks for all rows as CSV instead of a page. */
bool page_is_table(const struct value *format);
/* The separator of its cells: ',', or ';' for spreadsheets whose decimal sign is the comma. */
char page_separator(const struct value *format);
/* The number of pages for `total` rows. */
int64_t page_count(const struct page *page, int64_t total);

#endif
