#include "csv.h"

#include "utf8.h"

/* True for what a spreadsheet takes for a formula, with or without apostrophes before it; some take fullwidth signs. */
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

/* Moves to the next byte, and returns the previous one. A line end of any kind is one LF. */
static int
advance(struct csv *csv)
{
	int byte = csv->next;

	if (byte == '\n')
		csv->line_now++;
	csv->next = getc(csv->in);
	if (csv->next == '\r') {
		csv->next = '\n';
		int after = getc(csv->in);
		if (after != '\n')
			ungetc(after, csv->in);
	}
	return byte;
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
	while (csv->next != EOF && csv->next != '\n' && csv->next != csv->separator) {
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
	/* Only now: the text may have moved as it grew. An apostrophe of buf_csv() is removed. */
	for (size_t i = 0; i < csv->count; i++) {
		const char *field = csv->text.s + csv->starts[i];

		csv->fields[i] = field[0] == '\'' && is_formula(field) ? field + 1 : field;
	}
}

/* The most frequent of , ; and tab outside of quotes in the first line that is not empty; if equal, the first. */
static int
guess_separator(const unsigned char *s, const unsigned char *end)
{
	static const char separators[] = ",;\t";
	struct {
		size_t count;
		const unsigned char *first;
	} seen[3] = { 0 };
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

/* Reads a first line like sep=; (for Excel), quoted or not. Returns its length without its end; 0 if there is none. */
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
	unsigned char start[8192];
	size_t length = fread(start, 1, sizeof(start), in), at = 0;

	memset(csv, 0, sizeof(*csv));
	csv->in = in;
	if (length >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	csv->separator = guess_separator(start + at, start + length);
	at += read_separator(start + at, length - at, &csv->separator);
	fseek(in, (long)at, SEEK_SET);
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
