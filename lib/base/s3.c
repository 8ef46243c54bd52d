#include "s3.h"

#include "clock.h"
#include "guard.h"
#include "libcurl.h"
#include "log.h"
#include "random.h"
#include "sigv4.h"
#include "text.h"

#include <strings.h>
#include <time.h>
#include <unistd.h>

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define TEXT_MAX (4 << 20) /* bytes of an answer that is kept: a page of keys, or an error */
#define HASH_TEXT 64

/* One request and what came back. */
struct call {
	const char *method, *key, *query;
	int file; /* of a PUT */
	int64_t size;
	const char *sha256; /* of the body */
	bool (*sink)(void *context, const void *bytes, size_t length);
	void *context;
	CURL *curl;
	struct buf text; /* the body, unless sink takes it */
	long status;
	int64_t length, date, changed;
	char error[CURL_ERROR_SIZE]; /* more than curl_easy_strerror() says */
};

static char reason[400];
static volatile int progress;
static int64_t deadline;

const char *
s3_reason(void)
{
	return reason;
}

int
s3_progress(void)
{
	return progress;
}

void
s3_deadline(int64_t ticks)
{
	deadline = ticks;
}

/* Seconds between two times of the storage. A test moves okul's clock, and cannot move that one. */
static int64_t
age(int64_t date, int64_t changed)
{
#ifdef OKUL_TEST
	date += clock_now() / SECOND - (int64_t)time(NULL);
#endif
	return date - changed;
}

/* ---- callbacks of libcurl */

static size_t
on_read(char *out, size_t size, size_t count, void *user)
{
	struct call *call = user;
	ssize_t n = read(call->file, out, size * count);

	progress++;
	return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

static size_t
on_write(char *bytes, size_t size, size_t count, void *user)
{
	struct call *call = user;
	size_t length = size * count;

	progress++;
	lc.curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &call->status);
	if (call->sink && call->status / 100 == 2)
		return call->sink(call->context, bytes, length) ? length : 0;
	if (call->text.length + length <= TEXT_MAX)
		buf_put(&call->text, bytes, length);
	return length;
}

static int64_t
http_time(const char *text)
{
	struct tm tm = { 0 };

	return strptime(text, "%a, %d %b %Y %H:%M:%S", &tm) ? (int64_t)timegm(&tm) : 0;
}

static size_t
on_header(char *line, size_t size, size_t count, void *user)
{
	struct call *call = user;
	char text[128];
	size_t length = size * count;

	progress++;
	snprintf(text, sizeof(text), "%.*s", (int)(length < 120 ? length : 120), line);
	if (strncasecmp(text, "Date: ", 6) == 0)
		call->date = http_time(text + 6);
	else if (strncasecmp(text, "Last-Modified: ", 15) == 0)
		call->changed = http_time(text + 15);
	else if (strncasecmp(text, "Content-Length: ", 16) == 0)
		call->length = strtoll(text + 16, NULL, 10);
	return length;
}

/* ---- requests */

static CURL *
connection(void)
{
	static CURL *curl;

	if (!curl && libcurl_load(reason, sizeof(reason)) && !(curl = lc.curl_easy_init()))
		snprintf(reason, sizeof(reason), "out of memory");
	if (curl)
		lc.curl_easy_reset(curl); /* keeps the connection */
	return curl;
}

/* Milliseconds. */
static long
most_time(const struct call *call)
{
	int64_t most = (S3_TIME + call->size / S3_PACE) * 1000, left = (deadline - clock_ticks()) / 1000;

	if (deadline && left < most)
		most = left > 1 ? left : 1;
	return (long)most;
}

static void
prepare(const struct conf *conf, struct call *call, const char *url, struct curl_slist *headers)
{
	CURL *curl = call->curl;
	char provider[128];

	snprintf(provider, sizeof(provider), "aws:amz:%s:s3", conf->files_region);
	lc.curl_easy_setopt(curl, CURLOPT_URL, url);
	lc.curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	lc.curl_easy_setopt(curl, CURLOPT_PROXY, "");
	lc.curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lc.curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 2000L);
	lc.curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, most_time(call));
	lc.curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, call->error);
	if (conf->files_ca[0])
		lc.curl_easy_setopt(curl, CURLOPT_CAINFO, conf->files_ca);
	lc.curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, provider);
	lc.curl_easy_setopt(curl, CURLOPT_USERNAME, conf->files_key_id);
	lc.curl_easy_setopt(curl, CURLOPT_PASSWORD, conf->files_secret);
	lc.curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	lc.curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_write);
	lc.curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
	lc.curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
	lc.curl_easy_setopt(curl, CURLOPT_HEADERDATA, call);
	if (strcmp(call->method, "HEAD") == 0)
		lc.curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	if (strcmp(call->method, "PUT") == 0) {
		lc.curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		lc.curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)call->size);
		lc.curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
		lc.curl_easy_setopt(curl, CURLOPT_READDATA, call);
	} else if (strcmp(call->method, "DELETE") == 0) {
		lc.curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "DELETE");
	}
}

