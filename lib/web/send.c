#include "send.h"

#include "csv.h"
#include "etag.h"
#include "json_write.h"
#include "log.h"
#include "origin.h"
#include "range.h"
#include "s3.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A status line of CGI (RFC 3875 section 6.3.3) with the reason phrases of RFC 9110 and RFC 6585. */
static const char *
status_line(int status)
{
	switch (status) {
	case 200: return "Status: 200 OK\r\n";
	case 201: return "Status: 201 Created\r\n";
	case 204: return "Status: 204 No Content\r\n";
	case 206: return "Status: 206 Partial Content\r\n";
	case 302: return "Status: 302 Found\r\n";
	case 304: return "Status: 304 Not Modified\r\n";
	case 400: return "Status: 400 Bad Request\r\n";
	case 401: return "Status: 401 Unauthorized\r\n";
	case 403: return "Status: 403 Forbidden\r\n";
	case 404: return "Status: 404 Not Found\r\n";
	case 405: return "Status: 405 Method Not Allowed\r\n";
	case 409: return "Status: 409 Conflict\r\n";
	case 412: return "Status: 412 Precondition Failed\r\n";
	case 413: return "Status: 413 Content Too Large\r\n";
	case 415: return "Status: 415 Unsupported Media Type\r\n";
	case 416: return "Status: 416 Range Not Satisfiable\r\n";
	case 429: return "Status: 429 Too Many Requests\r\n";
	case 503: return "Status: 503 Service Unavailable\r\n";
	default: return "Status: 500 Internal Server Error\r\n";
	}
}

static void
header(struct buf *head, const char *name, const char *value)
{
	buf_puts(head, name);
	buf_put(head, ": ", 2);
	buf_puts(head, value);
	buf_put(head, "\r\n", 2);
}

static void
header_int(struct buf *head, const char *name, int64_t value)
{
	buf_puts(head, name);
	buf_put(head, ": ", 2);
	buf_int(head, value);
	buf_put(head, "\r\n", 2);
}

/* ---- what every response begins with */

/* Lets pages of the configured origins send the request and read the response (WHATWG Fetch). */
static void
cors_headers(struct buf *head, const struct request *rq, const char *allow)
{
	if (!rq->http.origin || !origin_in(rq->conf->origins, rq->http.origin))
		return;
	header(head, "Access-Control-Allow-Origin", rq->http.origin);
	header(head, "Access-Control-Expose-Headers",
		"Accept-Ranges, Content-Disposition, Content-Language, Content-Range, ETag, Retry-After, X-Request-Id");
	if (rq->http.method == OPTIONS && allow) {
		header(head, "Access-Control-Allow-Methods", allow);
		header(head, "Access-Control-Allow-Headers",
			"Accept-Language, Authorization, Content-Type, If-Match, If-None-Match, If-Range, Range, X-Request-Id");
		header(head, "Access-Control-Max-Age", "600");
	}
}

/* `personal`: a cache may store it, for requests with the same token and language (Vary: RFC 9110 section 12.5.5). */
static void
begin_head(struct buf *head, const struct request *rq, int status, const char *allow, bool personal)
{
	bool origins = rq->conf->origins[0];

	buf_reset(head, SIZE_MAX);
	buf_puts(head, status_line(status));
	header(head, "X-Request-Id", rq->request_id);
	buf_puts(head, "X-Content-Type-Options: nosniff\r\n");
	if (allow)
		header(head, "Allow", allow);
	if (personal)
		header(head, "Vary", origins ? "Authorization, Accept-Language, Origin" : "Authorization, Accept-Language");
	else if (origins)
		header(head, "Vary", "Origin");
	cors_headers(head, rq, allow);
}

/* JSON and tables are data, which no page of another site may show in a frame. */
#define DATA_POLICY "Content-Security-Policy: frame-ancestors 'none'\r\n"

/* ---- the envelope */

static void
end_envelope(struct request *rq)
{
	json_put_end_list(rq->out);
	json_put_time(rq->out, "timestamp", rq->now);
	json_put_end_object(rq->out);
}

