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

#define LINGERING 64		/* connections that a worker may leave open so */

struct http {
	bool cgi, served;	/* served: the one request of a CGI process was given out */
	int64_t unread;		/* bytes of the body that nobody has read; INT64_MAX: unknown */
	int lingering[LINGERING];	/* answered, but the body is still coming; -1: free */
	size_t lingering_next, lingering_count;	/* the place to be used next; how many there are */
	bool open;		/* a FastCGI request waits for its answer */
	const struct network_list *trusted;
	char client[NETWORK_TEXT];	/* of the request, where proxies name it */
	FCGX_Request fcgi;
	sigset_t waiting;	/* the signal mask while nothing is at hand */
};

static struct http the_http;
static volatile sig_atomic_t stopping;

#define UNKNOWN_PIECE 16384	/* bytes that are asked for at once where nobody said how many there are */
#define PROGRESS 4096		/* bytes: whoever sends less between two looks is as good as silent */
#define DRAIN (INT64_C(128) << 20)	/* bytes of a body that are passed over so that an answer is heard */
#define SILENCE 2000		/* milliseconds until a connection on which nothing came is dropped */
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
	struct sigaction action = { .sa_handler = on_stop };
	sigset_t stops;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	sigaddset(&stops, SIGHUP);
	sigprocmask(SIG_BLOCK, &stops, &http->waiting);
	sigdelset(&http->waiting, SIGTERM);
	sigdelset(&http->waiting, SIGINT);
	sigdelset(&http->waiting, SIGHUP);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a file that would be larger than may be: write() says so */
}

struct http *
http_open(const struct network_list *trusted)
{
	struct http *http = &the_http;

	http->trusted = trusted;
	catch_stop_signals(http);
	/*
	 * libfcgi waits so long (ms) for the web server to close first; its default of 2 s lets a peer hold a worker. Read at
	 * the first call of any kind.
	 */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "100", 0);
	for (size_t i = 0; i < LINGERING; i++)
		http->lingering[i] = -1;
	http->cgi = FCGX_IsCGI();
	if (http->cgi)
		return http;
	/* Of several workers woken by one connection only one gets it: the others must not block in accept(). */
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

static enum method
method_of(const char *name)
{
	for (int m = GET; m < OTHER_METHOD; m++)
		if (strcmp(http_method_name(m), name) == 0)
			return m;
	return OTHER_METHOD;
}

static int64_t
content_length(const char *text)
{
	int64_t length;

	if (!text[0])
		return -1;
	return text_to_int(text, 0, INT64_MAX, &length) ? length : LENGTH_MALFORMED;
}

/* "NAME=value" for the given NAME: the value, else NULL. */
static inline const char *
value_of(const char *entry, const char *name, size_t length)
{
	return strncmp(entry, name, length) == 0 && entry[length] == '=' ? entry + length + 1 : NULL;
}

#define TAKE(name, where) \
	if ((value = value_of(*entry, name, sizeof(name) - 1))) { \
		where = value; \
		continue; \
	}

