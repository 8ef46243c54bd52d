#include "http.h"

#include "log.h"
#include "text.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGERING 64		   /* connections that a worker may leave open after the response */
#define UNKNOWN_PIECE 16384	   /* bytes read at once from a body of unknown length */
#define PROGRESS 4096		   /* bytes: a client that sends less between two checks of the watchdog is silent */
#define DRAIN (INT64_C(128) << 20) /* bytes of a body that are read and dropped so that the response arrives */
#define SILENCE 2000		   /* milliseconds until a connection that sends nothing is dropped */

struct http {
	bool cgi, served; /* served: the one request of a CGI process was returned */
	int64_t unread;	  /* bytes of the body not read yet; INT64_MAX: unknown */
	/* [0]: standard input; then connections with a response whose body is still coming, -1: free */
	struct pollfd polled[1 + LINGERING];
	size_t lingering_next, lingering_count; /* the slot to use next; how many are used */
	bool open;				/* a request waits for its response */
	const struct network_list *trusted;
	char client[NETWORK_TEXT]; /* of the request, where a trusted proxy reports it */
	FCGX_Request fcgi;
	sigset_t waiting; /* the signal mask between requests */
};

static struct http the_http;
static volatile sig_atomic_t stopping;
static uint64_t bytes_moved;
static volatile sig_atomic_t progress, busy, connections;

static void
on_stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static void
catch_stop_signals(struct http *http)
{
	static const int stops[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = on_stop };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < COUNT(stops); i++)
		sigaddset(&blocked, stops[i]);
	sigprocmask(SIG_BLOCK, &blocked, &http->waiting);
	for (size_t i = 0; i < COUNT(stops); i++) {
		sigdelset(&http->waiting, stops[i]);
		sigaction(stops[i], &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a file over RLIMIT_FSIZE: write() returns the error */
}

struct http *
http_open(const struct network_list *trusted)
{
	struct http *http = &the_http;

	http->trusted = trusted;
	catch_stop_signals(http);
	/* Milliseconds for which a peer that does not close its end can hold a worker; libfcgi reads it at its first call. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "100", 0);
	http->polled[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	for (size_t slot = 1; slot <= LINGERING; slot++)
		http->polled[slot].fd = -1;
	http->cgi = FCGX_IsCGI();
	if (http->cgi)
		return http;
	/* Of the workers that one connection wakes only one gets it; the others must not block in accept(). */
	int flags = fcntl(STDIN_FILENO, F_GETFL);
	if (flags < 0 || fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) < 0)
		return NULL;
	if (FCGX_Init() != 0 || FCGX_InitRequest(&http->fcgi, STDIN_FILENO, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return NULL;
	return http;
}

bool
http_cgi_environment(void)
{
	return getenv("GATEWAY_INTERFACE") || getenv("REQUEST_METHOD");
}

bool
http_is_cgi(const struct http *http)
{
	return http->cgi;
}

const char *
http_method_name(enum method method)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "OTHER" };

	return names[method];
}

#define PARAMETER(name, where) \
	{ \
		name, sizeof(name) - 1, &(where) \
	}

static void
read_environment(struct http *http, char **environment, struct http_request *rq)
{
	const char *length = "", *coding = NULL, *forwarded = NULL, *body = "";
	/* clang-format off */
	const struct { const char *name; size_t length; const char **value; } parameters[] = {
		PARAMETER("REQUEST_METHOD", rq->method_name),
		PARAMETER("REQUEST_URI", rq->target),
		PARAMETER("REMOTE_ADDR", rq->client),
		PARAMETER("CONTENT_TYPE", rq->content_type),
		PARAMETER("CONTENT_LENGTH", length),
		PARAMETER("OKUL_BODY", body),
		PARAMETER("HTTP_AUTHORIZATION", rq->authorization),
		PARAMETER("HTTP_ACCEPT_LANGUAGE", rq->accept_language),
		PARAMETER("HTTP_X_REQUEST_ID", rq->request_id),
		PARAMETER("HTTP_USER_AGENT", rq->user_agent),
		PARAMETER("HTTP_ORIGIN", rq->origin),
		PARAMETER("HTTP_IF_MATCH", rq->if_match),
		PARAMETER("HTTP_IF_NONE_MATCH", rq->if_none_match),
		PARAMETER("HTTP_IF_MODIFIED_SINCE", rq->if_modified_since),
		PARAMETER("HTTP_IF_UNMODIFIED_SINCE", rq->if_unmodified_since),
		PARAMETER("HTTP_RANGE", rq->range),
		PARAMETER("HTTP_IF_RANGE", rq->if_range),
		PARAMETER("HTTP_TRANSFER_ENCODING", coding),
		PARAMETER("HTTP_X_FORWARDED_FOR", forwarded),
	};
	/* clang-format on */

	*rq = (struct http_request){ .method_name = "", .target = "/", .client = "", .content_length = -1 };
	for (char **entry = environment; *entry; entry++) {
		size_t name = strcspn(*entry, "="), i = 0;
		while (i < COUNT(parameters) && (name != parameters[i].length || memcmp(*entry, parameters[i].name, name) != 0))
			i++;
		if (i < COUNT(parameters) && (*entry)[name])
			*parameters[i].value = *entry + name + 1;
	}
	while (rq->method < OTHER_METHOD && strcmp(http_method_name(rq->method), rq->method_name) != 0)
		rq->method++;
	if (!length[0] && coding)
		rq->content_length = LENGTH_UNKNOWN;
	else if (length[0] && !text_to_int(length, 0, INT64_MAX, &rq->content_length))
		rq->content_length = LENGTH_MALFORMED;
	rq->body = strcmp(body, "asked") == 0 ? BODY_ASKED : strcmp(body, "withheld") == 0 ? BODY_WITHHELD : BODY_HERE;
	if (rq->content_type && !rq->content_type[0])
		rq->content_type = NULL;
	rq->client = network_client(http->trusted, rq->client, forwarded, http->client);
	rq->path_length = strcspn(rq->target, "?");
	rq->query = rq->target[rq->path_length] == '?' ? rq->target + rq->path_length + 1 : NULL;
	http->unread = rq->content_length < -1 ? INT64_MAX : rq->body == BODY_ASKED ? 0 : rq->content_length;
}

