/*
 * lib/school/otp.c: how far the best guessing strategies get in simulated days under the limits of the shipped
 * configuration, and that the owners of the addresses can still log in. tests/api/limits.py does the same over HTTP,
 * with smaller numbers.
 */
#include "clock.h"
#include "guard.h"
#include "otp.h"
#include "log.h"
#include "school.h"
#include "unit.h"

#define START INT64_C(1767225600000)
#define OWNER "owner@example.com"
#define HOME "203.0.113.1"

static struct db *db;
static const struct conf *conf;
static struct arena *arena;
static int64_t now;

/* ---- people */

static int64_t
number(const char *sql, const char *argument)
{
	struct db_rows *row;

	assert_int_equal(db_one(db, &row, sql, ARGS(argument)), DB_ROW);
	int64_t n = db_int(row, 0);
	db_end(row);
	return n;
}

static void
add_user(const char *email, const char *role)
{
	static const char sql[] = "INSERT INTO users (id, email, role, timezone, created_at, updated_at)"
		" VALUES (?1, ?2, ?3, 'UTC', ?4, ?4)";
	char id[ID_TEXT];

	random_id(id);
	assert_int_equal(db_run(db, sql, ARGS(id, email, role, now), NULL), DB_DONE);
}

/* A test is one transaction, so what a program prepares outside of its own is prepared inside. */
static struct otp_caller
caller(const char *email, const char *client, const char *code)
{
	struct otp_caller c = { db, conf, now, email, client, code };

	guard_transaction(false);
	otp_prepare(&c);
	guard_transaction(true);
	assert_true(otp_find(&c));
	return c;
}

/* Requests a code; NULL where that is refused. */
static const char *
ask(const char *email, const char *client, unsigned digits)
{
	static char code[10];

	random_digits(code, digits);
	struct otp_caller c = caller(email, client, code);
	guard_transaction(false);
	struct outbox_new mail = otp_mail(&c, arena, EN);
	guard_transaction(true);
	struct otp_result result = otp_request(&c, &mail);
	arena_reset(arena);
	assert_true((result.wait > 0) == (result.error != ERROR_NONE) && result.wait <= DAY);
	return result.error ? NULL : code;
}

static enum error
try(const char *email, const char *client, const char *code)
{
	struct otp_caller c = caller(email, client, code);
	struct otp_result result = otp_verify(&c);

	assert_true(result.wait >= 0 && result.wait <= DAY);
	return result.error;
}

/* Requests a code, types it and logs in. Returns the first refusal. */
static enum error
log_in(const char *email, const char *client, unsigned digits)
{
	const char *code = ask(email, client, digits);
	enum error error = code ? try(email, client, code) : ERROR_TOO_SOON;

	if (error)
		return error;
	struct otp_caller c = caller(email, client, code);
	if (!c.user)
		add_user(email, "user");
	c = caller(email, client, code);
	otp_login(&c);
	return ERROR_NONE;
}

static const char *
numbered(const char *format, int i)
{
	static char texts[4][64];
	static int next;
	char *text = texts[next++ % 4];

	snprintf(text, sizeof(texts[0]), format, i);
	return text;
}

/* A wrong code: right ones have digits only. */
static const char *
wrong(unsigned digits)
{
	return digits == 4 ? "wxyz" : "uvwxyz";
}

static int
begin(void **state)
{
	(void)state;
	now = START;
	if (db_write_begin(db) != DB_DONE)
		return -1;
	db_timeout(db, 30 * MINUTE);
	add_user(OWNER, "user");
	return 0;
}

static int
end(void **state)
{
	(void)state;
	assert_int_equal(db_failure(db), DB_DONE);
	db_write_rollback(db);
	return 0;
}

/* ---- guessing */

/*
 * One IPv4 address, 150 accounts, ten days: every six minutes, as often as wrong tries are allowed, it requests codes
 * and guesses them until it is refused, over both surfaces.
 */
