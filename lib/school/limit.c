#include "limit.h"

#include "clock.h"
#include "network.h"

enum { NTH, NTH_OF_ALL, COUNT_ONE, NOTE, DROP, DROP_NEWEST, DROP_ALL, EXPIRED, DROP_EXPIRED };

#define WITHIN " AND at > ?3 AND at <= ?4 ORDER BY at DESC LIMIT 1 OFFSET ?5"

static const char *const limit_sql[] = {
	/* The window has room again when this event leaves it. */
	[NTH] = "SELECT at FROM event WHERE kind = ?1 AND subject = ?2" WITHIN,
	/* From the subject to all that begin with it and a space: '!' is the character after the space. */
	[NTH_OF_ALL] = "SELECT at FROM event WHERE kind = ?1 AND subject >= ?2 AND subject < ?2 || '!'" WITHIN,
	[COUNT_ONE] = "INSERT INTO event (kind, subject, at, n) VALUES (?1, ?2, ?3,"
		      " (SELECT coalesce(max(n), 0) + 1 FROM event WHERE kind = ?1 AND subject = ?2 AND at = ?3))",
	[NOTE] = "INSERT INTO event (kind, subject, at, n) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
	[DROP] = "DELETE FROM event WHERE kind = ?1 AND subject = ?2 AND (at <= ?3 OR at > ?4)",
	[DROP_NEWEST] = "DELETE FROM event WHERE kind = ?1 AND subject = ?2 AND (at, n) ="
			" (SELECT at, n FROM event WHERE kind = ?1 AND subject = ?2 ORDER BY at DESC, n DESC LIMIT 1)",
	[DROP_ALL] = "DELETE FROM event WHERE kind = ?1 AND subject >= ?2 AND subject < ?2 || '!'",
	[EXPIRED] = "SELECT count(*) FROM event WHERE " EXPIRY_OVER("at"),
	[DROP_EXPIRED] = "DELETE FROM event WHERE (kind, subject, at, n) IN"
			 " (SELECT kind, subject, at, n FROM event WHERE " EXPIRY_OVER("at") " LIMIT ?2)",
};
const struct db_statements limit_statements = { limit_sql, COUNT(limit_sql) };
const expiry limit_expiry = limit_sql + EXPIRED;

static int64_t
wait_for(struct db *db, const char *sql, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most)
{
	int64_t at = now - window;

	(void)!db_number(db, &at, sql, ARGS(kind, subject, now - window, now + CLOCK_SLACK, most - 1));
	return at < now ? at + window - now : window;
}

int64_t
limit_wait(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most)
{
	return wait_for(db, limit_sql[NTH], kind, subject, now, window, most);
}

int64_t
limit_wait_all(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most)
{
	return wait_for(db, limit_sql[NTH_OF_ALL], kind, subject, now, window, most);
}

void
limit_count(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window)
{
	db_send(db, limit_sql[DROP], ARGS(kind, subject, now - window, now + CLOCK_SLACK));
	db_send(db, limit_sql[COUNT_ONE], ARGS(kind, subject, now));
}

int64_t
limit_client(
	struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now, int64_t window, int64_t most)
{
	char network[NETWORK_TEXT];

	if (!conf->limits)
		return 0;
	network_of(network, client);
	return limit_wait(db, kind, network, now, window, most);
}

void
limit_count_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now, int64_t window)
{
	char network[NETWORK_TEXT];

	if (!conf->limits)
		return;
	network_of(network, client);
	limit_count(db, kind, network, now, window);
}

void
limit_uncount_client(struct db *db, const struct conf *conf, const char *kind, const char *client)
{
	char network[NETWORK_TEXT];

	if (!conf->limits)
		return;
	network_of(network, client);
	db_send(db, limit_sql[DROP_NEWEST], ARGS(kind, network));
}

void
limit_note(struct db *db, const char *kind, const char *subject, int64_t at, int64_t n)
{
	db_change(db, limit_sql[NOTE], ARGS(kind, subject, at, n));
}

int64_t
limit_forget_all(struct db *db, const char *kind, const char *subject)
{
	return db_change(db, limit_sql[DROP_ALL], ARGS(kind, subject));
}
