/*
 * openapi - what a program serves, as OpenAPI 3.1, from its route rows and shapes.
 */
#ifndef OKUL_OPENAPI_H
#define OKUL_OPENAPI_H

#include "base.h"
#include "route.h"

/*
 * --openapi: this program's part of the OpenAPI 3.1 document:
 * {"tags":[...],"paths":{...},"components":{"schemas":{...},"responses":{...}}}. okul-reference joins the parts.
 * False when memory is short, `out` takes no more, a row lists an error status that openapi_component.c has no words for, or
 * a body or an answer has an ENUM that openapi_schema.c has no name for.
 */
must_use bool openapi_print(const struct program *program, FILE *out);

#endif
