/*
 * csv - tables as text (RFC 4180), read row by row and written field by field.
 */
#ifndef OKUL_CSV_H
#define OKUL_CSV_H

#include "base.h"
#include "buf.h"

#define CSV_FIELDS_MAX 64	/* in a row */
#define CSV_ROW_MAX 65536	/* bytes of a row */

enum csv_result {
	CSV_ROW,
	CSV_END,
	/* What stands there is no row; reading goes on behind it. */
	CSV_QUOTE,		/* a quote inside a field that begins with none, or text behind the quote that ends it */
	CSV_OPEN,		/* a quote that nothing ends: the rest of the file is gone into it */
	CSV_UTF8,		/* bytes that are no UTF-8, or a NUL */
	CSV_LONG,		/* more fields or bytes than fit */
	CSV_BROKEN,		/* the file cannot be read, see errno, or memory is short; over */
};

/*
 * Reads a table. Rows end with LF, CRLF or CR; inside quotes any of them reads as LF. Empty lines are skipped, as is a
 * byte order mark at the start. Fields are separated by whichever of , ; and tab stands most often in the first row (of
 * equals, that which stands first): spreadsheets write a semicolon where the comma is the decimal sign. A first line like
 * sep=; says it, for Excel, and is no row. The apostrophe that buf_csv() puts in front of a formula is taken off.
 */
struct csv {
	size_t line;		/* of the file at which the row begins, from 1 */
	size_t count;		/* fields of the row; texts with a NUL behind, until the next call */
	const char *fields[CSV_FIELDS_MAX];

	/* its own */
	FILE *in;
	unsigned char block[8192];
	size_t at, have;	/* in the block */
	size_t line_now;
	int next;		/* the byte at hand, or EOF */
	int separator;
	struct buf text;	/* of the fields */
	size_t starts[CSV_FIELDS_MAX];
	bool quoted;		/* some field of the row is */
	enum csv_result fault;	/* the first of the row */
};

/* `in` is borrowed until csv_clear(), which gives back the memory of the rows and leaves the file open. */
void csv_init(struct csv *csv, FILE *in);
enum csv_result csv_next(struct csv *csv);
void csv_clear(struct csv *csv);

/*
 * Appends one field (NULL: an empty one), in quotes where it needs them; commas and line ends are the caller's. A
 * text that a spreadsheet would take for a formula, one that begins with = + - @ (also as wide as a Chinese
 * character), tab, CR or LF, gets an apostrophe in front, which makes it a text: a user could else name themself
 * =HYPERLINK(...) and wait for the admin who opens the list. A text that has such apostrophes already gets one more,
 * so that csv_next() reads back what was written. Numbers, which may begin with a minus, go in without this.
 */
void buf_csv(struct buf *buf, const char *field);

#endif