/* The list of the errors stays open. */
static void
begin_error(struct request *rq, int status)
{
	json_put_object(rq->out, NULL);
	json_put_bool(rq->out, "isSuccess", false);
	json_put_int(rq->out, "statusCode", status);
	json_put_null(rq->out, "data");
	json_put_list(rq->out, "errors");
}

static void
put_error(struct request *rq, const struct response *response)
{
	enum error error = response->error;
	struct buf text = { .arena = rq->arena };
	size_t count = 0;

	buf_reset(rq->out, SIZE_MAX);
	begin_error(rq, response->status);
	if (error == ERROR_BAD_FIELDS || error == ERROR_FILE_TOO_LARGE || error == ERROR_FILE_WRONG_TYPE) {
		for (const struct fault *fault = rq->faults.first; fault && count < FAULTS_TOLD; fault = fault->next, count++)
			json_put_text(rq->out, NULL, fault->text);
		if (rq->faults.count > count)
			json_put_text(rq->out, NULL, sentence(S_MORE_FAULTS, rq->language));
	} else {
		buf_sentence(&text, error_sentence(error), rq->language, response->argument);
		json_put_text(rq->out, NULL, text.s);
	}
	end_envelope(rq);
}

/* 304, whose data the client has; or 204 for OPTIONS, whose response is in the headers. */
static int
send_empty(struct http *http, struct request *rq, int status, const char *allow, struct buf *head)
{
	begin_head(head, rq, status, allow, status == 304);
	header(head, "Cache-Control", status == 304 ? "private, no-cache" : "no-store");
	if (status == 304)
		header(head, "ETag", rq->etag);
	http_send(http, head, "", 0);
	return status;
}

static int
send_envelope(struct http *http, struct request *rq, const struct response *response, struct buf *head)
{
	bool tagged = etag_put(rq, response), cacheable = tagged && rq->route->method == GET;
	int status = response->status;

	if (cacheable && (status == 304 || etag_known(rq)))
		return send_empty(http, rq, 304, NULL, head);
	if (response->error) {
		put_error(rq, response);
	} else {
		json_put_list(rq->out, "errors");
		end_envelope(rq);
	}
	if (rq->out->failed) {
		log_line(LOG_FAULT, "out of memory for a response");
		buf_clear(rq->out);
		begin_error(rq, 503);
		json_put_text(rq->out, NULL, "out of memory");
		end_envelope(rq);
		status = 503;
		tagged = cacheable = false;
	}
	begin_head(head, rq, status, response->allow, cacheable);
	buf_puts(head, "Content-Type: application/json; charset=utf-8\r\n" DATA_POLICY);
	header(head, "Cache-Control", cacheable ? "private, no-cache" : "no-store");
	if (tagged)
		header(head, "ETag", rq->etag);
	header(head, "Content-Language", language_code(rq->language));
	if (status == 401)
		header(head, "WWW-Authenticate",
			response->error == ERROR_BAD_TOKEN ? "Bearer error=\"invalid_token\"" : "Bearer");
	if (status == 416) /* RFC 9110 section 15.5.17: with the size, the client can ask again */
		buf_printf(head, "Content-Range: bytes */%lld\r\n", (long long)response->file_size);
	if (response->retry_after || status == 503)
		header_int(head, "Retry-After", response->retry_after ? response->retry_after : 1);
	header_int(head, "Content-Length", (int64_t)rq->out->length);
	http_send(http, head, rq->out->s, rq->http.method == HEAD ? 0 : rq->out->length);
	return status;
}

/* ---- files */

/* The internal location of nginx (see conf/nginx) for a file of ours; NULL when there is none. */
static const char *
accel_path(const struct request *rq, const char *path)
{
	const struct {
		const char *folder, *location;
	} places[] = {
		{ rq->conf->share, "/_share" },
		{ rq->conf->data, "/_data" },
	};

	for (size_t i = 0; i < COUNT(places); i++) {
		size_t length = strlen(places[i].folder);
		if (strncmp(path, places[i].folder, length) == 0 && path[length] == '/')
			return arena_format(rq->arena, "%s%s", places[i].location, path + length);
	}
	return NULL;
}

