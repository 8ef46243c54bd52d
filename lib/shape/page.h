/*
 * page - which part of a list is asked for, and the pagination object of the answer.
 */
#ifndef OKUL_PAGE_H
#define OKUL_PAGE_H

#include "base.h"
#include "field.h"

/* page and limit, the first fields of the query of each list: [0] = { "", FIELD_SPAN, .of = &page_query }, its own behind them. */
enum { PAGE_NUMBER, PAGE_LIMIT, PAGE_FIELDS };
extern const struct shape page_query;
/* format and separator, likewise, for a list that may be had as a file. */
extern const struct shape page_format;
/* The search of a list, likewise: how long it may be, and that white space of any kind parts its words. */
#define PAGE_SEARCH(what) { "search", FIELD_TEXT, 0, 100, .optional = true, .lines = true, .note = what }
/* PaginationDto. */
extern const struct shape pagination;

struct page {
	int64_t number;		/* from 1 */
	int64_t limit;		/* rows a page, 1 to 100 */
	int64_t offset;		/* rows before it */
};

/* Of a checked query; page 1 of 20 where it does not say. */
struct page page_of(const cJSON *query);
/* True where the query asks for all rows as CSV instead of a page. */
bool page_is_table(const cJSON *query);
/* What stands between its cells: ',' unless the query says ';', for spreadsheets whose decimal sign is the comma. */
char page_separator(const cJSON *query);
int64_t page_count(const struct page *page, int64_t total);

#endif
