#include "email.h"

#include "log.h"
#include "text.h"

#include <dlfcn.h>
#include <idn2.h>

#define DOMAIN_BYTES_MAX 1024	/* the longest domain has 253 characters, of at most 4 bytes */

/*
 * Loaded by the first address that needs it, then kept: linked to it, each program would load it and libunistring, of
 * 2 MiB, at each start.
 */
static struct {
	void *library;
	typeof(idn2_lookup_u8) *lookup;
	typeof(idn2_free) *free;
} idn;

static bool
idn_load(void)
{
	if (!idn.library)
		idn.library = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);
	if (idn.library && (idn.lookup = dlsym(idn.library, "idn2_lookup_u8")) && (idn.free = dlsym(idn.library, "idn2_free")))
		return true;
	log_line(LOG_FAULT, "no_libidn2 reason=\"%s\"", dlerror());
	return false;
}

/* The domain in ASCII; NULL when it is none. */
static const char *
ascii_domain(struct arena *arena, const char *domain)
{
	static const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
	const char *kept = NULL;
	uint8_t *out = NULL;

	/* Of what a domain may not hold libidn2 leaves out the ASCII part: "bü cher.de" would become bücher.de. */
	for (const char *c = domain; *c; c++)
		if (!(*c & 0x80) && !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.", *c))
			return NULL;
	if (strlen(domain) > DOMAIN_BYTES_MAX || !idn_load())
		return NULL;
	if (idn.lookup((const uint8_t *)domain, &out, flags) == IDN2_OK)
		kept = arena_string(arena, (const char *)out);
	if (out)
		idn.free(out);
	return kept;
}

enum email_fault
email_keep(struct arena *arena, const char *s, const char **kept)
{
	const char *at = strchr(s, '@'), *c = at ? at : s, *domain;
	char *email;

	while (*c && !(*c & 0x80))
		c++;
	bool ascii = !at || !*c;
	if (ascii) {
		email = arena_string(arena, s);
	} else {
		/* Is the part before the @ good? */
		if (!text_is_email(arena_format(arena, "%.*s@example.com", (int)(at - s), s)))
			return EMAIL_NONE;
		domain = ascii_domain(arena, at + 1);
		email = arena_format(arena, "%.*s@%s", (int)(at - s), s, domain ? domain : "");
	}
	text_lower(email);
	*kept = email;
	return text_is_email(email) ? EMAIL_GOOD : ascii ? EMAIL_NONE : EMAIL_DOMAIN;
}
