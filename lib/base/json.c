#include "json.h"

#include "guard.h"

#include "encode.h"
#include "utf8.h"

#include <math.h>

/* The name of a member, its escapes resolved. */
struct name {
	struct name *next;
	const char *bytes;
	size_t length;
	size_t at; /* its offset in the text */
	struct json_text value;
};

struct reader {
	struct arena *arena;
	const char *text;
	size_t length, at;
	int depth;			  /* levels that may still be opened */
	char *shortened;		  /* the text with numbers as short as cJSON needs them; NULL: as they are */
	const struct json_text **members; /* of the next object; NULL: not wanted */
};

#define CJSON_NUMBER_MAX 63 /* bytes of a number that cJSON reads; it cuts longer ones */

static enum json_fault read_value(struct reader *in);

/* The next byte; 0, which no JSON text holds, at the end. */
static char
peek(const struct reader *in)
{
	return in->at < in->length ? in->text[in->at] : '\0';
}

static void
skip_space(struct reader *in)
{
	while (peek(in) == ' ' || peek(in) == '\n' || peek(in) == '\r' || peek(in) == '\t')
		in->at++;
}

/* ---- strings */

static bool
read_hex4(struct reader *in, unsigned *unit)
{
	unsigned char bytes[2];
	char digits[5] = "";

	if (in->length - in->at < 4)
		return false;
	memcpy(digits, in->text + in->at, 4);
	if (!decode_hex(bytes, 2, digits))
		return false;
	*unit = (unsigned)bytes[0] << 8 | bytes[1];
	in->at += 4;
	return true;
}

static size_t
put_utf8(char *out, unsigned point)
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	if (point < 0x800) {
		out[0] = (char)(0xc0 | point >> 6);
		out[1] = (char)(0x80 | (point & 63));
		return 2;
	}
	if (point < 0x10000) {
		out[0] = (char)(0xe0 | point >> 12);
		out[1] = (char)(0x80 | (point >> 6 & 63));
		out[2] = (char)(0x80 | (point & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | point >> 18);
	out[1] = (char)(0x80 | (point >> 12 & 63));
	out[2] = (char)(0x80 | (point >> 6 & 63));
	out[3] = (char)(0x80 | (point & 63));
	return 4;
}

/* What follows "\u": one unit of UTF-16, or the two of a surrogate pair. */
static enum json_fault
read_unicode(struct reader *in, unsigned *point)
{
	unsigned low;

	if (!read_hex4(in, point))
		return JSON_SYNTAX;
	if (*point == 0)
		return JSON_NUL;
	if (*point < 0xd800 || *point > 0xdfff)
		return JSON_GOOD;
	if (*point > 0xdbff || in->length - in->at < 2 || memcmp(in->text + in->at, "\\u", 2) != 0)
		return JSON_UTF8;
	in->at += 2;
	if (!read_hex4(in, &low))
		return JSON_SYNTAX;
	if (low < 0xdc00 || low > 0xdfff)
		return JSON_UTF8;
	*point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
	return JSON_GOOD;
}

/* What follows a backslash. */
static enum json_fault
read_escape(struct reader *in, unsigned *point)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	const char c = peek(in), *letter = c ? strchr(letters, c) : NULL;

	if (letter) {
		*point = (unsigned char)meanings[letter - letters];
	} else if (c != 'u') {
		return JSON_SYNTAX;
	}
	in->at++;
	return letter ? JSON_GOOD : read_unicode(in, point);
}

/* How many of the next bytes are ASCII characters that stand for themselves, as most in strings do. */
static size_t
plain_bytes(const struct reader *in)
{
	const char *from = in->text + in->at, *end = in->text + in->length, *s = from;

	while (s < end && (signed char)*s >= 0x20 && *s != '"' && *s != '\\') /* from 0x80 on they are negative */
		s++;
	return (size_t)(s - from);
}

/* A string behind its first quote. Its bytes go to `out` unless that is NULL; they are never more than the text has. */
static enum json_fault
read_string(struct reader *in, char *out, size_t *length)
{
	*length = 0;
	for (;;) {
		enum json_fault fault;
		unsigned point;
		char utf8[4];
		size_t step;
		const char *from = in->text + in->at;

		if (in->at == in->length || (unsigned char)*from < 0x20)
			return JSON_SYNTAX;
		if (*from == '"') {
			in->at++;
			return JSON_GOOD;
		}
		if (*from == '\\') {
			in->at++;
			fault = read_escape(in, &point);
			if (fault)
				return fault;
			step = put_utf8(utf8, point);
			from = utf8;
		} else {
			step = plain_bytes(in);
			if (step == 0)
				step = utf8_sequence(from, in->length - in->at);
			if (step == 0)
				return JSON_UTF8;
			in->at += step;
		}
		if (out)
			memcpy(out + *length, from, step);
		*length += step;
	}
}

