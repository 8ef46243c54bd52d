/* okulctl demo - fills an empty database with a made-up school, to look around in, to show, to measure. */
#include "demo.h"

#include "blob.h"

#include "assignment.h"
#include "attempt.h"
#include "audit.h"
#include "clock.h"
#include "contact.h"
#include "course.h"
#include "ctl.h"
#include "file.h"
#include "limit.h"
#include "material.h"
#include "placement.h"
#include "random.h"
#include "setting.h"
#include "text.h"
#include "user.h"

#include <getopt.h>
#include <math.h>

static command_call run_demo;

static const struct command demo = {
	.name = "demo",
	.usage = "[OPTION...]",
	.summary = DEMO_SUMMARY,
	.help = "People of four languages, courses, settings, two placement tests with a year of\n"
		"results, questions of visitors, materials with PDFs, and their assignments. All\n"
		"rows are as if they had come through the API; results are graded. A database\n"
		"that is not empty is refused. Mail addresses are of example.com, .org and .net,\n"
		"which belong to nobody.\n"
		"--users N     20 to 100000; default: 200\n"
		"--results N   0 to 1000000; default: 600\n"
		"--contacts N  0 to 50000; default: 80\n"
		"--courses N   0 to 10000; default: 24\n"
		"--seed N      the same seed makes the same school; default: 1\n"
		"--until DATE  the year that is shown ends before this day (YYYY-MM-DD, UTC);\n"
		"              default: today\n",
	.run = run_demo,
};

#define CACHE_KIB 131072 /* inserts into an index of a million rows touch all of its pages */

enum { IN_USE };

static const char *const sql[] = {
	[IN_USE] =
		"SELECT CASE WHEN EXISTS (SELECT 1 FROM users) THEN 'users' WHEN EXISTS (SELECT 1 FROM course) THEN 'courses'"
		" WHEN EXISTS (SELECT 1 FROM setting) THEN 'settings' WHEN EXISTS (SELECT 1 FROM test) THEN 'placement tests'"
		" WHEN EXISTS (SELECT 1 FROM result) THEN 'results' WHEN EXISTS (SELECT 1 FROM contact) THEN 'contact requests'"
		" WHEN EXISTS (SELECT 1 FROM material) THEN 'materials' WHEN EXISTS (SELECT 1 FROM file) THEN 'files' END"
		" /* scans: users course setting test result contact material file */",
};
static const struct db_statements own_statements = { sql, COUNT(sql) };

/* ---- random numbers */

void
demo_series(struct demo *d, const char *part)
{
	static const unsigned char key[HASH_KEY] = "okul demo series";

	d->chance = random_hash_keyed(key, part, strlen(part)) ^ d->seed * UINT64_C(0x9e3779b97f4a7c15);
	(void)random_series(&d->chance);
}

double
demo_real(struct demo *d)
{
	return (double)(random_series(&d->chance) >> 11) * 0x1p-53;
}

int64_t
demo_below(struct demo *d, int64_t limit)
{
	return (int64_t)(demo_real(d) * (double)limit);
}

bool
demo_happens(struct demo *d, double probability)
{
	return demo_real(d) < probability;
}

/* The sum of twelve uniform numbers is close enough to a normal distribution. */
double
demo_normal(struct demo *d)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += demo_real(d);
	return sum;
}

const char *
demo_id(struct demo *d, int64_t time)
{
	char id[ID_TEXT];

	random_pretend(random_series(&d->chance), time);
	random_id(id);
	return arena_string(d->batch, id);
}

/* ---- time */

/* How busy the school, which is in Istanbul, is in a month (from January), on a day (from Sunday), at an hour (UTC). */
static const double by_month[] = { 1.25, 1.1, 1, .9, .8, .7, .55, .75, 1.5, 1.35, 1, .7 };
static const double by_day[] = { .75, 1.1, 1.1, 1.05, 1, .8, .7 };
static const double by_hour[] = { .1, .05, .05, .1, .3, .7, 1.2, 1.5, 1.6, 1.4, 1.2, 1.3, 1.3, 1.2, 1.2, 1.4, 1.8, 2.1, 2, 1.5,
	.9, .5, .3, .15 };

static double
weight_of(int64_t hour, double day_noise, double part)
{
	char date[11];
	int64_t day = hour / 24;

	clock_date_text(hour * HOUR, date);
	int month = (date[5] - '0') * 10 + date[6] - '0';
	/* 1970-01-01 was a Thursday; the school grows by half in the year. */
	return by_month[month - 1] * by_day[(day + 4) % 7] * by_hour[hour % 24] * day_noise * (1 + .5 * part);
}

