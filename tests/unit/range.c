#include "clock.h"
#include "range.h"
#include "unit.h"

#define SIZE 1000
#define TAG "\"5e0be100-3e8\""
#define CHANGED INT64_C(784111777000)	/* Sun, 06 Nov 1994 08:49:37 GMT, as in RFC 9110 section 5.6.7 */
#define THEN "Sun, 06 Nov 1994 08:49:37 GMT"
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

static void
ranges(void **state)
{
	static const struct { const char *range; int status; int64_t from, length; } cases[] = {
		{ "bytes=0-0", 206, 0, 1 }, { "bytes=0-", 206, 0, 1000 }, { "bytes=0-999", 206, 0, 1000 }, { "bytes=5-9", 206, 5, 5 },
		{ "bytes=999-", 206, 999, 1 }, { "bytes=990-2000", 206, 990, 10 }, { "bytes=-1", 206, 999, 1 }, { "bytes=-1000", 206, 0, 1000 },
		{ "bytes=-5000", 206, 0, 1000 }, { "BYTES=5-9", 206, 5, 5 }, { "bytes= 5 - 9 ", 206, 5, 5 },
		{ "bytes=9223372036854775806-", 416, 0, 0 }, { "bytes=5-9000000000000000000000000", 416, 0, 0 },
		{ "bytes=1000-", 416, 0, 0 }, { "bytes=1000-1001", 416, 0, 0 }, { "bytes=-0", 416, 0, 0 },
		{ "bytes=9-5", 416, 0, 0 }, { "bytes=", 416, 0, 0 }, { "bytes=-", 416, 0, 0 }, { "bytes=x-y", 416, 0, 0 },
		{ "bytes=1-2x", 416, 0, 0 }, { "bytes=1", 416, 0, 0 }, { "bytes=--1", 416, 0, 0 }, { "bytes=1--2", 416, 0, 0 },
		{ "bytes=+1-2", 416, 0, 0 }, { "bytes=1-2,", 416, 0, 0 }, { "bytes=,1-2", 416, 0, 0 }, { "bytes=1-2,x", 416, 0, 0 },
		{ "bytes=1000-,2000-", 416, 0, 0 },
		{ "bytes=1-2,1000-", 206, 1, 2 }, { "bytes=1000-, 1-2", 206, 1, 2 },
		{ "bytes=1-2,3-4", 200, 0, 1000 }, { "bytes=0-,-5", 200, 0, 1000 },
		{ "lines=1-2", 200, 0, 1000 }, { "bytes", 200, 0, 1000 }, { "", 200, 0, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_request rq = { .method = GET, .range = cases[i].range };
		struct range range = range_of(&rq, TAG, CHANGED, SIZE);
		check(range.status == cases[i].status, cases[i].range);
		check(range.status == 416 || (range.from == cases[i].from && range.length == cases[i].length), cases[i].range);
		/* Range is defined for GET only (section 14.2) */
		rq.method = HEAD;
		check(range_of(&rq, TAG, CHANGED, SIZE).status == 200, cases[i].range);
		/* an empty file has no range */
		rq.method = GET;
		int status = range_of(&rq, TAG, CHANGED, 0).status;
		check(status == 416 || (status == 200 && cases[i].status == 200), cases[i].range);
	}
}

static void
conditions(void **state)
{
	static const struct { struct http_request rq; int status; } cases[] = {
		{ { .if_match = TAG }, 200 }, { { .if_match = "*" }, 200 }, { { .if_match = "\"x\", " TAG }, 200 },
		{ { .if_match = "\"x\"" }, 412 }, { { .if_match = "W/" TAG }, 412 }, { { .if_match = "" }, 412 },
		{ { .if_match = "\"5e0be100-3e\"" }, 412 }, { { .if_match = "x" TAG }, 412 }, { { .if_match = "\"" }, 412 },
		{ { .if_unmodified_since = THEN }, 200 }, { { .if_unmodified_since = LATER }, 200 },
		{ { .if_unmodified_since = EARLIER }, 412 }, { { .if_unmodified_since = "yesterday" }, 200 },
		{ { .if_match = TAG, .if_unmodified_since = EARLIER }, 200 },
		{ { .if_none_match = TAG }, 304 }, { { .if_none_match = "W/" TAG }, 304 }, { { .if_none_match = "*" }, 304 },
		{ { .if_none_match = "\"a,b\" ,, " TAG }, 304 }, { { .if_none_match = "\"x\"" }, 200 }, { { .if_none_match = "x" }, 200 },
		{ { .if_modified_since = THEN }, 304 }, { { .if_modified_since = LATER }, 304 }, { { .if_modified_since = EARLIER }, 200 },
		{ { .if_none_match = "\"x\"", .if_modified_since = THEN }, 200 },
		{ { .if_none_match = TAG, .if_modified_since = EARLIER }, 304 },
		{ { .if_match = "\"x\"", .if_none_match = TAG }, 412 },
		{ { .if_modified_since = "Mon, 06 Nov 1994 08:49:38 GMT" }, 200 },	/* it was a Sunday */
		{ { .if_modified_since = "Sun, 06 nov 1994 08:49:38 GMT" }, 200 },
		{ { .if_modified_since = "Sun, 06 ovD 1994 08:49:38 GMT" }, 200 },
		{ { .if_modified_since = "Sun, 31 Feb 2025 08:49:38 GMT" }, 200 },
		{ { .if_modified_since = "Sun, 06 Nov 1994 24:49:38 GMT" }, 200 },
		{ { .if_modified_since = "Sunday, 06-Nov-94 08:49:37 GMT" }, 200 },
		{ { .if_modified_since = "" }, 200 },
		{ { .range = "bytes=1-2", .if_range = TAG }, 206 }, { { .range = "bytes=1-2", .if_range = THEN }, 206 },
		{ { .range = "bytes=1-2", .if_range = "\"x\"" }, 200 }, { { .range = "bytes=1-2", .if_range = "W/" TAG }, 200 },
		{ { .range = "bytes=1-2", .if_range = LATER }, 200 }, { { .range = "bytes=1000-", .if_range = "\"x\"" }, 200 },
		{ { .range = "bytes=1000-", .if_none_match = TAG }, 304 }, { { .range = "bytes=1000-", .if_match = "\"x\"" }, 412 },
		{ { .range = "bytes=1000-", .if_match = TAG }, 416 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct http_request rq = cases[i].rq;
		rq.method = GET;
		/* headers have seconds: changes within the same second are not seen */
		int status = range_of(&rq, TAG, CHANGED + 999, SIZE).status;
		if (status != cases[i].status)
			fail_msg("case %zu: %d instead of %d", i, status, cases[i].status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges),
		cmocka_unit_test(conditions),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
