/*
 * dashboard - the school in figures, for its admins.
 *
 * Nothing is counted here: triggers keep the counters (schema.sql), so that the response costs the same however many rows
 * there are. All its figures are of one moment: the statements see one snapshot.
 */
#include "app.h"
#include "session.h"
#include "sql.h"
#include "text.h"
#include "token.h"

#define MONTHS_DEFAULT 6
#define MONTHS_MAX 24
#define WINDOW (30 * DAY)
#define QUARTER (15 * MINUTE)
#define LEVELS 6
#define FOREVER (INT64_MAX / DAY * DAY)

/* ---- shapes */

/* clang-format off */
static const char *const states[] = { "PENDING", "REPLIED", NULL };

enum { MONTHS };

static const struct shape query = { .name = "DashboardQuery", .fields = FIELDS(
	[MONTHS] = { "months", FIELD_INT, 1, MONTHS_MAX, .optional = true,
	  .note = "months in `trends`, the present one included; 6 unless given" }) };

static const struct shape users_overview = { .name = "DashboardUsersOverviewDto", .fields = FIELDS(
	{ "total", FIELD_INT },
	{ "admins", FIELD_INT, .note = "and superadmins" },
	{ "registrationCompleted", FIELD_INT },
	{ "completionRate", FIELD_NUMBER, .example = "85.71", .note = "percent" },
	{ "newLast30Days", FIELD_INT },
	{ "monthlyGrowthRate", FIELD_NUMBER, .example = "12.5", .note = "percent, over the 30 days before them" }) };

static const struct shape courses_overview = { .name = "DashboardCoursesOverviewDto", .fields = FIELDS(
	{ "total", FIELD_INT, .note = "drafts too" }) };

static const struct shape tests_overview = { .name = "DashboardTestsOverviewDto", .fields = FIELDS(
	{ "totalTests", FIELD_INT, .note = "drafts too" },
	{ "totalSubmissions", FIELD_INT },
	{ "averageScore", FIELD_NUMBER, .example = "61.4" },
	{ "submissionsLast30Days", FIELD_INT },
	{ "monthlyGrowthRate", FIELD_NUMBER, .example = "-4.17", .note = "percent, over the 30 days before them" }) };

static const struct shape contacts_overview = { .name = "DashboardContactsOverviewDto", .fields = FIELDS(
	{ "total", FIELD_INT },
	{ "pending", FIELD_INT },
	{ "replied", FIELD_INT },
	{ "replyRate", FIELD_NUMBER, .example = "66.67", .note = "percent" },
	{ "newLast30Days", FIELD_INT }) };

static const struct shape materials_overview = { .name = "DashboardMaterialsOverviewDto", .fields = FIELDS(
	{ "total", FIELD_INT },
	{ "assignments", FIELD_INT },
	{ "assignedUsers", FIELD_INT, .note = "users with an assignment" },
	{ "avgAssignmentsPerUser", FIELD_NUMBER, .example = "2.5", .note = "of those users" },
	{ "assignmentsLast30Days", FIELD_INT }) };

static const struct shape overview = { .name = "DashboardOverviewDto", .fields = FIELDS(
	{ "users", FIELD_OBJECT, .of = &users_overview },
	{ "courses", FIELD_OBJECT, .of = &courses_overview },
	{ "tests", FIELD_OBJECT, .of = &tests_overview },
	{ "contacts", FIELD_OBJECT, .of = &contacts_overview },
	{ "materials", FIELD_OBJECT, .of = &materials_overview }) };

static const struct shape trend = { .name = "DashboardTrendDto", .fields = FIELDS(
	{ "month", FIELD_TEXT, 7, 7, .example = "\"2026-02\"" },
	{ "label", FIELD_TEXT, 8, 8, .example = "\"Feb 2026\"", .note = "in English" },
	{ "users", FIELD_INT, .note = "who signed up in it and are still there" },
	{ "testSubmissions", FIELD_INT },
	{ "contacts", FIELD_INT },
	{ "materialAssignments", FIELD_INT }) };

