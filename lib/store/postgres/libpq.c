#include "libpq.h"

#include "text.h"

#include <dlfcn.h>

struct libpq pq;

bool
libpq_load(char *why, size_t room)
{
	static const struct {
		const char *name;
		size_t place;
	} functions[] = {
#define LIBPQ_PLACE(name) { #name, offsetof(struct libpq, name) },
		LIBPQ(LIBPQ_PLACE)
	};
	static bool loaded;
	void *library = loaded ? NULL : dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);

	if (!loaded && !library)
		return text_complain(why, room,
			"the database is PostgreSQL, and its client library is missing: install libpq5 (%s)", dlerror());
	for (size_t i = 0; !loaded && i < COUNT(functions); i++) {
		void *function = dlsym(library, functions[i].name);
		if (!function)
			return text_complain(why, room,
				"libpq.so.5 is older than version 14 (it lacks %s): install libpq5 of Debian 12",
				functions[i].name);
		memcpy((char *)&pq + functions[i].place, &function, sizeof(function)); /* POSIX: the same size (dlsym(3)) */
	}
	loaded = true;
	return true;
}
