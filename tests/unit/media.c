/*
 * tests/unit/media/ holds small files of each kind: those of sound, film and WebP, and most pictures, written by
 * ffmpeg 5.1 (-bitexact), progressive.jpg by libjpeg, the GIFs, the PDFs and the tag of bare.mp3 by hand.
 */
#include "media.h"
#include "text.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SAMPLES "tests/unit/media/"
#define MIB ((int64_t)1 << 20)

static int scratch = -1;

static enum media_type
detect(const void *bytes, size_t length)
{
	if (scratch < 0)
		scratch = memfd_create("media", MFD_CLOEXEC);
	assert_true(scratch >= 0);
	assert_int_equal(ftruncate(scratch, 0), 0);
	assert_int_equal(pwrite(scratch, bytes, length, 0), length);
	return media_detect(scratch, (int64_t)length);
}

static const char *
name_of(enum media_type type)
{
	const struct media_info *info = media_info(type);

	return info ? info->extension : type == MEDIA_NONE ? "none" : "failed";
}

static struct buf
sample(const char *name)
{
	struct buf bytes = { 0 }, path = { 0 };
	ssize_t n;
	int file;

	buf_printf(&path, SAMPLES "%s", name);
	file = open(path.s, O_RDONLY | O_CLOEXEC);
	check(file >= 0, path.s);
	while ((n = read(file, buf_room(&bytes, 65536), 65536)) > 0)
		bytes.length += (size_t)n;
	close(file);
	buf_clear(&path);
	return bytes;
}

/* Runs `what` on each sample. */
static void
each_sample(void (*what)(const char *name, enum media_type type, const struct buf *bytes))
{
	DIR *folder = opendir(SAMPLES);
	struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		enum media_type type = MEDIA_NONE;
		struct buf bytes;

		for (enum media_type t = MEDIA_NONE + 1; t < MEDIA_TYPES; t++)
			if (strstr(entry->d_name, media_info(t)->extension))
				type = t;
		if (entry->d_name[0] == '.')
			continue;
		check(type != MEDIA_NONE, entry->d_name);
		bytes = sample(entry->d_name);
		what(entry->d_name, type, &bytes);
		buf_clear(&bytes);
		count++;
	}
	closedir(folder);
	assert_true(count >= 2 * (MEDIA_TYPES - 1));
}

static void
is_its_type(const char *name, enum media_type type, const struct buf *bytes)
{
	check(detect(bytes->s, bytes->length) == type, name);
}

static void
whole_files_are_known(void **state)
{
	(void)state;
	each_sample(is_its_type);
}

/*
 * A stream that nothing announces the length of is whole wherever a frame, block or fragment ends, and a PDF that was
 * changed has the one that it was in it. From 0 no other file has such lengths.
 */
static const struct { const char *name; size_t lengths[6]; } shorter[] = {
	{ "bare.mp3", { 216, 288, 360, 432, 504 } },	/* its frames, but for the tag behind them */
	{ "changed.pdf", { 332, 333, 334, 576, 577 } },		/* and its last line end */
	{ "fragments.mp4", { 931 } },				/* the index of its fragments */
};

static bool
may_be_whole(const char *name, size_t length)
{
	for (size_t i = 0; length && i < COUNT(shorter); i++)
		for (size_t j = 0; j < COUNT(shorter[i].lengths); j++)
			if (strcmp(shorter[i].name, name) == 0 && shorter[i].lengths[j] == length)
				return true;
	return false;
}

static void
is_none_where_cut(const char *name, enum media_type type, const struct buf *bytes)
{
	for (size_t n = 0; n < bytes->length; n++) {
		enum media_type found = detect(bytes->s, n);

		if (found != (may_be_whole(name, n) ? type : MEDIA_NONE))
			fail_msg("%s cut to %zu of %zu bytes is %s", name, n, bytes->length, name_of(found));
	}
}

static void
cut_files_are_none(void **state)
{
	(void)state;
	each_sample(is_none_where_cut);
}

