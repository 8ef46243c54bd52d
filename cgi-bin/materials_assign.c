/*
 * materials - their assignments to users: who has been assigned which material, and has opened it.
 *
 * Each newly assigned user gets one mail, in their own language. It is queued in the transaction of the assignment.
 */
#include "materials.h"
#include "assignment.h"
#include "audit.h"
#include "mail.h"
#include "page.h"
#include "sql.h"

/* clang-format off */
enum { USER_IDS, NOTE };

static const struct shape assign_material = { .name = "AssignEducationMaterialDto", .fields = FIELDS(
	[USER_IDS] = { "userIds", FIELD_LIST, 1, MATERIAL_IDS_MAX, .item = FIELD_ID },
	[NOTE] = { "note", FIELD_TEXT, 0, MATERIAL_NOTE_MAX, .lines = true, .optional = true, .nullable = true,
		.example = "\"Please read it before Monday.\"" }) };

static const struct shape assign_summary = { .name = "AssignEducationMaterialSummaryDto", .fields = FIELDS(
	{ "materialId", FIELD_ID },
	{ "requested", FIELD_INT, 1, MATERIAL_IDS_MAX, .example = "3" },
	{ "assigned", FIELD_INT, 0, MATERIAL_IDS_MAX, .note = "newly: they get a mail", .example = "2" },
	{ "alreadyAssigned", FIELD_INT, 0, MATERIAL_IDS_MAX, .note = "nothing changes for them", .example = "1" }) };

static const struct shape assigned_by = { .name = "AssignedByResponseDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "name", FIELD_TEXT, 0, 201, .example = "\"Ada Lovelace\"" }) };

static const struct shape assigned_tail = { .name = "AssignedTail", .fields = FIELDS(
	{ "openedAt", FIELD_TIME, .nullable = true, .note = "when they first opened one of its PDFs" },
	{ "note", FIELD_TEXT, 0, MATERIAL_NOTE_MAX, .nullable = true }) };

static const struct shape assigned_material = { .name = "AssignedEducationMaterialResponseDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &material_response },
	{ "assignedAt", FIELD_TIME },
	{ "assignedBy", FIELD_OBJECT, .of = &assigned_by, .nullable = true, .note = "null: their account is gone" },
	{ "", FIELD_PLUS, .of = &assigned_tail }) };

static const struct shape my_materials = { .name = "MyAssignedEducationMaterialsResponseDto", .fields = FIELDS(
	{ "materials", FIELD_LIST, .of = &assigned_material },
	{ "total", FIELD_INT, 0 }) };

static const struct shape user_summary = { .name = "UserSummaryForAssignmentsDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "email", FIELD_EMAIL },
	{ "name", FIELD_TEXT, 0, 100, .nullable = true },
	{ "surname", FIELD_TEXT, 0, 100, .nullable = true }) };

static const struct shape users_materials = { .name = "AdminUserAssignedMaterialsResponseDto", .fields = FIELDS(
	{ "user", FIELD_OBJECT, .of = &user_summary },
	{ "", FIELD_PLUS, .of = &my_materials }) };

static const struct shape material_assignment = { .name = "MaterialAssignmentResponseDto", .fields = FIELDS(
	{ "user", FIELD_OBJECT, .of = &user_summary },
	{ "assignedAt", FIELD_TIME },
	{ "assignedBy", FIELD_OBJECT, .of = &assigned_by, .nullable = true, .note = "null: their account is gone" },
	{ "", FIELD_PLUS, .of = &assigned_tail }) };

/* ---- statements */

#define FULL_NAME(user) "trim(coalesce(" user ".name, '') || ' ' || coalesce(" user ".surname, ''))"

enum { MATERIAL, WHO, ASSIGNED, USER_SUMMARY, HOLDERS, HOLDER_COUNT };

static const char *const sql[] = {
	[MATERIAL] = "SELECT pk, title FROM material WHERE id = ?1",
	[WHO] = "SELECT pk, email, language, coalesce(nullif(" FULL_NAME("users") ", ''), email) FROM users"
		" WHERE id = ?1 AND is_active AND deletion_status <> 'pending'",
	[ASSIGNED] = "SELECT " MATERIAL_COLUMNS ", assignment.assigned_at, giver.id, " FULL_NAME("giver") " AS name,"
		" assignment.opened_at, assignment.note FROM assignment" SQL_JOIN "material"
		" ON material.pk = assignment.material LEFT JOIN users AS giver ON giver.pk = assignment.assigned_by"
		" WHERE assignment.user_pk = ?1 ORDER BY assignment.pk DESC",
	[USER_SUMMARY] = "SELECT pk, id, email, name, surname FROM users WHERE id = ?1",
	[HOLDERS] = "SELECT users.id, users.email, users.name, users.surname, assignment.assigned_at, giver.id, " FULL_NAME("giver") " AS name,"
		" assignment.opened_at, assignment.note FROM assignment" SQL_JOIN "users ON users.pk = assignment.user_pk"
		" LEFT JOIN users AS giver ON giver.pk = assignment.assigned_by"
		" WHERE assignment.material = ?1 ORDER BY assignment.pk DESC LIMIT ?2 OFFSET ?3",
	[HOLDER_COUNT] = "SELECT count(*) FROM assignment WHERE material = ?1",
};

