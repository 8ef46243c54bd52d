#include "media.h"

#include "log.h"

#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

#include <magic.h>

/*
 * libmagic recognizes the types that begin with a signature. It is weak where the position of the signature varies or
 * one container holds many types, so PDF, MP3 and the family of MP4 are recognized here, by what programs that open
 * them look for.
 */

#define WINDOW 16384		    /* bytes of the file in memory */
#define MAGIC_BYTES 1024	    /* passed to libmagic; real files are recognized by their first 32 */
#define PDF_HEADER_WITHIN 1024	    /* bytes: ISO 32000-1 annex H.3.4.1 */
#define PDF_OBJECT_WITHIN (1 << 20) /* bytes searched for the first object */
#define BOXES_MAX 32
#define TAGS_MAX 8
#define SOUND_WITHIN 65536 /* bytes after its tags searched for the first frame of an MP3 */
#define FRAMES_MIN 3
#define FRAME_MAX 1441 /* bytes: 320 kbit/s at 32 kHz, padded */

struct source {
	int file;
	int64_t size;
	bool failed; /* the file could not be read */
	int64_t at;  /* offset of the window */
	size_t have; /* bytes in it */
	unsigned char window[WINDOW];
};

/* The `n` bytes (at most WINDOW) at `at`, valid until the next call; NULL when the file is too short. */
static const unsigned char *
bytes_at(struct source *s, int64_t at, size_t n)
{
	ssize_t got = 1;

	if (s->failed || at < 0 || at > s->size || (int64_t)n > s->size - at)
		return NULL;
	if (at >= s->at && at + (int64_t)n <= s->at + (int64_t)s->have)
		return s->window + (at - s->at);
	s->at = at;
	s->have = 0;
	while (got != 0 && s->have < WINDOW) {
		got = pread(s->file, s->window + s->have, WINDOW - s->have, at + (int64_t)s->have);
		if (got > 0)
			s->have += (size_t)got;
		if (got < 0 && errno != EINTR) {
			log_line(LOG_FAULT, "media_read_failed errno=%d", errno);
			s->failed = true;
			return NULL;
		}
	}
	return s->have >= n ? s->window : NULL;
}

/* The number of bytes from `at` on, at most `most`. */
static size_t
left(const struct source *s, int64_t at, size_t most)
{
	return at >= s->size ? 0 : s->size - at < (int64_t)most ? (size_t)(s->size - at) : most;
}

