/*
 * okul-reference - joins the programs' parts of the API reference, for the build.
 *
 * Each PART is the output of a program for --openapi. Writes the joined OpenAPI 3.1 document, and a page for people
 * from it and the HTML template. Fails when two parts contradict each other. --without leaves out a prefix of paths.
 */
#include "ctl.h"

#include "reference.h"
#include "json_write.h"

#include <errno.h>
#include <sys/stat.h>

static const char usage[] = "usage: okul-reference [--without PATH] OPENAPI_OUT HTML_OUT TEMPLATE PART...";

static const char frame[] =
	"{\"openapi\":\"3.1.0\","
	"\"info\":{\"title\":\"okul\",\"version\":\"" OKUL_VERSION "\","
	"\"summary\":\"The backend of a small language school\","
	"\"description\":\"Log in: ask for a code with POST /auth/otp/request, take it from the mail, and exchange it for "
	"tokens with POST /auth/otp/verify. Every JSON response has the same five fields (BaseResponseDto). Sentences are in "
	"tr, en, es or de by Accept-Language. Every response carries X-Request-Id. HEAD works wherever GET does; a method "
	"that a path does not have is 405 with Allow.\","
	"\"license\":{\"name\":\"All rights reserved\",\"identifier\":\"LicenseRef-All-Rights-Reserved\"}},"
	"\"servers\":[{\"url\":\"/\"}],"
	"\"tags\":[],\"paths\":{},"
	"\"components\":{"
	"\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\",\"bearerFormat\":\"JWT\"}},"
	"\"schemas\":{},\"headers\":{},\"parameters\":{},\"responses\":{}}}";

/* The whole of a file as a string; NULL with errno set. */
static char *
read_whole_file(struct arena *arena, const char *path)
{
	struct buf text = { .arena = arena };
	FILE *file = fopen(path, "r");
	char chunk[8192];
	size_t n;

	if (!file)
		return NULL;
	buf_puts(&text, "");
	while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buf_put(&text, chunk, n);
	bool good = !ferror(file);
	fclose(file);
	return good ? text.s : NULL;
}

/* World-readable for the web server, independently of the umask that ctl_init() set. */
static bool
write_file(const char *path, const char *text, size_t length)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return false;
	bool good = fchmod(fileno(file), 0644) == 0 && fwrite(text, 1, length, file) == length;
	return fclose(file) == 0 && good;
}

/* Moves the members of `from` into `to`. Returns the name of a member that both have with different values, else NULL. */
static const char *
join_members(cJSON *to, cJSON *from)
{
	while (from && from->child) {
		cJSON *item = cJSON_DetachItemViaPointer(from, from->child);
		const cJSON *present = json_get(to, item->string);
		if (present && !cJSON_Compare(present, item, true))
			return item->string;
		if (!present)
			cJSON_AddItemToObject(to, item->string, item);
	}
	return NULL;
}

/* Two programs must not serve the same path: the web server sends it to one of them. */
static const char *
join_paths(cJSON *to, cJSON *from)
{
	const cJSON *path;

	cJSON_ArrayForEach(path, from) if (json_get(to, path->string)) return path->string;
	return join_members(to, from);
}

