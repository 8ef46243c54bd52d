#include "etag.h"
#include "db_admin.h"
#include "random.h"
#include "unit.h"

#include <unistd.h>

#define TAG "\"0123456789abcdef\""

/* ---- tags */

static struct conf conf;
static struct buf out;
static struct arena *arena;
static int64_t number;		/* in the data of good(); 0: the data is {} */

static struct response
good(struct request *rq)
{
	response_begin(rq);
	if (number)
		data_int(rq, "n", number);
	return response_done(rq);
}

static const struct route get = { GET, "/x", PUBLIC, good }, live = { GET, "/x", PUBLIC, good, .no_store = true },
	page = { GET, "/x", PUBLIC, good, .out_type = "text/html" }, post = { POST, "/x", PUBLIC, good, .writes = true },
	change = { PATCH, "/x", PUBLIC, good, .writes = true, .shows = good }, bare = { PATCH, "/x", PUBLIC, good, .writes = true },
	fell = { DELETE, "/x", PUBLIC, good, .writes = true, .shows = good };

static struct request
request_of(const struct route *route, const char *data)
{
	struct request rq = { .conf = &conf, .route = route, .arena = arena, .out = &out, .success = 200 };

	buf_reset(&out, SIZE_MAX);
	buf_puts(&out, "{\"isSuccess\":true,\"statusCode\":200,\"data\":");
	buf_puts(&out, data);
	return rq;
}

/* "" for a response without one. */
static const char *
tag_of(const struct route *route, const char *data, int status)
{
	static char tags[8][ETAG_TEXT];
	static unsigned turn;
	struct request rq = request_of(route, data);
	char *tag = tags[turn++ % 8];

	bool has = etag_put(&rq, &(struct response){ .status = status });
	assert_int_equal(has, rq.etag[0] != '\0');
	memcpy(tag, rq.etag, ETAG_TEXT);
	return tag;
}

static void
equal_data_has_an_equal_tag(void **state)
{
	const char *tag = tag_of(&get, "{\"a\":1}", 200);

	(void)state;
	assert_int_equal(strlen(tag), 18);
	assert_int_equal(strspn(tag + 1, "0123456789abcdef"), 16);
	assert_true(tag[0] == '"' && tag[17] == '"');
	assert_string_equal(tag_of(&get, "{\"a\":1}", 200), tag);
	assert_string_equal(tag_of(&change, "{\"a\":1}", 200), tag);
	assert_string_not_equal(tag_of(&get, "{\"a\":2}", 200), tag);
	assert_string_not_equal(tag_of(&get, "{\"a\":1}\n", 200), tag);
	assert_string_not_equal(tag_of(&get, "", 200), tag);
}

static void
an_installation_has_its_own_tags(void **state)
{
	char tag[ETAG_TEXT];

	(void)state;
	memcpy(tag, tag_of(&get, "{}", 200), ETAG_TEXT);
	etag_init(&conf);
	assert_string_equal(tag_of(&get, "{}", 200), tag);
	conf.link_key[31] ^= 1;
	etag_init(&conf);
	assert_string_not_equal(tag_of(&get, "{}", 200), tag);
}

static void
only_what_can_be_asked_for_again_has_a_tag(void **state)
{
	struct request rq = request_of(&get, "{}");

	(void)state;
	assert_string_equal(tag_of(&live, "{}", 200), "");
	assert_string_equal(tag_of(&page, "{}", 200), "");
	assert_string_equal(tag_of(&post, "{}", 200), "");
	assert_string_equal(tag_of(&post, "{}", 201), "");
	assert_string_equal(tag_of(&bare, "{}", 200), "");
	assert_string_equal(tag_of(&fell, "{}", 200), "");
	assert_false(etag_put(&rq, &(struct response){ .status = 404, .error = ERROR_NOT_FOUND }));
	out.failed = true;
	assert_false(etag_put(&rq, &(struct response){ .status = 200 }));
	out.failed = false;
}

/* ---- If-Match */

static enum error
guarded(const struct route *route, const char *if_match)
{
	struct request rq = request_of(route, "{}");

	rq.http.if_match = if_match;
	struct response response = etag_guard(&rq);
	assert_string_equal(rq.etag, "");
	return response.error;
}

