/*
 * network - which network a client belongs to, and who it is behind proxies that are believed.
 *
 * One subscriber commonly has a whole IPv6 /64 (RFC 6177), so that is one network; an IPv4 address is one
 * by itself, also where it is written in IPv6 (::ffff:192.0.2.1, RFC 4291 section 2.5.5.2), as a server
 * that listens on [::] for both shows it.
 */
#ifndef OKUL_NETWORK_H
#define OKUL_NETWORK_H

#include "base.h"

#define NETWORK_TEXT 46		/* INET6_ADDRSTRLEN */
#define NETWORK_LIST 32

/* Addresses that begin with the same bits. IPv4 as ::ffff:0:0/96 and behind. */
struct network {
	unsigned char address[16];
	unsigned bits;
};

struct network_list {
	struct network networks[NETWORK_LIST];
	size_t count;
};

/*
 * Reads addresses and networks, 192.0.2.1 10.0.0.0/8 2001:db8::/32, separated by spaces or commas; an empty
 * text is an empty list. False, and in `why` what to do, when one is malformed or there are too many.
 */
must_use bool network_list_read(struct network_list *list, const char *text, char *why, size_t room);

/*
 * The client's address behind proxies. `peer` is who is connected; where it is in `trusted`, the last
 * address of `forwarded` (an X-Forwarded-For; NULL for none) is who was connected to that one, and so on to
 * the left. An address may have a port (192.0.2.1:5678, [2001:db8::1]:443) or stand in brackets. What is no
 * address ends the way: nobody who is believed said it. Gives `peer`, or `out` with the address in its
 * shortest form.
 */
const char *network_client(const struct network_list *trusted, const char *peer, const char *forwarded,
	char out[static NETWORK_TEXT]);

/*
 * The network of a client's address, as a text; an address that is none stands for itself, cut to the room.
 */
void network_of(char out[static NETWORK_TEXT], const char *client);

#endif