/*
 * nginx gets Cache-Control and Content-Disposition under names of ours, which its configuration translates: otherwise
 * it would also add them to its own responses when the file is missing, or when a range or a condition fails.
 */
static void
file_head(struct buf *head, const struct request *rq, const struct response *response, int status, bool accel)
{
	begin_head(head, rq, status, NULL, false);
	/* URLs of files contain signatures, which no other site may read in a Referer. */
	buf_puts(head, "Referrer-Policy: no-referrer\r\n");
	if (status != 304)
		header(head, "Content-Type", response->file_type);
	header(head, accel ? "X-Okul-Cache-Control" : "Cache-Control", response->file_cache ? response->file_cache : "no-cache");
	if (response->file_disposition)
		header(head, accel ? "X-Okul-Disposition" : "Content-Disposition", response->file_disposition);
	/* nginx adds this itself to the uploads that it sends. */
	if (response->file_disposition && !accel)
		buf_puts(head, "Content-Security-Policy: default-src 'none'; sandbox\r\n");
	/* Our pages have their style and script inline, load nothing, and send requests to this server only. */
	if (strncmp(response->file_type, "text/html", 9) == 0)
		buf_puts(head,
			"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
			"script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n");
	else if (!response->file_disposition)
		buf_puts(head, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n");
}

static int
file_error(struct http *http, struct request *rq, struct buf *head, enum error error, int64_t size)
{
	struct response failed = response_error(rq, error);

	failed.file_size = size;
	return send_envelope(http, rq, &failed, head);
}

static void
file_tag(struct buf *head, const char *etag, int64_t changed)
{
	char text[30];

	clock_http_text(changed, text);
	header(head, "ETag", etag);
	header(head, "Last-Modified", text);
	buf_puts(head, "Accept-Ranges: bytes\r\n");
}

/* `file` -1: without the bytes. */
static void
send_part(struct http *http, struct buf *head, int file, const struct range *range, int64_t size)
{
	header_int(head, "Content-Length", range->length);
	if (range->status == 206)
		buf_printf(head, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)range->from,
			(long long)(range->from + range->length - 1), (long long)size);
	if (file >= 0 && lseek(file, range->from, SEEK_SET) == range->from)
		(void)http_send_file(http, head, file, range->length);
	else
		http_send(http, head, "", 0);
}

static int
send_file(struct http *http, struct request *rq, const struct response *response, struct buf *head)
{
	const char *accel = rq->conf->delivery == DELIVER_X_ACCEL ? accel_path(rq, response->file) : NULL;
	struct stat st;
	int file = -1;

	if (stat(response->file, &st) != 0) {
		log_line(LOG_FAULT, "file_missing path=%s", response->file);
		return file_error(http, rq, head, ERROR_INTERNAL, 0);
	}
	const char *etag = etag_of_file(rq->arena, &st);
	int64_t changed = (int64_t)st.st_mtim.tv_sec * SECOND;
	struct range range = range_of(&rq->http, etag, changed, st.st_size);
	if (range.status == 412)
		return file_error(http, rq, head, ERROR_PRECONDITION_FAILED, st.st_size);
	if (range.status == 416)
		return file_error(http, rq, head, ERROR_NO_SUCH_RANGE, st.st_size);
	/* HEAD is answered here: nginx would apply its Range, which is defined for GET only (RFC 9110 section 14.2). */
	bool body = range.status != 304 && rq->http.method == GET;
	bool web = body && (accel || rq->conf->delivery == DELIVER_X_SENDFILE);
	if (body && !web && (file = open(response->file, O_RDONLY | O_CLOEXEC)) < 0) {
		log_line(LOG_FAULT, "file_unreadable path=%s error=%s", response->file, strerror(errno));
		return file_error(http, rq, head, ERROR_INTERNAL, 0);
	}
	file_head(head, rq, response, web ? response->status : range.status, accel && web);
	/* nginx makes the tag itself; Apache's mod_xsendfile takes ours, and without one would send "0" for each file. */
	if (!(web && accel))
		file_tag(head, etag, changed);
	if (web)
		header(head, accel ? "X-Accel-Redirect" : "X-Sendfile", accel ? accel : response->file);
	if (web || range.status == 304)
		http_send(http, head, "", 0);
	else
		send_part(http, head, file, &range, st.st_size);
	if (file >= 0)
		close(file);
	return range.status;
}