static int
join_part(cJSON *document, struct arena *arena, const char *file)
{
	static const char *const shared[] = { "headers", "parameters", "responses" };
	const char *text = read_whole_file(arena, file), *name;
	cJSON *part = text ? cJSON_Parse(text) : NULL;
	cJSON *components = json_get(document, "components"), *theirs = json_get(part, "components");
	const cJSON *tag;

	if (!text)
		return ctl_error(EXIT_DATA, "%s: %s", file, strerror(errno));
	if (!json_get(part, "paths"))
		return ctl_error(EXIT_DATA, "%s: not what a program prints for --openapi; run it by hand to see why", file);
	cJSON_ArrayForEach(tag, json_get(part, "tags"))
		cJSON_AddItemToArray(json_get(document, "tags"), cJSON_Duplicate(tag, true));
	if ((name = join_paths(json_get(document, "paths"), json_get(part, "paths"))))
		return ctl_error(EXIT_DATA, "%s: the path %s is served by another program already", file, name);
	if ((name = join_members(json_get(components, "schemas"), json_get(theirs, "schemas"))))
		return ctl_error(EXIT_DATA, "%s: %s is another shape in another program; rename one of them", file, name);
	for (size_t i = 0; i < COUNT(shared); i++)
		if ((name = join_members(json_get(components, shared[i]), json_get(theirs, shared[i]))))
			return ctl_error(EXIT_DATA, "%s: %s of %s differs between programs; build all of them again", file, name,
				shared[i]);
	return EXIT_SUCCESS;
}

/* True when the node, or one below it, has this $ref. */
static bool
is_used(const cJSON *node, const char *ref)
{
	const char *own = cJSON_GetStringValue(json_get(node, "$ref"));
	const cJSON *item;

	if (own && strcmp(own, ref) == 0)
		return true;
	cJSON_ArrayForEach(item, node) if (is_used(item, ref)) return true;
	return false;
}

/* Removes the paths below a prefix, and the schemas that nothing refers to without them. */
static void
leave_out(cJSON *document, struct arena *arena, const char *prefix)
{
	cJSON *paths = json_get(document, "paths"), *schemas = json_get(json_get(document, "components"), "schemas");
	cJSON *item, *next;
	bool again = true;

	for (item = paths ? paths->child : NULL; item; item = next) {
		next = item->next;
		if (strncmp(item->string, prefix, strlen(prefix)) == 0)
			cJSON_Delete(cJSON_DetachItemViaPointer(paths, item));
	}
	while (again) {
		again = false;
		for (item = schemas ? schemas->child : NULL; item; item = next) {
			next = item->next;
			const char *ref = arena_format(arena, "#/components/schemas/%s", item->string);
			if (strcmp(item->string, "BaseResponseDto") == 0 || is_used(document, ref))
				continue;
			cJSON_Delete(cJSON_DetachItemViaPointer(schemas, item));
			again = true;
		}
	}
}

static int
write_reference(struct arena *arena, char **argv, const char *template, const cJSON *document)
{
	struct buf page = { .arena = arena }, text = page;

	json_put_tree(&text, NULL, document);
	if (!write_file(argv[1], text.s, text.length))
		return ctl_error(EXIT_FAILURE, "%s: %s", argv[1], strerror(errno));
	reference_page(&page, arena, template, document);
	if (!write_file(argv[2], page.s, page.length))
		return ctl_error(EXIT_FAILURE, "%s: %s", argv[2], strerror(errno));
	return EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	const char *without = argc > 2 && strcmp(argv[1], "--without") == 0 ? argv[2] : NULL;
	int code = ctl_init("okul-reference");

	if (code != EXIT_SUCCESS)
		return code;
	argc -= without ? 2 : 0;
	argv += without ? 2 : 0;
	if (argc < 5)
		return ctl_error(EXIT_USAGE, "%s", usage);
	struct arena *arena = arena_new(1 << 20);
	if (!arena)
		return ctl_error(EXIT_FAILURE, "out of memory");
	json_use(arena);
	const char *template = read_whole_file(arena, argv[3]);
	cJSON *document = cJSON_Parse(frame);
	if (!template)
		code = ctl_error(EXIT_DATA, "%s: %s", argv[3], strerror(errno));
	for (int i = 4; i < argc && code == EXIT_SUCCESS; i++)
		code = join_part(document, arena, argv[i]);
	if (code == EXIT_SUCCESS) {
		if (without)
			leave_out(document, arena, without);
		reference_examples(arena, document);
		code = write_reference(arena, argv, template, document);
	}
	arena_free(arena);
	return code;
}
