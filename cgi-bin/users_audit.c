/* users - who changed what on whom, for admins to read. `okulctl audit` shows the operator the same. */
#include "users.h"
#include "sql.h"

/* clang-format off */
enum { FOR_ACTION = PAGE_FIELDS, FOR_ACTOR, FOR_SUBJECT, FROM, TO };

static const struct shape list_query = { .name = "AuditListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_ACTION] = { "action", FIELD_TEXT, 0, 100, .optional = true, .example = "\"user.\"",
	  .note = "what was done, or how that begins" },
	[FOR_ACTOR] = { "actor", FIELD_TEXT, 0, 254, .optional = true, .example = "\"admin@example.com\"",
	  .note = "id or address of who did it; operator for what okulctl did" },
	[FOR_SUBJECT] = { "subject", FIELD_TEXT, 0, 254, .optional = true, .example = "\"user@example.com\"",
	  .note = "id, address or key of what it was done to; by an address also what was done while it was another" },
	[FROM] = { "from", FIELD_TIME, .or_date = true, .optional = true,
	  .note = "a time, or a date: its midnight where the school is" },
	[TO] = { "to", FIELD_TIME, .or_date = true, .optional = true, .example = "\"2026-02-01\"",
	  .note = "until just before it" }) };

static const struct shape audit_entry = { .name = "AuditEntryResponseDto", .fields = FIELDS(
	{ "at", FIELD_TIME },
	{ "action", FIELD_TEXT, 1, 100, .example = "\"user.role\"" },
	{ "actorId", FIELD_ID, .nullable = true, .note = "null: the operator, by okulctl" },
	{ "actorEmail", FIELD_EMAIL, .nullable = true, .note = "as it was then" },
	{ "subjectId", FIELD_TEXT, 0, 254, .example = "\"019bc1a5e0c8f3d27b6a4e15\"" },
	{ "subject", FIELD_TEXT, 0, 254, .example = "\"user@example.com\"",
	  .note = "address of a user, title of a course, key of a setting ..." },
	{ "before", FIELD_TEXT, .nullable = true, .example = "\"user\"" },
	{ "after", FIELD_TEXT, .nullable = true, .example = "\"admin\"" }) };

/* ?1 subject, ?2 actor, ?3 beginning of the action, ?4 from, ?5 to. Addresses and ids are in lower case. */
#define FILTER \
	" AND audit.at >= ?4 AND audit.at < ?5 AND (CAST(?2 AS TEXT) IS NULL OR actor_id = " SQL_LOWER("?2") \
	" OR actor_email = " SQL_LOWER("?2") " OR (?2 = 'operator' AND actor_id IS NULL)) AND (CAST(?3 AS TEXT) IS NULL OR substr(action, 1, length(?3)) = ?3)"
#define BY_TIME "audit" SQL_BY_INDEX("audit_at") " WHERE CAST(?1 AS TEXT) IS NULL" FILTER
/* An address may change, an id does not: all ids that have or had the address. */
#define BY_SUBJECT \
	"audit" SQL_BY_INDEX("audit_subject") " WHERE subject_id IN (SELECT " SQL_LOWER("?1") \
	" UNION SELECT id FROM users WHERE email = " SQL_LOWER("?1") \
	" UNION SELECT named.subject_id FROM audit AS named WHERE named.subject IN (?1, " SQL_LOWER("?1") "))" FILTER
#define PAGE(source) \
	"SELECT at, action, actor_id, actor_email, subject_id, subject, before," \
	" after FROM " source " ORDER BY audit.at DESC, audit.pk DESC LIMIT ?6 OFFSET ?7"

enum { LIST_ALL, LIST_OF_SUBJECT, COUNT_ALL, COUNT_OF_SUBJECT };

static const char *const sql[] = {
	[LIST_ALL] = PAGE(BY_TIME),
	[LIST_OF_SUBJECT] = PAGE(BY_SUBJECT),
	[COUNT_ALL] = "SELECT count(*) FROM " BY_TIME,
	[COUNT_OF_SUBJECT] = "SELECT count(*) FROM " BY_SUBJECT,
};

static response_handler get_audit;

static const struct route routes[] = {
	{ GET, "/admin/audit", ADMIN, get_audit, .query = &list_query, .out = &audit_entry, .out_page = true,
	  .title = "Who changed what on whom (Admin)",
	  .note = "Newest first. An entry stays when its actor or subject is deleted." },
};

const struct section users_audit = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

/* NULL for an empty filter, as for one that is left out. */
static const char *
filter(struct value value)
{
	const char *text = value_string(value);

	return text && text[0] ? text : NULL;
}

static struct response
get_audit(struct request *rq)
{
	const struct value *in = rq->in;
	const char *subject = filter(in[FOR_SUBJECT]), *zone = rq->conf->time_zone;
	struct args args = ARGS(subject, filter(in[FOR_ACTOR]), filter(in[FOR_ACTION]), field_time(in[FROM], zone, INT64_MIN),
		field_time(in[TO], zone, INT64_MAX));

	if (subject)
		return response_list(rq, sql[COUNT_OF_SUBJECT], sql[LIST_OF_SUBJECT], args, &audit_entry);
	return response_list(rq, sql[COUNT_ALL], sql[LIST_ALL], args, &audit_entry);
}
