#include "multipart.h"

#include "encode.h"
#include "utf8.h"

#include <strings.h>

_Static_assert(sizeof(struct multipart) <= 16384, "a parser fits on the stack of any program");

enum state {
	PREAMBLE,
	DELIMITER,		/* right behind CRLF, two dashes and the boundary */
	DASH,			/* and one dash more: the closing one, if another follows */
	PADDING,
	LINE_END,		/* behind the CR of the delimiter's line */
	HEAD,
	DATA,
	EPILOGUE,
};

static void
breaks(struct multipart *m)
{
	m->result = MULTIPART_BROKEN;
}

/* ---- parameters, as those of Content-Type and Content-Disposition: TYPE; NAME=VALUE; NAME="VALUE" */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static char *
skip_blanks(char *s)
{
	while (is_blank(*s))
		s++;
	return s;
}

/* RFC 9110 section 5.6.2 */
static bool
is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t
token_length(const char *s)
{
	size_t length = 0;

	while (is_token(s[length]))
		length++;
	return length;
}

/* Cuts the text behind the blank-trimmed type before the first ';'. Gives what follows, at that ';' or the end. */
static char *
cut_type(char *s, char **type)
{
	char *end, *rest;

	*type = s = skip_blanks(s);
	end = s + strcspn(s, ";");
	rest = *end ? end + 1 : end;
	while (end > s && is_blank(end[-1]))
		end--;
	*end = '\0';
	return rest;
}

/*
 * Reads a quoted string, behind its first quote, in place. curl escapes quotes and backslashes with a backslash;
 * browsers write %22 for a quote and leave a backslash alone (HTML, "multipart/form-data encoding algorithm"), which
 * old ones use for C:\folder\name: so a backslash before anything else is one. NULL when no quote ends it.
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
 * The next parameter of *s, cut out in place; empty ones (a ';' too many) are passed over. False with *name NULL at the
 * end, false with *name set when it is malformed.
 */
static bool
next_parameter(char **s, char **name, char **value)
{
	char *at = *s, *end;
	bool more;

	while (is_blank(*at) || *at == ';')
		at++;
	*name = *at ? at : NULL;
	at += token_length(at);
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
	at = skip_blanks(at);
	if (*at && *at != ';')
		return false;
	more = *at;
	/* the text of a quoted value has its own end; that of another ends where this one does */
	if ((*value)[-1] != '"')
		*end = '\0';
	*s = more ? at + 1 : at;
	return true;
}

/* ---- the boundary */

