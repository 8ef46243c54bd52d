/* Types of files: for any bytes, detection terminates and reads only the file, and appended bytes change nothing. */
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
	/* bytes of longer inputs remain after its end */
	must(file >= 0 && pwrite(file, data, size, 0) == (ssize_t)size);
	type = media_detect(file, (int64_t)size);
	must(type >= MEDIA_NONE && type < MEDIA_TYPES);
	must((type == MEDIA_NONE) == !media_info(type));
	must(type == MEDIA_NONE || media_of_mime(media_info(type)->mime) == type);
	if (type == MEDIA_NONE)
		return 0;
	must(pwrite(file, "x", 1, (off_t)size) == 1);
	must(media_detect(file, (int64_t)size + 1) == type);
	return 0;
}
