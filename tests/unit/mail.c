/* lib/school/mail.c: the format of a message, what is refused, and that a row of the outbox shows no secret. */
#include "arena.h"
#include "mail.h"
#include "clock.h"
#include "db_admin.h"
#include "json.h"
#include "log.h"
#include "random.h"
#include "text.h"
#include "unit.h"
#include "utf8.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ID "0123456789abcdef01234567"
#define CREATED INT64_C(1768473000000)	/* 2026-01-15T10:30:00Z */

static char data[] = "/tmp/okul-mail-XXXXXX";
static struct conf conf;
static struct arena *arena;

static struct mail_value values[] = { { "code", "482913" }, { "minutes", "10" }, { "school", "okul" } };

/* ---- helpers */

static void
write_template(const char *text, const char *html)
{
	put_file(data, "mail-templates/own.en.txt", text, strlen(text));
	put_file(data, "mail-templates/own.en.html", html, strlen(html));
}

static struct mail
a_mail(const char *template, enum language language)
{
	return (struct mail){ .id = ID, .to = "someone@example.com", .template = template, .language = language,
		.created = CREATED, .values = values, .count = COUNT(values) };
}

/* The message; NULL when it is refused. */
static const char *
compose(const struct mail *mail)
{
	struct buf out = { .arena = arena };

	return mail_compose(&conf, arena, mail, &out) ? out.s : NULL;
}

/* A message from a template with one value, which may be in the subject and in both parts. */
static const char *
compose_value(const char *text)
{
	struct mail_value value = { "value", text };
	struct mail mail = a_mail("own", EN);

	mail.values = &value;
	mail.count = 1;
	return compose(&mail);
}

/* A header's value, line breaks included; NULL when there is no such header. */
static const char *
header(const char *message, const char *name)
{
	const char *start = strstr(message, arena_format(arena, "\r\n%s: ", name));

	if (!start)
		return NULL;
	start += strlen(name) + 4;
	const char *end = start;
	do
		end = strstr(end, "\r\n") + 2;
	while (*end == ' ');
	return arena_copy(arena, start, (size_t)(end - 2 - start));
}