static void
one_network_guesses_on_many_accounts(void **state)
{
	int judged = 0, next = 0;

	(void)state;
	for (int i = 0; i < 150; i++)
		add_user(numbered("pupil%d@example.com", i), i < 5 ? "admin" : "user");
	for (; now < START + 10 * DAY; now += 6 * MINUTE) {
		enum error error = ERROR_NONE;
		for (int accounts = 0; accounts < 5 && error != ERROR_TOO_MANY_CLIENT_TRIES; accounts++, next++) {
			unsigned digits = next % 2 ? 4 : 6;
			const char *email = numbered("pupil%d@example.com", next % 150);
			bool live = ask(email, "198.51.100.7", digits);
			for (int n = 0; n < 6 && error != ERROR_TOO_MANY_CLIENT_TRIES; n++) {
				error = try(email, "198.51.100.7", wrong(digits));
				judged += live && error == ERROR_WRONG_CODE;
			}
		}
	}
	assert_in_range(judged, 450, 500);
}

static bool
is_live(unsigned digits)
{
	static const char sql[] = "SELECT count(*) FROM login_code"
		" WHERE email = '" OWNER "' AND digits = ?1 AND used = 0 AND expires_at > ?2";
	struct db_rows *row;

	assert_int_equal(db_one(db, &row, sql, ARGS((int64_t)digits, now)), DB_ROW);
	bool live = db_int(row, 0) > 0;
	db_end(row);
	return live;
}

/* Guesses the live codes, from one network after the other, until five tries are refused. */
static void
guess(int *network, unsigned digits)
{
	for (int refused = 0; refused < 5 && is_live(digits); (*network)++)
		refused += try(OWNER, numbered("198.51.100.%d", *network % 100), wrong(digits)) != ERROR_WRONG_CODE;
}

static int64_t
judged(const char *kind)
{
	static const char sql[] = "SELECT count(*) FROM event WHERE kind = ?1"
		" AND subject >= '" OWNER "' AND subject < '" OWNER "!'";

	return number(sql, kind);
}

/* Each hour of a day the owner of an address requests a code at home and types it, while strangers guess it. */
static void
a_hundred_networks_attack_one_address(void **state)
{
	static const char mails[] = "SELECT count(*) FROM outbox WHERE recipient = ?1";
	int network = 0, logins = 0;

	(void)state;
	assert_int_equal(log_in(OWNER, HOME, 6), ERROR_NONE);
	for (int64_t minute = 1; minute < DAY / MINUTE; minute++) {
		now = START + minute * MINUTE;
		for (int i = 0; i < 10; i++) {
			(void)ask(OWNER, numbered("198.51.100.%d", network++ % 100), minute % 4 ? 6 : 4);
		}
		guess(&network, 6);
		guess(&network, 4);
		if (minute % 60 != 30)
			continue;
		char code[10];
		const char *given = ask(OWNER, HOME, 6);
		assert_non_null(given);
		memcpy(code, given, 7);
		now += 40 * SECOND;
		guess(&network, 6);
		assert_int_equal(try(OWNER, HOME, code), ERROR_NONE);
		struct otp_caller owner = caller(OWNER, HOME, "");
		otp_login(&owner);
		logins++;
	}
	assert_int_equal(logins, 24);
	assert_in_range(judged("wrong-email"), 20, 25);
	assert_in_range(judged("wrong-short"), 2, 3);
	assert_in_range(number(mails, OWNER), 25, 30);
}

/*
 * An attacker in the owner's network has the owner's limits and those of strangers.
 */
static void
an_attacker_in_the_owners_network(void **state)
{
	int network = 0;

	(void)state;
	assert_int_equal(log_in(OWNER, HOME, 6), ERROR_NONE);
	for (int64_t minute = 1; minute < DAY / MINUTE; minute++) {
		unsigned digits = minute % 4 ? 6 : 4;
		now = START + minute * MINUTE;
		(void)ask(OWNER, HOME, digits);
		while (is_live(digits) && try(OWNER, HOME, wrong(digits)) == ERROR_WRONG_CODE)
			;
		(void)ask(OWNER, "198.51.100.200", digits);
		guess(&network, digits);
	}
	assert_in_range(judged("wrong-email"), 26, 50);
	assert_in_range(judged("wrong-short"), 4, 6);
}

/* ---- whose code is tried */

