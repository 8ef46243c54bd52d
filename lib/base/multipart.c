#include "multipart.h"

#include "encode.h"
#include "text.h"
#include "utf8.h"

_Static_assert(sizeof(struct multipart) <= 16384, "a parser fits on any stack");

enum state {
	PREAMBLE,
	DELIMITER, /* after CRLF, two dashes and the boundary */
	DASH,	   /* after one more dash; another one makes it the closing delimiter */
	PADDING,
	LINE_END, /* after the CR of the delimiter's line */
	HEAD,
	DATA,
	EPILOGUE,
};

#define BLANKS " \t"
#define TOKEN TEXT_ALPHA TEXT_DIGITS "!#$%&'*+-.^_`|~" /* RFC 9110 section 5.6.2 */

/* ---- parameters, as those of Content-Type and Content-Disposition: TYPE; NAME=VALUE; NAME="VALUE" */

/* Removes blanks at both ends, in place. */
static char *
trim(char *s)
{
	char *end;

	s += strspn(s, BLANKS);
	for (end = s + strlen(s); end > s && text_is_among(end[-1], BLANKS); end--)
		;
	*end = '\0';
	return s;
}

/* Cuts off the type before the first ';', in place. Returns what follows. */
static char *
cut_type(char *s, char **type)
{
	char *rest = s + strcspn(s, ";");

	if (*rest)
		*rest++ = '\0';
	*type = trim(s);
	return rest;
}

/*
 * Unescapes a quoted string, after its first quote, in place. Returns what follows; NULL without a closing quote. curl
 * escapes quotes and backslashes by a backslash; browsers write %22 for a quote and leave a backslash as it is (HTML,
 * "multipart/form-data encoding algorithm"), which old ones send in C:\folder\name: so one before any other character
 * is literal.
 */
static char *
read_quoted(char *s)
{
	char *out = s;

	for (; *s && *s != '"'; s++) {
		if (*s == '\\' && (s[1] == '"' || s[1] == '\\'))
			s++;
		*out++ = *s;
	}
	if (!*s)
		return NULL;
	*out = '\0';
	return s + 1;
}

/*
 * Cuts the next parameter off *s, in place; skips empty ones (superfluous ';'). False with *name NULL at the end, false
 * with *name set when it is malformed.
 */
static bool
next_parameter(char **s, char **name, char **value)
{
	char *at = *s + strspn(*s, BLANKS ";"), *end;

	*name = *at ? at : NULL;
	at += strspn(at, TOKEN);
	if (at == *name || *at != '=')
		return false;
	*at++ = '\0';
	if (*at == '"') {
		*value = ++at;
		end = at = read_quoted(at);
		if (!at)
			return false;
	} else {
		*value = at;
		end = at += strcspn(at, "; \t\"");
		if (end == *value)
			return false;
	}
	at += strspn(at, BLANKS);
	if (*at && *at != ';')
		return false;
	*s = *at ? at + 1 : at;
	/* read_quoted() has terminated a quoted value. */
	if ((*value)[-1] != '"')
		*end = '\0';
	return true;
}

/* ---- the boundary */

/* RFC 2046 section 5.1.1. Characters that RFC 2045 wants quoted may be unquoted, as many clients send them. */
static bool
is_boundary(const char *s)
{
	size_t length = strlen(s);

	return length > 0 && length <= MULTIPART_BOUNDARY_MAX && s[length - 1] != ' ' &&
		strspn(s, TEXT_ALPHA TEXT_DIGITS "'()+_,-./:=? ") == length;
}

bool
multipart_boundary(const char *content_type, char out[static MULTIPART_BOUNDARY_MAX + 1])
{
	char text[512], *rest = text, *type, *name, *value;
	const char *boundary = NULL;

	if (strlen(content_type) >= sizeof(text))
		return false;
	memcpy(text, content_type, strlen(content_type) + 1);
	rest = cut_type(text, &type);
	if (strcasecmp(type, "multipart/form-data") != 0)
		return false;
	while (next_parameter(&rest, &name, &value)) {
		if (strcasecmp(name, "boundary") != 0)
			continue;
		if (boundary || !is_boundary(value))
			return false;
		boundary = value;
	}
	if (name || !boundary)
		return false;
	memcpy(out, boundary, strlen(boundary) + 1);
	return true;
}

/* ---- header lines of a part */

