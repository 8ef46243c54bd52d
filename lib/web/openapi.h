/* openapi - what a program serves, as OpenAPI 3.1, from its route rows and shapes. */
#ifndef OKUL_OPENAPI_H
#define OKUL_OPENAPI_H

#include "base.h"
#include "route.h"

/*
 * --openapi: prints this program's part of the OpenAPI 3.1 document, which okul-reference joins with the others:
 * {"tags":[...],"paths":{...},"components":{"schemas":{...},"responses":{...}}}. False when out of memory, when `out`
 * cannot be written, when a row lists a status that openapi_component.c does not describe, when a shape has an
 * enumeration that openapi_schema.c does not name, or when a row takes files and does not write.
 */
must_use bool openapi_print(const struct program *program, FILE *out);

#endif
