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

/* What goes out as plain CGI, in `sent`. Gives the status. */
static int
answer(struct request *rq, const struct response *response)
{
	int file = memfd_create("answer", 0), before = dup(STDOUT_FILENO);

	dup2(file, STDOUT_FILENO);
	int status = send_response(http_open(&(struct network_list){ 0 }), rq, response, &head);
	dup2(before, STDOUT_FILENO);
	ssize_t length = pread(file, sent, sizeof(sent) - 1, 0);
	sent[length > 0 ? length : 0] = '\0';
	close(before);
	close(file);
	return status;
}

/* Nobody may read this one, not even root. */
static void
what_cannot_be_opened_is_no_answer_without_its_bytes(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct request rq = a_request();
	int own = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/okul-unit-answer-%d", (int)getpid());
	assert_int_equal(bind(own, (const struct sockaddr *)&address, sizeof(address)), 0);
	const struct response response = { .status = 200, .file = address.sun_path, .file_type = "text/html" };
	assert_int_equal(answer(&rq, &response), 500);
	assert_non_null(strstr(sent, "Status: 500 "));
	assert_non_null(strstr(sent, sentence(S_INTERNAL, EN)));
	rq.http.method = HEAD;
	assert_int_equal(answer(&rq, &response), 200);
	unlink(address.sun_path);
	assert_int_equal(answer(&rq, &response), 500);
	close(own);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_opened_is_no_answer_without_its_bytes),
	};

	/* Not what the tests were started with: a listening socket there would be served. */
	dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
	arena = arena_new(16384);
	int failed = cmocka_run_group_tests_name("answer", tests, NULL, NULL);
	arena_free(arena);
	buf_clear(&out);
	buf_clear(&head);
	return failed;
}
