#include "etag.h"

#include "random.h"
#include "tag.h"

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

/* Weakly, also where RFC 9110 section 13.1.1 wants it strong: the data of an answer is the same however it was sent. */
static bool
is_listed(const char *value, const char *etag)
{
	return tag_listed(value, etag, TAG_RECODED);
}

/* ---- the tag of an answer */

static void
put(char etag[static ETAG_TEXT], uint64_t hash)
{
	*etag++ = '"';
	for (int shift = 60; shift >= 0; shift -= 4)
		*etag++ = "0123456789abcdef"[hash >> shift & 15];
	*etag++ = '"';
	*etag = '\0';
}

static void
put_of_data(struct request *rq)
{
	put(rq->etag, random_hash_keyed(key, rq->out->s + REPLY_DATA_AT, rq->out->length - REPLY_DATA_AT));
}

bool
etag_put(struct request *rq, const struct reply *reply)
{
	if (reply->error || rq->out->failed)
		return false;
	if (reply->status != 200 || !(route_is_tagged(rq->route) || (rq->route->method == PATCH && rq->route->shows)))
		return rq->etag[0];
	if (!rq->etag[0])
		put_of_data(rq);
	return true;
}

bool
etag_known(const struct request *rq)
{
	return rq->http.if_none_match && is_listed(rq->http.if_none_match, rq->etag);
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
	buf_putc(&facts, is_admin(rq) ? 'a' : '-');
	buf_putc(&facts, (char)('0' + rq->language));
	buf_puts(&facts, rq->http.target);
	put(rq->etag, random_hash_keyed(key, facts.s, facts.length));
	/* Whoever names the tag was given it for an answer; "*" asks whether there is one, which only the handler knows. */
	return etag_known(rq) && !is_listed(rq->http.if_none_match, "");
}

struct reply
etag_guard(struct request *rq)
{
	struct reply reply = { .error = NO_ERROR };

	if (!rq->http.if_match || (rq->route->method != PATCH && rq->route->method != DELETE))
		return reply;
	if (rq->route->shows) {
		reply = rq->route->shows(rq);
		if (reply.error)
			return reply;
		if (rq->out->failed)	/* no memory for it: what cannot be looked at may not be changed */
			return reply_error(rq, BUSY);
		put_of_data(rq);
	}
	if (!is_listed(rq->http.if_match, rq->etag))
		reply = reply_error(rq, PRECONDITION_FAILED);
	rq->etag[0] = '\0';	/* the answer will have its own */
	return reply;
}