enum { ASSIGNED_AT = MATERIAL_COLUMN_COUNT, ASSIGNED_BY, OPENED_AT = ASSIGNED_BY + 2 };

/* ---- routes */

static void check_assign(struct request *rq, struct faults *faults);
static response_handler post_assign, delete_assignment, show_of_user, get_mine, get_of_user, get_holders;

static const struct route routes[] = {
	{ POST, "/education-materials/{id}/assign", ADMIN, post_assign, .check = check_assign, .in = &assign_material,
	  .out = &assign_summary, .writes = true, .title = "Assign an education material to one or more users (Admin)",
	  .note = "Mails each user who is newly assigned, in their language. Nothing changes for those who have it already. "
	  "Where one of the ids is unknown, or of a user who is deactivated or has asked to be deleted, the response is 404 "
	  "and nothing changes." },
	{ DELETE, "/education-materials/{id}/assign/{userId}", ADMIN, delete_assignment, .out = &delete_response,
	  .writes = true, .shows = show_of_user, .title = "Take an assignment back (Admin)",
	  .note = "The user no longer has the material, and gets no mail. The id of the response is the user's. "
	  "If-Match takes the tag of GET /education-materials/assigned/users/{userId}." },
	{ GET, "/education-materials/assigned/me", USER, get_mine, .out = &my_materials,
	  .title = "Get assigned education materials for current user",
	  .note = "Last assigned first. The addresses of PDFs name the caller: the first use of one is openedAt." },
	{ GET, "/education-materials/assigned/users/{userId}", ADMIN, get_of_user, .out = &users_materials,
	  .title = "Get assigned education materials for a specific user (Admin)", .note = "Last assigned first." },
	{ GET, "/education-materials/{id}/assignments", ADMIN, get_holders, .query = &page_query, .out = &material_assignment,
	  .out_page = true, .title = "To whom a material is assigned (Admin)", .note = "Last assigned first." },
};

const struct section materials_assigning = { routes, COUNT(routes), sql, COUNT(sql) };
/* clang-format on */

/* ---- assigning */

/* A user of the request; without a mail where the user was not found. */
struct assignee {
	const char *id;
	struct outbox_new mail;
};

static int
compare_assignees(const void *a, const void *b)
{
	return strcmp(((const struct assignee *)a)->id, ((const struct assignee *)b)->id);
}

static struct outbox_new
mail_to(struct request *rq, const struct db_rows *who, const char *title)
{
	const char *note = value_string(rq->in[NOTE]);
	const struct mail_value values[] = { { "school", rq->conf->mail_name }, { "name", db_text(who, 3) }, { "title", title },
		{ "link", rq->conf->app_url }, { "paragraph", note && note[0] ? arena_format(rq->arena, "\n%s\n", note) : "" } };
	enum language language = EN;

	(void)!language_of(db_text(who, 2), &language);
	return mail_seal(rq->conf, rq->arena, rq->now, 0, arena_string(rq->arena, db_text(who, 1)), language, "material-assigned",
		values, COUNT(values));
}

/*
 * Seals a mail to each user: which of them have the material already is known only inside the transaction. All requests add
 * users in one order, so that two with the same ones do not wait for each other.
 */
static void
check_assign(struct request *rq, struct faults *faults)
{
	const struct value *ids = &rq->in[USER_IDS];
	struct assignee *to;
	struct db_rows *row;

	materials_check_twice(rq, ids, "userIds", faults);
	if (rq->faults.count + faults->count > 0)
		return;
	to = rq->prepared = arena_alloc(rq->arena, ids->count * sizeof(*to));
	for (size_t i = 0; i < ids->count; i++)
		to[i].id = value_string(ids->items[i]);
	qsort(to, ids->count, sizeof(*to), compare_assignees);
	if (db_one(rq->db, &row, sql[MATERIAL], ARGS(rq->id)) != DB_ROW)
		return;
	const char *title = mail_one_line(rq->arena, db_text(row, 1));
	db_end(row);
	for (size_t i = 0; i < ids->count; i++) {
		if (db_one(rq->db, &row, sql[WHO], ARGS(to[i].id)) == DB_ROW)
			to[i].mail = mail_to(rq, row, title);
		db_end(row);
	}
}

