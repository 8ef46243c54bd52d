#include "media.h"

#include "log.h"

#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

#include <magic.h>

/*
 * The walks below read headers and jump over what lies between, from the first byte to the last, so a file costs what
 * reading it once costs at most, and most cost far less. Checksums are not computed: who makes a bad file on purpose
 * gets them right. What a chunk, comment or free box holds is the sender's affair: whatever it is, the file is
 * delivered as what it is here said to be, and a browser told not to guess.
 */

#define WINDOW 16384		/* bytes of the file at hand; also what libmagic gets to see */
#define STEPS (1 << 20)		/* chunks, blocks, boxes and frames in a file that we are willing to walk */
#define PADDING 4096		/* zero bytes behind the end that some writers leave */

struct source {
	int file;
	int64_t size;
	int steps;
	bool failed;		/* the file could not be read */
	int64_t at;		/* where the window begins */
	size_t have;		/* bytes in it */
	unsigned char window[WINDOW];
};

static void
move_window(struct source *s, int64_t at)
{
	ssize_t n = 1;

	s->at = at;
	s->have = 0;
	while (n != 0 && s->have < WINDOW && s->at + (int64_t)s->have < s->size) {
		int64_t left = s->size - s->at - (int64_t)s->have;
		size_t room = WINDOW - s->have;

		n = pread(s->file, s->window + s->have, left < (int64_t)room ? (size_t)left : room,
			s->at + (int64_t)s->have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			log_line(LOG_FAULT, "media_unread errno=%d", errno);
			s->failed = true;
			return;
		}
		s->have += (size_t)n;
	}
}

/* The `n` bytes (at most WINDOW) at `at`, until the next look; NULL when the file has not as many. */
static const unsigned char *
look(struct source *s, int64_t at, size_t n)
{
	if (s->failed || at < 0 || at > s->size || (int64_t)n > s->size - at)
		return NULL;
	if (at < s->at || at + (int64_t)n > s->at + (int64_t)s->have)
		move_window(s, at);
	return s->at <= at && at + (int64_t)n <= s->at + (int64_t)s->have ? s->window + (at - s->at) : NULL;
}

/* The same for the head of a part, of which there is a bounded number. */
static const unsigned char *
part(struct source *s, int64_t at, size_t n)
{
	return ++s->steps <= STEPS ? look(s, at, n) : NULL;
}

/* As many bytes from `at` on as the window holds, at least one; NULL at the end of the file. */
static const unsigned char *
stretch(struct source *s, int64_t at, size_t *n)
{
	const unsigned char *bytes = look(s, at, 1);

	if (bytes)
		*n = s->have - (size_t)(at - s->at);
	return bytes;
}

static bool
starts(struct source *s, int64_t at, const char *with, size_t n)
{
	const unsigned char *bytes = look(s, at, n);

	return bytes && memcmp(bytes, with, n) == 0;
}

/* Where the zero bytes from `at` on end; -1 when they are more than padding. */
static int64_t
skip_zeros(struct source *s, int64_t at)
{
	const unsigned char *byte;
	int64_t from = at;

	while ((byte = look(s, at, 1)) && !*byte)
		if (++at - from > PADDING)
			return -1;
	return at;
}

static bool
ends(struct source *s, int64_t at)
{
	return at >= 0 && !s->failed && skip_zeros(s, at) == s->size;
}

static uint32_t
be16(const unsigned char *b)
{
	return (uint32_t)b[0] << 8 | b[1];
}

static uint32_t
be32(const unsigned char *b)
{
	return be16(b) << 16 | be16(b + 2);
}

static uint32_t
le16(const unsigned char *b)
{
	return (uint32_t)b[1] << 8 | b[0];
}

static uint32_t
le32(const unsigned char *b)
{
	return le16(b + 2) << 16 | le16(b);
}

/* ---- PNG: W3C Portable Network Graphics (third edition), sections 5 and 11 */

#define PNG_SIDE_MAX 65535	/* a larger picture is meant to fill somebody's memory */

static bool
png_header(const unsigned char *b)
{
	static const unsigned char depths[] = { [0] = 1 | 2 | 4 | 8 | 16, [2] = 8 | 16, [3] = 1 | 2 | 4 | 8,
		[4] = 8 | 16, [6] = 8 | 16 };
	unsigned depth = b[8], colour = b[9];

	return be32(b) - 1 < PNG_SIDE_MAX && be32(b + 4) - 1 < PNG_SIDE_MAX && colour < COUNT(depths) &&
		(depth & (depth - 1)) == 0 && (depth & depths[colour]) && b[10] == 0 && b[11] == 0 && b[12] <= 1;
}

