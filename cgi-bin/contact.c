/*
 * contact - questions of visitors to the school, and the school's replies.
 *
 * A question is stored; no mail is sent. Against bots, without a third party: an hourly limit by client address, a
 * honeypot field (website), and a stamp of the time at which the form was shown.
 */
#include "app.h"
#include "contact.h"
#include "encode.h"
#include "fold.h"
#include "limit.h"
#include "mail.h"
#include "session.h"
#include "sql.h"
#include "text.h"
#include "token.h"

/* clang-format off */
static const char *const sorts[] = { "-createdAt", "createdAt", "fullName", "-fullName", NULL };
static const char *const states[] = { "PENDING", "REPLIED", NULL };

enum { FULL_NAME, EMAIL, PHONE, SUBJECT, QUESTION, SOURCE, LANGUAGE, WEBSITE, STAMP };

static const struct shape create_contact = { .name = "CreateContactRequestDto", .fields = FIELDS(
	[FULL_NAME] = { "fullName", FIELD_TEXT, 1, 200, .example = "\"Ayşe Yılmaz\"" },
	[EMAIL] = { "email", FIELD_EMAIL, .example = "\"ayse@example.com\"" },
	[PHONE] = { "phoneNumber", FIELD_TEXT, 0, 20, .optional = true, .nullable = true, .example = "\"+90 537 250 58 90\"" },
	[SUBJECT] = { "subject", FIELD_TEXT, 0, 200, .optional = true, .nullable = true, .example = "\"Evening courses\"" },
	[QUESTION] = { "message", FIELD_TEXT, 1, 5000, .lines = true, .example = "\"When does the next A1 course begin?\"" },
	[SOURCE] = { "source", FIELD_TEXT, 0, 64, .optional = true, .nullable = true, .example = "\"website\"" },
	[LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes, .optional = true,
		.note = "of the reply; by Accept-Language unless given" },
	[WEBSITE] = { "website", FIELD_TEXT, 0, 200, .optional = true,
		.note = "must stay empty: hide it from people, robots fill it in" },
	[STAMP] = { "stamp", FIELD_TEXT, 0, 100, .optional = true, .note = "from GET /contact/form, when the form was shown" }) };

enum { REPLY };

static const struct shape reply_contact = { .name = "ReplyContactRequestDto", .fields = FIELDS(
	[REPLY] = { "message", FIELD_TEXT, 1, 10000, .lines = true, .example = "\"The next A1 course begins on Monday.\"" }) };

enum { STATUS };

static const struct shape update_status = { .name = "UpdateContactStatusRequestDto", .fields = FIELDS(
	[STATUS] = { "status", FIELD_ENUM, .oneof = states }) };

static const struct shape contact_response = { .name = "ContactResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "fullName", FIELD_TEXT, 1, 200 },
	{ "email", FIELD_EMAIL },
	{ "phoneNumber", FIELD_TEXT, 0, 20, .nullable = true },
	{ "subject", FIELD_TEXT, 0, 200, .nullable = true },
	{ "message", FIELD_TEXT, 1, 5000 },
	{ "source", FIELD_TEXT, 0, 64, .nullable = true },
	{ "language", FIELD_ENUM, .oneof = language_codes },
	{ "status", FIELD_ENUM, .oneof = states },
	{ "reply", FIELD_TEXT, 1, 10000, .nullable = true },
	{ "repliedAt", FIELD_TIME, .nullable = true },
	{ "createdAt", FIELD_TIME }) };

static const struct shape form_response = { .name = "ContactFormResponseDto", .fields = FIELDS(
	{ "stamp", FIELD_TEXT, 0, 100, .note = "to be sent along as `stamp`" },
	{ "notBefore", FIELD_TIME, .note = "a form that is sent earlier was not filled in by a person" },
	{ "expiresAt", FIELD_TIME }) };

enum { FOR_WORDS = PAGE_FIELDS, FOR_STATUS, FOR_SOURCE, SORT, FORMAT };