static struct response gone(struct request *rq) { return response_error(rq, ERROR_NOT_FOUND); }

static void
a_change_needs_the_tag_of_what_is_there(void **state)
{
	const char *tag = tag_of(&get, "{}", 200), *old = tag_of(&get, "{\"old\":1}", 200);
	const struct route missing = { PATCH, "/x", PUBLIC, good, .writes = true, .shows = gone };

	(void)state;
	for (const struct route *const *route = (const struct route *const[]){ &change, &fell, NULL }; *route; route++) {
		assert_int_equal(guarded(*route, NULL), ERROR_NONE);
		assert_int_equal(guarded(*route, tag), ERROR_NONE);
		assert_int_equal(guarded(*route, "*"), ERROR_NONE);
		assert_int_equal(guarded(*route, old), ERROR_PRECONDITION_FAILED);
		assert_int_equal(guarded(*route, "x"), ERROR_PRECONDITION_FAILED);
		assert_int_equal(guarded(*route, ""), ERROR_PRECONDITION_FAILED);
	}
	assert_int_equal(guarded(&missing, tag), ERROR_NOT_FOUND);
	assert_int_equal(guarded(&missing, "*"), ERROR_NOT_FOUND);
	assert_int_equal(guarded(&missing, "x"), ERROR_NOT_FOUND);
	/* nothing to compare with: the condition cannot be known to hold */
	assert_int_equal(guarded(&bare, tag), ERROR_PRECONDITION_FAILED);
	assert_int_equal(guarded(&bare, "*"), ERROR_NONE);
	assert_int_equal(guarded(&post, tag), ERROR_NONE);
}

static void
what_others_changed_before_the_transaction_is_found_in_it(void **state)
{
	struct request rq = request_of(&change, "");

	(void)state;
	rq.http.if_match = tag_of(&get, "{}", 200);
	assert_int_equal(etag_guard(&rq).error, ERROR_NONE);
	assert_int_equal(etag_guard_again(&rq).error, ERROR_NONE);
	number = 1;
	assert_int_equal(etag_guard_again(&rq).error, ERROR_PRECONDITION_FAILED);
	rq = request_of(&change, "");
	rq.http.if_match = tag_of(&get, "{\"n\":1}", 200);
	assert_int_equal(etag_guard(&rq).error, ERROR_NONE);
	number = 2;
	assert_int_equal(etag_guard_again(&rq).error, ERROR_PRECONDITION_FAILED);
	number = 1;
	assert_int_equal(etag_guard_again(&rq).error, ERROR_NONE);
	number = 0;
}

static struct response
too_long(struct request *rq)
{
	struct response response = good(rq);

	rq->kept.failed = true;
	return response;
}

/* Otherwise the change would be made unchecked. */
static void
without_memory_for_what_is_there_nothing_is_changed(void **state)
{
	const struct route large = { PATCH, "/x", PUBLIC, good, .writes = true, .shows = too_long };

	(void)state;
	assert_int_equal(guarded(&large, tag_of(&get, "{}", 200)), ERROR_BUSY);
	assert_int_equal(guarded(&large, "*"), ERROR_BUSY);
	assert_int_equal(guarded(&large, NULL), ERROR_NONE);
}

/* ---- versions */

static struct db *
a_database(const char *folder)
{
	char why[300];

	assert_true(db_create(folder, "CREATE TABLE tally (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;"
		"INSERT INTO tally VALUES ('x', 1);", why, sizeof(why)));
	struct db *db = db_open(folder, DB_READ_WRITE, 0, why, sizeof(why));
	assert_non_null(db);
	return db;
}

static void
drop_database(const char *folder, struct db *db)
{
	static const char *const names[] = { "okul.db", "okul.db-wal", "okul.db-shm", "okul.gate" };
	char path[128];

	db_close(db);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(folder), 0);
}

struct asking { const char *target; enum role role; enum language language; const char *if_none_match; };

