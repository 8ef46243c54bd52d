/*
 * email - mail addresses in the one form in which they are kept and compared.
 */
#ifndef OKUL_EMAIL_H
#define OKUL_EMAIL_H

#include "arena.h"
#include "base.h"

enum email_fault {
	EMAIL_GOOD,
	EMAIL_NONE,		/* it has another form than text_is_email() says, whatever its domain is written in */
	EMAIL_DOMAIN,		/* what stands behind the @ is no domain name (RFC 5891, UTS 46) */
};

/*
 * `*kept` gets the address in lower case, its domain in ASCII: ada@Örnek.com.tr as ada@xn--rnek-4qa.com.tr (IDNA2008
 * with the mapping of UTS 46, without its deviations: ß stays). `s` is UTF-8; the part before the @ is ASCII.
 */
must_use enum email_fault email_keep(struct arena *arena, const char *s, const char **kept);

#endif
