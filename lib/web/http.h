/*
 * http - a request and its answer on the wire: FastCGI where the process was given a listening socket as standard
 * input, plain CGI (RFC 3875) otherwise.
 */
#ifndef OKUL_HTTP_H
#define OKUL_HTTP_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "network.h"

enum method { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, OTHER_METHOD };

/*
 * Where the body of a request is. A web server that would keep large bodies on its disk asks first, by the parameter
 * OKUL_BODY, which no header can set.
 */
enum http_body {
	BODY_HERE,		/* it follows; also where there is none */
	BODY_ASKED,		/* may it be taken? The answer is 204 or 403, of no interest to the client */
	BODY_WITHHELD,		/* it may not: the client is to be told why */
};

/* Everything is borrowed from the transport or the arena until http_send(). Missing headers are NULL. */
struct http_request {
	enum method method;
	const char *method_name;
	const char *target;		/* path and query as they came (origin form) */
	size_t path_length;		/* bytes of the target before '?' */
	const char *query;		/* behind '?'; NULL for none */
	const char *content_type;
	int64_t content_length;		/* -1: no body; or one of these: */
	enum http_body body;
	const char *authorization;
	const char *accept_language;
	const char *request_id;		/* as sent */
	const char *client;		/* REMOTE_ADDR, or whom proxies that are believed name */
	const char *user_agent;
	const char *origin;
	const char *if_match, *if_none_match;
	const char *if_modified_since, *if_unmodified_since;
	const char *range, *if_range;
};

#define LENGTH_MALFORMED (-2)
#define LENGTH_UNKNOWN (-3)		/* a body without it: it ends where http_read() gives 0 */

enum http_event {
	HTTP_REQUEST,		/* one is ready */
	HTTP_STOP,		/* SIGTERM came, or the CGI request is over */
	HTTP_FAILED,		/* the listening socket is unusable */
};

struct http;

/* True when a web server has started this process for one CGI request (RFC 3875), whatever program it is. */
bool http_cgi_environment(void);
/* Takes over standard input. `trusted` are the proxies in front. Blocks SIGTERM, SIGINT and SIGHUP outside http_next(). */
must_use struct http *http_open(const struct network_list *trusted);
bool http_is_cgi(const struct http *http);
/* Waits for a request and fills it in. Whatever the last request held is gone. */
must_use enum http_event http_next(struct http *http, struct http_request *request);
/*
 * Reads the body into the arena, NUL-terminated: *length bytes, at most `limit`. NULL when fewer came (the client went away) or
 * the length is over `limit`. LENGTH_UNKNOWN becomes the length that came; limit + 1, and NULL, for more than the limit.
 */
must_use char *http_body(struct http *http, struct arena *arena, int64_t *length, int64_t limit);
/*
 * Reads the next piece of a body that is too large for memory: gives its bytes, 0 at the end of what came, -1 when the
 * client went away. The caller holds the sum against content_length.
 */
must_use ptrdiff_t http_read(struct http *http, void *out, size_t room);
/* True from a connection's coming to the end of its request, also inside http_next(). For signal handlers. */
bool http_busy(void);
/* Changes with each connection. Likewise. */
int http_connections(void);
/* Grows while a body is read by http_read() or an answer is written: what is long is not stuck. Likewise. */
int http_progress(void);
/* Sends the header block (each line ended by CRLF, "Status:" first, no blank line) and the body. Ends the request. */
void http_send(struct http *http, const struct buf *head, const char *body, size_t length);
/* The same in steps, for an answer that is made while it is sent: head, pieces, end. False when the client went away. */
must_use bool http_begin(struct http *http, const struct buf *head);
must_use bool http_write(struct http *http, const char *bytes, size_t length);
void http_end(struct http *http);
/* Sends head, then `length` bytes of the open file from its offset. False when the client went away. */
bool http_send_file(struct http *http, const struct buf *head, int file, int64_t length);
const char *http_method_name(enum method method);
/* True when the value of a Content-Type (NULL: none) is that media type, with or without parameters; case does not count. */
bool http_is_type(const char *content_type, const char *type);

#endif