static const struct shape share = { .name = "DashboardDistributionItemDto", .fields = FIELDS(
	{ "key", FIELD_TEXT, 1, 64, .example = "\"admin\"" },
	{ "label", FIELD_TEXT, 1, 64, .example = "\"Admin\"", .note = "in English" },
	{ "count", FIELD_INT },
	{ "percentage", FIELD_NUMBER, .example = "12.5", .note = "of all" }) };

static const struct shape level_share = { .name = "DashboardLevelDistributionItemDto", .fields = FIELDS(
	{ "", FIELD_PLUS, .of = &share },
	{ "averageScore", FIELD_NUMBER, .example = "61.4" }) };

static const struct shape language_share = { .name = "DashboardLanguageDistributionItemDto", .fields = FIELDS(
	{ "key", FIELD_TEXT, 1, 64, .example = "\"tr\"", .note = "the target language, as tests spell it" },
	{ "label", FIELD_TEXT, 1, 64, .example = "\"TR\"", .note = "the key in upper case" },
	{ "submissions", FIELD_INT },
	{ "averageScore", FIELD_NUMBER, .example = "61.4" }) };

static const struct shape distributions = { .name = "DashboardDistributionsDto", .fields = FIELDS(
	{ "roles", FIELD_LIST, .of = &share, .note = "every role, the lowest first" },
	{ "contactsByStatus", FIELD_LIST, .of = &share, .note = "every status" },
	{ "levels", FIELD_LIST, .of = &level_share, .note = "every level, the lowest first" },
	{ "languages", FIELD_LIST, .of = &language_share, .note = "those with results, most results first" }) };

static const struct shape recent_contact = { .name = "DashboardRecentContactDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "fullName", FIELD_TEXT, 1, 200 },
	{ "email", FIELD_EMAIL },
	{ "status", FIELD_ENUM, .oneof = states },
	{ "createdAt", FIELD_TIME },
	{ "repliedAt", FIELD_TIME, .nullable = true },
	{ "source", FIELD_TEXT, 0, 64, .nullable = true }) };

static const struct shape recent_result = { .name = "DashboardRecentResultDto", .fields = FIELDS(
	{ "id", FIELD_ID },
	{ "userName", FIELD_TEXT, 0, 201, .note = "name and surname; empty while the user has none" },
	{ "userEmail", FIELD_EMAIL },
	{ "level", FIELD_ENUM, .oneof = level_enum },
	{ "totalScore", FIELD_NUMBER, .example = "61.4" },
	{ "targetLanguage", FIELD_TEXT, 2, 8 },
	{ "testTitle", FIELD_TEXT, 1, 200, .note = "as it was then" },
	{ "completedAt", FIELD_TIME }) };

static const struct shape recent_activity = { .name = "DashboardRecentActivityDto", .fields = FIELDS(
	{ "contacts", FIELD_LIST, .of = &recent_contact, .note = "the newest 5" },
	{ "testResults", FIELD_LIST, .of = &recent_result, .note = "the newest 5" }) };

static const struct shape stats = { .name = "AdminDashboardStatsResponseDto", .fields = FIELDS(
	{ "generatedAt", FIELD_TIME },
	{ "months", FIELD_INT, 1, MONTHS_MAX },
	{ "overview", FIELD_OBJECT, .of = &overview },
	{ "trends", FIELD_LIST, .of = &trend, .note = "the last months of the school's time zone, oldest first" },
	{ "distributions", FIELD_OBJECT, .of = &distributions },
	{ "recentActivity", FIELD_OBJECT, .of = &recent_activity }) };

/* ---- statements */

/* What is counted by time, in the order of the columns of time_tally. */
enum kind { USERS, RESULTS, CONTACTS, ASSIGNMENTS, KINDS };

enum { TALLY, SPANS, ROWS, LEVEL_SUMS, LANGUAGE_SUMS, RECENT_CONTACTS, RECENT_RESULTS };

