/*
 * data - the data of a response, which handlers put together field by field.
 *
 * Outside a write transaction each call writes JSON into rq->out (json_write.h). Inside one JSON may not be written: there the
 * values are copied and kept in rq->kept, and data_write() writes them after the commit.
 *
 * `name` is a constant: the member's name, written as it is; NULL inside a list. When memory is short the calls set `failed` of
 * rq->out or rq->kept; data_failed() is looked at once, at the end.
 */
#ifndef OKUL_DATA_H
#define OKUL_DATA_H

#include "request.h"

void data_object(struct request *rq, const char *name);
void data_end_object(struct request *rq);
void data_list(struct request *rq, const char *name);
void data_end_list(struct request *rq);
void data_text(struct request *rq, const char *name, const char *text);		/* well-formed UTF-8; NULL: null */
void data_int(struct request *rq, const char *name, int64_t number);
void data_number(struct request *rq, const char *name, double number);
void data_bool(struct request *rq, const char *name, bool truth);
void data_time(struct request *rq, const char *name, int64_t time);		/* milliseconds since 1970 */
void data_null(struct request *rq, const char *name);
void data_raw(struct request *rq, const char *name, const char *json, size_t length);	/* JSON text, written as it is */
/* A value of the database, or of a request, as a field of a shape. */
void data_value(struct request *rq, const struct field *field, const struct value *value);
/*
 * A value that takes JSON or crypto to make: `write` writes it with the calls above, now or after the commit, in at most 1 KiB. It
 * gets the `size` bytes of `facts`, which are copied; equal facts must make equal values.
 */
void data_later(struct request *rq, const char *name, void (*write)(struct request *rq, const char *name, const void *facts),
	const void *facts, size_t size);

/* Starts the data, an object or a list. Drops what was there. */
void data_begin(struct request *rq, char bracket);
/* From here on values are kept. */
void data_keep(struct request *rq);
/* Writes what was kept, and keeps no more. data_reserve() was called before, so memory does not become short. */
void data_write(struct request *rq);
/* Takes the memory that data_write() will need; false when it is short. */
must_use bool data_reserve(struct request *rq);
bool data_failed(const struct request *rq);

#endif
