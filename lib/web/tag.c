#include "tag.h"

/* Bytes of the opaque-tag at `s` (RFC 9110 section 8.8.3), its quotes among them; 0 when there is none. */
static size_t
tag_length(const char *s)
{
	const unsigned char *c = (const unsigned char *)s;

	if (*c++ != '"')
		return 0;
	while (*c == 0x21 || (*c >= 0x23 && *c != 0x7f))
		c++;
	return *c == '"' ? (size_t)((const char *)c - s) + 1 : 0;
}

static bool
is_same(const char *one, size_t length, const char *tag, enum tag_compare compare, size_t passed)
{
	size_t own = strlen(tag);

	if (own == 0 || length < own || memcmp(one, tag, own - 1 - passed) != 0)
		return false;
	return length == own || (compare == TAG_RECODED && one[own - 1] == '-');
}

bool
tag_listed(const char *value, const char *tag, enum tag_compare compare, size_t passed)
{
	bool found = false;

	value += strspn(value, " \t");
	if (value[0] == '*')
		return value[1 + strspn(value + 1, " \t")] == '\0';
	while (*(value += strspn(value, " \t,"))) {
		bool weak = strncmp(value, "W/", 2) == 0;
		value += weak ? 2 : 0;
		size_t length = tag_length(value);
		found |= is_same(value, length, tag, compare, passed) && !(weak && compare == TAG_STRONG);
		value += length;
		value += strspn(value, " \t");
		if (length == 0 || (*value && *value != ','))
			return false;
	}
	return found;
}