static void
count_bytes(size_t bytes)
{
	bytes_moved += bytes;
	progress = (int)(bytes_moved / PROGRESS & INT32_MAX);
}

static ssize_t
read_some(struct http *http, char *out, size_t room)
{
	ssize_t n;

	if (!http->cgi) {
		n = FCGX_GetStr(out, room > INT32_MAX ? INT32_MAX : (int)room, http->fcgi.in);
	} else {
		do
			n = read(STDIN_FILENO, out, room);
		while (n < 0 && errno == EINTR);
	}
	http->unread = n > 0 ? http->unread - n : 0;
	return n;
}

ptrdiff_t
http_read(struct http *http, void *out, size_t room)
{
	ptrdiff_t n = read_some(http, out, room);

	if (n > 0)
		count_bytes((size_t)n);
	return n;
}

/*
 * Reads the rest of a CGI body. Apache's mod_cgid sends all of it before it reads the response, over one socket: if
 * the process ended before that, the response would be lost. (libfcgi does the same for FastCGI.)
 */
static void
drain(struct http *http)
{
	char trash[16384];
	ptrdiff_t n = 1;

	for (int64_t most = DRAIN; http->unread > 0 && most > 0 && n > 0; most -= n)
		n = http_read(http, trash, http->unread < (int64_t)sizeof(trash) ? (size_t)http->unread : sizeof(trash));
}

static void
close_lingering(struct http *http, size_t slot)
{
	if (http->polled[slot].fd < 0)
		return;
	close(http->polled[slot].fd);
	http->polled[slot].fd = -1;
	http->lingering_count--;
}

/*
 * Keeps our end of a connection open beyond the response while the body is still coming. Apache forwards what a slow
 * client sends, and sends 503 instead of our response when that fails; reading on would let the client hold a worker.
 */
static void
linger(struct http *http)
{
	size_t slot = 1 + http->lingering_next++ % LINGERING;

	close_lingering(http, slot);
	http->polled[slot].fd = fcntl(http->fcgi.ipcFd, F_DUPFD_CLOEXEC, 3);
	http->lingering_count += http->polled[slot].fd >= 0;
}

void
http_end(struct http *http)
{
	if (http->open && http->cgi) {
		drain(http);
	} else if (http->open) {
		if (http->unread > 0)
			linger(http);
		FCGX_Finish_r(&http->fcgi);
	}
	http->open = false;
	busy = 0;
}

/* Like ppoll(): waits for a connection or a stop signal. Also closes lingering connections that the peer has closed. */
static int
wait_for_request(struct http *http, const struct timespec *wait)
{
	int ready = ppoll(http->polled, http->lingering_count > 0 ? COUNT(http->polled) : 1, wait, &http->waiting);

	for (size_t slot = 1; slot <= LINGERING && ready > 0; slot++)
		if (http->polled[slot].revents)
			close_lingering(http, slot);
	return ready;
}

/*
 * Accepts a connection and reads the request up to its body. FCGX_Accept_r() could accept it too, but mistakes a signal
 * of the watchdog for the end of the connection; given a connection, as if one was kept open, it only reads.
 */