/* ---- files in S3 */

#define S3_PLACE "/_s3" /* the internal location of nginx that passes on what is behind it to files_endpoint */

static void
put_link(struct buf *head, struct request *rq, const struct response *response, bool proxy)
{
	const char *cache = response->file_cache ? response->file_cache : "no-cache";
	const char *link = proxy
		? s3_link(rq->arena, rq->conf, response->file_object, response->file_type, NULL, NULL)
		: s3_link(rq->arena, rq->conf, response->file_object, response->file_type, response->file_disposition, cache);

	if (proxy)
		buf_printf(head, "X-Accel-Redirect: " S3_PLACE "%s\r\n", link);
	else
		buf_printf(head, "Location: %s%s\r\nCache-Control: no-store\r\n", rq->conf->files_endpoint, link);
}

/*
 * Conditions and ranges are decided here in both ways of delivery, by the row: the storage is not asked, and its own tag is
 * not shown. The proxy gets the one range that is to be sent. A redirect is followed with the client's range, which the
 * storage answers.
 */
static int
send_object(struct http *http, struct request *rq, const struct response *response, struct buf *head)
{
	const char *etag = etag_of_object(rq->arena, response);
	bool proxy = rq->conf->delivery == DELIVER_X_ACCEL && rq->conf->files_delivery == FILES_PROXY;
	struct range range = range_of(&rq->http, etag, response->file_changed, response->file_size);
	bool body = range.status != 304 && rq->http.method == GET;
	int status = body && !proxy ? 302 : body ? 200 : range.status;

	if (range.status == 412)
		return file_error(http, rq, head, ERROR_PRECONDITION_FAILED, response->file_size);
	if (range.status == 416)
		return file_error(http, rq, head, ERROR_NO_SUCH_RANGE, response->file_size);
	if (status == 302) {
		begin_head(head, rq, status, NULL, false);
		buf_puts(head, "Referrer-Policy: no-referrer\r\nContent-Type: text/plain; charset=utf-8\r\n");
		put_link(head, rq, response, false);
		header_int(head, "Content-Length", 0);
		http_send(http, head, "", 0);
		return status;
	}
	file_head(head, rq, response, status, body);
	if (!body) {
		file_tag(head, etag, response->file_changed);
	} else {
		char changed[30];
		clock_http_text(response->file_changed, changed);
		header(head, "X-Okul-ETag", etag);
		header(head, "X-Okul-Last-Modified", changed);
		if (range.status == 206)
			buf_printf(head, "X-Okul-Range: bytes=%lld-%lld\r\n", (long long)range.from,
				(long long)(range.from + range.length - 1));
		put_link(head, rq, response, true);
	}
	if (body || range.status == 304)
		http_send(http, head, "", 0);
	else
		send_part(http, head, -1, &range, response->file_size);
	return range.status;
}

/* ---- tables */

#define TABLE_PAGE 2000		/* rows for each run of the statement: few enough to be sorted in memory */
#define TABLE_PIECE (32 * 1024) /* bytes that are sent at once */
#define TABLE_TIME (10 * SECOND)

/* With the semicolon as separator the comma is the decimal sign: a spreadsheet would read 12.05 as a date. */
static void
put_decimal(struct buf *out, double number, char separator)
{
	size_t start = out->length;

	buf_number(out, number);
	char *point = separator == ';' && !out->failed ? strchr(out->s + start, '.') : NULL;
	if (point)
		*point = ',';
}

