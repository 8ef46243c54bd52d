#include "send.h"
#include "route.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct conf conf = { .origins = "", .data = "/nowhere", .share = "/nowhere" };
static struct arena *arena;
static struct buf out, head;
static char sent[4096];

static struct request
a_request(void)
{
	static const struct route route = { GET, "/x", PUBLIC, NULL };

	buf_reset(&out, SIZE_MAX);
	return (struct request){ .conf = &conf, .arena = arena, .route = &route, .out = &out, .success = 200, .language = EN,
		.request_id = "id" };
}

/* Sends the response as plain CGI into `sent`. Returns the status. */
static int
send_into_buffer(struct request *rq, const struct response *response)
{
	int file = memfd_create("response", 0), before = dup(STDOUT_FILENO);

	dup2(file, STDOUT_FILENO);
	int status = send_response(http_open(&(struct network_list){ 0 }), rq, response, &head);
	dup2(before, STDOUT_FILENO);
	ssize_t length = pread(file, sent, sizeof(sent) - 1, 0);
	sent[length > 0 ? length : 0] = '\0';
	close(before);
	close(file);
	return status;
}

/* The file is a socket, which nobody can open, not even root. */
static void
an_unreadable_file_is_an_error(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct request rq = a_request();
	int own = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/okul-unit-send-%d", (int)getpid());
	assert_int_equal(bind(own, (const struct sockaddr *)&address, sizeof(address)), 0);
	const struct response response = { .status = 200, .file = address.sun_path, .file_type = "text/html" };
	assert_int_equal(send_into_buffer(&rq, &response), 500);
	assert_non_null(strstr(sent, "Status: 500 "));
	assert_non_null(strstr(sent, sentence(S_INTERNAL, EN)));
	rq.http.method = HEAD;
	assert_int_equal(send_into_buffer(&rq, &response), 200);
	unlink(address.sun_path);
	assert_int_equal(send_into_buffer(&rq, &response), 500);
	close(own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unreadable_file_is_an_error),
	};

	/* Standard input of the tests may be a listening socket, which would be served. */
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
	arena = arena_new(16384);
	int failed = cmocka_run_group_tests_name("send", tests, NULL, NULL);
	arena_free(arena);
	buf_clear(&out);
	buf_clear(&head);
	return failed;
}
