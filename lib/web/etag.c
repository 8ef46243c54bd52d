#include "etag.h"

#include "random.h"
#include "tag.h"

#define DIGITS 16
#define DIGITS_OF_TIME 4 /* of a response with signed addresses */

static unsigned char key[HASH_KEY];

void
etag_init(const struct conf *conf)
{
	const struct part parts[] = { PART("etag"), PART(OKUL_VERSION) };
	unsigned char mac[MAC_BYTES];

	secret_mac(mac, conf->link_key, parts, COUNT(parts));
	memcpy(key, mac, sizeof(key));
	secret_wipe(mac, sizeof(mac));
}

/*
 * A weak comparison, also where RFC 9110 section 13.1.1 wants a strong one: compressed or not, the data of a response is the
 * same. The last `passed` digits of the tag do not count.
 */
static bool
is_listed(const char *value, const char *etag, size_t passed)
{
	return tag_listed(value, etag, TAG_RECODED, passed);
}

/* ---- the tag of a response */

static void
put_digits(char *out, int digits, uint64_t number)
{
	while (digits-- > 0) {
		out[digits] = "0123456789abcdef"[number & 15];
		number >>= 4;
	}
}

static void
put(char etag[static ETAG_TEXT], uint64_t hash)
{
	etag[0] = etag[1 + DIGITS] = '"';
	etag[2 + DIGITS] = '\0';
	put_digits(etag + 1, DIGITS, hash);
}

static void
put_of_links(struct request *rq)
{
	struct buf constant = { .arena = rq->arena };
	size_t at = RESPONSE_DATA_AT;

	for (const struct changing_part *part = rq->links; part; part = part->next) {
		buf_put(&constant, rq->out->s + at, part->at - at);
		at = part->at + part->length;
	}
	buf_put(&constant, rq->out->s + at, rq->out->length - at);
	put(rq->etag, random_hash_keyed(key, constant.s, constant.length));
	put_digits(rq->etag + 1 + DIGITS - DIGITS_OF_TIME, DIGITS_OF_TIME, (uint64_t)(rq->now / ETAG_LINKS_FRESH));
}

static void
put_of_data(struct request *rq)
{
	if (rq->links)
		put_of_links(rq);
	else
		put(rq->etag, random_hash_keyed(key, rq->out->s + RESPONSE_DATA_AT, rq->out->length - RESPONSE_DATA_AT));
}

bool
etag_put(struct request *rq, const struct response *response)
{
	if (response->error || rq->out->failed)
		return false;
	if (response->status != 200 || !(route_is_tagged(rq->route) || (rq->route->method == PATCH && rq->route->shows)))
		return rq->etag[0];
	if (!rq->etag[0])
		put_of_data(rq);
	return true;
}

bool
etag_known(const struct request *rq)
{
	return rq->http.if_none_match && is_listed(rq->http.if_none_match, rq->etag, 0);
}

/* ---- before the handler */

bool
etag_unchanged(struct request *rq)
{
	struct buf facts = { .arena = rq->arena };
	struct db_rows *row;

	if (!rq->route->version || db_one(rq->db, &row, rq->route->version, NO_ARGS) != DB_ROW)
		return false;
	int64_t version = db_int(row, 0);
	db_end(row);
	buf_put(&facts, &version, sizeof(version));
	buf_putc(&facts, request_is_admin(rq) ? 'a' : '-');
	buf_putc(&facts, (char)('0' + rq->language));
	buf_puts(&facts, rq->http.target);
	put(rq->etag, random_hash_keyed(key, facts.s, facts.length));
	/* A client that names the tag has had the response; "*" asks whether there is one, which only the handler knows. */
	return etag_known(rq) && !is_listed(rq->http.if_none_match, "", 0);
}

const char *
etag_of_file(struct arena *arena, const struct stat *st)
{
	return arena_format(arena, "\"%llx-%llx\"", (unsigned long long)st->st_mtim.tv_sec, (unsigned long long)st->st_size);
}

const char *
etag_of_object(struct arena *arena, const struct response *response)
{
	return arena_format(
		arena, "\"%llx-%.32s\"", (unsigned long long)(response->file_changed / SECOND), response->file_object);
}

static bool
is_guarded(const struct request *rq)
{
	return rq->http.if_match && route_is_guarded(rq->route);
}

/* The response of the route's `shows`: its values, or the path of its file, in rq->kept. */
static struct response
show(struct request *rq)
{
	struct response response;

	data_keep(rq);
	response = rq->route->shows(rq);
	/* A POST that would create something: there is nothing yet that a tag or "*" could match (RFC 9110 section 13.1.1). */
	if (response.error == ERROR_NOT_FOUND && rq->route->method == POST)
		return response_error(rq, ERROR_PRECONDITION_FAILED);
	if (response.file)
		buf_puts(&rq->kept, response.file);
	/* Without the memory to compare it nothing may be changed. */
	return !response.error && !data_reserve(rq) ? response_error(rq, ERROR_BUSY) : response;
}

struct response
etag_guard(struct request *rq)
{
	struct response response = { .error = ERROR_NONE };
	const char *tag = rq->etag;
	struct stat st;

	if (!is_guarded(rq))
		return response;
	if (rq->route->shows) {
		response = show(rq);
		if (response.error)
			return response;
		rq->shown = rq->kept;
		if (!response.file) {
			data_write(rq);
			put_of_data(rq);
		} else if (response.file_object) {
			tag = etag_of_object(rq->arena, &response);
		} else if (stat(response.file, &st) == 0) {
			tag = etag_of_file(rq->arena, &st);
		}
	}
	if (!is_listed(rq->http.if_match, tag, rq->links ? DIGITS_OF_TIME : 0))
		response = response_error(rq, ERROR_PRECONDITION_FAILED);
	rq->etag[0] = '\0'; /* the response will have its own */
	return response;
}

struct response
etag_guard_again(struct request *rq)
{
	struct response response = { .error = ERROR_NONE };

	if (!is_guarded(rq) || !rq->route->shows)
		return response;
	response = show(rq);
	if (!response.error && (rq->kept.length != rq->shown.length || memcmp(rq->kept.s, rq->shown.s, rq->shown.length) != 0))
		response = response_error(rq, ERROR_PRECONDITION_FAILED);
	return response;
}
