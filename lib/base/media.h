/*
 * media - what a file is, by its bytes. What its name or its sender says of it counts for nothing.
 */
#ifndef OKUL_MEDIA_H
#define OKUL_MEDIA_H

#include "base.h"

enum media_type {
	MEDIA_FAILED = -1,	/* unknown: the file could not be read, or libmagic or its database is missing; logged */
	MEDIA_NONE,		/* none of the others */
	MEDIA_PNG, MEDIA_JPEG, MEDIA_WEBP, MEDIA_GIF, MEDIA_AVIF, MEDIA_HEIC, MEDIA_PDF, MEDIA_MP4, MEDIA_MOV, MEDIA_WEBM,
	MEDIA_MP3, MEDIA_M4A,
	MEDIA_TYPES		/* how many there are */
};

struct media_info {
	const char *mime;	/* "image/jpeg" */
	const char *extension;	/* "jpg", without a dot */
	const char *also[2];	/* other extensions that files of the type have; NULL: none */
	bool is_inline;		/* a browser may show it instead of saving it */
};

/* Constants. NULL for MEDIA_NONE and MEDIA_FAILED. */
const struct media_info *media_info(enum media_type type);
/* The type with that mime; MEDIA_NONE where none has it. */
enum media_type media_of_mime(const char *mime);

/*
 * The type of an open file of `size` bytes. Reads with pread() only, so the file's position stays. A file is of the type
 * whose readers would read it: what else it holds, and whether it is complete, is not looked at. So whoever sends it out has
 * to say the type, and forbid guessing another.
 *
 * Takes 20 KiB of stack; reads at most 2 MiB of the file. libmagic is loaded for the call, and unloaded again.
 */
enum media_type media_detect(int file, int64_t size);

#endif
