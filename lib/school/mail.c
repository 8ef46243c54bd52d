#include "mail.h"

#include "clock.h"
#include "encode.h"
#include "json.h"
#include "json_write.h"
#include "log.h"
#include "text.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_WIDTH 76 /* RFC 2047 section 2 for encoded-words, RFC 2045 section 6.7 (5) for quoted-printable */
#define TEMPLATE_MAX 65536
#define REPLY_TO "reply_to"
#define REPLY_NAME "reply_name"

/* ---- the outbox */

const char *
mail_one_line(struct arena *arena, const char *text)
{
	char *line = arena_string(arena, text);

	for (unsigned char *c = (unsigned char *)line; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return line;
}

struct outbox_new
mail_seal(const struct conf *conf, struct arena *arena, int64_t now, int64_t expires, const char *to, enum language language,
	const char *template, const struct mail_value *values, size_t count)
{
	struct outbox_new mail = { .to = to,
		.language = language_code(language),
		.template = template,
		.created = now,
		.expires = expires ? expires : now + OUTBOX_LIFE };
	struct buf json = { .arena = arena };

	json_put_object(&json, NULL);
	for (size_t i = 0; i < count; i++)
		json_put_text(&json, values[i].name, values[i].text);
	json_put_end_object(&json);
	unsigned char *sealed = arena_alloc(arena, json.length + SEAL_EXTRA);
	secret_seal(sealed, json.s, json.length, conf->mail_key);
	mail.sealed = value_blob(sealed, json.length + SEAL_EXTRA);
	secret_wipe(json.s, json.length);
	random_id(mail.id);
	return mail;
}

void
mail_wake(const struct conf *conf)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/run/mail.sock", conf->data);
	if (length >= (int)sizeof(address.sun_path))
		return;
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s < 0)
		return;
	/* Fails when no sender listens, or when enough wake-ups are queued already. */
	(void)sendto(s, "", 1, 0, (const struct sockaddr *)&address, sizeof(address));
	close(s);
}

static bool
read_values(struct arena *arena, const cJSON *object, struct mail *mail)
{
	struct mail_value *values = arena_alloc(arena, (size_t)cJSON_GetArraySize(object) * sizeof(*values) + 1);
	const cJSON *item;
	size_t count = 0;

	cJSON_ArrayForEach(item, object)
	{
		if (!cJSON_IsString(item))
			return false;
		values[count++] = (struct mail_value){ item->string, item->valuestring };
	}
	mail->values = values;
	mail->count = count;
	return true;
}

bool
mail_unseal(const struct conf *conf, struct arena *arena, const void *sealed, size_t length, struct mail *mail)
{
	size_t plain = length < SEAL_EXTRA ? 0 : length - SEAL_EXTRA;
	char *text = arena_alloc(arena, plain + 1);
	enum json_fault fault;

	if (plain > 0 && secret_open(text, sealed, length, conf->mail_key)) {
		const cJSON *object = json_parse(arena, text, plain, JSON_DEPTH, &fault);
		secret_wipe(text, plain);
		if (cJSON_IsObject(object) && read_values(arena, object, mail))
			return true;
	}
	log_line(LOG_FAULT, "mail_sealed id=%s reason=\"sealed under another mail key than that of keys.conf\"", mail->id);
	return false;
}

/* ---- templates */

/* NULL with errno set when the file is missing, too large, or not UTF-8 text. */
static char *
read_text(struct arena *arena, const char *path)
{
	struct stat st;
	char *text = NULL;
	int file = open(path, O_RDONLY | O_CLOEXEC);

	if (file < 0)
		return NULL;
	if (fstat(file, &st) == 0 && st.st_size <= TEMPLATE_MAX) {
		text = arena_alloc(arena, (size_t)st.st_size + 1);
		ssize_t length = read(file, text, (size_t)st.st_size);
		if (length != st.st_size || strlen(text) != (size_t)length || !utf8_is_valid(text, (size_t)length)) {
			errno = EILSEQ;
			text = NULL;
		}
	} else {
		errno = EFBIG;
	}
	close(file);
	return text;
}

static const char *
read_template(const struct conf *conf, struct arena *arena, const struct mail *mail, const char *extension)
{
	const char *const folders[] = {
		arena_format(arena, "%s/mail-templates", conf->data),
		arena_format(arena, "%s/mail", conf->share),
	};
	const char *path = "";
	const char *text = NULL;

	for (size_t i = 0; i < COUNT(folders) && !text; i++) {
		path = arena_format(arena, "%s/%s.%s.%s", folders[i], mail->template, language_code(mail->language), extension);
		text = read_text(arena, path);
		if (!text && errno != ENOENT)
			break;
	}
	if (!text)
		log_line(LOG_FAULT, "mail_template id=%s path=%s reason=\"%m\"", mail->id, path);
	return text;
}

