/* email - mail addresses, and the one form in which they are stored and compared. */
#ifndef OKUL_EMAIL_H
#define OKUL_EMAIL_H

#include "arena.h"

enum email_fault {
	EMAIL_GOOD,
	EMAIL_NONE,		/* not an address as email_is_good() accepts it, apart from the script of its domain */
	EMAIL_DOMAIN,		/* the part after the @ is not a domain name (RFC 5891, UTS 46) */
};

#define EMAIL_TEXT 255		/* a mail address and a NUL (RFC 5321 section 4.5.3.1.3) */

/*
 * True for an address that okul sends to: the dot-string form of RFC 5321 section 4.1.2, at most 254 bytes, its domain
 * of at least two labels, the last of them not a number.
 */
bool email_is_good(const char *s);
/*
 * For limits: the same text for all addresses that providers deliver to one mailbox. `email` is good and in lower case.
 * Omits what follows a +, and at Gmail dots; googlemail.com is Gmail.
 */
void email_mailbox(char out[static EMAIL_TEXT], const char *email);
/*
 * Stores in `*kept`, in the arena, the address in lower case and its domain in ASCII: ada@Örnek.com.tr is
 * ada@xn--rnek-4qa.com.tr (IDNA2008 with the mapping of UTS 46, non-transitional: ß stays). `s` is UTF-8, ASCII before
 * the @.
 */
must_use enum email_fault email_keep(struct arena *arena, const char *s, const char **kept);

#endif