/* The text between <name> and </name> behind `from`; false when there is none or it is too long. */
static bool
element(const char *from, const char *name, char *out, size_t room)
{
	char tag[40];

	out[0] = '\0';
	snprintf(tag, sizeof(tag), "<%s>", name);
	const char *start = from ? strstr(from, tag) : NULL;
	if (!start)
		return false;
	start += strlen(tag);
	size_t length = strcspn(start, "<");
	if (length >= room)
		return false;
	memcpy(out, start, length);
	out[length] = '\0';
	return true;
}

/* What an operator has to change. */
static const char *
remedy(const char *code, long status)
{
	static const struct {
		const char *code, *remedy;
	} known[] = {
		{ "InvalidAccessKeyId", "files_key_id is wrong" },
		{ "SignatureDoesNotMatch", "files_key_id, files_secret or files_region is wrong" },
		{ "AuthorizationHeaderMalformed", "files_region is wrong" },
		{ "NoSuchBucket", "the bucket of files does not exist; create it" },
		{ "RequestTimeTooSkewed", "the clock of this machine is wrong; set it (timedatectl)" },
		{ "XAmzContentSHA256Mismatch", "the bytes were damaged on the way" },
		{ "BadDigest", "the bytes were damaged on the way" },
		{ "AccessDenied", "files_key_id is wrong, or may not use the bucket" },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i].code, code) == 0)
			return known[i].remedy;
	return status == 403 ? "files_key_id, files_secret or files_region is wrong"
			     : "check files_endpoint and files of okul.conf";
}

static enum s3_rc
outcome(const struct conf *conf, struct call *call, CURLcode rc)
{
	char code[64], message[120];

	lc.curl_easy_getinfo(call->curl, CURLINFO_RESPONSE_CODE, &call->status);
	if (rc == CURLE_OK && call->status / 100 == 2)
		return S3_DONE;
	(void)!element(call->text.s, "Code", code, sizeof(code));
	(void)!element(call->text.s, "Message", message, sizeof(message));
	if (rc == CURLE_OK && call->status == 404 && strcmp(code, "NoSuchBucket") != 0 && call->key)
		return S3_NONE;
	bool refused = rc == CURLE_OK && call->status / 100 != 5 && call->status != 429;
	bool trust = rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE;
	if (trust)
		snprintf(reason, sizeof(reason), "%s is not trusted: %s; correct files_endpoint or files_ca",
			conf->files_endpoint, call->error);
	else if (rc != CURLE_OK)
		snprintf(reason, sizeof(reason), "%s does not answer %s: %s", conf->files_endpoint, call->method,
			call->error[0] ? call->error : lc.curl_easy_strerror(rc));
	else if (refused)
		snprintf(reason, sizeof(reason), "%s refuses %s with %ld %s: %s", conf->files_endpoint, call->method,
			call->status, code, remedy(code, call->status));
	else
		snprintf(reason, sizeof(reason), "%s answers %s with %ld %s %s", conf->files_endpoint, call->method, call->status,
			code, message);
	log_line(LOG_FAULT, "file_storage_failed %s", reason);
	return refused ? S3_REFUSED : S3_AWAY;
}

static enum s3_rc
send_call(const struct conf *conf, struct call *call)
{
	struct buf url = { 0 }, hash = { 0 };
	enum s3_rc rc = S3_AWAY;

	OUTSIDE_TRANSACTION();
	call->curl = connection();
	buf_printf(&url, "%s/%s", conf->files_endpoint, conf->files_bucket);
	if (call->key)
		buf_printf(&url, "/%s%.2s/%s", conf->files_prefix, call->key, call->key);
	else
		buf_putc(&url, '/');
	if (call->query)
		buf_printf(&url, "?%s", call->query);
	buf_printf(&hash, "x-amz-content-sha256: %s", call->sha256 ? call->sha256 : EMPTY_HASH);
	struct curl_slist *headers = call->curl && !hash.failed ? lc.curl_slist_append(NULL, hash.s) : NULL;
	if (headers && !url.failed) {
		prepare(conf, call, url.s, headers);
		rc = outcome(conf, call, lc.curl_easy_perform(call->curl));
		lc.curl_easy_reset(call->curl); /* it must not keep pointers to the call */
	} else {
		log_line(LOG_FAULT, "file_storage_failed %s", reason);
	}
	if (headers)
		lc.curl_slist_free_all(headers);
	buf_clear(&url);
	buf_clear(&hash);
	return rc;
}

enum s3_rc
s3_head(const struct conf *conf, const char *sha256, struct s3_object *object)
{
	struct call call = { .method = "HEAD", .key = sha256 };
	enum s3_rc rc = send_call(conf, &call);

	*object = (struct s3_object){ call.length, age(call.date, call.changed) };
	buf_clear(&call.text);
	return rc;
}

