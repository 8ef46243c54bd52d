#include "multipart.h"
#include "buf.h"
#include "unit.h"

/* ---- events as text: "name|file name|content type:data;" for each part, then the result */

struct log {
	struct buf text;
	int stop_at;		/* the call, from 1, that returns false */
	int calls;
};

static bool
goes_on(struct log *log)
{
	return ++log->calls != log->stop_at;
}

static bool
log_begin(void *context, const struct multipart_part *part)
{
	struct log *log = context;

	buf_printf(&log->text, "%s|%s|%s:", part->name, part->file_name ? part->file_name : "-",
		part->content_type ? part->content_type : "-");
	return goes_on(log);
}

static bool
log_data(void *context, const void *bytes, size_t length)
{
	struct log *log = context;
	const char *s = bytes;

	assert_true(length > 0);
	for (size_t i = 0; i < length; i++)
		buf_printf(&log->text, s[i] ? "%c" : "<0>", s[i]);
	return goes_on(log);
}

static bool
log_end(void *context)
{
	struct log *log = context;

	buf_puts(&log->text, ";");
	return goes_on(log);
}

static const struct multipart_handlers handlers = { log_begin, log_data, log_end };

/* A first piece, a second, and the rest in pieces of `rest` bytes, each in its own memory. */
static void
feed(struct log *log, const char *boundary, const char *body, size_t length, size_t first, size_t second, size_t rest)
{
	static const char *const words[] = { "good", "broken", "stopped" };
	enum multipart_result result = MULTIPART_GOOD;
	struct multipart m;

	memset(&m, 0xa5, sizeof(m));
	multipart_init(&m, boundary, &handlers, log);
	for (size_t at = 0, piece = first, i = 0; i < 2 || at < length; at += piece, i++) {
		enum multipart_result last = result;
		char *copy;

		piece = i == 0 ? first : i == 1 ? second : rest;
		piece = piece < length - at ? piece : length - at;
		copy = malloc(piece + 1);
		assert_non_null(copy);
		memcpy(copy, body + at, piece);
		result = multipart_feed(&m, copy, piece);
		free(copy);
		/* the result is final */
		assert_true(last == MULTIPART_GOOD || result == last);
		assert_false(result != MULTIPART_GOOD && multipart_complete(&m));
	}
	buf_puts(&log->text, result != MULTIPART_GOOD ? words[result] : multipart_complete(&m) ? "complete" : "open");
}

static void
expect_pieces(const char *body, size_t length, const char *events, size_t first, size_t second, size_t rest)
{
	struct log log = { 0 };

	feed(&log, "b", body, length, first, second, rest);
	if (strcmp(log.text.s, events) != 0)
		fail_msg("%s\nin pieces of %zu, %zu, %zu gives\n%s\nnot\n%s", body, first, second, rest, log.text.s,
			events);
	buf_clear(&log.text);
}

/* In one piece, in any two, in any three with a short middle one, and byte by byte: all with the same events. */
static void
expect(const char *body, size_t length, const char *events)
{
	for (size_t second = 0; second <= 3; second++)
		for (size_t first = 0; first <= length; first++)
			expect_pieces(body, length, events, first, second, length);
	expect_pieces(body, length, events, 1, 1, 1);
}

/* A part named a, its data, and the end. */
#define A "Content-Disposition: form-data; name=\"a\"\r\n"
#define PART(data) "--b\r\n" A "\r\n" data "\r\n"
#define END "--b--\r\n"

