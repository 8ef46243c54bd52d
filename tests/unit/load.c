#include "store.h"

/* Runs for longer than SQLite leaves between two looks at the clock. */
static const char slow_trigger[] =
	"CREATE TRIGGER item_work AFTER INSERT ON item BEGIN INSERT INTO kind"
	" WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 20000)"
	" SELECT new.name FROM c WHERE i = 20000; END";

/* On a slow machine, 20,000 rows take longer than a request may. */
static void
rows_may_take_longer_than_a_request(void **state)
{
	bool wanted;

	(void)state;
	assert_int_equal(db_script(db, slow_trigger, false, why, sizeof(why)), DB_DONE);
	assert_true(db_load_begin(db, "item", "name, n", &wanted, why, sizeof(why)));
	assert_true(wanted);
	assert_true(db_load_row(db, ARGS("four", 4).values, 2));
	usleep(2100000);
	assert_true(db_load_row(db, ARGS("five", 5).values, 2));
	assert_true(db_load_end(db, why, sizeof(why)));
	assert_int_equal(number(db, count_sql, NO_ARGS), 5);
	assert_int_equal(number(db, "SELECT count(*) FROM kind", NO_ARGS), 2);
}

static void
the_limit_holds_again_afterwards(void **state)
{
	struct db_rows *row;
	bool wanted;

	(void)state;
	assert_true(db_load_begin(db, "item", "name, n", &wanted, why, sizeof(why)));
	assert_true(db_load_end(db, why, sizeof(why)));
	assert_int_equal(db_one(db, &row, endless_sql, NO_ARGS), DB_SLOW);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		test(rows_may_take_longer_than_a_request),
		test(the_limit_holds_again_afterwards),
	};

	return run_store_tests(tests);
}
