/*
 * email - mail addresses in the one form in which they are kept and compared.
 */
#ifndef OKUL_EMAIL_H
#define OKUL_EMAIL_H

#include "arena.h"
#include "base.h"

enum email_fault {
	EMAIL_GOOD,
	EMAIL_NONE,		/* it has another form than email_is_good() says, whatever its domain is written in */
	EMAIL_DOMAIN,		/* what stands behind the @ is no domain name (RFC 5891, UTS 46) */
};

/*
 * A mail address that we are willing to send to: the dot-string form of RFC 5321 section 4.1.2, at most 254 bytes, its
 * domain of at least two labels, the last of them no number.
 */
bool email_is_good(const char *s);
#define EMAIL_TEXT 255		/* a mail address and a NUL (RFC 5321 section 4.5.3.1.3) */
/*
 * The mailbox behind a good address in lower case, for limits only: all addresses that providers deliver to one mailbox give
 * the same text. What stands behind a + is left out, and at Gmail the dots; googlemail.com is Gmail.
 */
void email_mailbox(char out[static EMAIL_TEXT], const char *email);

/*
 * `*kept` gets the address in lower case, its domain in ASCII: ada@Örnek.com.tr as ada@xn--rnek-4qa.com.tr (IDNA2008
 * with the mapping of UTS 46, without its deviations: ß stays). `s` is UTF-8; the part before the @ is ASCII.
 */
must_use enum email_fault email_keep(struct arena *arena, const char *s, const char **kept);

#endif