static bool
is_letters(const unsigned char *b)
{
	for (int i = 0; i < 4; i++)
		if ((b[i] | 0x20) < 'a' || (b[i] | 0x20) > 'z')
			return false;
	return true;
}

static bool
is_png(struct source *s)
{
	const unsigned char *chunk, *header;
	bool has_data = false;
	int64_t at = 8, length;

	header = starts(s, 0, "\x89PNG\r\n\x1a\n", 8) ? look(s, 8, 8 + 13) : NULL;
	if (!header || memcmp(header, "\0\0\0\x0dIHDR", 8) != 0 || !png_header(header + 8))
		return false;
	for (at = 8 + 12 + 13; (chunk = part(s, at, 8)) && is_letters(chunk + 4); at += 12 + length) {
		length = be32(chunk);
		if (length > s->size - at - 12 || memcmp(chunk + 4, "IHDR", 4) == 0)
			return false;
		if (memcmp(chunk + 4, "IEND", 4) == 0)
			return has_data && length == 0 && at + 12 == s->size;
		has_data |= memcmp(chunk + 4, "IDAT", 4) == 0;
	}
	return false;
}

/* ---- JPEG: ITU-T T.81 annex B; several pictures in one file: CIPA DC-007 */

#define JPEG_PICTURES_MAX 16

enum { RST0 = 0xd0, RST7 = 0xd7, SOI = 0xd8, EOI = 0xd9, SOS = 0xda, APP2 = 0xe2 };