static int
hex(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* Decodes RFC 2047; checks that each encoded-word is whole UTF-8 of at most 75 bytes. */
static const char *
decode_words(const char *s)
{
	struct buf out = { .arena = arena };

	buf_puts(&out, "");
	while (strncmp(s, "=?UTF-8?Q?", 10) == 0) {
		const char *end = strstr(s + 10, "?=");
		size_t before = out.length;

		assert_non_null(end);
		assert_true(end + 2 - s <= 75);
		for (s += 10; s < end; s++) {
			if (*s == '=') {
				buf_putc(&out, (char)(hex(s[1]) * 16 + hex(s[2])));
				s += 2;
			} else {
				buf_putc(&out, *s == '_' ? ' ' : *s);
			}
		}
		assert_true(utf8_is_valid(out.s + before, out.length - before));
		s = end + 2;
		if (strncmp(s, "\r\n =?", 5) == 0)
			s += 3;
	}
	buf_puts(&out, s);
	return out.s;
}

/* The decoded body of the part of that type, with plain line feeds. */
static const char *
part(const char *message, const char *type)
{
	struct buf out = { .arena = arena };
	const char *s = strstr(message, arena_format(arena, "--=_" ID "\r\nContent-Type: %s; charset=utf-8\r\n", type));

	assert_non_null(s);
	s = strstr(s, "\r\n\r\n") + 4;
	const char *end = strstr(s, "--=_" ID);
	assert_non_null(end);
	for (; s < end; s++) {
		if (strncmp(s, "=\r\n", 3) == 0) {
			s += 2;
		} else if (*s == '=') {
			buf_putc(&out, (char)(hex(s[1]) * 16 + hex(s[2])));
			s += 2;
		} else if (*s != '\r') {
			buf_putc(&out, *s);
		}
	}
	return out.s;
}

static void
check_lines(const char *message)
{
	for (const char *line = message; *line; ) {
		const char *end = strstr(line, "\r\n");

		assert_non_null(end);
		assert_true(end - line <= 76);
		assert_int_not_equal(*line, '.');
		assert_int_not_equal(strncmp(line, "From ", 5), 0);
		assert_true(end == line || end[-1] > ' ');	/* a relay may strip white space there */
		for (; line < end; line++)
			assert_true((*line >= ' ' && *line <= '~') || *line == '\t');
		line = end + 2;
	}
}

/* ---- headers */

static void
test_headers(void **state)
{
	struct mail mail = a_mail("login-code", EN);
	const char *message = compose(&mail);

	(void)state;
	assert_non_null(message);
	assert_memory_equal(message, "Date: Thu, 15 Jan 2026 10:30:00 +0000\r\n", 39);
	assert_string_equal(header(message, "From"), "\"okul\" <school@example.org>");
	assert_string_equal(header(message, "To"), "someone@example.com");
	assert_string_equal(header(message, "Subject"), "482913 is your login code for okul");
	assert_null(header(message, "Reply-To"));
	assert_string_equal(header(message, "Message-ID"), "<" ID "@example.org>");
	assert_string_equal(header(message, "Auto-Submitted"), "auto-generated");
	assert_string_equal(header(message, "Content-Language"), "en");
	assert_string_equal(header(message, "MIME-Version"), "1.0");
	assert_string_equal(header(message, "Content-Type"), "multipart/alternative; boundary=\"=_" ID "\"");
	assert_string_equal(message, compose(&mail));
	mail.id = "76543210fedcba9876543210";
	assert_string_not_equal(message, compose(&mail));
}

static void
test_control_characters_are_refused(void **state)
{
	static const char *const bad[] = { "a\r\nBcc: x@example.com", "a\nb", "a\rb", "\n", "a\tb", "a\x7f", "a\x1b[0m",
		"\x80" };
	static const char *const bad_address[] = { "a@example.com\r\nBcc: b@example.com", "a@example.com\n",
		"a@example.com,b@c.de",
		"a@b.de> <c@d.ef", "a @b.de", "nobody", "", "a@b.de\x7f", "\xc3\xa4@b.de" };
	struct mail mail = a_mail("login-code", EN);

	(void)state;
	write_template("Subject: {{value}}\n\nbody\n", "<p>body</p>\n");
	assert_non_null(compose_value("good"));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_null(compose_value(bad[i]));
	for (size_t i = 0; i < COUNT(bad); i++) {
		conf.mail_name = bad[i];
		assert_null(compose(&mail));
	}
	conf.mail_name = "okul";
	for (size_t i = 0; i < COUNT(bad_address); i++) {
		mail.to = bad_address[i];
		assert_null(compose(&mail));
		mail.to = "someone@example.com";
		conf.mail_from = bad_address[i];
		assert_null(compose(&mail));
		conf.mail_from = "school@example.org";
	}
	assert_non_null(compose(&mail));
}

static void
test_reply_to(void **state)
{
	static const struct { const char *address, *name, *header; } cases[] = {
		{ "ada@school.org", "Ada Lovelace", "\"Ada Lovelace\" <ada@school.org>" },
		{ "ada@school.org", "", "<ada@school.org>" },
		{ "ada@school.org", "Şule", "=?UTF-8?Q?=C5=9Eule?= <ada@school.org>" },
		{ "ada@school.org", "Ada\r\nBcc: eve@example.com", NULL },
		{ "ada@school.org\r\nBcc: eve@example.com", "Ada", NULL },
		{ "ada@school.org, eve@example.com", "Ada", NULL },
		{ "ada@school.org", NULL, NULL },
		{ "", "Ada", NULL },
	};
	struct mail mail = a_mail("own", EN);

	(void)state;
	write_template("Subject: x\n\nbody\n", "<p>body</p>\n");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct mail_value answer[] = { { "reply_to", cases[i].address }, { "reply_name", cases[i].name } };
		mail.values = answer;
		mail.count = cases[i].name ? 2 : 1;
		const char *message = compose(&mail);
		assert_int_equal(message != NULL, cases[i].header != NULL);
		if (!message)
			continue;
		assert_string_equal(header(message, "Reply-To"), cases[i].header);
		assert_null(header(message, "Auto-Submitted"));
		assert_string_equal(header(message, "From"), "\"okul\" <school@example.org>");
		check_lines(message);
	}
}

