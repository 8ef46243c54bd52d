#include "setup.h"

#include "random.h"

#include <ctype.h>

/* Without the letters and digits that are mistaken for each other. */
#define ALPHABET "23456789ABCDEFGHJKMNPQRSTVWXYZ"

enum { SUPERADMINS };

static const char *const setup_sql[] = {
	[SUPERADMINS] = "SELECT n FROM tally WHERE name = 'user:superadmin'",
};
const struct db_statements setup_statements = { setup_sql, COUNT(setup_sql) };

bool
setup_is_needed(struct db *db)
{
	int64_t count = 1;

	return db_number(db, &count, setup_sql[SUPERADMINS], NO_ARGS) == DB_ROW && count == 0;
}

/* Without hyphens. A byte of the MAC gives a letter; that the first ones are a little likelier costs less than a bit. */
static void
derive(const struct conf *conf, char letters[static SETUP_CODE_LENGTH])
{
	const struct part parts[] = { PART("first superadmin") };
	unsigned char mac[MAC_BYTES];

	secret_mac(mac, conf->link_key, parts, COUNT(parts));
	for (size_t i = 0; i < SETUP_CODE_LENGTH; i++)
		letters[i] = ALPHABET[mac[i] % (sizeof(ALPHABET) - 1)];
}

void
setup_code(const struct conf *conf, char code[static SETUP_CODE_TEXT])
{
	char letters[SETUP_CODE_LENGTH];

	derive(conf, letters);
	snprintf(code, SETUP_CODE_TEXT, "%.4s-%.4s-%.4s-%.4s", letters, letters + 4, letters + 8, letters + 12);
}

bool
setup_code_is(const struct conf *conf, const char *text)
{
	char letters[SETUP_CODE_LENGTH], given[SETUP_CODE_LENGTH + 1];
	size_t length = 0;

	for (; *text && length <= SETUP_CODE_LENGTH; text++)
		if (*text != '-' && *text != ' ')
			given[length++] = (char)toupper((unsigned char)*text);
	derive(conf, letters);
	return length == SETUP_CODE_LENGTH && secret_equal(given, letters, length);
}
