#include "network.h"

#include "text.h"

#include <arpa/inet.h>

_Static_assert(NETWORK_TEXT == INET6_ADDRSTRLEN, "room for an address");

#define BLANKS " \t"

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff }; /* RFC 4291 section 2.5.5.2 */

static bool
is_v4(const unsigned char address[static 16])
{
	return memcmp(address, mapped, sizeof(mapped)) == 0;
}

/* Parses [s, s + length) as an address, without a port. */
static bool
parse_bare(unsigned char address[static 16], const char *s, size_t length)
{
	char text[NETWORK_TEXT];

	if (length >= sizeof(text))
		return false;
	memcpy(text, s, length);
	text[length] = '\0';
	if (inet_pton(AF_INET6, text, address) == 1)
		return true;
	memcpy(address, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, address + sizeof(mapped)) == 1;
}

/* ":" and 1 to 5 digits, or nothing. */
static bool
is_port(const char *s, size_t length)
{
	return length == 0 || (s[0] == ':' && length >= 2 && length <= 6 && strspn(s + 1, TEXT_DIGITS) >= length - 1);
}

/* The same, with a port or in brackets too, as proxies write it. */
static bool
parse_forwarded(unsigned char address[static 16], const char *s, size_t length)
{
	const char *colon = memchr(s, ':', length), *end = memchr(s, ']', length);

	if (length > 0 && s[0] == '[')
		return end && colon && colon < end && is_port(end + 1, length - (size_t)(end + 1 - s)) &&
			parse_bare(address, s + 1, (size_t)(end - s - 1));
	if (colon && !memchr(colon + 1, ':', length - (size_t)(colon + 1 - s)))
		return is_port(colon, length - (size_t)(colon - s)) && parse_bare(address, s, (size_t)(colon - s));
	return parse_bare(address, s, length);
}

static void
put_address(char out[static NETWORK_TEXT], const unsigned char address[static 16])
{
	if (is_v4(address))
		inet_ntop(AF_INET, address + sizeof(mapped), out, NETWORK_TEXT);
	else
		inet_ntop(AF_INET6, address, out, NETWORK_TEXT);
}

/* ---- lists */

static bool
parse_network(struct network *network, const char *s, size_t length)
{
	const char *slash = memchr(s, '/', length);
	size_t before = slash ? (size_t)(slash - s) : length;
	char digits[4] = "";
	int64_t bits;

	if (!parse_bare(network->address, s, before))
		return false;
	bool v4 = !memchr(s, ':', before);
	network->bits = 128;
	if (!slash)
		return true;
	if (length - before - 1 >= sizeof(digits))
		return false;
	memcpy(digits, slash + 1, length - before - 1);
	if (!text_to_int(digits, 0, v4 ? 32 : 128, &bits))
		return false;
	network->bits = (unsigned)bits + (v4 ? 96 : 0);
	return true;
}

bool
network_list_read(struct network_list *list, const char *text, char *why, size_t room)
{
	static const char between[] = " \t,";

	list->count = 0;
	for (text += strspn(text, between); *text; text += strspn(text, between)) {
		size_t length = strcspn(text, between);

		if (list->count == NETWORK_LIST)
			return text_complain(why, room,
				"has more than %d addresses; name networks instead, like "
				"10.0.0.0/8",
				NETWORK_LIST);
		if (!parse_network(&list->networks[list->count], text, length))
			return text_complain(why, room,
				"\"%.*s\" is not an address or network; write it like "
				"192.0.2.1, 10.0.0.0/8 or 2001:db8::/32, several with spaces between them",
				length > 60 ? 60 : (int)length, text);
		list->count++;
		text += length;
	}
	return true;
}

static bool
is_in(const struct network *network, const unsigned char address[static 16])
{
	unsigned bytes = network->bits / 8, rest = network->bits % 8;

	/* ::/0 does not include IPv4 */
	return is_v4(network->address) == is_v4(address) && memcmp(network->address, address, bytes) == 0 &&
		(rest == 0 || (network->address[bytes] ^ address[bytes]) >> (8 - rest) == 0);
}

static bool
is_listed(const struct network_list *list, const unsigned char address[static 16])
{
	for (size_t i = 0; i < list->count; i++)
		if (is_in(&list->networks[i], address))
			return true;
	return false;
}

/* ---- clients */

const char *
network_client(const struct network_list *trusted, const char *peer, const char *forwarded, char out[static NETWORK_TEXT])
{
	unsigned char address[16];
	const char *client = peer;

	if (!forwarded || trusted->count == 0 || !parse_bare(address, peer, strlen(peer)))
		return peer;
	for (const char *end = forwarded + strlen(forwarded); end && is_listed(trusted, address);) {
		const char *start = memrchr(forwarded, ',', (size_t)(end - forwarded));
		const char *s = start ? start + 1 : forwarded;
		s += strspn(s, BLANKS);
		size_t length = s < end ? (size_t)(end - s) : 0;
		while (length > 0 && strchr(BLANKS, s[length - 1]))
			length--;
		if (!parse_forwarded(address, s, length))
			break;
		put_address(out, address);
		client = out;
		end = start;
	}
	return client;
}

void
network_of(char out[static NETWORK_TEXT], const char *client)
{
	unsigned char address[16];

	if (!parse_bare(address, client, strlen(client))) {
		snprintf(out, NETWORK_TEXT, "%s", client);
		return;
	}
	if (!is_v4(address))
		memset(address + 8, 0, 8);
	put_address(out, address);
}
