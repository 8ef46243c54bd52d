/*
 * route_print - the routes of a program as a table for people and scripts.
 */
#ifndef OKUL_ROUTE_PRINT_H
#define OKUL_ROUTE_PRINT_H

#include "base.h"
#include "route.h"

/*
 * --routes: a line a route, tab-separated: program method path role status flags in out title. A heading first; "-"
 * where there is nothing. flags: writes, unregistered, limit. in: the DTO of the body, ?parameters of the query, or both.
 * out: the DTO of the data, DTO[] for a list of them, or (media type) outside the envelope.
 */
void route_print(const struct program *program, FILE *out);

#endif
