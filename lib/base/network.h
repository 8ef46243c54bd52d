/*
 * network - the network of a client, and its address behind trusted proxies.
 *
 * A network is an IPv4 address or an IPv6 /64, which one subscriber commonly has (RFC 6177). An IPv4-mapped address
 * (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2), as a server shows that listens on [::] for both, counts as IPv4.
 */
#ifndef OKUL_NETWORK_H
#define OKUL_NETWORK_H

#include "base.h"

#define NETWORK_TEXT 46		/* INET6_ADDRSTRLEN */
#define NETWORK_LIST 32

/* The addresses that begin with these bits. IPv4 as ::ffff:0:0/96 and longer. */
struct network {
	unsigned char address[16];
	unsigned bits;
};

struct network_list {
	struct network networks[NETWORK_LIST];
	size_t count;
};

/*
 * Parses addresses and networks, 192.0.2.1 10.0.0.0/8 2001:db8::/32, separated by spaces or commas, or nothing. False,
 * with what to do in `why`, when one is malformed or there are too many.
 */
must_use bool network_list_read(struct network_list *list, const char *text, char *why, size_t room);

/*
 * The client's address. `peer` is the other end of the connection; if it is in `trusted`, the last address of
 * `forwarded` (an X-Forwarded-For; NULL for none) is the other end of the connection to that proxy, and so on to the
 * left. Addresses may have a port (192.0.2.1:5678, [2001:db8::1]:443) or brackets. Stops at anything else, since no
 * trusted proxy wrote it. Returns `peer`, or `out` with the address in its shortest form.
 */
const char *network_client(const struct network_list *trusted, const char *peer, const char *forwarded,
	char out[static NETWORK_TEXT]);

/* The network of a client's address, as text; what is not an address is copied, truncated. */
void network_of(char out[static NETWORK_TEXT], const char *client);

#endif
