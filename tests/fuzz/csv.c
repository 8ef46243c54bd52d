/* CSV: for any file, rows are complete and UTF-8, line numbers increase, and writing and reading a row is lossless. */
#include "csv.h"
#include "fuzz.h"
#include "utf8.h"

static void
open_table(struct csv *csv, const void *bytes, size_t size)
{
	FILE *file = fmemopen((void *)bytes, size, "r");

	must(file);
	csv_init(csv, file);
}

static void
close_table(struct csv *csv)
{
	fclose(csv->in);
	csv_clear(csv);
}

static void
write_and_read(const struct csv *row)
{
	struct buf text = { 0 };
	struct csv again;

	buf_puts(&text, "sep=,\n");
	for (size_t i = 0; i < row->count; i++) {
		buf_puts(&text, i ? "," : "");
		buf_csv(&text, row->fields[i]);
	}
	buf_putc(&text, '\n');
	open_table(&again, text.s, text.length);
	/* a single empty field is written as an empty line, which is not a row */
	if (row->count > 1 || row->fields[0][0]) {
		must(csv_next(&again) == CSV_ROW && again.count == row->count && again.line == 2);
		for (size_t i = 0; i < row->count; i++)
			must(strcmp(again.fields[i], row->fields[i]) == 0);
	}
	must(csv_next(&again) == CSV_END);
	close_table(&again);
	buf_clear(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum csv_result result;
	size_t line = 0;
	struct csv csv;

	if (size == 0 || size > CSV_ROW_MAX / 2)
		return 0;
	open_table(&csv, data, size);
	while ((result = csv_next(&csv)) != CSV_END) {
		must(result != CSV_BROKEN && csv.line > line);
		line = csv.line;
		if (result != CSV_ROW)
			continue;
		must(csv.count > 0 && csv.count <= CSV_FIELDS_MAX);
		for (size_t i = 0; i < csv.count; i++)
			must(utf8_is_valid(csv.fields[i], strlen(csv.fields[i])) && !strchr(csv.fields[i], '\r'));
		write_and_read(&csv);
	}
	close_table(&csv);
	return 0;
}
