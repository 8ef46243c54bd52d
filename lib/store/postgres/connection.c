/* The connection: opened when it is needed, and again after it was lost. */
#include "postgres.h"

#include "log.h"
#include "text.h"

/* What each session sets, whatever the server's defaults are. Not as start-up options: a pooler may refuse those. */
static const char settings[] =
	"SELECT set_config('statement_timeout', '2000', false), set_config('lock_timeout', '2000', false),"
	" set_config('idle_in_transaction_session_timeout', '60000', false), set_config('timezone', 'UTC', false),"
	" set_config('jit', 'off', false), set_config('bytea_output', 'hex', false), set_config('extra_float_digits', '1', false)";

/* A warning while a commit is under way says that the commit may be lost in a failover (synchronous replication). */
static void
take_notice(void *context, const PGresult *notice)
{
	struct postgres *p = context;
	const char *severity = pq.PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *text = pq.PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

	if (!severity || strcmp(severity, "WARNING") != 0)
		return;
	p->warned = true;
	log_line(LOG_WARN, "db_warned text=\"%s\"", text ? text : "");
}

void
pg_connection_drop(struct postgres *p)
{
	if (p->conn)
		pq.PQfinish(p->conn);
	p->conn = NULL;
	p->pending = 0;
	p->unsynced = false;
	p->streaming = NULL;
	p->block = NO_BLOCK;
}

/* What to do about a part of libpq's or the server's message. */
static const char *
remedy_of(const char *text)
{
	static const struct {
		const char *part, *remedy;
	} remedies[] = {
		{ "no pg_hba.conf entry",
			"allow it in the server's pg_hba.conf; where that asks for TLS (hostssl), add sslmode=verify-full to the setting "
			"database" },
		{ "root certificate file",
			"add sslrootcert=FILE to the setting database, with the certificate of the authority that signed the server's" },
		{ "certificate verify failed",
			"it was signed by another authority than the one in sslrootcert of the setting database: correct that" },
		{ "does not match host name", "see that the setting database names the server as its certificate does" },
		{ "permission denied for database", "grant it: psql -d NAME <conf/postgres/roles.sql" },
		{ "password authentication failed", "correct the password in the setting database" },
		{ "no password supplied", "add the password to the setting database, or to the file that PGPASSFILE names" },
		{ "database \"", "make it: createdb --encoding=UTF8 --template=template0 NAME" },
		{ "role \"",
			"make it: createuser --pwprompt NAME; then give it its rights: psql -d okul <conf/postgres/roles.sql" },
		{ "Connection refused", "start the server, or correct host and port in the setting database" },
		{ "No such file", "start the server, or correct host and port in the setting database" },
		{ "could not translate host", "correct the host in the setting database" },
		{ "timeout expired", "check the network and the firewall of the server" },
		{ "does not support SSL", "turn on ssl on the server, or drop sslmode from the setting database" },
		{ "too many clients", "raise max_connections of the server, or lower workers" },
		{ "remaining connection slots", "raise max_connections of the server, or lower workers" },
		{ "read-only",
			"none of the hosts is the primary: check the cluster, and name all hosts in the setting database" },
		{ "invalid", "see the connection strings of libpq in PostgreSQL's manual" },
	};

	for (size_t i = 0; i < COUNT(remedies); i++)
		if (strstr(text, remedies[i].part))
			return remedies[i].remedy;
	return "the server's log says more";
}

/* Whether libpq could not read the URL, or took a part of a password for a host or a port; then it quotes what it took. */
static bool
is_misread(const char *text)
{
	static const char host[] = "could not translate host name \"";
	const char *name = strstr(text, host);

	if (name && memchr(name + strlen(host), '@', strcspn(name + strlen(host), "\"")))
		return true;
	return strstr(text, " URI") || strstr(text, "percent-encoded") || strstr(text, "IPv6") ||
		strstr(text, "connection option \"port\"") || strstr(text, "invalid port number");
}