static void
a_body_is_read_the_same_wherever_it_is_split(void **state)
{
	static const struct { const char *body; size_t length; const char *events; } cases[] = {
#define CASE(body, events) { body, sizeof(body) - 1, events }
		CASE(PART("x") END, "a|-|-:x;complete"),
		CASE(PART("") END, "a|-|-:;complete"),
		CASE("--b--", "complete"),
		CASE("--b--\r\n", "complete"),
		CASE(PART("x") "--b\r\nContent-Disposition: form-data; name=f; filename=\"n.pdf\"\r\n"
			"Content-Type: application/pdf\r\n\r\n%PDF\r\n" END,
			"a|-|-:x;f|n.pdf|application/pdf:%PDF;complete"),
		/* similar to a delimiter */
		CASE(PART("\r\n--a\r\n-b\r\n\r\r\n--\n--b--\r--b\r\n- -b --b") END,
			"a|-|-:\r\n--a\r\n-b\r\n\r\r\n--\n--b--\r--b\r\n- -b --b;complete"),
		CASE(PART("\r") END, "a|-|-:\r;complete"),
		CASE(PART("\r\r\n") END, "a|-|-:\r\r\n;complete"),
		CASE(PART("\r\n-") END, "a|-|-:\r\n-;complete"),
		CASE(PART("\r\n--") END, "a|-|-:\r\n--;complete"),
		CASE(PART("-") END, "a|-|-:-;complete"),
		CASE(PART("--") END, "a|-|-:--;complete"),
		CASE(PART("--c") END, "a|-|-:--c;complete"),
		/* an empty part: its empty line is also the line end before the delimiter */
		CASE("--b\r\n" A "\r\n--b--", "a|-|-:;complete"),
		CASE("--b\r\n" A "\r\n" PART("x") END, "a|-|-:;a|-|-:x;complete"),
		/* before and behind; blanks behind a boundary */
		CASE("hello --b\r\n--ye --b\n--b\r\n" PART("x") END "bye" PART("y") "--b\n", "a|-|-:x;complete"),
		CASE("--b \t\r\n" A "\r\nx\r\n--b\t \t\r\n" A "\r\ny\r\n--b--  what", "a|-|-:x;a|-|-:y;complete"),
		CASE("\r\n" PART("x") END, "a|-|-:x;complete"),
		/* truncated */
		CASE("", "open"),
		CASE("x", "open"),
		CASE("--b", "open"),
		CASE("--b-", "open"),
		CASE("--b\r\n" A, "open"),
		CASE("--b\r\n" A "\r\n", "a|-|-:open"),
		CASE("--b\r\n" A "\r\nx\r", "a|-|-:xopen"),
		CASE(PART("x"), "a|-|-:xopen"),
		CASE(PART("x") "--b", "a|-|-:x;open"),
		CASE(PART("x") "--b-", "a|-|-:x;open"),
		/* LF alone: data before a delimiter, malformed elsewhere */
		CASE("--b\r\n" A "\r\nx\n--b--\r\n", "a|-|-:x\n--b--open"),
		CASE("--b\n" A "\r\nx\r\n--b--", "broken"),
		CASE(PART("x") "--b\n", "a|-|-:x;broken"),
		CASE("--b\r\nContent-Disposition: form-data; name=a\n\r\nx\r\n--b--", "broken"),
		CASE("--b\r\nContent-Disposition: form-data; name=a\r\r\nx\r\n--b--", "broken"),
		CASE("--b\r\n" A "\nx\r\n--b--", "broken"),
		CASE("--b\r\n" A "\rx", "broken"),
		/* text behind a boundary */
		CASE("--bx\r\n" A, "broken"),
		CASE("--b-x", "broken"),
		CASE("--b-\r\n", "broken"),
		CASE("--b\r\r\n", "broken"),
		CASE("--b x", "broken"),
		CASE("--b\r\n\r\nx\r\n--b--", "broken"),
		CASE("--b --", "broken"),
		CASE("--b\r--", "broken"),
		CASE(PART("") "--b.", "a|-|-:;broken"),
		/* any bytes */
		CASE(PART("\0\xff\x7f\x80\r\0\r\n--\0") END, "a|-|-:<0>\xff\x7f\x80\r<0>\r\n--<0>;complete"),
#undef CASE
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		expect(cases[i].body, cases[i].length, cases[i].events);
}

static void
the_head_of_a_part_is_read(void **state)
{
#define D "Content-Disposition: form-data; "
	static const struct { const char *head, *events; } cases[] = {
		{ D "name=\"a\"", "a|-|-" },
		{ D "name=a", "a|-|-" },
		{ "content-disposition:FORM-DATA;NAME=a;FileName=b", "a|b|-" },
		{ "CONTENT-DISPOSITION: \t form-data ; name=\"a\" \t; filename=\"b\" \t", "a|b|-" },
		{ "Content-Disposition: form-data;; name=a;", "a|-|-" },
		{ D "filename=b; name=a; size=3; x=\"\"", "a|b|-" },
		{ D "name=\"a;b=c\"; filename=\"; name=x\"", "a;b=c|; name=x|-" },
		{ D "name=\" a \"", " a |-|-" },
		{ D "name=\"çağ 学校\"; filename=\"Öğrenci listesi (1).pdf\"", "çağ 学校|Öğrenci listesi (1).pdf|-" },
		{ D "name=\"a\tb\"", "a\tb|-|-" },
		/* escapes, as browsers and as curl write them */
		{ D "name=\"a%22b\"; filename=\"c%22d%22\"", "a\"b|c\"d\"|-" },
		{ D "name=\"a\\\"b\"; filename=\"c\\\"d\"", "a\"b|c\"d|-" },
		{ D "name=\"a\\\\b\\c\"", "a\\b\\c|-|-" },
		{ D "name=\"a%0Db%0A%2%21%\"; filename=\"100%\"", "a%0Db%0A%2%21%|100%|-" },
		/* the name of a file is not changed: link_file_name() does that */
		{ D "name=a; filename=\"/etc/passwd\"", "a|/etc/passwd|-" },
		{ D "name=a; filename=\"C:\\Users\\me\\a.pdf\"", "a|C:\\Users\\me\\a.pdf|-" },
		{ D "name=a; filename=\"..\\../x/..\\b.pdf\"", "a|..\\../x/..\\b.pdf|-" },
		{ D "name=a; filename=\"\"", "a||-" },
		{ D "name=\"a/b\"", "a/b|-|-" },
		/* RFC 8187, before or behind the plain name, which is used when the other is malformed */
		{ D "name=a; filename*=UTF-8''%e2%82%ac%20rates", "a|€ rates|-" },
		{ D "name=a; filename*=utf-8'de'%C3%BC.pdf; filename=\"u.pdf\"", "a|ü.pdf|-" },
		{ D "name=a; filename=\"u.pdf\"; filename*=\"UTF-8''%C3%BC.pdf\"", "a|ü.pdf|-" },
		{ D "name=a; filename*=UTF-8''..%2Fb%5Cc", "a|../b\\c|-" },
		{ D "name=a; filename*=UTF-8''%22%2522", "a|\"%22|-" },
		{ D "name=a; filename*=ISO-8859-1''%fc.pdf; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8''%fc.pdf; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8''%c; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8''%; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8''%g0; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8''a%00; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8'de; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=\"UTF-8''a b\"; filename=\"u.pdf\"", "a|u.pdf|-" },
		{ D "name=a; filename*=UTF-8''b.pdf; filename=\"\xff\"", "a|b.pdf|-" },
		{ D "name=a; filename*=UTF-8''%fc.pdf", NULL },
		{ D "name=a; filename*=UTF-8''a%0ab%0d%7f; filename=\"u.pdf\"", "a|a\nb\r\x7f|-" },
		{ D "name=a; filename=\"\xe9t\xe9\x01\x1b.pdf\"", "a|\xe9t\xe9\x01\x1b.pdf|-" },
		/* other lines */
		{ D "name=a\r\nContent-Type: text/plain; charset=\"utf-8\" \t", "a|-|text/plain; charset=\"utf-8\"" },
		{ "content-TYPE:image/png\r\n" D "name=a; filename=b", "a|b|image/png" },
		{ D "name=a\r\nContent-Type:", "a|-|" },
		{ "X-A: \xff\r\n" D "name=a\r\nX-A: 2\r\nContent-Length: 7\r\nX-B:", "a|-|-" },
		{ D "name=a\r\nContent-Transfer-Encoding: BINARY", "a|-|-" },
		{ D "name=a\r\nContent-Transfer-Encoding: 8bit\r\nX:", "a|-|-" },
		{ D "name=a\r\nContent-Transfer-Encoding: 7bit", "a|-|-" },
		{ D "name=a\r\nContent-Transfer-Encoding: base64", NULL },
		{ D "name=a\r\nContent-Transfer-Encoding: quoted-printable", NULL },
		{ D "name=a\r\nContent-Type: x\r\nContent-Type: x", NULL },
		{ D "name=a\r\nContent-Type: \xff", NULL },
		{ D "name=a\r\n" D "name=a", NULL },
		/* no name */
		{ "Content-Type: text/plain", NULL },
		{ "Content-Disposition: form-data", NULL },
		{ "Content-Disposition: form-data;", NULL },
		{ "Content-Disposition:", NULL },
		{ D "name=\"\"", NULL },
		{ D "name=", NULL },
		{ D "name", NULL },
		{ D "filename=a", NULL },
		{ D "name*=UTF-8''a", NULL },
		/* malformed */
		{ "Content-Disposition: attachment; name=a", NULL },
		{ "Content-Disposition: form-data name=a", NULL },
		{ "Content-Disposition: name=a; form-data", NULL },
		{ D "name=\"a", NULL },
		{ D "name=\"a\\\"", NULL },
		{ D "name=\"a\"b", NULL },
		{ D "name=\"a\" b", NULL },
		{ D "name=a\"b\"", NULL },
		{ D "name=a b", NULL },
		{ D "name =a", NULL },
		{ D "name= a", NULL },
		{ D "=a; name=a", NULL },
		{ D "name=a; x", NULL },
		{ D "name=a; filename=", NULL },
		{ D "name=a; name=b", NULL },
		{ D "name=a; NAME=a", NULL },
		{ D "name=a; filename=b; filename=b", NULL },
		{ D "name=a; filename*=UTF-8''b; filename*=UTF-8''b", NULL },
		{ "Content-Disposition : form-data; name=a", NULL },
		{ ": x\r\n" D "name=a", NULL },
		{ "X\r\n" D "name=a", NULL },
		{ "X Y: z\r\n" D "name=a", NULL },
		{ "Ü: z\r\n" D "name=a", NULL },
		/* folded (RFC 9112 section 5.2) */
		{ "Content-Disposition: form-data;\r\n name=a", NULL },
		{ " " D "name=a", NULL },
		{ D "name=a\r\n\tX: y", NULL },
		/* bytes that are not allowed in a name */
		{ D "name=\"\xff\"", NULL },
		{ D "name=\"\xc0\xaf\"", NULL },
		{ D "name=\"\xed\xa0\x80\"", NULL },
		{ D "name=\"a\x01\"", NULL },
		{ D "name=\"a\x7f\"", NULL },
		{ D "name=a\r\nX: \x1b", NULL },
		{ D "name=a\r\nX: \x7f", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf body = { 0 }, events = { 0 };

		buf_printf(&body, "--b\r\n%s\r\n\r\nx\r\n--b--", cases[i].head);
		if (cases[i].events)
			buf_printf(&events, "%s:x;complete", cases[i].events);
		expect(body.s, body.length, cases[i].events ? events.s : "broken");
		buf_clear(&body);
		buf_clear(&events);
	}
}

static void
a_nul_in_a_head_is_malformed(void **state)
{
	static const char body[] = "--b\r\n" D "name=\"a\0b\"\r\n\r\nx\r\n--b--";

	(void)state;
	expect(body, sizeof(body) - 1, "broken");
}

static void
the_head_is_limited(void **state)
{
	static const char rest[] = "\r\n" A "\r\n";

	(void)state;
	for (size_t more = 0; more <= 1; more++) {
		struct buf body = { 0 };

		buf_puts(&body, "--b\r\nX:");
		for (size_t n = 2; n < MULTIPART_HEAD_MAX - strlen(rest) + more; n++)
			buf_putc(&body, 'x');
		buf_puts(&body, rest);
		buf_puts(&body, "x\r\n--b--");
		expect_pieces(body.s, body.length, more ? "broken" : "a|-|-:x;complete", body.length, 0, 1);
		expect_pieces(body.s, body.length, more ? "broken" : "a|-|-:x;complete", 1, 1, 1);
		buf_clear(&body);
	}
}

static void
the_number_of_parts_is_limited(void **state)
{
	(void)state;
	for (int parts = MULTIPART_PARTS_MAX; parts <= MULTIPART_PARTS_MAX + 1; parts++) {
		struct buf body = { 0 }, events = { 0 };

		for (int n = 0; n < parts; n++) {
			buf_puts(&body, PART("x"));
			buf_puts(&events, n < MULTIPART_PARTS_MAX ? "a|-|-:x;" : "");
		}
		buf_puts(&body, END);
		buf_puts(&events, parts > MULTIPART_PARTS_MAX ? "broken" : "complete");
		expect_pieces(body.s, body.length, events.s, body.length, 0, 1);
		buf_clear(&body);
		buf_clear(&events);
	}
}

/* Each call returns false once, for a body in three pieces; no other call follows. */
static void
a_handler_stops_the_parser(void **state)
{
	static const char body[] = PART("xyz") PART("") END, whole[] = "a|-|-:xyz;a|-|-:;";
	static const size_t seen[] = { 6, 7, 9, 10, 16, 17 };

	(void)state;
	for (size_t i = 0; i < COUNT(seen); i++) {
		struct log log = { .stop_at = (int)i + 1 };
		char events[64];

		/* the first piece ends behind the x */
		feed(&log, "b", body, sizeof(body) - 1, strlen("--b\r\n" A "\r\nx"), 0, sizeof(body));
		snprintf(events, sizeof(events), "%.*sstopped", (int)seen[i], whole);
		assert_string_equal(log.text.s, events);
		assert_int_equal(log.calls, log.stop_at);
		buf_clear(&log.text);
	}
}

static void
long_boundaries_work(void **state)
{
	static const char boundary[] = "'()+_,-./:=? 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU";
	struct buf body = { 0 };

	(void)state;
	assert_int_equal(strlen(boundary), MULTIPART_BOUNDARY_MAX);
	buf_printf(&body, "--%s\r\n" A "\r\nx\r\n--%.69s\r\n--%s--", boundary, boundary, boundary);
	for (size_t first = 0; first <= body.length; first++) {
		struct log log = { 0 };
		char events[128];

		feed(&log, boundary, body.s, body.length, first, 1, body.length);
		snprintf(events, sizeof(events), "a|-|-:x\r\n--%.69s;complete", boundary);
		assert_string_equal(log.text.s, events);
		buf_clear(&log.text);
	}
	buf_clear(&body);
}

static void
large_data_is_passed_on_in_large_pieces(void **state)
{
	struct buf body = { 0 };
	struct log log = { 0 };

	(void)state;
	buf_puts(&body, "--b\r\n" A "\r\n");
	for (int i = 0; i < 100000; i++)
		buf_puts(&body, "x\n-\r-");
	buf_puts(&body, "\r\n--b--");
	feed(&log, "b", body.s, body.length, 0, 0, 8192);
	/* begin, end, and a call a piece; two where the piece before it ended with a CR */
	assert_true(log.calls <= 2 + 2 * (int)(body.length / 8192 + 1));
	assert_int_equal(log.text.length, 500000 + strlen("a|-|-:;complete"));
	buf_clear(&log.text);
	buf_clear(&body);
}

static void
the_boundary_of_a_content_type(void **state)
{
#define M "multipart/form-data"
#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"
	static const struct { const char *type, *boundary; } cases[] = {
		{ M "; boundary=abc", "abc" },
		{ M ";boundary=abc", "abc" },
		{ " Multipart/Form-DATA ; BOUNDARY=aBc ", "aBc" },
		{ M "; boundary=\"abc\"", "abc" },
		{ M "; boundary=\"a b\"", "a b" },
		{ M "; boundary=\"a\\b\"", NULL },
		{ M "; charset=utf-8; boundary=abc; x=\"y;boundary=z\"", "abc" },
		{ M ";; boundary=abc;", "abc" },
		{ M "; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW" },
		{ M "; boundary=\"'()+_,-./:=?\"", "'()+_,-./:=?" },
		{ M "; boundary='()+_,-./:=?", "'()+_,-./:=?" },
		{ M "; boundary=" SEVENTY, SEVENTY },
		{ M "; boundary=\"" SEVENTY "\"", SEVENTY },
		{ M "; boundary=" SEVENTY "0", NULL },
		{ M, NULL },
		{ M ";", NULL },
		{ M "; charset=utf-8", NULL },
		{ M "; boundary", NULL },
		{ M "; boundary=", NULL },
		{ M "; boundary=;", NULL },
		{ M "; boundary=\"\"", NULL },
		{ M "; boundary=\"abc", NULL },
		{ M "; boundary=\"abc \"", NULL },
		{ M "; boundary=abc, " M, NULL },
		{ M "; boundary=abc def", NULL },
		{ M "; boundary=abc; boundary=abc", NULL },
		{ M "; boundary=abc; x", NULL },
		{ M "; boundary=a*b", NULL },
		{ M "; boundary=a\tb", NULL },
		{ M "; boundary=\"a\r\nb\"", NULL },
		{ M "; boundary=ä", NULL },
		{ M "; boundary = abc", NULL },
		{ M " boundary=abc", NULL },
		{ "", NULL },
		{ "multipart/mixed; boundary=abc", NULL },
		{ "multipart/form-datax; boundary=abc", NULL },
		{ "application/json", NULL },
	};
	char out[MULTIPART_BOUNDARY_MAX + 1], far[600];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		check(multipart_boundary(cases[i].type, out) == (cases[i].boundary != NULL), cases[i].type);
		if (cases[i].boundary)
			assert_string_equal(out, cases[i].boundary);
	}
	/* too long */
	snprintf(far, sizeof(far), M ";%500s boundary=abc", "");
	assert_false(multipart_boundary(far, out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_is_read_the_same_wherever_it_is_split),
		cmocka_unit_test(the_head_of_a_part_is_read),
		cmocka_unit_test(a_nul_in_a_head_is_malformed),
		cmocka_unit_test(the_head_is_limited),
		cmocka_unit_test(the_number_of_parts_is_limited),
		cmocka_unit_test(a_handler_stops_the_parser),
		cmocka_unit_test(long_boundaries_work),
		cmocka_unit_test(large_data_is_passed_on_in_large_pieces),
		cmocka_unit_test(the_boundary_of_a_content_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