static const char *const sql[] = {
	[TALLY] = "SELECT n FROM tally WHERE name = ?1",
	[SPANS] = "SELECT sum(users), sum(results), sum(contacts), sum(assignments) FROM time_tally"
		" WHERE span = ?1 AND number >= ?2 AND number < ?3",
	[ROWS] = "SELECT (SELECT count(*) FROM users WHERE created_at >= ?1 AND created_at < ?2),"
		" (SELECT count(*) FROM result WHERE completed_at >= ?1 AND completed_at < ?2),"
		" (SELECT count(*) FROM contact WHERE created_at >= ?1 AND created_at < ?2),"
		" (SELECT count(*) FROM assignment WHERE assigned_at >= ?1 AND assigned_at < ?2)",
	/* result_tally has a row for each version of a test and level */
	[LEVEL_SUMS] =
		"SELECT level, sum(n), sum(hundredths) FROM result_tally GROUP BY level ORDER BY level"
		" /* scans: result_tally */",
	/* languages are compared without case, as in lists */
	[LANGUAGE_SUMS] =
		"SELECT min(target_language), sum(n), sum(hundredths) FROM result_tally"
		" GROUP BY " SQL_LOWER("target_language") " ORDER BY 2 DESC, 1 /* scans: result_tally */",
	[RECENT_CONTACTS] =
		"SELECT id, full_name, email, status, created_at, replied_at,"
		" source FROM contact ORDER BY created_at DESC, pk DESC LIMIT 5 /* scans: contact */",
	[RECENT_RESULTS] =
		"SELECT result.id, trim(coalesce(users.name, '') || ' ' || coalesce(users.surname, '')) AS user_name,"
		" users.email AS user_email, result.level, result.total_score, result.target_language,"
		" version.title AS test_title, result.completed_at"
		" FROM (SELECT pk AS found FROM result ORDER BY completed_at DESC, pk DESC LIMIT 5) AS page"
		SQL_JOIN "result ON result.pk = found" SQL_JOIN "users ON users.pk = result.user_pk"
		SQL_JOIN "test_version AS version ON version.pk = result.version"
		" ORDER BY result.completed_at DESC, result.pk DESC /* scans: result */",
};

static response_handler get_stats;

static const struct route routes[] = {
	{ GET, "/admin/dashboard/stats", ADMIN, get_stats, .query = &query, .out = &stats, .no_store = true,
	  .title = "Get aggregated dashboard metrics for admin panel",
	  .note = "Exact, and all of one moment. The last 30 days begin 30 times 24 hours ago. A rate is 0 where there "
	  "is nothing to divide by; percentages have two decimals." },
};

static const struct section section = { routes, COUNT(routes), sql, COUNT(sql) };
static const struct program program = { "dashboard", "The school in figures", SECTIONS(&section),
	.statements = STATEMENTS(&session_statements), .start = token_init, .authenticate = session_authenticate };

/* ---- counts by time */

struct counts { int64_t of[KINDS]; };
/* clang-format on */

static void
add_row(struct request *rq, struct counts *counts, const char *statement, struct args args)
{
	struct db_rows *row;

	if (db_one(rq->db, &row, statement, args) == DB_ROW)
		for (int kind = 0; kind < KINDS; kind++)
			counts->of[kind] += db_int(row, kind);
	db_end(row);
}

/* Adds the counts of [from, to): by whole days, at the ends by quarters of an hour, and the rest by rows. */
static void
add_between(struct request *rq, struct counts *counts, int64_t from, int64_t to, size_t by)
{
	static const int64_t spans[] = { DAY, QUARTER };

	if (from >= to)
		return;
	if (by == COUNT(spans)) {
		add_row(rq, counts, sql[ROWS], ARGS(from, to));
		return;
	}
	int64_t span = spans[by], first = (from + span - 1) / span * span, end = to / span * span;
	if (first < end)
		add_row(rq, counts, sql[SPANS], ARGS(span, first / span, end / span));
	else
		first = end = to;
	add_between(rq, counts, from, first, by + 1);
	add_between(rq, counts, end, to, by + 1);
}

