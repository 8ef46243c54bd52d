#include "libcurl.h"

#include "text.h"

#include <dlfcn.h>

struct libcurl lc;

bool
libcurl_load(char *why, size_t room)
{
	static const struct {
		const char *name;
		size_t place;
	} functions[] = {
#define LIBCURL_PLACE(name) { #name, offsetof(struct libcurl, name) },
		LIBCURL(LIBCURL_PLACE)
	};
	static bool loaded;
	void *library = loaded ? NULL : dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!loaded && !library)
		return text_complain(
			why, room, "files are in S3, and the library for that is missing: install libcurl4 (%s)", dlerror());
	for (size_t i = 0; !loaded && i < COUNT(functions); i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function)
			return text_complain(
				why, room, "libcurl.so.4 lacks %s: install libcurl4 of Debian 12", functions[i].name);
		memcpy((char *)&lc + functions[i].place, &function, sizeof(function)); /* POSIX: the same size (dlsym(3)) */
	}
	if (!loaded && lc.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return text_complain(why, room, "libcurl cannot be initialized");
	loaded = true;
	return true;
}
