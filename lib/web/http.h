/*
 * http - requests and responses on the wire: FastCGI when standard input is a listening socket, else CGI (RFC 3875).
 */
#ifndef OKUL_HTTP_H
#define OKUL_HTTP_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "network.h"

enum method { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, OTHER_METHOD };

/*
 * Where the body of a request is. A web server that would buffer large bodies on its disk first asks whether it
 * should, by the parameter OKUL_BODY, which no header can set.
 */
enum http_body {
	BODY_HERE,		/* it follows, or there is none */
	BODY_ASKED,		/* the web server asks: 204 accepts the body, 403 refuses it; the client sees neither */
	BODY_WITHHELD,		/* it was refused; this response tells the client why */
};

/* Everything is borrowed from the transport or the arena until http_send(). Missing headers are NULL. */
struct http_request {
	enum method method;
	const char *method_name;
	const char *target;		/* path and query as received (origin form) */
	size_t path_length;		/* bytes of the target before '?' */
	const char *query;		/* after '?'; NULL for none */
	const char *content_type;
	int64_t content_length;		/* -1: no body; or one of these: */
	enum http_body body;
	const char *authorization;
	const char *accept_language;
	const char *request_id;		/* as sent */
	const char *client;		/* REMOTE_ADDR, or the address that trusted proxies report */
	const char *user_agent;
	const char *origin;
	const char *if_match, *if_none_match;
	const char *if_modified_since, *if_unmodified_since;
	const char *range, *if_range;
};

#define LENGTH_MALFORMED (-2)
#define LENGTH_UNKNOWN (-3)		/* a body without a length: it ends when http_read() returns 0 */

enum http_event {
	HTTP_REQUEST,		/* one is ready */
	HTTP_STOP,		/* SIGTERM, or the CGI request is done */
	HTTP_FAILED,		/* the listening socket is unusable */
};

struct http;

/* True when a web server has started this process for one CGI request (RFC 3875); for any program. */
bool http_cgi_environment(void);
/*
 * Takes over standard input. `trusted` are the proxies in front. Blocks SIGTERM, SIGINT and SIGHUP outside
 * http_next(). NULL when the listening socket is unusable.
 */
must_use struct http *http_open(const struct network_list *trusted);
bool http_is_cgi(const struct http *http);
/* Waits for a request and fills it in. What the last request held is released. */
must_use enum http_event http_next(struct http *http, struct http_request *request);
/*
 * Reads the body into the arena, NUL-terminated: *length bytes, at most `limit`. NULL when fewer arrived (the client
 * disconnected) or *length is over `limit`. LENGTH_UNKNOWN is replaced by the length read, by limit + 1 for too many.
 */
must_use char *http_body(struct http *http, struct arena *arena, int64_t *length, int64_t limit);
/*
 * Reads the next piece of a body that is too large for memory. Returns its bytes, 0 at the end, -1 when the client
 * disconnected. The caller compares the sum with content_length.
 */
must_use ptrdiff_t http_read(struct http *http, void *out, size_t room);
/* For the signal handler of the watchdog: true from accept() to the end of the request, also inside http_next(). */
bool http_busy(void);
/* For the same: changes with each connection. */
int http_connections(void);
/* For the same: grows while http_read() reads a body or a response is written, since a slow transfer is not a hang. */
int http_progress(void);
/* Sends the header block (each line ended by CRLF, "Status:" first, no blank line) and the body. Ends the request. */
void http_send(struct http *http, const struct buf *head, const char *body, size_t length);
/* The same in steps: head, pieces, end. False when the client disconnected. */
must_use bool http_begin(struct http *http, const struct buf *head);
must_use bool http_write(struct http *http, const char *bytes, size_t length);
void http_end(struct http *http);
/* Sends head, then `length` bytes of the file from its offset. False when the client disconnected or it is shorter. */
bool http_send_file(struct http *http, const struct buf *head, int file, int64_t length);
/* "GET" and so on; "OTHER". */
const char *http_method_name(enum method method);
/* True when the value of a Content-Type (NULL: none) is that media type, with or without parameters, in any case. */
bool http_is_type(const char *content_type, const char *type);

#endif