static bool
is_frame_header(int marker)
{
	/* C4, C8 and CC are tables and a reserve */
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

/* Where the marker behind the compressed data stands; -1 when none does. */
static int64_t
jpeg_scan_end(struct source *s, int64_t at)
{
	const unsigned char *bytes, *mark, *end;
	size_t n;

	while ((bytes = stretch(s, at, &n))) {
		end = bytes + n;
		for (mark = bytes; mark + 1 < end; ) {
			if (mark[0] != 0xff) {
				mark = memchr(mark, 0xff, (size_t)(end - mark));
				mark = mark ? mark : end;
			} else if (mark[1] == 0xff) {
				mark++;
			} else if (mark[1] == 0 || (mark[1] >= RST0 && mark[1] <= RST7)) {
				mark += 2;
			} else {
				return at + (mark - bytes);
			}
		}
		at += mark - bytes;
		/* the last byte in hand may be half a marker */
		if (mark < end && !look(s, at, 2))
			return -1;
	}
	return -1;
}

/* Where the picture that begins at `at` ends, -1 when it does not. Sets `more` when it says that others follow. */
static int64_t
jpeg_picture(struct source *s, int64_t at, bool *more)
{
	bool has_frame = false, has_scan = false;
	const unsigned char *b;
	int64_t length;
	int marker;

	if (!starts(s, at, "\xff\xd8\xff", 3))
		return -1;
	for (at += 2; (b = part(s, at, 2)) && b[0] == 0xff; ) {
		marker = b[1];
		if (marker == 0xff) {	/* a fill byte */
			at++;
			continue;
		}
		if (marker == EOI)
			return has_scan ? at + 2 : -1;
		/* the least that the smallest picture has behind the head of a segment */
		b = look(s, at + 2, 8);
		length = b ? be16(b) : 0;
		if (marker < 0xc0 || (marker >= RST0 && marker <= SOI) || length < 2 || length > s->size - at - 2)
			return -1;
		if (is_frame_header(marker)) {
			if (has_frame || be16(b + 3) == 0 || be16(b + 5) == 0 || length != 8 + 3 * b[7] || b[7] == 0)
				return -1;
			has_frame = true;
		}
		if (marker == APP2 && length >= 6 && memcmp(b + 2, "MPF", 4) == 0)
			*more = true;
		at += 2 + length;
		if (marker == SOS) {
			if (!has_frame)
				return -1;
			has_scan = true;
			at = jpeg_scan_end(s, at);
		}
	}
	return -1;
}

/*
 * What Samsung's phones put behind a picture: blocks, a directory of them (SEFH, version, count; for each block its
 * kind, how far before the directory it begins, and its size), the directory's length, SEFT. The directory must tell of
 * every byte, and the whole be small: a film is none of it.
 */
static bool
jpeg_samsung(struct source *s, int64_t at)
{
	int64_t n = s->size - at, directory, begin, size, first = 0, sum = 0;
	const unsigned char *b = n >= 8 + 12 && n <= WINDOW ? look(s, at, (size_t)n) : NULL, *entry;

	if (!b || memcmp(b + n - 4, "SEFT", 4) != 0)
		return false;
	directory = n - 8 - (int64_t)le32(b + n - 8);
	if (directory < 0 || n - 8 - directory < 12 || memcmp(b + directory, "SEFH", 4) != 0 ||
		12 + 12 * (int64_t)le32(b + directory + 8) != n - 8 - directory)
		return false;
	for (entry = b + directory + 12; entry < b + n - 8; entry += 12) {
		begin = le32(entry + 4);
		size = le32(entry + 8);
		/* a block begins as its entry does */
		if (begin > directory || size > begin || size < 8 || memcmp(entry, b + directory - begin, 4) != 0)
			return false;
		first = begin > first ? begin : first;
		sum += size;
	}
	return first == directory && sum == directory;
}

static bool
is_jpeg(struct source *s)
{
	bool more = false, ignored;
	int64_t at = jpeg_picture(s, 0, &more), next;

	/* Phones put a second picture behind the first: a preview, or what makes it brighter on a better screen. */
	for (int i = 1; at > 0 && more && i < JPEG_PICTURES_MAX; i++) {
		next = skip_zeros(s, at);
		if (next < 0 || next == s->size)
			break;
		at = jpeg_picture(s, next, &ignored);
	}
	return ends(s, at) || (at > 0 && jpeg_samsung(s, at));
}

/* ---- GIF: CompuServe GIF89a, sections 15 to 27 */

/* Behind the sub-blocks that begin at `at`; -1 when the file ends before them. */
static int64_t
gif_blocks(struct source *s, int64_t at)
{
	const unsigned char *length;

	while ((length = part(s, at, 1))) {
		at += 1 + *length;
		if (!*length)
			return at;
	}
	return -1;
}

/* Bytes of the colour table that a packed field announces. */
static int64_t
gif_colours(unsigned packed)
{
	return packed & 0x80 ? 3 << ((packed & 7) + 1) : 0;
}

static bool
is_gif(struct source *s)
{
	const unsigned char *b = look(s, 0, 13);
	bool has_image = false;
	int64_t at;

	if (!b || (memcmp(b, "GIF89a", 6) != 0 && memcmp(b, "GIF87a", 6) != 0) || !le16(b + 6) || !le16(b + 8))
		return false;
	for (at = 13 + gif_colours(b[10]); at > 0 && (b = part(s, at, 1)); ) {
		if (*b == 0x3b)
			return has_image && ends(s, at + 1);
		if (*b == 0x21) {
			at = gif_blocks(s, at + 2);
		} else {
			if (*b != 0x2c || !(b = look(s, at, 10)) || !le16(b + 5) || !le16(b + 7))
				return false;
			at += 10 + gif_colours(b[9]);
			b = look(s, at, 1);	/* bits of the smallest code */
			if (!b || *b < 1 || *b > 8)
				return false;
			at = gif_blocks(s, at + 1);
			has_image = true;
		}
	}
	return false;
}

/* ---- WebP: RFC 9649 */

struct chunk {
	char kind[4];
	int64_t content, length, end;	/* end: behind the byte that makes it even */
};

static bool
webp_chunk(struct source *s, int64_t at, int64_t end, struct chunk *chunk)
{
	const unsigned char *b = part(s, at, 8);

	if (!b)
		return false;
	memcpy(chunk->kind, b, 4);
	chunk->content = at + 8;
	chunk->length = le32(b + 4);
	chunk->end = chunk->content + chunk->length + chunk->length % 2;
	return chunk->end <= end;
}

static bool
is_chunk(const struct chunk *chunk, const char *kind)
{
	return memcmp(chunk->kind, kind, 4) == 0;
}

/* A chunk that begins as the pictures of its kind do. */
static bool
webp_picture(struct source *s, const struct chunk *chunk)
{
	const unsigned char *b = look(s, chunk->content, 10);

	if (is_chunk(chunk, "VP8L"))
		return (b = look(s, chunk->content, 5)) && chunk->length >= 5 && b[0] == 0x2f && b[4] >> 5 == 0;
	return is_chunk(chunk, "VP8 ") && b && chunk->length >= 10 && !(b[0] & 1) &&
		memcmp(b + 3, "\x9d\x01\x2a", 3) == 0 && (le16(b + 6) & 0x3fff) && (le16(b + 8) & 0x3fff);
}

/* A picture of an animation: where and how long it is shown, perhaps its transparency, and the picture. */
static bool
webp_frame(struct source *s, const struct chunk *frame)
{
	int64_t at = frame->content + 16, end = frame->content + frame->length;
	struct chunk chunk;

	if (!webp_chunk(s, at, end, &chunk) || (is_chunk(&chunk, "ALPH") && !webp_chunk(s, chunk.end, end, &chunk)))
		return false;
	return webp_picture(s, &chunk);
}

static bool
is_webp(struct source *s)
{
	const unsigned char *b = look(s, 0, 12);
	bool has_picture = false;
	struct chunk chunk;

	if (!b || memcmp(b, "RIFF", 4) != 0 || memcmp(b + 8, "WEBP", 4) != 0 || (int64_t)le32(b + 4) + 8 != s->size ||
		!webp_chunk(s, 12, s->size, &chunk))
		return false;
	/* A simple file is one chunk. */
	if (!is_chunk(&chunk, "VP8X"))
		return chunk.end == s->size && webp_picture(s, &chunk);
	if (chunk.length != 10)
		return false;
	for (int64_t at = chunk.end; at < s->size; at = chunk.end) {
		if (!webp_chunk(s, at, s->size, &chunk) || is_chunk(&chunk, "VP8X"))
			return false;
		if (is_chunk(&chunk, "VP8 ") || is_chunk(&chunk, "VP8L") || is_chunk(&chunk, "ANMF")) {
			if (is_chunk(&chunk, "ANMF") ? !webp_frame(s, &chunk) : !webp_picture(s, &chunk))
				return false;
			has_picture = true;
		}
	}
	return has_picture;
}

/* ---- PDF: ISO 32000-1, sections 7.5.2 to 7.5.8 and annex H.3 */

#define PDF_TAIL 1024		/* within so many last bytes readers look for %%EOF */

static bool
is_space(unsigned char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\0';
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

/* Cuts `word` off the end of the `n` bytes at `b`, and the white space before it; false when they do not end so. */
static bool
cut(const unsigned char *b, size_t *n, const char *word)
{
	size_t length = strlen(word);

	if (*n < length || memcmp(b + *n - length, word, length) != 0)
		return false;
	*n -= length;
	while (*n > 0 && is_space(b[*n - 1]))
		(*n)--;
	return true;
}

/* A cross-reference table, or an object: the stream that may stand in its place. */
static bool
pdf_references(struct source *s, int64_t at)
{
	size_t n = s->size - at < 64 ? (size_t)(s->size - at) : 64, i = 0;
	const unsigned char *b = look(s, at, n);

	if (!b)
		return false;
	/* Some writers name the line end before it. */
	while (i < 2 && i < n && is_space(b[i]))
		i++;
	if (n - i > 4 && memcmp(b + i, "xref", 4) == 0)
		return is_space(b[i + 4]);
	for (int numbers = 0; numbers < 2; numbers++) {
		if (i >= n || !is_digit(b[i]))
			return false;
		while (i < n && is_digit(b[i]))
			i++;
		if (i >= n || !is_space(b[i]))
			return false;
		while (i < n && is_space(b[i]))
			i++;
	}
	return n - i >= 3 && memcmp(b + i, "obj", 3) == 0;
}

static bool
is_pdf(struct source *s)
{
	size_t n = s->size < 2 * PDF_TAIL ? (size_t)s->size : 2 * PDF_TAIL, end;
	const unsigned char *b = look(s, 0, 8);
	int64_t tail = s->size - (int64_t)n, offset = 0;

	if (!b || memcmp(b, "%PDF-", 5) != 0 || (b[5] != '1' && b[5] != '2') || b[6] != '.' || !is_digit(b[7]))
		return false;
	b = look(s, tail, n);
	if (!b)
		return false;
	/* Only white space may follow. */
	for (end = n; end > 0 && is_space(b[end - 1]); end--)
		;
	if (n - end > PDF_TAIL - 5 || !cut(b, &end, "%%EOF"))
		return false;
	for (n = end; n > 0 && is_digit(b[n - 1]) && end - n < 18; n--)
		;
	for (size_t i = n; i < end; i++)
		offset = offset * 10 + (b[i] - '0');
	if (n == end || n == 0 || !is_space(b[n - 1]))
		return false;
	while (n > 0 && is_space(b[n - 1]))
		n--;
	return cut(b, &n, "startxref") && offset < tail + (int64_t)n && pdf_references(s, offset);
}

/* ---- MP4: ISO/IEC 14496-12, sections 4.2, 4.3, 8.2 and 8.8 */

/* Major brands of files that are played as MP4. A camera's raw picture, a HEIC and a 3GP have boxes too. */
static bool
is_mp4_brand(const unsigned char *brand)
{
	static const char brands[][5] = { "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso7", "iso8", "iso9",
		"mp41", "mp42", "avc1", "dash", "M4V ", "M4VH", "M4VP", "MSNV", "NDSC", "mmp4" };

	for (size_t i = 0; i < COUNT(brands); i++)
		if (memcmp(brand, brands[i], 4) == 0)
			return true;
	return false;
}

struct box {
	char type[4];
	int64_t content, end;	/* in the file */
};

/* The box at `at`, which must end by `end`. One that says it goes to the end of the file could be cut unseen: none. */
static bool
mp4_box(struct source *s, int64_t at, int64_t end, struct box *box)
{
	const unsigned char *b = part(s, at, 8);
	int64_t size, head = 8;

	if (!b)
		return false;
	size = be32(b);
	for (int i = 0; i < 4; i++)
		if ((b[4 + i] < ' ' || b[4 + i] > '~') && b[4 + i] != 0xa9)
			return false;
	memcpy(box->type, b + 4, 4);
	if (size == 1) {
		b = look(s, at + 8, 8);
		if (!b || be32(b) > INT32_MAX)
			return false;
		size = (int64_t)be32(b) << 32 | be32(b + 4);
		head = 16;
	}
	if (size < head || size > end - at)
		return false;
	box->content = at + head;
	box->end = at + size;
	return true;
}

static bool
is_box(const struct box *box, const char *type)
{
	return memcmp(box->type, type, 4) == 0;
}

/* A movie has a header and tracks. */
static bool
mp4_movie(struct source *s, const struct box *moov)
{
	bool has_header = false, has_track = false;
	struct box box;

	for (int64_t at = moov->content; at < moov->end; at = box.end) {
		if (!mp4_box(s, at, moov->end, &box))
			return false;
		has_header |= is_box(&box, "mvhd");
		has_track |= is_box(&box, "trak");
	}
	return has_header && has_track;
}

static bool
is_mp4(struct source *s)
{
	bool has_movie = false, has_media = false, is_short = false;
	const unsigned char *brand;
	struct box box;

	if (!mp4_box(s, 0, s->size, &box) || !is_box(&box, "ftyp") || box.end - box.content < 8 ||
		!(brand = look(s, box.content, 4)) || !is_mp4_brand(brand))
		return false;
	for (int64_t at = box.end; at < s->size; at = box.end) {
		if (!mp4_box(s, at, s->size, &box) || is_box(&box, "ftyp"))
			return false;
		if (is_box(&box, "moov")) {
			if (has_movie || !mp4_movie(s, &box))
				return false;
			has_movie = true;
		}
		/* what a fragment tells of follows it */
		is_short = is_box(&box, "moof") || (is_short && !is_box(&box, "mdat"));
		has_media |= is_box(&box, "mdat");
	}
	return has_movie && has_media && !is_short;
}

/* ---- WebM: RFC 8794 (EBML) sections 4 to 6 and 11, RFC 9559 (Matroska) section 5.1 */

#define EBML_HEADER_MAX 4096

enum {
	EBML = 0x1a45dfa3, DOCTYPE = 0x4282, VOID_ = 0xec, CRC = 0xbf,
	SEGMENT = 0x18538067, SEEK_HEAD = 0x114d9b74, INFO = 0x1549a966, TRACKS = 0x1654ae6b, CLUSTER = 0x1f43b675,
	CUES = 0x1c53bb6b, CHAPTERS = 0x1043a770, TAGS = 0x1254c367,
	TIMESTAMP = 0xe7, SIMPLE_BLOCK = 0xa3, BLOCK_GROUP = 0xa0, POSITION = 0xa7, PREVIOUS_SIZE = 0xab,
	SILENT_TRACKS = 0x5854, ENCRYPTED_BLOCK = 0xaf,
};

struct element {
	uint32_t id;
	bool is_open;		/* of unknown size: goes on until something comes that cannot be in it */
	int64_t content, end;	/* end: of the parent when open */
};

static bool
webm_element(struct source *s, int64_t at, int64_t end, struct element *element)
{
	size_t n = end - at < 12 ? (size_t)(end - at) : 12, id_length, length, i;
	const unsigned char *b = part(s, at, n);
	bool ones;
	int64_t size;

	if (!b || n < 2 || b[0] < 0x10)
		return false;
	id_length = (size_t)__builtin_clz(b[0]) - 23;
	if (id_length >= n || b[id_length] == 0)
		return false;
	element->id = 0;
	for (i = 0; i < id_length; i++)
		element->id = element->id << 8 | b[i];
	b += id_length;
	length = (size_t)__builtin_clz(b[0]) - 23;
	if (id_length + length > n)
		return false;
	size = b[0] & (0xff >> length);
	ones = size == 0xff >> length;
	for (i = 1; i < length; i++) {
		size = size << 8 | b[i];
		ones &= b[i] == 0xff;
	}
	element->content = at + (int64_t)(id_length + length);
	element->is_open = ones;
	if (!ones && size > end - element->content)
		return false;
	element->end = ones ? end : element->content + size;
	return true;
}

/* The type of document that an EBML header names is webm. */
static bool
webm_header(struct source *s, const struct element *header)
{
	bool is_webm = false;
	struct element field;

	for (int64_t at = header->content; at < header->end; at = field.end) {
		if (!webm_element(s, at, header->end, &field) || field.is_open)
			return false;
		if (field.id == DOCTYPE)
			is_webm = field.end - field.content == 4 && starts(s, field.content, "webm", 4);
	}
	return is_webm;
}

static bool
is_of_segment(uint32_t id)
{
	return id == SEEK_HEAD || id == INFO || id == TRACKS || id == CLUSTER || id == CUES || id == CHAPTERS ||
		id == TAGS || id == VOID_ || id == CRC;
}

static bool
is_of_cluster(uint32_t id)
{
	return id == TIMESTAMP || id == SIMPLE_BLOCK || id == BLOCK_GROUP || id == POSITION || id == PREVIOUS_SIZE ||
		id == SILENT_TRACKS || id == ENCRYPTED_BLOCK || id == VOID_ || id == CRC;
}

/* Where a cluster ends; -1 when it does not. Browsers record with open ones. */
static int64_t
webm_cluster(struct source *s, const struct element *cluster)
{
	struct element child;
	int64_t at;

	for (at = cluster->content; at < cluster->end; at = child.end) {
		if (!webm_element(s, at, cluster->end, &child))
			return -1;
		if (cluster->is_open && is_of_segment(child.id) && !is_of_cluster(child.id))
			return at;
		if (child.is_open || !is_of_cluster(child.id))
			return -1;
	}
	return at;
}

static bool
is_webm(struct source *s)
{
	bool has_tracks = false, has_cluster = false;
	struct element element, segment;
	int64_t at;

	if (!starts(s, 0, "\x1a\x45\xdf\xa3", 4) || !webm_element(s, 0, s->size, &element) || element.is_open ||
		element.end > EBML_HEADER_MAX || !webm_header(s, &element))
		return false;
	if (!webm_element(s, element.end, s->size, &segment) || segment.id != SEGMENT || segment.end != s->size)
		return false;
	for (at = segment.content; at >= 0 && at < s->size; ) {
		if (!webm_element(s, at, s->size, &element) || !is_of_segment(element.id) ||
			(element.is_open && element.id != CLUSTER))
			return false;
		has_tracks |= element.id == TRACKS && element.end > element.content;
		has_cluster |= element.id == CLUSTER && element.end > element.content;
		at = element.id == CLUSTER ? webm_cluster(s, &element) : element.end;
	}
	return at == s->size && has_tracks && has_cluster;
}

/* ---- MP3: ISO/IEC 11172-3 section 2.4 and 13818-3, layer III; tags: ID3v2.4.0, ID3v1.1, APEv2 */

#define MP3_FRAMES_MIN 3
#define TAGS_MAX 8

static uint32_t
syncsafe(const unsigned char *b)
{
	return (b[0] | b[1] | b[2] | b[3]) & 0x80 ? UINT32_MAX : (uint32_t)b[0] << 21 | b[1] << 14 | b[2] << 7 | b[3];
}

/* Behind the ID3v2 tag at `at`; `at` where there is none; -1 where it goes over the end. libmagic knows no footers. */
static int64_t
mp3_front_tag(struct source *s, int64_t at)
{
	const unsigned char *b = part(s, at, 10);
	int64_t size;

	if (!b || memcmp(b, "ID3", 3) != 0)
		return at;
	if (b[3] < 2 || b[3] > 4 || b[4] == 0xff || syncsafe(b + 6) == UINT32_MAX)
		return -1;
	size = 10 + (int64_t)syncsafe(b + 6);
	return size <= s->size - at ? at + size : -1;
}

/* Bytes of the frame with this header, 0 for no header of a frame of layer III. */
static int64_t
mp3_frame(const unsigned char *b)
{
	static const short rates[2][15] = {	/* kbit/s; a free one is none */
		{ 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		{ 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
	};
	static const unsigned short hertz[3] = { 44100, 48000, 32000 };
	int version = b[1] >> 3 & 3, rate = b[2] >> 4, sampling = b[2] >> 2 & 3;	/* version 0: 2.5, 2: 2, 3: 1 */
	bool is_one = version == 3;

	if (b[0] != 0xff || (b[1] & 0xe6) != 0xe2 || version == 1 || rate == 0 || rate == 15 || sampling == 3 ||
		(b[3] & 3) == 2)
		return 0;
	return (is_one ? 144 : 72) * 1000 * rates[is_one][rate] /
		(hertz[sampling] >> (is_one ? 0 : version == 2 ? 1 : 2)) + (b[2] >> 1 & 1);
}

/* Same version, layer, sampling rate, and one channel or two. */
static bool
mp3_agree(const unsigned char *a, const unsigned char *b)
{
	return (a[1] & 0xfe) == (b[1] & 0xfe) && (a[2] & 0x0c) == (b[2] & 0x0c) && (a[3] >> 6 == 3) == (b[3] >> 6 == 3);
}

/*
 * Bytes of the stream as the first frame tells them where it is a table of contents (Xing, LAME), which is what shows
 * that a stream was cut between two frames; else 0.
 */
static int64_t
mp3_told(struct source *s, int64_t at, const unsigned char header[static 4], int64_t length)
{
	bool is_one = (header[1] >> 3 & 3) == 3, is_mono = header[3] >> 6 == 3;
	int64_t table = 4 + (is_one ? is_mono ? 17 : 32 : is_mono ? 9 : 17);
	const unsigned char *b = length >= table + 16 ? look(s, at + table, 16) : NULL;

	if (!b || (memcmp(b, "Xing", 4) != 0 && memcmp(b, "Info", 4) != 0) || !(b[7] & 2))
		return 0;
	return be32(b + (b[7] & 1 ? 12 : 8));
}

/* Behind the tag at `at` that stands behind the sound; -1 where none does. */
static int64_t
mp3_back_tag(struct source *s, int64_t at)
{
	const unsigned char *b = look(s, at, 32);
	int64_t size = -1;

	if (s->size - at >= 128 && starts(s, at, "TAG", 3))
		return at + 128;
	if (b && memcmp(b, "APETAGEX", 8) == 0 && b[23] & 0x80)		/* with a header: size is what follows it */
		size = 32 + (int64_t)le32(b + 12);
	return size > 0 && size <= s->size - at ? at + size : -1;
}

static bool
is_mp3(struct source *s)
{
	unsigned char first[4] = { 0 };
	const unsigned char *b;
	int64_t at, start, length, told = 0;
	int frames = 0;

	for (at = 0, start = -1; at != start; )		/* a second one was put before the first by some */
		at = mp3_front_tag(s, start = at);
	if (at < 0)
		return false;
	for (start = at; (b = part(s, at, 4)) && (length = mp3_frame(b)) && length <= s->size - at; at += length) {
		if (frames++ == 0) {
			memcpy(first, b, 4);
			told = mp3_told(s, at, first, length);
		} else if (!mp3_agree(first, b)) {
			return false;
		}
	}
	if (frames < MP3_FRAMES_MIN || s->size - start < told)
		return false;
	for (int tags = 0; at < s->size && tags < TAGS_MAX && (length = mp3_back_tag(s, at)) >= 0; tags++)
		at = length;
	return ends(s, at);
}

/* ---- all of them */

static const struct kind {
	bool (*is_whole)(struct source *s);
	struct media_info info;
	const char *also[2];	/* what else libmagic calls them */
} kinds[MEDIA_TYPES] = {
	[MEDIA_PNG] = { is_png, { "image/png", "png", true } },
	[MEDIA_JPEG] = { is_jpeg, { "image/jpeg", "jpg", true } },
	[MEDIA_WEBP] = { is_webp, { "image/webp", "webp", true } },
	[MEDIA_GIF] = { is_gif, { "image/gif", "gif", true } },
	/* saved, not shown: it runs scripts of its own, and Chrome shows none where scripts may not run */
	[MEDIA_PDF] = { is_pdf, { "application/pdf", "pdf", false } },
	[MEDIA_MP4] = { is_mp4, { "video/mp4", "mp4", true }, { "video/x-m4v", "audio/mp4" } },
	[MEDIA_WEBM] = { is_webm, { "video/webm", "webm", true } },
	[MEDIA_MP3] = { is_mp3, { "audio/mpeg", "mp3", true } },
};

const struct media_info *
media_info(enum media_type type)
{
	return type > MEDIA_NONE && type < MEDIA_TYPES ? &kinds[type].info : NULL;
}

static bool
is_called(const struct kind *kind, const char *name)
{
	return strcmp(name, kind->info.mime) == 0 || (kind->also[0] && strcmp(name, kind->also[0]) == 0) ||
		(kind->also[1] && strcmp(name, kind->also[1]) == 0);
}

/*
 * The second judge: knows a thousand types of which a file could be one instead. It is loaded for each file and
 * unloaded again, library and database: that takes a third of a millisecond, of an upload that waits for the disk.
 * Linked to it, programs would load four more libraries at each start, and workers keep memory of their own for them.
 */
struct judge {
	void *library;
	typeof(magic_open) *open;
	typeof(magic_load) *load;
	typeof(magic_buffer) *buffer;
	typeof(magic_error) *error;
	typeof(magic_close) *close;
};

static bool
judge_load(struct judge *judge)
{
	judge->library = dlopen("libmagic.so.1", RTLD_NOW | RTLD_LOCAL);
	return judge->library && (judge->open = dlsym(judge->library, "magic_open")) &&
		(judge->load = dlsym(judge->library, "magic_load")) &&
		(judge->buffer = dlsym(judge->library, "magic_buffer")) &&
		(judge->error = dlsym(judge->library, "magic_error")) &&
		(judge->close = dlsym(judge->library, "magic_close"));
}

/*
 * Whether its database was read: where that is missing, damaged or too large for the memory that is left, libmagic makes do
 * with the empty one of /etc, and knows nothing.
 */
static bool
judge_knows(const struct judge *judge, magic_t magic)
{
	static const unsigned char gif[] = "GIF89a\1\0\1\0\0\0";
	const char *name = judge->buffer(magic, gif, sizeof(gif));

	return name && strcmp(name, "image/gif") == 0;
}

/* The checks for texts, which need many times as much time and memory, have nothing to say about our types. */
static enum media_type
judge_ask(const struct judge *judge, struct source *s, enum media_type type)
{
	magic_t magic = judge->open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_BUILTIN);
	const char *name = NULL, *why = NULL;

	if (magic && judge->load(magic, NULL) == 0 && judge_knows(judge, magic) && look(s, 0, 1))
		name = judge->buffer(magic, s->window, s->have);
	if (!name) {
		why = magic ? judge->error(magic) : NULL;
		log_line(LOG_FAULT, "media_unjudged reason=\"%s\"", why ? why : "no memory, or no database");
		type = MEDIA_FAILED;
	} else if (!is_called(&kinds[type], name)) {
		type = MEDIA_NONE;
	}
	if (magic)
		judge->close(magic);
	return type;
}

static enum media_type
ask_libmagic(struct source *s, enum media_type type)
{
	struct judge judge = { 0 };

	if (judge_load(&judge)) {
		type = judge_ask(&judge, s, type);
	} else {
		log_line(LOG_FAULT, "media_unjudged reason=\"%s\"", dlerror());
		type = MEDIA_FAILED;
	}
	if (judge.library)
		dlclose(judge.library);
	return type;
}

enum media_type
media_detect(int file, int64_t size)
{
	struct source s;

	s.file = file;
	s.size = size;
	s.steps = 0;
	s.failed = false;
	s.at = 0;
	s.have = 0;
	for (enum media_type type = MEDIA_NONE + 1; type < MEDIA_TYPES && !s.failed; type++)
		if (kinds[type].is_whole(&s))
			return ask_libmagic(&s, type);
	return s.failed ? MEDIA_FAILED : MEDIA_NONE;
}
