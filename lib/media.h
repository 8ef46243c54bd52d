/*
 * media - what a file is, by its bytes. What its name or its sender says of it counts for nothing.
 */
#ifndef OKUL_MEDIA_H
#define OKUL_MEDIA_H

#include "base.h"

enum media_type {
	MEDIA_FAILED = -1,	/* nobody can say: no reading, no libmagic, no database of it, or no memory; logged */
	MEDIA_NONE,		/* none of the others, or not wholly what its first bytes say */
	MEDIA_PNG, MEDIA_JPEG, MEDIA_WEBP, MEDIA_GIF, MEDIA_PDF, MEDIA_MP4, MEDIA_WEBM, MEDIA_MP3,
	MEDIA_TYPES		/* how many there are */
};

struct media_info {
	const char *mime;	/* "image/png" */
	const char *extension;	/* "png", without a dot */
	bool is_inline;		/* a browser may show it instead of saving it */
};

/* Constants. NULL for MEDIA_NONE and MEDIA_FAILED. */
const struct media_info *media_info(enum media_type type);

/*
 * What the first `size` bytes of an open file are; more than that are not looked at. Reads with pread() only, so the
 * file's position stays. The file must be complete: one that was cut, or goes on behind its own end, is MEDIA_NONE; but
 * a stream that nothing announces the length of (MP3 without a table, fragmented MP4, live WebM) is whole wherever a
 * frame, fragment or block ends. Two judges must agree: the structure, walked to its end, and libmagic.
 *
 * Takes 20 KiB of stack, and time in proportion to the size: what is read is at most twice the file, and no more than
 * 2^20 parts of it are walked; a file of more is none.
 */
enum media_type media_detect(int file, int64_t size);

#endif
