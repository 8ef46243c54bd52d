#include "log.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int reader, saved;

/* Standard error becomes a pipe in packet mode: one read returns what one write wrote. */
static int
set_up(void **state)
{
	int ends[2];

	(void)state;
	if (pipe2(ends, O_DIRECT | O_NONBLOCK | O_CLOEXEC) < 0)
		return -1;
	reader = ends[0];
	saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	log_init("unit", false, LOG_NOTE);
	log_request("");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(reader);
	return 0;
}

/* The next line; "" when none was written. */
static const char *
next(void)
{
	static char line[4096];
	ssize_t n = read(reader, line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static void
a_line_is_one_write_of_key_and_value(void **state)
{
	const char *line;

	(void)state;
	log_request("r-17");
	log_line(LOG_WARN, "mail_failed id=%s attempt=%d", "abc", 3);
	line = next();
	assert_int_equal(strncmp(line, "ts=2", 4), 0);
	assert_int_equal(line[27], ' ');
	assert_string_equal(line + 28, "level=warn prog=unit rid=r-17 mail_failed id=abc attempt=3\n");
	assert_string_equal(next(), "");
	assert_string_equal(log_last(), "mail_failed id=abc attempt=3");
	log_request("");
	log_line(LOG_FAULT, "x");
	assert_string_equal(next() + 28, "level=error prog=unit x\n");
	log_request(NULL);
	log_line(LOG_FATAL, "x");
	assert_string_equal(next() + 28, "level=fatal prog=unit x\n");
}

static void
lines_below_the_level_are_dropped(void **state)
{
	(void)state;
	log_line(LOG_NOTE, "shown");
	assert_string_equal(next() + 28, "level=info prog=unit shown\n");
	log_line(LOG_TRACE, "hidden");
	assert_string_equal(next(), "");
	assert_string_equal(log_last(), "hidden");
	log_init("unit", false, LOG_TRACE);
	log_line(LOG_TRACE, "shown");
	assert_string_equal(next() + 28, "level=debug prog=unit shown\n");
}

static void
control_characters_are_replaced(void **state)
{
	(void)state;
	log_line(LOG_WARN, "%s", "a\nts=forged\r\x1b[31m\x7f\x01\tb\xc2\x85\xc2\xa0ş\xe2\x80\xae\x9b" "c");
	assert_string_equal(next() + 28, "level=warn prog=unit a?ts=forged??[31m???b??\xc2\xa0ş????" "c\n");
}

static void
a_request_has_a_line(void **state)
{
	struct log_access access = { "GET", "/me", "192.0.2.1", "-", 200, 412 };
	char path[1001];

	(void)state;
	log_access(LOG_NOTE, &access);
	assert_string_equal(next() + 28, "level=info prog=unit request method=GET path=/me status=200 us=412 client=192.0.2.1 user=-\n");
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	access = (struct log_access){ "G\nT", path, "\xc2\x85\x7f", "u", 503, INT64_MAX };
	log_access(LOG_FAULT, &access);
	memcpy(path + 256, " status=", 9);
	const char *line = next() + 28;
	assert_int_equal(strncmp(line, "level=error prog=unit request method=G?T path=", 46), 0);
	assert_int_equal(strncmp(line + 46, path, 264), 0);
	assert_string_equal(line + 46 + 264, "503 us=9223372036854775807 client=??? user=u\n");
}

static void
long_lines_are_truncated(void **state)
{
	const char *line;
	size_t length;

	(void)state;
	log_line(LOG_WARN, "%9000d", 1);
	line = next();
	length = strlen(line);
	assert_true(length > 1000 && length <= 2048);
	assert_int_equal(line[length - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + length - 1);
	assert_string_equal(next(), "");
}

static void
a_change_is_logged_when_it_is_committed(void **state)
{
	(void)state;
	log_changes_begin();
	log_change(LOG_NOTE, "login user=%s", "undone");
	log_changes_end(false);
	assert_string_equal(next(), "");
	log_changes_begin();
	for (int i = 0; i < 8; i++)
		log_change(LOG_NOTE, "login user=%d", i);
	assert_string_equal(next(), "");
	log_change(LOG_WARN, "one too many");
	assert_string_equal(next() + 28, "level=warn prog=unit one too many\n");
	log_changes_end(true);
	for (int i = 0; i < 8; i++)
		assert_int_equal(next()[28 + 32], '0' + i);
	log_changes_end(true);
	assert_string_equal(next(), "");
	log_change(LOG_NOTE, "by itself");
	assert_string_equal(next() + 28, "level=info prog=unit by itself\n");
}

static void
errno_is_kept(void **state)
{
	(void)state;
	errno = ENOSPC;
	close(STDERR_FILENO);
	log_line(LOG_WARN, "nobody hears this");
	assert_int_equal(errno, ENOSPC);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_is_one_write_of_key_and_value, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lines_below_the_level_are_dropped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(control_characters_are_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_request_has_a_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_lines_are_truncated, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_change_is_logged_when_it_is_committed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(errno_is_kept, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
