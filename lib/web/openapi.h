/*
 * openapi - what a program serves, printed from its route rows and shapes: for people, and as OpenAPI 3.1.
 */
#ifndef OKUL_OPENAPI_H
#define OKUL_OPENAPI_H

#include "base.h"
#include "route.h"

/*
 * --routes: a line a route, tab-separated: program method path role status flags in out title. A heading first; "-"
 * where there is nothing. flags: writes, unregistered, limit. in: the DTO of the body, ?parameters of the query, or both.
 * out: the DTO of the data, DTO[] for a list of them, or (media type) outside the envelope.
 */
void route_print(const struct program *program, FILE *out);

/*
 * --openapi: this program's part of the OpenAPI 3.1 document:
 * {"tags":[...],"paths":{...},"components":{"schemas":{...},"responses":{...}}}. okul-reference joins the parts.
 * False when memory is short, `out` takes no more, a row lists an error status that openapi.c has no words for, or a body or
 * an answer has an ENUM that openapi.c has no name for.
 */
must_use bool route_openapi(const struct program *program, FILE *out);

#endif
