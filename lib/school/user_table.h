/*
 * user_table - what spreadsheets of tr, en, es and de write in a list of people, as fields of the API: pure.
 */
#ifndef OKUL_USER_TABLE_H
#define OKUL_USER_TABLE_H

#include "arena.h"
#include "base.h"
#include "field.h"

/*
 * The field that each of `count` headings means, by its name in the API or a usual word of one of the four languages,
 * in any case: "E-Posta Adresi", "Geburtsdatum". NULL where it means none. "Name" is the surname beside "Vorname".
 */
void user_table_columns(struct arena *arena, const char *const *headings, size_t count, const char **fields);

/*
 * The text of a cell (trimmed, not empty) as the API takes it in `field`: "Kadın" as female, "Türkçe" as tr,
 * 23.04.1998 as 1998-04-23. What is not known for anything is given back as it is, for field_check() to judge.
 * `heading` may decide: m is no sex in Spanish, where h stands for men and m for women.
 */
const char *user_table_cell(struct arena *arena, const struct field *field, const char *heading, const char *cell);

/*
 * countryCode and phoneNumber of a row: signs between digits are taken out, a number like +90 532 ... is split where
 * its country code ends, letters (TR) become the code. Digits alone stay as they are. Returns what is wrong, for
 * people, else NULL.
 */
const char *user_table_phone(struct arena *arena, cJSON *row);

enum user_table_date {
	USER_TABLE_DATE,	/* or no date at all: field_check() says */
	USER_TABLE_MONTH_FIRST,	/* 04/23/1998 */
	USER_TABLE_SHORT_YEAR,	/* 23.04.98 */
};

/*
 * Day, month and year in this order, or the year first, between . / or -; `out` gets the date as 1998-04-23, else the
 * text.
 */
enum user_table_date user_table_date(struct arena *arena, const char *cell, const char **out);

#endif