/* %22 is a quote; the other escapes of browsers, %0D and %0A, stay as they are: no name has line ends. */
static void
unescape_quotes(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (strncmp(s, "%22", 3) == 0) {
			*out++ = '"';
			s += 2;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

/* Decodes a value of RFC 8187, UTF-8'language'percent-encoded, in place. NULL when it is malformed, or not UTF-8. */
static char *
read_extended(char *s)
{
	char *value, *out;

	if (strncasecmp(s, "UTF-8'", 6) != 0)
		return NULL;
	s = strchr(s + 6, '\'');
	if (!s)
		return NULL;
	for (value = out = ++s; *s; s++) {
		int byte = *s == '%' ? decode_percent(s) : text_is_among(*s, TOKEN) ? *s : -1;

		if (byte < 0)
			return NULL;
		s += *s == '%' ? 2 : 0;
		*out++ = (char)byte;
	}
	if (memchr(value, '\0', (size_t)(out - value)) || !utf8_is_valid(value, (size_t)(out - value)))
		return NULL;
	*out = '\0';
	return value;
}

static bool
has_controls(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return true;
	return false;
}

static bool
is_good_text(const char *s)
{
	return utf8_is_valid(s, strlen(s)) && !has_controls(s);
}

/* Parses form-data; name="..."; filename="...". Ignores unknown parameters. */
static bool
read_disposition(char *s, struct multipart_part *part)
{
	char *type, *name, *value, *file_name = NULL, *extended = NULL, *plain = NULL;

	s = cut_type(s, &type);
	if (strcasecmp(type, "form-data") != 0)
		return false;
	while (next_parameter(&s, &name, &value)) {
		char **to = strcasecmp(name, "filename") == 0 ? &file_name
			: strcasecmp(name, "filename*") == 0  ? &extended
			: strcasecmp(name, "name") == 0	      ? &plain
							      : NULL;

		if (!to)
			continue;
		if (*to)
			return false;
		*to = value;
	}
	if (name || !plain || !*plain)
		return false;
	unescape_quotes(plain);
	if (file_name)
		unescape_quotes(file_name);
	if (extended) {
		extended = read_extended(extended);
		if (!extended && !file_name)
			return false;
		file_name = extended ? extended : file_name;
	}
	part->name = plain;
	part->file_name = file_name;
	return is_good_text(plain);
}

/* Parses a line without its CRLF: NAME: VALUE. A folded line (RFC 9112 section 5.2) has no name. */
static bool
read_line(char *line, struct multipart_part *part)
{
	char *colon = line + strspn(line, TOKEN), *value;

	if (colon == line || *colon != ':')
		return false;
	*colon = '\0';
	value = trim(colon + 1);
	if (strcasecmp(line, "Content-Disposition") == 0)
		return !part->name && read_disposition(value, part);
	if (has_controls(value))
		return false;
	/* The file of a client that encodes would be stored as base64. */
	if (strcasecmp(line, "Content-Transfer-Encoding") == 0)
		return strcasecmp(value, "binary") == 0 || strcasecmp(value, "8bit") == 0 || strcasecmp(value, "7bit") == 0;
	if (strcasecmp(line, "Content-Type") != 0)
		return true;
	if (part->content_type || !is_good_text(value))
		return false;
	part->content_type = value;
	return true;
}

/* Parses m->head: whole lines with their CRLF, without the empty one after. */
static bool
read_head(struct multipart *m, struct multipart_part *part)
{
	char *line = m->head, *head_end = m->head + m->head_length;

	while (line < head_end) {
		char *end = memchr(line, '\r', (size_t)(head_end - line));

		*end = '\0';
		if (!read_line(line, part))
			return false;
		line = end + 2;
	}
	return part->name;
}

static void
begin_part(struct multipart *m)
{
	struct multipart_part part = { 0 };

	m->head_length -= 2;
	if (m->parts++ == MULTIPART_PARTS_MAX || !read_head(m, &part)) {
		m->result = MULTIPART_BROKEN;
		return;
	}
	m->state = DATA;
	/* The CRLF of the empty line may begin a delimiter: an empty part (RFC 2046 section 5.1.1, body-part). */
	m->matched = m->foreign = 2;
	if (!m->handlers->begin(m->context, &part))
		m->result = MULTIPART_STOPPED;
}

/* Reads the head up to its end, or that of the piece. Returns the number of bytes consumed. */
static size_t
feed_head(struct multipart *m, const char *bytes, size_t length)
{
	size_t i = 0;

	while (i < length && m->state == HEAD && m->result == MULTIPART_GOOD) {
		bool behind_cr = m->head_length > 0 && m->head[m->head_length - 1] == '\r';
		unsigned char c = (unsigned char)bytes[i++];

		if (m->head_length == MULTIPART_HEAD_MAX || behind_cr != (c == '\n') || c == '\0') {
			m->result = MULTIPART_BROKEN;
			break;
		}
		m->head[m->head_length++] = (char)c;
		if (c == '\n' && (m->head_length == 2 || m->head[m->head_length - 3] == '\n'))
			begin_part(m);
	}
	return i;
}

/* ---- between delimiters */

static void
pass_on(struct multipart *m, const char *bytes, size_t length)
{
	if (m->state == DATA && length > 0 && !m->handlers->data(m->context, bytes, length))
		m->result = MULTIPART_STOPPED;
}

static void
end_part(struct multipart *m)
{
	if (m->result == MULTIPART_GOOD && m->state == DATA && !m->handlers->end(m->context))
		m->result = MULTIPART_STOPPED;
	m->state = DELIMITER;
	m->matched = m->foreign = 0;
}

/*
 * Continues a delimiter whose first bytes the last piece ended with. The only CR of a delimiter is its first byte:
 * where one does not continue, no other can have begun within it.
 */
static size_t
feed_matched(struct multipart *m, const char *bytes, size_t length)
{
	size_t rest = m->delimiter_length - m->matched, same = 0;

	while (same < length && same < rest && bytes[same] == m->delimiter[m->matched + same])
		same++;
	m->matched += same;
	if (same == rest) {
		end_part(m);
	} else if (same < length) {
		pass_on(m, m->delimiter + m->foreign, m->matched - m->foreign);
		m->matched = m->foreign = 0;
	}
	return same;
}

/* Passes on what is not part of a delimiter. Returns the number of bytes consumed, those of the delimiter included. */
static size_t
feed_data(struct multipart *m, const char *bytes, size_t length)
{
	const char *end = bytes + length, *found, *tail;

	if (m->matched > 0)
		return feed_matched(m, bytes, length);
	found = memmem(bytes, length, m->delimiter, m->delimiter_length);
	if (found) {
		pass_on(m, bytes, (size_t)(found - bytes));
		end_part(m);
		return (size_t)(found - bytes) + m->delimiter_length;
	}
	/* The piece may end with the first bytes of one. */
	tail = length < m->delimiter_length ? bytes : end - (m->delimiter_length - 1);
	while ((tail = memchr(tail, '\r', (size_t)(end - tail)))) {
		if (memcmp(tail, m->delimiter, (size_t)(end - tail)) == 0)
			break;
		tail++;
	}
	m->matched = tail ? (size_t)(end - tail) : 0;
	pass_on(m, bytes, length - m->matched);
	return length;
}

/* ---- the line of a delimiter */

static void
feed_delimiter(struct multipart *m, char c)
{
	if (m->state == DELIMITER && c == '-')
		m->state = DASH;
	else if (m->state == DASH && c == '-')
		m->state = EPILOGUE;
	else if ((m->state == DELIMITER || m->state == PADDING) && text_is_among(c, BLANKS))
		m->state = PADDING;
	else if ((m->state == DELIMITER || m->state == PADDING) && c == '\r')
		m->state = LINE_END;
	else if (m->state == LINE_END && c == '\n')
		m->state = HEAD;
	else
		m->result = MULTIPART_BROKEN;
	m->head_length = 0;
}

void
multipart_init(struct multipart *m, const char *boundary, const struct multipart_handlers *handlers, void *context)
{
	/* The first delimiter may be at the start, without CRLF. */
	*m = (struct multipart){
		.handlers = handlers, .context = context, .result = MULTIPART_GOOD, .state = PREAMBLE, .matched = 2, .foreign = 2
	};
	m->delimiter_length = (size_t)snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%s", boundary);
}

enum multipart_result
multipart_feed(struct multipart *m, const void *bytes, size_t length)
{
	const char *at = bytes, *end = at + length;

	while (at < end && m->result == MULTIPART_GOOD && m->state != EPILOGUE) {
		if (m->state == PREAMBLE || m->state == DATA)
			at += feed_data(m, at, (size_t)(end - at));
		else if (m->state == HEAD)
			at += feed_head(m, at, (size_t)(end - at));
		else
			feed_delimiter(m, *at++);
	}
	return m->result;
}

bool
multipart_complete(const struct multipart *m)
{
	return m->result == MULTIPART_GOOD && m->state == EPILOGUE;
}
