/*
 * What cppcheck 2.10 cannot read, said simpler: it knows neither _Generic (lib/base/value.h) nor the macros of a library
 * whose headers it is not given. Included before every file that it checks.
 */
#define OKUL_VALUE_H
#include "base.h"

struct value;
struct args { const struct value *values; size_t count; };
struct value value_null(void);
struct value value_bool(bool b);
struct value value_int(int64_t i);
struct value value_real(double r);
struct value value_text(const char *s);
struct value value_blob(const void *bytes, size_t length);
struct args args_of(int first, ...);
#define ARGS(...) args_of(0, __VA_ARGS__)
#define NO_ARGS args_of(0)

#define cJSON_ArrayForEach(element, array) for (element = (array)->child; element; element = element->next)