/* Long words must wrap on a phone: mail programs make the whole mail as wide as its widest line. */
static void
test_every_page_breaks_long_words(void **state)
{
	static const char *const templates[] = { "contact-reply", "email-changed", "login-code", "material-assigned" };

	(void)state;
	for (size_t i = 0; i < COUNT(templates) * LANGUAGES; i++) {
		char page[65536] = "";
		FILE *file = fopen(arena_format(arena, "conf/mail/%s.%s.html", templates[i / LANGUAGES], language_codes[i % LANGUAGES]), "r");
		assert_non_null(file);
		assert_true(fread(page, 1, sizeof(page) - 1, file) > 0);
		fclose(file);
		const char *box = strstr(page, "<body");
		assert_non_null(strstr(page, "<meta name=\"viewport\" content=\"width=device-width\">"));
		assert_non_null(box = strstr(box, "\n<div style=\""));
		assert_non_null(strstr(box, "overflow-wrap:anywhere;word-break:break-word\">"));
		/* All content is in that one box, and nothing in it sets a width. */
		assert_null(strstr(box + 2, "<div"));
		assert_non_null(strstr(page, "</div>\n</body>"));
		assert_null(strstr(page, "<table"));
		assert_null(strstr(page, "nowrap"));
	}
}

static void
test_header_words(void **state)
{
	static const char *const texts[] = { "plain", "Giriş kodunuz", "Straße = Weg? _ =", "=?UTF-8?Q?no?=",
		"🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓🎓",
		"İstanbul'da çok uzun adlı bir dil okulu: güzel Türkçe, İngilizce, İspanyolca ve Almanca öğreten okul, hem de çok",
		"seventy characters and more of plain text, which must be folded in some way" };
	static const char *const names[] = { "\"Quoted\" School", "back\\slash", "Okul, Dil", "" };

	(void)state;
	write_template("Subject: {{value}}\n\nbody\n", "<p>body</p>\n");
	for (size_t i = 0; i < COUNT(texts); i++) {
		conf.mail_name = texts[i];
		const char *message = compose_value(texts[i]);
		assert_non_null(message);
		check_lines(message);
		assert_string_equal(decode_words(header(message, "Subject")), texts[i]);
		const char *from = header(message, "From");
		if (*from == '"') {
			assert_string_equal(from, arena_format(arena, "\"%s\" <school@example.org>", texts[i]));
		} else {
			const char *after = strrchr(from, '<');
			assert_string_equal(after, "<school@example.org>");
			from = arena_copy(arena, from, (size_t)(after - from) - (after[-2] == '\n' ? 3 : 1));
			assert_string_equal(decode_words(from), texts[i]);
		}
	}
	assert_string_equal(header(compose_value("plain"), "Subject"), "plain");
	conf.mail_name = names[0];
	assert_non_null(strstr(compose_value(""), "\r\nFrom: =?UTF-8?Q?=22Quoted=22_School?= <school@example.org>\r\n"));
	conf.mail_name = names[1];
	assert_non_null(strstr(compose_value(""), "\r\nFrom: =?UTF-8?Q?back=5Cslash?= <school@example.org>\r\n"));
	conf.mail_name = names[2];
	assert_non_null(strstr(compose_value(""), "\r\nFrom: \"Okul, Dil\" <school@example.org>\r\n"));
	conf.mail_name = names[3];
	assert_non_null(strstr(compose_value(""), "\r\nFrom: <school@example.org>\r\n"));
	conf.mail_name = "okul";
}

/* ---- bodies */

static void
test_body_round_trip(void **state)
{
	struct buf text = { .arena = arena };

	(void)state;
	buf_puts(&text, "From a\nFrom\n From b\nFrom: c\n>From d\n.\n..\n.dot\n\nÄ ğ 🎓 = =3D\nspace \ntab\t\n \nFrom here\n--=_" "\n\x01\x7f\r\n");
	/* All positions of a dot, a space and a multibyte character around the end of a full line. */
	for (int n = 60; n < 90; n++) {
		for (int i = 0; i < n; i++)
			buf_putc(&text, 'x');
		buf_puts(&text, ".. . ç\n");
		for (int i = 0; i < n; i++)
			buf_putc(&text, 'x');
		buf_puts(&text, "From here\n");
	}
	for (int i = 0; i < 3000; i++)
		buf_puts(&text, i % 7 ? "." : "ş");
	write_template("Subject: x\n\n>{{value}}\n", "{{value}}");
	const char *message = compose_value(text.s);
	assert_non_null(message);
	check_lines(message);

	const char *expected = arena_format(arena, ">%s\n", text.s);
	char *cr = strchr(expected, '\r');
	memmove(cr, cr + 1, strlen(cr));	/* CRLF in the source is a line end too */
	assert_string_equal(part(message, "text/plain"), expected);
	write_template("Subject: x\n\nx\n", "From here\n{{value}}\n");
	message = compose_value("From there");
	check_lines(message);
	assert_non_null(strstr(message, "\r\n\r\n=46rom here\r\n=46rom there\r\n"));
	assert_string_equal(part(message, "text/html"), "From here\nFrom there\n");
}