/* libpq's message has a line for each host that it tried. */
static bool
no_connection(const PGconn *conn, char *why, size_t room)
{
	const char *text = conn ? pq.PQerrorMessage(conn) : "out of memory";
	size_t length = strlen(text);

	if (is_misread(text))
		return text_complain(why, room,
			"the setting database is no URL that libpq can read: see the connection URIs in PostgreSQL's manual; "
			"in a password, write @ as %%40, : as %%3A, / as %%2F and %% as %%25");
	while (length > 0 && text[length - 1] == '\n')
		length--;
	/* Not libpq's advice to check no certificate. */
	const char *advice = strstr(text, "\nEither provide the file");
	if (advice)
		length = (size_t)(advice - text);
	text_complain(why, room, "no connection to the database: %.*s; %s", (int)length, text, remedy_of(text));
	for (char *at = why; (at = strpbrk(at, "\n\t"));)
		*at = ' ';
	return false;
}

static bool
is_usable(const PGconn *conn, char *why, size_t room)
{
	const char *encoding = pq.PQparameterStatus(conn, "server_encoding");
	int version = pq.PQserverVersion(conn);

	if (version < VERSION_LEAST)
		return text_complain(
			why, room, "the server is PostgreSQL %d, and okul needs 15 or later: upgrade it", version / 10000);
	if (!encoding || strcmp(encoding, "UTF8") != 0)
		return text_complain(why, room,
			"the database is encoded in %s: create one with `createdb --encoding=UTF8 --template=template0`",
			encoding ? encoding : "an unknown way");
	return true;
}

/* Sends the session's settings and prepares what frames each transaction. */
static bool
set_up(struct postgres *p, char *why, size_t room)
{
	static const struct {
		const char *name, *sql;
	} frames[] = {
		{ "okul_read", "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY" },
		{ "okul_write", "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE" },
		{ "okul_commit", "COMMIT" },
		{ "okul_rollback", "ROLLBACK" },
	};
	bool sent = pq.PQenterPipelineMode(p->conn) && pipeline_send_command(p, settings) == DB_DONE;

	for (size_t i = 0; sent && i < COUNT(frames); i++) {
		sent = pq.PQsendPrepare(p->conn, frames[i].name, frames[i].sql, 0, NULL);
		pipeline_expect(p, EXPECT_COMMAND);
	}
	if (sent && pipeline_sync(p) == DB_DONE && pipeline_drain(p) == DB_DONE)
		return true;
	return p->conn
		? no_connection(p->conn, why, room)
		: text_complain(why, room,
			  "no connection to the database: it was lost at once; PgBouncer, if there is one, needs pool_mode = session");
}

static PGconn *
connect_to(const char *url, enum db_mode mode)
{
	/* The URL comes last, so that it can say otherwise. */
	const char *const names[] = { "connect_timeout", "tcp_user_timeout", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "target_session_attrs", "application_name", "client_encoding", "dbname", NULL };
	const char *const values[] = { "2", "5000", "10", "3", "3", mode == DB_READ_WRITE ? "read-write" : "any", "okul", "UTF8",
		url, NULL };

	return pq.PQconnectdbParams(names, values, 1);
}

bool
pg_connection_open(struct postgres *p, char *why, size_t room)
{
	enum db_rc before = p->base.failure;

	if (p->conn)
		return true;
	/* While the server is away, requests fail at once instead of each waiting for it. */
	if (p->failed_at && clock_ticks() - p->failed_at < CONNECT_PAUSE * MILLISECONDS)
		return text_complain(why, room, "no connection to the database");
	p->conn = connect_to(p->url, p->mode);
	p->patience = STATEMENT_TIMEOUT + ANSWER_TIMEOUT;
	bool good = p->conn && pq.PQstatus(p->conn) == CONNECTION_OK ? is_usable(p->conn, why, room)
								     : no_connection(p->conn, why, room);
	if (good) {
		pq.PQsetNoticeReceiver(p->conn, take_notice, p);
		good = pq.PQsetnonblocking(p->conn, 1) == 0 && set_up(p, why, room);
	}
	p->base.failure = before;
	p->failed_at = good ? 0 : clock_ticks();
	p->generation++;
	if (!good)
		pg_connection_drop(p);
	return good;
}

enum db_rc
pg_connection_need(struct postgres *p)
{
	char why[512];

	if (p->conn)
		return DB_DONE;
	bool good = pg_connection_open(p, why, sizeof(why));
	if (good && p->unreachable)
		log_line(LOG_NOTE, "db_reachable");
	if (!good)
		log_line(p->unreachable ? LOG_TRACE : LOG_FAULT, "db_unreachable text=\"%s\"", why);
	p->unreachable = !good;
	return good ? DB_DONE : pg_failure_keep(p, DB_LOST);
}
