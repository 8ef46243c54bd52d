/* auth - the first superadmin of a school, by the code that `make run` and `okulctl user setup-code` print. */
#include "auth.h"
#include "audit.h"
#include "limit.h"
#include "log.h"
#include "setup.h"
#include "user.h"

/* clang-format off */
enum { CODE = AUTH_CODE, NAME, SURNAME, LANGUAGE, PRIVACY_POLICY, TERMS_OF_USE };

static const struct shape setup = { .name = "SetupDto", .fields = FIELDS(
	[AUTH_EMAIL] = { "email", FIELD_EMAIL, .example = "\"office@example.com\"" },
	[CODE] = { "code", FIELD_TEXT, 1, 40, .example = "\"ABCD-EFGH-JKMN-PQRS\"", .note = "from the terminal of the operator" },
	[NAME] = { "name", FIELD_TEXT, 1, 100, .example = "\"Ayşe\"" },
	[SURNAME] = { "surname", FIELD_TEXT, 1, 100, .example = "\"Yılmaz\"" },
	[LANGUAGE] = { "language", FIELD_ENUM, .oneof = language_codes, .optional = true, .example = "\"tr\"" },
	[PRIVACY_POLICY] = { "privacyPolicyAccepted", FIELD_BOOL, .must_be_true = true, .example = "true" },
	[TERMS_OF_USE] = { "termsOfUseAccepted", FIELD_BOOL, .must_be_true = true, .example = "true" }) };

static const struct shape setup_state = { .name = "SetupStateResponseDto", .fields = FIELDS(
	{ "isNeeded", FIELD_BOOL, .note = "the school has no superadmin" }) };

static void check_setup(struct request *rq, struct faults *faults);
static response_handler get_setup, post_setup;

static const struct route routes[] = {
	{ GET, "/auth/setup", PUBLIC, get_setup, .out = &setup_state, .no_store = true, .title = "Whether the school needs its first superadmin" },
	{ POST, "/auth/setup", PUBLIC, post_setup, .check = check_setup, .in = &setup, .out = &auth_login_response, .status = 201,
	  .writes = true, .client_limit = true, .errors = STATUSES(409), .title = "Become the first superadmin of a school",
	  .note = "Only while the school has none: then 409. `okulctl user setup-code` prints the code." },
};
/* clang-format on */

const struct section auth_setup = { routes, COUNT(routes), NULL, 0 };

#define WRONG_HOURLY 10 /* wrong codes of one client network */
static const char wrong_client[] = "setup-client";

struct prepared {
	struct login *login;
	bool right; /* the code */
};

static struct response
get_setup(struct request *rq)
{
	response_begin(rq);
	data_bool(rq, "isNeeded", setup_is_needed(rq->db));
	return response_done(rq);
}

static void
check_setup(struct request *rq, struct faults *faults)
{
	struct prepared *prepared = rq->prepared = arena_alloc(rq->arena, sizeof(*prepared));

	(void)faults;
	if (rq->faults.count > 0)
		return;
	prepared->right = setup_code_is(rq->conf, value_string(rq->in[CODE]));
	prepared->login = arena_alloc(rq->arena, sizeof(*prepared->login));
	random_id(prepared->login->user_id);
	auth_prepare_session(rq, prepared->login);
}

static struct user_new
first_user(struct request *rq, const struct login *login)
{
	const char *language = value_string(rq->in[LANGUAGE]);
	struct user_new user = {
		.id = login->user_id,
		.email = value_string(rq->in[AUTH_EMAIL]),
		.role = "superadmin",
		.created_at = rq->now,
		.registered_at = rq->now,
		.privacy_policy_version = rq->conf->privacy_policy_version,
		.terms_of_use_version = rq->conf->terms_of_use_version,
	};

	user.profile[USER_NAME] = rq->in[NAME];
	user.profile[USER_SURNAME] = rq->in[SURNAME];
	user.profile[USER_LANGUAGE] = value_text(language ? language : language_code(rq->language));
	user.profile[USER_TIMEZONE] = value_text(rq->conf->time_zone);
	return user;
}

static struct response
post_setup(struct request *rq)
{
	struct prepared *prepared = rq->prepared;
	struct login *login = prepared->login;
	int64_t wait = limit_client(rq->db, rq->conf, wrong_client, rq->http.client, rq->now, HOUR, WRONG_HOURLY);

	if (!setup_is_needed(rq->db))
		return response_error(rq, ERROR_SET_UP);
	if (wait > 0)
		return response_wait(rq, ERROR_TOO_MANY_CLIENT_TRIES, wait);
	if (!prepared->right) {
		limit_count_client(rq->db, rq->conf, wrong_client, rq->http.client, rq->now, HOUR);
		return response_error_keep(rq, ERROR_WRONG_CODE);
	}
	if (!login->access_token)
		return response_error(rq, ERROR_INTERNAL);
	const struct user_new user = first_user(rq, login);
	if (user_add(rq->db, &user, &login->user) == DB_TAKEN)
		return response_error(rq, ERROR_EMAIL_TAKEN);
	audit_add(rq->db, rq->now,
		&(struct audit){ .action = "user.added", .subject_id = user.id, .subject = user.email, .after = user.role });
	login->is_new = true;
	auth_open_session(rq, login);
	return auth_response_login(rq, login);
}
