/* Form data: the result does not depend on how the body is split, and names are as specified in the header. */
#include "multipart.h"

#include "buf.h"
#include "fuzz.h"
#include "utf8.h"

static void
put_name(struct buf *out, const char *name)
{
	must(!name || (utf8_is_valid(name, strlen(name)) && !strpbrk(name, "\r\n\x7f")));
	buf_printf(out, "[%s]", name ? name : "-");
}

static bool
begin(void *out, const struct multipart_part *part)
{
	must(part->name[0]);
	put_name(out, part->name);
	buf_printf(out, "[%s]", part->file_name ? part->file_name : "-");
	put_name(out, part->content_type);
	return true;
}

static bool
data(void *out, const void *bytes, size_t length)
{
	must(length > 0);
	buf_put(out, bytes, length);
	return true;
}

static bool
end(void *out)
{
	buf_puts(out, "\r\n.");
	return true;
}

/* Describes all calls of the handlers. The last `sizes` bytes are, in turn, the sizes of the pieces; 0: one piece. */
static void
describe(struct buf *out, const char *boundary, const uint8_t *body, size_t size, size_t sizes)
{
	static const struct multipart_handlers handlers = { begin, data, end };
	enum multipart_result result = MULTIPART_GOOD;
	struct multipart m;
	size_t piece;

	multipart_init(&m, boundary, &handlers, out);
	for (size_t at = 0, i = 0; at < size; at += piece, i++) {
		piece = sizes ? (size_t)body[size - 1 - i % sizes] + 1 : size;
		piece = piece < size - at ? piece : size - at;
		result = multipart_feed(&m, body + at, piece);
	}
	must(!multipart_complete(&m) || result == MULTIPART_GOOD);
	buf_printf(out, " %d %d", result, multipart_complete(&m));
}

/* The first line is a Content-Type, the rest the body. */
int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	const uint8_t *line_end = memchr(input, '\n', size);
	char *type, boundary[MULTIPART_BOUNDARY_MAX + 1];
	struct buf whole = { 0 }, parts = { 0 };
	size_t left;

	if (!line_end)
		return 0;
	type = string_of(input, (size_t)(line_end - input));
	left = size - (size_t)(line_end - input) - 1;
	if (multipart_boundary(type, boundary)) {
		describe(&whole, boundary, line_end + 1, left, 0);
		for (size_t sizes = 1; sizes < 4 && sizes < left; sizes++) {
			describe(&parts, boundary, line_end + 1, left, sizes);
			must(parts.length == whole.length && memcmp(parts.s, whole.s, whole.length) == 0);
			buf_clear(&parts);
		}
		buf_clear(&whole);
	}
	free(type);
	return 0;
}