static void
test_lone_carriage_return(void **state)
{
	(void)state;
	write_template("Subject: x\n\n{{value}}\n", "<p></p>");
	assert_non_null(strstr(compose_value("a\rb"), "\r\n\r\na=0Db\r\n"));
}

static void
test_html_is_escaped(void **state)
{
	(void)state;
	write_template("Subject: {{value}}\n\n{{value}}\n", "<p title=\"{{value}}\">{{value}}</p>\n");
	const char *message = compose_value("<b>\"O'Neil\" & Co");
	assert_non_null(message);
	assert_string_equal(header(message, "Subject"), "<b>\"O'Neil\" & Co");
	assert_string_equal(part(message, "text/plain"), "<b>\"O'Neil\" & Co\n");
	const char *html = part(message, "text/html");
	assert_null(strstr(html, "<b>"));
	assert_null(strstr(html, "\"O"));
	assert_non_null(strstr(html, "title=\"&lt;b&gt;&quot;O"));
	assert_non_null(strstr(html, "&amp; Co</p>"));
}

/* ---- templates */

static void
test_template_faults(void **state)
{
	static const char *const good_text = "Subject: x\n\n{{value}}\n", *const good_html = "<p>{{value}}</p>\n";
	static const char *const bad[] = { "{{other}}", "{{value", "{{value}", "{{}}", "{{ value }}", "{{val\nue}}", "{{" };
	struct mail missing = a_mail("missing", EN);

	(void)state;
	write_template(good_text, good_html);
	assert_non_null(compose_value("x"));
	for (size_t i = 0; i < COUNT(bad); i++) {
		write_template(arena_format(arena, "Subject: x\n\n%s\n", bad[i]), good_html);
		assert_null(compose_value("x"));
		write_template(arena_format(arena, "Subject: %s\n\nx\n", bad[i]), good_html);
		assert_null(compose_value("x"));
		write_template(good_text, bad[i]);
		assert_null(compose_value("x"));
	}
	/* {{...}} in a value is not replaced. */
	write_template(good_text, good_html);
	assert_non_null(strstr(compose_value("{{other}}"), "\r\n{{other}}\r\n"));
	write_template("Hello\n\n{{value}}\n", good_html);
	assert_null(compose_value("x"));
	put_file(data, "mail-templates/own.en.txt", "Subject: x\n\n\0{{value}}\n", 24);
	assert_null(compose_value("x"));
	put_file(data, "mail-templates/own.en.txt", "Subject: x\n\n\xff\n", 14);
	assert_null(compose_value("x"));
	char *large = arena_alloc(arena, 70000);
	memset(large, 'x', 70000);
	memcpy(large, good_text, 12);
	put_file(data, "mail-templates/own.en.txt", large, 70000);
	assert_null(compose_value("x"));
	assert_null(compose(&missing));
	assert_non_null(strstr(log_last(), "missing.en.txt"));
}

static void
test_operators_template_wins(void **state)
{
	static const char own[] = "Subject: Eigener {{code}}\r\n\r\nOwn {{code}}\r\n";
	struct mail mail = a_mail("login-code", DE);
	char folder[200];

	(void)state;
	put_file(data, "mail-templates/login-code.de.txt", own, strlen(own));
	const char *message = compose(&mail);
	assert_non_null(message);
	assert_string_equal(header(message, "Subject"), "Eigener 482913");
	assert_string_equal(part(message, "text/plain"), "Own 482913\n");
	assert_non_null(strstr(part(message, "text/html"), "Anmeldecode"));	/* the shipped one */
	mail.language = EN;
	assert_string_equal(header(compose(&mail), "Subject"), "482913 is your login code for okul");

	/* When the operator's template cannot be read, the shipped one must not be sent instead. */
	mail.language = DE;
	snprintf(folder, sizeof(folder), "%s/mail-templates/login-code.de.txt", data);
	assert_int_equal(unlink(folder), 0);
	assert_non_null(compose(&mail));
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_null(compose(&mail));
	assert_int_equal(rmdir(folder), 0);
}

