#include "error.h"
#include "role.h"
#include "unit.h"

static void
every_error_has_its_status_and_sentence(void **state)
{
	static const struct { enum error error; int status; enum sentence sentence; } cases[] = {
		{ ERROR_NONE, 200, S_OK }, { ERROR_BAD_JSON, 400, S_BAD_JSON }, { ERROR_NO_TOKEN, 401, S_NO_TOKEN },
		{ ERROR_ROLE_TOO_LOW, 403, S_ROLE_TOO_LOW }, { ERROR_NOT_FOUND, 404, S_NOT_FOUND },
		{ ERROR_NO_METHOD, 405, S_NO_METHOD }, { ERROR_USERNAME_TAKEN, 409, S_USERNAME_TAKEN },
		{ ERROR_PRECONDITION_FAILED, 412, S_PRECONDITION_FAILED },
		{ ERROR_TOO_LARGE, 413, S_TOO_LARGE }, { ERROR_WRONG_TYPE, 415, S_WRONG_TYPE }, { ERROR_TOO_SOON, 429, S_TOO_SOON },
		{ ERROR_INTERNAL, 500, S_INTERNAL }, { ERROR_BUSY, 503, S_BUSY },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(error_status(cases[i].error), cases[i].status);
		assert_int_equal(error_sentence(cases[i].error), cases[i].sentence);
	}
	for (enum error error = ERROR_NONE + 1; error < ERROR_COUNT; error++)
		assert_in_range(error_status(error), 400, 599);
}

static void
roles_and_names(void **state)
{
	(void)state;
	assert_int_equal(role_of("user"), USER);
	assert_int_equal(role_of("admin"), ADMIN);
	assert_int_equal(role_of("superadmin"), SUPERADMIN);
	/* only the roles of a user row: no row makes a caller "optional" */
	assert_int_equal(role_of("optional"), PUBLIC);
	assert_int_equal(role_of("Admin"), PUBLIC);
	assert_int_equal(role_of("adm"), PUBLIC);
	assert_int_equal(role_of(""), PUBLIC);
	assert_int_equal(role_of(NULL), PUBLIC);
	assert_string_equal(role_name(PUBLIC), "public");
	assert_string_equal(role_name(OPTIONAL), "optional");
	assert_string_equal(role_name(USER), "user");
	assert_string_equal(role_name(ADMIN), "admin");
	assert_string_equal(role_name(SUPERADMIN), "superadmin");
	assert_true(PUBLIC < USER && OPTIONAL < USER && USER < ADMIN && ADMIN < SUPERADMIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_error_has_its_status_and_sentence),
		cmocka_unit_test(roles_and_names),
	};

	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
