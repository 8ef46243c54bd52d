#include "app.h"

#include "check.h"
#include "db_admin.h"
#include "encode.h"
#include "etag.h"
#include "log.h"
#include "openapi.h"
#include "random.h"
#include "route_print.h"
#include "s3.h"
#include "send.h"
#include "upload.h"

#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define FIRST_BLOCK (32 * 1024)	    /* of the arena: more than an ordinary request needs */
#define KEEP_ROOM (64 * 1024)	    /* of the response buffer between requests */
#define MEMORY (INT64_C(256) << 20) /* bytes of a worker; beyond them the response is 503 */
#define TRIES 3			    /* of a handler that returns response_again() */
#define CONFLICT_TRIES 12	    /* of a transaction that others prevent: 0.3 s of pauses, at most 0.6 s */
#define PAUSE_LONGEST 64	    /* milliseconds before the next try, of which a random part passes */
#define WATCHDOG 15		    /* seconds; above the 2 s of the database, below the 20 s of the web server */

/* What the access log needs of a request, copied: the transport frees its texts when the response is sent. */
struct summary {
	const char *method, *path, *client;
};

struct app {
	const struct program *program;
	const struct conf *conf;
	struct http *http;
	struct db *db; /* NULL: a CGI process whose database is unusable */
	struct arena *arena;
	struct buf head, body;
	struct summary summary; /* of the current request; here, since longjmp() leaves locals undefined */
};

/* ---- the watchdog: a timer that ends a worker stuck in one request; the supervisor starts another */

/* Ticks since the current connection began, or since it last moved bytes: a large upload may take its time. */
static volatile sig_atomic_t ticks_running, connection_seen, progress_seen;

static void
on_tick(int signal)
{
	static const char text[] = "level=fatal watchdog: timeout of a request, the worker exits\n";

	(void)signal;
	if (connection_seen != http_connections() || progress_seen != http_progress() + s3_progress()) {
		ticks_running = connection_seen != http_connections(); /* the first of a new one */
		connection_seen = http_connections();
		progress_seen = http_progress() + s3_progress();
	} else if (!http_busy()) {
		ticks_running = 0;
	} else if (++ticks_running > 3) {
		(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
		_exit(EXIT_FAILURE);
	}
}

/* A coarse periodic timer: one armed for each request would cost it two system calls. */
static void
start_watchdog(void)
{
	struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1 };
	struct itimerspec every = { .it_value.tv_sec = WATCHDOG / 3, .it_interval.tv_sec = WATCHDOG / 3 };
	timer_t timer;

	sigaction(SIGRTMIN + 1, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &every, NULL) != 0)
		log_line(LOG_WARN, "no timer for the watchdog: a stuck request will not be ended");
}

/* Some responses are as large as users can make them: an export of all data of one. */
static void
limit_memory(void)
{
#ifndef __SANITIZE_ADDRESS__ /* its own memory counts */
	struct rlimit most;

	if (getrlimit(RLIMIT_DATA, &most) == 0 && most.rlim_cur > MEMORY) {
		most.rlim_cur = MEMORY;
		(void)!setrlimit(RLIMIT_DATA, &most);
	}
#endif
}

/* ---- one request */

