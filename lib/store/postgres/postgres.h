/*
 * postgres - what the files of this folder share. A process has one connection, which is always in libpq's pipeline
 * mode: what can be sent together is (BEGIN with the first statement, db_send() with the next one), and the end of a read
 * snapshot is sent without waiting for its result.
 *
 * Reads see one snapshot (REPEATABLE READ, READ ONLY). Write transactions are SERIALIZABLE: what a transaction read is
 * as it was at its commit, or it fails with DB_CONFLICT and is run again. No statement is sent before the first one of
 * a snapshot or a transaction, so while that one fails with a lost connection nothing has happened, and it is sent again
 * over a new connection.
 *
 * A failure inside a transaction ends it on the server too, so DB_TAKEN is followed by a rollback.
 */
#ifndef OKUL_POSTGRES_POSTGRES_H
#define OKUL_POSTGRES_POSTGRES_H

#include "buf.h"
#include "clock.h"
#include "engine.h"
#include "libpq.h"

#define MILLISECONDS INT64_C(1000)	/* of clock_ticks() */
#define STATEMENT_TIMEOUT 2000		/* milliseconds, of one statement and of a wait for a lock */
#define ANSWER_TIMEOUT 3000		/* milliseconds that the server's answer may take beyond that: then the connection is lost */
#define CONNECT_TIMEOUT 2000		/* milliseconds for one host */
#define CONNECT_PAUSE 1000		/* milliseconds after a failure in which no other attempt is made */
#define ALONE_AFTER 3			/* conflicts in a row, until a transaction excludes all others */
#define VERSION_LEAST 150000		/* of the server: PQserverVersion() */

enum block { NO_BLOCK, READ_BLOCK, WRITE_BLOCK };

/* What was sent and has no result yet, in order. */
enum expected {
	EXPECT_COMMAND,		/* a statement whose result is of no interest, unless it fails */
	EXPECT_SENT,		/* the same of db_send() */
	EXPECT_VERSION,		/* the schema version */
	EXPECT_DESCRIPTION,	/* the types of a statement's parameters */
	EXPECT_ROWS,
	EXPECT_SYNC,
};
#define EXPECTED_MAX 32
#define SENT_MAX 16			/* statements of db_send() in a row */
#define PARAMETERS_MAX 96		/* of a statement */

/* A statement, found by the address of its text. */
struct postgres_rows {
	struct db_rows base;
	struct postgres *on;
	const char *sql;
	struct postgres_rows *next_cached;
	unsigned generation;		/* of the connection on which it is prepared; 0: on none */
	char name[16];			/* on that connection */
	bool empty;			/* a statement of the other engine alone */
	int count;			/* parameters */
	Oid *types;			/* of the parameters */
	bool bound;			/* executed, and not behind the last row */
	PGresult *result;		/* with the current row; NULL: none */
	int row;			/* in it; -1: before the first */
	struct result_list { PGresult *result; struct result_list *next; } *kept, **last;	/* rows read while another statement ran */
	char (*texts)[32];		/* of columns that are not texts, made by column_text(); NULL: none yet */
	int64_t changed;
};

struct postgres {
	struct db base;
	enum db_mode mode;
	int version;			/* that the program needs; 0: any */
	char *url;
	PGconn *conn;			/* NULL: lost, or not connected yet */
	unsigned generation;		/* number of the connection, from 1 */
	unsigned names;			/* number of the last prepared statement */
	enum block block;		/* that the server has, or will have when it has run what was sent */
	bool begun;			/* a statement of the block was sent */
	struct postgres_rows *cached, *streaming;
	struct postgres_rows none;	/* returned where no statement could be prepared */
	enum expected expected[EXPECTED_MAX];
	unsigned first, pending;	/* in `expected`, a ring */
	const char *sent[EXPECTED_MAX];	/* the text of an EXPECT_SENT */
	bool unsynced;			/* the last that was sent is one of db_send() */
	int64_t patience;		/* milliseconds that the next results may take; 0: no limit */
	int64_t limit;			/* db_timeout(): milliseconds of a statement in this block; 0: STATEMENT_TIMEOUT */
	bool limit_sent;
	int conflicts;			/* of the last transactions, in a row */
	bool alone;			/* no other writer runs beside this one */
	bool has_schema;		/* the database is not empty */
	int64_t failed_at;		/* ticks of the last failed attempt to connect; 0: none */
	bool unreachable;		/* the log says so */
	bool warned;			/* the server has warned since the commit began */
	int found_version;		/* the schema version that was read last */
	struct buf load;		/* rows of a COPY that are not sent yet */
	const char *load_table;		/* NULL: no load is open */
	int64_t probed_at;
	bool probe_passed;
};

static inline struct postgres *postgres_of(struct db *db) { return (struct postgres *)db; }

