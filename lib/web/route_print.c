#include "route_print.h"

#include "upload.h"

static void
print_flags(const struct route *route, FILE *out)
{
	const char *const names[] = { "writes", "unregistered", "leaving", "limit" };
	const bool set[] = { route->writes, route->unregistered, route->being_deleted, route->client_limit };
	bool any = false;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (set[i])
			fprintf(out, "%s%s", any ? "," : "", names[i]);
		any |= set[i];
	}
	fputs(any ? "\t" : "-\t", out);
}

static void
print_in(const struct route *route, FILE *out)
{
	struct field_walk walk = { 0 };
	const struct field *field;
	char before = '?';

	if (route->in)
		fputs(route->in->name, out);
	if (route->upload)
		fprintf(out, "+%s", route->upload->part);
	while (route->query && (field = field_next(&walk, route->query))) {
		fprintf(out, "%c%s", before, field->name);
		before = '&';
	}
	fputs(route->in || route->query || route->upload ? "\t" : "-\t", out);
}

static void
print_out(const struct route *route, FILE *out)
{
	if (route->out_type)
		fprintf(out, "(%s)\t", route->out_type);
	else
		fprintf(out,
			route->out_page		  ? "{items: %s[], pagination}\t"
				: route->out_list ? "%s[]\t"
						  : "%s\t",
			route->out ? route->out->name : "-");
}

void
route_print(const struct program *program, FILE *out)
{
	const struct route *route;

	fputs("program\tmethod\tpath\trole\tstatus\tflags\tin\tout\ttitle\n", out);
	for (size_t i = 0; (route = route_at(program, i)); i++) {
		fprintf(out, "%s\t%s\t%s\t%s\t%d\t", program->name, http_method_name(route->method), route->path,
			role_name(route->role), route_success(route));
		print_flags(route, out);
		print_in(route, out);
		print_out(route, out);
		fprintf(out, "%s\n", route->title);
	}
}
