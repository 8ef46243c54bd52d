/* app - the service itself: is it there, is it well, what can it do. */
#include "app.h"

/* clang-format off */
static const char *const states[] = { "ok", "degraded", NULL };
static const char *const database_states[] = { "ok", "unavailable", NULL };

static const struct shape hello = { .name = "HelloResponseDto", .fields = FIELDS(
	{ "message", FIELD_TEXT, 1, 200, .example = "\"Hello! okul is running.\"" }) };

static const struct shape health = { .name = "HealthResponseDto", .fields = FIELDS(
	{ "status", FIELD_ENUM, .oneof = states },
	{ "database", FIELD_ENUM, .oneof = database_states },
	{ "version", FIELD_TEXT, 1, 40, .example = "\"" OKUL_VERSION "\"" },
	{ "schemaVersion", FIELD_INT, 1, .example = "1" }) };

static response_handler get_hello, get_health, get_openapi, get_docs;

static const struct route routes[] = {
	{ GET, "/", PUBLIC, get_hello, .out = &hello, .title = "Get application hello response" },
	{ GET, "/health", PUBLIC, get_health, .out = &health, .no_store = true, .errors = STATUSES(503),
	  .title = "Liveness and readiness",
	  .note = "503 when the database cannot be read; status is degraded when it cannot be written: a full disk, a lock "
	          "that another process holds, programs older than the database. Checked once a second." },
	{ GET, "/swagger/json", PUBLIC, get_openapi, .out_type = "application/json", .title = "The OpenAPI document" },
	{ GET, "/api/docs", PUBLIC, get_docs, .out_type = "text/html", .title = "The browsable reference" },
};
/* clang-format on */

static struct response
get_hello(struct request *rq)
{
	return response_message(rq, S_HELLO);
}

static struct response
get_health(struct request *rq)
{
	int version;

	if (!db_alive(rq->db, &version))
		return response_error(rq, db_is_url(rq->conf->database) ? ERROR_DATABASE_LOST : ERROR_UNAVAILABLE);
	bool writable = db_try_write(rq->db);
	return response_values(rq, &health, ARGS(writable ? "ok" : "degraded", "ok", OKUL_VERSION, version));
}

/* Where /api/v1 is off, the reference is the one without it. */
static const char *
share_file(struct request *rq, const char *name, const char *extension)
{
	return arena_format(rq->arena, "%s/%s%s.%s", rq->conf->share, name, rq->conf->api_v1 ? "" : "-unified", extension);
}

static struct response
get_openapi(struct request *rq)
{
	return response_file(rq, share_file(rq, "openapi", "json"), "application/json");
}

static struct response
get_docs(struct request *rq)
{
	return response_file(rq, share_file(rq, "docs", "html"), "text/html; charset=utf-8");
}

static const struct section section = { routes, COUNT(routes), NULL, 0 };
/* It responds the same to everybody, so it knows no users: as CGI it starts without the libraries that tokens need. */
static const struct program program = { "app", "The service itself", SECTIONS(&section) };

int
main(int argc, char **argv)
{
	return app_main(argc, argv, &program);
}
