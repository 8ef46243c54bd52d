/* app - main() of every FastCGI program: options, start, the request loop. */
#ifndef OKUL_APP_H
#define OKUL_APP_H

#include "route.h"

/*
 * Options: --routes, --openapi, --check (prepares every statement against the database and shows query plans; exit 1
 * when one scans a table unmarked), --version, --help; without any, serves.
 * Exit: 0 after SIGTERM or a CGI request; 78 when the set-up is wrong (the reason on standard error).
 */
int app_main(int argc, char **argv, const struct program *program);

#endif