static uint32_t
be32(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* ---- MP4, QuickTime, HEIC, AVIF: ISO/IEC 14496-12 sections 4.2 and 4.3; brands as registered at mp4ra.org */

/* clang-format off */
static const struct { char name[5]; enum media_type type; } brands[] = {
	{ "avif", MEDIA_AVIF }, { "avis", MEDIA_AVIF },
	{ "heic", MEDIA_HEIC }, { "heix", MEDIA_HEIC }, { "heim", MEDIA_HEIC }, { "heis", MEDIA_HEIC },
	{ "hevc", MEDIA_HEIC }, { "hevx", MEDIA_HEIC }, { "hevm", MEDIA_HEIC }, { "hevs", MEDIA_HEIC },
	{ "qt  ", MEDIA_MOV }, { "M4A ", MEDIA_M4A }, { "M4B ", MEDIA_M4A },
	{ "iso", MEDIA_MP4 }, { "mp4", MEDIA_MP4 }, { "M4V", MEDIA_MP4 }, { "avc1", MEDIA_MP4 }, { "dash", MEDIA_MP4 },
	{ "cmfc", MEDIA_MP4 }, { "MSNV", MEDIA_MP4 }, { "NDSC", MEDIA_MP4 }, { "mmp4", MEDIA_MP4 },
	/* other types, whatever they are compatible with */
	{ "3g", MEDIA_NONE }, { "crx ", MEDIA_NONE }, { "jp2 ", MEDIA_NONE }, { "jpx ", MEDIA_NONE }, { "jxl ", MEDIA_NONE },
};
/* clang-format on */

/* By the major brand if that determines the type, else by the compatible brands. */
static enum media_type
by_brand(const unsigned char *ftyp, size_t length)
{
	bool is_picture = false; /* in any codec: AVIF has its own brand too, the others are HEIC */

	for (size_t at = 8; at + 4 <= length; at += at == 8 ? 8 : 4) { /* skips the minor version */
		for (size_t i = 0; i < COUNT(brands); i++)
			if (memcmp(ftyp + at, brands[i].name, strlen(brands[i].name)) == 0 && (brands[i].type || at == 8))
				return brands[i].type;
		is_picture |= memcmp(ftyp + at, "mif1", 4) == 0 || memcmp(ftyp + at, "msf1", 4) == 0;
	}
	return is_picture ? MEDIA_HEIC : MEDIA_NONE;
}

static enum media_type
by_boxes(struct source *s)
{
	const unsigned char *b;
	int64_t at = 0, size;

	for (int i = 0; i < BOXES_MAX && (b = bytes_at(s, at, 8)); i++, at += size) {
		size = be32(b);
		if (memcmp(b + 4, "ftyp", 4) == 0)
			return size <= WINDOW && (b = bytes_at(s, at, (size_t)size)) ? by_brand(b, (size_t)size) : MEDIA_NONE;
		if (memcmp(b + 4, "moov", 4) == 0)
			return MEDIA_MOV; /* old QuickTime, without brands */
		if (memcmp(b + 4, "mdat", 4) != 0 && memcmp(b + 4, "wide", 4) != 0 && memcmp(b + 4, "free", 4) != 0 &&
			memcmp(b + 4, "skip", 4) != 0 && memcmp(b + 4, "pnot", 4) != 0)
			break;
		if (size == 1 && (b = bytes_at(s, at + 8, 8)) && be32(b) < INT32_MAX)
			size = (int64_t)be32(b) << 32 | be32(b + 4);
		if (size < 8 || size > s->size - at)
			break;
	}
	return MEDIA_NONE;
}

/* ---- MP3: ISO/IEC 11172-3 section 2.4 and 13818-3, layer III; ID3v2.4.0 section 3.1 */

/* The offset after the ID3v2 tags that the file begins with. */
static int64_t
skip_tags(struct source *s)
{
	const unsigned char *b;
	int64_t at = 0;

	for (int i = 0; i < TAGS_MAX && (b = bytes_at(s, at, 10)) && memcmp(b, "ID3", 3) == 0; i++)
		at += (b[5] & 0x10 ? 20 : 10) + (int64_t)(b[6] & 0x7f) * (1 << 21) + (b[7] & 0x7f) * (1 << 14) +
			(b[8] & 0x7f) * (1 << 7) + (b[9] & 0x7f);
	return at;
}

/* Bytes of the frame with this header; 0 when it is not a header of layer III. */
static int64_t
frame_length(const unsigned char *b)
{
	static const short rates[2][15] = {
		/* kbit/s; 0: a free bit rate, which is not accepted */
		{ 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
		{ 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320 },
	};
	static const unsigned short hertz[3] = { 44100, 48000, 32000 };
	int version = b[1] >> 3 & 3, rate = b[2] >> 4, sampling = b[2] >> 2 & 3; /* version 0: 2.5, 2: 2, 3: 1 */
	bool is_one = version == 3;

	if (b[0] != 0xff || (b[1] & 0xe6) != 0xe2 || version == 1 || rate == 0 || rate == 15 || sampling == 3 || (b[3] & 3) == 2)
		return 0;
	return (is_one ? 144 : 72) * 1000 * rates[is_one][rate] /
		(hertz[sampling] >> (is_one			   ? 0
						    : version == 2 ? 1
								   : 2)) +
		(b[2] >> 1 & 1);
}

/* True where frames of one version and sampling rate follow each other from `at` on. */
static bool
has_frames(struct source *s, int64_t at)
{
	unsigned char last[4] = { 0 };
	const unsigned char *b;
	int64_t length;

	for (int i = 0; i < FRAMES_MIN; i++, at += length) {
		b = bytes_at(s, at, 4);
		length = b ? frame_length(b) : 0;
		if (!length || (i > 0 && ((b[1] ^ last[1]) & 0xfe || (b[2] ^ last[2]) & 0x0c)))
			return false;
		memcpy(last, b, sizeof(last));
	}
	return true;
}

/* True where frames begin in the first SOUND_WITHIN bytes from `at` on. Reads forward only. */
static bool
has_sound(struct source *s, int64_t at)
{
	int64_t end = at + SOUND_WITHIN, next;
	size_t n;

	while (at < end && (n = left(s, at, WINDOW)) > 0 && bytes_at(s, at, n)) {
		next = at + (int64_t)n == s->size ? s->size : at + (int64_t)n - FRAMES_MIN * FRAME_MAX;
		for (; at < next && at < end; at++)
			if (s->window[at - s->at] == 0xff && has_frames(s, at))
				return true;
	}
	return false;
}

/* ---- PDF: ISO 32000-1 sections 7.3.10 and 7.5.2 */

/* A header, and after it the start of an object, "12 0 obj", which text about PDF does not have. */
static bool
is_pdf(struct source *s)
{
	size_t n = left(s, 0, PDF_HEADER_WITHIN);
	const unsigned char *b = bytes_at(s, 0, n), *found = b ? memmem(b, n, "%PDF-", 5) : NULL, *digit;
	int64_t at = found ? found - b : s->size, end = at + PDF_OBJECT_WITHIN;

	for (; at < end && (n = left(s, at, WINDOW)) > 32 && (b = bytes_at(s, at, n)); at += WINDOW - 32)
		for (found = b; (found = memmem(found, n - (size_t)(found - b), "obj", 3)); found += 3) {
			for (digit = found; digit > b && memchr(" \n\r\t\f", digit[-1], 6); digit--)
				;
			if (digit > b && digit < found && digit[-1] >= '0' && digit[-1] <= '9')
				return true;
		}
	return false;
}

/* ---- libmagic */

static const struct media_info infos[MEDIA_TYPES] = {
	[MEDIA_PNG] = { "image/png", "png", { NULL }, true },
	[MEDIA_JPEG] = { "image/jpeg", "jpg", { "jpeg", "jfif" }, true },
	[MEDIA_WEBP] = { "image/webp", "webp", { NULL }, true },
	[MEDIA_GIF] = { "image/gif", "gif", { NULL }, true },
	[MEDIA_AVIF] = { "image/avif", "avif", { NULL }, true },
	[MEDIA_HEIC] = { "image/heic", "heic", { "heif" }, true },
	/* downloaded, not shown: a PDF can run scripts, and Chrome shows none where scripts are forbidden */
	[MEDIA_PDF] = { "application/pdf", "pdf", { NULL }, false },
	[MEDIA_MP4] = { "video/mp4", "mp4", { "m4v" }, true },
	[MEDIA_MOV] = { "video/quicktime", "mov", { "qt" }, true },
	[MEDIA_WEBM] = { "video/webm", "webm", { NULL }, true },
	[MEDIA_MP3] = { "audio/mpeg", "mp3", { NULL }, true },
	[MEDIA_M4A] = { "audio/mp4", "m4a", { "m4b" }, true },
};

const struct media_info *
media_info(enum media_type type)
{
	return type > MEDIA_NONE && type < MEDIA_TYPES ? &infos[type] : NULL;
}

enum media_type
media_of_mime(const char *mime)
{
	for (enum media_type type = MEDIA_NONE + 1; type < MEDIA_TYPES; type++)
		if (strcmp(infos[type].mime, mime) == 0)
			return type;
	return MEDIA_NONE;
}

/* The types that libmagic decides. It reports others too often, like MP3 for every file with an ID3 tag. */
static bool
has_signature(enum media_type type)
{
	return type == MEDIA_PNG || type == MEDIA_JPEG || type == MEDIA_WEBP || type == MEDIA_GIF || type == MEDIA_WEBM;
}

/*
 * Loads library and database for each file and unloads them again: a third of a millisecond, in an upload that waits
 * for the disk. If programs were linked to it, they would load four more libraries at start, and each worker would keep
 * memory for them.
 *
 * Uses its table of signatures alone, not its parsers of archives, programs and texts, which had vulnerabilities and do
 * not matter for our types. Sets `*is_other` where it recognizes another type.
 */
static enum media_type
ask_libmagic(struct source *s, bool *is_other)
{
	static const unsigned char gif[] = "GIF89a\1\0\1\0\0\0";
	void *library = dlopen("libmagic.so.1", RTLD_NOW | RTLD_LOCAL);
	typeof(magic_open) *open = library ? dlsym(library, "magic_open") : NULL;
	typeof(magic_load) *load = library ? dlsym(library, "magic_load") : NULL;
	typeof(magic_buffer) *buffer = library ? dlsym(library, "magic_buffer") : NULL;
	typeof(magic_errno) *number = library ? dlsym(library, "magic_errno") : NULL;
	typeof(magic_close) *close = library ? dlsym(library, "magic_close") : NULL;
	magic_t magic = open && load && buffer && number && close ? open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_BUILTIN) : NULL;
	enum media_type type = MEDIA_FAILED;
	size_t n = left(s, 0, MAGIC_BYTES);
	const unsigned char *bytes = bytes_at(s, 0, n);
	const char *name = NULL;

	/* Without a database, or the memory for it, it uses an empty one, which does not know GIF. */
	if (magic && bytes && load(magic, NULL) == 0 && (name = buffer(magic, gif, sizeof(gif))) &&
		media_of_mime(name) == MEDIA_GIF) {
		name = buffer(magic, bytes, n);
		type = name ? media_of_mime(name) : number(magic) ? MEDIA_FAILED : MEDIA_NONE;
		type = type == MEDIA_FAILED || has_signature(type) ? type : MEDIA_NONE;
		*is_other = name && type == MEDIA_NONE && strcmp(name, "application/octet-stream") != 0;
	}
	if (type == MEDIA_FAILED && !s->failed)
		log_line(LOG_FAULT, "media_detect_failed reason=\"%s\"",
			magic		  ? "no database of libmagic, or no memory for it"
				: library ? "libmagic lacks a function, or memory"
					  : dlerror());
	if (magic)
		close(magic);
	if (library)
		dlclose(library);
	return type;
}

enum media_type
media_detect(int file, int64_t size)
{
	bool is_other = false;
	struct source s = { .file = file, .size = size };

	if (size <= 0)
		return MEDIA_NONE;
	int64_t sound = skip_tags(&s);
	enum media_type type = by_boxes(&s);
	if (type == MEDIA_NONE && (sound > 0 ? has_sound(&s, sound) : has_frames(&s, 0)))
		type = MEDIA_MP3;
	if (type == MEDIA_NONE)
		type = ask_libmagic(&s, &is_other);
	if (type == MEDIA_NONE && is_pdf(&s))
		type = MEDIA_PDF;
	/* A part of a stream may begin within a frame. */
	if (type == MEDIA_NONE && !is_other && has_sound(&s, 0))
		type = MEDIA_MP3;
	return s.failed ? MEDIA_FAILED : type;
}