static struct counts
counts_between(struct request *rq, int64_t from, int64_t to)
{
	struct counts counts = { { 0 } };

	add_between(rq, &counts, from, to, 0);
	return counts;
}

/* ---- sums and rates */

static int64_t
tally(struct request *rq, const char *name)
{
	int64_t n = 0;

	(void)!db_number(rq->db, &n, sql[TALLY], ARGS(name));
	return n;
}

/* Results and the sum of their scores. */
struct sum {
	int64_t n, hundredths;
};

struct results {
	struct sum all, level[LEVELS];
};

static struct results
sum_results(struct request *rq)
{
	struct results results = { { 0 } };
	struct db_rows *rows;

	for (enum db_rc rc = db_one(rq->db, &rows, sql[LEVEL_SUMS], NO_ARGS); rc == DB_ROW; rc = db_next(rows)) {
		const struct sum sum = { db_int(rows, 1), db_int(rows, 2) };
		results.all.n += sum.n;
		results.all.hundredths += sum.hundredths;
		for (int i = 0; i < LEVELS; i++)
			if (strcmp(db_text(rows, 0), level_enum[i]) == 0)
				results.level[i] = sum;
	}
	db_end(rows);
	return results;
}

/* To two decimals, a half away from zero; 0 where there is nothing to divide by. */
static double
ratio(int64_t part, int64_t whole)
{
	if (whole == 0)
		return 0;
	int64_t twice = 200 * (part < 0 ? -part : part), hundredths = (twice + whole) / (2 * whole);
	return (double)(part < 0 ? -hundredths : hundredths) / 100;
}

static double
percent(int64_t part, int64_t whole)
{
	return ratio(100 * part, whole);
}

static double
average(struct sum sum)
{
	return ratio(sum.hundredths, 100 * sum.n);
}

static double
growth(int64_t now, int64_t before)
{
	return percent(now - before, before);
}

/* ---- overview */

static void
put_overview(struct request *rq, struct sum all)
{
	/* Without an end: a row is from the future only where the clock was set back, and so it is recent. */
	struct counts now = counts_between(rq, rq->now - WINDOW, FOREVER);
	struct counts before = counts_between(rq, rq->now - 2 * WINDOW, rq->now - WINDOW);
	int64_t users = tally(rq, "user"), registered = tally(rq, "registration");
	int64_t contacts = tally(rq, "contact"), replied = tally(rq, "contact:REPLIED");
	int64_t assignments = tally(rq, "assignment"), assigned = tally(rq, "assignment:user");

	data_object(rq, "overview");
	response_put_values(rq, "users", &users_overview,
		ARGS(users, tally(rq, "user:admin") + tally(rq, "user:superadmin"), registered, percent(registered, users),
			now.of[USERS], growth(now.of[USERS], before.of[USERS])));
	response_put_values(rq, "courses", &courses_overview, ARGS(tally(rq, "course")));
	response_put_values(rq, "tests", &tests_overview,
		ARGS(tally(rq, "test"), all.n, average(all), now.of[RESULTS], growth(now.of[RESULTS], before.of[RESULTS])));
	response_put_values(rq, "contacts", &contacts_overview,
		ARGS(contacts, tally(rq, "contact:PENDING"), replied, percent(replied, contacts), now.of[CONTACTS]));
	response_put_values(rq, "materials", &materials_overview,
		ARGS(tally(rq, "material"), assignments, assigned, ratio(assignments, assigned), now.of[ASSIGNMENTS]));
	data_end_object(rq);
}

/* ---- trends */

/* When a month of the school's time zone begins; `month` counts from January of the year 0. */
static int64_t
begin_of(struct request *rq, int month)
{
	return clock_midnight(arena_format(rq->arena, "%04d-%02d-01", month / 12, month % 12 + 1), rq->conf->time_zone);
}