/* ---- failure.c */

/* Keeps the first failure until db_release(); returns the one that sticks. */
enum db_rc pg_failure_keep(struct postgres *p, enum db_rc rc);
/* The meaning of a failed result, which it logs and keeps, except for DB_TAKEN. `result` may be NULL: the connection is lost. */
enum db_rc pg_failure_report(struct postgres *p, const PGresult *result, const char *sql);
/* The meaning alone: for what a script's caller is told. Forgets a connection that is lost. */
enum db_rc pg_failure_meaning(struct postgres *p, const PGresult *result);
enum db_rc pg_failure_misuse(struct postgres *p, const char *what, const char *sql);

/* ---- dialect.c: PostgreSQL's text of a statement; "" where it has none. The caller frees it; NULL without memory. */
must_use char *dialect_translate(const char *sql);

/* ---- connection.c */

/* Connects if there is no connection. On failure returns false, with the reason in `why`. */
must_use bool pg_connection_open(struct postgres *p, char *why, size_t room);
/* The same for a statement: DB_LOST sticks. The log has a line when there is none, and one when there is one again. */
must_use enum db_rc pg_connection_need(struct postgres *p);
/* Forgets a connection that is of no use any more; the rows that were read stay. */
void pg_connection_drop(struct postgres *p);

/* ---- pipeline.c. Each returns DB_DONE, DB_LOST, or the failure of what was received, which it has reported. */

/* Notes that something was sent. At most EXPECTED_MAX may be on their way. */
void pipeline_expect(struct postgres *p, enum expected what);
/* Sends a statement without parameters, whose rows are of no interest. */
must_use enum db_rc pipeline_send_command(struct postgres *p, const char *sql);
/* Ends what belongs together: after a failure the server skips what was sent up to here. */
must_use enum db_rc pipeline_sync(struct postgres *p);
/* Reads results up to the first that is `what`, which it leaves. */
must_use enum db_rc pipeline_receive(struct postgres *p, enum expected what);
/* The next result of the statement whose results are read; `*result` is NULL behind the last. */
must_use enum db_rc pipeline_result(struct postgres *p, PGresult **result);
/* Drops the expectation that was met. */
void pipeline_met(struct postgres *p);
/* Reads all results that are still to come. */
must_use enum db_rc pipeline_drain(struct postgres *p);

/* ---- transaction.c */

/* Sends the BEGIN that is due, before the first statement of a snapshot or a transaction. */
must_use enum db_rc pg_transaction_due(struct postgres *p);
/* Ends a snapshot; does not wait for the result. */
void pg_transaction_drop_snapshot(struct postgres *p);
/* Of the engine's table, as in db.h. */
enum db_rc postgres_write_begin(struct db *db);
enum db_rc postgres_write_alone(struct db *db);
enum db_rc postgres_write_commit(struct db *db);
void postgres_write_rollback(struct db *db);
enum db_rc postgres_flush(struct db *db);
void postgres_release(struct db *db);
void postgres_timeout(struct db *db, int64_t milliseconds);

/* ---- statement.c */

/* Reads the rest of the rows that the server is sending, so that another statement can be sent. */
must_use enum db_rc pg_statement_settle(struct postgres *p);
/* Frees the results of all statements. */
void pg_statement_stop_all(struct postgres *p);
/* Of the engine's table. */
enum db_rc postgres_query(struct db *db, struct db_rows **rows, const char *sql, struct args args);
enum db_rc postgres_next(struct db_rows *rows);
enum db_rc postgres_one(struct db *db, struct db_rows **rows, const char *sql, struct args args);
enum db_rc postgres_run(struct db *db, const char *sql, struct args args, int64_t *changed);
void postgres_send(struct db *db, const char *sql, struct args args);
void postgres_end(struct db_rows *rows);

/* ---- parameter.c: values as the server wants them */

struct parameters {
	const char *values[PARAMETERS_MAX];
	int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];
	char room[PARAMETERS_MAX][32];	/* of numbers */
};
/* False where a value does not fit its parameter's type. Borrows texts. */
must_use bool parameter_fill(struct parameters *out, const struct args *args, const Oid *types);

/* ---- column.c */

/* Frees what column_text() made for the current row. */
void column_forget_texts(struct postgres_rows *rows);
/* Of the engine's table. */
int column_count(const struct db_rows *rows);
const char *column_name(const struct db_rows *rows, int column);
bool column_is_null(const struct db_rows *rows, int column);
int64_t column_integer(const struct db_rows *rows, int column);
double column_real(const struct db_rows *rows, int column);
const char *column_text(const struct db_rows *rows, int column);
const void *column_blob(const struct db_rows *rows, int column);
size_t column_size(const struct db_rows *rows, int column);
struct value column_value(const struct db_rows *rows, int column);

#endif