/* What stands before or behind a file makes it none. */
static const struct { const char *bytes; size_t length; } strangers[] = {
	{ "x", 1 }, { "\n<html><script>alert(1)</script>", 32 }, { "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22 },
	{ "PK\3\4\24\0\0\0\0\0\0\0", 12 }, { "MZ\220\0", 4 }, { "\177ELF\2\1\1", 7 }, { "#!/bin/sh\n", 10 },
	{ "<?php phpinfo(); ?>", 19 }, { "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", 41 }, { "GIF89a", 6 },
	{ "%PDF-1.4\n", 9 }, { "\x89PNG\r\n\x1a\n", 8 }, { "\xff\xd8\xff\xe0", 4 }, { "\xff\xd9", 2 }, { "\x1a", 1 },
	{ "\0\0\0\x10" "ftypisom\0\0\0\0", 16 }, { "\x3b", 1 }, { "\0", 1 },
};

/* Zero bytes behind are padding to these, and whoever announces no length need not know better. */
static bool
may_be_padded(enum media_type type)
{
	return type == MEDIA_JPEG || type == MEDIA_GIF || type == MEDIA_PDF || type == MEDIA_MP3;
}

static void
is_none_with_strangers(const char *name, enum media_type type, const struct buf *bytes)
{
	for (size_t i = 0; i < COUNT(strangers); i++) {
		const char *stranger = strangers[i].bytes;
		size_t length = strangers[i].length;
		struct buf both = { 0 };
		bool is_padding = length == 1 && !*stranger;

		buf_put(&both, stranger, length);
		buf_put(&both, bytes->s, bytes->length);
		check(detect(both.s, both.length) == MEDIA_NONE, name);
		buf_reset(&both, SIZE_MAX);
		buf_put(&both, bytes->s, bytes->length);
		buf_put(&both, stranger, length);
		if (detect(both.s, both.length) != (is_padding && may_be_padded(type) ? type : MEDIA_NONE))
			fail_msg("%s with stranger %zu behind it is %s", name, i, name_of(detect(both.s, both.length)));
		/* as far as one looks, it is what it is */
		check(media_detect(scratch, (int64_t)bytes->length) == type, name);
		/* and nobody says what is not there */
		check(media_detect(scratch, (int64_t)both.length + 1) == MEDIA_NONE, name);
		buf_clear(&both);
	}
}

static void
files_with_something_before_or_behind_them_are_none(void **state)
{
	(void)state;
	each_sample(is_none_with_strangers);
}

static void
padding_is_short(void **state)
{
	struct buf bytes = sample("plain.jpg");
	size_t length = bytes.length;

	(void)state;
	memset(buf_room(&bytes, 4097), 0, 4097);
	assert_int_equal(detect(bytes.s, length + 4096), MEDIA_JPEG);
	assert_int_equal(detect(bytes.s, length + 4097), MEDIA_NONE);
	buf_clear(&bytes);
}

#define TEXT(s) s, sizeof(s) - 1

static void
other_types_are_none(void **state)
{
	static const struct { const char *bytes; size_t length; } cases[] = {
		{ TEXT("") }, { TEXT("\0") }, { TEXT("hello") }, { TEXT("<svg xmlns=\"http://www.w3.org/2000/svg\"/>") },
		{ TEXT("<!DOCTYPE html><html></html>") }, { TEXT("<?xml version=\"1.0\"?><a/>") },
		{ TEXT("{\"a\":1}") }, { TEXT("#!/bin/sh\n") }, { TEXT("PK\3\4\24\0\0\0\0\0") }, { TEXT("\x1f\x8b\x08\0") },
		{ TEXT("MZ\220\0\3\0") }, { TEXT("\177ELF\2\1\1\0") }, { TEXT("BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0") },
		{ TEXT("II*\0\x08\0\0\0") }, { TEXT("RIFF\x04\0\0\0WAVE") }, { TEXT("RIFF\x04\0\0\0WEBP") },
		{ TEXT("RIFF\x04\0\0\0AVI ") }, { TEXT("OggS\0\2") }, { TEXT("fLaC\0\0\0\x22") }, { TEXT("\0\0\1\0\1\0") },
		{ TEXT("%!PS-Adobe-3.0\n%%EOF") }, { TEXT("\xff\xd8\xff\xd9") }, { TEXT("GIF89a\1\0\1\0\0\0\0;") },
		{ TEXT("\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82") }, { TEXT("%PDF-1.4\n%%EOF") },
		{ TEXT("%PDF-1.4\nstartxref\n0\n%%EOF") }, { TEXT("ID3\4\0\0\0\0\0\0") }, { TEXT("ID3\4\0\0\xff\xff\xff\xff") },
		{ TEXT("\0\0\0\x10" "ftypisom\0\0\2\0") }, { TEXT("\x1a\x45\xdf\xa3\x87\x42\x82\x84webm") },
		{ TEXT("\x1a\x45\xdf\xa3\xff\x42\x82\x84webm\x18\x53\x80\x67\xff") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		check(detect(cases[i].bytes, cases[i].length) == MEDIA_NONE, cases[i].length ? cases[i].bytes : "nothing");
	assert_int_equal(media_detect(scratch, 0), MEDIA_NONE);
	assert_int_equal(media_detect(scratch, -1), MEDIA_NONE);
}

/* One place of a good file changed. */
static void
faults_inside_are_seen(void **state)
{
	static const struct { const char *name, *find, *put; size_t length; ptrdiff_t at; bool is_good; } cases[] = {
		/* `put` goes `at` bytes from where `find` stands first */
		{ "plain.png", "IHDR", "\0\0\0\0", 4, 4 },
		{ "plain.png", "IHDR", "\0\1\0\0", 4, 4 },
		{ "plain.png", "IHDR", "\0\0\xff\xff", 4, 4, true },
		{ "plain.png", "IHDR", "\x80\0\0\0", 4, 8 },
		{ "plain.png", "IHDR", "\0\1\0\0", 4, 8 },
		{ "plain.png", "IHDR", "\0\0\xff\xff", 4, 8, true },
		{ "plain.png", "IHDR", "\1", 1, 16, true },
		{ "plain.png", "IHDR", "\3", 1, 12 },
		{ "plain.png", "IHDR", "\4", 1, 12 },
		{ "plain.png", "IHDR", "\5", 1, 13 },
		{ "plain.png", "IHDR", "\7", 1, 13 },
		{ "plain.png", "IHDR", "\1", 1, 14 },
		{ "plain.png", "IHDR", "\1", 1, 15 },
		{ "plain.png", "IHDR", "\2", 1, 16 },
		{ "plain.png", "IHDR", "IHDS", 4, 0 },
		{ "plain.png", "IDAT", "IHDR", 4, 0 },
		{ "plain.png", "IDAT", "IEND", 4, 0 },
		{ "plain.png", "IDAT", "tEXt", 4, 0 },
		{ "plain.png", "IDAT", "ID T", 4, 0 },
		{ "plain.png", "IDAT", "\xff\xff\xff\xff", 4, -4 },
		{ "plain.png", "IEND", "iEND", 4, 0 },
		{ "plain.jpg", "\xff\xc0", "\0\0", 2, 5 },
		{ "plain.jpg", "\xff\xc0", "\0\0", 2, 7 },
		{ "plain.jpg", "\xff\xc0", "\0", 1, 9 },
		{ "plain.jpg", "\xff\xc0", "\4", 1, 9 },
		{ "plain.jpg", "\xff\xc0", "\xff\xc4", 2, 0 },	/* no frame */
		{ "plain.jpg", "\xff\xdb", "\xff\xd8", 2, 0 },
		{ "plain.jpg", "\xff\xdb", "\xff\x01", 2, 0 },
		{ "plain.jpg", "\xff\xdb", "\xff\xbf", 2, 0 },
		{ "plain.jpg", "\xff\xdb", "\xff\xd0", 2, 0 },
		{ "plain.jpg", "\xff\xc0", "\xff\xc2", 2, 0, true },
		{ "plain.jpg", "\xff\xc0", "\xff\xcf", 2, 0, true },
		{ "plain.jpg", "\xff\xc0", "\xff\xc8", 2, 0 },
		{ "plain.jpg", "\xff\xc0", "\xff\xcc", 2, 0 },
		{ "plain.jpg", "\xff\xdb", "\0", 1, 0 },
		{ "plain.jpg", "\xff\xdb", "\0\1", 2, 2 },
		{ "plain.jpg", "\xff\xdb", "\xff\xff", 2, 2 },
		{ "plain.jpg", "\xff\xda", "\xff\xd9", 2, 0 },	/* no scan */
		{ "plain.gif", "GIF89a", "GIF88a", 6, 0 },
		{ "plain.gif", "GIF89a", "GIF87a", 6, 0, true },
		{ "plain.gif", "GIF89a", "\0\0", 2, 6 },
		{ "plain.gif", "GIF89a", "\x87", 1, 10 },	/* a larger table, into which the picture falls */
		{ "plain.gif", "\x2c\0\0\0\0", "\x2d", 1, 0 },
		{ "plain.gif", "\x2c\0\0\0\0", "\x3b", 1, 0 },
		{ "plain.gif", "\x2c\0\0\0\0", "\0\0", 2, 7 },
		{ "plain.gif", "\x2c\0\0\0\0", "\x09", 1, 10 },
		{ "plain.gif", "\x2c\0\0\0\0", "\0", 1, 10 },
		{ "plain.gif", "\x2c\0\0\0\0", "\x01", 1, 11 },
		{ "plain.gif", "\x2c\0\0\0\0", "\x08", 1, 10, true },
		{ "plain.gif", "\x2c\0\0\0\0", "\x01", 1, 10, true },
		{ "plain.gif", "\x2c\0\0\0\0", "\0\0", 2, 5 },
		{ "plain.gif", "GIF89a", "\0\0", 2, 8 },
		{ "animated.gif", "two pictures", "<script>12<!", 12, 0, true },
		{ "lossy.webp", "RIFF", "\x3b", 1, 4 },
		{ "lossy.webp", "VP8 ", "VP8Z", 4, 0 },
		{ "lossy.webp", "VP8 ", "\x01", 1, 8 },
		{ "lossy.webp", "\x9d\x01\x2a", "\x9d\x01\x2b", 3, 0 },
		{ "lossy.webp", "\x9d\x01\x2a", "\0\0", 2, 3 },
		{ "lossless.webp", "VP8L", "\x2e", 1, 8 },
		{ "lossless.webp", "VP8L", "\xff", 1, 12 },
		{ "lossless.webp", "VP8L", "\x02", 1, 4 },	/* what follows a simple picture */
		{ "animated.webp", "ANMF", "VP8 ", 4, 24 },
		{ "animated.webp", "ANMF", "<svg", 4, 24 },
		{ "plain.pdf", "%PDF-1.4", "%PDF-2.0", 8, 0, true },
		{ "plain.pdf", "%PDF-1.4", "%PDF-3.0", 8, 0 },
		{ "plain.pdf", "%PDF-1.4", "%PDF-1,4", 8, 0 },
		{ "plain.pdf", "%PDF-1.4", " PDF-1.4", 8, 0 },
		{ "plain.pdf", "startxref", "startxxxx", 9, 0 },
		{ "plain.pdf", "startxref", "\n999", 4, 9 },
		{ "plain.pdf", "startxref", "\n000", 4, 9 },
		{ "plain.pdf", "startxref", "\n012", 4, 9 },
		{ "plain.pdf", "startxref", "\n-12", 4, 9 },
		{ "plain.pdf", "startxref", "x", 1, 9 },
		{ "plain.pdf", "xref\n0 4", "xreg", 4, 0 },
		{ "plain.pdf", "%%EOF", "%%EOG", 5, 0 },
		{ "changed.pdf", "4 0 obj", "4 0 abc", 7, 0 },
		{ "changed.pdf", "4 0 obj", "x 0 obj", 7, 0 },
		{ "changed.pdf", "4 0 obj", "4 x obj", 7, 0 },
		{ "plain.mp4", "ftyp", "mp42", 4, 4, true },
		{ "plain.mp4", "ftyp", "M4V ", 4, 4, true },
		{ "plain.mp4", "ftyp", "MSNV", 4, 4, true },
		{ "plain.mp4", "ftyp", "qt  ", 4, 4 },
		{ "plain.mp4", "ftyp", "heic", 4, 4 },
		{ "plain.mp4", "ftyp", "M4A ", 4, 4 },
		{ "plain.mp4", "ftyp", "3gp4", 4, 4 },
		{ "plain.mp4", "ftyp", "crx ", 4, 4 },
		{ "plain.mp4", "ftyp", "fty\n", 4, 0 },
		{ "plain.mp4", "ftyp", "free", 4, 0 },
		{ "plain.mp4", "ftyp", "\0\0\0\x0c", 4, -4 },
		{ "plain.mp4", "moov", "free", 4, 0 },
		{ "plain.mp4", "moov", "ftyp", 4, 0 },
		{ "plain.mp4", "moov", "\0\0\0\0", 4, -4 },
		{ "plain.mp4", "moov", "\0\0\0\x07", 4, -4 },
		{ "plain.mp4", "moov", "\x7f", 1, -4 },
		{ "plain.mp4", "moov", "mo\x01v", 4, 0 },
		{ "plain.mp4", "mvhd", "free", 4, 0 },
		{ "plain.mp4", "trak", "free", 4, 0 },
		{ "plain.mp4", "trak", "\x01", 1, -4 },
		{ "plain.mp4", "mdat", "free", 4, 0 },
		{ "fragments.mp4", "mdat", "free", 4, 0 },
		{ "plain.webm", "webm", "webn", 4, 0 },
		{ "plain.webm", "\x42\x82\x84webm", "\x42\x83", 2, 0 },
		{ "plain.webm", "\x42\x82\x84webm", "\x7f", 1, 2 },
		{ "plain.webm", "\x18\x53\x80\x67", "\x19", 1, 0 },
		{ "plain.webm", "\x18\x53\x80\x67", "\0", 1, 4 },
		{ "plain.webm", "\x16\x54\xae\x6b\xc1", "\x12\x54\xc3\x67", 4, 0 },
		{ "plain.webm", "\x16\x54\xae\x6b\xc1", "\x16\x54\xae\x6c", 4, 0 },
		{ "plain.webm", "\x16\x54\xae\x6b\xc1", "\x19\x41\xa4\x69", 4, 0 },
		{ "plain.webm", "\x16\x54\xae\x6b\xc1", "\0", 1, 0 },
		{ "plain.webm", "\x1f\x43\xb6\x75", "\x12\x54\xc3\x67", 4, 0 },
		{ "live.webm", "\xe7\x81", "\xe8", 1, 0 },
		{ "live.webm", "\xe7\x81", "\xff", 1, 1 },
		{ "plain.mp3", "ID3", "\1", 1, 3 },
		{ "plain.mp3", "ID3", "\xff", 1, 4 },
		{ "plain.mp3", "ID3", "\x80", 1, 6 },
		{ "plain.mp3", "ID3", "\x7f", 1, 6 },
		{ "plain.mp3", "Info", "\x7f", 1, 12 },
		{ "bare.mp3", "\xff\xe3", "\xfe", 1, 0 },
		{ "bare.mp3", "\xff\xe3", "\xe5", 1, 1 },	/* layer II */
		{ "bare.mp3", "\xff\xe3", "\xeb", 1, 1 },
		{ "bare.mp3", "\xff\xe3", "\x08", 1, 2 },
		{ "bare.mp3", "\xff\xe3", "\xf8", 1, 2 },
		{ "bare.mp3", "\xff\xe3", "\x1c", 1, 2 },
		{ "bare.mp3", "\xff\xe3", "\x14", 1, 72 + 2 },	/* another rate than the first */
		{ "bare.mp3", "\xff\xe3", "\x04", 1, 72 + 3 },	/* another number of channels */
		{ "bare.mp3", "\xff\xe3", "\xfb", 1, 72 + 1 },
		{ "bare.mp3", "\xff\xe3", "\xc6", 1, 3 },
		{ "bare.mp3", "TAG", "tag", 3, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf bytes = sample(cases[i].name);
		size_t length = strlen(cases[i].find);
		enum media_type type = detect(bytes.s, bytes.length), found;
		char *place;

		/* some search for zero bytes behind */
		if (strcmp(cases[i].find, "\x2c") == 0)
			length = 5;
		place = memmem(bytes.s, bytes.length, cases[i].find, length);
		check(place && type != MEDIA_NONE, cases[i].name);
		memcpy(place + cases[i].at, cases[i].put, cases[i].length);
		found = detect(bytes.s, bytes.length);
		if (found != (cases[i].is_good ? type : MEDIA_NONE))
			fail_msg("%s with byte %td of \"%s\" changed (case %zu) is %s", cases[i].name, cases[i].at,
				cases[i].find, i, name_of(found));
		buf_clear(&bytes);
	}
}

/* ---- what phones, browsers and taggers do to their files */

/* A picture with a segment put behind its first two bytes, and what stands behind it. */
static struct buf
picture(const char *segment, size_t segment_length, const void *behind, size_t behind_length)
{
	struct buf one = sample("plain.jpg"), both = { 0 };

	buf_put(&both, one.s, 2);
	buf_put(&both, segment, segment_length);
	buf_put(&both, one.s + 2, one.length - 2);
	buf_put(&both, behind, behind_length);
	buf_clear(&one);
	return both;
}

static void
a_photo_may_have_a_preview_behind_it(void **state)
{
	struct buf second = sample("progressive.jpg"), bytes;

	(void)state;
	bytes = picture(TEXT("\xff\xe2\0\x08MPF\0II"), second.s, second.length);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_JPEG);
	assert_int_equal(detect(bytes.s, bytes.length - 1), MEDIA_NONE);
	buf_clear(&bytes);
	/* a second one that the first does not announce */
	bytes = picture(TEXT("\xff\xe2\0\x08XYZ\0II"), second.s, second.length);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_NONE);
	buf_clear(&bytes);
	/* something else than was announced */
	bytes = picture(TEXT("\xff\xe2\0\x08MPF\0II"), TEXT("PK\3\4"));
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_NONE);
	buf_clear(&bytes);
	buf_clear(&second);
}

static void
there_are_not_many_pictures_in_a_photo(void **state)
{
	struct buf one = sample("plain.jpg"), bytes = picture(TEXT("\xff\xe2\0\x06MPF\0"), NULL, 0);

	(void)state;
	for (int count = 2; count <= 17; count++) {
		buf_put(&bytes, count % 2 ? "\0\0" : "", count % 2 ? 2 : 0);
		buf_put(&bytes, one.s, one.length);
		assert_int_equal(detect(bytes.s, bytes.length), count <= 16 ? MEDIA_JPEG : MEDIA_NONE);
	}
	buf_clear(&bytes);
	buf_clear(&one);
}

/* Every place of the last bytes relative to what the walk has in hand; and data that only looks like a marker. */
static void
a_scan_may_end_anywhere(void **state)
{
	static const char data[] = { 1, '\xff', 0, 2, '\xff', '\xd0', '\xff', '\xd7', '\xff', '\xff', 0 };
	struct buf one = sample("plain.jpg");

	(void)state;
	for (size_t n = 16384 - 24; n < 16384 + 24; n++) {
		struct buf bytes = { 0 };

		buf_put(&bytes, one.s, one.length - 2);
		while (bytes.length < n)
			buf_putc(&bytes, data[(bytes.length + n) % sizeof(data)]);
		/* not half of something */
		buf_putc(&bytes, 0);
		assert_int_equal(detect(bytes.s, bytes.length), MEDIA_NONE);
		buf_put(&bytes, "\xff\xff\xd9", 3);
		if (detect(bytes.s, bytes.length) != MEDIA_JPEG)
			fail_msg("a scan of which the end is byte %zu", bytes.length);
		buf_clear(&bytes);
	}
	buf_clear(&one);
}

#define SAMSUNG(block, kind, begin, size, length) \
	block "SEFH\x65\0\0\0\1\0\0\0\0\0" kind begin "\0\0\0" size "\0\0\0" length "\0\0\0SEFT"
#define BLOCK "\0\0\x01\x0a\x05\0\0\0timer"

static void
a_photo_may_have_the_trailer_of_its_phone(void **state)
{
	static const struct { const char *bytes; size_t length; bool is_good; } cases[] = {
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0a", "\x0d", "\x0d", "\x18")), true },
		{ TEXT("SEFH\x65\0\0\0\0\0\0\0\x0c\0\0\0SEFT"), true },
		{ TEXT(SAMSUNG("\0\0\x01\x0a\0\0\0\0", "\x01\x0a", "\x08", "\x08", "\x18")), true },
		{ TEXT(SAMSUNG("\0\0\x01\x0a\0\0\0", "\x01\x0a", "\x07", "\x07", "\x18")) },
		{ TEXT("x" SAMSUNG(BLOCK, "\x01\x0a", "\x0d", "\x0d", "\x18")) },	/* a byte that nothing tells of */
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0a", "\x0d", "\x0c", "\x18")) },
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0a", "\x0c", "\x0c", "\x18")) },
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0a", "\x0e", "\x0d", "\x18")) },
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0a", "\x0d", "\x0e", "\x18")) },
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0b", "\x0d", "\x0d", "\x18")) },		/* of another kind */
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0a", "\x0d", "\x0d", "\x17")) },
		{ TEXT(SAMSUNG(BLOCK, "\x01\x0a", "\x0d", "\x0d", "\xff")) },
		{ TEXT("\0\0\0\0SEFT") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf bytes = picture(NULL, 0, cases[i].bytes, cases[i].length);

		if (detect(bytes.s, bytes.length) != (cases[i].is_good ? MEDIA_JPEG : MEDIA_NONE))
			fail_msg("case %zu is %s", i, name_of(detect(bytes.s, bytes.length)));
		buf_clear(&bytes);
	}
}

/* Longer than what the walk has in hand at a time. */
static void
segments_may_be_long(void **state)
{
	struct buf segment = { 0 }, bytes;

	(void)state;
	buf_put(&segment, "\xff\xe1\xff\xfe", 4);
	memset(buf_room(&segment, 65532), 0xff, 65532);
	segment.length += 65532;
	bytes = picture(segment.s, segment.length, NULL, 0);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_JPEG);
	buf_clear(&bytes);
	buf_clear(&segment);
}

static void
sound_may_have_tags(void **state)
{
	static const struct { const char *before; size_t before_length; const char *behind; size_t behind_length; bool is_good; }
	cases[] = {
		{ TEXT("ID3\3\0\0\0\0\0\2ab"), TEXT(""), true },
		{ TEXT("ID3\3\0\0\0\0\0\2abID3\4\0\0\0\0\0\1c"), TEXT(""), true },
		{ TEXT("ID3\2\0\0\0\0\0\2ab"), TEXT(""), true },
		{ TEXT("ID3\5\0\0\0\0\0\2ab"), TEXT("") },
		{ TEXT("ID3\3\0\0\0\0\0\2abc"), TEXT("") },
		{ TEXT(""), TEXT("APETAGEX\xd0\7\0\0\x20\0\0\0\0\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0"
			"APETAGEX\xd0\7\0\0\x20\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0"), true },
		{ TEXT(""), TEXT("APETAGEX\xd0\7\0\0\x21\0\0\0\0\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0"
			"APETAGEX\xd0\7\0\0\x20\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0") },
		{ TEXT(""), TEXT("APETAGEX\xd0\7\0\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
	};
	struct buf frames = sample("bare.mp3");

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf bytes = { 0 };

		buf_put(&bytes, cases[i].before, cases[i].before_length);
		buf_put(&bytes, frames.s, frames.length - 128);
		buf_put(&bytes, cases[i].behind, cases[i].behind_length);
		if (detect(bytes.s, bytes.length) != (cases[i].is_good ? MEDIA_MP3 : MEDIA_NONE))
			fail_msg("case %zu is %s", i, name_of(detect(bytes.s, bytes.length)));
		buf_clear(&bytes);
	}
	buf_clear(&frames);
}

static void
chunks_may_be_odd(void **state)
{
	/* behind the header of a PNG that is good without */
	static const struct { const char *bytes; size_t length; bool is_good; } png[] = {
		{ TEXT("\0\0\0\1ziPz?abcd"), true }, { TEXT("\0\0\0\0ZZZZabcd"), true },
		{ TEXT("\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0abcd") },
		{ TEXT("\0\0\0\0z`Pzabcd") }, { TEXT("\0\0\0\0zi{zabcd") }, { TEXT("\0\0\0\0z1Pzabcd") }, { TEXT("\0\0\0\0zi[zabcd") },
		{ TEXT("\0\0\0\0z@Pzabcd") }, { TEXT("\0\0\0\0\0\0\0\0abcd") },
	};
#define LOSSLESS "VP8L\6\0\0\0\x2f\0\0\0\0\0"
#define LOSSY "VP8 \x0a\0\0\0\xd0\1\0\x9d\1\x2a\1\0\1\0"
#define EXTENDED "VP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define FRAME(length) "ANMF" length "\0\0\0" "0123456789abcdef"
	/* behind RIFF, the size, WEBP */
	static const struct { const char *bytes; size_t length; bool is_good; } webp[] = {
		{ TEXT(LOSSLESS), true }, { TEXT(LOSSY), true }, { TEXT("VP8L\5\0\0\0\x2f\0\0\0\0\0"), true },
		{ TEXT("VP8L\4\0\0\0\x2f\0\0\0") }, { TEXT("VP8 \x09\0\0\0\xd0\1\0\x9d\1\x2a\1\0\1\0") },
		{ TEXT(LOSSY LOSSY) }, { TEXT(LOSSY "EXIF\0\0\0\0") },
		{ TEXT(EXTENDED) }, { TEXT(EXTENDED LOSSY), true }, { TEXT(EXTENDED LOSSLESS), true },
		{ TEXT(EXTENDED "ICCP\1\0\0\0x\0" LOSSY "EXIF\0\0\0\0"), true }, { TEXT(EXTENDED LOSSY EXTENDED) },
		{ TEXT(EXTENDED LOSSY "junk") }, { TEXT(EXTENDED "VP8L\6\0\0\0\x2e\0\0\0\0\0") },
		{ TEXT("VP8X\x08\0\0\0\0\0\0\0\0\0\0\0" LOSSY) }, { TEXT("EXIF\0\0\0\0" LOSSY) },
		{ TEXT(EXTENDED FRAME("\x22") LOSSY), true }, { TEXT(EXTENDED FRAME("\x1e") LOSSLESS), true },
		{ TEXT(EXTENDED FRAME("\x2c") "ALPH\2\0\0\0xx" LOSSY), true }, { TEXT(EXTENDED FRAME("\x1a") "ALPH\2\0\0\0xx") },
		{ TEXT(EXTENDED FRAME("\x2c") "ALPI\2\0\0\0xx" LOSSY) }, { TEXT(EXTENDED FRAME("\x10")) },
		{ TEXT(EXTENDED "ANMF\4\0\0\0" "0123") }, { TEXT(EXTENDED FRAME("\x20") LOSSY) },
	};
	struct buf plain = sample("plain.png");

	(void)state;
	for (size_t i = 0; i < COUNT(png); i++) {
		struct buf bytes = { 0 };

		buf_put(&bytes, plain.s, 33);
		buf_put(&bytes, png[i].bytes, png[i].length);
		buf_put(&bytes, plain.s + 33, plain.length - 33);
		if (detect(bytes.s, bytes.length) != (png[i].is_good ? MEDIA_PNG : MEDIA_NONE))
			fail_msg("png %zu is %s", i, name_of(detect(bytes.s, bytes.length)));
		buf_clear(&bytes);
	}
	for (size_t i = 0; i < COUNT(webp); i++) {
		struct buf bytes = { 0 };

		buf_put(&bytes, "RIFF\0\0\0\0WEBP", 12);
		buf_put(&bytes, webp[i].bytes, webp[i].length);
		bytes.s[4] = (char)(bytes.length - 8);
		if (detect(bytes.s, bytes.length) != (webp[i].is_good ? MEDIA_WEBP : MEDIA_NONE))
			fail_msg("webp %zu is %s", i, name_of(detect(bytes.s, bytes.length)));
		buf_clear(&bytes);
	}
	buf_clear(&plain);
}

static void
boxes_may_be_odd(void **state)
{
	static const struct { const char *bytes; size_t length; bool is_good; } behind[] = {
		{ TEXT("\0\0\0\1free\0\0\0\0\0\0\0\x12xx"), true },	/* a long size */
		{ TEXT("\0\0\0\1free\0\0\0\0\0\0\0\x10"), true },
		{ TEXT("\0\0\0\1free\0\0\0\0\0\0\0\x0fxx") },		/* less than its own head */
		{ TEXT("\0\0\0\1free\0\0\0\0\0\0\0\x13xx") },
		{ TEXT("\0\0\0\1free\x80\0\0\0\0\0\0\x12xx") },
		{ TEXT("\0\0\0\1free\xff\xff\xff\xff\xff\xff\xff\xffxx") },
		{ TEXT("\0\0\0\0free") },				/* to the end of the file */
		{ TEXT("\0\0\0\x08 ~~\xa9"), true },
		{ TEXT("\0\0\0\x08\x1f~~~") }, { TEXT("\0\0\0\x08~~~\x7f") },
		{ TEXT("\0\0\0\x08mdat"), true }, { TEXT("\0\0\0\x08moof") }, { TEXT("\0\0\0\x08moof\0\0\0\x08" "free") },
		{ TEXT("\0\0\0\x08moof\0\0\0\x08" "free\0\0\0\x08mdat"), true },
	};
	struct buf bytes = sample("plain.mp4"), shorter_brand = { 0 };
	size_t length = bytes.length;

	(void)state;
	for (size_t i = 0; i < COUNT(behind); i++) {
		bytes.length = length;
		buf_put(&bytes, behind[i].bytes, behind[i].length);
		if (detect(bytes.s, bytes.length) != (behind[i].is_good ? MEDIA_MP4 : MEDIA_NONE))
			fail_msg("case %zu is %s", i, name_of(detect(bytes.s, bytes.length)));
	}
	/* a major brand alone */
	buf_put(&shorter_brand, TEXT("\0\0\0\x10" "ftypisom\0\0\2\0"));
	buf_put(&shorter_brand, bytes.s + 28, length - 28);
	assert_memory_equal(bytes.s + 28 + 4, "free", 4);
	assert_int_equal(detect(shorter_brand.s, shorter_brand.length), MEDIA_MP4);
	buf_clear(&shorter_brand);
	buf_clear(&bytes);
}

#define EBML_WEBM "\x1a\x45\xdf\xa3\x87\x42\x82\x84webm"
#define TRACK "\x16\x54\xae\x6b\x83\xae\x81x"

static void
elements_may_be_odd(void **state)
{
	static const struct { const char *bytes; size_t length; bool is_good; } cases[] = {
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0"), true },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\xff\xe7\x81\0"), true },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\x90" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0"), true },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\x8f" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0"), true },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x08\0\0\0\x03\xe7\x81\0"), true },
		/* open clusters, one behind the other, and an index behind them */
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\xff\xe7\x81\0\x1f\x43\xb6\x75\xff\xe7\x81\1"
			"\xec\x80\x1c\x53\xbb\x6b\x80"), true },
		/* all that a cluster may have, and what it may not; an open one ends with any that is of the segment */
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\xff\xe7\x81\0\xa3\x80\xa0\x80\xa7\x80\xab\x80"
			"\x58\x54\x80\xaf\x80\xec\x80\xbf\x80\x12\x54\xc3\x67\x80"), true },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\xff\xe7\x81\0\xa4\x80") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0\xa3\x80") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff\x16\x54\xae\x6b\x80\x1f\x43\xb6\x75\x83\xe7\x81\0") },	/* no track */
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x80") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x83\x1c\x53\xbb\x6b") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff\x16\x54\xae\x6b\xff\xae\x81x\x1f\x43\xb6\x75\x83\xe7\x81\0") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x84\xe7\x81\0") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\0\xe7\x81\0") },
		{ TEXT(EBML_WEBM "\x18\x53\x80\x67\xff" TRACK "\x0f\x43\xb6\x75\x83\xe7\x81\0") },
		{ TEXT("\x1a\x45\xdf\xa3\x88\x42\x82\x85webm\0\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0") },
		{ TEXT("\x1a\x45\xdf\xa3\x80\x42\x82\x84webm\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0") },
		{ TEXT("\x1a\x45\xdf\xa3\xff\x42\x82\x84webm\x18\x53\x80\x67\xff" TRACK "\x1f\x43\xb6\x75\x83\xe7\x81\0") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (detect(cases[i].bytes, cases[i].length) != (cases[i].is_good ? MEDIA_WEBM : MEDIA_NONE))
			fail_msg("case %zu is %s", i, name_of(detect(cases[i].bytes, cases[i].length)));
}