static int
month_of(struct request *rq, int64_t time)
{
	char date[11];

	clock_zone_date_text(time, rq->conf->time_zone, date);
	return (int)strtol(date, NULL, 10) * 12 + (int)strtol(date + 5, NULL, 10) - 1;
}

static void
put_trends(struct request *rq, int months)
{
	static const char names[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int present = month_of(rq, rq->now), month = present - months + 1;
	int64_t begin = begin_of(rq, month), end;

	data_list(rq, "trends");
	for (; month <= present; month++, begin = end) {
		end = begin_of(rq, month + 1);
		struct counts counts = counts_between(rq, begin, end);
		response_put_values(rq, NULL, &trend,
			ARGS(arena_format(rq->arena, "%04d-%02d", month / 12, month % 12 + 1),
				arena_format(rq->arena, "%s %04d", names[month % 12], month / 12), counts.of[USERS],
				counts.of[RESULTS], counts.of[CONTACTS], counts.of[ASSIGNMENTS]));
	}
	data_end_list(rq);
}

/* ---- distributions */

/* The shares of the tallies NAME:KEY in the tally NAME. */
static void
put_shares(struct request *rq, const char *list, const char *name, const char *const *keys, const char *const *labels)
{
	int64_t all = tally(rq, name);

	data_list(rq, list);
	for (int i = 0; keys[i]; i++) {
		int64_t count = tally(rq, arena_format(rq->arena, "%s:%s", name, keys[i]));
		response_put_values(rq, NULL, &share, ARGS(keys[i], labels[i], count, percent(count, all)));
	}
	data_end_list(rq);
}

static void
put_levels(struct request *rq, const struct results *results)
{
	data_list(rq, "levels");
	for (int i = 0; i < LEVELS; i++)
		response_put_values(rq, NULL, &level_share,
			ARGS(level_enum[i], level_enum[i], results->level[i].n, percent(results->level[i].n, results->all.n),
				average(results->level[i])));
	data_end_list(rq);
}

static void
put_languages(struct request *rq)
{
	struct db_rows *rows;

	data_list(rq, "languages");
	for (enum db_rc rc = db_one(rq->db, &rows, sql[LANGUAGE_SUMS], NO_ARGS); rc == DB_ROW; rc = db_next(rows)) {
		const struct sum sum = { db_int(rows, 1), db_int(rows, 2) };
		char *label = arena_string(rq->arena, db_text(rows, 0));
		text_upper(label);
		response_put_values(rq, NULL, &language_share, ARGS(db_text(rows, 0), label, sum.n, average(sum)));
	}
	db_end(rows);
	data_end_list(rq);
}

static void
put_distributions(struct request *rq, const struct results *results)
{
	static const char *const roles[] = { "User", "Admin", "Superadmin" };
	static const char *const state_labels[] = { "Pending", "Replied" };

	data_object(rq, "distributions");
	put_shares(rq, "roles", "user", role_enum, roles);
	put_shares(rq, "contactsByStatus", "contact", states, state_labels);
	put_levels(rq, results);
	put_languages(rq);
	data_end_object(rq);
}

static struct response
get_stats(struct request *rq)
{
	int months = (int)value_integer(rq->in[MONTHS], MONTHS_DEFAULT);
	const struct results results = sum_results(rq);

	response_begin(rq);
	data_time(rq, "generatedAt", rq->now);
	data_int(rq, "months", months);
	put_overview(rq, results.all);
	put_trends(rq, months);
	put_distributions(rq, &results);
	data_object(rq, "recentActivity");
	response_put_rows(rq, "contacts", sql[RECENT_CONTACTS], NO_ARGS, &recent_contact);
	response_put_rows(rq, "testResults", sql[RECENT_RESULTS], NO_ARGS, &recent_result);
	data_end_object(rq);
	return response_done(rq);
}

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