static const struct shape list_query = { .name = "ContactListQuery", .fields = FIELDS(
	[0] = { "", FIELD_HEAD, .of = &page_query },
	[FOR_WORDS] = PAGE_SEARCH("parts of name, address, subject or message"),
	[FOR_STATUS] = { "status", FIELD_ENUM, .oneof = states, .optional = true },
	[FOR_SOURCE] = { "source", FIELD_TEXT, 0, 64, .optional = true, .example = "\"website\"" },
	[SORT] = { "sort", FIELD_ENUM, .oneof = sorts, .optional = true, .note = "newest first unless given" },
	PAGE_FORMAT_AT(FORMAT)) };

#define COLUMNS \
	"contact.id, contact.full_name, contact.email, contact.phone_number, contact.subject, contact.message," \
	" contact.source, contact.language, contact.status, contact.reply, contact.replied_at, contact.created_at"

/* The page is found in a narrow index and then joined. ?1 status, ?2 source, ?3 words, ?4 limit, ?5 offset. */
#define PAGE(where, order) \
	"SELECT " COLUMNS " FROM (SELECT pk AS found FROM contact WHERE " where " ORDER BY " order \
	" LIMIT ?4 OFFSET ?5) AS page" SQL_JOIN "contact ON contact.pk = found ORDER BY " order
#define BY_STATUS "status = ?1 AND " SQL_UNSET("?2") " AND " SQL_UNSET("?3")
#define BY_SOURCE "source = ?2 AND (" SQL_UNSET("?1") " OR status = ?1) AND " SQL_UNSET("?3")
#define BY_TEXT "(" SQL_UNSET("?1") " OR status = ?1) AND (" SQL_UNSET("?2") " OR source = ?2) AND " \
	SQL_HAS_WORDS("folded", "?3")

#define SORTED(index, order) \
	[LIST_ALL + index] = PAGE(SQL_UNSET("?1") " AND " SQL_UNSET("?2") " AND " SQL_UNSET("?3"), order) \
		" /* scans: contact */", \
	[LIST_STATUS + index] = PAGE(BY_STATUS, order), \
	[LIST_SOURCE + index] = PAGE(BY_SOURCE, order), \
	[LIST_TEXT + index] = PAGE(BY_TEXT, order) " /* scans: contact */"

#define SORTS 4
enum {
	LIST_ALL = 0, LIST_STATUS = LIST_ALL + SORTS, LIST_SOURCE = LIST_STATUS + SORTS, LIST_TEXT = LIST_SOURCE + SORTS,
	COUNT_TALLY = LIST_TEXT + SORTS, COUNT_SOURCE, COUNT_TEXT, ONE, TO_REPLY,
};

static const char *const sql[] = {
	SORTED(0, "contact.pk DESC"),
	SORTED(1, "contact.pk"),
	SORTED(2, "contact.sort_name, contact.pk"),
	SORTED(3, "contact.sort_name DESC, contact.pk DESC"),
	[COUNT_TALLY] = "SELECT n FROM tally WHERE name = coalesce('contact:' || ?1, 'contact')"
		" AND " SQL_UNSET("?2") " AND " SQL_UNSET("?3"),
	[COUNT_SOURCE] = "SELECT count(*) FROM contact WHERE " BY_SOURCE,
	[COUNT_TEXT] = "SELECT count(*) FROM contact WHERE " BY_TEXT " /* scans: contact */",
	[ONE] = "SELECT " COLUMNS " FROM contact WHERE id = ?1",
	[TO_REPLY] = "SELECT email, language, subject, message, full_name,"
		" (SELECT trim(coalesce(name, '') || ' ' || coalesce(surname, '')) FROM users WHERE pk = ?2)"
		" FROM contact WHERE id = ?1",
};

static void check_bot(struct request *rq, struct faults *faults);
static response_handler post_contact, get_form, get_contacts, post_reply, delete_contact, patch_status;
static void check_reply(struct request *rq, struct faults *faults);