static void
read_environment(struct http *http, char **environment, struct http_request *rq)
{
	const char *value, *length = "", *coding = NULL, *forwarded = NULL, *body = "";

	*rq = (struct http_request){ .method = OTHER_METHOD, .method_name = "", .target = "/", .client = "" };
	for (char **entry = environment; *entry; entry++) {
		switch ((*entry)[0]) {
		case 'R':
			TAKE("REQUEST_METHOD", rq->method_name)
			TAKE("REQUEST_URI", rq->target)
			TAKE("REMOTE_ADDR", rq->client)
			break;
		case 'C':
			TAKE("CONTENT_TYPE", rq->content_type)
			TAKE("CONTENT_LENGTH", length)
			break;
		case 'O':
			TAKE("OKUL_BODY", body)
			break;
		case 'H':
			TAKE("HTTP_AUTHORIZATION", rq->authorization)
			TAKE("HTTP_ACCEPT_LANGUAGE", rq->accept_language)
			TAKE("HTTP_X_REQUEST_ID", rq->request_id)
			TAKE("HTTP_USER_AGENT", rq->user_agent)
			TAKE("HTTP_ORIGIN", rq->origin)
			TAKE("HTTP_IF_MATCH", rq->if_match)
			TAKE("HTTP_IF_NONE_MATCH", rq->if_none_match)
			TAKE("HTTP_IF_MODIFIED_SINCE", rq->if_modified_since)
			TAKE("HTTP_IF_UNMODIFIED_SINCE", rq->if_unmodified_since)
			TAKE("HTTP_RANGE", rq->range)
			TAKE("HTTP_IF_RANGE", rq->if_range)
			TAKE("HTTP_TRANSFER_ENCODING", coding)
			TAKE("HTTP_X_FORWARDED_FOR", forwarded)
			break;
		}
	}
	rq->method = method_of(rq->method_name);
	rq->content_length = content_length(length);
	if (rq->content_length == -1 && coding)
		rq->content_length = LENGTH_UNKNOWN;
	rq->body = strcmp(body, "asked") == 0 ? BODY_ASKED : strcmp(body, "withheld") == 0 ? BODY_WITHHELD : BODY_HERE;
	if (rq->content_type && !rq->content_type[0])
		rq->content_type = NULL;
	rq->client = network_client(http->trusted, rq->client, forwarded, http->client);
	rq->path_length = strcspn(rq->target, "?");
	rq->query = rq->target[rq->path_length] == '?' ? rq->target + rq->path_length + 1 : NULL;
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

/*
 * Reads what is left of a CGI body. Apache's mod_cgid sends all of it before it looks at the answer, over one socket: if we
 * ended before that, the answer would be lost. (libfcgi does the same for FastCGI.)
 */
static void
drain(struct http *http)
{
	char trash[16384];
	ssize_t n;

	for (int64_t most = DRAIN; http->unread > 0 && most > 0; most -= n) {
		n = read_some(http, trash, http->unread < (int64_t)sizeof(trash) ? (size_t)http->unread : sizeof(trash));
		if (n <= 0)
			break;
		count_bytes((size_t)n);
	}
}

static void
leave(struct http *http, size_t place)
{
	if (http->lingering[place] < 0)
		return;
	close(http->lingering[place]);
	http->lingering[place] = -1;
	http->lingering_count--;
}

/*
 * Keeps our end of a connection whose body is still coming, beyond the answer. Apache sends on what a slow client sends, and
 * tells it 503 instead of our answer when that fails; reading on would hold a worker as long as the client likes.
 */
static void
linger(struct http *http)
{
	size_t place = http->lingering_next++ % LINGERING;

	leave(http, place);
	http->lingering[place] = fcntl(http->fcgi.ipcFd, F_DUPFD_CLOEXEC, 3);
	http->lingering_count += http->lingering[place] >= 0;
}

static void
finish(struct http *http)
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

/* Waits for a connection or a stop signal, as ppoll() does, and closes meanwhile what the web server has closed. */
static int
wait_for_request(struct http *http, struct pollfd *listening, const struct timespec *wait)
{
	struct pollfd all[1 + LINGERING];

	if (http->lingering_count == 0)
		return ppoll(listening, 1, wait, &http->waiting);
	all[0] = *listening;
	for (size_t i = 0; i < LINGERING; i++)
		all[1 + i] = (struct pollfd){ .fd = http->lingering[i] };
	int ready = ppoll(all, COUNT(all), wait, &http->waiting);
	for (size_t i = 0; i < LINGERING && ready > 0; i++)
		if (all[1 + i].revents)
			leave(http, i);
	*listening = all[0];
	return ready;
}

/*
 * Accepts a connection and reads the request up to its body. libfcgi would accept it too, but takes a signal meanwhile for the end of
 * the connection: the watchdog's. Given a connection, as if one was kept open, it only reads.
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

static void
await_body(struct http *http, const struct http_request *request)
{
	http->unread = request->content_length < -1 ? INT64_MAX : request->body == BODY_ASKED ? 0 : request->content_length;
}

enum http_event
http_next(struct http *http, struct http_request *request)
{
	static const struct timespec at_once;
	struct pollfd listening = { .fd = STDIN_FILENO, .events = POLLIN };

	finish(http);
	if (http->cgi) {
		if (http->served)
			return HTTP_STOP;
		http->served = http->open = true;
		busy = 1;
		read_environment(http, environ, request);
		await_body(http, request);
		return HTTP_REQUEST;
	}
	while (!stopping) {
		/*
		 * The only place where a stop signal gets in: never between accept() and the answer. While the log holds lines
		 * this only looks: nothing at hand is the time to write them.
		 */
		int ready = wait_for_request(http, &listening, log_waits() ? &at_once : NULL);
		if (ready < 0 && errno != EINTR)
			return HTTP_FAILED;
		if (ready == 0)
			log_flush();
		if (ready <= 0 || !listening.revents)
			continue;
		if (listening.revents & (POLLERR | POLLNVAL))
			return HTTP_FAILED;
		http->open = accept_request(http);
		if (!http->open) {
			busy = 0;
			continue;	/* another worker was faster, or the peer went away */
		}
		read_environment(http, http->fcgi.envp, request);
		await_body(http, request);
		return HTTP_REQUEST;
	}
	return HTTP_STOP;
}

/* A body that ends where it ends. */
static char *
endless_body(struct http *http, struct arena *arena, int64_t *length, int64_t limit)
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
		return endless_body(http, arena, length, limit);
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

ptrdiff_t
http_read(struct http *http, void *out, size_t room)
{
	ptrdiff_t n = read_some(http, out, room);

	if (n > 0)
		count_bytes((size_t)n);
	return n;
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

static bool
write_all(struct http *http, const char *bytes, size_t length)
{
	if (!http->cgi)
		return FCGX_PutStr(bytes, (int)length, http->fcgi.out) == (int)length;
	while (length > 0) {
		ssize_t n = write(STDOUT_FILENO, bytes, length);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
	return true;
}

bool
http_begin(struct http *http, const struct buf *head)
{
	return write_all(http, head->s, head->length) && write_all(http, "\r\n", 2);
}

bool
http_write(struct http *http, const char *bytes, size_t length)
{
	bool good = write_all(http, bytes, length);

	if (good)
		count_bytes(length);
	return good;
}

void
http_end(struct http *http)
{
	finish(http);
}

void
http_send(struct http *http, const struct buf *head, const char *body, size_t length)
{
	/* A failure means that the client is gone: there is nobody left to tell. */
	if (http_begin(http, head))
		(void)!http_write(http, body, length);
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
	size_t length = strlen(type);	/* RFC 9110 section 8.3.1 */

	return content_type && strncasecmp(content_type, type, length) == 0 && strchr("; \t", content_type[length]) != NULL;
}
