#include "json_write.h"

#include "clock.h"
#include "guard.h"

/*
 * Length of the run at `s` that a JSON string holds as it is: no '"', '\\' or control character. Looks at eight bytes
 * at a time; subtracting a one from each byte carries into its top bit where the byte was smaller (Bit Twiddling Hacks,
 * "Determine if a word has a byte less than n").
 */
static size_t
json_run(const char *s, size_t length)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	size_t i = 0;

	for (; length - i >= 8; i += 8) {
		uint64_t word, quote, slash;

		memcpy(&word, s + i, 8);
		quote = word ^ ones * '"';
		slash = word ^ ones * '\\';
		if ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & tops)
			break;
	}
	while (i < length && (unsigned char)s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

static char *
json_escape(char *out, char c)
{
	static const char letters[] = "btn?fr"; /* of the bytes 8 to 13; 11 has none */

	*out++ = '\\';
	if (c == '"' || c == '\\') {
		*out++ = c;
	} else if (c >= '\b' && c <= '\r' && c != '\v') {
		*out++ = letters[c - '\b'];
	} else {
		memcpy(out, "u00", 3);
		out[3] = (char)('0' + (c >> 4));
		out[4] = "0123456789abcdef"[c & 15];
		out += 5;
	}
	return out;
}

/* Appends a JSON string with its quotes (RFC 8259 section 7). */
static void
put_string(struct buf *out, const char *text, size_t length)
{
	size_t i = json_run(text, length), run;
	char *end = buf_room(out, length + 2);

	if (!end)
		return;
	*end++ = '"';
	if (i > 0)
		memcpy(end, text, i);
	end += i;
	if (i == length) /* most texts */
		*end++ = '"';
	buf_commit(out, end);
	while (i < length) {
		end = buf_room(out, sizeof("\\u0000"));
		if (!end)
			return;
		buf_commit(out, json_escape(end, text[i++]));
		run = json_run(text + i, length - i);
		buf_put(out, text + i, run);
		i += run;
		if (i == length)
			buf_putc(out, '"');
	}
}

/* What stands before tells whether a comma is due: strings end in a quote, so an opening bracket is never inside one. */
static void
put_name(struct buf *out, const char *name)
{
	char last = out->length ? out->s[out->length - 1] : '{'; /* nothing: memory was short */
	size_t length = name ? strlen(name) : 0;
	char *s = buf_room(out, length + 4);

	OUTSIDE_TRANSACTION();
	if (!s)
		return;
#ifdef OKUL_TEST
	if (last == ':' && !out->failed) { /* a value that has its name already, and would get a comma before it */
		fprintf(stderr, "JSON: a second value behind a name: %s\n", out->s);
		abort();
	}
#endif
	if (last != '{' && last != '[')
		*s++ = ',';
	if (name) {
		*s++ = '"';
		memcpy(s, name, length);
		s += length;
		*s++ = '"';
		*s++ = ':';
	}
	*s = '\0';
	out->length = (size_t)(s - out->s);
}

void
json_put_object(struct buf *out, const char *name)
{
	put_name(out, name);
	buf_putc(out, '{');
}

void
json_put_end_object(struct buf *out)
{
	buf_putc(out, '}');
}

void
json_put_list(struct buf *out, const char *name)
{
	put_name(out, name);
	buf_putc(out, '[');
}

void
json_put_end_list(struct buf *out)
{
	buf_putc(out, ']');
}

void
json_put_text(struct buf *out, const char *name, const char *text)
{
	put_name(out, name);
	if (text)
		put_string(out, text, strlen(text));
	else
		buf_put(out, "null", 4);
}

void
json_put_text_of(struct buf *out, const char *name, const char *text, size_t length)
{
	put_name(out, name);
	put_string(out, text, length);
}

void
json_put_int(struct buf *out, const char *name, int64_t number)
{
	put_name(out, name);
	buf_int(out, number);
}

void
json_put_number(struct buf *out, const char *name, double number)
{
	put_name(out, name);
	buf_number(out, number);
}

void
json_put_bool(struct buf *out, const char *name, bool truth)
{
	json_put_raw_of(out, name, truth ? "true" : "false", truth ? 4 : 5);
}

void
json_put_time(struct buf *out, const char *name, int64_t time)
{
	char text[CLOCK_TEXT + 1] = "\"";

	put_name(out, name);
	clock_text(time, text + 1);
	text[CLOCK_TEXT] = '"';
	buf_put(out, text, CLOCK_TEXT + 1);
}

void
json_put_null(struct buf *out, const char *name)
{
	json_put_raw_of(out, name, "null", 4);
}

void
json_put_raw(struct buf *out, const char *name, const char *json)
{
	json_put_raw_of(out, name, json, strlen(json));
}

void
json_put_raw_of(struct buf *out, const char *name, const char *json, size_t length)
{
	put_name(out, name);
	buf_put(out, json, length);
}

static void
put_tree(struct buf *out, const cJSON *tree)
{
	const cJSON *item;

	if (cJSON_IsString(tree)) {
		put_string(out, tree->valuestring, strlen(tree->valuestring));
	} else if (cJSON_IsNumber(tree)) {
		buf_number(out, tree->valuedouble);
	} else if (cJSON_IsObject(tree) || cJSON_IsArray(tree)) {
		buf_putc(out, cJSON_IsObject(tree) ? '{' : '[');
		cJSON_ArrayForEach(item, tree)
		{
			put_name(out, NULL);
			if (item->string) {
				put_string(out, item->string, strlen(item->string));
				buf_putc(out, ':');
			}
			put_tree(out, item);
		}
		buf_putc(out, cJSON_IsObject(tree) ? '}' : ']');
	} else {
		buf_puts(out, cJSON_IsTrue(tree) ? "true" : cJSON_IsFalse(tree) ? "false" : "null");
	}
}

void
json_put_tree(struct buf *out, const char *name, const cJSON *tree)
{
	put_name(out, name);
	put_tree(out, tree);
}