/* The client's X-Request-Id where it is well-formed; else a random number of the process, and a count. */
static const char *
request_id(struct arena *arena, const char *given)
{
	static struct {
		unsigned char process[8];
		uint32_t count;
	} own;
	size_t length = given ? strspn(given, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") : 0;

	if (length > 0 && length <= 64 && given[length] == '\0')
		return arena_string(arena, given); /* the log needs it after the transport has freed its texts */
	struct buf id = { .arena = arena };
	if (own.count++ == 0)
		random_bytes(own.process, sizeof(own.process));
	encode_hex(&id, &own, sizeof(own));
	return id.s;
}

static enum error
db_error(enum db_rc rc)
{
	/* clang-format off */
	static const enum error errors[] = { [DB_BUSY] = ERROR_BUSY, [DB_SLOW] = ERROR_BUSY, [DB_FULL] = ERROR_STORAGE_FULL,
		[DB_READONLY] = ERROR_STORAGE_READONLY, [DB_BROKEN] = ERROR_UNAVAILABLE, [DB_OLD] = ERROR_UNAVAILABLE,
		[DB_CONFLICT] = ERROR_BUSY, [DB_LOST] = ERROR_DATABASE_LOST, [DB_UNSURE] = ERROR_DATABASE_UNSURE };
	/* clang-format on */

	return rc < COUNT(errors) && errors[rc] != ERROR_NONE ? errors[rc] : ERROR_INTERNAL;
}

/* Runs the handler inside its transaction. Its response is valid only if everything it wrote is on the disk. */
static struct response
write_once(struct request *rq)
{
	enum db_rc rc = db_write_begin(rq->db);

	if (rc != DB_DONE)
		return response_error(rq, db_error(rc));
	/* While the request waited for the writer lock, the caller may have lost a role, or their account. */
	struct response response = check_caller(rq);
	if (!response.error)
		response = etag_guard_again(rq);
	data_keep(rq);
	if (!response.error)
		response = rq->route->handler(rq);
	if (!data_reserve(rq))
		response = response_error(rq, ERROR_BUSY); /* nothing is committed whose response cannot be sent */
	if (db_failure(rq->db) != DB_DONE || (response.error && !response.commit)) {
		db_write_rollback(rq->db);
		rq->mail_queued = false;
		return response;
	}
	rc = db_write_commit(rq->db);
	if (rc == DB_DONE)
		return response;
	rq->mail_queued = false;
	return response_error(rq, db_error(rc));
}

/* Lets the transaction that was faster finish: the longer and the less like other waiters, the more tries have failed. */
static void
pause_before(int tries)
{
	int64_t most = tries < 6 ? INT64_C(1) << tries : PAUSE_LONGEST;
	struct timespec pause = { .tv_nsec = (long)((1 + random_below((uint32_t)most * 1000)) * 1000) };

	nanosleep(&pause, NULL);
}

/* What a try changes of a request, for the next one. */
struct before_try {
	struct faults faults;
	struct caller *user, caller; /* its texts were copied: see check_caller() */
};

/* After a try that another transaction prevented, on an engine where they run side by side. */
static void
try_later(struct request *rq, const struct before_try *before, int conflicts)
{
	db_release(rq->db);
	pause_before(conflicts);
	rq->faults = before->faults;
	rq->user = before->user;
	if (rq->user)
		*rq->user = before->caller;
}

static struct response
prepare_and_write(struct request *rq, bool first)
{
	struct response response = first ? response_passed() : check_again(rq);

	if (!response.error)
		response = etag_guard(rq);
	if (response.error)
		return response;
	random_prepare();
	return write_once(rq);
}

/* All work but the statements is done before and after the transaction. */
static struct response
handle_writing(struct request *rq)
{
	struct before_try before = { .faults = rq->faults, .user = rq->user };
	int tries = 0, conflicts = 0;
	struct response response;

	if (rq->user)
		before.caller = *rq->user;

	db_only_deletes(rq->db, rq->route->method == DELETE || rq->route->makes_room);
	for (;;) {
		response = prepare_and_write(rq, tries + conflicts == 0);
		if (db_failure(rq->db) == DB_CONFLICT && ++conflicts < CONFLICT_TRIES)
			try_later(rq, &before, conflicts);
		else if (db_failure(rq->db) != DB_DONE || !response.again || ++tries == TRIES)
			break;
	}
	if (!response.error)
		data_write(rq);
	rq->keeps = false;
	return response;
}

static struct response
read_once(struct request *rq)
{
	if (etag_unchanged(rq))
		return (struct response){ .status = 304 };
	struct response response = rq->route->handler(rq);
	return rq->out->failed ? response_error(rq, ERROR_BUSY) : response;
}

/* Nothing has been sent yet, so a read whose connection was lost is tried again, once. */
static struct response
handle_reading(struct request *rq)
{
	const struct faults faults = rq->faults;
	struct response response = read_once(rq);
	enum db_rc failure = db_failure(rq->db);

	if (failure != DB_LOST && failure != DB_CONFLICT)
		return response;
	request_detach_user(rq);
	db_release(rq->db);
	rq->faults = faults;
	buf_reset(rq->out, SIZE_MAX);
	return read_once(rq);
}

static struct response
no_method(struct request *rq, const char *allow)
{
	struct response response = { .status = 204 };

	if (rq->http.method != OPTIONS)
		response = response_error(rq, ERROR_NO_METHOD);
	response.allow = allow;
	return response;
}

/* The web server asks whether to accept the body: 204. Or it withholds one that was refused before, but not now: retry. */
static struct response
accept_body(struct request *rq)
{
	return rq->http.body == BODY_WITHHELD ? response_error(rq, ERROR_BUSY) : (struct response){ .status = 204 };
}

/* No read snapshot is held meanwhile: a web server that does not buffer bodies sends one as slowly as the client. */
static const char *
read_body(struct request *rq, struct app *app)
{
	int64_t *length = &rq->http.content_length;

	if (!rq->route->in || *length == 0 || *length == -1 || check_is_form(rq))
		return NULL;
	request_detach_user(rq);
	db_release(app->db);
	return http_body(app->http, app->arena, length, check_body_limit(rq));
}

static struct response
handle(struct request *rq, struct app *app)
{
	struct buf allow = { .arena = app->arena };
	enum route_match match = route_find(app->program, rq, &allow);

	if (match == ROUTE_NO_PATH)
		return response_error(rq, ERROR_NO_PATH);
	if (match == ROUTE_NO_METHOD)
		return no_method(rq, allow.s);
	if (rq->http.content_length > check_body_limit(rq))
		return response_error(rq, ERROR_TOO_LARGE);
	if (!app->db)
		return response_error(rq, ERROR_UNAVAILABLE);
	struct response response = check_head(rq);
	if (!response.error && rq->http.body != BODY_HERE)
		return accept_body(rq);
	const char *body = response.error ? NULL : read_body(rq, app);
	if (!response.error && rq->http.content_length > check_body_limit(rq))
		response = response_error(rq, ERROR_TOO_LARGE); /* the length was unknown before */
	if (!response.error)
		response = check_body(rq, body);
	if (!response.error)
		response = rq->route->writes ? handle_writing(rq) : handle_reading(rq);
	enum db_rc failure = db_failure(app->db);
	return failure == DB_DONE ? response : response_error(rq, db_error(failure));
}

static void
log_summary(const struct summary *summary, const struct caller *user, int status, int64_t started)
{
	const struct log_access access = { summary->method, summary->path, summary->client, user ? user->id : "-", status,
		clock_ticks() - started };

	log_access(status >= 500 ? LOG_FAULT : LOG_NOTE, &access);
}

static void
serve_one(struct app *app, struct request *rq)
{
	int64_t started = clock_ticks();
	jmp_buf exhausted;
	volatile int status = 503;

	rq->now = clock_now();
	rq->language = EN;
	app->summary = (struct summary){ "-", "-", "-" };
	if (setjmp(exhausted) == 0) {
		arena_on_exhausted(app->arena, &exhausted);
		rq->request_id = request_id(app->arena, rq->http.request_id);
		log_request(rq->request_id);
		app->summary = (struct summary){ arena_string(app->arena, rq->http.method_name),
			arena_copy(app->arena, rq->http.target, rq->http.path_length > 200 ? 200 : rq->http.path_length),
			arena_string(app->arena, rq->http.client) };
		rq->language_asked = language_negotiate(rq->http.accept_language, &rq->language);
		faults_init(&rq->faults, app->arena, rq->language);
		struct response response = handle(rq, app);
		if (rq->http.body == BODY_ASKED && response.error)
			response.status = 403; /* to an auth_request of nginx any other status is a failure */
		status = send_response(app->http, rq, &response, &app->head);
	} else {
		/* Memory ran out above: nothing was sent or committed yet. */
		if (app->db && db_writing(app->db))
			db_write_rollback(app->db);
		rq->user = NULL; /* the rollback may have freed its texts */
		struct response response = response_error(rq, ERROR_BUSY);
		arena_on_exhausted(app->arena, NULL);
		rq->request_id = "-";
		status = send_response(app->http, rq, &response, &app->head);
	}
	if (rq->mail_queued && status < 500)
		app->program->mail_wake(app->conf);
	if (rq->http.body != BODY_ASKED) /* else the request itself follows, and is logged */
		log_summary(&app->summary, rq->user, status, started);
	if (rq->upload_count)
		rq->route->upload->reader->close(rq);
	if (app->db)
		db_release(app->db);
	log_request("");
	buf_reset(&app->body, KEEP_ROOM);
	arena_reset(app->arena);
}

static int
serve(struct app *app)
{
	enum http_event event = HTTP_STOP;
	struct request rq = { 0 };
	int64_t served = 0;

	start_watchdog();
	limit_memory();
	log_hold();
	while ((app->conf->retire_after == 0 || served < app->conf->retire_after) &&
		(event = http_next(app->http, &rq.http)) == HTTP_REQUEST) {
		struct http_request wire = rq.http;
		rq = (struct request){ .http = wire,
			.program = app->program,
			.conf = app->conf,
			.arena = app->arena,
			.db = app->db,
			.out = &app->body,
			.wire = app->http };
		serve_one(app, &rq);
		served++;
	}
	log_flush();
	if (event == HTTP_FAILED)
		log_line(LOG_FATAL, "the listening socket on standard input is unusable");
	return event == HTTP_FAILED ? EXIT_CONFIG : EXIT_SUCCESS;
}

/* ---- start */

/* The i-th list: first those of modules, then of sections, then the versions of routes. False behind the last. */
static bool
statements_at(const struct program *program, size_t i, struct db_statements *list)
{
	const struct route *route;

	for (const struct db_statements *const *of = program->statements; of && *of; of++) {
		*list = **of;
		if (i-- == 0)
			return true;
	}
	for (const struct section *const *of = program->sections; *of; of++) {
		*list = (struct db_statements){ (*of)->sql, (*of)->sql_count };
		if (i-- == 0)
			return true;
	}
	route = route_at(program, i);
	*list = (struct db_statements){ route ? &route->version : NULL, route && route->version ? 1 : 0 };
	return route != NULL;
}

static bool
check_all(const struct program *program, struct db *db, char *why, size_t room)
{
	struct db_statements list;
	bool good = true;

	for (size_t i = 0; good && statements_at(program, i, &list); i++)
		good = db_check(db, list.sql, list.count, why, room);
	return good;
}

static int
usage(const char *self, int code)
{
	fprintf(code ? stderr : stdout,
		"usage: %s [--routes | --openapi | --statements | --check | --version | --help]\n\n"
		"Without an option it serves: FastCGI when standard input is a listening socket, else one CGI request.\n"
		"  --routes   prints the routes\n"
		"  --openapi  prints this program's part of the OpenAPI document\n"
		"  --statements  prints the statements that it runs, each ended by a NUL\n"
		"  --check    prepares every statement against the database of OKUL_DATA and prints its query plan\n",
		self);
	return code;
}

static int
print_statements(const struct program *program)
{
	struct db_statements list;

	for (size_t i = 0; statements_at(program, i, &list); i++)
		for (size_t k = 0; k < list.count; k++)
			fwrite(list.sql[k], 1, strlen(list.sql[k]) + 1, stdout);
	return EXIT_SUCCESS;
}

static int
check(const struct program *program, struct db *db)
{
	struct db_statements list;
	int faults = 0;

	for (size_t i = 0; statements_at(program, i, &list); i++)
		faults += db_explain(db, list.sql, list.count, stdout);
	printf("%s: %d faults\n", program->name, faults);
	return faults ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int
fail(struct app *app, const char *why)
{
	struct request rq = { .program = app->program, .arena = app->arena, .out = &app->body };

	log_line(LOG_FATAL, "%s", why);
	if (!app->http || !http_is_cgi(app->http) || !app->conf || http_next(app->http, &rq.http) != HTTP_REQUEST)
		return EXIT_CONFIG;
	/* As CGI: the client gets an error in the envelope, the reason goes to the log. */
	rq.conf = app->conf;
	serve_one(app, &rq);
	return EXIT_CONFIG;
}

int
app_main(int argc, char **argv, const struct program *program)
{
	struct app app = { .program = program };
	char why[512] = "out of memory";
	/* To CGI a query without '=' comes as arguments (RFC 3875 section 4.4), which clients choose. */
	const char *option = argc > 1 && !http_cgi_environment() ? argv[1] : "";

	secret_no_core();
	log_init(program->name, false, LOG_NOTE);
	clock_init();
	if (strcmp(option, "--routes") == 0)
		return route_print(program, stdout), EXIT_SUCCESS;
	if (strcmp(option, "--openapi") == 0)
		return openapi_print(program, stdout) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (strcmp(option, "--statements") == 0)
		return print_statements(program);
	if (strcmp(option, "--version") == 0)
		return puts("okul " OKUL_VERSION), EXIT_SUCCESS;
	if (strcmp(option, "--help") == 0)
		return usage(argv[0], EXIT_SUCCESS);
	if (option[0] && strcmp(option, "--check") != 0)
		return usage(argv[0], EXIT_USAGE);

	app.arena = arena_new(FIRST_BLOCK);
	app.conf = app.arena ? conf_load(NULL, why, sizeof(why)) : NULL;
	if (!app.conf)
		return fail(&app, why);
	log_init(program->name, app.conf->log_syslog, (enum log_level)app.conf->log_level);
	json_use(app.arena);
	bool serving = !option[0];
	if (serving && !(app.http = http_open(&app.conf->proxies)))
		return fail(&app, "standard input is not a socket to serve from");
	if (program->start && !program->start(app.conf, why, sizeof(why)))
		return fail(&app, why);
	etag_init(app.conf);
	struct db *db = db_open(app.conf->database, DB_READ_WRITE, DB_SCHEMA_VERSION, why, sizeof(why));
	/* A worker does not start where its statements do not prepare; for one CGI request the check is too expensive. */
	if (!db || (!(serving && http_is_cgi(app.http)) && !check_all(program, db, why, sizeof(why)))) {
		int failed = fail(&app, why);
		/* A server that is away may be back in a moment; the supervisor then tries again. */
		return db_is_url(app.conf->database) ? EXIT_NO_HOST : failed;
	}
	app.db = db;
	malloc_trim(0);
	int code = serving ? serve(&app) : check(program, db);
	db_close(db);
	arena_free(app.arena);
	buf_clear(&app.head);
	buf_clear(&app.body);
	return code;
}