static const struct route routes[] = {
	{ POST, "/contact", PUBLIC, post_contact, .check = check_bot, .in = &create_contact, .out = &contact_response,
	  .status = 201, .writes = true, .client_limit = true, .title = "Submit a contact request",
	  .note = "Stores the question; sends no mail.",
	  .example = "{\"fullName\":\"Ayşe Yılmaz\",\"email\":\"ayse@example.com\",\"message\":\"When does the next A1 course begin?\"}" },
	{ GET, "/contact/form", PUBLIC, get_form, .out = &form_response, .no_store = true,
	  .title = "What a contact form sends along",
	  .note = "A stamp with the time at which the form was shown. Optional: without it only the other checks apply." },
	{ GET, "/contact", ADMIN, get_contacts, .query = &list_query, .out = &contact_response, .out_page = true,
	  .title = "Get contact requests (Admin)", .note = "A page of them, or with format=csv all of them as a file." },
	{ POST, "/contact/{id}/reply", ADMIN, post_reply, .check = check_reply, .in = &reply_contact,
	  .out = &contact_response, .writes = true, .errors = STATUSES(409), .title = "Reply to a contact request (Admin)",
	  .note = "Mails the reply to the sender of the question, in their language and with their question; once. Reply-To "
	  "of the mail is the admin, or the mailbox that the configuration names." },
	{ DELETE, "/contact/{id}", ADMIN, delete_contact, .out = &delete_response, .writes = true,
	  .title = "Delete a contact request (Admin)" },
	{ PATCH, "/contact/{id}/status", ADMIN, patch_status, .in = &update_status, .out = &contact_response, .writes = true,
	  .title = "Update contact status (Admin)", .example = "{\"status\":\"REPLIED\"}" },
};

static const struct section section = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "contact", "Questions of visitors, and replies", SECTIONS(&section),
	.statements = STATEMENTS(&contact_statements, &limit_statements, &outbox_statements, &session_statements),
	.start = token_init, .authenticate = session_authenticate, .mail_wake = mail_wake };

/* ---- the stamp: <milliseconds>.<MAC>, under a key outside the database; nothing is stored for it */

#define STAMP_REST (2 * SECOND)		/* no person fills in the form faster */
#define STAMP_LIFE DAY
/* clang-format on */

static void
put_stamp(struct buf *out, const struct request *rq, const char *time)
{
	const struct part parts[] = { PART("contact form"), PART(time) };
	unsigned char mac[MAC_BYTES];

	secret_mac(mac, rq->conf->link_key, parts, COUNT(parts));
	buf_puts(out, time);
	buf_putc(out, '.');
	encode_hex(out, mac, sizeof(mac));
}

/* What is wrong with a stamp; S_OK: nothing. */
static enum sentence
stamp_fault(struct request *rq, const char *stamp)
{
	const char *time = arena_copy(rq->arena, stamp, strcspn(stamp, "."));
	struct buf own = { .arena = rq->arena };
	int64_t shown;

	put_stamp(&own, rq, time);
	if (strlen(stamp) != own.length || !secret_equal(stamp, own.s, own.length) || !text_to_int(time, 0, INT64_MAX, &shown) ||
		rq->now > shown + STAMP_LIFE || shown > rq->now + CLOCK_SLACK)
		return S_F_STAMP;
	return rq->now < shown + STAMP_REST ? S_F_TOO_FAST : S_OK;
}

static struct response
get_form(struct request *rq)
{
	struct buf stamp = { .arena = rq->arena };

	put_stamp(&stamp, rq, arena_format(rq->arena, "%lld", (long long)rq->now));
	response_begin(rq);
	data_text(rq, "stamp", stamp.s);
	data_time(rq, "notBefore", rq->now + STAMP_REST);
	data_time(rq, "expiresAt", rq->now + STAMP_LIFE);
	return response_done(rq);
}

/* ---- questions */

static void
check_bot(struct request *rq, struct faults *faults)
{
	const char *website = value_string(rq->in[WEBSITE]), *stamp = value_string(rq->in[STAMP]);
	enum sentence fault = stamp && stamp[0] ? stamp_fault(rq, stamp) : S_OK;

	if (website && website[0])
		faults_add(faults, "website", S_F_LEAVE_EMPTY, NULL);
	if (fault != S_OK)
		faults_add(faults, "stamp", fault, NULL);
}

static struct response
post_contact(struct request *rq)
{
	static const char kind[] = "contact-client";
	int64_t wait = limit_client(rq->db, rq->conf, kind, rq->http.client, rq->now, HOUR, rq->conf->contact_hourly);
	const struct value *in = rq->in;
	enum language language = rq->language;
	char id[ID_TEXT];

	if (wait)
		return response_wait(rq, ERROR_TOO_MANY_REQUESTS, wait);
	limit_count_client(rq->db, rq->conf, kind, rq->http.client, rq->now, HOUR);
	(void)!language_of(value_string(in[LANGUAGE]), &language);
	random_id(id);
	contact_add(rq->db,
		&(struct contact_new){ id, value_string(in[FULL_NAME]), value_string(in[EMAIL]), value_string(in[PHONE]),
			value_string(in[SUBJECT]), value_string(in[QUESTION]), value_string(in[SOURCE]), language_code(language),
			rq->now });
	return response_row(rq, sql[ONE], ARGS(id), &contact_response);
}

