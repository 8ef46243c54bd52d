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

struct limit_window
limit_look(struct db *db, const char *kind, const char *subject, int64_t since)
{
	struct limit_window window = { 0 };
	struct db_rows *row;

	if (db_one(db, &row, limit_sql[LOOK], ARGS(kind, subject, since)) == DB_ROW)
		window = (struct limit_window){ db_int(row, 0), db_int(row, 1), db_int(row, 2) };
	db_end(row);
	return window;
}

void
limit_count(struct db *db, const char *kind, const char *subject, int64_t now, int64_t window)
{
	(void)!db_run(db, limit_sql[DROP], ARGS(kind, subject, now - window), NULL);
	(void)!db_run(db, limit_sql[COUNT_ONE], ARGS(kind, subject, now), NULL);
}

_Static_assert(LIMIT_CLIENT == INET6_ADDRSTRLEN, "room for any address");

/*
 * A server that listens on [::] for both shows IPv4 addresses as ::ffff:192.0.2.1 (RFC 4291 section 2.5.5.2): all of them
 * are in one /64.
 */
void
limit_client(char out[static LIMIT_CLIENT], const char *client)
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