void
demo_times(struct demo *d, int64_t start, int64_t until, int64_t count)
{
	int64_t hours = (until - start) / HOUR;
	double *sums = arena_alloc(d->run, ((size_t)hours + 1) * sizeof(*sums)), day_noise = 1;

	for (int64_t h = 0; h < hours; h++) {
		if (h % 24 == 0)
			day_noise = .7 + .6 * demo_real(d);
		sums[h + 1] = sums[h] + weight_of(start / HOUR + h, day_noise, (double)h / (double)hours);
	}
	d->line = (struct timeline){ .start = start, .hours = hours, .count = count, .sums = sums };
}

/* The i-th time lies within the i-th of `count` equal shares of the weights: so times rise without sorting. */
int64_t
demo_time(struct demo *d)
{
	struct timeline *line = &d->line;
	double at = ((double)line->next++ + demo_real(d)) / (double)line->count * line->sums[line->hours];

	while (line->hour + 1 < line->hours && line->sums[line->hour + 1] <= at)
		line->hour++;
	const double *sum = line->sums + line->hour;
	double part = (at - sum[0]) / (sum[1] - sum[0]);
	return line->start + line->hour * HOUR + (int64_t)(fmin(part, .999999) * (double)HOUR);
}

/* ---- parts */

enum db_rc
demo_write(struct demo *d, int64_t count, const struct demo_kind *kind)
{
	enum db_rc rc = DB_DONE;

	for (int64_t i = 0; i < count && rc == DB_DONE; i += kind->batch) {
		int64_t n = count - i < kind->batch ? count - i : kind->batch;
		char *rows = arena_alloc(d->batch, (size_t)n * kind->size);
		int tries = 0;

		for (int64_t r = 0; kind->make && r < n; r++)
			kind->make(d, i + r, rows + (size_t)r * kind->size);
		do {
			rc = db_write_begin(d->db);
			if (rc != DB_DONE)
				continue;
			db_timeout(d->db, MINUTE);
			for (int64_t r = 0; r < n; r++)
				kind->add(d, i + r, rows + (size_t)r * kind->size);
			rc = db_write_commit(d->db);
		} while (ctl_again(d->db, rc, &tries));
		arena_reset(d->batch);
	}
	return rc;
}

