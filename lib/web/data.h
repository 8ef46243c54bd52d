/*
 * data - the data of a response, which handlers put together field by field.
 *
 * Outside a write transaction each call writes JSON into rq->out (json_write.h). Inside one, where JSON must not be written,
 * it copies the value into rq->kept, and data_write() writes all of them after the commit.
 *
 * `name` is a constant: the member's name, written as it is; NULL inside a list. When memory is short, the calls set
 * `failed` of rq->out or rq->kept, which the caller of the handler checks once, at the end.
 */
#ifndef OKUL_DATA_H
#define OKUL_DATA_H

#include "request.h"

enum data_type {
	DATA_OBJECT, DATA_END_OBJECT, DATA_LIST, DATA_END_LIST, DATA_NULL, DATA_BOOL, DATA_INT, DATA_NUMBER, DATA_TIME,
	DATA_TEXT, DATA_RAW,
};

/* What the calls below share. `type` selects the member of the value that is read, not value->type; NULL: it has none. */
void data_put(struct request *rq, enum data_type type, const char *name, const struct value *value);

static inline void data_object(struct request *rq, const char *name) { data_put(rq, DATA_OBJECT, name, NULL); }
static inline void data_end_object(struct request *rq) { data_put(rq, DATA_END_OBJECT, NULL, NULL); }
static inline void data_list(struct request *rq, const char *name) { data_put(rq, DATA_LIST, name, NULL); }
static inline void data_end_list(struct request *rq) { data_put(rq, DATA_END_LIST, NULL, NULL); }
static inline void data_null(struct request *rq, const char *name) { data_put(rq, DATA_NULL, name, NULL); }

static inline void data_bool(struct request *rq, const char *name, bool truth)
{
	data_put(rq, DATA_BOOL, name, &(struct value){ .integer = truth });
}

static inline void data_int(struct request *rq, const char *name, int64_t number)
{
	data_put(rq, DATA_INT, name, &(struct value){ .integer = number });
}

static inline void data_number(struct request *rq, const char *name, double number)
{
	data_put(rq, DATA_NUMBER, name, &(struct value){ .real = number });
}

/* Milliseconds since 1970. */
static inline void data_time(struct request *rq, const char *name, int64_t time)
{
	data_put(rq, DATA_TIME, name, &(struct value){ .integer = time });
}

/* JSON text, written as it is. */
static inline void data_raw(struct request *rq, const char *name, const char *json, size_t length)
{
	data_put(rq, DATA_RAW, name, &(struct value){ .bytes = json, .length = length });
}

/* Well-formed UTF-8; NULL becomes null. */
void data_text(struct request *rq, const char *name, const char *text);
/* A value of the database, or of a request, as a field of a shape. */
void data_value(struct request *rq, const struct field *field, const struct value *value);
/* Writes a value into rq->out, with at most 2 KiB of the arena. Equal facts must make equal values. */
typedef void data_writer(struct request *rq, const char *name, const void *facts);
/*
 * A value that takes JSON or crypto to make: `write` is called now or after the commit, with a copy of `size` bytes of facts. It
 * writes at most `room` bytes of JSON.
 */
void data_later(struct request *rq, const char *name, data_writer *write, const void *facts, size_t size, size_t room);

/* Starts the data, an object or a list, and drops what was there. */
void data_begin(struct request *rq, char bracket);
/* From here on values are kept; drops those that were. */
void data_keep(struct request *rq);
/* Allocates the memory that data_write() will need; false when it is short. */
must_use bool data_reserve(struct request *rq);
/* Writes what was kept; from here on values are written again. After data_reserve() it cannot run out of memory. */
void data_write(struct request *rq);

#endif
