/* URLs: a valid one needs no escaping in an HTML attribute, and is a path of this site or an http(s) URL. */
#include "fuzz.h"
#include "url.h"

#include <strings.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *url = string_of(data, size);

	if (url_is_good(url)) {
		bool path = url[0] == '/' && url[1] != '/' && url[1] != '\\';

		must(path || strncasecmp(url, "http://", 7) == 0 || strncasecmp(url, "https://", 8) == 0);
		must(strpbrk(url, " \t\r\n\"\\<>{}|^`") == NULL);
		for (const char *s = url; *s; s++)
			must(*s > 0x20 && *s < 0x7f);
		if (!path) {
			const char *host = strstr(url, "//") + 2;
			size_t length = strcspn(host, "/?#");

			must(length > 0 && !memchr(host, '@', length));
		}
	}
	free(url);
	return 0;
}
