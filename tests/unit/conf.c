/* What conf_load() reads of okul.conf, and what it leaves in memory. */
#include "conf.h"

#include "random.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], why[1024];

/* Two halves, so that the password is not in the data of this program. */
static const char half[] = "hunter", other_half[] = "-of-the-relay-";

static int
set_up(void **state)
{
	bool made;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/okul-unit-XXXXXX");
	return mkdtemp(folder) && conf_make_keys(folder, &made, why, sizeof(why)) ? 0 : -1;
}

static int
tear_down(void **state)
{
	char path[128];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, i ? "okul.conf" : "keys.conf");
		unlink(path);
	}
	return rmdir(folder);
}

/*
 * Writes okul.conf with the password far behind other lines, so that later allocations do not overwrite a copy; leaves no copy
 * itself.
 */
static void
put_conf(void)
{
	char text[16384] = "mail_name = A school\nsmtp_user = school\n", path[128];
	size_t length = strlen(text);

	while (length < sizeof(text) - 256)
		length += (size_t)snprintf(text + length, sizeof(text) - length, "; a line that is there to be long, and says nothing else\n");
	length += (size_t)snprintf(text + length, sizeof(text) - length, "smtp_password = %s%s\n", half, other_half);
	snprintf(path, sizeof(path), "%s/okul.conf", folder);
	int file = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(file, text, length), length);
	close(file);
	secret_wipe(text, sizeof(text));
}

/* True when the password is in [from, to). Compares the halves one by one, to make no copy. */
static bool
is_in(const char *from, const char *to)
{
	size_t length = strlen(half), other_length = strlen(other_half);

	for (; from + length + other_length <= to; from++)
		if (*from == half[0] && memcmp(from, half, length) == 0 && memcmp(from + length, other_half, other_length) == 0)
			return true;
	return false;
}

/*
 * Fails unless the password is (or is not) in the writable memory of this process: stack, heap, data. Does nothing under
 * AddressSanitizer, whose shadow cannot be read.
 */
static void
expect_in_memory(bool wanted)
{
#ifdef __SANITIZE_ADDRESS__
	(void)wanted;
	(void)is_in;
#else
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], access[8];
	unsigned long from, to;
	bool found = false;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%lx-%lx %7s", &from, &to, access) == 3 && strncmp(access, "rw", 2) == 0)
			found |= is_in((const char *)from, (const char *)to);
	fclose(maps);
	assert_int_equal(found, wanted);
#endif
}

static void
only_conf_load_secrets_loads_the_password(void **state)
{
	(void)state;
	put_conf();
	const struct conf *conf = conf_load(folder, why, sizeof(why));
	if (!conf)
		fail_msg("%s", why);
	assert_string_equal(conf->mail_name, "A school");
	assert_string_equal(conf->smtp_user, "school");
	assert_string_equal(conf->smtp_password, "");
	expect_in_memory(false);
	assert_true(conf_load_secrets(SECRET_MAIL, why, sizeof(why)));
	assert_int_equal(strncmp(conf->smtp_password, half, strlen(half)), 0);
	assert_string_equal(conf->smtp_password + strlen(half), other_half);
	expect_in_memory(true);
	assert_string_equal(conf->mail_name, "A school");
}

static void
errors_name_their_lines(void **state)
{
	static const struct { const char *text, *said; } faults[] = {
		{ "smtp_password = x\nno setting\n", "line 2" },
		{ "smtp_password = x\nmail_nam = x\n", "there is no setting \"mail_nam\"" },
		{ "mail_name = a\nmail_name = b\n", "mail_name is set twice" },
		{ "mail_name = a\n smtp_password = b\n", "mail_name is set twice" },
		{ "smtp_port = x", "smtp_port = x: must be a number" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		put_file(folder, "okul.conf", faults[i].text, strlen(faults[i].text));
		assert_null(conf_load(folder, why, sizeof(why)));
		if (!strstr(why, faults[i].said))
			fail_msg("%s", why);
	}
	static const char twice[] = "\xef\xbb\xbfmail_name = a\r\nsmtp_password = b\r\nsmtp_password = c\r\n";
	put_file(folder, "okul.conf", twice, sizeof(twice) - 1);
	assert_non_null(conf_load(folder, why, sizeof(why)));
	assert_false(conf_load_secrets(SECRET_MAIL, why, sizeof(why)));
	assert_non_null(strstr(why, "smtp_password is set twice"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(only_conf_load_secrets_loads_the_password),
		test(errors_name_their_lines),
	};

	random_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
