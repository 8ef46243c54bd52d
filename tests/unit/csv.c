#include "csv.h"
#include "unit.h"

static const char *const words[] = {
	[CSV_ROW] = "row", [CSV_END] = "end", [CSV_QUOTE] = "quote", [CSV_OPEN] = "open", [CSV_UTF8] = "utf8",
	[CSV_LONG] = "long", [CSV_BROKEN] = "broken",
};

static FILE *
file_of(const void *bytes, size_t length)
{
	FILE *file = tmpfile();

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	rewind(file);
	return file;
}

/* All rows as "line[field|field]", bad rows as "line:fault". */
static void
describe(struct buf *out, const void *bytes, size_t length)
{
	FILE *file = file_of(bytes, length);
	enum csv_result result;
	struct csv csv;

	csv_init(&csv, file);
	while ((result = csv_next(&csv)) != CSV_END) {
		buf_int(out, (int64_t)csv.line);
		if (result != CSV_ROW) {
			buf_printf(out, ":%s ", words[result]);
			continue;
		}
		for (size_t i = 0; i < csv.count; i++)
			buf_printf(out, "%c%s", i ? '|' : '[', csv.fields[i]);
		buf_puts(out, "] ");
	}
	csv_clear(&csv);
	fclose(file);
}

static void
rows_are_read(void **state)
{
	static const struct { const char *csv, *rows; } cases[] = {
		{ "", "" },
		{ "a", "1[a] " },
		{ "a,b\nc,d\n", "1[a|b] 2[c|d] " },
		{ "a,b\nc,d", "1[a|b] 2[c|d] " },
		{ "a,b\r\nc,d\r\n", "1[a|b] 2[c|d] " },
		{ "a,b\rc,d\r", "1[a|b] 2[c|d] " },
		{ "a,\n,\n", "1[a|] 2[|] " },
		{ ",a\n", "1[|a] " },
		{ " a , b\n", "1[ a | b] " },
		/* quotes */
		{ "\"a\",\"b\"\r\n\"c\"", "1[a|b] 2[c] " },
		{ "\"a,b\",c\n", "1[a,b|c] " },
		{ "\"say \"\"hello\"\"\"\n", "1[say \"hello\"] " },
		{ "\"\"\"\"", "1[\"] " },
		{ "\"\",\"\"\n", "1[|] " },
		{ "\"\"\n", "1[] " },
		/* line ends in a field; the line of a row is the one where it begins */
		{ "\"a\nb\",c\nd,e\n", "1[a\nb|c] 3[d|e] " },
		{ "\"a\r\nb\rc\"\nd\n", "1[a\nb\nc] 4[d] " },
		/* empty lines */
		{ "\n\na\n\r\n\nb\n\n", "3[a] 6[b] " },
		/* a byte order mark, before a quote too, and only at the start */
		{ "\xef\xbb\xbf" "a,b\n", "1[a|b] " },
		{ "\xef\xbb\xbf\"a\",b\n", "1[a|b] " },
		{ "a\n\xef\xbb\xbf" "b\n", "1[a] 2[\xef\xbb\xbf" "b] " },
		{ "\xef\xbb\x80\n", "1[\xef\xbb\x80] " },
		/* the separator of the first row is used for all */
		{ "a;b\nc,d;e\n", "1[a|b] 2[c,d|e] " },
		{ "a\tb;c\nd;e\tf\n", "1[a|b;c] 2[d;e|f] " },
		{ "\"a;b\",c\nd;e,f\n", "1[a;b|c] 2[d;e|f] " },
		{ "a\nb;c\nd,e\n", "1[a] 2[b;c] 3[d|e] " },
		{ "\na;b\n", "2[a|b] " },
		/* the most frequent one, outside of quotes; if equal, the first */
		{ "a, b;c;d\ne;f,g\n", "1[a, b|c|d] 2[e|f,g] " },
		{ "\"a,b,c,d\";e\nf;g\n", "1[a,b,c,d|e] 2[f|g] " },
		{ "\"a\n,,,\";b\n", "1[a\n,,,|b] " },
		{ "a;b,c\n", "1[a|b,c] " }, { "a\tb,c;d\te\n", "1[a|b,c;d|e] " },
		/* a first line that names it, which is not a row */
		{ "sep=;\na;b,c,d\n", "2[a|b,c,d] " }, { "\xef\xbb\xbfSEP=,\r\na,b;c;d\r\n", "2[a|b;c;d] " },
		{ "sep=\t\na\tb,c,d", "2[a|b,c,d] " }, { "\"sep=|\"\na|b,c,d\n", "2[a|b,c,d] " }, { "sep=;", "" },
		{ "sep=;x\n", "1[sep=|x] " }, { "sep=x\na;b\n", "1[sep=x] 2[a;b] " }, { "\nsep=;\n", "2[sep=|] " },
		/* the apostrophe before a formula is removed, once */
		{ "'=1,'+49,'@a,'-1,'＝1\n", "1[=1|+49|@a|-1|＝1] " }, { "''=1,'a,','',\"'\n=\"\n", "1['=1|'a|'|''|\n=] " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = { 0 };

		buf_puts(&out, "");
		describe(&out, cases[i].csv, strlen(cases[i].csv));
		if (strcmp(out.s ? out.s : "", cases[i].rows) != 0)
			fail_msg("%s\nreturns %s\nnot     %s", cases[i].csv, out.s, cases[i].rows);
		buf_clear(&out);
	}
}

static void
a_bad_row_has_an_error_and_the_next_is_read(void **state)
{
	static const struct { const char *csv; size_t length; const char *rows; } cases[] = {
#define CASE(csv, rows) { csv, sizeof(csv) - 1, rows }
		CASE("a\"b,c\nd\n", "1:quote 2[d] "),
		CASE("a,b\"\nd\n", "1:quote 2[d] "),
		CASE("\"a\"b,c\nd\n", "1:quote 2[d] "),
		CASE("\"a\" ,c\nd\n", "1:quote 2[d] "),
		CASE("a\n\"b\nc\n", "1[a] 2:open "),
		CASE("a\n\"", "1[a] 2:open "),
		CASE("a\n\"b\nc,\"d\ne\n", "1[a] 2:quote 4[e] "),
		CASE("a\nb\xffz\nc\n", "1[a] 2:utf8 3[c] "),
		CASE("a\n\"\xc3\",\xbc\nc\n", "1[a] 2:utf8 3[c] "),
		CASE("a\nb\0c\nd\n", "1[a] 2:utf8 3[d] "),
		CASE("\xff\xfe" "a\0\n", "1:utf8 "),
		/* the first fault of a row is reported */
		CASE("a\n\xff,b\"\nc\n", "1[a] 2:utf8 3[c] "),
		CASE("a\nb\",\xff\nc\n", "1[a] 2:quote 3[c] "),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf out = { 0 };

		describe(&out, cases[i].csv, cases[i].length);
		if (strcmp(out.s, cases[i].rows) != 0)
			fail_msg("%s\nreturns %s\nnot     %s", cases[i].csv, out.s, cases[i].rows);
		buf_clear(&out);
	}
}

static void
a_row_has_its_limits(void **state)
{
	struct buf csv = { 0 }, out = { 0 };

	(void)state;
	for (int i = 1; i < CSV_FIELDS_MAX; i++)
		buf_putc(&csv, ',');
	buf_puts(&csv, "z\n,");
	for (int i = 1; i < CSV_FIELDS_MAX; i++)
		buf_putc(&csv, ',');
	buf_puts(&csv, "\nb\n\"");
	for (int i = 0; i < CSV_ROW_MAX; i++)
		buf_putc(&csv, i % 100 ? 'x' : '\n');
	buf_puts(&csv, "\"\nc\n\"");
	for (int i = 0; i <= CSV_ROW_MAX; i++)
		buf_putc(&csv, 'x');
	buf_puts(&csv, "\"\nd\n");
	describe(&out, csv.s, csv.length);
	/* 64 fields, 65 fields, the greatest number of bytes, one more */
	assert_memory_equal(out.s, "1[|", 3);
	assert_non_null(strstr(out.s, "|z] 2:long 3[b] 4[\nxxx"));
	assert_non_null(strstr(out.s, "x] 661[c] 662:long 663[d] "));
	buf_clear(&csv);
	buf_clear(&out);
}

/* A block of csv_init() and of the C library may end anywhere in a row. */
static void
rows_are_the_same_wherever_a_block_ends(void **state)
{
	static const char row[] = "\"x\"\"y\",\r\n\"\r\n\"\r\rz\n";
	const size_t block = 8192;

	(void)state;
	for (size_t cut = 0; cut <= sizeof(row); cut++) {
		struct buf csv = { 0 }, out = { 0 };
		char end[64];

		for (size_t i = 0; i < block - cut - 1; i++)
			buf_putc(&csv, 'a');
		buf_putc(&csv, '\n');
		buf_puts(&csv, row);
		describe(&out, csv.s, csv.length);
		snprintf(end, sizeof(end), "a] 2[x\"y|] 3[\n] 6[z] ");
		assert_string_equal(out.s + out.length - strlen(end), end);
		buf_clear(&csv);
		buf_clear(&out);
	}
}

static void
a_read_error_is_reported(void **state)
{
	FILE *folder = fopen("/", "r");
	struct csv csv;

	(void)state;
	assert_non_null(folder);
	csv_init(&csv, folder);
	assert_int_equal(csv_next(&csv), CSV_BROKEN);
	csv_clear(&csv);
	fclose(folder);
}

static void
fields_are_quoted_where_necessary(void **state)
{
	static const struct { const char *field, *csv; } cases[] = {
		{ NULL, "" }, { "", "" }, { "a", "a" }, { "a b", "a b" }, { "O'Neill", "O'Neill" }, { "a=b", "a=b" },
		{ "a,b", "\"a,b\"" }, { "a;b", "\"a;b\"" }, { "a\tb", "\"a\tb\"" }, { "a\nb", "\"a\nb\"" },
		{ "a\rb", "\"a\rb\"" },
		{ "\"", "\"\"\"\"" }, { "say \"a\"", "\"say \"\"a\"\"\"" },
		/* formulas */
		{ "=1+1", "'=1+1" }, { "+49", "'+49" }, { "-1", "'-1" }, { "@SUM(A1)", "'@SUM(A1)" }, { "\t=1", "\"'\t=1\"" },
		{ "\r=1", "\"'\r=1\"" }, { "=HYPERLINK(\"x\",1)", "\"'=HYPERLINK(\"\"x\"\",1)\"" },
		{ "\n=1", "\"'\n=1\"" }, { "＝1+1", "'＝1+1" }, { "＋49", "'＋49" }, { "－1", "'－1" }, { "＠SUM(A1)", "'＠SUM(A1)" },
		{ "！1", "！1" }, { "\xef\xbc", "\xef\xbc" }, { "'=1", "''=1" }, { "''+", "'''+" }, { "'a=1", "'a=1" }, { "'", "'" },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		buf_reset(&out, 1024);
		buf_csv(&out, cases[i].field);
		assert_string_equal(out.s ? out.s : "", cases[i].csv);
	}
	buf_clear(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_read),
		cmocka_unit_test(a_bad_row_has_an_error_and_the_next_is_read),
		cmocka_unit_test(a_row_has_its_limits),
		cmocka_unit_test(rows_are_the_same_wherever_a_block_ends),
		cmocka_unit_test(a_read_error_is_reported),
		cmocka_unit_test(fields_are_quoted_where_necessary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
