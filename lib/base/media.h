/* media - the type of a file, by its bytes. Its name, and the type that a client claims, do not matter. */
#ifndef OKUL_MEDIA_H
#define OKUL_MEDIA_H

#include "base.h"

enum media_type {
	MEDIA_FAILED = -1,	/* the file cannot be read, or libmagic or its database is missing; logged */
	MEDIA_NONE,		/* none of the others */
	MEDIA_PNG, MEDIA_JPEG, MEDIA_WEBP, MEDIA_GIF, MEDIA_AVIF, MEDIA_HEIC, MEDIA_PDF, MEDIA_MP4, MEDIA_MOV, MEDIA_WEBM,
	MEDIA_MP3, MEDIA_M4A,
	MEDIA_TYPES		/* number of types */
};

struct media_info {
	const char *mime;	/* "image/jpeg" */
	const char *extension;	/* "jpg", without a dot */
	const char *also[2];	/* other extensions of the type, or NULL */
	bool is_inline;		/* a browser may show it instead of downloading it */
};

/* Constants. NULL for MEDIA_NONE and MEDIA_FAILED. */
const struct media_info *media_info(enum media_type type);
/* The type with that mime, or MEDIA_NONE. */
enum media_type media_of_mime(const char *mime);

/*
 * The type of an open file of `size` bytes, as which a program would open it: it may be incomplete or hold other data
 * too, so send it with this type and nosniff. Uses pread(), so the position of the file stays.
 *
 * Takes 20 KiB of stack; reads at most 2 MiB of the file. Loads libmagic for the call.
 */
enum media_type media_detect(int file, int64_t size);

#endif
