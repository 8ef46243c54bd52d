#include "tag.h"

/* Bytes of the opaque-tag at `s` (RFC 9110 section 8.8.3), with its quotes; 0 when there is none. */
static size_t
opaque_tag_length(const char *s)
{
	const unsigned char *c = (const unsigned char *)s;

	if (*c++ != '"')
		return 0;
	while (*c == 0x21 || (*c >= 0x23 && *c != 0x7f))
		c++;
	return *c == '"' ? (size_t)((const char *)c - s) + 1 : 0;
}

static bool
is_same_tag(const char *found, size_t length, const char *tag, enum tag_compare compare, size_t ignored)
{
	size_t own = strlen(tag);

	if (own == 0 || length < own || memcmp(found, tag, own - 1 - ignored) != 0)
		return false;
	return length == own || (compare == TAG_RECODED && found[own - 1] == '-');
}

bool
tag_listed(const char *value, const char *tag, enum tag_compare compare, size_t ignored)
{
	bool found = false;

	value += strspn(value, " \t");
	if (value[0] == '*')
		return value[1 + strspn(value + 1, " \t")] == '\0';
	while (*(value += strspn(value, " \t,"))) {
		bool weak = strncmp(value, "W/", 2) == 0;
		value += weak ? 2 : 0;
		size_t length = opaque_tag_length(value);
		found |= is_same_tag(value, length, tag, compare, ignored) && !(weak && compare == TAG_STRONG);
		value += length;
		value += strspn(value, " \t");
		if (length == 0 || (*value && *value != ','))
			return false;
	}
	return found;
}