static void
references_may_be_odd(void **state)
{
	static const struct { const char *pdf; bool is_good; } cases[] = {
		/* byte 9 is the first of the second line */
		{ "%PDF-1.4\nxref\n0 1\nstartxref\n9\n%%EOF", true },
		{ "%PDF-1.4\nxref\n0 1\nstartxref\n8\n%%EOF", true },
		{ "%PDF-1.4\n\nxref\n0 1\nstartxref\n8\n%%EOF", true },
		{ "%PDF-1.4\n\n\nxref\n0 1\nstartxref\n8\n%%EOF" },
		{ "%PDF-1.4\nxref\n0 1\nstartxref\r\n000000000000000009\r\n%%EOF\r\n", true },
		{ "%PDF-1.4\nxref\n0 1\nstartxref\n0000000000000000009\n%%EOF" },
		{ "%PDF-1.4\nxref\n0 1\nstartxref 9 %%EOF", true },
		{ "%PDF-1.4\nxref\n0 1\nstartxref9%%EOF" },
		{ "%PDF-1.4\nxref\n0 1\nstartxref\n%%EOF" },
		{ "%PDF-1.4\nxref\n0 1\n9\n%%EOF" },
		{ "%PDF-1.4\nxrefs\n0 1\nstartxref\n9\n%%EOF" },
		{ "%PDF-1.4\nxref\n0 1\nstartxref\n18\n%%EOF" },
		{ "%PDF-1.4\nxref\n0 1\nstartxref\n99\n%%EOF" },
		{ "%PDF-1.4\nxref\n0 1\nstartxref\n999999999999999999\n%%EOF" },
		{ "%PDF-1.4\n12 0 obj\nstartxref\n9\n%%EOF", true },
		{ "%PDF-1.4\n12  0\r\nobj<</Type/XRef>>\nstartxref\n9\n%%EOF", true },
		{ "%PDF-1.4\n12 0 ob\nstartxref\n9\n%%EOF" },
		{ "%PDF-1.4\n12 obj\nstartxref\n9\n%%EOF" },
		{ "%PDF-1.4\n12 0obj\nstartxref\n9\n%%EOF" },
		{ "9\n%%EOF" }, { "%%EOF" }, { "%PDF-1.4%%EOF" }, { "%PDF-1.4 9%%EOF" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (detect(cases[i].pdf, strlen(cases[i].pdf)) != (cases[i].is_good ? MEDIA_PDF : MEDIA_NONE))
			fail_msg("case %zu is %s", i, name_of(detect(cases[i].pdf, strlen(cases[i].pdf))));
}

static void
a_pdf_ends_near_its_end(void **state)
{
	struct buf bytes = sample("plain.pdf");
	size_t length = bytes.length;

	(void)state;
	memset(buf_room(&bytes, 2048), '\n', 2048);
	assert_int_equal(detect(bytes.s, length + 1024 - 5), MEDIA_PDF);
	assert_int_equal(detect(bytes.s, length + 1024 - 4), MEDIA_NONE);
	buf_clear(&bytes);
}

/* ---- the other judge, and what fails */

/* Frames that chain, and a scan of a hospital. */
static void
both_judges_must_agree(void **state)
{
	struct buf bytes = sample("bare.mp3");

	(void)state;
	memcpy(bytes.s + 128, "DICM", 4);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_NONE);
	memcpy(bytes.s + 128, "dicm", 4);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_MP3);
	buf_clear(&bytes);
}

