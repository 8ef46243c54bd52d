#include "csv.h"

#include "utf8.h"

#include <strings.h>

/*
 * True for what a spreadsheet takes for a formula, behind apostrophes or not. The signs are the same to some in the
 * width of Chinese characters: U+FF1D, U+FF0B, U+FF0D, U+FF20.
 */
static bool
is_formula(const char *s)
{
	static const char *const wide[] = { "＝", "＋", "－", "＠" };

	s += strspn(s, "'");
	if (*s && strchr("=+-@\t\r\n", *s))
		return true;
	for (size_t i = 0; i < COUNT(wide); i++)
		if (strncmp(s, wide[i], strlen(wide[i])) == 0)
			return true;
	return false;
}

/* ---- reading */

/* Without the apostrophe of buf_csv(). */
static const char *
unguarded(const char *field)
{
	return field[0] == '\'' && is_formula(field) ? field + 1 : field;
}

/* The next byte of the file, or EOF. */
static int
take_byte(struct csv *csv)
{
	if (csv->at == csv->have) {
		csv->at = 0;
		csv->have = fread(csv->block, 1, sizeof(csv->block), csv->in);
		if (csv->have == 0)
			return EOF;
	}
	return csv->block[csv->at++];
}

/* Gives the byte at hand and goes on to the next. The end of a line, however written, is one LF. */
static int
advance(struct csv *csv)
{
	int given = csv->next;

	if (given == '\n')
		csv->line_now++;
	csv->next = take_byte(csv);
	if (csv->next == '\r') {
		csv->next = '\n';
		if (take_byte(csv) != '\n' && csv->have > 0)
			csv->at--;
	}
	return given;
}

static void
fault(struct csv *csv, enum csv_result fault)
{
	if (csv->fault == CSV_ROW)
		csv->fault = fault;
}

static void
put(struct csv *csv, int c)
{
	if (c == '\0')
		fault(csv, CSV_UTF8);
	else if (csv->text.length >= CSV_ROW_MAX)
		fault(csv, CSV_LONG);
	else
		buf_putc(&csv->text, (char)c);
}

static bool
at_separator(struct csv *csv)
{
	return csv->next == csv->separator;
}

static void
read_quoted(struct csv *csv)
{
	csv->quoted = true;
	advance(csv);
	while (csv->next != EOF) {
		int c = advance(csv);
		if (c == '"') {
			if (csv->next != '"')
				return;
			advance(csv);
		}
		put(csv, c);
	}
	fault(csv, CSV_OPEN);
}

static void
read_field(struct csv *csv)
{
	size_t start = csv->text.length;
	bool quoted = csv->next == '"';

	if (quoted)
		read_quoted(csv);
	while (csv->next != EOF && csv->next != '\n' && !at_separator(csv)) {
		if (quoted || csv->next == '"')
			fault(csv, CSV_QUOTE);
		put(csv, advance(csv));
	}
	if (csv->count == CSV_FIELDS_MAX) {
		fault(csv, CSV_LONG);
		return;
	}
	csv->starts[csv->count++] = start;
	buf_putc(&csv->text, '\0');
	if (csv->text.failed)
		fault(csv, CSV_BROKEN);
	else if (!utf8_is_valid(csv->text.s + start, csv->text.length - 1 - start))
		fault(csv, CSV_UTF8);
}

static void
read_row(struct csv *csv)
{
	csv->line = csv->line_now;
	csv->count = 0;
	csv->quoted = false;
	csv->fault = CSV_ROW;
	buf_reset(&csv->text, 2 * CSV_ROW_MAX);
	read_field(csv);
	while (csv->next != EOF && csv->next != '\n') {
		advance(csv);
		read_field(csv);
	}
	if (csv->next == '\n')
		advance(csv);
	/* Only now: the text may have moved as it grew. */
	for (size_t i = 0; i < csv->count; i++)
		csv->fields[i] = unguarded(csv->text.s + csv->starts[i]);
}

/*
 * Whichever of , ; and tab stands most often outside of quotes in the first line that has any text; of equals the
 * first.
 */
static int
find_separator(const unsigned char *s, const unsigned char *end)
{
	static const char separators[] = ",;\t";
	struct { size_t count; const unsigned char *first; } seen[3] = { 0 };
	bool quoted = false;
	int best = 0;

	while (s < end && (*s == '\n' || *s == '\r'))
		s++;
	for (; s < end && (quoted || (*s != '\n' && *s != '\r')); s++) {
		const char *found = quoted ? NULL : memchr(separators, *s, 3);
		quoted = quoted != (*s == '"');
		if (found && seen[found - separators].count++ == 0)
			seen[found - separators].first = s;
	}
	for (int i = 1; i < 3; i++)
		if (seen[i].count > seen[best].count || (seen[i].count == seen[best].count && seen[i].first < seen[best].first))
			best = i;
	return separators[best];
}

/*
 * A first line like sep=; that says the separator to Excel, in quotes or not. Returns its bytes without its end; 0:
 * none.
 */
static size_t
read_separator(const unsigned char *s, size_t left, int *separator)
{
	size_t quotes = left > 0 && s[0] == '"', length = 5 + 2 * quotes;

	if (left < length || strncasecmp((const char *)s + quotes, "sep=", 4) != 0 || !memchr(",;\t|", s[quotes + 4], 4) ||
	    (quotes && s[6] != '"') || (left > length && s[length] != '\n' && s[length] != '\r'))
		return 0;
	*separator = s[quotes + 4];
	return length;
}

void
csv_init(struct csv *csv, FILE *in)
{
	memset(csv, 0, sizeof(*csv));
	csv->in = in;
	csv->have = fread(csv->block, 1, sizeof(csv->block), in);
	if (csv->have >= 3 && memcmp(csv->block, "\xef\xbb\xbf", 3) == 0)
		csv->at = 3;
	csv->separator = find_separator(csv->block + csv->at, csv->block + csv->have);
	csv->at += read_separator(csv->block + csv->at, csv->have - csv->at, &csv->separator);
	advance(csv);
	csv->line_now = 1;
}

enum csv_result
csv_next(struct csv *csv)
{
	do {
		if (csv->next == EOF)
			return ferror(csv->in) ? CSV_BROKEN : CSV_END;
		read_row(csv);
	} while (csv->fault == CSV_ROW && csv->count == 1 && csv->fields[0][0] == '\0' && !csv->quoted);
	return ferror(csv->in) ? CSV_BROKEN : csv->fault;
}

void
csv_clear(struct csv *csv)
{
	buf_clear(&csv->text);
}

/* ---- writing */

void
buf_csv(struct buf *buf, const char *field)
{
	const char *rest = field ? field : "";
	bool formula = is_formula(rest), quotes = strpbrk(rest, "\",;\t\r\n") != NULL;

	if (quotes)
		buf_putc(buf, '"');
	if (formula)
		buf_putc(buf, '\'');
	while (*rest) {
		size_t length = strcspn(rest, "\"");
		buf_put(buf, rest, length);
		rest += length;
		if (*rest == '"') {
			buf_puts(buf, "\"\"");
			rest++;
		}
	}
	if (quotes)
		buf_putc(buf, '"');
}