static void
test_shipped_templates(void **state)
{
	static const char *const words[] = { "giriş", "login", "acceso", "Anmeldecode" };

	(void)state;
	for (int language = 0; language < LANGUAGES; language++) {
		struct mail mail = a_mail("login-code", (enum language)language);
		const char *message = compose(&mail);

		assert_non_null(message);
		check_lines(message);
		const char *text = part(message, "text/plain"), *html = part(message, "text/html");
		assert_non_null(strstr(decode_words(header(message, "Subject")), words[language]));
		assert_memory_equal(decode_words(header(message, "Subject")), "482913 ", 7);
		/* For `grep`: the code is a line, and no other line of the message begins with it. */
		const char *line = strstr(message, "\r\n482913\r\n");
		assert_non_null(line);
		assert_null(strstr(line + 2, "\r\n482913"));
		assert_non_null(strstr(text, "10 "));
		assert_non_null(strstr(html, ">482913<"));
		assert_non_null(strstr(html, arena_format(arena, "<html lang=\"%s\">", language_codes[language])));
		assert_non_null(strstr(html, "10 "));
		assert_null(strstr(html, "http"));
		assert_null(strstr(html, "<img"));
	}
}

/* ---- hostile input of a form */

static const char *const tricks[] = {
	"\r\n", "\n", "\r", "\n\r", "\r\n.\r\n", "\n.\n", ".", "..", "\r\n..", "\r\n\r\n", "\v", "\f", "\t", " ", "\x01", "\x1b[0m", "\x7f",
	"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xae", "\xe2\x81\xa6", "\xef\xbb\xbf", "\xe5\x98\x8a\xe5\x98\x8d",
	"Bcc: eve@example.com", "To: eve@example.com", "Cc:eve@example.com", "Content-Type: text/html", "From: eve@example.com",
	"=?utf-8?q?=0D=0ABcc:_eve@example.com?=", "=?UTF-8?B?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=", "=?", "?=", "=0D=0A", "=\r\n", "=",
	"\nFrom ", "From ", "MAIL FROM:<eve@example.com>", "RCPT TO:<eve@example.com>", "DATA", "QUIT", "--=_" ID, "\r\n--=_" ID "--\r\n", "%0d%0aBcc:eve@example.com",
	"&#13;&#10;", "{{school}}", "{{nobody}}", "{{", "}}", ",", "\"", "\\", "<eve@example.com>", ">", "<", ";", ":", "(", ")", "[", "]", "@", "'",
	"a", "Ada", "ğ", "İ", "ß", "😀", "e\xcc\x81",
	"a very long word that no line can hold a-very-long-word-that-no-line-can-hold-a-very-long-word-that-no-line-can-hold-a-very-long-word",
};

/* The next number of a fixed series, below `limit` (Marsaglia: Xorshift RNGs, 2003). */
static size_t
chance(size_t limit)
{
	static uint64_t x = 88172645463325252;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (size_t)(x % limit);
}

static const char *
a_trick(size_t pieces)
{
	struct buf out = { .arena = arena };

	buf_puts(&out, "");
	while (pieces-- > 0)
		buf_puts(&out, tricks[chance(COUNT(tricks))]);
	return out.s;
}

/* A subject as contact.c stores it. */
static const char *
on_one_line(const char *text)
{
	char *line = arena_string(arena, text);

	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return line;
}

/* The same with plain line feeds. */
static const char *
unix_lines(const char *text)
{
	struct buf out = { .arena = arena };

	for (buf_puts(&out, ""); *text; text++)
		if (*text != '\r' || text[1] != '\n')
			buf_putc(&out, *text);
	return out.s;
}

static void
check_header_names(const char *message)
{
	static const char *const names[] = { "Date", "From", "To", "Subject", "Message-ID", "Reply-To", "Content-Language",
		"MIME-Version", "Content-Type" };

	for (size_t i = 0; i < COUNT(names); i++) {
		assert_memory_equal(message, names[i], strlen(names[i]));
		assert_memory_equal(message + strlen(names[i]), ": ", 2);
		do
			message = strstr(message, "\r\n") + 2;
		while (*message == ' ');
	}
	assert_memory_equal(message, "\r\n", 2);
}