static bool
unchanged(struct db *db, const struct route *route, struct asking asking, char tag[static ETAG_TEXT])
{
	struct caller user = { .role = asking.role };
	struct request rq = request_of(route, "");

	rq.db = db;
	rq.http.target = asking.target;
	rq.http.if_none_match = asking.if_none_match;
	rq.language = asking.language;
	rq.user = asking.role ? &user : NULL;
	bool same = etag_unchanged(&rq);
	memcpy(tag, rq.etag, ETAG_TEXT);
	db_release(db);
	return same;
}

static void
a_version_stands_for_the_answer(void **state)
{
	static const char update[] = "UPDATE tally SET n = n + 1";
	const struct route listed = { GET, "/x", PUBLIC, good, .version = "SELECT n FROM tally WHERE name = 'x'" },
		lost = { GET, "/x", PUBLIC, good, .version = "SELECT n FROM tally WHERE name = 'y'" };
	const struct asking other[] = { { "/x?page=2", PUBLIC, EN }, { "/y", PUBLIC, EN }, { "/x?", PUBLIC, EN },
		{ "/x", ADMIN, EN }, { "/x", PUBLIC, TR } };
	char folder[64] = "/tmp/okul-unit-XXXXXX", first[ETAG_TEXT], again[ETAG_TEXT];

	(void)state;
	assert_non_null(mkdtemp(folder));
	struct db *db = a_database(folder);
	assert_false(unchanged(db, &listed, (struct asking){ "/x", PUBLIC, EN, NULL }, first));
	assert_true(first[0]);
	assert_true(unchanged(db, &listed, (struct asking){ "/x", PUBLIC, EN, first }, again));
	assert_true(unchanged(db, &listed, (struct asking){ "/x", USER, EN, first }, again));
	assert_string_equal(again, first);
	for (size_t i = 0; i < COUNT(other); i++) {
		struct asking asking = other[i];
		asking.if_none_match = first;
		assert_false(unchanged(db, &listed, asking, again));
		assert_string_not_equal(again, first);
	}
	assert_false(unchanged(db, &listed, (struct asking){ "/x", ADMIN, EN, "*" }, again));
	assert_true(unchanged(db, &listed, (struct asking){ "/x", SUPERADMIN, EN, again }, again));

	/* what keeps no version is known by its data */
	assert_false(unchanged(db, &lost, (struct asking){ "/x", PUBLIC, EN, "*" }, again));
	assert_string_equal(again, "");
	assert_false(unchanged(db, &get, (struct asking){ "/x", PUBLIC, EN, "*" }, again));

	assert_int_equal(db_write_begin(db), DB_DONE);
	assert_int_equal(db_run(db, update, NO_ARGS, NULL), DB_DONE);
	assert_int_equal(db_write_commit(db), DB_DONE);
	assert_false(unchanged(db, &listed, (struct asking){ "/x", PUBLIC, EN, first }, again));
	drop_database(folder, db);
}

static void
the_tag_of_a_version_stays_that_of_the_answer(void **state)
{
	struct request rq = request_of(&get, "{}");

	(void)state;
	memcpy(rq.etag, TAG, ETAG_TEXT);
	assert_true(etag_put(&rq, &(struct response){ .status = 200 }));
	assert_string_equal(rq.etag, TAG);
	assert_true(etag_put(&rq, &(struct response){ .status = 304 }));
}

static int
set_up(void **state)
{
	(void)state;
	random_init();
	arena = arena_new(1 << 16);
	memset(conf.link_key, 7, sizeof(conf.link_key));
	etag_init(&conf);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_clear(&out);
	arena_free(arena);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_data_has_an_equal_tag),
		cmocka_unit_test(an_installation_has_its_own_tags),
		cmocka_unit_test(only_what_can_be_asked_for_again_has_a_tag),
		cmocka_unit_test(a_change_needs_the_tag_of_what_is_there),
		cmocka_unit_test(what_others_changed_before_the_transaction_is_found_in_it),
		cmocka_unit_test(without_memory_for_what_is_there_nothing_is_changed),
		cmocka_unit_test(a_version_stands_for_the_answer),
		cmocka_unit_test(the_tag_of_a_version_stays_that_of_the_answer),
	};

	return cmocka_run_group_tests_name("etag", tests, set_up, tear_down);
}