static void
without_a_judge_nothing_is_said(void **state)
{
	struct buf bytes = sample("plain.png");

	(void)state;
	assert_int_equal(setenv("MAGIC", "/nonexistent", 1), 0);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_FAILED);
	assert_int_equal(detect("hello", 5), MEDIA_NONE);
	assert_int_equal(unsetenv("MAGIC"), 0);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_PNG);
	assert_int_equal(media_detect(-1, 100), MEDIA_FAILED);
	buf_clear(&bytes);
}

static void
the_position_of_the_file_stays(void **state)
{
	struct buf bytes = sample("plain.png");

	(void)state;
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_PNG);
	assert_int_equal(lseek(scratch, 7, SEEK_SET), 7);
	assert_int_equal(media_detect(scratch, (int64_t)bytes.length), MEDIA_PNG);
	assert_int_equal(lseek(scratch, 0, SEEK_CUR), 7);
	buf_clear(&bytes);
}

static void
each_type_has_its_words(void **state)
{
	(void)state;
	assert_null(media_info(MEDIA_NONE));
	assert_null(media_info(MEDIA_FAILED));
	assert_null(media_info(MEDIA_TYPES));
	for (enum media_type type = MEDIA_NONE + 1; type < MEDIA_TYPES; type++) {
		assert_non_null(media_info(type));
		assert_non_null(strchr(media_info(type)->mime, '/'));
		assert_true(strlen(media_info(type)->extension) >= 3);
	}
	assert_string_equal(media_info(MEDIA_JPEG)->mime, "image/jpeg");
	assert_string_equal(media_info(MEDIA_MP3)->mime, "audio/mpeg");
	assert_false(media_info(MEDIA_PDF)->is_inline);
	assert_true(media_info(MEDIA_PNG)->is_inline);
}

