/* Loading many rows by COPY, without triggers: counters are loaded as they were, into one part. */
#include "admin.h"

#include "buf.h"

#define FLUSH_AT (64 * 1024) /* bytes of rows that are sent together */

static bool
is_counter(const char *table)
{
	return strcmp(table, "tally") == 0 || strcmp(table, "user_block") == 0 || strcmp(table, "time_tally") == 0 ||
		strcmp(table, "result_tally") == 0;
}

/* Out of the pipeline, whose protocol COPY does not use. */
static bool
send_copy(struct postgres *p, const char *sql, char *why, size_t room)
{
	PGresult *result = NULL;
	bool good = pq.PQexitPipelineMode(p->conn) && pq.PQsetnonblocking(p->conn, 0) == 0 && pq.PQsendQuery(p->conn, sql) &&
		(result = pq.PQgetResult(p->conn)) && pq.PQresultStatus(result) == PGRES_COPY_IN;

	if (!good)
		text_complain(why, room, "%s", pq.PQerrorMessage(p->conn));
	pq.PQclear(result);
	if (!good)
		pg_connection_drop(p);
	return good;
}

bool
admin_load_begin(struct db *db, const char *table, const char *columns, bool *wanted, char *why, size_t room)
{
	struct postgres *p = postgres_of(db);
	const char *part = is_counter(table) ? "_part" : "";
	struct buf sql = { 0 };

	*wanted = true;
	pg_transaction_drop_snapshot(p);
	buf_printf(&sql, "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;");
	if (is_counter(table))
		buf_printf(&sql, "DELETE FROM %s_part", table);
	else
		buf_printf(&sql, "ALTER TABLE %s DISABLE TRIGGER USER", table);
	bool good = !sql.failed && script_run(p, sql.s, NULL, NULL, why, room) == DB_DONE;
	sql.length = 0;
	buf_printf(&sql, "COPY %s%s (%s) FROM STDIN", table, part, columns);
	good = good && !sql.failed && send_copy(p, sql.s, why, room);
	buf_clear(&sql);
	p->load_table = table;
	p->load.length = 0;
	return good;
}

/* Text of COPY: a backslash stands before itself, and for control characters that would end a value (chapter COPY). */
static void
put_text(struct buf *out, const struct value *value)
{
	const char *s = value->bytes;

	for (size_t i = 0; i < value->length; i++) {
		const char *escaped = s[i] == '\\' ? "\\\\"
			: s[i] == '\n'		   ? "\\n"
			: s[i] == '\r'		   ? "\\r"
			: s[i] == '\t'		   ? "\\t"
						   : NULL;
		if (escaped)
			buf_puts(out, escaped);
		else
			buf_putc(out, s[i]);
	}
}

static void
put_value(struct buf *out, const struct value *value)
{
	const unsigned char *bytes = value->bytes;

	switch (value->type) {
	case VALUE_BOOL: buf_putc(out, value->truth ? '1' : '0'); break;
	case VALUE_INT: buf_printf(out, "%lld", (long long)value->integer); break;
	case VALUE_REAL: buf_printf(out, "%.17g", value->real); break;
	case VALUE_TEXT: put_text(out, value); break;
	case VALUE_BLOB:
		buf_puts(out, "\\\\x");
		for (size_t i = 0; i < value->length; i++)
			buf_printf(out, "%02x", bytes[i]);
		break;
	default: buf_puts(out, "\\N");
	}
}

static bool
flush_rows(struct postgres *p)
{
	bool good = !p->load.failed && p->conn && pq.PQputCopyData(p->conn, p->load.s, (int)p->load.length) == 1;

	p->load.length = 0;
	return good;
}

bool
admin_load_row(struct db *db, const struct value *values, size_t count)
{
	struct postgres *p = postgres_of(db);

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_putc(&p->load, '\t');
		put_value(&p->load, &values[i]);
	}
	buf_putc(&p->load, '\n');
	return p->load.length < FLUSH_AT || flush_rows(p);
}

bool
admin_load_end(struct db *db, char *why, size_t room)
{
	struct postgres *p = postgres_of(db);
	PGresult *result = NULL;
	struct buf sql = { 0 };
	bool good = (p->load.length == 0 || flush_rows(p)) && pq.PQputCopyEnd(p->conn, NULL) == 1;

	result = p->conn ? pq.PQgetResult(p->conn) : NULL;
	good = good && result && pq.PQresultStatus(result) == PGRES_COMMAND_OK;
	if (!good)
		text_complain(why, room, "%s: %s", p->load_table, p->conn ? pq.PQerrorMessage(p->conn) : db_reason(DB_LOST));
	pq.PQclear(result);
	while (p->conn && (result = pq.PQgetResult(p->conn)))
		pq.PQclear(result);
	if (p->conn && (pq.PQsetnonblocking(p->conn, 1) != 0 || !pq.PQenterPipelineMode(p->conn)))
		pg_connection_drop(p);
	if (!is_counter(p->load_table))
		buf_printf(&sql, "ALTER TABLE %s ENABLE TRIGGER USER;", p->load_table);
	/* Until the server's own run, perhaps a minute later, the planner would know nothing of the rows. */
	buf_printf(&sql, "ANALYZE %s%s; COMMIT", p->load_table, is_counter(p->load_table) ? "_part" : "");
	good = (p->conn && script_run(p, good ? sql.s : "ROLLBACK", NULL, NULL, why, room) == DB_DONE) && good;
	buf_clear(&sql);
	p->load_table = NULL;
	return good;
}

bool
admin_reserve_keys(struct db *db, const char *table, int64_t key, char *why, size_t room)
{
	char sql[256];

	if (key < 1)
		return true;
	snprintf(sql, sizeof(sql), "SELECT setval(pg_get_serial_sequence('%s', 'pk'), %lld)", table, (long long)key);
	return script_run(postgres_of(db), sql, NULL, NULL, why, room) == DB_DONE;
}

bool
admin_empty(struct db *db, char *why, size_t room)
{
	static const char sql[] =
		"SET statement_timeout = 0; DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(format('%I', tablename), ', ')"
		" FROM pg_tables WHERE schemaname = current_schema() AND tablename NOT IN ('okul_letter', 'schema_version')); END $$;"
		"INSERT INTO tally_part (name, n) VALUES ('course:version', 0), ('test:version', 0); SET statement_timeout = '2s'";

	return script_run(postgres_of(db), sql, NULL, NULL, why, room) == DB_DONE;
}
