#include "network.h"

#include "unit.h"

static struct network_list
list_of(const char *text)
{
	struct network_list list;
	char why[200] = "";

	if (!network_list_read(&list, text, why, sizeof(why)))
		fail_msg("%s: %s", text, why);
	return list;
}

static void
a_list_has_addresses_and_networks(void **state)
{
	static const struct { const char *text; size_t count; } good[] = {
		{ "", 0 }, { " , ", 0 }, { "192.0.2.1", 1 }, { "10.0.0.0/8", 1 }, { "2001:db8::/32,10.0.0.1", 2 },
		{ " 127.0.0.1 ::1\t, 10.0.0.0/8 ", 3 }, { "0.0.0.0/0 ::/0", 2 }, { "::ffff:10.0.0.1", 1 }, { "10.0.0.1/32", 1 },
	};
	static const char *const bad[] = {
		"proxy.example.com", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/+8", "2001:db8::/129",
		"[::1]", "127.0.0.1:80", "127.0.0.1;10.0.0.1", "127.0.0.1/0008", "10.0.0.0/ 8", "*", "fe80::1%eth0",
	};
	struct network_list list;
	char why[200];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		check(list_of(good[i].text).count == good[i].count, good[i].text);
	for (size_t i = 0; i < COUNT(bad); i++) {
		check(!network_list_read(&list, bad[i], why, sizeof(why)), bad[i]);
		check(strstr(why, "write it like"), bad[i]);
	}
}

static void
a_list_is_limited(void **state)
{
	char text[(NETWORK_LIST + 1) * 4 + 1], why[200];
	struct network_list list;

	(void)state;
	for (size_t i = 0; i <= NETWORK_LIST; i++)
		memcpy(text + i * 4, "::1 ", 5);
	assert_false(network_list_read(&list, text, why, sizeof(why)));
	text[(size_t)NETWORK_LIST * 4] = '\0';
	assert_int_equal(list_of(text).count, NETWORK_LIST);
	assert_non_null(strstr(why, "name networks instead"));
}

static void
the_client_is_found_behind_proxies(void **state)
{
	static const struct { const char *trusted, *peer, *forwarded, *client; } cases[] = {
		/* no proxy is trusted */
		{ "", "192.0.2.9", "10.0.0.1", "192.0.2.9" }, { "10.0.0.1", "192.0.2.9", "10.0.0.2", "192.0.2.9" },
		{ "::/0", "192.0.2.9", "10.0.0.2", "192.0.2.9" }, { "0.0.0.0/0", "::1", "10.0.0.2", "::1" },
		{ "192.0.2.9", "192.0.2.9", NULL, "192.0.2.9" }, { "192.0.2.9", "unix:", "10.0.0.1", "unix:" },
		/* one proxy is trusted: the last of the list counts */
		{ "192.0.2.9", "192.0.2.9", "10.0.0.1", "10.0.0.1" }, { "192.0.2.9", "192.0.2.9", "10.0.0.1, 10.0.0.2", "10.0.0.2" },
		{ "192.0.2.0/24", "192.0.2.200", "10.0.0.1,\t10.0.0.2 ", "10.0.0.2" },
		{ "192.0.2.8/31", "192.0.2.9", "10.0.0.1", "10.0.0.1" }, { "192.0.2.8/31", "192.0.2.10", "10.0.0.1", "192.0.2.10" },
		{ "::ffff:192.0.2.9", "192.0.2.9", "10.0.0.1", "10.0.0.1" }, { "192.0.2.9", "::ffff:192.0.2.9", "10.0.0.1", "10.0.0.1" },
		{ "2001:db8::/32", "2001:DB8:5::1", "2001:db9::1", "2001:db9::1" },
		/* several are trusted: skips all of them */
		{ "192.0.2.9 10.0.0.0/8", "192.0.2.9", "203.0.113.5, 198.51.100.7, 10.1.2.3", "198.51.100.7" },
		{ "192.0.2.9 10.0.0.0/8", "192.0.2.9", "10.1.2.3, 10.1.2.4", "10.1.2.3" },
		/* ports and brackets */
		{ "::1", "::1", "1.2.3.4:5678", "1.2.3.4" }, { "::1", "::1", "[2001:db8::1]:443", "2001:db8::1" },
		{ "::1", "::1", "[2001:db8::1]", "2001:db8::1" }, { "::1", "::1", "2001:DB8:0:0::1", "2001:db8::1" },
		{ "::1", "::1", "[::ffff:1.2.3.4]:1", "1.2.3.4" }, { "::1", "::1", "::ffff:1.2.3.4", "1.2.3.4" },
		{ "::1 10.0.0.0/8", "::1", "1.2.3.4:1, 10.0.0.1:65535", "1.2.3.4" },
		/* stops at garbage */
		{ "::1", "::1", "", "::1" }, { "::1", "::1", "1.2.3.4,", "::1" }, { "::1", "::1", "1.2.3.4, unknown", "::1" },
		{ "::1", "::1", "1.2.3.4:", "::1" }, { "::1", "::1", "1.2.3.4:x", "::1" }, { "::1", "::1", "1.2.3.4:123456", "::1" },
		{ "::1", "::1", "[1.2.3.4]", "::1" }, { "::1", "::1", "[1.2.3.4]:80", "::1" }, { "::1", "::1", "[2001:db8::1", "::1" },
		{ "::1", "::1", "2001:db8::1]", "::1" }, { "::1", "::1", "[2001:db8::1]x", "::1" }, { "::1", "::1", "[]:80", "::1" },
		{ "::1", "::1", "fe80::1%eth0", "::1" }, { "::1", "::1", "\"1.2.3.4\"", "::1" }, { "::1", "::1", "1.2.3", "::1" },
		{ "::1", "::1", "1.2.3.4 5.6.7.8", "::1" }, { "::1", "::1", "001.2.3.4", "::1" },
		{ "::1 10.0.0.0/8", "::1", "1.2.3.4, junk, 10.0.0.1", "10.0.0.1" },
		{ "::1", "::1", "11111111111111111111111111111111111111111111111111111111111111", "::1" },
	};
	char out[NETWORK_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct network_list trusted = list_of(cases[i].trusted);
		const char *client = network_client(&trusted, cases[i].peer, cases[i].forwarded, out);
		if (strcmp(client, cases[i].client) != 0)
			fail_msg("%s of %s: %s instead of %s", cases[i].forwarded, cases[i].peer, client, cases[i].client);
	}
}

static void
a_network_is_an_ipv4_address_or_an_ipv6_64(void **state)
{
	static const struct { const char *client, *network; } cases[] = {
		{ "192.0.2.1", "192.0.2.1" }, { "::ffff:192.0.2.1", "192.0.2.1" }, { "::FFFF:c000:201", "192.0.2.1" },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::" }, { "2001:DB8:1:2:ffff::", "2001:db8:1:2::" }, { "::1", "::" },
		{ "2001:db8:1:3::1", "2001:db8:1:3::" }, { "unix:", "unix:" }, { "", "" },
	};
	char out[NETWORK_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		network_of(out, cases[i].client);
		if (strcmp(out, cases[i].network) != 0)
			fail_msg("%s: %s instead of %s", cases[i].client, out, cases[i].network);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_has_addresses_and_networks),
		cmocka_unit_test(a_list_is_limited),
		cmocka_unit_test(the_client_is_found_behind_proxies),
		cmocka_unit_test(a_network_is_an_ipv4_address_or_an_ipv6_64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
