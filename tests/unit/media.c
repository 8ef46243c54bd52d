/*
 * tests/unit/media/ holds small files of each kind: audio, video, WebP and most images by
 * ffmpeg 5.1 (-bitexact), progressive.jpg by libjpeg, the GIFs, the PDFs and the tag of bare.mp3 by hand.
 * media/real/ holds some of those that tests/bench/files.py makes: ENCODER-OPTION+HABIT.TYPE.
 */
#include "media.h"
#include "buf.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SAMPLES "tests/unit/media/"
#define MIB ((int64_t)1 << 20)
#define TEXT(s) s, sizeof(s) - 1

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
each_sample(const char *path, int at_least, void (*what)(const char *name, enum media_type type, const struct buf *bytes))
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	int count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		const char *ending = strrchr(entry->d_name, '.');
		enum media_type type = MEDIA_NONE;
		struct buf bytes, name = { 0 };

		for (enum media_type t = MEDIA_NONE + 1; t < MEDIA_TYPES; t++)
			if (ending && strcmp(ending + 1, media_info(t)->extension) == 0)
				type = t;
		if (type == MEDIA_NONE)
			continue;
		buf_printf(&name, "%s%s", path + strlen(SAMPLES), entry->d_name);
		bytes = sample(name.s);
		what(name.s, type, &bytes);
		buf_clear(&bytes);
		buf_clear(&name);
		count++;
	}
	closedir(folder);
	assert_true(count >= at_least);
}

static void
is_its_type(const char *name, enum media_type type, const struct buf *bytes)
{
	if (detect(bytes->s, bytes->length) != type)
		fail_msg("%s is %s", name, name_of(detect(bytes->s, bytes->length)));
}

static void
real_files_are_recognized(void **state)
{
	(void)state;
	each_sample(SAMPLES, 17, is_its_type);
	each_sample(SAMPLES "real/", 60, is_its_type);
}

/* Never another type, and with enough of the file its own. */
static void
is_its_type_or_none(const char *name, enum media_type type, const struct buf *bytes)
{
	for (size_t part = 0; part < 16; part++) {
		enum media_type found = detect(bytes->s, bytes->length * part / 16);

		if (found != type && found != MEDIA_NONE)
			fail_msg("%s cut to %zu of 16 parts is %s", name, part, name_of(found));
	}
}

static void
a_part_of_a_file_is_not_another_type(void **state)
{
	(void)state;
	each_sample(SAMPLES, 17, is_its_type_or_none);
	each_sample(SAMPLES "real/", 60, is_its_type_or_none);
}