/* ---- replies */

static struct response
get_contacts(struct request *rq)
{
	const struct value *in = rq->in;
	const char *words = fold_words(rq->arena, value_string(in[FOR_WORDS]));
	int count = words ? COUNT_TEXT : in[FOR_SOURCE].named ? COUNT_SOURCE : COUNT_TALLY;
	int list = words ? LIST_TEXT : in[FOR_SOURCE].named ? LIST_SOURCE : in[FOR_STATUS].named ? LIST_STATUS : LIST_ALL;
	int sort = value_choice(in[SORT], sorts);
	struct args args = ARGS(in[FOR_STATUS], in[FOR_SOURCE], words);

	if (page_is_table(&in[FORMAT]))
		return response_csv(rq, "contact", sql[list + sort], args, &contact_response, page_separator(&in[FORMAT]), false);
	return response_list(rq, sql[count], sql[list + sort], args, &contact_response);
}

static const char *
quoted(struct arena *arena, const char *text)
{
	struct buf out = { .arena = arena };

	while (*text) {
		size_t length = strcspn(text, "\n");
		buf_puts(&out, out.length ? "\n> " : "> ");
		buf_put(&out, text, length);
		text += length + (text[length] == '\n');
	}
	return out.s;
}

/*
 * Seals the mail; its question does not change meanwhile. Reply-To is the mailbox of conf's reply_to, else the admin who
 * replies.
 */
static void
check_reply(struct request *rq, struct faults *faults)
{
	const struct conf *conf = rq->conf;
	struct outbox_new *mail = arena_alloc(rq->arena, sizeof(*mail));
	enum language language = EN;
	struct db_rows *row;

	(void)faults;
	if (rq->faults.count > 0 || db_one(rq->db, &row, sql[TO_REPLY], ARGS(rq->id, rq->user->pk)) != DB_ROW)
		return;
	(void)!language_of(db_text(row, 1), &language);
	const char *subject = db_text(row, 2), *question = db_text(row, 3);
	if (!subject || !subject[0])
		subject = sentence(S_YOUR_QUESTION, language);
	const struct mail_value values[] = { { "school", conf->mail_name }, { "name", db_text(row, 4) },
		{ "subject", mail_one_line(rq->arena, subject) }, { "reply", value_string(rq->in[REPLY]) },
		{ "question", question }, { "quoted", quoted(rq->arena, question) },
		{ "reply_to", conf->reply_to[0] ? conf->reply_to : rq->user->email },
		{ "reply_name", conf->reply_to[0] ? conf->mail_name : mail_one_line(rq->arena, db_text(row, 5)) } };
	*mail = mail_seal(conf, rq->arena, rq->now, 0, arena_string(rq->arena, db_text(row, 0)), language, "contact-reply",
		values, COUNT(values));
	db_end(row);
	rq->prepared = mail;
}

static struct response
post_reply(struct request *rq)
{
	bool replied = contact_reply(rq->db, rq->id, value_string(rq->in[REPLY]), rq->now);

	if (replied && !rq->prepared)
		return response_again(rq);
	if (replied)
		outbox_add(rq->db, rq->prepared);
	rq->mail_queued = replied;
	struct response response = response_row(rq, sql[ONE], ARGS(rq->id), &contact_response);
	return replied || response.error ? response : response_error(rq, ERROR_ALREADY_REPLIED);
}

static struct response
delete_contact(struct request *rq)
{
	if (!contact_delete(rq->db, rq->id))
		return response_error(rq, ERROR_NOT_FOUND);
	return response_deleted(rq, S_CONTACT_DELETED, rq->id);
}

static struct response
patch_status(struct request *rq)
{
	contact_set_status(rq->db, rq->id, value_string(rq->in[STATUS]), rq->now);
	return response_row(rq, sql[ONE], ARGS(rq->id), &contact_response);
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