static struct response
put_summary(struct request *rq, int64_t requested, int64_t assigned)
{
	rq->mail_queued = assigned > 0;
	response_begin(rq);
	data_text(rq, "materialId", rq->id);
	data_int(rq, "requested", requested);
	data_int(rq, "assigned", assigned);
	data_int(rq, "alreadyAssigned", requested - assigned);
	return response_done(rq);
}

static struct response
post_assign(struct request *rq)
{
	const struct assignee *to = rq->prepared;
	const size_t count = rq->in[USER_IDS].count;
	struct db_rows *row;
	int64_t assigned = 0;

	if (db_one(rq->db, &row, sql[MATERIAL], ARGS(rq->id)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	int64_t material = db_int(row, 0);
	db_end(row);
	for (size_t i = 0; i < count; i++) {
		if (db_one(rq->db, &row, sql[WHO], ARGS(to[i].id)) != DB_ROW)
			return response_error(rq, ERROR_NOT_FOUND);
		bool added = assignment_add(rq->db,
			&(struct assignment){ material, db_int(row, 0), rq->user->pk, rq->now, 0, value_string(rq->in[NOTE]) });
		if (added && !outbox_fits(&to[i].mail, db_text(row, 1), db_text(row, 2)))
			return response_again(rq);
		db_end(row);
		if (added)
			outbox_add(rq->db, &to[i].mail);
		assigned += added;
	}
	return put_summary(rq, (int64_t)count, assigned);
}

/* ---- what is assigned */

static void
put_assigned(struct request *rq, const struct db_rows *row, const char *user)
{
	data_object(rq, NULL);
	materials_put(rq, row, user);
	data_time(rq, "assignedAt", db_int(row, ASSIGNED_AT));
	if (db_is_null(row, ASSIGNED_BY))
		data_null(rq, "assignedBy");
	else
		response_put_row_object(rq, "assignedBy", &assigned_by, row, ASSIGNED_BY);
	response_put_row(rq, &assigned_tail, row, OPENED_AT);
	data_end_object(rq);
}

/* The materials of a user, and their count. The URLs of PDFs name `reader`; NULL: nobody. */
static void
put_materials(struct request *rq, int64_t user, const char *reader)
{
	struct db_rows *row;
	int64_t total = 0;

	data_list(rq, "materials");
	for (enum db_rc rc = db_one(rq->db, &row, sql[ASSIGNED], ARGS(user)); rc == DB_ROW; rc = db_next(row)) {
		put_assigned(rq, row, reader);
		total++;
	}
	db_end(row);
	data_end_list(rq);
	data_int(rq, "total", total);
}

static struct response
get_mine(struct request *rq)
{
	response_begin(rq);
	put_materials(rq, rq->user->pk, rq->user->id);
	return response_done(rq);
}

static struct response
of_user(struct request *rq, const char *id)
{
	struct db_rows *user;

	if (db_one(rq->db, &user, sql[USER_SUMMARY], ARGS(id)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	response_begin(rq);
	response_put_row_object(rq, "user", &user_summary, user, 1);
	int64_t pk = db_int(user, 0);
	db_end(user);
	put_materials(rq, pk, NULL);
	return response_done(rq);
}

static struct response
get_of_user(struct request *rq)
{
	return of_user(rq, rq->id);
}

/* ---- taking assignments back */

static struct response
show_of_user(struct request *rq)
{
	return of_user(rq, rq->params[1]);
}

static struct response
delete_assignment(struct request *rq)
{
	const char *user = rq->params[1];
	struct db_rows *row;

	if (assignment_remove(rq->db, &row, rq->id, user) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	audit_add(rq->db, rq->now,
		&(struct audit){ rq->user->id, rq->user->email, "material.unassigned", user, db_text(row, 0), db_text(row, 1) });
	db_end(row);
	return response_deleted(rq, S_UNASSIGNED, user);
}

/* ---- who has a material */

static void
put_holder(struct request *rq, const struct db_rows *row)
{
	enum { ASSIGNED_TIME = 4, GIVER, OPENED_TIME = GIVER + 2 };

	response_put_row_object(rq, "user", &user_summary, row, 0);
	data_time(rq, "assignedAt", db_int(row, ASSIGNED_TIME));
	if (db_is_null(row, GIVER))
		data_null(rq, "assignedBy");
	else
		response_put_row_object(rq, "assignedBy", &assigned_by, row, GIVER);
	response_put_row(rq, &assigned_tail, row, OPENED_TIME);
}

static struct response
get_holders(struct request *rq)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, sql[MATERIAL], ARGS(rq->id)) != DB_ROW)
		return response_error(rq, ERROR_NOT_FOUND);
	int64_t material = db_int(row, 0);
	db_end(row);
	return response_list_by(rq, sql[HOLDER_COUNT], sql[HOLDERS], ARGS(material), put_holder);
}
