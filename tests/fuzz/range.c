/* Conditions and ranges: for any headers, the range is within the file. The input has one header per line. */
#include "fuzz.h"
#include "range.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request rq = { .method = GET };
	const char **const headers[] = { &rq.range, &rq.if_range, &rq.if_match, &rq.if_none_match, &rq.if_modified_since,
		&rq.if_unmodified_since };
	char *text = string_of(data, size), *at = text;
	int64_t length = size ? data[0] * 5 : 0;

	for (size_t i = 0; i < COUNT(headers) && at; i++) {
		char *line = strsep(&at, "\n");
		*headers[i] = line[0] ? line : NULL;
	}
	struct range range = range_of(&rq, "\"abc-1\"", INT64_C(784111777000), length);
	must(range.status == 200 || range.status == 206 || range.status == 304 || range.status == 412 || range.status == 416);
	must(range.status != 200 || (range.from == 0 && range.length == length));
	must(range.status != 206 || (range.from >= 0 && range.length > 0 && range.from + range.length <= length));
	must(range.status != 206 || rq.range);
	free(text);
	return 0;
}