enum s3_rc
s3_put(const struct conf *conf, const char *sha256, int file, int64_t size)
{
	struct call call = { .method = "PUT", .key = sha256, .sha256 = sha256, .file = file, .size = size };
	enum s3_rc rc = lseek(file, 0, SEEK_SET) == 0 ? send_call(conf, &call) : S3_AWAY;

	buf_clear(&call.text);
	return rc == S3_NONE ? S3_AWAY : rc;
}

enum s3_rc
s3_get(const struct conf *conf, const char *sha256, bool (*sink)(void *context, const void *bytes, size_t length), void *context)
{
	/* The size is not known yet: it is given the time of a gigabyte. */
	struct call call = { .method = "GET", .key = sha256, .sink = sink, .context = context, .size = INT64_C(1) << 30 };
	enum s3_rc rc = send_call(conf, &call);

	buf_clear(&call.text);
	return rc;
}

enum s3_rc
s3_delete(const struct conf *conf, const char *sha256)
{
	struct call call = { .method = "DELETE", .key = sha256 };
	enum s3_rc rc = send_call(conf, &call);

	buf_clear(&call.text);
	return rc == S3_NONE ? S3_DONE : rc;
}

/* ---- lists */

/* The hash that ends a key of prefix/<2 digits>/<hash>; NULL: another key. */
static const char *
hash_of(const struct conf *conf, const char *key)
{
	size_t prefix = strlen(conf->files_prefix);

	if (strncmp(key, conf->files_prefix, prefix) != 0 || strlen(key) != prefix + 3 + HASH_TEXT || key[prefix + 2] != '/')
		return NULL;
	const char *hash = key + prefix + 3;
	return strspn(hash, "0123456789abcdef") == HASH_TEXT && strncmp(hash, key + prefix, 2) == 0 ? hash : NULL;
}

/* The objects of one page. Its times are those of an RFC 3339 text in UTC. False when found() ends the walk. */
static bool
walk_page(const struct conf *conf, const struct call *page, bool (*found)(void *, const char *, const struct s3_object *),
	void *context)
{
	const char *at = page->text.s;
	char key[256], changed[40], size[24];

	while (at && (at = strstr(at, "<Contents>"))) {
		struct tm tm = { 0 };
		const char *hash = element(at, "Key", key, sizeof(key)) ? hash_of(conf, key) : NULL;
		if (hash && element(at, "LastModified", changed, sizeof(changed)) && element(at, "Size", size, sizeof(size)) &&
			strptime(changed, "%Y-%m-%dT%H:%M:%S", &tm)) {
			struct s3_object object = { strtoll(size, NULL, 10), age(page->date, (int64_t)timegm(&tm)) };
			if (!found(context, hash, &object))
				return false;
		}
		at += strlen("<Contents>");
	}
	return true;
}

enum s3_rc
s3_list(const struct conf *conf, bool (*found)(void *context, const char *sha256, const struct s3_object *object), void *context)
{
	char next[1024] = "";
	enum s3_rc rc;
	bool more;

	do {
		struct call page = { .method = "GET" };
		struct buf query = { 0 };
		if (next[0]) {
			buf_puts(&query, "continuation-token=");
			sigv4_escape(&query, next);
			buf_putc(&query, '&');
		}
		buf_puts(&query, "list-type=2&prefix=");
		sigv4_escape(&query, conf->files_prefix);
		page.query = query.s;
		rc = query.failed ? S3_AWAY : send_call(conf, &page);
		more = rc == S3_DONE && !page.text.failed && walk_page(conf, &page, found, context) &&
			element(page.text.s, "NextContinuationToken", next, sizeof(next));
		buf_clear(&page.text);
		buf_clear(&query);
	} while (more);
	return rc;
}

/* ---- links */

const char *
s3_link(struct arena *arena, const struct conf *conf, const char *sha256, const char *type, const char *disposition,
	const char *cache)
{
	const struct sigv4 by = { conf->files_key_id, conf->files_secret, conf->files_region, conf->files_host };
	struct sigv4_parameter more[3];
	struct buf out = { .arena = arena };
	size_t count = 0;

	if (cache)
		more[count++] = (struct sigv4_parameter){ "response-cache-control", cache };
	if (disposition)
		more[count++] = (struct sigv4_parameter){ "response-content-disposition", disposition };
	if (type)
		more[count++] = (struct sigv4_parameter){ "response-content-type", type };
	const char *path = arena_format(arena, "/%s/%s%.2s/%s", conf->files_bucket, conf->files_prefix, sha256, sha256);
	/* The storage's clock is the real one, also where a test moves okul's. */
	sigv4_presign(&out, &by, path, more, count, (int64_t)time(NULL), S3_LINK_LIFE);
	return out.s;
}
