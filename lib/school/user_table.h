/*
 * user_table - converts the cells of lists of people from spreadsheets (tr, en, es, de) to fields of the API: pure.
 */
#ifndef OKUL_USER_TABLE_H
#define OKUL_USER_TABLE_H

#include "arena.h"
#include "base.h"
#include "field.h"

/*
 * The field for each of `count` headings, by its name in the API or a usual word of one of the four languages, in
 * any case: "E-Posta Adresi", "Geburtsdatum". NULL for an unknown one. "Name" is the surname beside "Vorname".
 */
void user_table_columns(struct arena *arena, const char *const *headings, size_t count, const char **fields);

/*
 * The text of a cell (trimmed, not empty) as the API accepts it in `field`: "Kadın" as female, "Türkçe" as tr,
 * 23.04.1998 as 1998-04-23. An unknown text is returned as it is, for field_read() to check. `heading` may decide:
 * m is not "male" under a Spanish heading, where h is for men and m for women.
 */
const char *user_table_cell(struct arena *arena, const struct field *field, const char *heading, const char *cell);

/*
 * The cells countryCode and phoneNumber of a row, NULL where empty: signs between digits are removed, a number like
 * +90 532 ... is split behind its country code, letters (TR) become the code. Digits alone stay as they are.
 * Returns NULL, or the error as text for people, and then *phone is NULL.
 */
const char *user_table_phone(struct arena *arena, const char **country, const char **phone);

enum user_table_date {
	USER_TABLE_DATE,	/* or no date at all, which field_read() finds */
	USER_TABLE_MONTH_FIRST,	/* 04/23/1998 */
	USER_TABLE_SHORT_YEAR,	/* 23.04.98 */
};

/*
 * Reads day, month and year in this order, or the year first, between . / or -. `*out` is set to the date as
 * 1998-04-23, else to the text.
 */
enum user_table_date user_table_date(struct arena *arena, const char *cell, const char **out);

#endif