/* Checks every header, and that the two parts hold only what was written. */
static void
check_reply(const char *message, const struct mail_value *v, const char *to)
{
	int boundaries = 0;

	check_lines(message);
	check_header_names(message);
	assert_string_equal(header(message, "From"), "\"okul\" <school@example.org>");
	assert_string_equal(header(message, "To"), to);
	assert_memory_equal(header(message, "Reply-To") + strlen(header(message, "Reply-To")) - 16, "<ada@school.org>", 16);
	assert_string_equal(decode_words(header(message, "Subject")), arena_format(arena, "Re: %s", v[2].text));
	for (const char *s = message; (s = strstr(s, "\r\n--=_" ID)); s++)
		boundaries++;
	assert_int_equal(boundaries, 3);
	assert_string_equal(part(message, "text/plain"), unix_lines(arena_format(arena,
		"Hello %s,\n\n%s\n\nokul\n\nYou wrote to us:\n\n%s\n", v[1].text, v[3].text, v[5].text)));
}

/* Checks that it is one address for any parser: a local part and a domain, without specials or white space. */
static bool
is_one_address(const char *s)
{
	return strspn(s, "!#$%&'*+-./0123456789=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~") == strlen(s);
}

static void
test_ten_thousand_tricks(void **state)
{
	size_t refused_subjects = 0, refused_addresses = 0;

	(void)state;
	for (int n = 0; n < 10000; n++) {
		arena_reset(arena);
		const char *subject = a_trick(chance(8));
		const char *local = a_trick(1 + chance(2));
		const char *to = strlen(local) < 40 && n % 4 == 0 ? arena_format(arena, "a%s@example.com", local) : "ada@example.com";
		struct mail_value v[] = { { "school", "okul" }, { "name", a_trick(chance(6)) }, { "subject", subject },
			{ "reply", a_trick(chance(30)) }, { "question", "" }, { "quoted", a_trick(chance(20)) },
			{ "reply_to", "ada@school.org" }, { "reply_name", on_one_line(a_trick(chance(4))) } };
		struct mail mail = { .id = ID, .to = to, .template = "contact-reply", .language = EN, .created = CREATED, .values = v,
			.count = COUNT(v) };
		const char *message = compose(&mail);
		bool clean = strcmp(on_one_line(subject), subject) == 0, one = is_one_address(to);

		v[4].text = v[5].text;
		refused_subjects += !clean;
		refused_addresses += !one;
		assert_int_equal(message != NULL, clean && one);
		if (message)
			check_reply(message, v, to);
		v[2].text = on_one_line(subject);
		mail.to = "ada@example.com";
		message = compose(&mail);
		assert_non_null(message);
		check_reply(message, v, mail.to);
	}
	assert_in_range(refused_subjects, 1000, 9000);
	assert_in_range(refused_addresses, 500, 2500);
}

/* ---- the outbox */

static struct db *
a_database(void)
{
	char why[300] = "", schema[65536] = "";
	FILE *file = fopen("schema.sql", "r");

	assert_non_null(file);
	assert_true(fread(schema, 1, sizeof(schema) - 1, file) > 0);
	fclose(file);
	assert_true(db_create(data, schema, why, sizeof(why)));
	struct db *db = db_open(data, DB_READ_WRITE, 0, why, sizeof(why));
	assert_non_null(db);
	return db;
}

/* True when a file of the database in the data folder has the bytes. */
static bool
database_holds(const char *bytes)
{
	static const char *const names[] = { "okul.db", "okul.db-wal" };
	static char content[1 << 20];
	bool found = false;

	for (size_t i = 0; i < COUNT(names); i++) {
		FILE *file = fopen(arena_format(arena, "%s/%s", data, names[i]), "r");
		if (!file)
			continue;
		size_t length = fread(content, 1, sizeof(content), file);
		found = found || memmem(content, length, bytes, strlen(bytes));
		fclose(file);
	}
	return found;
}