static const char *
value_of(const struct mail *mail, const char *name, size_t length)
{
	for (size_t i = 0; i < mail->count; i++)
		if (strlen(mail->values[i].name) == length && memcmp(mail->values[i].name, name, length) == 0)
			return mail->values[i].text;
	return NULL;
}

/* Copies the template; `put` writes the value of each {{name}}. */
static bool
fill(struct buf *out, const struct mail *mail, const char *template, void (*put)(struct buf *, const char *))
{
	const char *open;

	while ((open = strstr(template, "{{"))) {
		const char *name = open + 2;
		size_t length = strcspn(name, "{}\n");
		const char *value = strncmp(name + length, "}}", 2) == 0 ? value_of(mail, name, length) : NULL;

		if (!value) {
			log_line(LOG_FAULT, "mail_template id=%s template=%s.%s reason=\"no value for {{%.*s}}\"", mail->id,
				mail->template, language_code(mail->language), (int)length, name);
			return false;
		}
		buf_put(out, template, (size_t)(open - template));
		put(out, value);
		template = name + length + 2;
	}
	buf_puts(out, template);
	return true;
}

/* ---- headers */

static bool
is_header_text(const char *s)
{
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return utf8_is_valid(s, strlen(s));
}

/* Printable ASCII with an '@', without the specials of RFC 5322 section 3.2.3, which could end the address. */
static bool
is_address(const char *s)
{
	for (const char *c = s; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("()<>[]:;,\\\"", *c))
			return false;
	return strchr(s, '@') != NULL;
}

/* True also when the mail has no Reply-To. */
static bool
is_reply_to_valid(const struct mail *mail)
{
	const char *address = value_of(mail, REPLY_TO, strlen(REPLY_TO)), *name = value_of(mail, REPLY_NAME, strlen(REPLY_NAME));

	return !address || (is_address(address) && name && is_header_text(name));
}

static bool
is_ascii_text(const char *s)
{
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			return false;
	return true;
}

/* The characters that need no encoding in any encoded-word (RFC 2047 section 5 (3)). */
static bool
is_word_plain(char c)
{
	return text_is_digit(c) || text_is_alpha(c) || text_is_among(c, "!*+-/");
}

/* Encoded-words (RFC 2047, encoding Q) from `column` on, cut between code points. Returns the column behind them. */
static size_t
put_words(struct buf *out, const char *s, size_t column)
{
	static const char open[] = "=?UTF-8?Q?", close[] = "?=";

	buf_puts(out, open);
	column += strlen(open);
	while (*s) {
		size_t bytes = utf8_sequence(s, strlen(s));
		bool plain = is_word_plain(*s) || *s == ' ';
		size_t width = plain ? 1 : 3 * bytes;

		if (column + width + strlen(close) > LINE_WIDTH) {
			buf_printf(out, "%s\r\n %s", close, open);
			column = 1 + strlen(open);
		}
		column += width;
		if (plain)
			buf_putc(out, *s == ' ' ? '_' : *s);
		for (size_t i = 0; !plain && i < bytes; i++)
			buf_printf(out, "=%02X", (unsigned char)s[i]);
		s += bytes;
	}
	buf_puts(out, close);
	return column + strlen(close);
}

/* True when the value needs no encoding at `column`. Relays may drop white space at the end of a line. */
static bool
is_plain(const char *s, size_t column)
{
	size_t length = strlen(s);

	return is_ascii_text(s) && !strstr(s, "=?") && column + length <= LINE_WIDTH && !(length && s[length - 1] == ' ');
}

static void
put_subject(struct buf *out, const char *subject)
{
	static const char name[] = "Subject: ";

	buf_puts(out, name);
	if (is_plain(subject, strlen(name)))
		buf_puts(out, subject);
	else
		put_words(out, subject, strlen(name));
	buf_puts(out, "\r\n");
}

static void
put_mailbox(struct buf *out, const char *header, const char *name, const char *address)
{
	size_t column = strlen(header) + strlen(": ");

	buf_printf(out, "%s: ", header);
	if (*name && is_plain(name, column + 2) && !strpbrk(name, "\"\\")) {
		buf_printf(out, "\"%s\"", name);
		column += strlen(name) + 2;
	} else if (*name) {
		column = put_words(out, name, column);
	}
	if (*name)
		buf_puts(out, column + strlen(address) + strlen(" <>") > LINE_WIDTH ? "\r\n " : " ");
	buf_printf(out, "<%s>\r\n", address);
}

