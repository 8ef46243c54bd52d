/* Mail addresses: a valid address needs no escaping in a header or an SMTP command. */
#include "email.h"
#include "fuzz.h"
#include "text.h"
#include "utf8.h"

/* The normalized form is a valid address in lower case, and normalizing it again does not change it. */
static void
keep(const char *address)
{
	static struct arena *arena;
	const char *kept, *again;

	if (!arena)
		arena = arena_new(4096);
	arena_reset(arena);
	if (!utf8_is_valid(address, strlen(address)) || email_keep(arena, address, &kept) != EMAIL_GOOD)
		return;
	must(email_is_good(kept));
	must(email_keep(arena, kept, &again) == EMAIL_GOOD && strcmp(again, kept) == 0);
	must(strncasecmp(address, kept, (size_t)(strchr(kept, '@') - kept)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *address = string_of(data, size);

	keep(address);
	if (email_is_good(address)) {
		const char *at = strchr(address, '@');
		size_t length = strlen(address);

		must(length >= 5 && length <= 254);
		must(at && at == strrchr(address, '@') && at - address >= 1 && at - address <= 64);
		must(strpbrk(address, " \t\r\n\"\\<>()[],:;") == NULL);
		for (size_t i = 0; i < length; i++)
			must(address[i] > 0x20 && address[i] < 0x7f);
		must(strchr(at, '.') && !strstr(address, "..") && address[0] != '.' && address[length - 1] != '.');
		must(at[-1] != '.' && at[1] != '.' && at[1] != '-' && address[length - 1] != '-');
		/* in lower case it is still valid */
		text_lower(address);
		must(email_is_good(address));
		char mailbox[EMAIL_TEXT], twice[EMAIL_TEXT];
		email_mailbox(mailbox, address);
		email_mailbox(twice, mailbox);
		must(strcmp(mailbox, twice) == 0 && strlen(mailbox) <= length && strchr(mailbox, '@') > mailbox);
	}
	free(address);
	return 0;
}