static bool
accept_request(struct http *http)
{
	struct pollfd wire = { .fd = accept4(STDIN_FILENO, NULL, NULL, SOCK_CLOEXEC), .events = POLLIN };
	int ready;

	if (wire.fd < 0)
		return false;
	busy = 1;
	connections++;
	while ((ready = poll(&wire, 1, SILENCE)) < 0 && errno == EINTR)
		;
	if (ready <= 0) {
		close(wire.fd);
		return false;
	}
	http->fcgi.ipcFd = wire.fd;
	http->fcgi.keepConnection = 1;
	return FCGX_Accept_r(&http->fcgi) == 0;
}

enum http_event
http_next(struct http *http, struct http_request *request)
{
	static const struct timespec at_once;

	http_end(http);
	if (http->cgi) {
		if (http->served)
			return HTTP_STOP;
		http->served = http->open = true;
		busy = 1;
		read_environment(http, environ, request);
		return HTTP_REQUEST;
	}
	while (!stopping) {
		/*
		 * Stop signals are delivered only here, never between accept() and the response. With lines in the
		 * buffer of the log this does not wait: they are flushed when no request is there.
		 */
		int ready = wait_for_request(http, log_waits() ? &at_once : NULL);
		if (ready < 0 && errno != EINTR)
			return HTTP_FAILED;
		if (ready == 0)
			log_flush();
		if (ready <= 0 || !http->polled[0].revents)
			continue;
		if (http->polled[0].revents & (POLLERR | POLLNVAL))
			return HTTP_FAILED;
		http->open = accept_request(http);
		if (!http->open) {
			busy = 0;
			continue; /* another worker was faster, or the peer disconnected */
		}
		read_environment(http, http->fcgi.envp, request);
		return HTTP_REQUEST;
	}
	return HTTP_STOP;
}

/* A body of unknown length. */
static char *
body_of_unknown_length(struct http *http, struct arena *arena, int64_t *length, int64_t limit)
{
	struct buf body = { .arena = arena };
	ssize_t n = 1;

	buf_puts(&body, "");
	while (n > 0 && (int64_t)body.length <= limit) {
		size_t room = (size_t)limit + 1 - body.length;
		if (room > UNKNOWN_PIECE)
			room = UNKNOWN_PIECE;
		n = read_some(http, buf_room(&body, room), room);
		body.length += n > 0 ? (size_t)n : 0;
	}
	*length = (int64_t)body.length;
	body.s[body.length] = '\0';
	return n < 0 || *length > limit ? NULL : body.s;
}

char *
http_body(struct http *http, struct arena *arena, int64_t *length, int64_t limit)
{
	if (*length == LENGTH_UNKNOWN)
		return body_of_unknown_length(http, arena, length, limit);
	if (*length < 0 || *length > limit)
		return NULL;
	char *body = arena_alloc(arena, (size_t)*length + 1);
	for (size_t have = 0; have < (size_t)*length;) {
		ssize_t n = read_some(http, body + have, (size_t)*length - have);
		if (n <= 0)
			return NULL;
		have += (size_t)n;
	}
	return body;
}

bool
http_busy(void)
{
	return busy;
}

int
http_connections(void)
{
	return connections;
}

int
http_progress(void)
{
	return progress;
}

bool
http_write(struct http *http, const char *bytes, size_t length)
{
	if (!http->cgi && FCGX_PutStr(bytes, (int)length, http->fcgi.out) != (int)length)
		return false;
	for (size_t written = 0; http->cgi && written < length;) {
		ssize_t n = write(STDOUT_FILENO, bytes + written, length - written);
		if (n < 0 && errno != EINTR)
			return false;
		written += n > 0 ? (size_t)n : 0;
	}
	count_bytes(length);
	return true;
}

bool
http_begin(struct http *http, const struct buf *head)
{
	return http_write(http, head->s, head->length) && http_write(http, "\r\n", 2);
}

void
http_send(struct http *http, const struct buf *head, const char *body, size_t length)
{
	if (http_begin(http, head))
		(void)!http_write(http, body, length); /* fails when the client has disconnected */
	http_end(http);
}

bool
http_send_file(struct http *http, const struct buf *head, int file, int64_t length)
{
	char chunk[16384];
	bool good = http_begin(http, head);

	while (good && length > 0) {
		ssize_t n = read(file, chunk, length < (int64_t)sizeof(chunk) ? (size_t)length : sizeof(chunk));
		if (n <= 0)
			break;
		good = http_write(http, chunk, (size_t)n);
		length -= n;
	}
	http_end(http);
	return good && length == 0;
}

bool
http_is_type(const char *content_type, const char *type)
{
	size_t length = strlen(type); /* RFC 9110 section 8.3.1 */

	return content_type && strncasecmp(content_type, type, length) == 0 && strchr("; \t", content_type[length]) != NULL;
}
