#include "route.h"

#include "text.h"
#include "url.h"

#define SEGMENTS 8

struct path {
	const char *segment[SEGMENTS]; /* decoded */
	int count;
};

/* Splits at slashes before it decodes, so that %2F is part of a segment. False for a path that no row can have. */
static bool
split_path(struct request *rq, struct path *path)
{
	const char *s = rq->http.target, *end = s + rq->http.path_length;

	path->count = 0;
	if (s == end || *s != '/')
		return false;
	while (s < end) {
		const char *start = ++s;
		while (s < end && *s != '/')
			s++;
		if (path->count == SEGMENTS || (s == start && path->count > 0))
			return false;
		path->segment[path->count] = url_decode(rq->arena, start, (size_t)(s - start), false);
		if (!path->segment[path->count++])
			return false;
		if (s < end && s + 1 == end)
			return false; /* a trailing slash is another path */
	}
	return true;
}

/* True for a route of the API that the operator has turned off. */
static bool
is_off(const struct request *rq, const struct route *route)
{
	static const char v1[] = "/api/v1/";

	return rq->conf && !rq->conf->api_v1 && strncmp(route->path, v1, sizeof(v1) - 1) == 0;
}

/* The number of parameters when the pattern matches the path, else -1. */
static int
match(const char *pattern, const struct path *path, const char *params[static 2])
{
	int found = 0;

	for (int i = 0; i < path->count; i++) {
		if (*pattern++ != '/')
			return -1;
		size_t length = strcspn(pattern, "/");
		if (pattern[0] == '{')
			params[found++] = path->segment[i];
		else if (strlen(path->segment[i]) != length || memcmp(pattern, path->segment[i], length) != 0)
			return -1;
		pattern += length;
	}
	return *pattern == '\0' ? found : -1;
}

const struct route *
route_at(const struct program *program, size_t i)
{
	for (const struct section *const *section = program->sections; *section; section++) {
		if (i < (*section)->route_count)
			return &(*section)->routes[i];
		i -= (*section)->route_count;
	}
	return NULL;
}

static void
list_methods(const struct program *program, const char *path, struct buf *allow)
{
	const struct route *route;

	for (size_t i = 0; (route = route_at(program, i)); i++) {
		if (strcmp(route->path, path) != 0)
			continue;
		buf_puts(allow, http_method_name(route->method));
		buf_puts(allow, route->method == GET ? ", HEAD, " : ", ");
	}
	buf_puts(allow, "OPTIONS");
}

enum route_match
route_find(const struct program *program, struct request *rq, struct buf *allow)
{
	enum method method = rq->http.method == HEAD ? GET : rq->http.method;
	const char *best = NULL;
	int best_params = INT32_MAX;
	const struct route *route;
	struct path path;

	if (!split_path(rq, &path))
		return ROUTE_NO_PATH;
	for (size_t i = 0; (route = route_at(program, i)); i++) {
		const char *params[2] = { NULL, NULL };
		int found = match(route->path, &path, params);
		if (found < 0 || found > best_params || is_off(rq, route))
			continue;
		if (best && found == best_params && strcmp(best, route->path) != 0)
			continue;
		if (found < best_params) {
			best = route->path;
			best_params = found;
			rq->route = NULL;
			memcpy(rq->params, params, sizeof(params));
		}
		if (route->method == method)
			rq->route = route;
	}
	rq->id = rq->params[0];
	if (!best)
		return ROUTE_NO_PATH;
	if (rq->route) {
		rq->success = route_success(rq->route);
		return ROUTE_FOUND;
	}
	list_methods(program, best, allow);
	return ROUTE_NO_METHOD;
}

int
route_success(const struct route *route)
{
	return route->status ? route->status : 200;
}

bool
route_is_guarded(const struct route *route)
{
	return route->method == PATCH || route->method == DELETE || (route->method == POST && route->shows);
}

bool
route_is_tagged(const struct route *route)
{
	return route->method == GET && !route->out_type && !route->no_store && route_success(route) == 200;
}

bool
route_is_id(const char *name, size_t length)
{
	return length >= 2 && (memcmp(name + length - 2, "id", 2) == 0 || memcmp(name + length - 2, "Id", 2) == 0);
}

void
route_params(struct request *rq)
{
	const char *pattern = rq->route->path;

	for (int i = 0; i < 2 && (pattern = strchr(pattern, '{')); i++) {
		size_t length = strcspn(++pattern, "}");
		if (!route_is_id(pattern, length))
			continue;
		char *id = arena_string(rq->arena, rq->params[i]);
		text_lower(id);
		rq->params[i] = id;
		if (!text_is_id(id))
			faults_add(&rq->faults, arena_copy(rq->arena, pattern, length), S_F_ID, NULL);
	}
	rq->id = rq->params[0];
}