static void
test_outbox(void **state)
{
	static const char *const sql = "SELECT id, recipient, language, template, sealed, created_at, expires_at, next_at, "
		"attempts FROM outbox ORDER BY pk";
	struct conf other = conf;
	struct mail mail = { .id = ID };
	struct db *db = a_database();
	struct db_rows *row;

	(void)state;
	other.mail_key[5] ^= 1;
	const struct outbox_new short_lived = mail_seal(&conf, arena, CREATED, CREATED + 5, "tr@example.com", TR, "login-code",
		values, COUNT(values));
	const struct outbox_new other_mail = mail_seal(&conf, arena, CREATED, 0, "es@example.com", ES, "login-code", values, 0);
	assert_int_equal(db_write_begin(db), DB_DONE);
	outbox_add(db, &short_lived);
	outbox_add(db, &other_mail);
	assert_int_equal(db_write_commit(db), DB_DONE);

	assert_int_equal(db_one(db, &row, sql, NO_ARGS), DB_ROW);
	assert_true(text_is_id(db_text(row, 0)));
	assert_string_equal(db_text(row, 1), "tr@example.com");
	assert_string_equal(db_text(row, 2), "tr");
	assert_string_equal(db_text(row, 3), "login-code");
	assert_int_equal(db_int(row, 5), CREATED);
	assert_int_equal(db_int(row, 6), CREATED + 5);
	assert_int_equal(db_int(row, 7), CREATED + 5 - DAY);	/* its turn: before what has a day */
	assert_int_equal(db_int(row, 8), 0);
	size_t length = db_size(row, 4);
	char *sealed = arena_copy(arena, db_blob(row, 4), length);
	assert_int_equal(length, strlen("{\"code\":\"482913\",\"minutes\":\"10\",\"school\":\"okul\"}") + SEAL_EXTRA);
	assert_int_equal(db_next(row), DB_ROW);
	assert_int_equal(db_int(row, 6), CREATED + DAY);
	assert_int_equal(db_int(row, 7), CREATED);
	assert_true(mail_unseal(&conf, arena, db_blob(row, 4), db_size(row, 4), &mail));
	assert_int_equal(mail.count, 0);
	db_end(row);
	db_close(db);
	assert_true(database_holds("login-code"));	/* database_holds() works */
	assert_false(database_holds("482913"));
	assert_false(database_holds("\"minutes\""));

	assert_true(mail_unseal(&conf, arena, sealed, length, &mail));
	assert_int_equal(mail.count, COUNT(values));
	for (size_t i = 0; i < COUNT(values); i++) {
		assert_string_equal(mail.values[i].name, values[i].name);
		assert_string_equal(mail.values[i].text, values[i].text);
	}
	assert_false(mail_unseal(&other, arena, sealed, length, &mail));
	assert_false(mail_unseal(&conf, arena, sealed, length - 1, &mail));
	assert_false(mail_unseal(&conf, arena, sealed, 3, &mail));
	sealed[length / 2] ^= 1;
	assert_false(mail_unseal(&conf, arena, sealed, length, &mail));
}

/* A user who is deactivated or being deleted gets only login codes, replies and the notice of a changed address. */
static void
test_inactive_users_get_no_other_mail(void **state)
{
	static const char *const templates[] = { "material-assigned", "login-code", "contact-reply", "email-changed" };
	static const struct { const char *change; int left; } cases[] = {
		{ "UPDATE users SET is_active = 0", 3 }, { "UPDATE users SET is_active = 1", 4 },
		{ "UPDATE users SET deletion_status = 'pending'", 3 }, { "UPDATE users SET deletion_status = 'cancelled'", 4 },
	};
	struct outbox_new mails[COUNT(templates)], elsewhere;
	struct db *db;
	struct db_rows *row;
	char why[300] = "";

	(void)state;
	for (size_t t = 0; t < COUNT(templates); t++)
		mails[t] = mail_seal(&conf, arena, CREATED, 0, "ada@example.com", EN, templates[t], values, 0);
	elsewhere = mail_seal(&conf, arena, CREATED, 0, "eve@example.com", EN, templates[0], values, 0);
	/* Uses the database of test_outbox. */
	db = db_open(data, DB_READ_WRITE, 0, why, sizeof(why));
	assert_non_null(db);
	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, "DELETE FROM outbox", NO_ARGS, NULL), DB_DONE);
	assert_int_equal(db_run(db, "INSERT INTO users (id, email, timezone, created_at, updated_at)"
		" VALUES ('1', 'ada@example.com', 'UTC', 0, 0)", NO_ARGS, NULL), DB_DONE);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(db_run(db, cases[i].change, NO_ARGS, NULL), DB_DONE);
		for (int k = 0; k < 2; k++) {
			/* Mails that wait when the state changes are kept or dropped like those queued afterwards. */
			if (k == 1 || i == 0) {
				assert_int_equal(db_run(db, "DELETE FROM outbox", NO_ARGS, NULL), DB_DONE);
				for (size_t t = 0; t < COUNT(templates); t++)
					outbox_add(db, &mails[t]);
			}
			assert_int_equal(db_one(db, &row, "SELECT count(*) FROM outbox", NO_ARGS), DB_ROW);
			assert_int_equal(db_int(row, 0), k == 0 && cases[i].left == 4 ? 3 : cases[i].left);
			db_end(row);
		}
	}
	/* An address of no user, and one of another user. */
	assert_int_equal(db_run(db, cases[0].change, NO_ARGS, NULL), DB_DONE);
	outbox_add(db, &elsewhere);
	assert_int_equal(db_one(db, &row, "SELECT count(*) FROM outbox WHERE recipient = 'eve@example.com'", NO_ARGS), DB_ROW);
	assert_int_equal(db_int(row, 0), 1);
	db_end(row);
	db_write_rollback(db);
	db_close(db);
}

