/*
 * X-Forwarded-For and lists of proxies: for any input, the client is an address or the peer, and entries to the left of
 * an untrusted address change nothing.
 */
#include "fuzz.h"
#include "network.h"
#include "buf.h"

#include <arpa/inet.h>

static const char peer[] = "192.0.2.9";

static bool
is_address(const char *text)
{
	unsigned char address[16];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = string_of(data, size), out[NETWORK_TEXT], more[NETWORK_TEXT], network[NETWORK_TEXT], twice[NETWORK_TEXT];
	struct buf longer = { 0 };
	struct network_list list, trusted;
	char why[200];

	must(network_list_read(&trusted, "192.0.2.9 10.0.0.0/8 2001:db8::/32", why, sizeof(why)));
	const char *client = network_client(&trusted, peer, text, out);
	must(client == peer || (client == out && is_address(out)));

	network_of(network, client);
	must(is_address(network));
	network_of(twice, network);
	must(strcmp(network, twice) == 0);

	buf_printf(&longer, "%s,198.51.100.7", text);
	must(strcmp(network_client(&trusted, peer, longer.s, more), "198.51.100.7") == 0);
	buf_reset(&longer, SIZE_MAX);
	buf_printf(&longer, "198.51.100.7,%s", text);
	client = network_client(&trusted, peer, longer.s, more);
	must(strncmp(client, "10.", 3) == 0 || strncmp(client, "2001:db8:", 9) == 0 || strcmp(client, "198.51.100.7") == 0 ||
		strcmp(client, client == more ? out : peer) == 0);
	buf_clear(&longer);

	if (network_list_read(&list, text, why, sizeof(why))) {
		must(list.count <= NETWORK_LIST);
		for (size_t i = 0; i < list.count; i++)
			must(list.networks[i].bits <= 128);
		(void)network_client(&list, peer, text, out);
	} else {
		must(why[0]);
	}
	free(text);
	return 0;
}
