/* user_table - headings and cells of a spreadsheet of users, in tr, en, es or de, as fields of the API. */
#ifndef OKUL_USER_TABLE_H
#define OKUL_USER_TABLE_H

#include "field.h"

/*
 * Sets `fields` to the field of each of `count` headings: its name in the API or a usual word of one of the four
 * languages, in any case ("E-Posta Adresi", "Geburtsdatum"). NULL for an unknown heading. "Name" is the surname when
 * there is "Vorname".
 */
void user_table_columns(struct arena *arena, const char *const *headings, size_t count, const char **fields);

/*
 * Converts a cell (trimmed, not empty) to a value of `field` in the API: "Kadın" to female, "Türkçe" to tr,
 * 23.04.1998 to 1998-04-23. Returns an unknown cell unchanged, for field_read(). `heading` matters for gender: m is
 * ambiguous in Spanish, where it can stand for mujer.
 */
const char *user_table_cell(struct arena *arena, const struct field *field, const char *heading, const char *cell);

/*
 * Normalizes countryCode and phoneNumber of a row: removes separators, splits the country code from a number like +90
 * 532 ..., and replaces a country (TR) with its code. Plain digits stay unchanged. A cell is NULL where it is
 * empty. Returns NULL, or an error message, and then *phone is NULL.
 */
const char *user_table_phone(struct arena *arena, enum language language, const char **country, const char **phone);

enum user_table_date {
	USER_TABLE_DATE,	/* or no date at all, which field_read() reports */
	USER_TABLE_MONTH_FIRST,	/* 04/23/1998 */
	USER_TABLE_SHORT_YEAR,	/* 23.04.98 */
};

/*
 * Parses a date in the order day, month, year, or year first, with . / or -; `*out` gets 1998-04-23, or the cell
 * unchanged.
 */
enum user_table_date user_table_date(struct arena *arena, const char *cell, const char **out);

#endif
