#include "random.h"
#include "sigv4.h"
#include "unit.h"

static const struct sigv4 aws = {
	.key_id = "AKIAIOSFODNN7EXAMPLE",
	.secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	.region = "us-east-1",
	.host = "examplebucket.s3.amazonaws.com",
};
#define AT 1369353600 /* 2013-05-24T00:00:00Z */

/* The example of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html. */
static void
the_example_of_aws_is_signed_as_published(void **state)
{
	struct buf out = { 0 };

	(void)state;
	sigv4_presign(&out, &aws, "/test.txt", NULL, 0, AT, 86400);
	assert_string_equal(out.s,
		"/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
		"aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
		"aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
	buf_clear(&out);
}

static void
values_are_escaped_and_signed(void **state)
{
	const struct sigv4_parameter one[] = { { "response-content-type", "a b/\xC3\xA7;~" } };
	struct buf plain = { 0 }, out = { 0 };

	(void)state;
	sigv4_presign(&plain, &aws, "/test.txt", NULL, 0, AT, 60);
	sigv4_presign(&out, &aws, "/test.txt", one, 1, AT, 60);
	assert_non_null(strstr(out.s, "&response-content-type=a%20b%2F%C3%A7%3B~&X-Amz-Signature="));
	assert_string_not_equal(strstr(out.s, "Signature="), strstr(plain.s, "Signature="));
	buf_clear(&plain);
	buf_clear(&out);
}

/* RFC 4231, test cases 2 and 6: a short key, and one that is longer than a block. */
static void
hmacs_take_keys_of_any_length(void **state)
{
	static const unsigned char jefe[4] = { 0x5b, 0xdc, 0xc1, 0x46 }, larger[4] = { 0x60, 0xe4, 0x31, 0x59 };
	const char *long_text = "Test Using Larger Than Block-Size Key - Hash Key First";
	unsigned char mac[MAC_BYTES], key[131];

	(void)state;
	secret_hmac(mac, "Jefe", 4, "what do ya want for nothing?", 28);
	assert_memory_equal(mac, jefe, sizeof(jefe));
	memset(key, 0xaa, sizeof(key));
	secret_hmac(mac, key, sizeof(key), long_text, strlen(long_text));
	assert_memory_equal(mac, larger, sizeof(larger));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_aws_is_signed_as_published),
		cmocka_unit_test(values_are_escaped_and_signed),
		cmocka_unit_test(hmacs_take_keys_of_any_length),
	};

	random_init();
	return cmocka_run_group_tests_name("sigv4", tests, NULL, NULL);
}
