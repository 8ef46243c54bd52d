/* Types of files: whatever the bytes, the walk stays inside them and ends, and what is of a type is so only whole. */
#include "media.h"
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int file = -1;
	enum media_type type;

	if (file < 0)
		file = memfd_create("media", MFD_CLOEXEC);
	/* behind it lies what longer inputs left */
	must(file >= 0 && pwrite(file, data, size, 0) == (ssize_t)size);
	type = media_detect(file, (int64_t)size);
	must(type >= MEDIA_NONE && type < MEDIA_TYPES);
	must((type == MEDIA_NONE) == !media_info(type));
	if (type == MEDIA_NONE)
		return 0;
	/* these tell how long they are */
	if (type == MEDIA_PNG || type == MEDIA_WEBP)
		must(media_detect(file, (int64_t)size - 1) == MEDIA_NONE);
	must(pwrite(file, "x", 1, (off_t)size) == 1);
	must(media_detect(file, (int64_t)size + 1) == MEDIA_NONE);
	return 0;
}