static void
each_network_has_a_code_of_its_own(void **state)
{
	char first[10];

	(void)state;
	memcpy(first, ask(OWNER, "192.0.2.1", 6), 7);
	now += MINUTE;
	assert_non_null(ask(OWNER, "192.0.2.2", 6));
	assert_int_equal(try(OWNER, "192.0.2.1", first), ERROR_NONE);	/* that one has replaced no other */
	assert_int_equal(try(OWNER, "192.0.2.1", first), ERROR_WRONG_CODE);
	now += MINUTE;
	memcpy(first, ask(OWNER, "192.0.2.3", 6), 7);
	now += MINUTE;
	const char *second = ask(OWNER, "192.0.2.3", 6);
	assert_int_equal(try(OWNER, "192.0.2.3", first), ERROR_WRONG_CODE);
	assert_int_equal(try(OWNER, "192.0.2.9", second), ERROR_NONE);	/* phones change networks */
}

static void
strangers_spend_no_code_of_another_network(void **state)
{
	char code[10];

	(void)state;
	memcpy(code, ask(OWNER, HOME, 6), 7);
	for (int i = 0; i < 5; i++)
		assert_int_equal(try(OWNER, "198.51.100.1", wrong(6)), ERROR_WRONG_CODE);
	assert_int_equal(try(OWNER, "198.51.100.1", code), ERROR_CODE_SPENT);
	assert_int_equal(try(OWNER, "198.51.100.2", code), ERROR_CODE_SPENT);
	assert_int_equal(try(OWNER, HOME, code), ERROR_NONE);
}

static void
a_try_counts_for_each_code_that_it_was_compared_with(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_non_null(ask(OWNER, numbered("198.51.100.%d", i), 6));
		now += MINUTE;
	}
	assert_int_equal(try(OWNER, "198.51.100.77", wrong(6)), ERROR_WRONG_CODE);
	assert_int_equal(judged("wrong-email"), 3);
	assert_int_equal(try(OWNER, "198.51.100.0", wrong(6)), ERROR_WRONG_CODE);
	assert_int_equal(judged("wrong-email"), 6);
	assert_int_equal(try(OWNER, "198.51.100.0", wrong(4)), ERROR_WRONG_CODE);
	assert_int_equal(judged("wrong-short"), 0);
}

static void
a_network_is_known_for_ninety_days(void **state)
{
	(void)state;
	assert_int_equal(log_in(OWNER, HOME, 6), ERROR_NONE);
	assert_true(caller(OWNER, HOME, "").known);
	assert_false(caller(OWNER, "203.0.113.2", "").known);
	assert_false(caller("other@example.com", HOME, "").known);
	now += 90 * DAY - 1;
	assert_true(caller(OWNER, HOME, "").known);
	now += 1;
	assert_false(caller(OWNER, HOME, "").known);
	assert_int_equal(number("SELECT count(*) FROM known_network WHERE instr(mac, ?1)", HOME), 0);
}

static void
a_mailbox_counts_once_under_all_its_names(void **state)
{
	(void)state;
	assert_non_null(ask("ada@gmail.com", "198.51.100.1", 6));
	assert_null(ask("a.da+x@googlemail.com", "198.51.100.2", 6));
	assert_null(ask("ada+1@gmail.com", "198.51.100.3", 4));
	assert_non_null(ask("ada@example.com", "198.51.100.1", 6));
	assert_null(ask("ada+1@example.com", "198.51.100.1", 6));
	assert_non_null(ask("a.da@example.com", "198.51.100.1", 6));
}

static void
unlocking_forgets_all_that_was_counted_for_a_mailbox(void **state)
{
	int64_t events;

	(void)state;
	assert_int_equal(log_in(OWNER, HOME, 6), ERROR_NONE);
	now += MINUTE;
	assert_non_null(ask("owner+1@example.com", HOME, 6));
	for (int i = 0; i < 5; i++)
		assert_int_equal(try("owner+1@example.com", HOME, wrong(6)), ERROR_WRONG_CODE);
	assert_int_equal(try("owner+1@example.com", HOME, wrong(6)), ERROR_CODE_SPENT);
	assert_non_null(ask("owner@example.com.tr", "198.51.100.3", 6));
	otp_unlock(db, "owner+2@example.com", &events);
	assert_int_equal(events, 7);
	assert_int_equal(try("owner+1@example.com", HOME, wrong(6)), ERROR_WRONG_CODE);
	assert_non_null(ask(OWNER, HOME, 6));
	assert_null(ask("owner@example.com.tr", "198.51.100.3", 6));
}