/* Learners are sorted by the time at which they came. */
struct demo_user *
demo_learner(struct demo *d, int64_t time)
{
	int64_t low = 0, high = d->learner_count;

	while (low < high) {
		int64_t middle = (low + high) / 2;
		if (d->user[d->learners[middle]].created + HOUR <= time)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	int64_t recent = low / 12 + 8 < low ? low / 12 + 8 : low;
	int64_t at = demo_happens(d, .6) ? low - 1 - demo_below(d, recent) : demo_below(d, low);
	return &d->user[d->learners[at]];
}

/* `*in_use` gets the first kind of rows found; NULL when the database is empty. */
static enum db_rc
look_for_use(const struct demo *d, const char **in_use)
{
	struct db_rows *row;
	enum db_rc rc = db_one(d->db, &row, sql[IN_USE], NO_ARGS);

	*in_use = rc == DB_ROW && !db_is_null(row, 0) ? arena_string(d->run, db_text(row, 0)) : NULL;
	db_release(d->db);
	return rc == DB_ROW ? DB_DONE : rc;
}

static enum db_rc
make_all(struct demo *d)
{
	static enum db_rc (*const parts[])(struct demo * d) = { demo_make_users, demo_make_settings, demo_make_courses,
		demo_make_results, demo_make_materials, demo_make_contacts, demo_make_logins };
	enum db_rc rc = DB_DONE;

	for (size_t i = 0; i < COUNT(parts) && rc == DB_DONE; i++)
		rc = parts[i](d);
	if (rc == DB_DONE)
		rc = db_trim(d->db);
	return rc == DB_BUSY ? DB_DONE : rc; /* a reader keeps it from shrinking the log; all is written */
}

static void
print_made(const struct demo *d, int64_t ticks)
{
	char date[11];

	clock_date_text(d->until, date);
	printf("Made in %.1f s, the year before %s with seed %llu: %lld users (%lld of them staff), %lld courses, "
	       "%zu placement tests,\n"
	       "%lld results, %lld materials with %lld PDFs, %lld assignments (%lld opened), %lld contact requests.\n",
		(double)ticks / 1e6, date, (unsigned long long)d->seed, (long long)d->users, (long long)d->staff,
		(long long)d->courses, COUNT(demo_tests), (long long)d->results, (long long)d->materials, (long long)d->files,
		(long long)d->assignments, (long long)d->opened, (long long)d->contacts);
	printf("To log in as superadmin@example.com, request a code (POST /auth/otp/request, or the login page). ");
	if (d->conf->mail_transport == MAIL_FILE)
		printf("It is written to %s/mail.\n", d->conf->data);
	else
		printf("Under\n`make run` it is written to DATA/mail. Otherwise add a superadmin whose mail you can\n"
		       "read with `okulctl user add EMAIL --role superadmin`: mail to example.com reaches nobody.\n");
}

static int
demo_fill(struct demo *d)
{
	char why[256] = "";
	const char *in_use;
	enum db_rc rc = look_for_use(d, &in_use);
	int64_t start = clock_ticks();

	if (rc != DB_DONE)
		return ctl_error(EXIT_FAILURE, "%s", db_reason(rc));
	if (in_use)
		return ctl_error(EXIT_DATA,
			"%s/okul.db holds %s already, and demo fills only an empty database. Create another one: "
			"mkdir FOLDER && okulctl -d FOLDER migrate && okulctl -d FOLDER demo",
			d->conf->data, in_use);
	if (!db_cache(d->db, CACHE_KIB, why, sizeof(why)))
		return ctl_error(EXIT_FAILURE, "%s", why);
	rc = make_all(d);
	if (rc != DB_DONE)
		return ctl_error(
			EXIT_FAILURE, "%s; what was made so far stays, so begin again with a new database", db_reason(rc));
	print_made(d, clock_ticks() - start);
	return EXIT_SUCCESS;
}

/* ---- options */

static bool
read_count(const char *name, const char *text, int64_t min, int64_t max, int64_t *out)
{
	return text_to_int(text, min, max, out) ||
		ctl_fail("--%s takes a number from %lld to %lld", name, (long long)min, (long long)max);
}

static bool
read_until(const char *text, int64_t *until)
{
	*until = clock_is_date(text) ? clock_date(text) : 0;
	return (*until >= clock_date("2000-01-01") && *until <= clock_now()) ||
		ctl_fail("--until takes a date like 2026-01-31, from 2000-01-01 on; nothing may lie in the future");
}

static bool
read_demo_options(struct demo *d, int argc, char **argv)
{
	/* clang-format off */
	static const struct option options[] = {
		{ "users", required_argument, NULL, 'u' }, { "results", required_argument, NULL, 'r' },
		{ "contacts", required_argument, NULL, 'c' }, { "courses", required_argument, NULL, 'k' },
		{ "seed", required_argument, NULL, 's' }, { "until", required_argument, NULL, 't' }, { 0 },
	};
	/* clang-format on */
	int64_t seed = 1;
	bool good = true;
	int option;

	while (good && (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'u': good = read_count("users", optarg, 20, 100000, &d->users); break;
		case 'r': good = read_count("results", optarg, 0, 1000000, &d->results); break;
		case 'c': good = read_count("contacts", optarg, 0, 50000, &d->contacts); break;
		case 'k': good = read_count("courses", optarg, 0, 10000, &d->courses); break;
		case 's': good = read_count("seed", optarg, 0, INT64_MAX, &seed); break;
		case 't': good = read_until(optarg, &d->until); break;
		default: return ctl_fail("`okulctl demo --help` lists the options");
		}
	}
	d->seed = (uint64_t)seed;
	d->start = d->until - 365 * DAY;
	if (good && optind < argc)
		return ctl_fail("demo does not take \"%s\"", argv[optind]);
	return good;
}

static int
run_demo(int argc, char **argv, const char *data)
{
	char why[512];
	struct demo d = { .users = 200, .results = 600, .contacts = 80, .courses = 24, .until = clock_now() / DAY * DAY };

	if (!read_demo_options(&d, argc, argv))
		return EXIT_USAGE;
	d.conf = ctl_conf(data);
	if (d.conf && !blob_init(d.conf, why, sizeof(why)))
		return ctl_error(EXIT_CONFIG, "%s", why);
	d.db = ctl_db(d.conf, DB_READ_WRITE);
	if (!d.db)
		return EXIT_CONFIG;
	d.run = arena_new(1 << 20);
	d.batch = arena_new(1 << 20);
	int code = d.run && d.batch ? demo_fill(&d) : ctl_error(EXIT_FAILURE, "out of memory");
	db_close(d.db);
	arena_free(d.run);
	arena_free(d.batch);
	return code;
}

/* Those of the modules of lib/school/ that the demo uses, and its own. */
/* clang-format off */
static const struct db_statements *const statements[] = {
	&assignment_statements, &attempt_statements, &audit_statements, &contact_statements, &course_statements, &file_statements,
	&limit_statements, &material_statements, &placement_statements, &setting_statements, &user_statements, &own_statements,
	&demo_results_statements, NULL,
};
/* clang-format on */

int
main(int argc, char **argv)
{
	int code = ctl_init("okulctl"); /* a user runs it as `okulctl demo`, which sets OKUL_DATA to its -d */

	if (code != EXIT_SUCCESS)
		return code;
	if (argc == 2 && strcmp(argv[1], "--statements") == 0)
		return ctl_print_statements(statements);
	if (argc == 2 && strcmp(argv[1], "--check") == 0)
		return ctl_check_statements(statements, NULL);
	return ctl_run(&demo, argc, argv, NULL);
}