static const struct { const char *bytes; size_t length; } strangers[] = {
	{ TEXT("x") }, { TEXT("\n<html><script>alert(1)</script>") }, { TEXT("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
	{ TEXT("MZ\220\0") }, { TEXT("\177ELF\2\1\1") }, { TEXT("<?php phpinfo(); ?>") }, { TEXT("GIF89a") }, { TEXT("%PDF-1.4\n1 0 obj") },
	{ TEXT("\xff\xd8\xff\xe0") }, { TEXT("\xff\xd9") }, { TEXT("\0\0\0\x10" "ftypisom\0\0\0\0") }, { TEXT("\0") },
};

static void
is_its_type_with_strangers(const char *name, enum media_type type, const struct buf *bytes)
{
	for (size_t i = 0; i < COUNT(strangers); i++) {
		struct buf both = { 0 };

		buf_put(&both, bytes->s, bytes->length);
		buf_put(&both, strangers[i].bytes, strangers[i].length);
		if (detect(both.s, both.length) != type)
			fail_msg("%s with stranger %zu behind it is %s", name, i, name_of(detect(both.s, both.length)));
		buf_clear(&both);
	}
}

static void
data_behind_a_file_changes_nothing(void **state)
{
	(void)state;
	each_sample(SAMPLES, 17, is_its_type_with_strangers);
}

static void
other_types_are_none(void **state)
{
	static const struct { const char *bytes; size_t length; } cases[] = {
		{ TEXT("") }, { TEXT("\0") }, { TEXT("hello") }, { TEXT("<svg xmlns=\"http://www.w3.org/2000/svg\"/>") },
		{ TEXT("<!DOCTYPE html><html></html>") }, { TEXT("<?xml version=\"1.0\"?><a/>") },
		{ TEXT("{\"a\":1}") }, { TEXT("#!/bin/sh\n") }, { TEXT("PK\3\4\24\0\0\0\0\0") }, { TEXT("\x1f\x8b\x08\0") },
		{ TEXT("MZ\220\0\3\0") }, { TEXT("\177ELF\2\1\1\0") }, { TEXT("BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0") },
		{ TEXT("II*\0\x08\0\0\0") }, { TEXT("RIFF\x04\0\0\0WAVE") }, { TEXT("RIFF\x04\0\0\0AVI ") },
		{ TEXT("OggS\0\2") }, { TEXT("fLaC\0\0\0\x22") }, { TEXT("\0\0\1\0\1\0") }, { TEXT("%!PS-Adobe-3.0\n%%EOF") },
		{ TEXT("\xff\xfeH\0e\0l\0l\0o\0") }, { TEXT("\x1a\x45\xdf\xa3\x8b\x42\x82\x88matroska") }, { TEXT("\xff\xf1\x50\x80\1\x7f\xfc") },
		/* like PDF and audio */
		{ TEXT("%PDF-1.4\n%%EOF") }, { TEXT("%PDF-1.4\nendobj obj") }, { TEXT("1 0 obj\n%PDF-1.4\n%%EOF    and so on, and on") },
		{ TEXT("ID3\4\0\0\0\0\0\0") }, { TEXT("ID3\4\0\0\x7f\x7f\x7f\x7f") }, { TEXT("ID3\4\0\0\xff\xff\xff\xff") }, { TEXT("\xff\xfb\x90\x64") },
		/* boxes */
		{ TEXT("\0\0\0\x15" "ftypisom\0\0\2\0isom") }, { TEXT("\0\0\0\x0b" "ftypiso") }, { TEXT("\0\0\0\0" "ftypisom\0\0\0\0") },
		{ TEXT("\0\0\0\x10" "ftyp3gp4\0\0\0\0") }, { TEXT("\0\0\0\x14" "ftyp3gp5\0\0\0\0isom") }, { TEXT("\0\0\0\x14" "ftypcrx \0\0\0\1isom") },
		{ TEXT("\0\0\0\x14" "ftypabcd\0\0\0\0efgh") }, { TEXT("\0\0\0\x10" "ftypabcdisom") }, { TEXT("Die freeware ist gut") },
		{ TEXT("\0\0\0\x08" "free\0\0\0\x08" "free") }, { TEXT("\0\0\0\1" "free\xff\xff\xff\xff\xff\xff\xff\xff") },
		{ TEXT("\0\0\0\0" "free\0\0\0\x08moov") }, { TEXT("\0\0\0\x09" "free\0\0\0\x08moov") }, { TEXT("\0\0\0\x08moo") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (detect(cases[i].bytes, cases[i].length) != MEDIA_NONE)
			fail_msg("case %zu is %s", i, name_of(detect(cases[i].bytes, cases[i].length)));
	assert_int_equal(media_detect(scratch, 0), MEDIA_NONE);
	assert_int_equal(media_detect(scratch, -1), MEDIA_NONE);
}

static void
brands_determine_the_type(void **state)
{
	static const struct { const char *bytes; size_t length; enum media_type type; } cases[] = {
#define FTYP(brands) TEXT("\0\0\0" brands)
		{ FTYP("\x10" "ftypisom\0\0\2\0"), MEDIA_MP4 }, { FTYP("\x10" "ftypiso9\0\0\0\0"), MEDIA_MP4 }, 
		{ FTYP("\x10" "ftypmp42\0\0\0\0"), MEDIA_MP4 }, { FTYP("\x10" "ftypM4VP\0\0\0\0"), MEDIA_MP4 }, { FTYP("\x14" "ftypXAVC\0\0\0\0mp42"), MEDIA_MP4 },
		{ FTYP("\x14" "ftypXAVC\0\0\0\0" "3gp4"), MEDIA_NONE }, { FTYP("\x18" "ftypXAVC\0\0\0\0" "3gp4isom"), MEDIA_MP4 },
		{ FTYP("\x10" "ftypqt  \0\0\0\0"), MEDIA_MOV }, { FTYP("\x14" "ftypM4A \0\0\0\0isom"), MEDIA_M4A }, { FTYP("\x10" "ftypM4B \0\0\0\0"), MEDIA_M4A },
		{ FTYP("\x10" "ftypheic\0\0\0\0"), MEDIA_HEIC }, { FTYP("\x18" "ftypmif1\0\0\0\0mif1heic"), MEDIA_HEIC }, { FTYP("\x10" "ftypmif1\0\0\0\0"), MEDIA_HEIC },
		{ FTYP("\x18" "ftypmif1\0\0\0\0miafavif"), MEDIA_AVIF }, { FTYP("\x10" "ftypavif\0\0\0\0"), MEDIA_AVIF }, { FTYP("\x14" "ftypavis\0\0\0\0msf1"), MEDIA_AVIF },
		{ FTYP("\x08" "wide\0\0\0\x08mdat\0\0\0\x08moov"), MEDIA_MOV }, { TEXT("\0\0\0\1mdat\0\0\0\0\0\0\0\x12xx\0\0\0\x08moov"), MEDIA_MOV },
		{ FTYP("\x0c" "free<h1>\0\0\0\x10" "ftypisom\0\0\0\0"), MEDIA_MP4 },
#undef FTYP
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (detect(cases[i].bytes, cases[i].length) != cases[i].type)
			fail_msg("case %zu is %s", i, name_of(detect(cases[i].bytes, cases[i].length)));
}

static void
a_pdf_has_its_header_in_the_first_kib_and_an_object(void **state)
{
	static const char *const objects[] = { "1 0 obj", "12 0\r\nobj<<", "1 0\tobj" };
	struct buf bytes = { 0 };

	(void)state;
	for (size_t before = 0; before <= 1100; before += before < 1015 ? 29 : 1) {
		for (size_t i = 0; i < COUNT(objects); i++) {
			buf_reset(&bytes, SIZE_MAX);
			for (size_t k = 0; k < before; k++)
				buf_putc(&bytes, "\n "[k % 2]);
			buf_printf(&bytes, "%%PDF-1.%zu\n%%some comment behind it\n%s", i, objects[i]);
			check(detect(bytes.s, bytes.length) == (before <= 1024 - 5 ? MEDIA_PDF : MEDIA_NONE), objects[i]);
		}
	}
	/* the object may cross the end of a window */
	for (size_t gap = 16300; gap < 16420; gap++) {
		buf_reset(&bytes, SIZE_MAX);
		buf_puts(&bytes, "%PDF-1.4\n%");
		for (size_t k = 0; k < gap; k++)
			buf_putc(&bytes, 'x');
		buf_puts(&bytes, "\n1 0 obj\n and whatever stands behind it in a PDF");
		assert_int_equal(detect(bytes.s, bytes.length), MEDIA_PDF);
	}
	buf_clear(&bytes);
}

static void
audio_may_follow_other_data(void **state)
{
	struct buf sound = sample("bare.mp3"), bytes = { 0 };
	/* frames of 72 bytes each, the first six of them before the tag */
	static const struct { size_t zeros, tag, skip; enum media_type type; } cases[] = {
		{ 0, 0, 0, MEDIA_MP3 }, { 1, 0, 0, MEDIA_MP3 }, { 60000, 0, 0, MEDIA_MP3 }, { 66000, 0, 0, MEDIA_NONE }, { 0, 0, 1, MEDIA_MP3 },
		{ 0, 0, 71, MEDIA_MP3 }, { 0, 1, 0, MEDIA_MP3 }, { 0, 70000, 0, MEDIA_MP3 }, { 0, 2000000, 0, MEDIA_MP3 }, { 60000, 2000000, 0, MEDIA_MP3 },
		{ 66000, 2000000, 0, MEDIA_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t tag = cases[i].tag;

		buf_reset(&bytes, SIZE_MAX);
		if (tag) {
			buf_put(&bytes, "ID3\3\0\0", 6);
			for (int shift = 21; shift >= 0; shift -= 7)
				buf_putc(&bytes, (char)(tag >> shift & 0x7f));
		}
		for (size_t k = 0; k < tag + cases[i].zeros; k++)
			buf_putc(&bytes, k < tag ? "\xff\xd8\xff\xe0"[k % 4] : '\0');
		buf_put(&bytes, sound.s + cases[i].skip, sound.length - cases[i].skip);
		if (detect(bytes.s, bytes.length) != cases[i].type)
			fail_msg("case %zu is %s", i, name_of(detect(bytes.s, bytes.length)));
	}
	/* two frames are not enough */
	assert_int_equal(detect(sound.s, 72 * 2), MEDIA_NONE);
	assert_int_equal(detect(sound.s, 72 * 3), MEDIA_MP3);
	buf_clear(&bytes);
	buf_clear(&sound);
}

/* ---- failures */

static void
detection_fails_without_libmagic(void **state)
{
	struct buf bytes = sample("plain.png");

	(void)state;
	assert_int_equal(setenv("MAGIC", "/nonexistent", 1), 0);
	assert_int_equal(detect(bytes.s, bytes.length), MEDIA_FAILED);
	assert_int_equal(detect("hello", 5), MEDIA_FAILED);
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
each_type_has_a_mime_and_an_extension(void **state)
{
	(void)state;
	assert_null(media_info(MEDIA_NONE));
	assert_null(media_info(MEDIA_FAILED));
	assert_null(media_info(MEDIA_TYPES));
	for (enum media_type type = MEDIA_NONE + 1; type < MEDIA_TYPES; type++) {
		assert_non_null(media_info(type));
		assert_non_null(strchr(media_info(type)->mime, '/'));
		assert_true(strlen(media_info(type)->extension) >= 3);
		assert_int_equal(media_of_mime(media_info(type)->mime), type);
	}
	assert_int_equal(media_of_mime("text/html"), MEDIA_NONE);
	assert_string_equal(media_info(MEDIA_JPEG)->mime, "image/jpeg");
	assert_string_equal(media_info(MEDIA_M4A)->mime, "audio/mp4");
	assert_false(media_info(MEDIA_PDF)->is_inline);
	assert_true(media_info(MEDIA_PNG)->is_inline);
}

/* ---- cost */

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

/* Of any file, only a small part is read, in addition to the files of libmagic. */
static void
little_of_a_file_is_read(void **state)
{
	static const struct { const char *begin; size_t begin_length; const char *part; size_t length; } cases[] = {
		{ TEXT(""), TEXT("\xff") }, { TEXT("ID3\3\0\0\0\0\0\1x"), TEXT("\xff") }, { TEXT(""), TEXT("\xff\xfb\xe4\xc4") }, { TEXT(""), TEXT("ID3\4\0\0\0\0\0\0") },
		{ TEXT(""), TEXT("ID3\4\0\0\0\1\x7f\0") }, { TEXT("%PDF-1.4\n"), TEXT("obj") }, { TEXT("%PDF-1.4\n"), TEXT(" obj") }, { TEXT("%PDF-1.4\n"), TEXT(" ") },
		{ TEXT(""), TEXT("\0\0\0\x08" "free") }, { TEXT(""), TEXT("\0\0\x40\x01" "free") }, { TEXT("\x1a\x45\xdf\xa3"), TEXT("\xec\x80") }, { TEXT(""), TEXT("%PDF-") },
		{ TEXT("\0\0\0\1mdat\0\0\0\0\0\x10\0\0"), TEXT("\xff\xfb") }, { TEXT("RIFF\0\0\0\1WEBP"), TEXT("JUNK\0\0\0\0") },
	};
	const int64_t size = 32 * MIB;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct buf bytes = { 0 };
		int64_t before, cost;

		buf_put(&bytes, cases[i].begin, cases[i].begin_length);
		while (bytes.length + cases[i].length <= (size_t)size)
			buf_put(&bytes, cases[i].part, cases[i].length);
		detect(bytes.s, bytes.length);
		before = bytes_read();
		media_detect(scratch, (int64_t)bytes.length);
		cost = bytes_read() - before;
		if (cost > 2 * MIB)
			fail_msg("case %zu: %lld bytes were read", i, (long long)cost);
		buf_clear(&bytes);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_files_are_recognized),
		cmocka_unit_test(a_part_of_a_file_is_not_another_type),
		cmocka_unit_test(data_behind_a_file_changes_nothing),
		cmocka_unit_test(other_types_are_none),
		cmocka_unit_test(brands_determine_the_type),
		cmocka_unit_test(a_pdf_has_its_header_in_the_first_kib_and_an_object),
		cmocka_unit_test(audio_may_follow_other_data),
		cmocka_unit_test(detection_fails_without_libmagic),
		cmocka_unit_test(the_position_of_the_file_stays),
		cmocka_unit_test(each_type_has_a_mime_and_an_extension),
		cmocka_unit_test(little_of_a_file_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