static void
put_headers(struct buf *out, const struct conf *conf, const struct mail *mail, const char *subject)
{
	char date[30];

	clock_http_text(mail->created, date);
	/* RFC 5322 section 3.3 writes the zone as a number. */
	buf_printf(out, "Date: %.*s +0000\r\n", (int)(strlen(date) - strlen(" GMT")), date);
	put_mailbox(out, "From", conf->mail_name, conf->mail_from);
	buf_printf(out, "To: %s\r\n", mail->to);
	put_subject(out, subject);
	/* The same at each try, so that clients detect a duplicate. */
	buf_printf(out, "Message-ID: <%s@%s>\r\n", mail->id, strrchr(conf->mail_from, '@') + 1);
	const char *reply_to = value_of(mail, REPLY_TO, strlen(REPLY_TO));
	if (reply_to)
		put_mailbox(out, "Reply-To", value_of(mail, REPLY_NAME, strlen(REPLY_NAME)), reply_to);
	else
		buf_puts(out, "Auto-Submitted: auto-generated\r\n"); /* RFC 3834: prevents out-of-office replies */
	buf_printf(out, "Content-Language: %s\r\n", language_code(mail->language));
	buf_puts(out, "MIME-Version: 1.0\r\n");
	/* "=_" cannot occur in quoted-printable text (RFC 2045 section 6.7). */
	buf_printf(out, "Content-Type: multipart/alternative; boundary=\"=_%s\"\r\n\r\n", mail->id);
}

/* ---- bodies */

static bool
is_line_end(const char *s)
{
	return *s == '\0' || *s == '\n' || (s[0] == '\r' && s[1] == '\n');
}

/*
 * What must not begin a line: a dot, which a relay could take for one of SMTP's, and "From ", which separates the
 * mails of an mbox file (RFC 4155), so that many programs put a ">" before it.
 */
static bool
is_unsafe_start(const char *line)
{
	return *line == '.' || strncmp(line, "From ", strlen("From ")) == 0;
}

/* RFC 2045 section 6.7. */
static void
put_quoted_printable(struct buf *out, const char *s)
{
	size_t column = 0;

	for (; *s; s++) {
		if (is_line_end(s)) {
			buf_puts(out, "\r\n");
			column = 0;
			s += *s == '\r';
			continue;
		}
		if (column + strlen("=XX") + strlen("=") > LINE_WIDTH) {
			buf_puts(out, "=\r\n");
			column = 0;
		}
		bool plain = *s == ' ' ? !is_line_end(s + 1)
				       : *s > ' ' && *s <= '~' && *s != '=' && !(column == 0 && is_unsafe_start(s));
		if (plain)
			buf_putc(out, *s);
		else
			buf_printf(out, "=%02X", (unsigned char)*s);
		column += plain ? 1 : 3;
	}
	if (column > 0)
		buf_puts(out, "\r\n");
}

static void
put_part(struct buf *out, const struct mail *mail, const char *type, const char *text)
{
	buf_printf(out, "--=_%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
		mail->id, type);
	put_quoted_printable(out, text);
}

/* The body behind "Subject: ..." and blank lines. NULL when the template does not begin with a subject. */
static const char *
split_subject(struct arena *arena, const char *text, char **subject)
{
	static const char name[] = "Subject: ";

	if (strncmp(text, name, strlen(name)) != 0)
		return NULL;
	text += strlen(name);
	size_t length = strcspn(text, "\r\n");
	*subject = arena_copy(arena, text, length);
	text += length;
	return text + strspn(text, "\r\n");
}

bool
mail_compose(const struct conf *conf, struct arena *arena, const struct mail *mail, struct buf *out)
{
	struct buf subject = { .arena = arena }, text = { .arena = arena }, html = { .arena = arena };
	char *subject_line;

	if (!is_address(conf->mail_from) || !is_address(mail->to) || !is_header_text(conf->mail_name) ||
		!is_reply_to_valid(mail)) {
		log_line(LOG_FAULT, "mail_address id=%s reason=\"mail_from, mail_name, reply_to or the recipient is malformed\"",
			mail->id);
		return false;
	}
	const char *text_body = read_template(conf, arena, mail, "txt");
	const char *html_body = text_body ? read_template(conf, arena, mail, "html") : NULL;
	if (!html_body)
		return false;
	text_body = split_subject(arena, text_body, &subject_line);
	if (!text_body) {
		log_line(LOG_FAULT, "mail_template id=%s template=%s.%s reason=\"the first line is no subject\"", mail->id,
			mail->template, language_code(mail->language));
		return false;
	}
	if (!fill(&subject, mail, subject_line, buf_puts) || !fill(&text, mail, text_body, buf_puts) ||
		!fill(&html, mail, html_body, encode_html))
		return false;
	if (!is_header_text(subject.s)) {
		log_line(LOG_FAULT, "mail_subject id=%s reason=\"a value has a control character\"", mail->id);
		return false;
	}
	put_headers(out, conf, mail, subject.s);
	put_part(out, mail, "text/plain", text.s);
	put_part(out, mail, "text/html", html.s);
	buf_printf(out, "--=_%s--\r\n", mail->id);
	return !out->failed;
}
