/* csv - tables as text (RFC 4180), read row by row and written field by field. */
#ifndef OKUL_CSV_H
#define OKUL_CSV_H

#include "buf.h"

#define CSV_FIELDS_MAX 64	/* in a row */
#define CSV_ROW_MAX 65536	/* bytes of a row */

enum csv_result {
	CSV_ROW,
	CSV_END,
	/* Errors of one row; the next call reads the row after it. */
	CSV_QUOTE,		/* a quote in a field that does not begin with one, or text after the closing quote */
	CSV_OPEN,		/* a quote without a closing one: the rest of the file belongs to that field */
	CSV_UTF8,		/* bytes that are not UTF-8, or a NUL */
	CSV_LONG,		/* too many fields or bytes */
	CSV_BROKEN,		/* the file cannot be read, see errno, or memory is short; final */
};

/*
 * Reads a table. Rows end with LF, CRLF or CR; inside quotes, each of them is read as LF. Empty lines are skipped, as
 * is a byte order mark at the start. The separator is the most frequent of , ; and tab in the first row (if equal, the
 * one that comes first): spreadsheets write a semicolon where the comma is the decimal sign. A first line like sep=;
 * names it, as in Excel, and is not a row. An apostrophe that buf_csv() put in front of a formula is removed.
 */
struct csv {
	size_t line;		/* of the file at which the row begins, from 1 */
	size_t count;		/* fields of the row; NUL-terminated, valid until the next call */
	const char *fields[CSV_FIELDS_MAX];

	/* private */
	FILE *in;
	size_t line_now;
	int next;		/* the current byte, or EOF */
	int separator;
	struct buf text;	/* of the fields */
	size_t starts[CSV_FIELDS_MAX];
	bool quoted;		/* a field of the row is */
	enum csv_result fault;	/* the first of the row */
};

/* `in` is a seekable file at its start, borrowed until csv_clear(), which frees the rows and leaves the file open. */
void csv_init(struct csv *csv, FILE *in);
enum csv_result csv_next(struct csv *csv);
void csv_clear(struct csv *csv);

/*
 * Appends one field (NULL: an empty one), quoted if necessary; the caller appends commas and line ends. Text that a
 * spreadsheet would take for a formula (it begins with = + - @, also fullwidth, or with tab, CR or LF) gets an
 * apostrophe in front: else a user could choose the name =HYPERLINK(...) and wait for an admin to open the list. Text
 * that begins with apostrophes and a formula gets one more, so that csv_next() returns what was written. Not for
 * numbers, which may begin with a minus.
 */
void buf_csv(struct buf *buf, const char *field);

#endif
