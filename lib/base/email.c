#include "email.h"

#include "log.h"
#include "text.h"

#include <dlfcn.h>
#include <idn2.h>

#define DOMAIN_BYTES_MAX 1024 /* the longest domain has 253 characters, of at most 4 bytes */

/* The length of Dot-string = atext *("." atext), at most 64 bytes (RFC 5321 sections 4.1.2 and 4.5.3.1.1), or 0. */
static size_t
local_part(const char *s)
{
	size_t length = 0, atom;

	while ((atom = strspn(s + length, TEXT_ALPHA TEXT_DIGITS "!#$%&'*+-/=?^_`{|}~")) > 0 && s[length + atom] == '.')
		length += atom + 1;
	length += atom;
	return atom > 0 && length <= 64 ? length : 0;
}

/* At least two labels of letters, digits and inner hyphens, at most 63 bytes each (RFC 1035 section 2.3.4). */
static bool
is_domain(const char *s)
{
	for (int labels = 1;; labels++) {
		size_t length = strspn(s, TEXT_ALPHA TEXT_DIGITS "-");

		if (length == 0 || length > 63 || s[0] == '-' || s[length - 1] == '-')
			return false;
		if (s[length] == '\0')
			return labels >= 2 && !text_is_digits(s);
		if (s[length] != '.')
			return false;
		s += length + 1;
	}
}

bool
email_is_good(const char *s)
{
	size_t local = local_part(s);

	return local > 0 && s[local] == '@' && is_domain(s + local + 1) && strlen(s) <= 254;
}

void
email_mailbox(char out[static EMAIL_TEXT], const char *email)
{
	size_t local = strcspn(email, "@"), tag = strcspn(email, "+"), n = 0;
	const char *domain = email + local;
	bool gmail = strcmp(domain, "@gmail.com") == 0 || strcmp(domain, "@googlemail.com") == 0;

	/* A + at the start is not followed by a tag, but part of the name. */
	if (tag > 0 && tag < local)
		local = tag;
	for (size_t i = 0; i < local && n < EMAIL_TEXT - 1; i++)
		if (!gmail || email[i] != '.')
			out[n++] = email[i];
	snprintf(out + n, EMAIL_TEXT - n, "%s", gmail ? "@gmail.com" : domain);
}

/*
 * Loaded for the first address that needs it. If programs were linked to it, each would load it and libunistring, of 2
 * MiB, at start.
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
	idn.lookup = idn.library ? dlsym(idn.library, "idn2_lookup_u8") : NULL;
	idn.free = idn.lookup ? dlsym(idn.library, "idn2_free") : NULL;
	if (idn.free)
		return true;
	log_line(LOG_FAULT, "no_libidn2 reason=\"%s\"", dlerror());
	return false;
}

/* The domain in ASCII; NULL when it is not one. */
static const char *
ascii_domain(struct arena *arena, const char *domain)
{
	static const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
	const char *kept = NULL;
	uint8_t *out = NULL;

	/* libidn2 drops other ASCII characters: "bü cher.de" would become bücher.de. */
	for (const char *c = domain; *c; c++)
		if (!(*c & 0x80) && !text_is_among(*c, TEXT_ALPHA TEXT_DIGITS "-."))
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
		/* Checks the part before the @. */
		if (!email_is_good(arena_format(arena, "%.*s@example.com", (int)(at - s), s)))
			return EMAIL_NONE;
		domain = ascii_domain(arena, at + 1);
		email = arena_format(arena, "%.*s@%s", (int)(at - s), s, domain ? domain : "");
	}
	text_lower(email);
	*kept = email;
	return email_is_good(email) ? EMAIL_GOOD : ascii ? EMAIL_NONE : EMAIL_DOMAIN;
}