/* ---- numbers and literals */

static size_t
skip_digits(struct reader *in)
{
	const size_t start = in->at;

	while (peek(in) >= '0' && peek(in) <= '9')
		in->at++;
	return in->at - start;
}

/* Writes a number with the digits that a double has, and spaces behind it. */
static void
shorten(struct reader *in, size_t at, size_t length, double value)
{
	char number[32];
	int digits = snprintf(number, sizeof(number), "%.17g", value);

	if (!in->shortened)
		in->shortened = arena_copy(in->arena, in->text, in->length);
	memset(in->shortened + at, ' ', length);
	memcpy(in->shortened + at, number, (size_t)digits);
}

/* number = [ minus ] int [ frac ] [ exp ] (RFC 8259 section 6), in the range of a double. */
static enum json_fault
read_number(struct reader *in)
{
	const size_t start = in->at;
	char digits[JSON_NUMBER_MAX + 1];
	bool exponent;

	if (peek(in) == '-')
		in->at++;
	if (peek(in) == '0')
		in->at++;
	else if (skip_digits(in) == 0)
		return JSON_SYNTAX;
	if (peek(in) == '.') {
		in->at++;
		if (skip_digits(in) == 0)
			return JSON_SYNTAX;
	}
	exponent = peek(in) == 'e' || peek(in) == 'E';
	if (exponent) {
		in->at++;
		if (peek(in) == '+' || peek(in) == '-')
			in->at++;
		if (skip_digits(in) == 0)
			return JSON_SYNTAX;
	}
	const size_t length = in->at - start;
	if (length > JSON_NUMBER_MAX)
		return JSON_SYNTAX;
	if (!exponent && length <= CJSON_NUMBER_MAX)
		return JSON_GOOD; /* not too large for a double */
	memcpy(digits, in->text + start, length);
	digits[length] = '\0';
	const double value = strtod(digits, NULL);
	if (length > CJSON_NUMBER_MAX)
		shorten(in, start, length, value);
	return isfinite(value) ? JSON_GOOD : JSON_SYNTAX;
}

static enum json_fault
read_literal(struct reader *in, const char *literal)
{
	const size_t length = strlen(literal);

	if (in->length - in->at < length || memcmp(in->text + in->at, literal, length) != 0)
		return JSON_SYNTAX;
	in->at += length;
	return JSON_GOOD;
}

/* ---- objects and lists */

static int
compare_bytes(const struct name *a, const struct name *b)
{
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return memcmp(a->bytes, b->bytes, a->length);
}

/* Equal names by their places. */
static int
compare(const void *left, const void *right)
{
	const struct name *a = *(const struct name *const *)left, *b = *(const struct name *const *)right;
	int order = compare_bytes(a, b);

	return order ? order : a->at < b->at ? -1 : 1;
}

/* Moves to the second place of a duplicate name. A hash table would need a secret against chosen collisions. */
static enum json_fault
check_names(struct reader *in, const struct name *names, size_t count)
{
	const struct name **sorted = arena_alloc(in->arena, count * sizeof(*sorted));

	for (size_t i = 0; i < count; i++, names = names->next)
		sorted[i] = names;
	qsort(sorted, count, sizeof(*sorted), compare);
	for (size_t i = 1; i < count; i++) {
		if (compare_bytes(sorted[i - 1], sorted[i]) == 0) {
			in->at = sorted[i]->at;
			return JSON_TWICE;
		}
	}
	return JSON_GOOD;
}

/* A name and its colon. Without escapes the name stays in the text, else it is copied. */
static enum json_fault
read_name(struct reader *in, struct name **out)
{
	const size_t start = in->at + 1;
	struct name *name;
	enum json_fault fault;
	size_t length;

	if (peek(in) != '"')
		return JSON_SYNTAX;
	in->at++;
	fault = read_string(in, NULL, &length);
	if (fault)
		return fault;
	name = arena_alloc(in->arena, sizeof(*name));
	*name = (struct name){ .bytes = in->text + start, .length = length, .at = start - 1 };
	if (in->at - 1 - start != length) {
		char *bytes = arena_alloc(in->arena, length);

		in->at = start;
		fault = read_string(in, bytes, &length);
		name->bytes = bytes;
	}
	*out = name;
	skip_space(in);
	if (fault || peek(in) != ':')
		return JSON_SYNTAX;
	in->at++;
	return JSON_GOOD;
}