/* RFC 2046 section 5.1.1. Unquoted ones are taken with characters that RFC 2045 wants quoted: many clients forget. */
static bool
is_boundary(const char *s)
{
	size_t length = strlen(s);

	if (length < 1 || length > MULTIPART_BOUNDARY_MAX || s[length - 1] == ' ')
		return false;
	for (; *s; s++)
		if (!(*s >= '0' && *s <= '9') && !(*s >= 'A' && *s <= 'Z') && !(*s >= 'a' && *s <= 'z') &&
		    !strchr("'()+_,-./:=? ", *s))
			return false;
	return true;
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

/* %22 is a quote; %0D and %0A, the others that browsers write, stay as they are: no name has line ends. */
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

/* A value of RFC 8187, UTF-8'language'percent-encoded, in place. NULL when it is none, or no text. */
static char *
read_extended(char *s)
{
	unsigned char byte;
	char *value, *out;

	if (strncasecmp(s, "UTF-8'", 6) != 0)
		return NULL;
	s = strchr(s + 6, '\'');
	if (!s)
		return NULL;
	for (value = out = ++s; *s; s++) {
		if (*s == '%') {
			if (!decode_hex(&byte, 1, (const char[]){ s[1], s[1] ? s[2] : '\0', '\0' }))
				return NULL;
			*out++ = (char)byte;
			s += 2;
		} else if (is_token(*s)) {
			*out++ = *s;
		} else {
			return NULL;
		}
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
	return !s || (utf8_is_valid(s, strlen(s)) && !has_controls(s));
}

/* Content-Disposition: form-data; name="..."; filename="...". Unknown parameters are passed over. */
static bool
read_disposition(char *s, struct multipart_part *part)
{
	char *type, *name, *value, *file_name = NULL, *extended = NULL, *plain = NULL;

	s = cut_type(s, &type);
	if (strcasecmp(type, "form-data") != 0)
		return false;
	while (next_parameter(&s, &name, &value)) {
		char **to = strcasecmp(name, "filename") == 0 ? &file_name :
			strcasecmp(name, "filename*") == 0 ? &extended :
			strcasecmp(name, "name") == 0 ? &plain : NULL;

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

/* A client that encodes what it sends would have its base64 stored as the file. */
static bool
is_plain_encoding(const char *s)
{
	return strcasecmp(s, "binary") == 0 || strcasecmp(s, "8bit") == 0 || strcasecmp(s, "7bit") == 0;
}

/* One line without its CRLF: NAME: VALUE. */
static bool
read_line(char *line, struct multipart_part *part)
{
	char *colon = line + token_length(line), *value, *end;

	/* this is also where a folded line ends up (RFC 9112 section 5.2) */
	if (colon == line || *colon != ':')
		return false;
	*colon = '\0';
	value = skip_blanks(colon + 1);
	for (end = value + strlen(value); end > value && is_blank(end[-1]); end--)
		;
	*end = '\0';
	if (strcasecmp(line, "Content-Disposition") == 0)
		return !part->name && read_disposition(value, part);
	if (has_controls(value))
		return false;
	if (strcasecmp(line, "Content-Transfer-Encoding") == 0)
		return is_plain_encoding(value);
	if (strcasecmp(line, "Content-Type") == 0) {
		if (part->content_type || !is_good_text(value))
			return false;
		part->content_type = value;
	}
	return true;
}

/* m->head holds whole lines with their CRLF, without the empty one behind. */
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
		breaks(m);
		return;
	}
	m->state = DATA;
	/* the end of the empty line may be that of a delimiter: an empty part (RFC 2046 section 5.1.1, body-part) */
	m->matched = m->foreign = 2;
	if (!m->handlers->begin(m->context, &part))
		m->result = MULTIPART_STOPPED;
}

/* The head up to its end, or to that of the piece. Gives how many bytes that took. */
static size_t
feed_head(struct multipart *m, const char *bytes, size_t length)
{
	size_t i = 0;

	while (i < length && m->state == HEAD && m->result == MULTIPART_GOOD) {
		bool behind_cr = m->head_length > 0 && m->head[m->head_length - 1] == '\r';
		unsigned char c = (unsigned char)bytes[i++];

		if (m->head_length == MULTIPART_HEAD_MAX || behind_cr != (c == '\n') || c == '\0') {
			breaks(m);
			break;
		}
		m->head[m->head_length++] = (char)c;
		if (c == '\n' && (m->head_length == 2 || m->head[m->head_length - 3] == '\n'))
			begin_part(m);
	}
	return i;
}

/* ---- what lies between delimiters */

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
 * Goes on where the last piece ended with the first bytes of a delimiter. It has its only CR at its begin: where it
 * breaks off, none can have begun within it.
 */
static size_t
feed_matched(struct multipart *m, const char *bytes, size_t length)
{
	size_t rest = m->delimiter_length - m->matched, same = 0, held;

	while (same < length && same < rest && bytes[same] == m->delimiter[m->matched + same])
		same++;
	m->matched += same;
	if (same == rest) {
		end_part(m);
	} else if (same < length) {
		held = m->matched - m->foreign;
		pass_on(m, m->delimiter + m->foreign, held);
		m->matched = m->foreign = 0;
	}
	return same;
}

/* Passes on all that is not of a delimiter. Gives how many bytes that, and the delimiter, took. */
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
	/* what the piece ends with may be the begin of one */
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
	else if ((m->state == DELIMITER || m->state == PADDING) && is_blank(c))
		m->state = PADDING;
	else if ((m->state == DELIMITER || m->state == PADDING) && c == '\r')
		m->state = LINE_END;
	else if (m->state == LINE_END && c == '\n')
		m->state = HEAD;
	else
		breaks(m);
	m->head_length = 0;
}

void
multipart_init(struct multipart *m, const char *boundary, const struct multipart_handlers *handlers, void *context)
{
	m->handlers = handlers;
	m->context = context;
	m->result = MULTIPART_GOOD;
	m->state = PREAMBLE;
	m->parts = 0;
	m->delimiter_length = (size_t)snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%s", boundary);
	/* the first delimiter may stand at the very begin */
	m->matched = m->foreign = 2;
	m->head_length = 0;
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
