/* route_print - the routes of a program as a table for people and scripts. */
#ifndef OKUL_ROUTE_PRINT_H
#define OKUL_ROUTE_PRINT_H

#include "route.h"

/*
 * --routes: a header line, then one line for each route, separated by tabs: program method path role status flags in
 * out title, "-" for an empty column. flags: writes, unregistered, leaving, limit. in: the DTO of the body, +field
 * for files, ?parameters of the query. out: the DTO of the data, DTO[] for a list, or (media type) for a file without
 * the envelope.
 */
void route_print(const struct program *program, FILE *out);

#endif