/* ---- the cost */

/* Bytes that this process has read so far. */
static int64_t
bytes_read(void)
{
	FILE *io = fopen("/proc/self/io", "r");
	long long n = -1;

	assert_non_null(io);
	assert_int_equal(fscanf(io, "rchar: %lld", &n), 1);
	fclose(io);
	return n;
}

/* A file of parts as small as they may be, of which there are more than anyone needs, is read at most twice. */
static void
no_file_is_read_more_than_twice(void **state)
{
	static const struct { const char *sample; size_t keep; const char *part; size_t length; } cases[] = {
		{ "plain.png", 33, TEXT("\0\0\0\0tEXt\0\0\0\0") },
		{ "plain.jpg", 2, TEXT("\xff\xfe\0\2") },
		{ "plain.jpg", 2, TEXT("\xff") },
		{ "plain.jpg", 205, TEXT("\xff\0") },
		{ "plain.jpg", 205, TEXT("\xff\xff") },
		{ "plain.jpg", 205, TEXT("\xff\xd0") },
		{ "plain.gif", 19, TEXT("\x21\xfe\0") },
		{ "plain.gif", 19, TEXT("\x21\xfe\1x\0") },
		{ "animated.webp", 30, TEXT("junk\0\0\0\0") },
		{ "plain.pdf", 15, TEXT("startxref\n0\n%%EOF\n") },
		{ "plain.mp4", 28, TEXT("\0\0\0\x08" "free") },
		{ "plain.mp4", 28, TEXT("\0\0\x40\x01" "free") },
		{ "live.webm", 48, TEXT("\xec\x80") },
		{ "live.webm", 48, TEXT("\x1f\x43\xb6\x75\xff\xe7\x81\0") },
		{ "bare.mp3", 0, TEXT("ID3\4\0\0\0\0\0\0") },
		{ "bare.mp3", 0, TEXT("\xff\xe3\x18\xc4") },
	};
	const int64_t size = 8 * MIB;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf bytes = sample(cases[i].sample);
		int64_t before, cost;

		bytes.length = cases[i].keep;
		while (bytes.length + cases[i].length <= (size_t)size)
			buf_put(&bytes, cases[i].part, cases[i].length);
		detect(bytes.s, bytes.length);
		before = bytes_read();
		media_detect(scratch, (int64_t)bytes.length);
		cost = bytes_read() - before;
		if (cost > 2 * size + MIB / 2)
			fail_msg("case %zu: %lld bytes were read of %lld", i, (long long)cost, (long long)size);
		buf_clear(&bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_files_are_known),
		cmocka_unit_test(cut_files_are_none),
		cmocka_unit_test(files_with_something_before_or_behind_them_are_none),
		cmocka_unit_test(padding_is_short),
		cmocka_unit_test(other_types_are_none),
		cmocka_unit_test(faults_inside_are_seen),
		cmocka_unit_test(a_photo_may_have_a_preview_behind_it),
		cmocka_unit_test(a_photo_may_have_the_trailer_of_its_phone),
		cmocka_unit_test(segments_may_be_long),
		cmocka_unit_test(sound_may_have_tags),
		cmocka_unit_test(there_are_not_many_pictures_in_a_photo),
		cmocka_unit_test(a_scan_may_end_anywhere),
		cmocka_unit_test(chunks_may_be_odd),
		cmocka_unit_test(boxes_may_be_odd),
		cmocka_unit_test(elements_may_be_odd),
		cmocka_unit_test(references_may_be_odd),
		cmocka_unit_test(a_pdf_ends_near_its_end),
		cmocka_unit_test(both_judges_must_agree),
		cmocka_unit_test(without_a_judge_nothing_is_said),
		cmocka_unit_test(the_position_of_the_file_stays),
		cmocka_unit_test(each_type_has_its_words),
		cmocka_unit_test(no_file_is_read_more_than_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