static void
test_sealed_text_that_is_no_list_of_values(void **state)
{
	static const char *const bad[] = { "[]", "1", "{\"a\":1}", "{\"a\":\"x\\u0000\"}", "{\"a\":\"x\",\"a\":\"y\"}", "{" };
	struct mail mail = { .id = ID };
	unsigned char sealed[200];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		secret_seal(sealed, bad[i], strlen(bad[i]), conf.mail_key);
		assert_false(mail_unseal(&conf, arena, sealed, strlen(bad[i]) + SEAL_EXTRA, &mail));
	}
}

static void
test_wake(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct conf far = conf;
	char datagram[8];

	(void)state;
	mail_wake(&conf);	/* no socket */
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/mail.sock", data);
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&address, sizeof(address)), 0);
	mail_wake(&conf);
	assert_int_equal(recv(s, datagram, sizeof(datagram), 0), 1);
	assert_int_equal(recv(s, datagram, sizeof(datagram), 0), -1);
	/* A sender that does not read must not block the caller. */
	for (int i = 0; i < 2000; i++)
		mail_wake(&conf);
	close(s);
	mail_wake(&conf);	/* a stale file */

	far.data = arena_format(arena, "%s/%0200d", data, 1);
	mail_wake(&far);
}

/* ---- */

static int
set_up(void **state)
{
	char path[200];

	(void)state;
	log_init("test", false, LOG_FATAL);
	random_init();
	arena = arena_new(1 << 20);
	json_use(arena);
	if (!mkdtemp(data))
		return -1;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", data, i ? "run" : "mail-templates");
		if (mkdir(path, 0700) != 0)
			return -1;
	}
	conf = (struct conf){ .data = data, .share = "conf", .mail_from = "school@example.org", .mail_name = "okul",
		.mail_key = "thirty-two bytes of a known key" };
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = { "mail-templates/own.en.txt", "mail-templates/own.en.html", "mail-templates",
		"run/mail.sock", "run", "okul.db-wal", "okul.db-shm", "okul.gate", "okul.db" };
	char path[200];

	(void)state;
	json_use(NULL);
	arena_free(arena);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", data, names[i]);
		remove(path);
	}
	return remove(data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_control_characters_are_refused),
		cmocka_unit_test(test_header_words),
		cmocka_unit_test(test_reply_to),
		cmocka_unit_test(test_every_page_breaks_long_words),
		cmocka_unit_test(test_body_round_trip),
		cmocka_unit_test(test_lone_carriage_return),
		cmocka_unit_test(test_html_is_escaped),
		cmocka_unit_test(test_template_faults),
		cmocka_unit_test(test_operators_template_wins),
		cmocka_unit_test(test_shipped_templates),
		cmocka_unit_test(test_ten_thousand_tricks),
		cmocka_unit_test(test_outbox),
		cmocka_unit_test(test_inactive_users_get_no_other_mail),
		cmocka_unit_test(test_sealed_text_that_is_no_list_of_values),
		cmocka_unit_test(test_wake),
	};

	return cmocka_run_group_tests_name("mail", tests, set_up, tear_down);
}