static void
keep_members(struct arena *arena, const struct name *names, size_t count, const struct json_text **members)
{
	struct json_text *text = arena_alloc(arena, count * sizeof(*text));

	*members = text;
	for (; names; names = names->next, text++) {
		*text = names->value;
		while (strchr(" \n\r\t", text->s[text->length - 1]))
			text->length--;
	}
}

static enum json_fault
read_member(struct reader *in, struct name **out)
{
	enum json_fault fault = read_name(in, out);

	if (fault)
		return fault;
	skip_space(in);
	(*out)->value.s = in->text + in->at;
	fault = read_value(in);
	(*out)->value.length = (size_t)(in->text + in->at - (*out)->value.s);
	return fault;
}

/* An object or a list. */
static enum json_fault
read_elements(struct reader *in)
{
	const struct json_text **members = in->members;
	const char end = peek(in) == '{' ? '}' : ']';
	struct name *names = NULL, **next = &names;
	enum json_fault fault;
	size_t count = 0;

	in->members = NULL;
	do {
		in->at++;
		skip_space(in);
		if (count == 0 && peek(in) == end)
			break;
		fault = end == '}' ? read_member(in, next) : read_value(in);
		if (fault)
			return fault;
		next = end == '}' ? &(*next)->next : next;
		count++;
	} while (peek(in) == ',');
	if (peek(in) != end)
		return JSON_SYNTAX;
	in->at++;
	if (members && names)
		keep_members(in->arena, names, count, members);
	return names ? check_names(in, names, count) : JSON_GOOD;
}

static enum json_fault
read_nested(struct reader *in)
{
	enum json_fault fault;

	if (in->depth == 0)
		return JSON_DEEP;
	in->depth--;
	fault = read_elements(in);
	in->depth++;
	return fault;
}

/* A value with the white space around it. */
static enum json_fault
read_value(struct reader *in)
{
	enum json_fault fault;
	size_t length;

	skip_space(in);
	switch (peek(in)) {
	case '{':
	case '[': fault = read_nested(in); break;
	case '"':
		in->at++;
		fault = read_string(in, NULL, &length);
		break;
	case 't': fault = read_literal(in, "true"); break;
	case 'f': fault = read_literal(in, "false"); break;
	case 'n': fault = read_literal(in, "null"); break;
	default: fault = read_number(in); break;
	}
	if (!fault)
		skip_space(in);
	return fault;
}

static struct reader
reader_of(struct arena *arena, const char *text, size_t length, int depth)
{
	static const char mark[] = "\xEF\xBB\xBF";
	bool marked = length >= sizeof(mark) - 1 && memcmp(text, mark, sizeof(mark) - 1) == 0;

	return (struct reader){
		.arena = arena, .text = text, .length = length, .at = marked ? sizeof(mark) - 1 : 0, .depth = depth
	};
}

static enum json_fault
read_all(struct reader *in)
{
	enum json_fault fault = read_value(in);

	if (!fault && in->at < in->length)
		fault = JSON_SYNTAX;
	/* For a text in UTF-16 or Latin-1 that is the better message. */
	if (fault == JSON_SYNTAX && !utf8_is_valid(in->text, in->length))
		fault = JSON_UTF8;
	return fault;
}

enum json_fault
json_check(struct arena *arena, const char *text, size_t length, int depth, size_t *at)
{
	struct reader in = reader_of(arena, text, length, depth);
	enum json_fault fault;

	OUTSIDE_TRANSACTION();
	fault = read_all(&in);
	if (fault && at)
		*at = in.at;
	return fault;
}

/* ---- cJSON */

static struct arena *home;

static void *
take(size_t size)
{
	return arena_raw(home, size);
}

static void
leave(void *bytes)
{
	(void)bytes;
}

void
json_use(struct arena *arena)
{
	cJSON_Hooks hooks = { .malloc_fn = take, .free_fn = leave };

	home = arena;
	cJSON_InitHooks(arena ? &hooks : NULL);
}

cJSON *
json_parse_members(
	struct arena *arena, const char *text, size_t length, int depth, enum json_fault *fault, const struct json_text **members)
{
	struct reader in = reader_of(arena, text, length, depth);
	const size_t mark = in.at;

	OUTSIDE_TRANSACTION();
	in.members = members;
	*fault = read_all(&in);
	if (*fault)
		return NULL;
	return cJSON_ParseWithLengthOpts((in.shortened ? in.shortened : text) + mark, length - mark, NULL, false);
}

cJSON *
json_parse(struct arena *arena, const char *text, size_t length, int depth, enum json_fault *fault)
{
	return json_parse_members(arena, text, length, depth, fault, NULL);
}

cJSON *
json_get(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}