/* ---- a class */

/*
 * The network is unknown: since users who are logged in no longer count, the last one can log in within the first hour.
 */
static void
a_class_logs_in_for_the_first_time(void **state)
{
	char codes[31][10];
	int refused = 0;

	(void)state;
	for (int i = 0; i < 31; i++) {
		const char *code = ask(numbered("new%d@example.com", i), HOME, 6);
		refused += !code;
		snprintf(codes[i], sizeof(codes[i]), "%s", code ? code : "");
		now += SECOND;
	}
	assert_int_equal(refused, 1);
	for (int i = 0; i < 30; i++) {
		const char *email = numbered("new%d@example.com", i);
		assert_int_equal(try(email, HOME, codes[i]), ERROR_NONE);
		add_user(email, "user");
		struct otp_caller c = caller(email, HOME, codes[i]);
		otp_login(&c);
		now += SECOND;
	}
	assert_int_equal(log_in("new30@example.com", HOME, 6), ERROR_NONE);
	assert_true(now < START + 5 * MINUTE);
}

static void
a_class_logs_in_again(void **state)
{
	(void)state;
	for (int i = 0; i < 31; i++)
		assert_int_equal(log_in(numbered("pupil%d@example.com", i), HOME, i % 2 ? 6 : 4), ERROR_NONE);
	now += DAY;
	for (int i = 0; i < 31; i++)	/* for them the network is known */
		assert_non_null(ask(numbered("pupil%d@example.com", i), HOME, 6));
	now += MINUTE;
	for (int i = 0; i < 30; i++)	/* strangers in the same network use up their limit */
		assert_non_null(ask(numbered("stranger%d@example.com", i), HOME, 6));
	assert_null(ask("stranger30@example.com", HOME, 6));
	for (int i = 0; i < 31; i++)
		assert_int_equal(log_in(numbered("pupil%d@example.com", i), HOME, 6), ERROR_NONE);
}

/* ---- clocks */

static void
a_clock_that_was_ahead(void **state)
{
	char code[10];

	(void)state;
	now = START + 400 * DAY;
	for (int i = 0; i < 5; i++) {
		memcpy(code, ask(OWNER, "198.51.100.1", 6), 7);
		for (int n = 0; n < 5; n++)
			assert_int_equal(try(OWNER, numbered("198.51.100.%d", 2 * i + n / 3), wrong(6)), ERROR_WRONG_CODE);
		now += 61 * SECOND;
	}
	assert_null(ask(OWNER, "198.51.100.1", 6));
	now = START;
	assert_int_equal(try(OWNER, "198.51.100.1", code), ERROR_WRONG_CODE);	/* it would live for 400 days */
	assert_non_null(ask(OWNER, "198.51.100.1", 6));
	assert_null(ask(OWNER, "198.51.100.1", 6));
	now += MINUTE;
	assert_int_equal(log_in(OWNER, "198.51.100.1", 6), ERROR_NONE);
}

int
main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		test(one_network_guesses_on_many_accounts),
		test(a_hundred_networks_attack_one_address),
		test(an_attacker_in_the_owners_network),
		test(each_network_has_a_code_of_its_own),
		test(strangers_spend_no_code_of_another_network),
		test(a_try_counts_for_each_code_that_it_was_compared_with),
		test(a_network_is_known_for_ninety_days),
		test(a_mailbox_counts_once_under_all_its_names),
		test(unlocking_forgets_all_that_was_counted_for_a_mailbox),
		test(a_class_logs_in_for_the_first_time),
		test(a_class_logs_in_again),
		test(a_clock_that_was_ahead),
	};
	char why[1024];

	clock_init();
	log_init("unit", false, LOG_FATAL);
	db = school_open();
	conf = conf_load(school_data, why, sizeof(why));
	arena = arena_new(1 << 16);
	if (!conf || !arena)
		school_fail(why);
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	school_close(db);
	arena_free(arena);
	return failed;
}
