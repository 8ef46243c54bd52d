#include "limit.h"

#include <arpa/inet.h>

enum { LOOK, COUNT_ONE, DROP };

const char *const limit_sql[] = {
	/* count, oldest and newest of the window */
	[LOOK] = "SELECT count(*), min(at), max(at) FROM event WHERE kind = ?1 AND subject = ?2 AND at > ?3",
	[COUNT_ONE] =
		"INSERT INTO event (kind, subject, at, n) VALUES (?1, ?2, ?3,"
		" (SELECT coalesce(max(n), 0) + 1 FROM event WHERE kind = ?1 AND subject = ?2 AND at = ?3))",
	[DROP] = "DELETE FROM event WHERE kind = ?1 AND subject = ?2 AND at <= ?3",
};
const size_t limit_sql_count = COUNT(limit_sql);

struct limit_state
limit_look(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window, int64_t most)
{
	struct limit_state state = { 0 };
	struct db_rows *row;

	if (db_one(db, &row, limit_sql[LOOK], ARGS(kind, subject, now - window)) == DB_ROW) {
		state.wait = db_int(row, 0) >= most ? db_int(row, 1) + window - now : 0;
		state.newest = db_int(row, 2);
	}
	db_end(row);
	return state;
}

void
limit_count(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window)
{
	(void)!db_run(db, limit_sql[DROP], ARGS(kind, subject, now - window), NULL);
	(void)!db_run(db, limit_sql[COUNT_ONE], ARGS(kind, subject, now), NULL);
}

/*
 * The subject that stands for a client's address. A server that listens on [::] for both shows IPv4 addresses as
 * ::ffff:192.0.2.1 (RFC 4291 section 2.5.5.2): all of them are in one /64.
 */
static void
put_subject(char out[static INET6_ADDRSTRLEN], const char *client)
{
	struct in6_addr address;

	if (inet_pton(AF_INET6, client, &address) != 1) {
		snprintf(out, INET6_ADDRSTRLEN, "%s", client);
	} else if (IN6_IS_ADDR_V4MAPPED(&address)) {
		inet_ntop(AF_INET, address.s6_addr + 12, out, INET6_ADDRSTRLEN);
	} else {
		memset(address.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &address, out, INET6_ADDRSTRLEN);
	}
}

int64_t
limit_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window, int64_t most)
{
	char subject[INET6_ADDRSTRLEN];

	if (!conf->limits)
		return 0;
	put_subject(subject, client);
	return limit_look(db, kind, subject, now, window, most).wait;
}

void
limit_count_client(struct db *db, const struct conf *conf, const char *kind, const char *client, int64_t now,
	int64_t window)
{
	char subject[INET6_ADDRSTRLEN];

	if (!conf->limits)
		return;
	put_subject(subject, client);
	limit_count(db, kind, subject, now, window);
}