static void
put_cell(struct buf *out, const struct table *table, const struct field *field, const struct db_rows *rows, int column)
{
	char time[CLOCK_TEXT];

	if (db_is_null(rows, column))
		return;
	switch (field->type) {
	case FIELD_INT: buf_int(out, db_int(rows, column)); break;
	case FIELD_NUMBER: put_decimal(out, db_real(rows, column), table->separator); break;
	case FIELD_BOOL: buf_puts(out, db_flag(rows, column) ? "true" : "false"); break;
	case FIELD_TIME:
		clock_text(db_int(rows, column), time);
		buf_puts(out, time);
		break;
	default: buf_csv(out, db_text(rows, column));
	}
}

/* A line: the names of the fields, or with `rows` the values of the current row. */
static void
put_line(struct buf *out, const struct table *table, const struct db_rows *rows)
{
	struct field_walk walk = { 0 };
	const struct field *field;

	for (int column = 0; (field = field_next(&walk, table->shape)); column++) {
		if (column > 0)
			buf_putc(out, table->separator);
		if (rows)
			put_cell(out, table, field, rows, column);
		else
			buf_csv(out, field->name);
	}
	buf_puts(out, "\r\n");
}

/* Sends the rows of one run of the statement. Returns their number, or -1 when the client has disconnected. */
static int64_t
send_page(struct http *http, struct request *rq, const struct table *table, int64_t offset)
{
	struct value values[ARGS_MAX + 2];
	struct db_rows *rows;
	int64_t count = 0;
	size_t args = table->args.count;

	memcpy(values, table->args.values, args * sizeof(*values));
	values[args] = value_int(table->walk || db_sorts_itself(rq->db) ? INT64_MAX : TABLE_PAGE);
	values[args + 1] = value_int(offset);
	enum db_rc rc = db_one(rq->db, &rows, table->sql, (struct args){ values, args + 2 });
	for (; rc == DB_ROW; rc = db_next(rows), count++) {
		put_line(rq->out, table, rows);
		if (rq->out->length < TABLE_PIECE)
			continue;
		if (!http_write(http, rq->out->s, rq->out->length))
			return -1;
		buf_reset(rq->out, SIZE_MAX);
	}
	db_end(rows);
	return count;
}

static int
send_table(struct http *http, struct request *rq, const struct response *response, struct buf *head)
{
	const struct table *table = response->table;
	int64_t offset = 0, count = TABLE_PAGE;

	begin_head(head, rq, response->status, NULL, false);
	buf_puts(head, "Content-Type: text/csv; charset=utf-8\r\n" DATA_POLICY);
	header(head, "Cache-Control", "no-store");
	buf_printf(head, "Content-Disposition: attachment; filename=\"%s.csv\"\r\n", table->name);
	buf_reset(rq->out, SIZE_MAX);
	buf_puts(rq->out, "\xEF\xBB\xBF"); /* without a byte order mark Excel does not recognize UTF-8 */
	put_line(rq->out, table, NULL);
	db_timeout(rq->db, TABLE_TIME);
	bool connected = http_begin(http, head);
	for (; connected && rq->http.method != HEAD && count == TABLE_PAGE; offset += TABLE_PAGE)
		connected = (count = send_page(http, rq, table, offset)) >= 0;
	if (db_failure(rq->db) != DB_DONE)
		buf_puts(rq->out, "# incomplete: the server could not read all rows\r\n");
	if (connected && rq->http.method != HEAD)
		(void)!http_write(http, rq->out->s, rq->out->length);
	http_end(http);
	return response->status;
}

int
send_response(struct http *http, struct request *rq, const struct response *response, struct buf *head)
{
	if (response->status == 204)
		return send_empty(http, rq, 204, response->allow, head);
	if (response->file_object && !response->error)
		return send_object(http, rq, response, head);
	if (response->file && !response->error)
		return send_file(http, rq, response, head);
	if (response->table && !response->error)
		return send_table(http, rq, response, head);
	return send_envelope(http, rq, response, head);
}
